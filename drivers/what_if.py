"""What a move, a grant or a revocation would change in who may charge where: asked before it is made, nothing is
written. Only drivers and chargers that the caller sees are counted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Set
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q

from chargers.models import Charger
from drivers.access import drivers_reaching_site
from drivers.models import ChargerRight, Driver, SiteRight
from hierarchy.db import snapshot
from hierarchy.effects import Affected, Effect, Side
from hierarchy.models import Site
from hierarchy.scoping import NOTHING, Scope, below
from hierarchy.selectors import sites_above
from hierarchy.subtree_counts import Placed, Spread, rows_below

Right = SiteRight | ChargerRight
# What each is a right on.
_PLACES: dict[type[Right], str] = {SiteRight: "site_id", ChargerRight: "charger_id"}


def site_move(scope: Scope, site: Site, parent: Site | None) -> Effect:
    """What changes when `site`, with everything below it, is put under `parent`, None for the top. Ten statements.

    Raises ValidationError where the move itself would: below itself it cannot go.
    """
    Site(pk=site.pk, parent=parent).clean()
    with snapshot():
        # The caller may have written the new site above into `site` already.
        above = Site.objects.values_list("parent_id", flat=True).get(pk=site.pk)
        before, after = _reaching(above), _reaching(parent.pk if parent else None)
        drivers, below = Driver.objects.visible_to(scope), _Subtree(scope, site)
        return Effect(
            gains=below.side(drivers.filter(after).exclude(before)),
            losses=below.side(drivers.filter(before).exclude(after)),
        )


def charger_move(scope: Scope, chargers: Collection[Charger], site: Site) -> Effect:
    """What changes when `chargers`, wherever they are, are put at `site`. Four statements."""
    with snapshot():
        moved = Charger.objects.visible_to(scope).filter(pk__in=[charger.pk for charger in chargers]).order_by()
        at_site = dict(moved.values_list("pk", "site_id"))
        above = sites_above({site.pk, *at_site.values()})
        below = rows_below(at_site, above)
        # Not `driver__in`: SQLite would go through all drivers for it.
        whose = Driver.objects.visible_to(scope).filter(pk=OuterRef("driver_id")).order_by()
        rights = SiteRight.objects.filter(Exists(whose), site__in={*below, *above[site.pk]})
        granted: dict[tuple[str, int, str], list[int]] = defaultdict(list)
        for site_id, *driver in rights.values_list("site_id", "driver__name_key", "driver_id", "driver__name"):
            granted[tuple(driver)].append(site_id)
        single: dict[int, set[int]] = defaultdict(set)
        for driver_id, pk in ChargerRight.objects.filter(charger__in=at_site).values_list("driver_id", "charger_id"):
            single[driver_id].add(pk)
        gains, losses = [], []
        for (_key, driver_id, name), site_ids in sorted(granted.items()):
            reached = set().union(*(below[one] for one in site_ids))
            if any(one in above[site.pk] for one in site_ids):
                gains.append(Affected(driver_id, name, len(at_site) - len(reached | single[driver_id])))
            else:
                losses.append(Affected(driver_id, name, len(reached - single[driver_id])))
        return Effect(Side.of(gains), Side.of(losses))


def grant(scope: Scope, model: type[Right], driver_ids: Collection[int], target_ids: Collection[int]) -> Effect:
    """What rights of each driver on each target add: on sites by `SiteRight`, on chargers by `ChargerRight`.

    Five statements, whatever the numbers.
    """
    with snapshot():
        targets = dict.fromkeys(driver_ids, frozenset(target_ids))
        return Effect(gains=_of_rights(scope, model, targets))


def revocation(scope: Scope, model: type[Right], right_ids: Collection[int]) -> Effect:
    """What drivers lose with these rights, of one kind. Six statements, whatever the number."""
    with snapshot():
        targets: dict[int, set[int]] = defaultdict(set)
        rights = model.objects.visible_to(scope).filter(pk__in=right_ids).order_by()
        for driver_id, target_id in rights.values_list("driver_id", _PLACES[model]):
            targets[driver_id].add(target_id)
        return Effect(losses=_of_rights(scope, model, targets, frozenset(right_ids)))


def _of_rights(
    scope: Scope, model: type[Right], targets: Mapping[int, Set[int]], without: Collection[int] = ()
) -> Side:
    """The side of drivers by what is granted to each: the chargers there that none of their rights reaches, but for
    those `without`."""
    granted = frozenset[int]().union(*targets.values())
    where: Any = Q(pk__in=granted)
    if model is SiteRight:
        where = Q(site__in=Site.objects.order_by().filter(below(Site, granted, OuterRef("customer_id"))).values("pk"))
    chargers = Placed(dict(Charger.objects.visible_to(scope).filter(where).order_by().values_list("pk", "site_id")))
    had: dict[type[Right], dict[int, set[int]]] = {}
    for kind, place in _PLACES.items():
        rights = kind.objects.filter(driver__in=list(targets)).order_by()
        had[kind] = defaultdict(set)
        for pk, driver_id, target_id in rights.values_list("pk", "driver_id", place):
            if not (kind is model and pk in without):
                had[kind][driver_id].add(target_id)
    names = Driver.objects.visible_to(scope).filter(pk__in=targets).order_by("name_key", "pk").values_list("pk", "name")
    everybody = []
    for pk, name in names:
        wanted = frozenset(targets[pk])
        wanted = chargers.within(wanted) if model is SiteRight else wanted & chargers.rows
        left = chargers.outside(wanted, frozenset(had[SiteRight][pk]))
        everybody.append(Affected(pk, name, len(left) - len(left & had[ChargerRight][pk])))
    return Side.of(everybody)


class _Subtree:
    """The visible chargers at a site and below it, and the rights by which drivers reach them from there.

    One statement, and three more for each side.
    """

    def __init__(self, scope: Scope, site: Site) -> None:
        sites = Site.objects.order_by().at_or_below(site).values("pk")
        self._chargers = Charger.objects.visible_to(scope).filter(site__in=sites).order_by()
        self._site_rights = SiteRight.objects.filter(site__in=sites)
        self._charger_rights = ChargerRight.objects.filter(charger__in=self._chargers.values("pk"))
        self._spread = Spread(self._chargers.values_list("site__lft").annotate(Count("pk")))

    def side(self, drivers: Any) -> Side:
        """The side of `drivers`, let in or kept out above: each with the chargers not reached from below."""
        ids = drivers.order_by().values("pk")
        subtrees: dict[int, list[tuple[int, int]]] = defaultdict(list)
        rights = self._site_rights.filter(driver__in=ids)
        for driver_id, left, right in rights.values_list("driver_id", "site__lft", "site__rght"):
            subtrees[driver_id].append((left, right))
        single: dict[int, list[int]] = defaultdict(list)
        rights = self._charger_rights.filter(driver__in=ids)
        for driver_id, place in rights.values_list("driver_id", "charger__site__lft"):
            single[driver_id].append(place)
        return Side.of(
            Affected(pk, name, self._spread.total - self._spread.within(subtrees[pk], single[pk]))
            for pk, name in drivers.order_by("name_key", "pk").values_list("pk", "name")
        )


def _reaching(site_id: int | None) -> Q:
    return NOTHING if site_id is None else drivers_reaching_site(site_id)
