"""What `make test` leaves to `make test-slow`: the same promise on more examples."""

from collections.abc import Iterable
from typing import Any

import pytest


def all_but_first_slow(values: Iterable[Any]) -> list[Any]:
    """Parameters of which `make test` takes the first and `make test-slow` the others."""
    first, *others = (value if hasattr(value, "marks") else pytest.param(value) for value in values)
    return [first, *(pytest.param(*one.values, id=one.id, marks=[*one.marks, pytest.mark.slow]) for one in others)]
