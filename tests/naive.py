"""The documented reads once more, the simple and slow way: plain loops over model instances and the serializers'
own path. It follows parents one by one and knows nothing of tree numbers, SQL conditions or rendered pieces."""

import copy
import random
from typing import Any

from chargers.models import Charger
from drivers.models import Driver
from drivers.serializers import (
    AuthorisedUsersSerializer,
    DriverSerializer,
    UserGroupSerializer,
    UserTreeSerializer,
)
from hierarchy.models import Site
from hierarchy.serializers import SiteOutlineSerializer, SiteSerializer
from operators.models import Operator
from operators.serializers import OperatorGroupSerializer, OperatorTreeSerializer

FOLLOWED = {
    Charger: ["site", "sockets", "configurations"],
    Driver: ["home_site", "tags", "external_ids", "site_rights", "charger_rights"],
    Operator: ["home_site", "grants"],
}


def with_rows(model: Any, filters: dict[str, Any]) -> Any:
    """All rows with those that belong to them."""
    return model._base_manager.filter(**filters).prefetch_related(*FOLLOWED[model])


class NaiveReader:
    """What `operator` is answered."""

    def __init__(self, operator: Operator, choice: random.Random | None = None) -> None:
        self.operator = operator
        self.random = choice or random.Random(0)
        mine = {"customer_id": operator.customer_id}
        self.all_sites = {site.pk: site for site in Site._base_manager.filter(**mine)}
        self.granted = {grant.site_id for grant in operator.grants.all()}
        self.sites = {pk: site for pk, site in self.all_sites.items() if self.sees(pk)}
        self.chargers = [c for c in with_rows(Charger, mine) if c.site_id in self.sites]
        self.chargers.sort(key=lambda charger: (charger.name_key, charger.charger_id_key))
        self.drivers = [d for d in with_rows(Driver, mine) if self.sees(d.home_site_id)]
        self.operators = [o for o in with_rows(Operator, mine) if self.sees(o.home_site_id)]
        for people in (self.drivers, self.operators):
            people.sort(key=lambda person: (person.name_key, person.pk))
        for charger in self.chargers:
            charger.ordered_sockets = sorted(charger.sockets.all(), key=lambda socket: socket.number)
            charger.ordered_configurations = sorted(charger.configurations.all(), key=lambda c: c.name_key)
            charger.socket_count = len(charger.ordered_sockets)
        for site in self.sites.values():
            self.fill(site)
        for driver in self.drivers:
            self.fill_driver(driver)
        for colleague in self.operators:
            grants = [grant.site_id for grant in colleague.grants.all()]
            shown = self.roots() if colleague.is_admin_operator else self.shown(grants)
            colleague.shown_sites = shown

    def some(self, rows: Any) -> list[Any]:
        """One of the rows, drawn by lot, as long as there are any."""
        return self.random.sample(list(rows), min(1, len(rows)))

    def above(self, site_id: int | None) -> list[int]:
        """The site and all above it, nearest first."""
        path = []
        while site_id is not None:
            path.append(site_id)
            site_id = self.all_sites[site_id].parent_id
        return path

    def sees(self, site_id: int | None) -> bool:
        return self.operator.is_admin_operator or bool(self.granted.intersection(self.above(site_id)))

    def roots(self) -> list[Site]:
        return self.ordered(site for site in self.sites.values() if site.parent_id not in self.sites)

    def ordered(self, sites: Any) -> list[Site]:
        return sorted(sites, key=lambda site: (site.name_key, site.pk))

    def shown(self, granted: list[int]) -> list[Site]:
        """Granted sites, or for one that is not visible the visible ones below it that have none above them."""
        shown = set()
        for site_id in granted:
            if site_id in self.sites:
                shown.add(site_id)
            else:
                shown |= {root.pk for root in self.roots() if site_id in self.above(root.pk)}
        return self.ordered(self.sites[site_id] for site_id in shown)

    def fill(self, site: Site) -> None:
        site.is_spare = False
        site.shown_subsites = self.ordered(s for s in self.sites.values() if s.parent_id == site.pk)
        site.shown_chargers = [c for c in self.chargers if c.site_id == site.pk]
        site.shown_drivers = [d for d in self.drivers if d.home_site_id == site.pk]
        site.shown_operators = [o for o in self.operators if o.home_site_id == site.pk]
        states = [
            self.state(charger, socket)
            for charger in self.chargers
            if site.pk in self.above(charger.site_id)
            for socket in charger.ordered_sockets
        ]
        site.online_sockets, site.offline_sockets, site.error_sockets = map(
            states.count, ("online", "offline", "error")
        )

    def state(self, charger: Charger, socket: Any) -> str:
        if not charger.has_active_connection or charger.last_seen is None:
            return "offline"
        if "Offline" in (charger.status, socket.status):
            return "offline"
        return "error" if "Error" in (charger.status, socket.status) else "online"

    def fill_driver(self, driver: Driver) -> None:
        driver.ordered_tags = sorted(driver.tags.all(), key=lambda tag: (tag.token_name, tag.id_tag, tag.pk))
        driver.ordered_external_ids = sorted(
            driver.external_ids.all(), key=lambda one: (one.reference_type, one.reference_id, one.pk)
        )
        driver.shown_sites = self.shown([right.site_id for right in driver.site_rights.all()])
        direct = {right.charger_id for right in driver.charger_rights.all()}
        driver.shown_chargers = [charger for charger in self.chargers if charger.pk in direct]

    def site_tree(self) -> Any:
        return SiteSerializer(self.roots(), many=True).data

    def site_outline(self) -> Any:
        return SiteOutlineSerializer(self.roots(), many=True).data

    def home_drivers(self, site_id: int) -> Any:
        return UserGroupSerializer(self.sites[site_id]).data

    def spare_drivers(self) -> Any:
        return UserGroupSerializer(self.spare_group()).data

    def spare_group(self) -> Site:
        group = Site(pk=0, name="SpareGroup", group_type=None)
        group.is_spare, group.shown_subsites = True, []
        group.shown_drivers = [driver for driver in self.drivers if driver.home_site_id is None]
        group.shown_operators = [one for one in self.operators if one.home_site_id is None]
        return group

    def driver(self, driver: Driver) -> Any:
        return DriverSerializer(driver).data

    def authorised_drivers(self, charger: Charger) -> Any:
        return DriverSerializer([d for d in self.drivers if self.may_charge(d, charger)], many=True).data

    def may_charge(self, driver: Driver, charger: Charger) -> bool:
        if any(right.charger_id == charger.pk for right in driver.charger_rights.all()):
            return True
        return bool({right.site_id for right in driver.site_rights.all()}.intersection(self.above(charger.site_id)))

    def operator_tree(self, with_hierarchy: bool) -> Any:
        spare = self.spare_group()
        if not with_hierarchy:
            for one in self.operators:
                one.shown_sites = []
        groups = self.top_homes(self.operators) + ([spare] if spare.shown_operators else [])

        class Tree:
            operator_groups = groups
            spare_operators = spare.shown_operators

        return OperatorTreeSerializer(Tree()).data

    def top_homes(self, people: Any) -> list[Site]:
        """The home sites that have no home site above them."""
        homes = {one.home_site_id for one in people} - {None}
        top = [self.sites[pk] for pk in homes if not homes.intersection(self.above(self.sites[pk].parent_id))]
        return self.ordered(top)

    def driver_tree(self) -> Any:
        spare = self.spare_group()
        groups = self.top_homes(self.drivers) + ([spare] if spare.shown_drivers else [])

        class Tree:
            user_groups = groups
            spare_drivers = spare.shown_drivers

        return UserTreeSerializer(Tree()).data

    def home_operators(self, site_id: int) -> Any:
        return OperatorGroupSerializer(self.sites[site_id]).data

    def single_site(self, site_id: int, without_subsites: bool) -> Any:
        site = copy.copy(self.sites[site_id])
        if without_subsites:
            site.shown_subsites = []
        return SiteSerializer(site).data

    def authorised_users(self, site_ids: list[int]) -> Any:
        answers = []
        for site_id in site_ids:
            site = copy.copy(self.sites[site_id])
            above = set(self.above(site_id))
            site.shown_drivers = [
                driver
                for driver in self.drivers
                if above.intersection(right.site_id for right in driver.site_rights.all())
            ]
            answers.append(site)
        return AuthorisedUsersSerializer(answers, many=True).data
