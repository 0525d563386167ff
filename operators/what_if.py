"""What a move, a grant or a withdrawal would change in who sees which sites: asked before it is made, nothing is
written. Only operators whom the caller sees are counted; admin operators see everything before and after."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Set
from typing import Any

from django.db.models import OuterRef, Q

from drivers.access import at_or_above
from hierarchy.db import snapshot
from hierarchy.effects import Affected, Effect, Side
from hierarchy.models import Site
from hierarchy.scoping import NOTHING, Scope, below
from hierarchy.subtree_counts import Placed, Spread
from operators.models import Operator, SiteGrant


def site_move(scope: Scope, site: Site, parent: Site | None) -> Effect:
    """Who gains or loses sight of sites when `site` is put under `parent`, None for the top. Nine statements.

    Raises ValidationError where the move itself would: below itself it cannot go.
    """
    Site(pk=site.pk, parent=parent).clean()
    with snapshot():
        # The caller may have written the new site above into `site` already.
        above = Site.objects.values_list("parent_id", flat=True).get(pk=site.pk)
        before, after = _seeing(above), _seeing(parent.pk if parent else None)
        operators = _restricted(scope)
        return Effect(
            gains=_side(operators.filter(after).exclude(before), site),
            losses=_side(operators.filter(before).exclude(after), site),
        )


def grant(scope: Scope, operator_ids: Collection[int], site_ids: Collection[int]) -> Effect:
    """What grants of each site let each operator see that was not seen before. Four statements."""
    with snapshot():
        return Effect(gains=_of_grants(scope, dict.fromkeys(operator_ids, frozenset(site_ids))))


def withdrawal(scope: Scope, grant_ids: Collection[int]) -> Effect:
    """What operators see no more without these grants. Five statements."""
    with snapshot():
        sites: dict[int, set[int]] = defaultdict(set)
        grants = SiteGrant.objects.visible_to(scope).filter(pk__in=grant_ids).order_by()
        for operator_id, site_id in grants.values_list("operator_id", "site_id"):
            sites[operator_id].add(site_id)
        return Effect(losses=_of_grants(scope, sites, frozenset(grant_ids)))


def _of_grants(scope: Scope, sites: Mapping[int, Set[int]], without: Collection[int] = ()) -> Side:
    """The side of operators by the sites granted to each: what lies there and no grant shows, but for those
    `without`."""
    granted = frozenset[int]().union(*sites.values())
    found = Site.objects.visible_to(scope).filter(below(Site, granted, OuterRef("customer_id"))).order_by()
    placed = Placed({pk: pk for pk in found.values_list("pk", flat=True)})
    had: dict[int, set[int]] = defaultdict(set)
    grants = SiteGrant.objects.filter(operator__in=list(sites)).order_by()
    for pk, operator_id, site_id in grants.values_list("pk", "operator_id", "site_id"):
        if pk not in without:
            had[operator_id].add(site_id)
    names = _restricted(scope).filter(pk__in=sites).order_by("name_key", "pk").values_list("pk", "name")
    return Side.of(
        Affected(pk, name, len(placed.outside(placed.within(frozenset(sites[pk])), frozenset(had[pk]))))
        for pk, name in names
    )


def _restricted(scope: Scope) -> Any:
    """The visible operators whom grants let see anything."""
    return Operator.objects.visible_to(scope).filter(is_admin_operator=False, is_active=True)


def _seeing(site_id: int | None) -> Q:
    """The condition on restricted operators that they see a site."""
    if site_id is None:
        return NOTHING
    return Q(pk__in=SiteGrant.objects.filter(at_or_above(site_id)).values("operator_id"))


def _side(operators: Any, site: Site) -> Side:
    """The side of `operators`: each with the sites at and below `site` that no grant there shows."""
    sites = Site.objects.order_by().at_or_below(site)
    spread = Spread((left, 1) for left in sites.values_list("lft", flat=True))
    subtrees: dict[int, list[tuple[int, int]]] = defaultdict(list)
    grants = SiteGrant.objects.filter(site__in=sites.values("pk"), operator__in=operators.order_by().values("pk"))
    for operator_id, left, right in grants.values_list("operator_id", "site__lft", "site__rght"):
        subtrees[operator_id].append((left, right))
    return Side.of(
        Affected(pk, name, spread.total - spread.within(subtrees[pk]))
        for pk, name in operators.order_by("name_key", "pk").values_list("pk", "name")
    )
