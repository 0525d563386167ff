"""What the rows of a plan are called, before and after."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from bulk import cells
from bulk.table_state import TableState
from hierarchy.column_types import Column


class Naming:
    """Names in the words of cells, of the rows in `states`."""

    def __init__(self, states: Mapping[str, TableState]) -> None:
        self.states = states
        self._known: dict[tuple[str, int, bool], str] = {}

    def cell(self, state: TableState, column: Column, value: Any, is_before: bool = False) -> Any:
        if value is None:
            return None
        if column.refers_to:
            return self.of(self.states[column.refers_to], value, is_before)
        return state.table.types[column.name].to_cell(value)

    def of(self, state: TableState, id_: int, is_before: bool = False) -> str:
        """A row by its natural key: the path of a site, the id of a charger, `Anna · Garage` for a right."""
        key = (state.table.name, id_, is_before and id_ > 0)
        if key not in self._known:
            self._known[key] = self._name(state, id_, key[2])
        return self._known[key]

    def _name(self, state: TableState, id_: int, is_before: bool) -> str:
        if state.table.parent is not None:
            return cells.path_text(self._path(state, id_, is_before))
        values = state.before(id_) if is_before else state.after(id_)
        parts = []
        for name in state.table.keys[-1]:
            column = state.table.by_name[name]
            parts.append(str(self.cell(state, column, values[column.field], is_before)))
        return " · ".join(parts)

    def _path(self, state: TableState, id_: int, is_before: bool) -> Iterable[str]:
        assert state.table.parent is not None
        names: list[str] = []
        step: int | None = id_
        # A circle is an error of the plan, and must not hang who shows it.
        while step is not None and len(names) <= len(state.existing) + len(state.rows):
            values = state.before(step) if is_before and step > 0 else state.after(step)
            if not state.sees(step):
                break
            names.append(values[state.table.by_name[state.table.keys[-1][-1]].field])
            step = values[state.table.parent.field]
        return reversed(names)
