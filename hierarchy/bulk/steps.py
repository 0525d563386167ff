"""A plan step by step, as people read it and as it can be kept: what happens to which row, field by field."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from hierarchy import journal
from hierarchy.bulk import cells
from hierarchy.bulk.plan import Plan
from hierarchy.bulk.stored import Row, State
from hierarchy.bulk.tables import Column, tables
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
    names = _Names(plan)
    for state in plan.states.values():
        for row in state.rows.values():
            if row.is_new or row.values:
                yield _step(names, state, row)
    by_model = {table.model: name for name, table in tables().items()}
    for model, ids in plan.deletions.items():
        table = by_model.get(model, str(model._meta.verbose_name_plural))
        loaded = plan.states.get(table)
        named: Iterator[str] = (
            (row.natural_key_text for row in _instances(model, ids))
            if loaded is None
            else (names.of(loaded, id_, is_before=True) for id_ in ids)
        )
        yield from (Step(table, journal.DELETED, name, {}) for name in named)


def _step(names: _Names, state: State, row: Row) -> Step:
    table = state.table
    if row.is_new:
        action = journal.CREATED
    else:
        action = journal.CHANGED if table.model.place_fields.isdisjoint(row.values) else journal.MOVED
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


class _Names:
    """What rows are called, before and after."""

    def __init__(self, plan: Plan) -> None:
        self.states = plan.states
        self._known: dict[tuple[str, int, bool], str] = {}

    def cell(self, state: State, column: Column, value: Any, is_before: bool = False) -> Any:
        if value is None:
            return None
        if column.refers_to:
            return self.of(self.states[column.refers_to], value, is_before)
        return cells.shown(column, state.table.fields[column.field], value)

    def of(self, state: State, id_: int, is_before: bool = False) -> str:
        """A row by its natural key: the path of a site, the id of a charger, `Anna @ Garage` for a right."""
        key = (state.table.name, id_, is_before and id_ > 0)
        if key not in self._known:
            self._known[key] = self._name(state, id_, key[2])
        return self._known[key]

    def _name(self, state: State, id_: int, is_before: bool) -> str:
        if state.table.parent is not None:
            return cells.path_text(self._path(state, id_, is_before))
        values = state.before(id_) if is_before else state.after(id_)
        parts = []
        for name in state.table.keys[-1]:
            column = state.table.by_name[name]
            parts.append(str(self.cell(state, column, values[column.field], is_before)))
        return " · ".join(parts)

    def _path(self, state: State, id_: int, is_before: bool) -> Iterable[str]:
        assert state.table.parent is not None
        names: list[str] = []
        step: int | None = id_
        # A circle is an error of the plan, and must not hang who shows it.
        while step is not None and len(names) <= len(state.stored) + len(state.rows):
            values = state.before(step) if is_before and step > 0 else state.after(step)
            if not state.sees(step):
                break
            names.append(values[state.table.by_name[state.table.keys[-1][-1]].field])
            step = values[state.table.parent.field]
        return reversed(names)
