"""What a model declares of its rows, in one place: whose they are, where they lie, and what the journal records."""

from __future__ import annotations

from collections.abc import Iterator, Set
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import FieldDoesNotExist

# What every row that people edit keeps of itself.
_KEPT = frozenset({"id", "version", "created_at", "updated_at"})
_STAMPS = frozenset({"version", "updated_at"})
_NONE: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """All names are those of the model's fields; paths go on over foreign keys with `__`.

    `customer`: the path to the customer. `sites`: the paths to the sites at which a row lies; all of them must be
    visible for the row to be. `customer_from`: the references from which a row without a customer takes it.
    `place_fields`: say where a row lies, so that a change of one is a move. `reported_fields`: reported by chargers or
    noted by the product, no edits. `secret_fields`: their values are not shown in the journal. `kept_fields`: kept by
    the row itself, no edits, besides id, version and times. `stamps`: filled in whenever the row changes, besides
    version and time. `deletion_order`: in which order many rows are deleted, so that none goes before those that need
    it.
    """

    customer: str = "customer"
    sites: tuple[str, ...] = ()
    customer_from: tuple[str, ...] = ()
    place_fields: Set[str] = _NONE
    reported_fields: Set[str] = _NONE
    secret_fields: Set[str] = _NONE
    kept_fields: Set[str] = _NONE
    stamps: Set[str] = _NONE
    deletion_order: str = "-pk"

    @property
    def unrecorded_fields(self) -> Set[str]:
        """The columns whose changes are no edits."""
        return _KEPT | self.kept_fields | self.reported_fields

    @property
    def all_stamps(self) -> Set[str]:
        return _STAMPS | self.stamps

    def unknown_names(self, model: Any) -> Iterator[str]:
        """What is declared and does not exist."""
        names = {*self.customer_from, *self.place_fields, *self.reported_fields, *self.secret_fields}
        names |= {*self.kept_fields, *self.stamps, self.deletion_order.removeprefix("-")}
        for path in sorted({self.customer, *self.sites, *names}):
            at = model
            for step in path.split("__"):
                try:
                    field = at._meta.pk if step == "pk" else at._meta.get_field(step)
                except FieldDoesNotExist:
                    yield f"{path}: {at._meta.label} has no field {step}"
                    break
                at = field.related_model
