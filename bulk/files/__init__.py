"""Files of tables: their bytes become raw rows, and rows become bytes. Nothing here knows what the tables mean.

A file may come from anybody: each kind is read within bounds of size, time and memory, and what is wrong with it is
noted among the findings. Reading raises nothing, but for a JSON document Unreadable.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator
from typing import IO

from django.utils.translation import gettext as _

from bulk.drafts import Findings
from bulk.files import annotated_files, csv_files, xlsx_files, zip_files
from bulk.files.annotated_files import Messages
from bulk.files.csv_files import DelimitedWriter
from bulk.files.json_files import JsonDocument, ObjectWriter
from bulk.files.raw import Cell, RawTable, Row, TableWriter, Unreadable, Unwritable, peek
from bulk.files.xlsx_writing import WorkbookWriter
from bulk.files.zip_files import ArchiveWriter

__all__ = [
    "KINDS",
    "Cell",
    "JsonDocument",
    "Messages",
    "RawTable",
    "Row",
    "TableWriter",
    "Unreadable",
    "Unwritable",
    "annotate",
    "kind_of",
    "open_writer",
    "peek",
    "read_tables",
]

KINDS = ("csv", "xlsx", "zip", "json")

_READERS = {"csv": csv_files.tables, "xlsx": xlsx_files.tables, "zip": zip_files.tables}
_WRITERS = {"csv": DelimitedWriter, "xlsx": WorkbookWriter, "zip": ArchiveWriter, "json": ObjectWriter}
_ANNOTATORS = {
    "csv": annotated_files.annotate_csv,
    "xlsx": annotated_files.annotate_workbook,
    "zip": annotated_files.annotate_archive,
    "json": annotated_files.annotate_json,
}
# What stands first in the archive that a workbook is.
_WORKBOOK_MEMBERS = (b"[Content_Types].xml", b"_rels/", b"xl/", b"docProps/", b"customXml/")
_BY_NAME = {"csv": "csv", "tsv": "csv", "txt": "csv", "json": "json", "xlsx": "xlsx", "xlsm": "xlsx", "zip": "zip"}


def kind_of(name: str, start: bytes) -> str:
    """The kind of a file by how it begins (`peek`) and, where that says nothing, by its name.

    Raises Unreadable for what is none of them.
    """
    by_name = _BY_NAME.get(name.rpartition(".")[2].lower(), "")
    if start.startswith((b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")):
        first = start[30 : 30 + int.from_bytes(start[26:28], "little")]
        if first == b"mimetype":
            raise _foreign("OpenDocument")
        if not first:
            return by_name if by_name in ("xlsx", "zip") else "zip"
        return "xlsx" if first.startswith(_WORKBOOK_MEMBERS) else "zip"
    for magic, kind in csv_files.FOREIGN.items():
        if start.startswith(magic):
            raise _foreign(kind)
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    if b"\x00" in text:
        raise _foreign(_("Binary"))
    if text.startswith((b"{", b"[")):
        return "json"
    if text[:14].lower().startswith((b"<!doctype html", b"<html", b"<?xml")):
        raise _foreign("HTML" if b"html" in text[:14].lower() else "XML")
    if by_name in ("xlsx", "zip"):
        raise Unreadable(
            _("%(name)s ends as %(kind)s files do and is none: save it in that format.")
            % {"name": name, "kind": by_name.upper()}
        )
    return by_name or "csv"


def _foreign(kind: str) -> Unreadable:
    return Unreadable(
        _("%(kind)s files cannot be read: give the tables as XLSX, CSV, a ZIP of CSV files, or JSON.") % {"kind": kind}
    )


def read_tables(stream: IO[bytes], kind: str, findings: Findings) -> Iterator[RawTable]:
    """The tables of a CSV file, a workbook or an archive, each to be read before the next.

    While a table is read, it is the one that findings are noted for. What makes the rest of the file unreadable is
    noted and ends it.
    """
    is_empty, is_broken = True, False

    def noted(rows: Iterator[Row]) -> Iterator[Row]:
        nonlocal is_empty, is_broken
        try:
            for row in rows:
                is_empty = False
                yield row
        except Unreadable as error:
            is_broken = True
            if str(error):
                findings.error(error)

    try:
        for table in _READERS[kind](stream, findings):
            findings.sheet = table.sheet
            yield dataclasses.replace(table, rows=noted(table.rows))
            findings.sheet = ""
            if is_broken:
                return
        if is_empty and not findings.error_count:
            raise Unreadable(_("The file is empty: it needs a header row and the rows below it."))
    except Unreadable as error:
        findings.error(error)
    finally:
        findings.sheet = ""


@contextlib.contextmanager
def open_writer(kind: str, target: IO[bytes]) -> Iterator[TableWriter]:
    """Writes tables into `target`, which stays open: a CSV file holds one, the others any number."""
    with contextlib.closing(_WRITERS[kind](target)) as writer:
        yield writer


def annotate(source: IO[bytes], kind: str, messages: Messages, target: IO[bytes], *, heading: str = "errors") -> None:
    """The same file again with one more column, which holds the messages of its rows.

    Messages go by `(sheet, row)`, as findings have them; in JSON each becomes an entry of its object. Raises
    Unreadable for a file that cannot be read.
    """
    _ANNOTATORS[kind](source, messages, target, heading)
