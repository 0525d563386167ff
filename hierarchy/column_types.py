"""The types of columns: how a value is read and written, as JSON, in a URL and in a cell of a file.

One class a type. `type_of` gives that of a model's field; what a value must be beyond its type, the field's own
validators say. A noun's `columns.py` declares its columns.
"""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, TypeAlias

import orjson
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Func, TextField
from django.db.models.functions import Cast
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext_lazy as _

from hierarchy.timestamps import TIMESTAMP_EXPECTED, format_timestamp, parse_timestamp

Field: TypeAlias = "models.Field[Any, Any]"

# In characters, of a string in a URL with which a column is compared.
LONGEST = 4000
# More digits than a spreadsheet's numbers hold.
SPREADSHEET_LIMIT = 10**15
_TRUE, _FALSE = frozenset({"true", "yes", "1", "x"}), frozenset({"false", "no", "0"})
_INTEGER = re.compile(r"-?[0-9]{1,19}", re.ASCII)
_SMALLEST, _BIGGEST = -(2**63), 2**63 - 1


class ColumnType:
    """A type, of the column `field`. Reading raises ValidationError.

    `json_types`: the JSON values that it takes, as Python has them. `schema`: its OpenAPI schema. `words`: what people
    are told that a cell holds. `excel_format`: how spreadsheets show it. `lookups`: by what lists are filtered;
    `is_comparable`: whether they are filtered and ordered by it.

    Spreadsheets keep texts as they are typed ("@"): they would make a number of a card's 04112233, and 3E7 of its
    30000000. Not every program shows a boolean in words unless it is told to.
    """

    name: ClassVar[str] = "string"
    words: ClassVar[Any] = _("text")
    json_types: ClassVar[tuple[type, ...]] = (str,)
    expected: ClassVar[Any] = _("Must be a string.")
    schema: ClassVar[dict[str, Any]] = {"type": "string"}
    example: ClassVar[Any] = ""
    excel_format: ClassVar[str] = "@"
    is_comparable: ClassVar[bool] = True
    # Whether it is read as null although the field never is.
    is_nullable: ClassVar[bool] = False
    lookups: ClassVar[tuple[str, ...]] = ("exact", "in")

    # Makes the JSON value of a value of the field, and of what `select` gives. None: it is that already.
    encode: ClassVar[Any] = None
    decode: ClassVar[Any] = None

    def __init__(self, field: Field) -> None:
        self.field = field

    @staticmethod
    def select(path: str) -> str | Func:
        """What to select from the database for the value at `path`."""
        return path

    @property
    def choices(self) -> list[Any]:
        """The values that the column can have, where they are a few; empty otherwise."""
        return [value for value, _label in self.field.flatchoices]

    def check_choice(self, value: Any) -> Any:
        """The value, which must be one of `choices`, if there are any."""
        if self.choices and value not in self.choices:
            raise ValidationError(_("Must be one of %s.") % ", ".join(map(str, self.choices)), code="invalid_choice")
        return value

    def parse_json(self, data: Any) -> Any:
        """The field's value for a JSON value."""
        if type(data) not in self.json_types:
            raise ValidationError(self.expected, code="invalid")
        return self.field.clean(self.read_json(data), None)

    def read_json(self, data: Any) -> Any:
        """What the field takes for a JSON value of the right type."""
        return data

    def to_json(self, value: Any) -> Any:
        """The JSON value for a value of the field that is not null."""
        return value if self.encode is None else self.encode(value)

    def from_journal(self, value: Any, empty: Any) -> Any:
        """The JSON value for what the journal keeps of the column."""
        return empty if value is None else value

    def parse_url(self, text: str) -> Any:
        """The value that a string in a URL stands for."""
        raise NotImplementedError

    def parse_cell(self, value: Any, zone: datetime.tzinfo, *, ends_day: bool = False) -> Any:
        """What the field's validation takes, for what a cell of a file says.

        `zone` is that of timestamps without an offset; with `ends_day`, a day alone is its last second.
        """
        return cell_text(value)

    def to_cell(self, value: Any) -> Any:
        """The value as people read it in a cell: a text, a number, a boolean, or None for nothing."""
        return None if value is None or value == "" else self.write_cell(value)

    def write_cell(self, value: Any) -> Any:
        """The same for a value that there is."""
        return cell_value(value)

    @property
    def cell_choices(self) -> list[str]:
        """What may be written in a cell, where it is one of a few."""
        return [str(self.to_cell(value)) for value in self.choices]


class StringType(ColumnType):
    def parse_url(self, text: str) -> Any:
        if len(text) > LONGEST or not text.isprintable():
            code = "unprintable" if len(text) <= LONGEST else "too_long"
            raise ValidationError(_("Must have at most 4,000 printable characters."), code=code)
        return self.check_choice(text)


