"""What a move, a grant or a revocation would change in who may charge where: asked before it is made, nothing is
written. Only drivers and chargers that the caller sees are counted."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q

from chargers.models import Charger
from drivers.access import drivers_reaching, drivers_reaching_site
from drivers.models import ChargerRight, Driver, SiteRight
from hierarchy.db import snapshot
from hierarchy.models import Site
from hierarchy.scoping import NOTHING, Scope
from hierarchy.selectors import sites_above

# How many of those whom a change concerns are named.
MOST_NAMED = 20


@dataclass(frozen=True, slots=True)
class Affected:
    """Somebody whom a change concerns, and in how many chargers, or sites."""

    row_id: int
    name: str
    count: int


@dataclass(frozen=True, slots=True)
class Side:
    """All who gain by a change, or all who lose.

    `named` has those with the most first, at most `MOST_NAMED`; `people` counts all of them, and `total` adds up what
    each gains or loses.
    """

    named: tuple[Affected, ...] = ()
    people: int = 0
    total: int = 0

    @classmethod
    def of(cls, everybody: Iterable[Affected]) -> Side:
        """The side of `everybody` who is concerned in anything; those with as much stay in the order given."""
        concerned = sorted((one for one in everybody if one.count), key=lambda one: -one.count)
        return cls(tuple(concerned[:MOST_NAMED]), len(concerned), sum(one.count for one in concerned))


NOBODY = Side()


@dataclass(frozen=True, slots=True)
class Effect:
    """Who gains by a change and who loses."""

    gains: Side = NOBODY
    losses: Side = NOBODY


class Spread:
    """What lies in a tree: how much of it at each site, by the sites' left numbers."""

    def __init__(self, amounts: Iterable[tuple[int, int]]) -> None:
        ordered = sorted(amounts)
        self._places = [place for place, _amount in ordered]
        self._sums = [0, *accumulate(amount for _place, amount in ordered)]
        self.total = self._sums[-1]

    def within(self, subtrees: Iterable[tuple[int, int]], single: Iterable[int] = ()) -> int:
        """How much of it lies in any of `subtrees`, given by left and right number, with one at each place `single`."""
        found, end = 0, 0
        topmost: list[tuple[int, int]] = []
        for left, right in sorted(subtrees):
            if left > end:
                topmost.append((left, right))
                end = right
                found += self._sums[bisect_left(self._places, right)] - self._sums[bisect_left(self._places, left)]
        return found + sum(not any(left <= place <= right for left, right in topmost) for place in single)


def site_move(scope: Scope, site: Site, parent: Site | None) -> Effect:
    """What changes when `site`, with everything below it, is put under `parent`, None for the top. Ten statements.

    Raises ValidationError where the move itself would: below itself it cannot go.
    """
    Site(pk=site.pk, parent=parent).clean()
    with snapshot():
        # The caller may have written the new site above into `site` already.
        above = Site.objects.values_list("parent_id", flat=True).get(pk=site.pk)
        before, after = _reaching(above), _reaching(parent.pk if parent else None)
        drivers, below = Driver.objects.visible_to(scope), _Below(scope, site)
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
        below: dict[int, set[int]] = defaultdict(set)
        for pk, site_id in at_site.items():
            for one in above[site_id]:
                below[one].add(pk)
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


def grant(scope: Scope, driver: Driver, target: Site | Charger) -> Effect:
    """What a right of `driver` on a site or charger adds. Four statements."""
    with snapshot():
        who = Driver.objects.visible_to(scope).filter(pk=driver.pk)
        if isinstance(target, Charger):
            return Effect(gains=_single(scope, who.exclude(drivers_reaching(target)), target))
        return Effect(gains=_Below(scope, target).side(who.exclude(_reaching(target.pk))))


def revocation(scope: Scope, right: SiteRight | ChargerRight) -> Effect:
    """What its driver loses with a right. At most five statements."""
    with snapshot():
        who = Driver.objects.visible_to(scope).filter(pk=right.driver_id)
        if isinstance(right, ChargerRight):
            return Effect(losses=_single(scope, who.exclude(_reaching(right.charger.site_id)), right.charger))
        return Effect(
            losses=_Below(scope, right.site, without=right).side(who.exclude(_reaching(right.site.parent_id)))
        )


class _Below:
    """The visible chargers at a site and below it, and the rights by which drivers reach them from there.

    One statement, and three more for each side.
    """

    def __init__(self, scope: Scope, site: Site, without: SiteRight | None = None) -> None:
        sites = Site.objects.order_by().at_or_below(site).values("pk")
        self._chargers = Charger.objects.visible_to(scope).filter(site__in=sites).order_by()
        self._site_rights = SiteRight.objects.filter(site__in=sites).exclude(pk=without.pk if without else None)
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


def _single(scope: Scope, drivers: Any, charger: Charger) -> Side:
    if not Charger.objects.visible_to(scope).filter(pk=charger.pk).exists():
        return NOBODY
    return Side.of(Affected(pk, name, 1) for pk, name in drivers.values_list("pk", "name"))


def _reaching(site_id: int | None) -> Q:
    return NOTHING if site_id is None else drivers_reaching_site(site_id)
