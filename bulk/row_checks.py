"""Reading and checking the rows of a file, each by itself: the values that its fields take, and what is wrong."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from bulk import cells
from bulk.drafts import Draft, ExistingId, Findings
from bulk.table_state import ImportRow
from bulk.tables import ID_COLUMN, Field, Table, tables
from hierarchy.column_types import Column, ColumnType, cell_text

# The rows of a file by table, each value as its field takes it, not yet compared with anything.
Rows = dict[str, list[ImportRow]]


def check_rows(drafts: Iterable[Draft], findings: Findings, zone: datetime.tzinfo = datetime.UTC) -> Rows:
    """Read and check every row by itself, without the database. Moments without an offset are those of `zone`."""
    checks: dict[str, RowCheck] = {}
    rows: Rows = {}
    for draft in drafts:
        if draft.table not in checks:
            checks[draft.table] = RowCheck(tables()[draft.table], findings, zone)
        rows.setdefault(draft.table, []).append(checks[draft.table].row(draft))
    return rows


class RowCheck:
    """Checks the rows of one table by themselves."""

    # Files say the same again and again; so many different values are remembered.
    _REMEMBERED = 50_000

    def __init__(self, table: Table, findings: Findings, zone: datetime.tzinfo) -> None:
        self.table = table
        self.findings = findings
        self.zone = zone
        self._columns: dict[str, tuple[Column, Field, ColumnType, str]] = {}
        self._known: dict[tuple[str, type, Any], Any] = {}

    def row(self, draft: Draft) -> ImportRow:
        """The values of a row as its fields take them.

        A wrong text is kept, so that the rows that name it are found.
        """
        row = ImportRow(draft, dict(self.table.assumed))
        for name, value in draft.values.items():
            if name == ID_COLUMN and self.table.has_namesakes:
                row.mark = cells.mark(value)
                continue
            column, field, _column_type, entry = self._columns.get(name) or self._column(name)
            try:
                if column.refers_to:
                    self._check_reference(row, field, value)
                elif entry:
                    row.entries.setdefault(field.name, {})[entry] = self._value(name, value)
                else:
                    row.values[field.name] = self._value(name, value)
            except ValidationError as error:
                for message in error.messages:
                    self.findings.error(
                        message, sheet=draft.sheet, row=draft.row, column=draft.heading(name), value=value
                    )
                row.wrong |= {field.name}
                if column.refers_to:
                    row.values[field.name] = None
                elif isinstance(value, str) and not entry and isinstance(field, models.CharField):
                    row.values[field.name] = value
        for key in self.table.key_fields:
            if key.of in row.values:
                row.values[key.name] = key.key(row.values[key.of] or "")
        return row

    def _column(self, name: str) -> tuple[Column, Field, ColumnType, str]:
        column_name, _dot, entry = name.partition(".")
        column = self.table.by_name[column_name]
        self._columns[name] = column, self.table.fields[column.field], self.table.types[column_name], entry
        return self._columns[name]

    def _value(self, name: str, value: Any) -> Any:
        """What the column `name` takes for a value; raises ValidationError."""
        if not isinstance(value, str | int | float):
            return self._cleaned(name, value)
        key = (name, type(value), value)
        if key not in self._known:
            if len(self._known) >= self._REMEMBERED:
                self._known.clear()
            self._known[key] = self._cleaned(name, value)
        return self._known[key]

    def _cleaned(self, name: str, value: Any) -> Any:
        column, field, column_type, entry = self._columns[name]
        if entry:
            return None if value is None else field.clean({entry: cell_text(value)}, None)[entry]
        if value is None:
            return _cleared(field)
        return field.clean(column_type.parse_cell(value, self.zone, ends_day=column.ends_day), None)

    @staticmethod
    def _check_reference(row: ImportRow, field: Field, value: Any) -> None:
        if value is None:
            row.values[field.name] = _cleared(field)
        elif not isinstance(value, tuple | ExistingId):
            cell_text(value)


def _cleared(field: Field) -> Any:
    """What a field holds when there is nothing in it."""
    if field.null:
        return None
    if not field.blank or not field.has_default():
        raise ValidationError(_("Must not be empty."), code="blank")
    return field.get_default()
