"""What a change has for effect on people: who gains by it, who loses, and how much."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

# How many of those whom a change concerns are named.
MOST_NAMED = 20


@dataclass(frozen=True, slots=True)
class Affected:
    """Somebody whom a change concerns, and in how many chargers, or sites."""

    row_id: int
    name: str
    count: int


@dataclass(frozen=True, slots=True)
class Side:
    """All who gain by a change, or all who lose.

    `named` has those with the most first, at most `MOST_NAMED`; `people` counts all of them, and `total` adds up what
    each gains or loses.
    """

    named: tuple[Affected, ...] = ()
    people: int = 0
    total: int = 0

    @classmethod
    def of(cls, everybody: Iterable[Affected]) -> Side:
        """The side of `everybody` who is concerned in anything; those with as much stay in the order given."""
        concerned = sorted((one for one in everybody if one.count), key=lambda one: -one.count)
        return cls(tuple(concerned[:MOST_NAMED]), len(concerned), sum(one.count for one in concerned))


NOBODY = Side()


@dataclass(frozen=True, slots=True)
class Effect:
    """Who gains by a change and who loses."""

    gains: Side = NOBODY
    losses: Side = NOBODY
