"""Who gains or loses charging access or site access through an edit, for its preview.

The packages that define the access register an assessor each.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from backoffice.callers import WRITE_ERRORS
from bulk.edits import ADD, DELETE, SET, Edit
from bulk.tables import tables
from hierarchy.effects import Effect
from hierarchy.entity import Entity
from hierarchy.models import Site
from hierarchy.scoping import Scope

# More rows would take too long for a page to load.
_MAX_ROWS = 5_000
_NONE = Effect()


class Assessor(Protocol):
    """The effects of edits on one kind of access; None where there are none. Constant numbers of statements."""

    def of_move(self, scope: Scope, model: Any, edit: Edit) -> Effect | None:
        """Of moving rows of `model` to another site."""

    def of_grant(self, scope: Scope, model: Any, edit: Edit) -> Effect | None:
        """Of adding rows of `model`."""

    def of_revocation(self, scope: Scope, model: Any, ids: tuple[int, ...]) -> Effect | None:
        """Of deleting rows of `model`."""


# Charging access of drivers, and site access of operators.
ACCESS, SITE_ACCESS = "access", "site_access"
_assessors: dict[str, Assessor] = {}


def register(kind: str, assessor: Assessor) -> None:
    """Register the assessor of ACCESS or SITE_ACCESS."""
    _assessors[kind] = assessor


@dataclass(frozen=True, slots=True)
class Effects:
    """The effects of an edit on charging access (`access`) and on site access (`site_access`)."""

    access: Effect = _NONE
    site_access: Effect = _NONE

    @property
    def is_empty(self) -> bool:
        sides = (self.access.gains, self.access.losses, self.site_access.gains, self.site_access.losses)
        return not any(side.people for side in sides)


def effects_of(scope: Scope, edit: Edit) -> Effects | None:
    """Of moving chargers to a site, or one site, and of granting and revoking rights and site access.

    None for any other edit, and for more rows than are assessed.
    """
    model = tables()[edit.table].model
    if len(edit.ids) > _MAX_ROWS:
        return None
    try:
        if edit.kind == SET and not edit.values.keys().isdisjoint(model.rules.place_fields):
            return _effects({kind: one.of_move(scope, model, edit) for kind, one in _assessors.items()})
        if edit.kind == DELETE:
            return _effects({kind: one.of_revocation(scope, model, edit.ids) for kind, one in _assessors.items()})
        if edit.kind == ADD:
            return _effects({kind: one.of_grant(scope, model, edit) for kind, one in _assessors.items()})
    except (Site.DoesNotExist, *WRITE_ERRORS):
        # The network has changed since: applying the plan reports it.
        return None
    return None


def effects_of_deletion(scope: Scope, row: Entity) -> Effects | None:
    """Of deleting a right or site access; None for any other row."""
    return _effects({kind: one.of_revocation(scope, type(row), (row.pk,)) for kind, one in _assessors.items()})


def people_and_targets(edit: Edit, person: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The ids of the people and of the objects that an edit grants; `person` is the foreign key to the people."""
    (target,) = edit.values.values()
    return (edit.ids, (target,)) if edit.of == person else ((target,), edit.ids)


def _effects(found: dict[str, Effect | None]) -> Effects | None:
    effects = {kind: effect for kind, effect in found.items() if effect is not None}
    return Effects(**effects) if effects else None
