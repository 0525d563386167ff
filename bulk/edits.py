"""A change to rows that somebody chose, in the place of a file: which rows by id, and what becomes of all of them."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import orjson

from bulk.drafts import Draft, ExistingId, Findings
from bulk.prune import Chosen
from bulk.row_checks import Rows, check_rows
from bulk.tables import tables

# Stands where a plan names the format of its file.
FORMAT = "bulk-change"
# All is read and compared at once, and looked through by a person.
MOST_ROWS = 100_000

SET, ADD, DELETE = "set", "add", "delete"


@dataclass(frozen=True, slots=True)
class Edit:
    """What to do with rows of `table`.

    SET gives the rows `ids` the `values`, by field, where a reference is an id and None is nothing. DELETE deletes
    them. ADD makes one new row for each of `ids`: the reference `of` leads to it, the others are among `values`; one
    that exists is left as it is. `notes` are told with the plan. `back` is the address that it was made from.
    """

    table: str
    kind: str
    ids: tuple[int, ...]
    values: Mapping[str, Any]
    of: str = ""
    notes: tuple[str, ...] = ()
    back: str = ""

    def packed(self) -> bytes:
        """As a plan keeps it. Only what was packed here is read again: nobody brings it from outside."""
        return orjson.dumps(asdict(self))

    @classmethod
    def unpacked(cls, content: bytes) -> Edit:
        found = orjson.loads(content)
        return cls(**{**found, "ids": tuple(found["ids"]), "notes": tuple(found["notes"])})

    @property
    def to_delete(self) -> Chosen | None:
        return Chosen(self.table, self.ids) if self.kind == DELETE else None

    def rows(self, findings: Findings) -> Rows:
        return check_rows(self._drafts(), findings, datetime.UTC)

    def _drafts(self) -> Iterator[Draft]:
        if self.kind == DELETE:
            return
        table = tables()[self.table]
        values = {}
        for name, value in self.values.items():
            column = table.by_name[table.column_of(name)]
            values[column.name] = ExistingId(value) if column.refers_to and value is not None else value
        for id_ in self.ids:
            if self.kind == SET:
                yield Draft(self.table, 0, dict(values), existing_id=id_)
            else:
                yield Draft(self.table, 0, {**values, table.column_of(self.of): ExistingId(id_)})
