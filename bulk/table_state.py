"""What the database has of one table, and what becomes of it by the rows of a file."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from bulk import cells
from bulk.drafts import Draft, ExistingId
from bulk.tables import Table
from hierarchy.column_types import cell_text
from hierarchy.scoping import Scope
from hierarchy.text import comparison_key

IndexKey = tuple[Any, ...]

# Stands for the id of a row where a key is that of several.
SEVERAL = 0
# Longer texts take too long to compare.
_LONG = 255
# Among more, looking for one that is nearly the same takes too long.
_MANY = 20_000
# A name with the id that tells it from others of that name.
NAME_WITH_ID = re.compile(r"(.*) \(id (\d{1,18})\)", re.DOTALL)


@dataclass(slots=True, eq=False)
class ImportRow:
    """One row of a file, on its way into the database.

    `id` is the stored row's, negative for one that is to be created, 0 while that is not known. `values` are by
    field; after comparing, only those that differ. References hold ids of the same kind. `entries` are single entries
    of fields that hold an object, None to remove one. `mark` is the id by which the file tells rows apart that no key
    does. `wrong` are the fields whose values are none.
    """

    draft: Draft
    values: dict[str, Any]
    entries: dict[str, dict[str, Any]] = field(default_factory=dict)
    id: int = 0
    mark: int = 0
    wrong: frozenset[str] = frozenset()

    @property
    def fields(self) -> Iterator[str]:
        """The fields that it gives, those that are references aside."""
        yield from self.values
        yield from self.entries

    @property
    def is_new(self) -> bool:
        return self.id < 0


@dataclass(slots=True)
class TableState:
    """One table of one customer: the stored rows, those of the file, and the natural keys of both.

    `visible` are the ids that the caller may see, None for all. `rows` are the file's by id. `expected` are the single
    keys that rows of the file give, found yet or not. `to_delete` are the ids of stored rows that are to be deleted.
    """

    table: Table
    fields: tuple[str, ...]
    existing: dict[int, tuple[Any, ...]] = field(default_factory=dict)
    visible: frozenset[int] | None = None
    index: dict[IndexKey, int | set[int]] = field(default_factory=dict)
    rows: dict[int, ImportRow] = field(default_factory=dict)
    expected: set[IndexKey] = field(default_factory=set)
    to_delete: dict[int, None] = field(default_factory=dict)

    @classmethod
    def load(cls, table: Table, customer_id: int | None, scope: Scope, extra: Iterable[str]) -> TableState:
        """The customer's rows with the fields that the file can change: one statement, two for a restricted caller.

        All of them, so that what must be unique is; only visible ones are found by their keys.
        """
        wanted = {*table.always_loaded, *extra}
        state = cls(table, tuple(name for name in table.fields if name in wanted))
        if customer_id is None:
            return state
        whole = table.model.objects.visible_to(Scope.whole_customer(customer_id)).order_by("pk")
        rows = whole.values_list("pk", *state.fields)
        state.existing = {pk: tuple(values) for pk, *values in rows.iterator(chunk_size=5_000)}
        if scope.is_restricted:
            visible = table.model.objects.visible_to(scope).order_by()
            state.visible = frozenset(visible.values_list("pk", flat=True))
        for id_ in state.existing:
            if state.sees(id_):
                for key in state.keys_of(state.before(id_)):
                    state._note(key, id_)
        return state

    def _note(self, key: IndexKey, id_: int) -> bool:
        """Make a row findable by a key; False when another one has it, too."""
        holder = self.index.setdefault(key, id_)
        if isinstance(holder, set):
            holder.add(id_)
        elif holder != id_:
            self.index[key] = {holder, id_}
        return self.index[key] == id_

    def _forget(self, key: IndexKey, id_: int) -> bool:
        """The opposite; True when one row alone has the key from now on."""
        holder = self.index.get(key)
        if isinstance(holder, set):
            holder.discard(id_)
            if len(holder) == 1:
                self.index[key] = holder.pop()
                return True
        elif holder == id_:
            del self.index[key]
        return False

    def find(self, key: IndexKey) -> int | None:
        """The id of the row that has a key, None for none yet, SEVERAL for more than one."""
        holder = self.index.get(key)
        return SEVERAL if isinstance(holder, set) else holder

    @property
    def _last(self) -> int:
        """The number of the weakest key."""
        return len(self.table.keys) - 1

    def look_up(self, value: Any) -> tuple[int | None, IndexKey]:
        """The id that a reference means, None for none yet, SEVERAL for more than one; and the key that decided it."""
        if isinstance(value, tuple):
            return self._along(value)
        if isinstance(value, ExistingId):
            return (value.id if value.id in self.existing and self.sees(value.id) else None), ()
        text = cell_text(value)
        marked = self.table.has_namesakes and NAME_WITH_ID.fullmatch(text)
        if marked:
            names = cells.path_names(marked[1]) if self.table.parent else [marked[1]]
            found = self.marked(int(marked[2]), comparison_key(names[-1] if names else ""))
            if found:
                return found, ()
        is_path = self.table.parent is not None
        key: IndexKey = (0, comparison_key(text))
        if not (is_path and text.startswith("/")):
            for number in self.table.single_keys:
                key = (number, comparison_key(text))
                if key in self.index or key in self.expected:
                    return self.find(key), key
        return self._along(cells.path_names(text)) if is_path else (None, key)

    def near(self, key: IndexKey) -> str:
        """What is called nearly as a key that nothing has, among those in the same place; empty where nothing is."""
        *place, text = key
        if len(text) > _LONG:
            return ""
        alike = {held[-1]: held for held in self.index if list(held[:-1]) == place}
        if len(alike) > _MANY:
            return ""
        found = difflib.get_close_matches(text, alike, n=1, cutoff=0.7)
        id_ = self.find(alike[found[0]]) if found else None
        return str(self.after(id_)[self.table.said(self.table.natural_keys[key[0]][-1])]) if id_ else ""

    def _along(self, names: Iterable[str]) -> tuple[int | None, IndexKey]:
        found = None
        key: IndexKey = (self._last, None, "")
        for name in names:
            key = (self._last, found, comparison_key(name))
            found = self.find(key)
            if not found:
                break
        return found, key

    def marked(self, mark: int, name_key: str) -> int | None:
        """The row that a file means by an id and the name beside it, as long as it is called so."""
        found = self.find(("mark", mark, name_key))
        if found:
            return found
        is_there = mark in self.existing and self.sees(mark)
        return mark if is_there and self.name_key(self.before(mark)) == name_key else None

    def name_key(self, values: Mapping[str, Any]) -> str:
        """The comparison key of what a row is called."""
        return str(values.get(self.table.natural_keys[-1][-1], ""))

    def sees(self, id_: int | None) -> bool:
        return id_ is None or id_ < 0 or self.visible is None or id_ in self.visible

    def before(self, id_: int) -> dict[str, Any]:
        return dict(zip(self.fields, self.existing[id_], strict=True))

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

    def enter(self, row: ImportRow) -> list[IndexKey]:
        """Make `row`, whose id is known, findable; the keys by which one row alone can be found from now on."""
        self.rows[row.id] = row
        keys = list(self.keys_of(self.after(row.id)))
        before = [] if row.is_new else list(self.keys_of(self.before(row.id)))
        freed = [key for key in before if key not in keys and self._forget(key, row.id)]
        if row.mark:
            keys.append(("mark", row.mark, self.name_key(row.values)))
        return [key for key in keys if self._note(key, row.id)] + freed
