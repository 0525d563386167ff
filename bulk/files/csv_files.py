"""Text files of rows and columns (CSV): delimiter, encoding and shape, with everything wrong named by place."""

from __future__ import annotations

import csv
import difflib
import io
import itertools
import re
import sys
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import IO, Any

from django.utils.translation import gettext as _

from bulk.drafts import Findings
from bulk.files.raw import (
    COLUMNS_LIMIT,
    Budget,
    RawTable,
    Row,
    TableWriter,
    Unreadable,
    Unwritable,
    as_text,
    cells_budget,
    limited,
    peek,
)

FIELD_LIMIT = 131_072
LINE_LIMIT = 1_000_000
# What a line costs of a budget of cells.
_LINE_COST = 10
DELIMITERS = ",;\t"
# How files begin that people take for text.
FOREIGN = {
    b"PK\x03\x04": "ZIP or XLSX",
    b"\x1f\x8b": "gzip",
    b"BZh9": "bzip2",
    b"7z\xbc\xaf\x27\x1c": "7-Zip",
    b"Rar!": "RAR",
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
    b"%PDF": "PDF",
    b"{\\rtf": "RTF",
    b"\xd0\xcf\x11\xe0": "XLS or password-protected",
}
# After so many rows in another encoding it is the file's, and not a slip in a cell.
_UNREADABLE_ROWS = 10
_NOT_UTF_8 = re.compile("[\udc80-\udcff]")
_QUOTED = re.compile('"(?:[^"]|"")*"?')
# The first line with which spreadsheet programs tell one another the delimiter.
_SEPARATOR_LINE = re.compile(r'"?sep=.?"?\s*', re.IGNORECASE)

Record = tuple[int, dict[str, str]]


def tables(stream: IO[bytes], findings: Findings) -> Iterator[RawTable]:
    """The one table of the file, which does not say what it is called."""
    yield RawTable("", "", rows(stream, findings, cells_budget()))


def rows(stream: IO[bytes], findings: Findings, budget: Budget) -> Iterator[Row]:
    """Every row that has any text, as it stands there. A row with cells that are not UTF-8 is noted and left out."""
    header: list[str] = []
    unreadable_rows = 0
    for row, cells in raw_rows(DelimitedLines(stream, budget), findings):
        if not any(cell.strip() for cell in cells):
            continue
        is_text = _is_text(row, header or cells, cells, findings)
        if not header:
            if not is_text:
                raise Unreadable(_("The header cannot be read: the rest of the file was not looked at."))
            header = [cell.strip() for cell in cells]
        if is_text:
            yield row, cells
            continue
        unreadable_rows += 1
        if unreadable_rows == _UNREADABLE_ROWS:
            raise Unreadable(_("So much is not UTF-8 text that the rows from here on were not read."))


def records(
    stream: IO[bytes], findings: Findings, *, required: Collection[str], known: Collection[str]
) -> Iterator[Record]:
    """Every row of a CSV file as its number, the header being row 1, and its cells by column, trimmed.

    The file is UTF-8 with or without a byte order mark, separated by commas, semicolons or tabs. Rows of a wrong
    length or encoding are noted as errors and left out; rows without any text are skipped.
    """
    try:
        yield from _records(stream, findings, required, known)
    except Unreadable as error:
        if str(error):
            findings.error(error)


def _records(
    stream: IO[bytes], findings: Findings, required: Collection[str], known: Collection[str]
) -> Iterator[Record]:
    header: list[str] = []
    is_empty = True
    for row, raw in rows(stream, findings, cells_budget()):
        cells = [sys.intern(str(cell).strip()) for cell in raw]
        if not header:
            header = cells
            _check_header(row, header, findings, required, known)
            continue
        is_empty = False
        if len(cells) < len(header) or any(cells[len(header) :]):
            message = _(
                "Has %(cells)s cells where the header has %(columns)s: look for a separator or a quotation mark too "
                "many or too few."
            )
            findings.error(message % {"cells": len(cells), "columns": len(header)}, row=row)
            continue
        yield row, dict(zip(header, cells, strict=False))
    if is_empty and not findings.error_count:
        raise Unreadable(_("The file is empty: it needs a header row and the rows below it."))


def raw_rows(lines: DelimitedLines, findings: Findings) -> Iterator[tuple[int, list[str]]]:
    """Every row, empty ones too. Bytes that are not UTF-8 are surrogates, so that their cell can be named."""
    csv.field_size_limit(FIELD_LIMIT)
    reader = csv.reader(lines, delimiter=lines.delimiter)
    for row in itertools.count(1):
        try:
            cells = next(reader, None)
        except csv.Error:
            findings.error(
                _(
                    "A cell is longer than %(limit)s characters: look for a quotation mark that is never closed. "
                    "The rows from here on were not read."
                )
                % {"limit": FIELD_LIMIT},
                row=row,
            )
            raise Unreadable from None
        if cells is None:
            return
        if len(cells) > COLUMNS_LIMIT:
            raise Unreadable(
                _("Row %(row)s has more than %(limit)s cells: this is not a table as CSV.")
                % {"row": row, "limit": COLUMNS_LIMIT}
            )
        lines.budget.spend(len(cells))
        yield row, cells


