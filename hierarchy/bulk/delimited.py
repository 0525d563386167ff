"""Reading text files of rows and columns (CSV): delimiter, encoding and shape, with everything wrong named by place."""

from __future__ import annotations

import csv
import difflib
import io
import itertools
import re
from collections.abc import Collection, Iterator
from typing import IO, Any

from django.utils.translation import gettext as _

from hierarchy.bulk.source import Findings

FIELD_LIMIT = 131_072
LINE_LIMIT = 1_000_000
DELIMITERS = ",;\t"
# After so many rows in another encoding it is the file's, and not a slip in a cell.
_UNREADABLE_ROWS = 10
_NOT_UTF_8 = re.compile("[\udc80-\udcff]")
# How files begin that people take for text: workbooks and archives, gzip, UTF-16, PDF, old workbooks.
_FOREIGN = {
    b"PK\x03\x04": "ZIP or XLSX",
    b"\x1f\x8b": "gzip",
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
    b"%PDF": "PDF",
    b"\xd0\xcf\x11\xe0": "XLS",
}

Record = tuple[int, dict[str, str]]


class Unreadable(Exception):
    """The rest of the file cannot be read; the message says why, where the findings do not yet."""


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
    is_empty, unreadable_rows = True, 0
    for row, cells in _rows(stream, findings):
        cells = [cell.strip() for cell in cells]
        if not any(cells):
            continue
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
        if _is_text(row, header, cells, findings):
            yield row, dict(zip(header, cells, strict=False))
            continue
        unreadable_rows += 1
        if unreadable_rows == _UNREADABLE_ROWS:
            raise Unreadable(_("So much is not UTF-8 text that the rows from here on were not read."))
    if is_empty:
        raise Unreadable(_("The file is empty: it needs a header row and the rows below it."))


def _rows(stream: IO[bytes], findings: Findings) -> Iterator[tuple[int, list[str]]]:
    csv.field_size_limit(FIELD_LIMIT)
    lines = _lines(stream)
    first = next(lines, "")
    delimiter = max(DELIMITERS, key=first.count)
    reader = csv.reader(itertools.chain([first], lines), delimiter=delimiter)
    row = 0
    while True:
        row += 1
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
            return
        if cells is None:
            return
        yield row, cells


def _lines(stream: IO[bytes]) -> Iterator[str]:
    """The lines of the file. Bytes that are not UTF-8 become surrogates, so that their cell can be named."""
    start = stream.read(4)
    for magic, kind in _FOREIGN.items():
        if start.startswith(magic):
            raise Unreadable(_("This is a %(kind)s file, not CSV: save the table as CSV, UTF-8.") % {"kind": kind})
    text = io.TextIOWrapper(
        io.BufferedReader(_Rejoined(start, stream)), encoding="utf-8-sig", errors="surrogateescape", newline=""
    )
    number = 0
    while line := text.readline(LINE_LIMIT):
        number += 1
        if len(line) == LINE_LIMIT:
            raise Unreadable(
                _("Line %(line)s is longer than %(limit)s characters: this is not a table as CSV.")
                % {"line": number, "limit": LINE_LIMIT}
            )
        if number == 1 and "\x00" in line:
            raise Unreadable(_("This is not a text file: save the table as CSV, UTF-8."))
        yield line


class _Rejoined(io.RawIOBase):
    """A stream whose first bytes were read already and which cannot be rewound, as standard input cannot."""

    def __init__(self, start: bytes, rest: IO[bytes]) -> None:
        self._start, self._rest = start, rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._start[: len(buffer)] or self._rest.read(len(buffer))
        self._start = self._start[len(buffer) :]
        buffer[: len(data)] = data
        return len(data)


def _check_header(
    row: int, header: list[str], findings: Findings, required: Collection[str], known: Collection[str]
) -> None:
    if not _is_text(row, header, header, findings):
        raise Unreadable(_("The header cannot be read: the rest of the file was not looked at."))
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
