"""The keys of flat objects: each is one column, read into JSON, written from it, and compared with it in lists.

A flat serializer names the column of every key; the type, what may be null and what must be given follow from the
model. What a value must be beyond its JSON type, the column's own validators say, and the services.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator, MaxValueValidator, MinValueValidator, URLValidator
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from drf_spectacular.drainage import set_override
from rest_framework import serializers

from api.wire import WireField
from hierarchy.column_types import (
    LONGEST,
    ColumnType,
    ForeignKeyType,
    NamedIntegerType,
    StringType,
    is_int64,
    type_of,
)

_BOUNDS: dict[type, str] = {MinValueValidator: "minimum", MaxValueValidator: "maximum"}
_FORMATS: dict[type, str] = {EmailValidator: "email", URLValidator: "uri"}


class FlatField(WireField):
    """One key: a column of `column_type`, read into JSON, written from it, and compared with in lists."""

    def __init__(
        self, model_field: Any, *, column_type: type[ColumnType] | None = None, is_input: bool = False, **kwargs: Any
    ) -> None:
        self.model_field = model_field
        self.type = (column_type or type_of(model_field))(model_field)
        self.is_input = is_input
        # What the compiled path of rows asks of a field.
        self.encode, self.decode = self.type.encode, self.type.decode
        self.column = self.type.select  # type: ignore[method-assign]
        if self.type.is_nullable:
            kwargs["allow_null"] = True
        super().__init__(**kwargs)
        if is_input:
            self.allow_null = self.is_clearable
        set_override(self, "field", self._described())

    @property
    def schema(self) -> dict[str, Any]:
        return self.type.schema

    @property
    def example(self) -> Any:
        return self.type.example

    @property
    def is_comparable(self) -> bool:
        """Whether lists are filtered and ordered by it."""
        return self.type.is_comparable

    @property
    def lookups(self) -> tuple[str, ...]:
        """What lists are filtered by."""
        return self.type.lookups

    def _described(self) -> dict[str, Any]:
        described = dict(self.schema)
        choices = self.type.choices
        if choices:
            described["enum"] = [*choices, None] if self.allow_null else choices
        elif self.model_field.max_length and isinstance(self.type, StringType):
            described["maxLength"] = self.model_field.max_length
        if self.is_input and not self.read_only:
            described |= self._bounds()
        if isinstance(self.type, NamedIntegerType):
            names = self.type.names
            if self.is_input:
                described |= {"type": ["integer", "string"], "enum": [*described["enum"], *names.__members__]}
            described["description"] = ", ".join(f"{kind.value} {kind.name}" for kind in names)
        return described

    def _bounds(self) -> dict[str, Any]:
        """What the column's validators ask of what comes in, as far as a schema can say it."""
        column = self.model_field
        # Those that are declared: Django adds what the database at hand can hold.
        bounds = {_BOUNDS[type(one)]: one.limit_value for one in column._validators if type(one) in _BOUNDS}
        if column.blank:
            return bounds
        for one in (*column.default_validators, *column._validators):
            bounds |= {"format": _FORMATS[type(one)]} if type(one) in _FORMATS else {}
        is_string = isinstance(self.type, StringType)
        return bounds | ({"minLength": 1} if is_string and not column.flatchoices else {})

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
        """The path from a row to the column by which it is compared."""
        *steps, last = str(self.source).split(".")
        return "__".join([*steps, self._key_field.name if self._key_field else last])

    @property
    def takes_null(self) -> bool:
        """Whether `null` in a URL is none, and not a string."""
        return self.model_field.null and self.schema["type"] == "integer"

    @property
    def comparison_schema(self) -> dict[str, Any]:
        """The schema of what it is compared with in a URL."""
        if isinstance(self.type, NamedIntegerType):
            names = [*self.type.names.__members__, *(["null"] if self.takes_null else [])]
            return {"type": ["integer", "string"], "enum": [*self.type.names.values, *names]}
        described = self.schema | ({"enum": self.type.choices} if self.type.choices else {})
        if isinstance(self.type, StringType) and not self.type.choices:
            described = described | {"maxLength": LONGEST}
        return {"anyOf": [described, {"type": "string", "const": "null"}]} if self.takes_null else described

    @property
    def is_clearable(self) -> bool:
        """Whether null, or nothing, may be the value."""
        column = self.model_field
        return column.null or (column.blank and column.has_default() and self.empty in column.empty_values)

    @property
    def empty(self) -> Any:
        """The value of the column where there is none."""
        return None if self.model_field.null else self.model_field.get_default()

    def run_validation(self, data: Any = serializers.empty) -> Any:
        if data is not None:
            return super().run_validation(data)
        if not self.is_clearable:
            raise ValidationError(_("Must have a value: it cannot be null."), code="null")
        return self.empty

    def to_internal_value(self, data: Any) -> Any:
        """The column's value for a JSON value; raises ValidationError."""
        return self._visible(data) if isinstance(self.type, ForeignKeyType) else self.type.parse_json(data)

    def _visible(self, data: Any) -> int:
        """The id of a row, which must be one that the caller can see."""
        if type(data) is not int:
            raise ValidationError(self.type.expected, code="invalid")
        model = self.model_field.related_model
        seen: set[tuple[Any, int]] = self.context["seen"]
        if (model, data) not in seen:
            rows = model._default_manager.visible_to(self.context["scope"])
            if not is_int64(data) or not rows.filter(pk=data).exists():
                raise ValidationError(_("Not found, or you have no access to it."), code="unknown")
            seen.add((model, data))
        return data

    def match(self, value: Any) -> Any:
        """What to compare a row's column with, to find those that have `value`."""
        return self._key_field.key(value) if self._key_field else value

    def parse(self, text: str) -> Any:
        """The value that a string in a URL stands for, as it is compared; raises ValidationError."""
        if self.takes_null and text == "null":
            return None
        value = self.type.parse_url(text)
        return self.match(value) if isinstance(value, str) else value

    def from_journal(self, value: Any) -> Any:
        """The JSON value for what the journal keeps of the column."""
        return self.type.from_journal(value, self.empty)


class FlatSerializer(serializers.Serializer[Any]):
    """A flat object: one row of `model`; `keys` says the column of each key.

    `kind` is what clients call it, `noun` and `nouns` what people do.

    Columns that are not editable, and those of other rows, are only read.
    `types`: those of keys whose column does not say enough. `sample`: values for the documentation, also of keys
    that only nested objects of the kind have; `sample_above`: those of one that holds it, where they form a tree.
    """

    model: ClassVar[Any]
    kind: ClassVar[str]
    noun: ClassVar[str]
    nouns: ClassVar[str]
    keys: ClassVar[Mapping[str, str]]
    types: ClassVar[Mapping[str, type[ColumnType]]] = {}
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
        return FlatField(column, column_type=self.types.get(key), is_input=self.is_input, **options)

    @classmethod
    @functools.cache
    def creation(cls) -> type[FlatSerializer]:
        """What comes in to make such an object."""
        return cls._input("Input", None)

    @classmethod
    @functools.cache
    def change(cls, *needed: str) -> type[FlatSerializer]:
        """What comes in to change such an object; `needed` are the keys that say which, where the address does not."""
        return cls._input("UpdateItem" if needed else "Update", frozenset(needed))

    @classmethod
    def _input(cls, suffix: str, needed: frozenset[str] | None) -> type[FlatSerializer]:
        name = cls.__name__.removesuffix("Serializer").removeprefix("Flat") + suffix
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
