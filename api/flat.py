"""The keys of flat objects: each is one column, read into JSON, written from it, and compared with it in lists.

A flat serializer names the column of every key; the type, what may be null and what must be given follow from the
model. What a value must be beyond its JSON type, the column's own validators say, and the services.
"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Mapping
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator, MaxValueValidator, MinValueValidator, URLValidator
from django.db import models
from django.utils.dateparse import parse_datetime
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from drf_spectacular.drainage import set_override
from rest_framework import serializers

from api import inputs, wire
from api.parameters import WHOLE_NUMBER, is_int64
from api.wire import WireField
from hierarchy.timestamps import format_timestamp, parse_timestamp

# In characters, of a text with which a column is compared.
_LONGEST = 4000
_BOUNDS: dict[type, str] = {MinValueValidator: "minimum", MaxValueValidator: "maximum"}
_FORMATS: dict[type, str] = {EmailValidator: "email", URLValidator: "uri"}


class FlatField(WireField):
    """One key. `json_types` are the types of JSON value that it takes, as Python has them."""

    json_types: ClassVar[tuple[type, ...]] = (str,)
    expected: ClassVar[Any] = _("Must be a text.")
    schema: ClassVar[dict[str, Any]] = {"type": "string"}
    example: ClassVar[Any] = ""
    # Whether lists are filtered and ordered by it.
    is_comparable: ClassVar[bool] = True
    # What lists are filtered by.
    lookups: ClassVar[tuple[str, ...]] = ("exact", "in")

    def __init__(self, model_field: Any, *, is_input: bool = False, **kwargs: Any) -> None:
        self.model_field = model_field
        self.is_input = is_input
        super().__init__(**kwargs)
        if is_input:
            self.allow_null = self.is_clearable
        set_override(self, "field", self._described())

    def _described(self) -> dict[str, Any]:
        described = dict(self.schema)
        choices = self.choices_there_are
        if choices:
            described["enum"] = [*choices, None] if self.allow_null else choices
        elif self.model_field.max_length and self.json_types == (str,):
            described["maxLength"] = self.model_field.max_length
        return described | self._bounds() if self.is_input and not self.read_only else described

    def _bounds(self) -> dict[str, Any]:
        """What the column's validators ask of what comes in, as far as a schema can say it."""
        column = self.model_field
        # Those that are declared: Django adds what the database at hand can hold.
        bounds = {_BOUNDS[type(one)]: one.limit_value for one in column._validators if type(one) in _BOUNDS}
        if column.blank:
            return bounds
        for one in (*column.default_validators, *column._validators):
            bounds |= {"format": _FORMATS[type(one)]} if type(one) in _FORMATS else {}
        return bounds | ({"minLength": 1} if self.json_types == (str,) and not column.flatchoices else {})

    @cached_property
    def _key_field(self) -> Any:
        """The column that holds the comparison key of this one, if one does."""
        columns = self.model_field.model._meta.concrete_fields
        return next((column for column in columns if getattr(column, "of", None) == self.model_field.name), None)

    @property
    def compared(self) -> Any:
        """The column by which rows are compared."""
        return self._key_field or self.model_field

    @property
    def path(self) -> str:
        """The way from a row to the column by which it is compared."""
        *steps, last = str(self.source).split(".")
        return "__".join([*steps, self._key_field.name if self._key_field else last])

    @property
    def takes_null(self) -> bool:
        """Whether `null` in an address is none, and not a text."""
        return self.model_field.null and self.schema["type"] == "integer"

    @property
    def comparison_schema(self) -> dict[str, Any]:
        """The schema of what it is compared with in an address."""
        known = self.choices_there_are
        described = self.schema | ({"enum": known} if known else {})
        return {"anyOf": [described, {"type": "string", "const": "null"}]} if self.takes_null else described

    @property
    def is_clearable(self) -> bool:
        """Whether null, or nothing, may stand there."""
        column = self.model_field
        return column.null or (column.blank and column.has_default() and self.empty in column.empty_values)

    @property
    def empty(self) -> Any:
        """What stands in the column where there is nothing."""
        return None if self.model_field.null else self.model_field.get_default()

    def run_validation(self, data: Any = serializers.empty) -> Any:
        if data is not None:
            return super().run_validation(data)
        if not self.is_clearable:
            raise ValidationError(_("Must have a value: null takes it away."), code="null")
        return self.empty

    def to_internal_value(self, data: Any) -> Any:
        """The column's value for a JSON value; raises ValidationError."""
        if type(data) not in self.json_types:
            raise ValidationError(self.expected, code="invalid")
        return self.model_field.clean(self.read(data), None)

    def read(self, data: Any) -> Any:
        """What the column takes for a JSON value of the right type."""
        return data

    def match(self, value: Any) -> Any:
        """What to compare a row's column with, to find those that have `value`."""
        return self._key_field.key(value) if self._key_field else value

    def parse(self, text: str) -> Any:
        """The value that a text in an address stands for, as it is compared; raises ValidationError."""
        raise NotImplementedError

    @property
    def choices_there_are(self) -> list[Any]:
        """What may stand in the column, where it is one of a few; empty otherwise."""
        return [value for value, _label in self.model_field.flatchoices]

    def check_choice(self, value: Any) -> Any:
        """The value, which must be one that the column can have; raises ValidationError."""
        known = self.choices_there_are
        if known and value not in known:
            raise ValidationError(_("Must be one of %s.") % ", ".join(map(str, known)), code="invalid_choice")
        return value

    def from_journal(self, value: Any) -> Any:
        """The JSON value for what the journal keeps of the column."""
        return self.empty if value is None else value


