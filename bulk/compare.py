"""Deciding what an import does to a row: create it, update it, or leave it unchanged."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Any, NamedTuple

from bulk.tables import Values


class Action(enum.Enum):
    CREATE = "create"
    UPDATE = "update"
    UNCHANGED = "unchanged"


class Comparison(NamedTuple):
    """What happens to a row, and the values that are written: all that are given to a new one, else what differs."""

    action: Action
    values: dict[str, Any]


def compare(
    existing: Values | None, given: Values, entries: Mapping[str, Mapping[str, Any]] | None = None
) -> Comparison:
    """Compare what is in the database, None for nothing, with what a file gives, both by field.

    Fields that the file does not give are left alone. `entries` are single entries of fields that hold an object, None
    to remove one.
    """
    values = dict(given)
    for name, changed in (entries or {}).items():
        merged = {**((existing or {}).get(name) or {}), **changed}
        values[name] = {entry: text for entry, text in merged.items() if text is not None}
    if existing is None:
        return Comparison(Action.CREATE, values)
    values = {name: value for name, value in values.items() if existing[name] != value}
    return Comparison(Action.UPDATE if values else Action.UNCHANGED, values)
