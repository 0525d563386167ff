"""How values stand in the cells of files that people edit: read into what fields take, and written so that the same
value comes back.

An empty cell says nothing and `(empty)` says that there is nothing. A text that a spreadsheet would take for a formula,
or that would not come back as it is, is written with an apostrophe before it. Sites are named by their path, as in
`Region North / Campus A`, where a slash within a name is written `\\/`.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable
from typing import Any

import orjson
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext_lazy as _

from bulk.tables import Column, Field
from hierarchy.timestamps import format_timestamp

EMPTY = "(empty)"
SEPARATOR = " / "
# The columns in which people keep remarks, and in which they are told what is wrong. Both are left out.
NOTE, ERRORS = "note", "errors"
# A row whose note says so is there to be looked at.
EXAMPLE = "example"

_FORMULA = tuple("=+-@\t\r")
_TRUE, _FALSE = frozenset({"true", "yes", "1", "x"}), frozenset({"false", "no", "0"})
# More digits than a spreadsheet's numbers hold.
_LONG = 10**15
_PART = re.compile(r"((?:\\.|[^/])*)(?:/|$)", re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


class Nothing:
    """What an empty cell says."""


def read(cell: Any) -> Any:
    """What a cell says: a value, None for `(empty)`, or `Nothing` where it is empty."""
    if cell is None:
        return Nothing
    if not isinstance(cell, str):
        return cell
    if cell[:1] == "'" and _needs_escape(cell[1:]):
        return cell[1:]
    text = cell.strip()
    if not text:
        return Nothing
    return None if text.lower() == EMPTY else text


def write(value: Any) -> Any:
    """The cell for a value that `shown` gave."""
    if isinstance(value, str):
        return f"'{value}" if _needs_escape(value) else value
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= _LONG:
        return str(value)
    return value


def _needs_escape(text: str) -> bool:
    return bool(text) and (
        text.startswith(_FORMULA)
        or text.strip() != text
        or text.lower() == EMPTY
        or (text[0] == "'" and _needs_escape(text[1:]))
    )


def shown(column: Column, field: Field, value: Any) -> Any:
    """A value of a field as people read it in a cell: a text, a number, a truth value, or None for nothing."""
    if value is None or value == "":
        return None
    if column.show is not None:
        return column.show(value)
    return plain(value)


def plain(value: Any) -> Any:
    """A value as a cell can hold it, whatever its field."""
    if isinstance(value, datetime.datetime):
        return format_timestamp(value)
    if isinstance(value, list):
        return _joined(value) if value else None
    if isinstance(value, dict):
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode() if value else None
    return value


def _joined(texts: list[str]) -> str:
    """A list of texts, separated by commas where that is enough to take it apart again."""
    text = ", ".join(texts)
    is_plain = not text.startswith("[") and _split(text) == texts
    return text if is_plain else orjson.dumps(texts).decode()


def _split(text: str) -> Any:
    if text.lstrip().startswith("["):
        return orjson.loads(text)
    return [part.strip() for part in text.split(",") if part.strip()]


def value_of(column: Column, field: Field, value: Any, zone: datetime.tzinfo) -> Any:
    """What the field's own validation takes, of what a cell or a JSON document says.

    `zone` is that of moments without an offset. Raises ValidationError for what cannot be meant.
    """
    if column.parse is not None:
        return column.parse(value)
    if isinstance(field, models.BooleanField):
        return _truth(value)
    if isinstance(field, models.IntegerField):
        return _whole(value)
    if isinstance(field, models.FloatField):
        return _number(value)
    if isinstance(field, models.DateTimeField):
        return _moment(value, zone, at_end=column.ends_day)
    if isinstance(field, models.JSONField):
        return _structure(field, value)
    return text_of(value)


def text_of(value: Any) -> str:
    """A text, also where a spreadsheet made a number, a date or a truth value of it."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < _LONG:
        return str(int(value))
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    raise ValidationError(_("Must be a text."), code="not_a_text")


def _truth(value: Any) -> bool:
    word = text_of(value).strip().lower()
    if word in _TRUE or word in _FALSE:
        return word in _TRUE
    raise ValidationError(_("Is neither true nor false: write one of them."), code="not_a_boolean")


def _whole(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValidationError(_("Must be a whole number."), code="not_a_number")
    if isinstance(value, float):
        if not value.is_integer():
            raise ValidationError(_("Must be a whole number."), code="not_a_number")
        return int(value)
    if isinstance(value, str):
        if not re.fullmatch(r"[+-]?[0-9]{1,20}", value.strip()):
            raise ValidationError(_("Must be a whole number, as in 4."), code="not_a_number")
        return int(value)
    if isinstance(value, int) and abs(value) < 10**20:
        return value
    raise ValidationError(_("Must be a whole number."), code="not_a_number")


def _number(value: Any) -> Any:
    """A number; in a text with a comma or a point before its decimals."""
    if isinstance(value, str):
        text = value.strip()
        if not re.fullmatch(r"[+-]?[0-9]{1,20}([.,][0-9]{1,40})?([eE][+-]?[0-9]{1,3})?", text):
            raise ValidationError(_("Must be a number, as in 52.3702."), code="not_a_number")
        return float(text.replace(",", "."))
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValidationError(_("Must be a number, as in 52.3702."), code="not_a_number")
    return value


def _moment(value: Any, zone: datetime.tzinfo, at_end: bool) -> datetime.datetime:
    """A moment. A day alone is its beginning, and its last second where something ends."""
    found: Any = value
    if isinstance(value, str):
        text = value.strip()
        try:
            found = parse_datetime(text) if len(text) > len("2026-01-01") else parse_date(text)
        except ValueError:
            found = None
    if isinstance(found, datetime.datetime) and not isinstance(value, str) and found.time() == datetime.time():
        found = found.date()
    if isinstance(found, datetime.date) and not isinstance(found, datetime.datetime):
        found = datetime.datetime.combine(found, datetime.time(23, 59, 59) if at_end else datetime.time())
    if not isinstance(found, datetime.datetime):
        raise ValidationError(_("Must be a day or a moment, as in 2026-06-01 or 2026-06-01T12:00:00Z."), code="moment")
    try:
        return (found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(datetime.UTC)
    except (OverflowError, ValueError) as error:
        raise ValidationError(_("Is too far from now to be a moment."), code="out_of_range") from error


def _structure(field: Field, value: Any) -> Any:
    """A list of texts, or an object of texts."""
    if not isinstance(value, str):
        return value
    try:
        return _split(value) if field.default is list else orjson.loads(value)
    except orjson.JSONDecodeError as error:
        example = '["one", "two"]' if field.default is list else '{"owner": "City"}'
        raise ValidationError(
            _("Is not well-formed JSON: write it as in %(example)s."), code="json", params={"example": example}
        ) from error


def mark(value: Any) -> int:
    """The id by which a row is told from others of its name; 0 for what is none."""
    text = str(value)
    return int(text) if text.isdecimal() and len(text) <= 18 else 0


def path_text(names: Iterable[str]) -> str:
    """The path of a site as it stands in a cell."""
    return SEPARATOR.join(name.replace("\\", "\\\\").replace("/", "\\/") for name in names)


def path_names(text: str) -> list[str]:
    """The names of a path, taken apart; a slash at its beginning says that it is a path."""
    parts = [found.group(1) for found in _PART.finditer(text.removeprefix("/")) if found.group()]
    return [_ESCAPED.sub(r"\1", part).strip() for part in parts]
