"""Timestamps as text: how the product writes them, and what it reads (RFC 3339)."""

import datetime

from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy as _

UTC = datetime.UTC
TIMESTAMP_EXPECTED = _("Must be a timestamp with an offset from UTC, such as 2026-06-01T12:00:00.000Z.")


def format_timestamp(value: datetime.datetime) -> str:
    """A moment in UTC, ending in Z, with three digits of a second's fraction or, where that is zero, none."""
    if value.tzinfo is not UTC:
        value = value.astimezone(UTC)
    if value.microsecond >= 1000:
        return value.isoformat(timespec="milliseconds")[:-6] + "Z"
    return value.isoformat(timespec="seconds")[:-6] + "Z"


def parse_timestamp(text: str) -> datetime.datetime | None:
    """The timestamp that a string with an offset from UTC (RFC 3339) names, to the millisecond; None for any other."""
    try:
        timestamp = parse_datetime(text) if len(text) <= 64 else None
        if timestamp is None or timestamp.tzinfo is None:
            return None
        timestamp = timestamp.astimezone(datetime.UTC)
    except (ValueError, OverflowError):
        return None
    return timestamp.replace(microsecond=timestamp.microsecond // 1000 * 1000)