class DelimitedLines:
    """The lines of a file, and the delimiter that stands between the columns of its header."""

    def __init__(self, stream: IO[bytes], budget: Budget) -> None:
        self.budget = budget
        start, stream = peek(limited(stream), 8)
        for magic, kind in FOREIGN.items():
            if start.startswith(magic):
                raise Unreadable(_("This is a %(kind)s file, not CSV: save the table as CSV, UTF-8.") % {"kind": kind})
        lines = _lines(stream, budget)
        first = []
        for line in lines:
            if _SEPARATOR_LINE.fullmatch(line):
                continue
            first.append(line)
            if line.strip():
                break
        self._lines: Iterable[str] = itertools.chain(first, lines)
        columns = _QUOTED.sub("", first[-1] if first else "")
        self.delimiter = max(DELIMITERS, key=columns.count)

    def __iter__(self) -> Iterator[str]:
        return iter(self._lines)


def _lines(stream: IO[bytes], budget: Budget) -> Iterator[str]:
    text = io.TextIOWrapper(stream, encoding="utf-8-sig", errors="surrogateescape", newline="")
    number = 0
    while line := text.readline(LINE_LIMIT):
        number += 1
        budget.spend(_LINE_COST)
        if len(line) == LINE_LIMIT:
            raise Unreadable(
                _("Line %(line)s is longer than %(limit)s characters: this is not a table as CSV.")
                % {"line": number, "limit": LINE_LIMIT}
            )
        if number == 1 and "\x00" in line:
            raise Unreadable(_("This is not a text file: save the table as CSV, UTF-8."))
        yield line


def _check_header(
    row: int, header: list[str], findings: Findings, required: Collection[str], known: Collection[str]
) -> None:
    given = set(header)
    for name in sorted({name for name in given if name and header.count(name) > 1}):
        findings.error(_("This column stands there twice: remove or rename one of them."), row=row, column=name)
    unknown = [name for name in header if name and name not in known]
    missing = [name for name in required if name not in given]
    for name in missing:
        near = difflib.get_close_matches(name, unknown, n=1, cutoff=0.7)
        hint = _(" Did you write it %(near)s?") % {"near": near[0]} if near else ""
        findings.error(_("This column is missing.") + hint, row=row, column=name)
    if missing:
        raise Unreadable
    if unknown:
        shown = ", ".join(unknown[:10]) + (", …" if len(unknown) > 10 else "")
        findings.warning(_("These columns are no part of the format and were left out: %(names)s.") % {"names": shown})


def _is_text(row: int, header: list[str], cells: list[str], findings: Findings) -> bool:
    wrong = [index for index, cell in enumerate(cells) if not cell.isascii() and _NOT_UTF_8.search(cell)]
    for index in wrong:
        findings.error(
            _("Is not UTF-8 text: save the file with the encoding UTF-8."),
            row=row,
            column="" if header is cells else header[index] if index < len(header) else "",
            value=_NOT_UTF_8.sub("\ufffd", cells[index]),
        )
    return not wrong


class DelimitedWriter(TableWriter):
    """One table as UTF-8 with the byte order mark by which spreadsheet programs know the encoding."""

    def __init__(self, target: IO[bytes], delimiter: str = ",") -> None:
        self._text = io.TextIOWrapper(
            io.BufferedWriter(_Kept(target)), encoding="utf-8-sig", errors="surrogateescape", newline=""
        )
        # Both ends of line as the terminator: then texts with either of them are quoted.
        self._writer = csv.writer(self._text, delimiter=delimiter, lineterminator="\r\n")
        self._name: str | None = None

    def table(self, name: str, header: Sequence[str]) -> None:
        if self._name is not None:
            raise Unwritable(
                _("A CSV file holds one table, and these are several (%(names)s): choose ZIP, XLSX or JSON.")
                % {"names": f"{self._name}, {name}"}
            )
        self._name = name
        self.row(header)

    def row(self, cells: Sequence[Any]) -> None:
        self._writer.writerow(map(as_text, cells))

    def close(self) -> None:
        self._text.close()


class _Kept(io.RawIOBase):
    """A target that stays open when the text written into it is closed."""

    def __init__(self, target: IO[bytes]) -> None:
        self._target = target

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._target.write(bytes(data))
        return len(data)
