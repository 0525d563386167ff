"""Reads of the tree that more than one page needs, in a constant number of statements."""

from collections.abc import Collection
from typing import Any

from django.db.models import F, Q

from hierarchy.models import Site
from hierarchy.scoping import Scope


def site_paths(site_ids: Collection[int], scope: Scope) -> dict[int, tuple[str, ...]]:
    """The names from the topmost site that `scope` sees down to each site itself; sites it does not see are left out.

    One statement, whatever the number of sites.
    """
    if not site_ids:
        return {}
    ancestors = lines_above(site_ids).visible_to(scope)
    seen = {pk: (parent_id, name) for pk, parent_id, name in ancestors.values_list("pk", "parent_id", "name")}
    return {site_id: _names_down_to(site_id, seen) for site_id in site_ids if site_id in seen}


def _names_down_to(site_id: int, seen: dict[int, tuple[int | None, str]]) -> tuple[str, ...]:
    names: list[str] = []
    step: int | None = site_id
    # A tree damaged into a circle must not hang the page that shows it.
    while step is not None and step in seen and len(names) < len(seen):
        step, name = seen[step]
        names.append(name)
    return tuple(reversed(names))


def lines_above(site_ids: Collection[int]) -> Any:
    """Sites among which are these and all above them.

    They are whole trees without the leaves: quicker than to ask of each site whether it lies above one of many.
    """
    trees = Site.objects.order_by().filter(pk__in=site_ids).values("tree_id")
    return Site.objects.order_by().filter(Q(pk__in=site_ids) | Q(rght__gt=F("lft") + 1), tree_id__in=trees)


def sites_above(site_ids: Collection[int]) -> dict[int, tuple[int, ...]]:
    """The ids of each site and of all sites above it, nearest first. One statement, whatever the number of sites."""
    parents = dict(lines_above(site_ids).values_list("pk", "parent_id"))
    return {site_id: _upwards(site_id, parents) for site_id in site_ids}


def _upwards(site_id: int | None, parents: dict[int, int | None]) -> tuple[int, ...]:
    steps: list[int] = []
    # A tree damaged into a circle must not hang the page that shows it.
    while site_id is not None and site_id in parents and len(steps) < len(parents):
        steps.append(site_id)
        site_id = parents[site_id]
    return tuple(steps)
