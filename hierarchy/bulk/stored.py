"""What the database has of one table, and what becomes of it by the rows of a file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from hierarchy.bulk.source import Draft
from hierarchy.bulk.tables import Table
from hierarchy.scoping import Scope

IndexKey = tuple[Any, ...]


@dataclass(slots=True, eq=False)
class Row:
    """One row of a file, on its way into the database.

    `id` is the stored row's, negative for one that is to be created, 0 while that is not known. `values` are by
    field; after comparing, only those that differ. References hold ids of the same kind. `entries` are single entries
    of fields that hold an object.
    """

    draft: Draft
    values: dict[str, Any]
    entries: dict[str, dict[str, Any]] = field(default_factory=dict)
    id: int = 0

    @property
    def fields(self) -> Iterator[str]:
        """The fields that it gives, those that are references aside."""
        yield from self.values
        yield from self.entries

    @property
    def is_new(self) -> bool:
        return self.id < 0


@dataclass(slots=True)
class State:
    """One table of one customer: the stored rows, those of the file, and the natural keys of both.

    `visible` are the ids that the caller may see, None for all. `rows` are the file's by id.
    """

    table: Table
    fields: tuple[str, ...]
    stored: dict[int, tuple[Any, ...]] = field(default_factory=dict)
    visible: frozenset[int] | None = None
    index: dict[IndexKey, int] = field(default_factory=dict)
    rows: dict[int, Row] = field(default_factory=dict)

    @classmethod
    def load(cls, table: Table, customer_id: int | None, scope: Scope, extra: Iterable[str]) -> State:
        """The customer's rows with the fields that the file can change: one statement, two for a restricted caller.

        All of them, so that what must be unique is; only visible ones are found by their keys.
        """
        wanted = {*table.always_loaded, *extra}
        state = cls(table, tuple(name for name in table.fields if name in wanted))
        if customer_id is None:
            return state
        whole = table.model.objects.visible_to(Scope.whole_customer(customer_id)).order_by("pk")
        rows = whole.values_list("pk", *state.fields)
        state.stored = {pk: tuple(values) for pk, *values in rows.iterator(chunk_size=5_000)}
        if scope.is_restricted:
            visible = table.model.objects.visible_to(scope).order_by()
            state.visible = frozenset(visible.values_list("pk", flat=True))
        for id_ in state.stored:
            if state.sees(id_):
                for key in state.keys_of(state.before(id_)):
                    state.index.setdefault(key, id_)
        return state

    def sees(self, id_: int | None) -> bool:
        return id_ is None or id_ < 0 or self.visible is None or id_ in self.visible

    def before(self, id_: int) -> dict[str, Any]:
        return dict(zip(self.fields, self.stored[id_], strict=True))

    def after(self, id_: int) -> Mapping[str, Any]:
        """A row by field as it will be; of a new one, the fields that are always loaded and those it gives."""
        row = self.rows.get(id_)
        before = self.table.defaults if id_ < 0 else self.before(id_)
        return {**before, **row.values} if row else before

    def keys_of(self, values: Mapping[str, Any]) -> Iterator[IndexKey]:
        """The natural keys that a row has, strongest first. In a tree, what the caller cannot see above is the top."""
        tree_field = self.table.parent.field if self.table.parent else ""
        for number, names in enumerate(self.table.natural_keys):
            key = tuple(values.get(name) for name in names)
            is_path = names[0] == tree_field
            if key[-1] == "" or None in (key[1:] if is_path else key):
                continue
            yield (number, None, *key[1:]) if is_path and not self.sees(key[0]) else (number, *key)

    def enter(self, row: Row) -> list[IndexKey]:
        """Make `row`, whose id is known, findable; the keys under which it can be found from now on."""
        self.rows[row.id] = row
        keys = list(self.keys_of(self.after(row.id)))
        if not row.is_new:
            for key in self.keys_of(self.before(row.id)):
                if self.index.get(key) == row.id and key not in keys:
                    del self.index[key]
        return [key for key in keys if self.index.setdefault(key, row.id) == row.id]