class Line(FlatField):
    """A text."""

    @property
    def comparison_schema(self) -> dict[str, Any]:
        return super().comparison_schema | ({} if self.choices_there_are else {"maxLength": _LONGEST})

    def parse(self, text: str) -> Any:
        if len(text) > _LONGEST or not text.isprintable():
            code = "unprintable" if len(text) <= _LONGEST else "too_long"
            raise ValidationError(_("Must have at most 4,000 printable characters."), code=code)
        return self.match(self.check_choice(text))


class Whole(FlatField):
    """A whole number, not a text of digits and not 1.0."""

    json_types: ClassVar[tuple[type, ...]] = (int,)
    expected = _("Must be a whole number.")
    schema = {"type": "integer", "format": "int64"}
    example = 1

    def parse(self, text: str) -> Any:
        if self.takes_null and text == "null":
            return None
        if not WHOLE_NUMBER.fullmatch(text) or not is_int64(int(text)):
            raise ValidationError(_("Must be a whole number of at most 19 digits."), code="invalid")
        return self.check_choice(int(text))


class NamedNumber(Whole):
    """A whole number that comes in by its name as well, as `choices` (a class of IntegerChoices) has it."""

    json_types: ClassVar[tuple[type, ...]] = (int, str)
    choices: ClassVar[type[models.IntegerChoices]]

    def _described(self) -> dict[str, Any]:
        described = super()._described()
        if self.is_input:
            described["type"] = ["integer", "string"]
            described["enum"] = [*described["enum"], *self.choices.__members__]
        return described | {"description": ", ".join(f"{kind.value} {kind.name}" for kind in self.choices)}

    @property
    def comparison_schema(self) -> dict[str, Any]:
        names = [*self.choices.__members__, *(["null"] if self.takes_null else [])]
        return {"type": ["integer", "string"], "enum": [*self.choices.values, *names]}

    def read(self, data: Any) -> Any:
        if isinstance(data, str):
            name = data.strip().upper()
            if name not in self.choices.__members__:
                raise ValidationError(
                    _("Must be one of %s, by number or by name.")
                    % ", ".join(f"{kind.name} ({kind.value})" for kind in self.choices),
                    code="invalid_choice",
                )
            return self.choices[name].value
        return data

    def parse(self, text: str) -> Any:
        is_name = text != "null" and not WHOLE_NUMBER.fullmatch(text)
        return self.read(text) if is_name else super().parse(text)


