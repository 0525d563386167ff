"""The empty workbook that people fill in: a sheet for each table, with its columns explained and an example."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import IO, Any

from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from openpyxl import Workbook  # type: ignore[import-untyped]
from openpyxl.comments import Comment  # type: ignore[import-untyped]
from openpyxl.styles import Alignment, Font, PatternFill  # type: ignore[import-untyped]
from openpyxl.utils import get_column_letter  # type: ignore[import-untyped]
from openpyxl.worksheet.datavalidation import DataValidation  # type: ignore[import-untyped]
from openpyxl.worksheet.worksheet import Worksheet  # type: ignore[import-untyped]

from bulk import cells
from bulk.reference import Described, described
from bulk.tables import Sheet, sheets, tables
from hierarchy.column_types import BooleanType, DateType, TimestampType

_PRODUCT = "Chargetree"
_LAST_ROW = 1_048_576
# As much as a list of choices may have where it stands in the cell's own rules.
_CHOICES_LENGTH = 255
_NARROWEST, _WIDEST = 12, 40

_NEEDED = {"font": Font(bold=True, color="FFFFFF"), "fill": PatternFill("solid", fgColor="1F5C57")}
_OPTIONAL = {"font": Font(bold=True, color="1F2A2E"), "fill": PatternFill("solid", fgColor="D9E4E2")}
_EXAMPLE = Font(italic=True, color="808080")


def write_template(target: IO[bytes], names: Collection[str] = ()) -> None:
    """Write the workbook with the sheets of these names, all unless said. As it is, it imports as nothing."""
    book = Workbook()
    book.remove(book.active)
    book.properties.creator, book.properties.title = _PRODUCT, _("Import template")
    for name, sheet in sheets().items():
        if name in names or not names:
            _fill(book.create_sheet(name), sheet)
    book.save(target)


def _fill(page: Worksheet, sheet: Sheet) -> None:
    columns = described(sheet)
    examples = list(_examples(sheet, columns))
    page.append([cells.NOTE, *(f"{column.name} *" if column.is_needed else column.name for column in columns)])
    for example in examples:
        page.append([cells.EXAMPLE, *(_cell(column, example.get(column.name)) for column in columns)])
    _style(page, 1, "@", _OPTIONAL, _about_notes())
    for number, column in enumerate(columns, start=2):
        # A drop-down needs no format.
        format_ = "General" if column.choices and not isinstance(column.type, BooleanType) else column.type.excel_format
        _style(page, number, format_, _NEEDED if column.is_needed else _OPTIONAL, _about(column))
        _offer(page, number, column.choices)
    # The header, and with the remarks the column by which most rows are known, stay in view.
    page.freeze_panes = "C2"


def _examples(sheet: Sheet, columns: list[Described]) -> Iterator[Mapping[str, Any]]:
    """One row; of a tree, those above it too, so that it may be imported as it stands."""
    row = {column.name: column.example for column in columns}
    table = tables()[sheet.tables[0]]
    if not sheet.taker and table.parent:
        above = cells.path_names(row[table.parent.name])
        name = table.keys[-1][-1]
        for level, text in enumerate(above):
            yield {table.parent.name: cells.path_text(above[:level]), name: text}
    yield row


def _cell(column: Described, example: Any) -> Any:
    if example is None or example == "":
        return None
    return (parse_date(example) if isinstance(column.type, TimestampType | DateType) else None) or cells.write(example)


def _style(page: Worksheet, number: int, format_: str, look: Mapping[str, Any], about: str) -> None:
    letter = get_column_letter(number)
    header, *examples = page[letter]
    header.font, header.fill, header.alignment = look["font"], look["fill"], Alignment(vertical="center")
    lines = sum(1 + len(line) // 48 for line in about.splitlines())
    header.comment = Comment(about, _PRODUCT, width=340, height=30 + 18 * lines)
    width = max(len(str(cell.value or "")) for cell in page[letter]) + 3
    page.column_dimensions[letter].width = min(max(width, _NARROWEST), _WIDEST)
    page.column_dimensions[letter].number_format = format_
    for cell in examples:
        cell.font, cell.number_format = _EXAMPLE, format_


def _offer(page: Worksheet, number: int, choices: tuple[str, ...]) -> None:
    """A drop-down. What else may be written, such as `(empty)`, the import decides."""
    listed = ",".join(choices)
    if not choices or len(listed) > _CHOICES_LENGTH:
        return
    rule = DataValidation(type="list", formula1=f'"{listed}"', allow_blank=True, showErrorMessage=False)
    letter = get_column_letter(number)
    rule.add(f"{letter}2:{letter}{_LAST_ROW}")
    page.add_data_validation(rule)


def _about(column: Described) -> str:
    lines = [column.meaning, f"{column.holds[0].upper()}{column.holds[1:]}.".replace("`", "")]
    if column.is_key:
        lines.append(_("Part of what says which row this is."))
    if column.is_needed:
        lines.append(_("Needed in a new row."))
    return "\n".join(lines)


def _about_notes() -> str:
    return _(
        "Your remarks, which are not imported. A row is left out for as long as its note is “%(example)s”: delete the "
        "example, or write over it and clear this cell."
    ) % {"example": cells.EXAMPLE}
