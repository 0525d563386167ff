"""A plan step by step, as people read it and as it can be kept: what happens to which row, field by field."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from django.utils.translation import gettext as _

from bulk.plan import Plan
from bulk.row_names import Naming
from bulk.table_state import ImportRow, TableState
from bulk.tables import tables
from hierarchy import journal
from hierarchy.entity import Entity

_BATCH = 500


@dataclass(frozen=True, slots=True)
class Step:
    """What happens to one row. `action` is one of the journal's; `fields` are `[old, new]` by column, as cells have it.

    `row` is that of the file, 0 for what the file does not name.
    """

    table: str
    action: str
    object: str
    fields: dict[str, list[Any]]
    row: int = 0

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def steps(plan: Plan) -> Iterator[Step]:
    """Everything that a plan does, in the order of its tables; what is deleted comes last."""
    names = Naming(plan.states)
    for state in plan.states.values():
        for row in state.rows.values():
            if row.is_new or row.values:
                yield _step(names, state, row)
    by_model = {table.model: name for name, table in tables().items()}
    for model, ids in plan.deletions.items():
        table = by_model.get(model, str(model._meta.verbose_name_plural))
        loaded = plan.states.get(table)
        hidden = plan.hidden.get(model, frozenset())
        named: Iterator[tuple[int, str]] = (
            ((row.pk, row.natural_key_text) for row in _instances(model, ids))
            if loaded is None
            else ((id_, names.of(loaded, id_, is_before=True)) for id_ in ids)
        )
        for id_, name in named:
            yield Step(table, journal.DELETED, _("one that you do not see") if id_ in hidden else name, {})


def _step(names: Naming, state: TableState, row: ImportRow) -> Step:
    table = state.table
    if row.is_new:
        action = journal.CREATED
    else:
        action = journal.CHANGED if table.model.rules.place_fields.isdisjoint(row.values) else journal.MOVED
    before = {} if row.is_new else state.before(row.id)
    fields = {}
    for column in table.columns:
        if column.field in row.values:
            pair = [
                None if row.is_new else names.cell(state, column, before[column.field], is_before=True),
                names.cell(state, column, row.values[column.field]),
            ]
            if pair != [None, None]:
                fields[column.name] = pair
    return Step(table.name, action, names.of(state, row.id), fields, row.draft.row)


def _instances(model: type[Entity], ids: list[int]) -> Iterator[Entity]:
    remaining = iter(ids)
    while batch := list(itertools.islice(remaining, _BATCH)):
        yield from model.with_references().filter(pk__in=batch).order_by("pk")