class Reference(Whole):
    """The id of another row; a new one must be one that the caller can see."""

    expected = _("Must be the id of one that you can see, a whole number.")

    def to_internal_value(self, data: Any) -> Any:
        if type(data) is not int:
            raise ValidationError(self.expected, code="invalid")
        model = self.model_field.related_model
        seen: set[tuple[Any, int]] = self.context["seen"]
        if (model, data) not in seen:
            rows = model._default_manager.visible_to(self.context["scope"])
            if not is_int64(data) or not rows.filter(pk=data).exists():
                raise ValidationError(_("Is unknown: choose one that you can see."), code="unknown")
            seen.add((model, data))
        return data


class Truth(FlatField):
    """true or false."""

    json_types = (bool,)
    expected = _("Must be true or false.")
    schema = {"type": "boolean"}
    example = False
    lookups = ("exact",)

    def parse(self, text: str) -> Any:
        if text.lower() not in ("true", "false"):
            raise ValidationError(self.expected, code="not_a_boolean")
        return text.lower() == "true"


class Number(FlatField):
    """A number."""

    json_types = (int, float)
    expected = _("Must be a number.")
    schema = {"type": "number", "format": "double"}
    example = 52.0907
    lookups = ("gte", "lte")

    def parse(self, text: str) -> Any:
        is_decimal = re.fullmatch(r"-?[0-9]{1,30}(\.[0-9]{1,30})?([eE][-+]?[0-9]{1,3})?", text, re.ASCII)
        number = float(text) if is_decimal else math.nan
        if not math.isfinite(number):
            raise ValidationError(self.expected, code="invalid")
        return number


class Moment(FlatField):
    """A moment in UTC."""

    encode = staticmethod(format_timestamp)
    column = staticmethod(wire.MomentText)
    expected = inputs.MOMENT_EXPECTED
    schema = {"type": "string", "format": "date-time"}
    example = "2026-06-01T12:00:00Z"
    lookups = ("gte", "lt")

    def read(self, data: Any) -> Any:
        moment = parse_timestamp(data)
        if moment is None:
            raise ValidationError(self.expected, code="invalid")
        return moment

    def parse(self, text: str) -> Any:
        return self.read(text)

    def from_journal(self, value: Any) -> Any:
        moment = parse_datetime(value) if value else None
        return format_timestamp(moment) if moment else None


class Texts(FlatField):
    """A list of texts."""

    json_types = (list,)
    expected = _('Must be a list of texts, as in ["one", "two"].')
    schema = {"type": "array", "items": {"type": "string", "minLength": 1, "maxLength": 255}, "uniqueItems": True}
    example: ClassVar[Any] = []
    is_comparable = False
    column = staticmethod(wire.json_text)
    decode = staticmethod(wire.Texts.decode)


class Properties(FlatField):
    """An object of texts, its names sorted."""

    json_types = (dict,)
    expected = _('Must be an object of texts, as in {"owner": "City"}.')
    schema = {
        "type": "object",
        "propertyNames": {"minLength": 1, "maxLength": 255},
        "additionalProperties": {"type": "string", "maxLength": 4000},
    }
    example: ClassVar[Any] = {}
    is_comparable = False
    encode = staticmethod(wire.Properties.encode)
    column = staticmethod(wire.json_text)
    decode = staticmethod(wire.Properties.decode)

    def from_journal(self, value: Any) -> Any:
        return dict(sorted((value or {}).items()))


# From the special to the general.
_CLASSES: tuple[tuple[type[Any], type[FlatField]], ...] = (
    (models.ForeignKey, Reference),
    (models.BooleanField, Truth),
    (models.DateTimeField, Moment),
    (models.FloatField, Number),
    (models.IntegerField, Whole),
    (models.CharField, Line),
    (models.TextField, Line),
)


