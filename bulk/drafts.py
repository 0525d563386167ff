"""What a file gives: rows with their place, and what was found wrong with them."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import IO, Any, TypeVar

T = TypeVar("T")

# A way to show how far a loop has come: `progress(rows, "Reading", total)` gives the rows back.
Progress = Callable[[Iterable[T], str, int | None], Iterable[T]]

# More findings of one kind than anybody reads are counted, not kept.
KEPT = 10_000
_SHOWN_VALUE = 60


def silent(rows: Iterable[T], _what: str, _total: int | None) -> Iterable[T]:
    return rows


@contextlib.contextmanager
def gc_disabled() -> Iterator[None]:
    """Keep Python from looking for circles: an import makes millions of objects, and none among them."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


@dataclass(frozen=True, slots=True)
class ExistingId:
    """A reference to the existing row with this id, whatever its name is by now."""

    id: int


@dataclass(slots=True)
class Draft:
    """One row for one table.

    `values` holds only the columns that the file gives: a missing column is left alone. A reference is a string (the
    natural key of the row referred to), a tuple of strings (its path from the root) or `ExistingId`. `custom.key` as a
    column sets one entry of a column that holds an object. None clears a column, or removes an entry. `row` counts as
    a spreadsheet does, the header being row 1; a row that is in no file has 0. `sheet` is the table of the file, where
    it has several. `headings` are the names of the columns in the file, where they differ. `fallback` are values to use
    instead when an existing row that the file does not name already has the first ones. `existing_id` is the id of the
    existing row, where no key has to say so.
    """

    table: str
    row: int
    values: dict[str, Any]
    headings: Mapping[str, str] = field(default_factory=dict)
    fallback: Mapping[str, Any] = field(default_factory=dict)
    sheet: str = ""
    existing_id: int = 0

    def heading(self, column: str) -> str:
        return self.headings.get(column, column)


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong at one place of a file. `row` is 0 and `column` is empty for the file as a whole.

    `sheet` is the table of the file, where it has several.
    """

    file: str
    sheet: str
    row: int
    column: str
    value: str
    message: str

    def __str__(self) -> str:
        parts = (self.file, self.sheet, self.row and f"row {self.row}", self.column and f"column {self.column}")
        place = ", ".join(part for part in parts if part)
        return _printable(f"{place}: {self.value}{': ' if self.value else ''}{self.message}")


@dataclass(slots=True)
class Findings:
    """The errors, which forbid an import, the warnings, which do not, and what else is worth saying of one file.

    `sheet` is the table that is being read, where the file has several.
    """

    file: str
    sheet: str = ""
    errors: list[Finding] = field(default_factory=list)
    warnings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    error_count: int = 0
    warning_count: int = 0

    def error(
        self, message: Any, *, sheet: str | None = None, row: int = 0, column: str = "", value: Any = None
    ) -> None:
        self.error_count += 1
        self._keep(self.errors, message, sheet, row, column, value)

    def warning(
        self, message: Any, *, sheet: str | None = None, row: int = 0, column: str = "", value: Any = None
    ) -> None:
        self.warning_count += 1
        self._keep(self.warnings, message, sheet, row, column, value)

    def _keep(self, kept: list[Finding], message: Any, sheet: str | None, row: int, column: str, value: Any) -> None:
        if len(kept) < KEPT:
            place = self.sheet if sheet is None else sheet
            kept.append(Finding(self.file, _printable(place), row, _printable(column), _shown(value), str(message)))


def _printable(text: str) -> str:
    """A text without characters that a terminal obeys."""
    return text if text.isprintable() else "".join(char if char.isprintable() else "\ufffd" for char in text)


def _shown(value: Any) -> str:
    """A value as it may stand in a message: short and quoted."""
    if value is None or value == "":
        return ""
    text = " / ".join(value) if isinstance(value, tuple) else str(value)
    if len(text) > _SHOWN_VALUE:
        text = text[: _SHOWN_VALUE - 1] + "…"
    return repr(text)


# Reads an open file into drafts, noting what is wrong. What it yields after an error is checked, never written.
Reader = Callable[[IO[bytes], Findings], Iterable[Draft]]
