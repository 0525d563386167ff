"""Writing workbooks (XLSX): each row goes into the archive when it comes, and every text stays a text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import IO, Any
from xml.sax.saxutils import escape, quoteattr

from django.utils.translation import gettext as _

from bulk.files.raw import COLUMNS_LIMIT, TableWriter, Unwritable
from bulk.files.xlsx_parts import EPOCH_1900, ROWS_LIMIT, TEXT_LIMIT, column_letters
from bulk.files.zip_files import Packer

# An underscore that begins what would be read as an escape, and characters that XML cannot hold or would change.
_ESCAPED = re.compile("_(?=x[0-9A-Fa-f]{4}_)|[\x00-\x08\x0b\x0c\x0d\x0e-\x1f\ufffe\uffff]")
# Further digits are lost in a spreadsheet program.
_EXACT = 10**15
# Before this day, programs do not agree on how days are counted.
_FIRST_DAY = datetime(1900, 3, 1)
_FLUSHED = 65_536

_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPES = "application/vnd.openxmlformats-officedocument.spreadsheetml"
# Numbers of the styles below.
_BOLD, _DATE, _TIME = 1, 2, 3
_STYLES = (
    f'{_HEAD}<styleSheet xmlns="{_MAIN}">'
    r'<numFmts count="2"><numFmt numFmtId="164" formatCode="yyyy\-mm\-dd\ hh:mm:ss"/>'
    '<numFmt numFmtId="165" formatCode="hh:mm:ss"/></numFmts>'
    '<fonts count="2"><font><sz val="11"/><name val="Calibri"/></font>'
    '<font><b/><sz val="11"/><name val="Calibri"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill>'
    '<fill><patternFill patternType="gray125"/></fill></fills>'
    '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
    '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
    '<cellXfs count="4"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
    '<xf numFmtId="0" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1"/>'
    '<xf numFmtId="164" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
    '<xf numFmtId="165" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/></cellXfs>'
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
)


class WorkbookWriter(TableWriter):
    """A sheet for each table, `name (2)` and so on where one is not enough; the header stays in view."""

    def __init__(self, target: IO[bytes], rows_limit: int = ROWS_LIMIT) -> None:
        self._packer = Packer(target)
        self._rows_limit = rows_limit
        self._sheets: list[str] = []
        self._sheet: IO[bytes] | None = None
        self._pending: list[str] = []
        # Programs that look at the first members alone know the format by them.
        self._add_relations("_rels/.rels", [("rId1", "officeDocument", "xl/workbook.xml")])
        with self._packer.member("xl/styles.xml") as member:
            member.write(_STYLES.encode())

    def table(self, name: str, header: Sequence[str]) -> None:
        self._name, self._header, self._part = name, header, 1
        self.begin(name, header, 1)

    def row(self, cells: Sequence[Any]) -> None:
        if self._row == self._rows_limit:
            self._part += 1
            self.begin(f"{self._name} ({self._part})", self._header, 1)
        self.write(self._row + 1, cells)

    def begin(self, sheet: str, header: Sequence[Any], row: int) -> None:
        """Begin a sheet with its header in that row."""
        self._finish_sheet()
        self._header = header
        self._sheets.append(sheet)
        self._sheet = self._packer.member(f"xl/worksheets/sheet{len(self._sheets)}.xml")
        columns = "".join(
            f'<col min="{n}" max="{n}" width="{min(max(len(str(title)) + 3, 12), 40)}" customWidth="1"/>'
            for n, title in enumerate(header[:COLUMNS_LIMIT], start=1)
        )
        self._pending = [
            f'{_HEAD}<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0"><pane ySplit="{row}" '
            f'topLeftCell="A{row + 1}" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews>'
            f"{f'<cols>{columns}</cols>' if columns else ''}<sheetData>"
        ]
        self.write(row, header, _BOLD)

    def write(self, row: int, cells: Iterable[Any], style: int = 0) -> None:
        """Write a row by its number, which must be higher than the last."""
        self._row = row
        written = "".join(
            self._cell(f"{column_letters(column)}{row}", column, cell, style)
            for column, cell in enumerate(cells, start=1)
            if cell is not None and cell != ""
        )
        self._pending.append(f'<row r="{row}">{written}</row>')
        if len(self._pending) == 100 or len(written) > _FLUSHED:
            self._flush()

    def _cell(self, place: str, column: int, cell: Any, style: int) -> str:
        if isinstance(cell, bool):
            return f'<c r="{place}" t="b"><v>{cell:d}</v></c>'
        if isinstance(cell, int | float) and abs(cell) < _EXACT:
            return f'<c r="{place}"><v>{cell!r}</v></c>'
        if isinstance(cell, date | time):
            days, look = _days(cell)
            if days is not None:
                return f'<c r="{place}" s="{look}"><v>{days!r}</v></c>'
            cell = cell.isoformat()
        text = str(cell)
        # Counted in units of UTF-16, of which a character takes two at most.
        if len(text) > TEXT_LIMIT // 2 and len(text.encode("utf-16-le", "surrogatepass")) // 2 > TEXT_LIMIT:
            raise Unwritable(
                _(
                    "Table %(table)s, row %(row)s, column %(column)s: the text is longer than the %(limit)s characters "
                    "that a workbook takes: choose CSV, ZIP or JSON."
                )
                % {
                    "table": self._sheets[-1],
                    "row": self._row,
                    "column": self._header[column - 1] if column <= len(self._header) else column_letters(column),
                    "limit": TEXT_LIMIT,
                }
            )
        styled = f' s="{style}"' if style else ""
        return f'<c r="{place}"{styled} t="inlineStr"><is><t xml:space="preserve">{escape(_escaped(text))}</t></is></c>'

    def _flush(self) -> None:
        if self._sheet is not None:
            self._sheet.write("".join(self._pending).encode())
        self._pending.clear()

    def _finish_sheet(self) -> None:
        if self._sheet is not None:
            self._pending.append("</sheetData></worksheet>")
            self._flush()
            self._sheet.close()

    def close(self) -> None:
        if not self._sheets:
            # A workbook without a sheet is none.
            self.begin("empty", [], 1)
        self._finish_sheet()
        sheets = list(enumerate(self._sheets, start=1))
        self._add(
            "xl/workbook.xml",
            f'<workbook xmlns="{_MAIN}" xmlns:r="{_RELATIONS}"><sheets>'
            + "".join(f'<sheet name={quoteattr(name)} sheetId="{n}" r:id="rId{n}"/>' for n, name in sheets)
            + "</sheets></workbook>",
        )
        self._add_relations(
            "xl/_rels/workbook.xml.rels",
            [
                *((f"rId{n}", "worksheet", f"worksheets/sheet{n}.xml") for n, _name in sheets),
                ("s", "styles", "styles.xml"),
            ],
        )
        kinds = [("xl/workbook.xml", "sheet.main"), ("xl/styles.xml", "styles")]
        kinds += [(f"xl/worksheets/sheet{n}.xml", "worksheet") for n, _name in sheets]
        self._add(
            "[Content_Types].xml",
            f'<Types xmlns="{_PACKAGE}/content-types"><Default Extension="rels" '
            f'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            '<Default Extension="xml" ContentType="application/xml"/>'
            + "".join(f'<Override PartName="/{part}" ContentType="{_TYPES}.{kind}+xml"/>' for part, kind in kinds)
            + "</Types>",
        )
        self._packer.close()

    def _add_relations(self, part: str, relations: Iterable[tuple[str, str, str]]) -> None:
        self._add(
            part,
            f'<Relationships xmlns="{_PACKAGE}/relationships">'
            + "".join(
                f'<Relationship Id="{name}" Type="{_RELATIONS}/{kind}" Target="{target}"/>'
                for name, kind, target in relations
            )
            + "</Relationships>",
        )

    def _add(self, part: str, content: str) -> None:
        with self._packer.member(part) as member:
            member.write(f"{_HEAD}{content}".encode())


def _escaped(text: str) -> str:
    """ST_Xstring (22.9.2.19)."""
    return _ESCAPED.sub(lambda found: f"_x{ord(found[0]):04X}_", text)


def _days(value: date | time) -> tuple[float | None, int]:
    """Days since the epoch, None where they cannot be told, and the style that shows them."""
    if isinstance(value, time):
        seconds = timedelta(
            hours=value.hour, minutes=value.minute, seconds=value.second, microseconds=value.microsecond
        )
        return seconds / timedelta(days=1), _TIME
    if not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day)
    if value.tzinfo is not None:
        value = value.astimezone(UTC).replace(tzinfo=None)
    return ((value - EPOCH_1900) / timedelta(days=1) if value >= _FIRST_DAY else None), _DATE
