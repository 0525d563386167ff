"""The effects of edits on charging access."""

from typing import Any

from backoffice import consequences
from bulk.edits import Edit
from chargers.models import Charger
from drivers import what_if
from drivers.models import ChargerRight, SiteRight
from hierarchy.effects import Effect
from hierarchy.models import Site
from hierarchy.scoping import Scope


class ChargingAccess:
    def of_move(self, scope: Scope, model: Any, edit: Edit) -> Effect | None:
        sites = Site.objects.visible_to(scope)
        if model is Charger:
            chargers = list(Charger.objects.visible_to(scope).filter(pk__in=edit.ids))
            return what_if.charger_move(scope, chargers, sites.get(pk=edit.values["site"]))
        if model is Site and len(edit.ids) == 1:
            site, above = sites.get(pk=edit.ids[0]), edit.values["parent"]
            return what_if.site_move(scope, site, None if above is None else sites.get(pk=above))
        return None

    def of_grant(self, scope: Scope, model: Any, edit: Edit) -> Effect | None:
        if model not in (SiteRight, ChargerRight):
            return None
        return what_if.grant(scope, model, *consequences.people_and_targets(edit, "driver"))

    def of_revocation(self, scope: Scope, model: Any, ids: tuple[int, ...]) -> Effect | None:
        return what_if.revocation(scope, model, ids) if model in (SiteRight, ChargerRight) else None


consequences.register(consequences.ACCESS, ChargingAccess())
