"""What people are told of the tables and columns that they fill in, read from the declarations and the models."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.core.validators import MaxLengthValidator, MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from bulk import cells
from bulk.tables import ID_COLUMN, Field, Heading, Sheet, Table, sheets, tables
from hierarchy.column_types import (
    BooleanType,
    Column,
    ColumnType,
    ForeignKeyType,
    IntegerType,
    NumberType,
    PropertiesType,
    StringType,
    TimestampType,
)

# A bound that is the database's own is none that anybody needs to know.
_BEYOND = 2**63 - 1
_COMMAND = "manage.py import_template --reference -o docs/import-reference.md"


@dataclass(frozen=True, slots=True)
class Described:
    """One column of a sheet. `also` are other headings that are understood, `choices` what may be written.

    `most` is the longest of a text, and with `least` the bounds of a number; None where there is none. `holds` says
    all of this in words. `is_needed`: no new row can be without it.
    """

    name: str
    type: ColumnType
    holds: str
    meaning: str
    is_needed: bool
    is_key: bool
    least: float | None
    most: float | None
    choices: tuple[str, ...]
    also: tuple[str, ...]
    example: Any


def described(sheet: Sheet) -> list[Described]:
    """The columns of a sheet that are read, in their order."""
    return [_described(sheet, heading) for heading in sheet.headings]


def reported(sheet: Sheet) -> list[str]:
    """The columns of a sheet that are exported and not read."""
    return [report.name for name in sheet.tables for report in tables()[name].reports if sheet.is_exported]


def _described(sheet: Sheet, heading: Heading) -> Described:
    table = tables()[heading.table]
    column = table.by_name[heading.column]
    field = table.fields[column.field]
    column_type = table.types[column.name]
    is_bounded = isinstance(column_type, StringType | IntegerType | NumberType) and not column_type.choices
    least, most = _bounds(field) if is_bounded and not column.refers_to else (None, None)
    choices = tuple(column_type.cell_choices)
    # Of a sheet that spreads its rows over tables, each row needs what tells the sheet from others.
    needed = {names[0] for names in sheet.needs if len(names) == 1}
    return Described(
        name=heading.name,
        type=column_type,
        holds=_holds(column, field, column_type, least, most, choices),
        meaning=_meaning(field),
        is_needed=heading.name in needed if sheet.taker else column in table.required,
        is_key=any(column.name in key for key in table.keys),
        least=least,
        most=most,
        choices=choices,
        also=heading.also,
        example=column.example if heading.example is None else heading.example,
    )


def _bounds(field: Field) -> tuple[float | None, float | None]:
    """The tightest that the validators leave."""
    lower = [one.limit_value for one in field.validators if isinstance(one, MinValueValidator)]
    upper = [one.limit_value for one in field.validators if isinstance(one, MaxValueValidator | MaxLengthValidator)]
    least, most = max(lower, default=None), min(upper, default=None)
    return least, None if most == _BEYOND else most


def _holds(
    column: Column,
    field: Field,
    column_type: ColumnType,
    least: float | None,
    most: float | None,
    choices: tuple[str, ...],
) -> str:
    said = str(column_type.words)
    match column_type:
        case ForeignKeyType():
            there = tables()[column.refers_to]
            ways = [f"`{key[0]}`" for key in there.keys if len(key) == 1] + [_("path")] * bool(there.parent)
            said = _("%(reference)s %(table)s: %(ways)s") % {
                "reference": said,
                "table": there.name,
                "ways": _(" or ").join(ways),
            }
        case _ if field.choices:
            said = _("one of %(choices)s") % {"choices": ", ".join(f"`{choice}`" for choice in choices)}
        case StringType():
            if most is not None:
                said = _("text of at most %(most)s characters") % {"most": most}
            if isinstance(field, models.TextField):
                said += _(", also of several lines")
        case IntegerType() | NumberType():
            if least is not None:
                said += _(" from %(least)s") % {"least": least}
            if most is not None:
                said += _(" to %(most)s") % {"most": most}
        case TimestampType():
            said += _("; a date is its last second") if column.ends_day else _("; a date is its first second")
        case PropertiesType():
            said += _(" as JSON, or a column for each, as `%(column)s.…`") % {"column": column.name}
    default = _default(column, field, column_type)
    return said + _("; `%(default)s` unless said") % {"default": default} if default else said


def _default(column: Column, field: Field, column_type: ColumnType) -> str:
    """What a new row has that says nothing."""
    value = column.assumed if column.assumed is not None else field.default
    if isinstance(column_type, BooleanType) and isinstance(value, bool):
        return str(value).lower()
    return str(value) if field.choices and isinstance(value, int) else ""


def _meaning(field: Field) -> str:
    label = str(capfirst(field.verbose_name))
    return f"{label}. {field.help_text}" if field.help_text else f"{label}."


def reference() -> str:
    """Every table and column as a page in Markdown."""
    return "\n".join(
        [
            f"# {_('Tables and columns')}",
            "",
            _("Generated from the product with `%(command)s`. How to use it: [Import](import.md).")
            % {"command": _COMMAND},
            "",
            _(
                "**Needed** is what a new row cannot be without; a row that exists already leaves open what stays. "
                "A **key** says which row it is. Every table may also have the columns `%(note)s`, for remarks, and "
                "`%(errors)s`; both are left out."
            )
            % {"note": cells.NOTE, "errors": cells.ERRORS},
            *(line for sheet in sheets().values() for line in _section(sheet)),
            "",
        ]
    )


def _section(sheet: Sheet) -> Iterator[str]:
    yield from ("", f"## {sheet.name}", "", _rows_of(sheet))
    if reported(sheet):
        names = ", ".join(f"`{name}`" for name in reported(sheet))
        yield from ("", _("Exported, and left out when read: %(names)s.") % {"names": names})
    yield from ("", f"| {_('column')} | | {_('holds')} | {_('meaning')} | {_('example')} |", "|---|---|---|---|---|")
    for column in described(sheet):
        marks = [_("needed")] * column.is_needed + [_("key")] * column.is_key
        also = " " + _("Also understood: %(words)s.") % {"words": ", ".join(column.also)} if column.also else ""
        example = "" if column.example == "" else f"`{_shown(column.example)}`"
        fields = (f"`{column.name}`", ", ".join(marks), column.holds, column.meaning + also, example)
        yield f"| {' | '.join(field.replace('|', '&#124;') for field in fields)} |".replace("|  |", "| |")


def _rows_of(sheet: Sheet) -> str:
    """What the rows are, and by what each is known."""
    own = {heading.name for heading in sheet.headings}
    kinds = [_known_by(tables()[name], own) for name in sheet.tables]
    if len(kinds) > 1:
        return _("Short for several: %(kinds)s.") % {"kinds": "; ".join(kinds)}
    said = f"{capfirst(kinds[0])}."
    if tables()[sheet.tables[0]].has_namesakes:
        said += _(" Of those that have one name, `%(id)s`, as exports write it, says which one is meant.") % {
            "id": ID_COLUMN
        }
    return said


def _known_by(table: Table, columns: set[str]) -> str:
    noun = str(table.model._meta.verbose_name_plural)
    keys = [_(" and ").join(f"`{name}`" for name in key) for key in table.keys if columns.issuperset(key)]
    return noun + _(", known by ") + _(", or else by ").join(keys) if keys else noun


def _shown(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
