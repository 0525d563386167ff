"""Who would gain or lose by an edit, shown with its preview.

What it means for people the packages above say: each registers an assessor.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from backoffice.callers import REFUSALS
from bulk.edits import ADD, DELETE, SET, Edit
from bulk.tables import tables
from hierarchy.effects import Effect
from hierarchy.entity import Entity
from hierarchy.models import Site
from hierarchy.scoping import Scope

# To weigh more takes longer than somebody waits for a page.
_MOST = 5_000
_NONE = Effect()


class Assessor(Protocol):
    """Says what edits change of one kind; None where an edit changes nothing of it. Constant numbers of statements."""

    def of_move(self, scope: Scope, model: Any, edit: Edit) -> Effect | None:
        """Of moving rows of `model` to another place."""

    def of_grant(self, scope: Scope, model: Any, edit: Edit) -> Effect | None:
        """Of adding rows of `model`."""

    def of_revocation(self, scope: Scope, model: Any, ids: tuple[int, ...]) -> Effect | None:
        """Of deleting rows of `model`."""


# By what they assess: who may charge where, and who sees what.
ACCESS, SIGHT = "access", "sight"
_assessors: dict[str, Assessor] = {}


def register(kind: str, assessor: Assessor) -> None:
    """Have `assessor` asked about edits, as ACCESS or SIGHT."""
    _assessors[kind] = assessor


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
    """Of moving chargers to a site, or one site, and of granting and revoking rights and sight.

    None for every other edit, and for one of very many rows.
    """
    model = tables()[edit.table].model
    if len(edit.ids) > _MOST:
        return None
    try:
        if edit.kind == SET and not edit.values.keys().isdisjoint(model.rules.place_fields):
            return _effects({kind: one.of_move(scope, model, edit) for kind, one in _assessors.items()})
        if edit.kind == DELETE:
            return _effects({kind: one.of_revocation(scope, model, edit.ids) for kind, one in _assessors.items()})
        if edit.kind == ADD:
            return _effects({kind: one.of_grant(scope, model, edit) for kind, one in _assessors.items()})
    except (Site.DoesNotExist, *REFUSALS):
        # The network is another one by now, which applying the plan will say.
        return None
    return None


def effects_of_deletion(scope: Scope, row: Entity) -> Effects | None:
    """Of deleting a right or a grant of sight; None for every other row."""
    return _effects({kind: one.of_revocation(scope, type(row), (row.pk,)) for kind, one in _assessors.items()})


def people_and_places(edit: Edit, person: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The ids of the people whom an edit gives something and of the places; `person` is the column of the former."""
    (asked,) = edit.values.values()
    return (edit.ids, (asked,)) if edit.of == person else ((asked,), edit.ids)


def _effects(found: dict[str, Effect | None]) -> Effects | None:
    effects = {kind: effect for kind, effect in found.items() if effect is not None}
    return Effects(**effects) if effects else None
