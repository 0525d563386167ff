"""Reading workbooks (XLSX, ECMA-376 part 1, SpreadsheetML): values only, one row at a time, whatever the file claims.

No library does this within bounds: openpyxl builds a row of a few million cells before anybody can refuse it, and does
not tell an empty cell from a formula that was never calculated.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from typing import IO, Any, NamedTuple

from django.utils.translation import gettext as _

from bulk.drafts import Findings
from bulk.files.raw import MEGABYTE, Budget, Cell, RawTable, Row, Unreadable, cells_budget, seekable
from bulk.files.xlsx_parts import (
    EPOCH_1900,
    EPOCH_1904,
    Main,
    Relations,
    SharedStrings,
    SheetRow,
    SheetRows,
    Styles,
    column_letters,
)
from bulk.files.xml_guard import parse
from bulk.files.zip_files import Archive

# All texts of a workbook are read before its first row.
_STRINGS_LIMIT = 64 * MEGABYTE
_PARTS_LIMIT = 16 * MEGABYTE
# A cell takes two or three.
_ELEMENTS_LIMIT = 12_000_000
_CONTINUED = re.compile(r" \([0-9]{1,3}\)$")


class WorkbookSheet(NamedTuple):
    """A sheet by its name, the part that holds it, and whether people see it."""

    name: str
    part: str
    is_hidden: bool


def tables(stream: IO[bytes], findings: Findings) -> Iterator[RawTable]:
    """The visible sheets of a workbook. `sockets (2)` goes on with the table `sockets`."""
    with seekable(stream) as file:
        workbook = Workbook(file)
        for sheet in workbook.sheets:
            if sheet.is_hidden:
                findings.warning(_("The sheet is hidden and was left out: unhide it to import it."), sheet=sheet.name)
            else:
                yield RawTable(table_name(sheet.name), sheet.name, _rows(workbook.lines(sheet), findings))


def table_name(sheet: str) -> str:
    return _CONTINUED.sub("", sheet)


def _rows(lines: Iterator[SheetRow], findings: Findings) -> Iterator[Row]:
    header: list[Cell] = []
    for line in lines:
        for column, value, message in line.wrong:
            heading = str(header[column - 1] or "") if column <= len(header) else column_letters(column)
            findings.error(message, row=line.number, column=heading, value=value)
        if not header:
            if line.wrong:
                raise Unreadable(_("The header cannot be read: the rest of the file was not looked at."))
            header = line.cells
        if not line.wrong:
            yield line.number, line.cells


class Workbook:
    """An opened workbook: its sheets, and what their cells refer to."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._archive = Archive(stream)
        self._elements = Budget(
            _ELEMENTS_LIMIT,
            _("The workbook has more than %(limit)s XML elements: split it, or give the tables as a ZIP of CSV files."),
        )
        self._cells = cells_budget()
        main = next((path for kind, path in self._related("").values() if kind == "officeDocument"), "xl/workbook.xml")
        if main.endswith(".bin"):
            raise Unreadable(_("This is an XLSB file: save it as XLSX."))
        parts = self._related(main)
        content = self._read(main, Main())
        self._epoch = EPOCH_1904 if content.is_1904 else EPOCH_1900
        self.sheets = []
        for name, relation, is_hidden in content.sheets:
            kind, path = parts.get(relation, ("", ""))
            if kind == "worksheet" and path in self._archive.members:
                self.sheets.append(WorkbookSheet(name, path, is_hidden))
        if not self.sheets:
            raise Unreadable(_("There is no sheet in the file: save it as XLSX in a spreadsheet program."))
        paths = {kind: path for kind, path in parts.values() if path in self._archive.members}
        self._date_styles = self._read(paths["styles"], Styles()).dates() if "styles" in paths else frozenset()
        self._texts: list[str] = []
        if "sharedStrings" in paths:
            self._texts = self._read(paths["sharedStrings"], SharedStrings(), _STRINGS_LIMIT).texts

    def _read(self, part: str, handler: Any, limit: int = _PARTS_LIMIT) -> Any:
        if part not in self._archive.members:
            raise Unreadable(_("There is no workbook in the file: save it as XLSX in a spreadsheet program."))
        with self._archive.opened(part, limit) as stream:
            for _piece in parse(stream, part, handler, self._elements):
                pass
        return handler

    def _related(self, part: str) -> dict[str, tuple[str, str]]:
        """What a part refers to by id: its kind and its path in the archive."""
        folder, file = posixpath.split(part)
        path = posixpath.join(folder, "_rels", f"{file}.rels")
        if path not in self._archive.members:
            return {}
        relations: list[tuple[str, str, str]] = self._read(path, Relations()).relations
        return {
            name: (kind.rpartition("/")[2], posixpath.normpath(posixpath.join("/", folder, target))[1:])
            for name, kind, target in relations
        }

    def lines(self, sheet: WorkbookSheet) -> Iterator[SheetRow]:
        """The rows of a sheet that have any value, padded to the header's width, those beyond cut to one cell more."""
        handler = SheetRows(self._texts, self._date_styles, self._epoch, self._cells)
        with self._archive.opened(sheet.part) as stream:
            try:
                for _piece in parse(stream, sheet.part, handler, self._elements):
                    yield from handler.lines
                    handler.lines.clear()
            except Unreadable:
                yield from handler.lines
                raise
