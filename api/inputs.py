"""The field types of what comes in: JSON values are taken as what they are, and nothing is guessed from a text."""

import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from hierarchy.timestamps import TIMESTAMP_EXPECTED, parse_timestamp


class StringInput(serializers.CharField):
    """A text, not a number that could be written as one."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class IntegerInput(serializers.IntegerField):
    """A whole number, not a text of digits and not 1.0."""

    def to_internal_value(self, data: Any) -> int:
        if type(data) is not int:
            self.fail("invalid")
        return data


@extend_schema_field({"type": "boolean"})
class BooleanInput(serializers.Field[Any, Any, Any, Any]):
    """true or false, not a text or a number that might mean it."""

    default_error_messages = {"invalid": _("Must be true or false.")}

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid")
        return bool(data)

    def to_representation(self, value: Any) -> Any:
        return value


@extend_schema_field({"type": "string", "format": "date-time"})
class TimestampInput(serializers.Field[Any, Any, Any, Any]):
    """A moment with its offset from UTC (RFC 3339), from the year 2000 on."""

    default_error_messages = {
        "invalid": TIMESTAMP_EXPECTED,
        "too_early": _("Before the year 2000."),
    }
    _EARLIEST = datetime.datetime(2000, 1, 1, tzinfo=datetime.UTC)

    def to_internal_value(self, data: Any) -> datetime.datetime:
        moment = parse_timestamp(data) if isinstance(data, str) else None
        if moment is None:
            self.fail("invalid")
        if moment < self._EARLIEST:
            self.fail("too_early")
        return moment

    def to_representation(self, value: Any) -> Any:
        return value