class IntegerType(ColumnType):
    """An integer, not a string of digits and not 1.0."""

    name = "integer"
    words = _("integer")
    json_types: ClassVar[tuple[type, ...]] = (int,)
    expected = _("Must be an integer.")
    schema = {"type": "integer", "format": "int64"}
    example = 1
    excel_format = "General"

    def parse_url(self, text: str) -> Any:
        if not _INTEGER.fullmatch(text) or not is_int64(int(text)):
            raise ValidationError(_("Must be an integer of at most 19 digits."), code="invalid")
        return self.check_choice(int(text))

    def parse_cell(self, value: Any, zone: datetime.tzinfo, *, ends_day: bool = False) -> Any:
        if isinstance(value, float) and value.is_integer():
            return int(value)
        if isinstance(value, str):
            if not re.fullmatch(r"[+-]?[0-9]{1,20}", value.strip()):
                raise ValidationError(_("Must be an integer, such as 4."), code="not_a_number")
            return int(value)
        if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**20:
            return value
        raise ValidationError(_("Must be an integer."), code="not_a_number")


class NamedIntegerType(IntegerType):
    """An integer that is read by its name as well, as `names` (a class of IntegerChoices) has it; cells show names."""

    json_types: ClassVar[tuple[type, ...]] = (int, str)
    names: ClassVar[type[models.IntegerChoices]]

    @classmethod
    def of(cls, names: type[models.IntegerChoices]) -> type[NamedIntegerType]:
        return type(f"{names.__name__}Type", (cls,), {"names": names, "example": names.values[1]})

    def read_json(self, data: Any) -> Any:
        return self._named(data) if isinstance(data, str) else data

    def parse_url(self, text: str) -> Any:
        return super().parse_url(text) if _INTEGER.fullmatch(text) else self._named(text)

    def parse_cell(self, value: Any, zone: datetime.tzinfo, *, ends_day: bool = False) -> Any:
        is_name = isinstance(value, str) and not value.strip().isdigit()
        return self._named(value) if is_name else super().parse_cell(value, zone)

    def write_cell(self, value: Any) -> Any:
        return self.names(value).name

    def _named(self, text: str) -> int:
        name = text.strip().upper()
        if name not in self.names.__members__:
            known = ", ".join(f"{kind.name} ({kind.value})" for kind in self.names)
            raise ValidationError(_("Must be one of %s, by number or by name.") % known, code="invalid_choice")
        return int(self.names[name].value)


class ForeignKeyType(IntegerType):
    """The id of another row."""

    name = "reference"
    words = _("reference to")
    expected = _("Must be the ID, an integer, of an object you have access to.")
    excel_format = "@"


class BooleanType(ColumnType):
    name = "boolean"
    words = _("true or false")
    json_types: ClassVar[tuple[type, ...]] = (bool,)
    expected = _("Must be true or false.")
    schema = {"type": "boolean"}
    example = False
    excel_format = '"TRUE";"TRUE";"FALSE"'
    lookups = ("exact",)

    def parse_url(self, text: str) -> Any:
        if text.lower() not in ("true", "false"):
            raise ValidationError(self.expected, code="not_a_boolean")
        return text.lower() == "true"

    def parse_cell(self, value: Any, zone: datetime.tzinfo, *, ends_day: bool = False) -> Any:
        word = cell_text(value).strip().lower()
        if word in _TRUE or word in _FALSE:
            return word in _TRUE
        raise ValidationError(_("Must be true or false."), code="not_a_boolean")

    @property
    def cell_choices(self) -> list[str]:
        return ["TRUE", "FALSE"]


class NumberType(ColumnType):
    name = "number"
    words = _("number")
    json_types: ClassVar[tuple[type, ...]] = (int, float)
    expected = _("Must be a number.")
    schema = {"type": "number", "format": "double"}
    example = 52.0907
    excel_format = "General"
    lookups = ("gte", "lte")

    def parse_url(self, text: str) -> Any:
        is_decimal = re.fullmatch(r"-?[0-9]{1,30}(\.[0-9]{1,30})?([eE][-+]?[0-9]{1,3})?", text, re.ASCII)
        number = float(text) if is_decimal else math.nan
        if not math.isfinite(number):
            raise ValidationError(self.expected, code="invalid")
        return number

    def parse_cell(self, value: Any, zone: datetime.tzinfo, *, ends_day: bool = False) -> Any:
        """In a text with a comma or a point before its decimals."""
        if isinstance(value, str):
            text = value.strip()
            if re.fullmatch(r"[+-]?[0-9]{1,20}([.,][0-9]{1,40})?([eE][+-]?[0-9]{1,3})?", text):
                return float(text.replace(",", "."))
        elif isinstance(value, int | float) and not isinstance(value, bool):
            return value
        raise ValidationError(_("Must be a number, such as 52.3702."), code="not_a_number")


