"""What the readers of every register share: reading cells, OCPI's words for plugs, and choices among spellings."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from bulk.drafts import Findings

Cells = dict[str, str]

# What an owner is called whom the file does not name.
UNKNOWN_NAME = "?"

_MAX_NAME = 255
_ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_NUMBER = re.compile(r"\d{1,9}([.,]\d{1,20})?")
# Single-phase alternating current ends here: 32 A at 230 V.
_SINGLE_PHASE_KW = 7.4


class Plug(NamedTuple):
    """A kind of socket in the words of OCPI 2.2.1 (8.4.3 ConnectorFormat, ConnectorType, PowerType)."""

    name: str
    type: str | None
    format: str | None
    power_type: str | None


@dataclass(slots=True)
class RegisterReading:
    """One row of a file, cell by cell. Every wrong cell is noted, not the first alone."""

    row: int
    cells: Cells
    findings: Findings

    def error(self, column: str, message: str) -> None:
        self.findings.error(message, row=self.row, column=column, value=self.cells.get(column))

    def warning(self, column: str, message: str) -> None:
        self.findings.warning(message, row=self.row, column=column, value=self.cells.get(column))


def decimal(text: str) -> float | None:
    """A number from 0, with a decimal point or comma; None for any other text."""
    return float(text.replace(",", ".")) if _NUMBER.fullmatch(text) else None


def is_iso_date(text: str) -> bool:
    """Whether a text is a date that there is, as ISO 8601 writes it."""
    try:
        return bool(_ISO_DATE.fullmatch(text) and date.fromisoformat(text))
    except ValueError:
        return False


def power_values(power_kw: float) -> dict[str, Any]:
    """A power as the columns of a socket say it."""
    return {"maxWatts": round(power_kw * 1000), "maxPower": f"{round(power_kw, 3):g} kW"}


def ac_power_type(power_kw: float) -> str:
    """OCPI's word for alternating current of this power."""
    return "AC_1_PHASE" if power_kw <= _SINGLE_PHASE_KW else "AC_3_PHASE"


def joined(text: str) -> str:
    return " ".join(text.split())


def most_common(counted: Counter[Any]) -> Any:
    """The value that occurs most often; of equally frequent ones the first in order, whatever came first."""
    return min(counted, key=lambda value: (-counted[value], value))


def with_id(name: str, id_: str) -> str:
    """A name that an id keeps apart from the same name elsewhere."""
    suffix = f" ({id_})"
    return name[: _MAX_NAME - len(suffix)] + suffix
