"""Who would gain or lose access and sight by an edit, told with its plan."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from chargers.models import Charger
from drivers import what_if as access
from drivers.models import ChargerRight, SiteRight
from drivers.what_if import Effect
from hierarchy.admin.callers import REFUSALS
from hierarchy.bulk.edits import ADD, DELETE, SET, Edit
from hierarchy.bulk.tables import tables
from hierarchy.entity import Entity
from hierarchy.models import Site
from hierarchy.scoping import Scope
from operators import what_if as sight
from operators.models import SiteGrant

# To weigh more takes longer than somebody waits for a page.
_MOST = 5_000
_NONE = Effect()
_GRANTED = (SiteRight, ChargerRight, SiteGrant)


@dataclass(frozen=True, slots=True)
class Effects:
    """What an edit changes in who may charge where and who sees what."""

    access: Effect = _NONE
    sight: Effect = _NONE

    @property
    def is_nobody(self) -> bool:
        sides = (self.access.gains, self.access.losses, self.sight.gains, self.sight.losses)
        return not any(side.people for side in sides)


def effects_of(scope: Scope, edit: Edit) -> Effects | None:
    """Of moving chargers to a site, or one site, and of granting and revoking rights and sight: a constant number of
    statements. None for every other edit, and for one of very many rows."""
    model = tables()[edit.table].model
    if len(edit.ids) > _MOST:
        return None
    try:
        if edit.kind == SET and not edit.values.keys().isdisjoint(model.place_fields):
            return _of_move(scope, model, edit)
        if model in _GRANTED and edit.kind == DELETE:
            return _of_revocation(scope, model, edit.ids)
        if model in _GRANTED and edit.kind == ADD:
            return _of_grant(scope, model, edit)
    except (Site.DoesNotExist, *REFUSALS):
        # The network is another one by now, which applying the plan will say.
        return None
    return None


def effects_of_deletion(scope: Scope, row: Entity) -> Effects | None:
    """Of deleting a right or a grant of sight; None for every other row."""
    if not isinstance(row, _GRANTED):
        return None
    return _of_revocation(scope, type(row), (row.pk,))


def _of_move(scope: Scope, model: Any, edit: Edit) -> Effects | None:
    sites = Site.objects.visible_to(scope)
    if model is Charger:
        target = sites.get(pk=edit.values["site"])
        chargers = list(Charger.objects.visible_to(scope).filter(pk__in=edit.ids))
        return Effects(access.charger_move(scope, chargers, target))
    if model is Site and len(edit.ids) == 1:
        site, above = sites.get(pk=edit.ids[0]), edit.values["parent"]
        parent = None if above is None else sites.get(pk=above)
        return Effects(access.site_move(scope, site, parent), sight.site_move(scope, site, parent))
    return None


def _of_grant(scope: Scope, model: Any, edit: Edit) -> Effects:
    (asked,) = edit.values.values()
    people, places = (edit.ids, (asked,)) if edit.of in ("driver", "operator") else ((asked,), edit.ids)
    if model is SiteGrant:
        return Effects(sight=sight.grant(scope, people, places))
    return Effects(access.grant(scope, model, people, places))


def _of_revocation(scope: Scope, model: Any, ids: tuple[int, ...]) -> Effects:
    if model is SiteGrant:
        return Effects(sight=sight.withdrawal(scope, ids))
    return Effects(access.revocation(scope, model, ids))
