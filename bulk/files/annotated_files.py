"""The same file again, with what is wrong beside each row: people fix it there and upload it again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import IO, TypeAlias

from django.utils.translation import gettext as _

from bulk.drafts import Findings
from bulk.files import csv_files, json_files, zip_files
from bulk.files.raw import Cell, Unreadable, cells_budget, seekable
from bulk.files.xlsx_files import Workbook
from bulk.files.xlsx_writing import WorkbookWriter

# By the table as `RawTable.sheet` has it (in JSON by its name) and the row.
Messages: TypeAlias = Mapping[tuple[str, int], str]

# Whoever has more to say of one row says it elsewhere.
_LONGEST = 5_000


class _Annotated:
    """The rows of one table with one more cell each; a column of that heading is written over."""

    def __init__(self, heading: str, sheet: str, messages: Messages) -> None:
        self._heading, self._sheet, self._messages = heading, sheet, messages
        self._column: slice | None = None

    def row(self, number: int, cells: Sequence[Cell]) -> list[Cell]:
        if not any(str(cell or "").strip() for cell in cells):
            return list(cells)
        message = self._messages.get((self._sheet, number), "")[:_LONGEST]
        if self._column is None:
            titles = [str(cell or "").strip() for cell in cells]
            index = titles.index(self._heading) if self._heading in titles else len(cells)
            # An own column is put before what stands beyond the header.
            self._column = slice(index, index + (self._heading in titles))
            message = self._heading
        given = [*cells, *[""] * (self._column.stop - len(cells))]
        given[self._column] = [message]
        return given


def annotate_csv(source: IO[bytes], messages: Messages, target: IO[bytes], heading: str, sheet: str = "") -> None:
    lines = csv_files.DelimitedLines(source, cells_budget())
    rows = _Annotated(heading, sheet, messages)
    writer = csv_files.DelimitedWriter(target, lines.delimiter)
    for number, cells in csv_files.raw_rows(lines, Findings("")):
        writer.row(rows.row(number, cells))
    writer.close()


def annotate_archive(source: IO[bytes], messages: Messages, target: IO[bytes], heading: str) -> None:
    packer = zip_files.Packer(target)
    with seekable(source) as file:
        archive = zip_files.Archive(file)
        for member in zip_files.csv_members(archive, Findings("")).values():
            with archive.opened(member) as content, packer.member(member) as annotated:
                annotate_csv(content, messages, annotated, heading, member)
    packer.close()


def annotate_workbook(source: IO[bytes], messages: Messages, target: IO[bytes], heading: str) -> None:
    """Values only: what they looked like, and the formulas behind them, are not read."""
    writer = WorkbookWriter(target)
    with seekable(source) as file:
        workbook = Workbook(file)
        for sheet in workbook.sheets:
            if sheet.is_hidden:
                continue
            rows = _Annotated(heading, sheet.name, messages)
            lines = workbook.lines(sheet)
            header = next(lines, None)
            if header is None:
                writer.begin(sheet.name, [], 1)
                continue
            writer.begin(sheet.name, rows.row(header.number, header.cells), header.number)
            for line in lines:
                writer.write(line.number, rows.row(line.number, line.cells))
    writer.close()


def annotate_json(source: IO[bytes], messages: Messages, target: IO[bytes], heading: str) -> None:
    document = json_files.JsonDocument(source, Findings(""))
    if document.is_list and any(sheet and row for sheet, row in messages):
        raise Unreadable(_("A tree of sites has no rows beside which something could be written."))
    writer = json_files.ObjectWriter(target, is_list=document.is_list)
    for name, rows in document.tables():
        writer.begin(name)
        for number, row in rows:
            if isinstance(row, dict):
                row.pop(heading, None)
                if (name[:100], number) in messages:
                    row[heading] = messages[name[:100], number][:_LONGEST]
            writer.write(json_files.as_json(row))
    writer.close()
