"""Conditions on drivers and tags that more than one page asks, and what a page shows of who may charge where."""

import datetime
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, TextChoices
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from chargers.models import Charger
from drivers.access import Reach, drivers_reaching, rights_reaching
from drivers.evidence import Places, ShownRight
from drivers.models import ChargerRight, Driver, SiteRight, Tag
from hierarchy.models import Site
from hierarchy.scoping import Scope

EXPIRING_WITHIN = datetime.timedelta(days=30)


def expiring() -> Q:
    """The condition on tags that they end within 30 days, and have not ended yet."""
    now = timezone.now()
    return Q(expires_at__gt=now, expires_at__lte=now + EXPIRING_WITHIN)


def expired() -> Q:
    """The condition on tags that they have ended."""
    return Q(expires_at__lte=timezone.now())


def without_rights(scope: Scope) -> Q:
    """The condition on drivers that no right of theirs reaches a place that `scope` sees.

    A right on a site above the scope counts, as it does in documents; one on a place beside it does not.
    """
    on_sites = SiteRight.objects.filter(driver=OuterRef("pk")).order_by()
    on_chargers = ChargerRight.objects.filter(driver=OuterRef("pk")).order_by()
    if scope.is_restricted:
        visible = Site.objects.visible_to(scope).order_by()
        granted_below = Site.objects.filter(
            pk__in=scope.root_ids,
            customer_id=scope.customer_id,
            tree_id=OuterRef("site__tree_id"),
            lft__gte=OuterRef("site__lft"),
            rght__lte=OuterRef("site__rght"),
        )
        on_sites = on_sites.filter(Q(site__in=visible.values("pk")) | Q(Exists(granted_below.order_by())))
        on_chargers = on_chargers.filter(charger__site__in=visible.values("pk"))
    return ~Exists(on_sites) & ~Exists(on_chargers)


class Validity(TextChoices):
    """What a tag is at a moment, in words for people."""

    VALID = "valid", _("valid")
    NOT_YET = "not-yet", _("not yet valid")
    EXPIRED = "expired", _("expired")


def validity(tag: Tag, at: datetime.datetime) -> Validity:
    """As `decide` sees it: from the start on, and up to but not at the end."""
    if tag.starts_at is not None and at < tag.starts_at:
        return Validity.NOT_YET
    return Validity.EXPIRED if tag.expires_at is not None and at >= tag.expires_at else Validity.VALID


def with_validity(tags: Iterable[Tag]) -> list[tuple[Tag, Validity]]:
    """Each tag with what it is now, the valid ones first."""
    now = timezone.now()
    shown = [(tag, validity(tag, now)) for tag in tags]
    return sorted(shown, key=lambda pair: pair[1] != Validity.VALID)


def drivers_at(scope: Scope, charger: Charger) -> Any:
    """The visible drivers whose rights reach the charger, by name. Tags do not matter here."""
    return Driver.objects.visible_to(scope).filter(drivers_reaching(charger)).order_by("name_key", "pk")


def with_rights(scope: Scope, charger: Charger, drivers: Collection[Driver]) -> list[tuple[Driver, list[ShownRight]]]:
    """Some of `drivers_at`, each with the rights that reach the charger, nearest first. Five statements."""
    steps = rights_reaching(charger, [driver.pk for driver in drivers])
    places = Places(scope, [charger.site_id])
    return [(driver, places.rights(steps[driver.pk], charger)) for driver in drivers]


@dataclass(frozen=True, slots=True)
class ChargerWithinReach:
    """A charger at which a driver may charge, where it is, and the nearest right that says so."""

    charger: Charger
    path: tuple[str, ...]
    right: ShownRight


class WithinReach:
    """The visible chargers that a driver's rights reach. Two statements, and what is asked of it."""

    def __init__(self, scope: Scope, driver: Driver) -> None:
        self._scope = scope
        self._reach = Reach(driver)
        self.chargers = Charger.objects.visible_to(scope).filter(self._reach.chargers()).order_by("charger_id_key")

    def numbers(self) -> tuple[int, int]:
        """How many chargers, and at how many sites. One statement."""
        counted = self.chargers.aggregate(chargers=Count("pk"), sites=Count("site_id", distinct=True))
        return counted["chargers"], counted["sites"]

    def explained(self, chargers: Iterable[Charger]) -> list[ChargerWithinReach]:
        """Some of the `chargers`, each with its place and its right. Two statements."""
        rows = list(chargers)
        places = Places(self._scope, {charger.site_id for charger in rows})
        found = []
        for charger in rows:
            step = self._reach.nearest(charger.pk, places.above[charger.site_id])
            right = places.right(step, charger.charger_id, charger.site_id)
            found.append(ChargerWithinReach(charger, places.path(charger.site_id), right))
        return found
