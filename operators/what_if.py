"""What a move, a grant or a withdrawal would change in who sees which sites: asked before it is made, nothing is
written. Only operators whom the caller sees are counted; admin operators see everything before and after."""

from collections import defaultdict
from typing import Any

from django.db.models import Q

from drivers.access import at_or_above
from drivers.what_if import Affected, Effect, Side, Spread
from hierarchy.db import snapshot
from hierarchy.models import Site
from hierarchy.scoping import NOTHING, Scope
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


def grant(scope: Scope, operator: Operator, site: Site) -> Effect:
    """What the grant of `site` lets `operator` see that was not seen before. Three statements."""
    with snapshot():
        return Effect(gains=_side(_restricted(scope).filter(pk=operator.pk).exclude(_seeing(site.pk)), site))


def withdrawal(scope: Scope, grant: SiteGrant) -> Effect:
    """What its operator sees no more without a grant. At most four statements."""
    with snapshot():
        site = grant.site
        operators = _restricted(scope).filter(pk=grant.operator_id).exclude(_seeing(site.parent_id))
        return Effect(losses=_side(operators, site, without=grant))


def _restricted(scope: Scope) -> Any:
    """The visible operators whom grants let see anything."""
    return Operator.objects.visible_to(scope).filter(is_admin_operator=False, is_active=True)


def _seeing(site_id: int | None) -> Q:
    """The condition on restricted operators that they see a site."""
    if site_id is None:
        return NOTHING
    return Q(pk__in=SiteGrant.objects.filter(at_or_above(site_id)).values("operator_id"))


def _side(operators: Any, site: Site, without: SiteGrant | None = None) -> Side:
    """The side of `operators`: each with the sites at and below `site` that no grant there shows."""
    sites = Site.objects.order_by().at_or_below(site)
    spread = Spread((left, 1) for left in sites.values_list("lft", flat=True))
    subtrees: dict[int, list[tuple[int, int]]] = defaultdict(list)
    grants = SiteGrant.objects.filter(site__in=sites.values("pk"), operator__in=operators.order_by().values("pk"))
    if without is not None:
        grants = grants.exclude(pk=without.pk)
    for operator_id, left, right in grants.values_list("operator_id", "site__lft", "site__rght"):
        subtrees[operator_id].append((left, right))
    return Side.of(
        Affected(pk, name, spread.total - spread.within(subtrees[pk]))
        for pk, name in operators.order_by("name_key", "pk").values_list("pk", "name")
    )
