"""Reads of the tree that more than one page needs, in a constant number of statements."""

from collections.abc import Collection

from django.db.models import Exists, OuterRef

from hierarchy.models import Site
from hierarchy.scoping import Scope


def site_paths(site_ids: Collection[int], scope: Scope) -> dict[int, tuple[str, ...]]:
    """The names from the topmost site that `scope` sees down to each site itself; sites it does not see are left out.

    One statement, whatever the number of sites.
    """
    if not site_ids:
        return {}
    at_or_below = Site.objects.order_by().filter(
        pk__in=site_ids,
        customer_id=OuterRef("customer_id"),
        tree_id=OuterRef("tree_id"),
        lft__gte=OuterRef("lft"),
        rght__lte=OuterRef("rght"),
    )
    ancestors = Site.objects.visible_to(scope).filter(Exists(at_or_below)).order_by()
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
