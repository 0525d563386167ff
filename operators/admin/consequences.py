"""The effects of edits on site access."""

from typing import Any

from backoffice import consequences
from bulk.edits import Edit
from hierarchy.effects import Effect
from hierarchy.models import Site
from hierarchy.scoping import Scope
from operators import what_if
from operators.models import SiteGrant


class SiteAccess:
    def of_move(self, scope: Scope, model: Any, edit: Edit) -> Effect | None:
        if model is not Site or len(edit.ids) != 1:
            return None
        sites = Site.objects.visible_to(scope)
        site, above = sites.get(pk=edit.ids[0]), edit.values["parent"]
        return what_if.site_move(scope, site, None if above is None else sites.get(pk=above))

    def of_grant(self, scope: Scope, model: Any, edit: Edit) -> Effect | None:
        if model is not SiteGrant:
            return None
        return what_if.grant(scope, *consequences.people_and_targets(edit, "operator"))

    def of_revocation(self, scope: Scope, model: Any, ids: tuple[int, ...]) -> Effect | None:
        return what_if.withdrawal(scope, ids) if model is SiteGrant else None


consequences.register(consequences.SITE_ACCESS, SiteAccess())
