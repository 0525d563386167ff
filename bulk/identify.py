"""Finding out which existing row each row of a file is: by its keys, from the strongest to the weakest."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

from bulk.drafts import ExistingId
from bulk.row_errors import RowErrors
from bulk.table_state import SEVERAL, ImportRow, IndexKey, TableState
from hierarchy.column_types import Column

# How many times to look for what is nearly the same, which takes its time.
_HINTS = 20


class Identifier:
    """Gives the rows of one table after the other their ids, new ones negative ones."""

    def __init__(self, states: Mapping[str, TableState], errors: RowErrors) -> None:
        self.states = states
        self.errors = errors
        self.new_ids = itertools.count(-1, -1)
        self.hints = _HINTS
        self.found: dict[str, dict[Any, tuple[int | None, IndexKey]]] = {}

    def identify(self, state: TableState, rows: Iterable[ImportRow]) -> None:
        """Find out which stored row each row is. One that refers to a later row of the same table waits for it."""
        rows = list(rows)
        for row in rows:
            given = list(state.keys_of(row.values))
            state.expected.update(key for key in given if key[0] in state.table.single_keys)
        # Rows found by their strongest key come first: they may leave a name that another row then takes.
        pending = deque(sorted(rows, key=lambda row: not _is_certain(state, row)))
        waiting: dict[IndexKey, list[ImportRow]] = {}
        while pending:
            row = pending.popleft()
            awaited = self._resolve(state, row)
            if awaited is not None:
                waiting.setdefault(awaited, []).append(row)
            elif self._find(state, row):
                for key in state.enter(row):
                    pending.extend(waiting.pop(key, ()))
        for row in itertools.chain.from_iterable(waiting.values()):
            assert state.table.parent is not None
            self._unknown(row, state.table.parent, *state.look_up(row.draft.values[state.table.parent.name]))
        state.rows = dict(sorted(state.rows.items(), key=lambda item: item[1].draft.row))

    def _resolve(self, state: TableState, row: ImportRow) -> IndexKey | None:
        """Turn the references of a row into ids; the key that is missing in the row's own table, if one is."""
        for column in state.table.references:
            value = row.draft.values.get(column.name)
            if value is None or column.field in row.values:
                continue
            if column.refers_to == state.table.name:
                found, key = state.look_up(value)
                if not found:
                    return key
            else:
                found, key = self._look_up(column.refers_to, value)
            if found:
                row.values[column.field] = found
            else:
                self._unknown(row, column, found, key)
        return None

    def _look_up(self, table: str, value: Any) -> tuple[int | None, IndexKey]:
        known = self.found.setdefault(table, {})
        # The rows of a file name the same few rows of another table again and again.
        if value not in known:
            known[value] = self.states[table].look_up(value)
        return known[value]

    def _unknown(self, row: ImportRow, column: Column, found: int | None, key: IndexKey) -> None:
        message = str(_("Not found in the file or the network."))
        if isinstance(row.draft.values[column.name], ExistingId):
            message = str(_("A selected object was deleted, or you no longer have access to it."))
        elif found == SEVERAL:
            message = str(_("Ambiguous name. Use the external ID, or the name as exports write it."))
        elif self.hints:
            self.hints -= 1
            near = self.states[column.refers_to].near(key)
            if near:
                message += _(" Did you mean %(near)s?") % {"near": near}
        self.errors.add(row, column.name, message, row.draft.values[column.name])

    def _find(self, state: TableState, row: ImportRow) -> bool:
        """Give the row its id; False for one that cannot have any."""
        if row.draft.existing_id:
            # What was deleted in the meantime has nothing left to change.
            row.id = row.draft.existing_id
            return row.id in state.existing and state.sees(row.id)
        keys = list(state.keys_of(row.values))
        if not keys:
            # A reference that was not found has been noted already.
            if all(column.field in row.values for column in state.table.references if column.name in row.draft.values):
                names = _(" or ").join(" / ".join(key) for key in state.table.keys)
                self.errors.add(row, "", _("No key: fill in %(names)s.") % {"names": names})
            return False
        found = state.marked(row.mark, state.name_key(row.values)) if row.mark else None
        if found:
            return self._take(state, row, found, state.table.keys[-1][-1])
        for key in keys:
            found = state.find(key)
            named = state.table.keys[key[0]][-1]
            if found is None or (found and self._is_another(state, row, found, keys, key)):
                continue
            if not found or (row.mark and found > 0):
                self.errors.add(row, named, self._shared_name(), row.draft.values.get(named))
                return False
            return self._take(state, row, found, named)
        row.id = next(self.new_ids)
        for column in state.table.required:
            if column.field not in row.values and column.name not in row.draft.values:
                self.errors.add(row, column.name, _("Required for new rows."))
        return True

    @staticmethod
    def _shared_name() -> Any:
        return _("Ambiguous name. Fill in the external ID.")

    def _take(self, state: TableState, row: ImportRow, found: int, named: str) -> bool:
        """Let the row be a stored one, or tell that another row of the file is that one."""
        twin = state.rows.get(found)
        if twin is not None:
            message = _("Duplicate of row %(row)s.") % {"row": twin.draft.row}
            self.errors.add(row, named, message, row.draft.values.get(named))
            return False
        row.id = found
        return True

    def _is_another(self, state: TableState, row: ImportRow, found: int, keys: list[IndexKey], key: IndexKey) -> bool:
        """Whether the row found by a weaker key has another stronger one than the file says."""
        twin = state.rows.get(found)
        if twin is not None and found < 0 and row.mark != twin.mark:
            return True
        has = {held[0] for held in state.keys_of(state.after(found))}
        return any(given[0] < key[0] and given[0] in has for given in keys)


def _is_certain(state: TableState, row: ImportRow) -> bool:
    strongest = next(state.keys_of(row.values), None)
    return strongest is not None and strongest[0] == 0 and bool(state.find(strongest))
