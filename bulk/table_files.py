"""Reading our own tables out of files: which sheet is which, which column is which, and what each cell says."""

from __future__ import annotations

import difflib
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO, Any

from django.utils.translation import gettext as _

from bulk import cells, files, site_tree
from bulk.drafts import Draft, Findings
from bulk.tables import ID_COLUMN, Heading, Sheet, sheets, tables
from hierarchy.column_types import cell_text

_NOT_A_WORD = re.compile(r"[\W_]+")
# What the API says of every row, and nobody writes.
_KEPT = ("id", "version", "createdAt", "updatedAt")
# How many keys the objects of one table have, and how long one is, customProperties.… included.
_KEYS_LIMIT, _LONGEST_KEY = 1_000, 500
# For so many wrong names of columns and tables, the one that was meant is looked for.
_MOST_HINTS = 100


def word(text: Any) -> str:
    """A heading as it is compared: without case, spaces and punctuation."""
    return _NOT_A_WORD.sub("", str(text)).casefold()


@dataclass(slots=True)
class Native:
    """One file with our own tables. `seen` are the sheets that it had, known when all has been read."""

    kind: str
    findings: Findings
    table: str = ""
    seen: list[Sheet] = field(default_factory=list)
    _examples: int = 0
    _hints: int = 0

    @property
    def tables(self) -> tuple[str, ...]:
        """The tables that the file has, rows or not."""
        return tuple(dict.fromkeys(name for sheet in self.seen for name in sheet.tables))

    def read(self, stream: IO[bytes]) -> Iterator[Draft]:
        """The rows of the file as drafts, with everything wrong about its shape noted."""
        try:
            if self.kind == "json":
                yield from self._objects(files.JsonDocument(stream, self.findings))
            else:
                for raw in files.read_tables(stream, self.kind, self.findings):
                    yield from self._rows(raw.name, raw.rows)
        except files.Unreadable as error:
            self.findings.error(error, sheet="")
        self.findings.sheet = ""
        if self._examples:
            message = _(
                "%(count)s rows were left out, whose note is “%(note)s”: clear the note of those that you mean."
            )
            self.findings.notes.append(message % {"count": self._examples, "note": cells.EXAMPLE})

    def _rows(self, name: str, rows: Iterator[tuple[int, Sequence[Any]]]) -> Iterator[Draft]:
        first = next(rows, None)
        if first is None:
            return
        number, header = first
        sheet = self._sheet(name, header)
        if sheet is None:
            return
        columns = self._columns(sheet, number, header)
        self.seen.append(sheet)
        take = self._taker(sheet)
        for row, given in rows:
            # A workbook leaves out the empty cells at the end of a row.
            is_short = len(given) < len(header) and self.kind != "xlsx"
            if is_short or any(cells.read(cell) is not cells.EmptyCell for cell in given[len(header) :]):
                message = _(
                    "Has %(cells)s cells where the header has %(columns)s: look for a separator or a quotation mark "
                    "too many or too few."
                )
                self.findings.error(message % {"cells": len(given), "columns": len(header)}, row=row)
                continue
            values = {}
            is_example = False
            for name, cell in zip(columns, given, strict=False):
                value = cells.read(cell)
                if value is cells.EmptyCell or not name:
                    continue
                if name == cells.NOTE:
                    is_example = word(value) == cells.EXAMPLE
                else:
                    # Files say the same again and again.
                    values[name] = sys.intern(value) if type(value) is str else value
            if is_example:
                self._examples += bool(values)
            elif values:
                yield from take(row, values)

    def _taker(self, sheet: Sheet) -> Any:
        if sheet.taker is not None:
            return sheet.taker(self.findings)
        (table,) = sheet.tables
        return lambda row, values: (Draft(table, row, values, sheet=self.findings.sheet),)

    def _sheet(self, name: str, header: Sequence[Any]) -> Sheet | None:
        known = {word(sheet.name): sheet for sheet in sheets().values()}
        wanted = self.table if self.kind == "csv" and self.table else name
        if wanted:
            # Nobody named the only sheet of most workbooks: its columns tell what it is.
            sheet = known.get(word(wanted)) or (self._fitting(header) if header and wanted == name else None)
            if sheet is None:
                names = {name: sheet.name for name, sheet in known.items()}
                message = _("There is no table of this name: call it one of %(names)s, or leave it out.")
                hint = self._hint(wanted, names)
                self.findings.error(message % {"names": ", ".join(names.values())} + hint, value=wanted)
            return sheet
        return self._by_header(header)

    def _hint(self, text: str, names: Mapping[str, str]) -> str:
        """The name that was meant, where one is near. To look for it takes time, so not for any number of texts."""
        self._hints += 1
        wanted = word(text) if self._hints <= _MOST_HINTS else ""
        near = difflib.get_close_matches(wanted, names, n=1, cutoff=0.7)
        return str(_(" Did you mean %(near)s?") % {"near": names[near[0]]}) if near else ""

    @staticmethod
    def _fitting(header: Sequence[Any]) -> Sheet | None:
        """The sheet whose columns these are: the one with most of them, of equals the simpler one."""
        given = {word(cell) for cell in header if cell}
        fitting = []
        for sheet in sheets().values():
            names = _names(sheet)
            own = {names[heading] for heading in given & names.keys()}
            if all(own & set(group) for group in sheet.needs):
                fitting.append((len(given & names.keys()), sheet.taker is None, -len(names), sheet))
        return max(fitting, key=lambda one: one[:3])[3] if fitting else None

    def _by_header(self, header: Sequence[Any]) -> Sheet | None:
        sheet = self._fitting(header)
        if sheet is not None:
            return sheet
        self.findings.error(
            _("Nothing says which table this is: look at the names of the columns, or name it (--table): %(names)s.")
            % {"names": ", ".join(sheets())},
            value=", ".join(str(cell) for cell in header if cell),
        )
        return None

    def _columns(self, sheet: Sheet, number: int, header: Sequence[Any]) -> list[str]:
        """The name of each column, empty for one that is left out."""
        names = _names(sheet)
        columns = []
        for cell in header:
            text = cell_text(cell).strip() if cell is not None else ""
            name = self._column(sheet, names, text)
            if name is None:
                self.findings.error(_("There is no such column.") + self._hint(text, names), row=number, column=text)
            elif name and name in columns:
                self.findings.error(
                    _("This column stands there twice: remove or rename one of them."), row=number, column=text
                )
            columns.append(name or "")
        return columns

    def _column(self, sheet: Sheet, names: Mapping[str, str], text: str) -> str | None:
        """What a heading means: a column's name, empty for one that is left out, None for one that does not exist."""
        if not text or word(text) == cells.ERRORS:
            return ""
        if word(text) == cells.NOTE:
            return cells.NOTE
        if word(text) in names:
            return names[word(text)]
        if word(text) in _ignored(sheet):
            return ""
        start, dot, entry = text.partition(".")
        if dot and entry.strip() and names.get(word(start)) in _objects_of(sheet):
            return f"{names[word(start)]}.{entry.strip()}"
        return None

    def _objects(self, document: files.JsonDocument) -> Iterator[Draft]:
        """The rows of a JSON document: our tables by name, one table as a list, or a tree of sites."""
        if document.is_list and not self.table:
            yield from self._tree(document.whole())
            return
        for name, rows in document.tables():
            sheet = self._sheet(name[:_LONGEST_KEY] or self.table, ())
            if sheet is not None:
                self.seen.append(sheet)
                yield from self._of_objects(sheet, rows)

    def _tree(self, sites: Any) -> Iterator[Draft]:
        if not site_tree.is_tree(sites):
            message = _(
                "The list is no tree of sites. If it has the rows of a table, say which one (--table), or write "
                '{"sites": [{"groupName": "Garage"}]}.'
            )
            raise files.Unreadable(message)
        self.seen += [sheets()[name] for name in site_tree.TABLES]
        self.findings.sheet = site_tree.TABLES[0]
        yield from site_tree.drafts(sites, self.findings)

    def _of_objects(self, sheet: Sheet, rows: Iterator[tuple[int, Any]]) -> Iterator[Draft]:
        names = _names(sheet)
        references = {heading.name for heading, column, _field in _columns_of(sheet) if column.refers_to}
        meant: dict[str, str | None] = {}
        take = self._taker(sheet)
        for number, given in rows:
            if not isinstance(given, dict):
                self.findings.error(_('Must be an object, as in {"groupName": "Garage"}.'), row=number)
                continue
            values: dict[str, Any] = {}
            is_example = False
            for key, value in given.items():
                if key not in meant:
                    meant[key] = self._key(sheet, names, key, number)
                    if len(meant) > _KEYS_LIMIT:
                        message = _("The objects of the table have more than %(limit)s different keys.")
                        raise files.Unreadable(message % {"limit": f"{_KEYS_LIMIT:,}"})
                name = meant[key]
                if name == cells.NOTE:
                    is_example = word(value) == cells.EXAMPLE
                if not name or name == cells.NOTE:
                    continue
                if name in values:
                    self.findings.error(_("This key stands there twice: remove one of them."), row=number, column=key)
                is_path = isinstance(value, list) and name in references and all(isinstance(one, str) for one in value)
                values[name] = tuple(value) if is_path else value
            if is_example:
                self._examples += bool(values)
            elif values:
                yield from take(number, values)

    def _key(self, sheet: Sheet, names: Mapping[str, str], key: str, number: int) -> str | None:
        """What a key means, as `_column` has it, with one that does not exist noted."""
        text = key[:_LONGEST_KEY]
        name = self._column(sheet, names, text) if text == key else None
        if name is None:
            self.findings.error(_("There is no such key.") + self._hint(text, names), row=number, column=text)
        return name


def _ignored(sheet: Sheet) -> set[str]:
    """Headings of what is exported, or answered by the API, and never read."""
    reported = {report.name for name in sheet.tables for report in tables()[name].reports}
    return {word(name) for name in (*reported, *_KEPT)}


def _columns_of(sheet: Sheet) -> Iterator[tuple[Heading, Any, Any]]:
    known = tables()
    for heading in sheet.headings:
        table = known[heading.table]
        column = table.by_name[heading.column]
        yield heading, column, table.fields[column.field]


def _objects_of(sheet: Sheet) -> set[str]:
    """The columns that hold an object, whose entries may be columns of their own."""
    return {heading.name for heading, _column, field in _columns_of(sheet) if field.get_default() == {}}


def _names(sheet: Sheet) -> dict[str, str]:
    """What each heading that a sheet knows means."""
    names: dict[str, str] = {}
    for heading in sheet.headings:
        names[word(heading.name)] = heading.name
    for heading in sheet.headings:
        for other in heading.also:
            names.setdefault(word(other), heading.name)
    if sheet.taker is None and tables()[sheet.tables[0]].has_namesakes:
        names[word(ID_COLUMN)] = ID_COLUMN
    return names
