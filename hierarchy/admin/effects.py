"""Who would gain or lose access and sight by an edit, told with its plan."""

from __future__ import annotations

from dataclasses import dataclass

from chargers.models import Charger
from drivers import what_if as access
from drivers.what_if import Effect
from hierarchy.admin.callers import REFUSALS
from hierarchy.bulk.edits import SET, Edit
from hierarchy.bulk.tables import tables
from hierarchy.models import Site
from hierarchy.scoping import Scope
from operators import what_if as sight

# To weigh more chargers takes longer than somebody waits for a page.
_MOST_CHARGERS = 5_000
_NONE = Effect()


@dataclass(frozen=True, slots=True)
class Effects:
    """What a move changes; `sight` only of a site."""

    access: Effect
    sight: Effect = _NONE

    @property
    def is_nobody(self) -> bool:
        sides = (self.access.gains, self.access.losses, self.sight.gains, self.sight.losses)
        return not any(side.people for side in sides)


def effects_of(scope: Scope, edit: Edit) -> Effects | None:
    """Of moving chargers to a site, or one site: a constant number of statements. None for every other edit."""
    model = tables()[edit.table].model
    if edit.kind != SET or edit.values.keys().isdisjoint(model.place_fields):
        return None
    sites = Site.objects.visible_to(scope)
    try:
        if model is Charger and len(edit.ids) <= _MOST_CHARGERS:
            target = sites.get(pk=edit.values["site"])
            chargers = list(Charger.objects.visible_to(scope).filter(pk__in=edit.ids))
            return Effects(access.charger_move(scope, chargers, target))
        if model is Site and len(edit.ids) == 1:
            site, above = sites.get(pk=edit.ids[0]), edit.values["parent"]
            parent = None if above is None else sites.get(pk=above)
            return Effects(access.site_move(scope, site, parent), sight.site_move(scope, site, parent))
    except (Site.DoesNotExist, *REFUSALS):
        # The network is another one by now, which applying the plan will say.
        return None
    return None
