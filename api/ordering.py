"""The order of a list by columns, and the rows that follow one row in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from django.db.models import F, Q

from hierarchy.scoping import NOTHING


def is_value(path: str, value: Any, lookup: str = "exact") -> Q:
    """The rows whose column compares to `value`; to None those where it is null."""
    return Q(**{f"{path}__isnull": True}) if value is None else Q(**{f"{path}__{lookup}": value})


class OrderColumn(NamedTuple):
    """One column of an order. Null comes last; descending, first."""

    path: str
    column: Any
    is_descending: bool = False

    @property
    def is_nullable(self) -> bool:
        return bool(self.column.null)

    @property
    def expression(self) -> Any:
        if not self.is_nullable:
            return f"-{self.path}" if self.is_descending else self.path
        return F(self.path).desc(nulls_first=True) if self.is_descending else F(self.path).asc(nulls_last=True)

    def beyond(self, value: Any) -> Q:
        """The rows that come after `value`."""
        if value is None:
            return Q(**{f"{self.path}__isnull": False}) if self.is_descending else NOTHING
        if self.is_descending:
            return Q(**{f"{self.path}__lt": value})
        after = Q(**{f"{self.path}__gt": value})
        return after | Q(**{f"{self.path}__isnull": True}) if self.is_nullable else after

    def not_before(self, value: Any) -> Q:
        """What follows from coming after, written so that an index on the column can be used."""
        if self.is_nullable:
            return Q()
        return Q(**{f"{self.path}__{'lte' if self.is_descending else 'gte'}": value})


def name_of(order: Sequence[OrderColumn]) -> str:
    """What tells one order from another."""
    return ",".join(f"-{one.path}" if one.is_descending else one.path for one in order)


def rows_after(order: Sequence[OrderColumn], values: Sequence[Any]) -> Q:
    """The rows that come after the one with these values."""
    after = NOTHING
    for one, value in reversed(list(zip(order, values, strict=True))):
        after = one.beyond(value) | (is_value(one.path, value) & after)
    return order[0].not_before(values[0]) & after
