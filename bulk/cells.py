"""How values stand in the cells of files that people edit: read into what fields take, and written so that the same
value comes back.

An empty cell says nothing and `(empty)` says that there is nothing. A text that a spreadsheet would take for a formula,
or that would not come back as it is, is written with an apostrophe before it. Sites are named by their path, as in
`Region North / Campus A`, where a slash within a name is written `\\/`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from hierarchy.column_types import SPREADSHEET_LIMIT

EMPTY = "(empty)"
SEPARATOR = " / "
# The columns in which people keep remarks, and in which they are told what is wrong. Both are left out.
NOTE, ERRORS = "note", "errors"
# A row whose note says so is there to be looked at.
EXAMPLE = "example"

_FORMULA = tuple("=+-@\t\r")
_PART = re.compile(r"((?:\\.|[^/])*)(?:/|$)", re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


class EmptyCell:
    """What an empty cell says."""


def read(cell: Any) -> Any:
    """What a cell says: a value, None for `(empty)`, or `EmptyCell` where it is empty."""
    if cell is None:
        return EmptyCell
    if not isinstance(cell, str):
        return cell
    if cell[:1] == "'" and _needs_escape(cell[1:]):
        return cell[1:]
    text = cell.strip()
    if not text:
        return EmptyCell
    return None if text.lower() == EMPTY else text


def write(value: Any) -> Any:
    """The cell for a value that a column type gave."""
    if isinstance(value, str):
        return f"'{value}" if _needs_escape(value) else value
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= SPREADSHEET_LIMIT:
        return str(value)
    return value


def _needs_escape(text: str) -> bool:
    return bool(text) and (
        text.startswith(_FORMULA)
        or text.strip() != text
        or text.lower() == EMPTY
        or (text[0] == "'" and _needs_escape(text[1:]))
    )


def mark(value: Any) -> int:
    """The id by which a row is told from others of its name; 0 for what is none."""
    text = str(value)
    return int(text) if text.isdecimal() and len(text) <= 18 else 0


def path_text(names: Iterable[str]) -> str:
    """The path of a site as it stands in a cell."""
    return SEPARATOR.join(name.replace("\\", "\\\\").replace("/", "\\/") for name in names)


def path_names(text: str) -> list[str]:
    """The names of a path, taken apart; a slash at its beginning says that it is a path."""
    parts = [found.group(1) for found in _PART.finditer(text.removeprefix("/")) if found.group()]
    return [_ESCAPED.sub(r"\1", part).strip() for part in parts]