def _class_for(column: Any) -> type[FlatField]:
    if isinstance(column, models.JSONField):
        return Properties if column.default is dict else Texts
    return next(flat for kind, flat in _CLASSES if isinstance(column, kind))


class FlatSerializer(serializers.Serializer[Any]):
    """A flat object: one row of `model`; `keys` says the column of each key.

    `kind` is what clients call it, `noun` and `nouns` what people do.

    Columns that are not editable, and those of other rows, are only read.
    `classes`: fields of keys whose column does not say enough. `sample`: values for the documentation, also of keys
    that only nested objects of the kind have; `sample_above`: those of one that holds it, where they form a tree.
    """

    model: ClassVar[Any]
    kind: ClassVar[str]
    noun: ClassVar[str]
    nouns: ClassVar[str]
    keys: ClassVar[Mapping[str, str]]
    classes: ClassVar[Mapping[str, type[FlatField]]] = {}
    sample: ClassVar[Mapping[str, Any]] = {}
    sample_above: ClassVar[Mapping[str, Any]] = {}

    # Whether it is what comes in; and the keys that must be there then, None for those that the model needs.
    is_input: ClassVar[bool] = False
    needed: ClassVar[frozenset[str] | None] = frozenset()

    # All kinds there are, by the names of their models.
    kinds: ClassVar[dict[str, type[FlatSerializer]]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if not cls.is_input:
            cls.kinds[cls.model._meta.model_name] = cls

    @classmethod
    @functools.cache
    def all_fields(cls) -> dict[str, Any]:
        """The fields by key."""
        return dict(cls().fields)

    @classmethod
    def own_fields(cls) -> dict[str, Any]:
        """The fields by key whose columns are the row's own, not another row's."""
        return {key: field for key, field in cls.all_fields().items() if "." not in field.source}

    def get_fields(self) -> dict[str, Any]:
        columns = {**self.keys, "version": "version", "createdAt": "created_at", "updatedAt": "updated_at"}
        return {key: self._field(key, source) for key, source in columns.items()}

    def _field(self, key: str, source: str) -> FlatField:
        *steps, last = source.split(".")
        model = self.model
        for step in steps:
            model = model._meta.get_field(step).related_model
        column = model._meta.get_field(last)
        source = ".".join([*steps, column.attname])
        options = {
            "source": source if source != key else None,
            "allow_null": column.null,
            "help_text": column.help_text or None,
        }
        if self.is_input:
            own = bool(steps) or column.primary_key or not column.editable
            required = key in self.needed if self.needed is not None else not (own or _is_optional(column))
            options |= {"required": required, "read_only": own and not required}
        return (self.classes.get(key) or _class_for(column))(column, is_input=self.is_input, **options)

    @classmethod
    @functools.cache
    def creation(cls) -> type[FlatSerializer]:
        """What comes in to make such an object."""
        return cls._input("Creation", None)

    @classmethod
    @functools.cache
    def change(cls, *needed: str) -> type[FlatSerializer]:
        """What comes in to change such an object; `needed` are the keys that say which, where the address does not."""
        return cls._input("ChangeOfOne" if needed else "Change", frozenset(needed))

    @classmethod
    def _input(cls, suffix: str, needed: frozenset[str] | None) -> type[FlatSerializer]:
        name = cls.__name__.removesuffix("Serializer") + suffix
        return type(name, (cls,), {"is_input": True, "needed": needed, "__doc__": cls.__doc__})

    @classmethod
    def example(cls) -> dict[str, Any]:
        """Such an object for the documentation."""
        return {
            key: cls.sample.get(key, None if field.allow_null else field.example)
            for key, field in cls.all_fields().items()
            if not field.read_only
        }

    @classmethod
    def change_example(cls) -> dict[str, Any]:
        """A change of such an object for the documentation."""
        fields = cls.change().all_fields()
        own = [(key, value) for key, value in cls.sample.items() if key in fields and not fields[key].read_only]
        return dict(own[-1:])


def _is_optional(column: Any) -> bool:
    return column.has_default() or column.null or column.blank