class TimestampText(Func):
    """What `format_timestamp` makes of a column, made by the database: no value is built and taken apart."""

    output_field = TextField()

    def as_sqlite(self, compiler: Any, connection: Any, **kwargs: Any) -> Any:
        # Per cent signs are halved twice on their way: by the template and by the cursor.
        pattern = "%Y-%m-%dT%H:%M:%fZ".replace("%", "%%%%")
        text = f"strftime('{pattern}', %(expressions)s)"
        return self.as_sql(compiler, connection, template=f"replace({text}, '.000Z', 'Z')", **kwargs)

    def as_postgresql(self, compiler: Any, connection: Any, **kwargs: Any) -> Any:
        text = "to_char(%(expressions)s AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')"
        return self.as_sql(compiler, connection, template=f"replace({text}, '.000Z', 'Z')", **kwargs)


class TimestampType(ColumnType):
    """A date and time in UTC."""

    name = "timestamp"
    words = _("date or time")
    expected = TIMESTAMP_EXPECTED
    schema = {"type": "string", "format": "date-time"}
    example = "2026-06-01T12:00:00Z"
    excel_format = "yyyy-mm-dd"
    lookups = ("gte", "lt")
    encode = staticmethod(format_timestamp)

    @staticmethod
    def select(path: str) -> str | Func:
        return TimestampText(path)

    def read_json(self, data: Any) -> Any:
        timestamp = parse_timestamp(data)
        if timestamp is None:
            raise ValidationError(self.expected, code="invalid")
        return timestamp

    def parse_url(self, text: str) -> Any:
        return self.read_json(text)

    def from_journal(self, value: Any, empty: Any) -> Any:
        timestamp = parse_datetime(value) if value else None
        return format_timestamp(timestamp) if timestamp else None

    def parse_cell(self, value: Any, zone: datetime.tzinfo, *, ends_day: bool = False) -> Any:
        """A day alone is its first second, or its last."""
        found: Any = value
        if isinstance(value, str):
            text = value.strip()
            try:
                found = parse_datetime(text) if len(text) > len("2026-01-01") else parse_date(text)
            except ValueError:
                found = None
        found = _without_midnight(found) if not isinstance(value, str) else found
        if isinstance(found, datetime.date) and not isinstance(found, datetime.datetime):
            found = datetime.datetime.combine(found, datetime.time(23, 59, 59) if ends_day else datetime.time())
        if not isinstance(found, datetime.datetime):
            message = _("Must be a date or a time, such as 2026-06-01 or 2026-06-01T12:00:00Z.")
            raise ValidationError(message, code="moment")
        try:
            return (found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(datetime.UTC)
        except (OverflowError, ValueError) as error:
            raise ValidationError(_("Out of range."), code="out_of_range") from error


class DateType(ColumnType):
    """A date, without a time and so without a time zone."""

    name = "date"
    words = _("date")
    expected = _("Must be a date, such as 2026-06-01.")
    schema = {"type": "string", "format": "date"}
    example = "2026-06-01"
    excel_format = "yyyy-mm-dd"
    lookups = ("exact", "gte", "lte")
    encode = staticmethod(datetime.date.isoformat)

    @staticmethod
    def select(path: str) -> str | Func:
        # Both databases write a date as ISO 8601 does.
        return Cast(path, TextField())

    def read_json(self, data: Any) -> Any:
        date = _iso_date(data)
        if date is None:
            raise ValidationError(self.expected, code="invalid")
        return date

    def parse_url(self, text: str) -> Any:
        return self.read_json(text)

    def parse_cell(self, value: Any, zone: datetime.tzinfo, *, ends_day: bool = False) -> Any:
        found = _iso_date(value.strip()) if isinstance(value, str) else _without_midnight(value)
        if not isinstance(found, datetime.date) or isinstance(found, datetime.datetime):
            raise ValidationError(self.expected, code="date")
        return found


class StringListType(ColumnType):
    name = "list"
    words = _("list of texts, separated by commas")
    json_types: ClassVar[tuple[type, ...]] = (list,)
    expected = _('Must be a list of strings, such as ["one", "two"].')
    schema = {"type": "array", "items": {"type": "string", "minLength": 1, "maxLength": 255}, "uniqueItems": True}
    example: ClassVar[Any] = []
    is_comparable = False
    decode = staticmethod(orjson.loads)

    @staticmethod
    def select(path: str) -> str | Func:
        return json_text(path)

    def parse_cell(self, value: Any, zone: datetime.tzinfo, *, ends_day: bool = False) -> Any:
        return _parsed(_split, value, '["one", "two"]')


class PropertiesType(ColumnType):
    """An object of strings, its names sorted."""

    name = "object"
    words = _("object of texts")
    json_types: ClassVar[tuple[type, ...]] = (dict,)
    expected = _('Must be an object of strings, such as {"owner": "City"}.')
    schema = {
        "type": "object",
        "propertyNames": {"minLength": 1, "maxLength": 255},
        "additionalProperties": {"type": "string", "maxLength": 4000},
    }
    example: ClassVar[Any] = {}
    is_comparable = False
    encode = staticmethod(lambda properties: dict(sorted(properties.items())))
    decode = staticmethod(lambda text: dict(sorted(orjson.loads(text).items())))

    @staticmethod
    def select(path: str) -> str | Func:
        return json_text(path)

    def from_journal(self, value: Any, empty: Any) -> Any:
        return self.to_json(value or {})

    def parse_cell(self, value: Any, zone: datetime.tzinfo, *, ends_day: bool = False) -> Any:
        return _parsed(orjson.loads, value, '{"owner": "City"}')


# From the special to the general.
_TYPES: tuple[tuple[type[Any], type[ColumnType]], ...] = (
    (models.ForeignKey, ForeignKeyType),
    (models.BooleanField, BooleanType),
    (models.DateTimeField, TimestampType),
    (models.DateField, DateType),
    (models.FloatField, NumberType),
    (models.IntegerField, IntegerType),
    (models.CharField, StringType),
    (models.TextField, StringType),
)


def type_of(field: Any) -> type[ColumnType]:
    """The type of a model's field."""
    if isinstance(field, models.JSONField):
        return PropertiesType if field.default is dict else StringListType
    return next(found for kind, found in _TYPES if isinstance(field, kind))


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a model, as the API and the files of bulk imports know it.

    `name` is the heading in files, and the key in the API unless `key` says another; `field` is the model's field, and
    `source` that of another row which the API shows instead, as `charger.charger_id`. `refers_to` names the table in
    which files look up a reference by its natural key. `assumed` is the value of a part of the natural key that a row
    leaves open. With `ends_day` a day alone is its last second. `type` is for columns whose field does not say enough.
    """

    name: str
    field: str
    key: str = ""
    source: str = ""
    refers_to: str = ""
    example: Any = ""
    assumed: Any = None
    ends_day: bool = False
    type: type[ColumnType] | None = None
    in_api: bool = True
    in_bulk: bool = True


def api_keys(columns: Sequence[Column]) -> dict[str, str]:
    """The keys of the flat object in the API, each with its source."""
    return {column.key or column.name: column.source or column.field for column in columns if column.in_api}


def api_types(columns: Sequence[Column]) -> Mapping[str, type[ColumnType]]:
    """The types of the keys whose field does not say enough."""
    return {column.key or column.name: column.type for column in columns if column.type}


def bulk_columns(columns: Sequence[Column], *, first: Sequence[str] = ()) -> tuple[Column, ...]:
    """The columns of the files, those named in `first` before the others."""
    order = {name: number for number, name in enumerate(first)}
    return tuple(sorted((one for one in columns if one.in_bulk), key=lambda one: order.get(one.name, len(order))))


def is_int64(number: int) -> bool:
    """Whether a column can hold an integer."""
    return _SMALLEST <= number <= _BIGGEST


def json_text(path: str) -> Func:
    """A JSON column as text: orjson reads it several times as quickly as the column's own converter."""
    return Cast(path, TextField())


def cell_text(value: Any) -> str:
    """A text, also where a spreadsheet made a number, a date or a boolean of it."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < SPREADSHEET_LIMIT:
        return str(int(value))
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    raise ValidationError(_("Must be a text."), code="not_a_text")


def cell_value(value: Any) -> Any:
    """A value as a cell can hold it, whatever its column."""
    if isinstance(value, datetime.datetime):
        return format_timestamp(value)
    if isinstance(value, datetime.date):
        return value.isoformat()
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


def _parsed(parse: Callable[[str], Any], value: Any, example: str) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return parse(value)
    except orjson.JSONDecodeError as error:
        message = _("Invalid JSON. Write it as in %(example)s.")
        raise ValidationError(message, code="json", params={"example": example}) from error


def _iso_date(text: str) -> datetime.date | None:
    """The date that a text names as ISO 8601 does; None for any other text."""
    try:
        return parse_date(text) if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text, re.ASCII) else None
    except ValueError:
        return None


def _without_midnight(value: Any) -> Any:
    """The date of a spreadsheet's date and time, where it has no time."""
    is_date = isinstance(value, datetime.datetime) and value.time() == datetime.time()
    return value.date() if is_date else value
