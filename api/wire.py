"""The field types of the wire: how a value of the product stands in a JSON document.

Each is an ordinary serializer field. Where its value is not simply what a row holds, `encode` says what it is instead,
and `column` and `decode` how the compiled path of `api.rendering` gets the same from the database directly.
"""

import datetime
from collections.abc import Callable
from typing import Any

from django.db.models import Func
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.fields import get_attribute

from hierarchy.column_types import PropertiesType, StringListType, TimestampType
from hierarchy.timestamps import format_timestamp


class WireField(serializers.Field[Any, Any, Any, Any]):
    """A read-only field; `missing` is what stands for no value, null unless said.

    `encode` makes the JSON value of a value of the product; `decode` makes it of what `column` gives. None: it is that.
    """

    encode: Callable[[Any], Any] | None = None
    decode: Callable[[Any], Any] | None = None

    @staticmethod
    def column(path: str) -> str | Func:
        """What to select from the database for the value at `path`."""
        return path

    def __init__(self, *, missing: Any = None, **kwargs: Any) -> None:
        self.missing = missing
        super().__init__(**{"allow_null": missing is None, **kwargs})

    def get_attribute(self, instance: Any) -> Any:
        try:
            value = get_attribute(instance, self.source_attrs)
        except AttributeError:
            if None not in (getattr(instance, step, instance) for step in self.source_attrs):
                raise
            value = None
        return self.missing if value is None else value

    def to_representation(self, value: Any) -> Any:
        if self.encode is None or value == self.missing:
            return value
        return self.encode(value)


@extend_schema_field({"type": "string"})
class String(WireField):
    """A text that is empty, never null, where there is none."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(missing="", **kwargs)


@extend_schema_field({"type": "string"})
class OptionalString(WireField):
    """A text, or null."""


@extend_schema_field({"type": "string", "format": "uri"})
class OptionalUri(WireField):
    """A URI, or null."""


@extend_schema_field({"type": "integer", "format": "int64"})
class Integer(WireField):
    """A whole number that is always there; `missing` stands for none."""

    def __init__(self, *, missing: int = 0, **kwargs: Any) -> None:
        super().__init__(missing=missing, **kwargs)


@extend_schema_field({"type": "integer", "format": "int64"})
class OptionalInteger(WireField):
    """A whole number, or null."""


@extend_schema_field({"type": "integer", "format": "int32"})
class Int32(Integer):
    """A whole number of 32 bits that is always there."""


@extend_schema_field({"type": "integer", "format": "int32"})
class OptionalInt32(OptionalInteger):
    """A whole number of 32 bits, or null."""


@extend_schema_field({"type": "integer", "format": "int32", "enum": [0, 1, 2, 3, 4, None]})
class GroupTypeNumber(WireField):
    """The kind of a site as a number, or null."""


@extend_schema_field({"type": "integer", "format": "int32", "enum": [0, 1], "default": 0})
class ReferenceTypeNumber(WireField):
    """What kind of system an external id is from."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(missing=0, **kwargs)


@extend_schema_field({"type": "number", "format": "double"})
class OptionalNumber(WireField):
    """A number, or null."""


@extend_schema_field({"type": "boolean"})
class Boolean(WireField):
    """True or false."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(missing=False, **kwargs)


@extend_schema_field({"type": "string", "format": "date-time"})
class Timestamp(WireField):
    """A moment that is always there; `missing` is the sentinel for none."""

    encode = staticmethod(format_timestamp)
    column = staticmethod(TimestampType.select)

    def __init__(self, *, missing: datetime.datetime, **kwargs: Any) -> None:
        super().__init__(missing=format_timestamp(missing), **kwargs)


@extend_schema_field({"type": "string", "format": "date-time"})
class OptionalTimestamp(WireField):
    """A moment, or null."""

    encode = staticmethod(format_timestamp)
    column = staticmethod(TimestampType.select)


@extend_schema_field({"type": "array", "items": {"type": "string"}})
class StringList(WireField):
    """A list of texts, empty where there are none."""

    column = staticmethod(StringListType.select)
    decode = staticmethod(StringListType.decode)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(missing=[], **kwargs)


@extend_schema_field({"type": "object", "additionalProperties": {"type": "string"}})
class Properties(WireField):
    """An object of texts, its names sorted, empty where there are none."""

    encode = staticmethod(PropertiesType.encode)
    column = staticmethod(PropertiesType.select)
    decode = staticmethod(PropertiesType.decode)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(missing={}, **kwargs)


@extend_schema_field({"type": "array", "items": {}, "maxItems": 0})
class EmptyList(serializers.Field[Any, Any, Any, Any]):
    """A list that is always empty."""

    def get_attribute(self, instance: Any) -> Any:
        return []

    def to_representation(self, value: Any) -> Any:
        return value


class Branches(serializers.ListSerializer[Any]):
    """A list of nested documents that may be large: it is rendered apart, reused and streamed."""


class Recursive(serializers.Field[Any, Any, Any, Any]):
    """A list of documents of the same kind as the one that holds it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)

    def to_representation(self, value: Any) -> Any:
        assert self.parent is not None
        kind = type(self.parent)
        return [kind(item, context=self.context).data for item in value]
