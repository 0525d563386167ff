"""JSON files: tables of objects, read and written row by row, and trees, which are read whole."""

from __future__ import annotations

import codecs
import json
import math
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import IO, Any, TypeAlias

import orjson
from django.utils.translation import gettext as _

from bulk.drafts import Findings
from bulk.files.raw import MEGABYTE, Budget, TableWriter, Unreadable, as_text, limited

# The first of a list is row 1; a sound one is an object.
ObjectRow: TypeAlias = tuple[int, Any]

# In characters.
ROW_LIMIT = 1_000_000
ROWS_LIMIT = 2_000_000
TABLES_LIMIT = 1_000
# Lists and objects of one row; and within one another, of a document that is read whole.
NESTING_LIMIT = 250
# What a document that is read whole may take in memory.
WHOLE_LIMIT = 400 * MEGABYTE
# Of that, what a comma or a bracket may stand for: an object, or an entry whose key no other has.
_MARK_COST = 250
# A list with so many wrong ones is no table.
_WRONG_ROWS = 100
_PIECE = 65_536
_SPACE = re.compile(r"[ \t\n\r]*")
_NESTING = (dict, list)


class JsonDocument:
    """An opened file: an object with a list for each table, or one list (`is_list`).

    Raises Unreadable, now or while it is read, for what is not JSON and for what goes beyond the bounds.
    """

    def __init__(self, stream: IO[bytes], findings: Findings) -> None:
        self._stream = limited(stream)
        self._findings = findings
        self._decode = codecs.getincrementaldecoder("utf-8-sig")().decode
        self._parse = json.JSONDecoder(
            object_pairs_hook=self._object, parse_float=_finite, parse_constant=_finite
        ).raw_decode
        # A stretch of the text, where in it the next thing begins, and where in the file the stretch itself does.
        self._text, self._at = "", 0
        self._line, self._column = 1, 1
        # A key that an object of the value just taken has twice.
        self._repeated: str | None = None
        start = self._next()
        if not start:
            raise Unreadable(_("The file is empty: it needs an object with a list of objects for each table."))
        if start not in "[{":
            raise _not_tables()
        self.is_list = start == "["

    def tables(self) -> Iterator[tuple[str, Iterator[ObjectRow]]]:
        """The rows of each list by its name, to be read before the next; one list alone has no name.

        While a table is read, it is the one that findings are noted for.
        """
        budget = Budget(ROWS_LIMIT, _("The file has more than %(limit)s rows: split it."))
        for name in [""] if self.is_list else self._names():
            self._findings.sheet = name[:100]
            rows = self._rows(budget)
            yield name, rows
            for _row in rows:
                pass
        self._findings.sheet = ""
        self._end()

    def whole(self) -> Any:
        """The document as one value."""
        self._append(self._rest())
        value = self._value(len(self._text), _depth)
        if self._repeated is not None:
            self._findings.error(_twice(), column=self._repeated[:100])
        self._end()
        return value

    def _names(self) -> Iterator[str]:
        """The name of each table, before its list."""
        budget = Budget(TABLES_LIMIT, _("The file has more than %(limit)s tables: split it."))
        known = set()
        for _entry in self._entries("}"):
            budget.spend()
            name = self._value(ROW_LIMIT, _count)
            if not isinstance(name, str) or self._next() != ":":
                raise self._broken(self._at)
            self._at += 1
            if self._next() != "[":
                raise _not_tables()
            if name in known:
                self._findings.error(_("The table is there twice: put its rows into one list."), sheet=name[:100])
            known.add(name)
            yield name

    def _rows(self, budget: Budget) -> Iterator[ObjectRow]:
        wrong = 0
        for number, _entry in enumerate(self._entries("]"), start=1):
            budget.spend()
            row = self._value(ROW_LIMIT, _count)
            if self._repeated is not None:
                self._findings.error(_twice(), row=number, column=self._repeated[:100])
            wrong += self._repeated is not None or not isinstance(row, dict)
            yield number, row
            if wrong == _WRONG_ROWS:
                raise Unreadable(_("So many rows are not what they should be that those from here on were not read."))

    def _entries(self, closing: str) -> Iterator[None]:
        """Stand before each entry of the list or object that begins here, and in the end behind it."""
        self._at += 1
        mark = self._next()
        if mark != closing:
            yield
            while (mark := self._next()) == ",":
                self._at += 1
                self._next()
                yield
        if mark != closing:
            raise self._broken(self._at)
        self._at += 1

    def _end(self) -> None:
        if self._next():
            raise self._broken(self._at)

    def _next(self) -> str:
        """The next character that is no space; it is not taken. Empty at the end."""
        while True:
            space = _SPACE.match(self._text, self._at)
            assert space is not None
            self._at = space.end()
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                return ""

    def _value(self, limit: int, nesting: Callable[[Any], int]) -> Any:
        """Take the value that begins here, of hardly more than `limit` characters, and bounded in its `nesting`."""
        broken_at = -1
        while True:
            self._repeated = None
            try:
                value, end = self._parse(self._text, self._at)
            except json.JSONDecodeError as error:
                # What is only cut off breaks elsewhere when there is more of it.
                before, broken_at = broken_at, error.pos - self._at
                is_long = len(self._text) - self._at > limit
                if is_long and broken_at != before:
                    message = _("What begins at line %(line)s, column %(column)s has more than %(limit)s characters.")
                    raise self._unreadable(message, self._at, limit=f"{limit:,}") from error
                if is_long or not self._more():
                    raise self._broken(self._at + broken_at) from error
            except RecursionError as error:
                raise self._too_nested() from error
            except ValueError as error:
                message = _(
                    "What begins at line %(line)s, column %(column)s has a number that none can be, as NaN or 1e999: "
                    "write null, or another one."
                )
                raise self._unreadable(message, self._at) from error
            else:
                # A number goes on as long as there are digits.
                if end < len(self._text) or not self._more():
                    break
        brackets = self._text.count("[", self._at, end) + self._text.count("{", self._at, end)
        if brackets > NESTING_LIMIT and nesting(value) > NESTING_LIMIT:
            raise self._too_nested()
        self._at = end
        return value

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs) and self._repeated is None:
            [(self._repeated, _times)] = Counter(key for key, _value in pairs).most_common(1)
        return found

    def _more(self) -> bool:
        """Read on, at least as much again as there is, and forget what was taken; False at the end."""
        data = self._stream.read(max(_PIECE, len(self._text) - self._at))
        if data:
            self._line, self._column = self._place(self._at)
            self._text, self._at = self._text[self._at :], 0
        self._append(data)
        return bool(data)

    def _rest(self) -> bytes:
        data = self._stream.read()
        # The text twice, whole and in pieces, at the width of its widest character.
        width = 1
        if not (self._text.isascii() and data.isascii()):
            width = 4 if max(self._text) > "\uffff" or re.search(rb"[\xf0-\xff]", data) else 2
        cost = (2 * width + 1) * len(data) + _MARK_COST * sum(map(data.count, (b",", b"[", b"{")))
        if cost > WHOLE_LIMIT:
            raise Unreadable(_("The list is too large to be read whole: give the tables by name, as the export does."))
        return data

    def _append(self, data: bytes) -> None:
        try:
            self._text += self._decode(data, not data)
        except UnicodeDecodeError as error:
            self._text += error.object[: error.start].decode()
            message = _("Line %(line)s, column %(column)s is not UTF-8 text: save the file with the encoding UTF-8.")
            raise self._unreadable(message, len(self._text)) from error

    def _place(self, at: int) -> tuple[int, int]:
        """The line and the column in the file."""
        lines = self._text.count("\n", 0, at)
        return self._line + lines, at - self._text.rfind("\n", 0, at) if lines else self._column + at

    def _unreadable(self, message: str, at: int, **more: Any) -> Unreadable:
        line, column = self._place(at)
        return Unreadable(message % {"line": line, "column": column, **more})

    def _broken(self, at: int) -> Unreadable:
        message = _(
            "This is not JSON at line %(line)s, column %(column)s: look there for a quotation mark, comma or bracket "
            "too many or too few."
        )
        return self._unreadable(message, at)

    def _too_nested(self) -> Unreadable:
        message = _(
            "What begins at line %(line)s, column %(column)s has too many lists and objects within one another."
        )
        return self._unreadable(message, self._at)


def _not_tables() -> Unreadable:
    return Unreadable(_('Must be an object of tables, as in {"sites": [{"groupName": "Garage"}]}, or a tree of sites.'))


def _twice() -> str:
    return _("This key stands there twice: remove one of them.")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


def _levels(value: Any) -> Iterator[list[Any]]:
    """The lists and objects that a value is or has, from the outside in."""
    level = [value] if isinstance(value, _NESTING) else []
    while level:
        yield level
        inner = (outer.values() if isinstance(outer, dict) else outer for outer in level)
        level = [one for several in inner for one in several if isinstance(one, _NESTING)]


def _count(value: Any) -> int:
    return sum(map(len, _levels(value)))


def _depth(value: Any) -> int:
    return sum(1 for _level in _levels(value))


class ObjectWriter(TableWriter):
    """An object with a list for each table, and in it an object a line; cells are any JSON values.

    With `is_list` it is one list, whose name is not written.
    """

    def __init__(self, target: IO[bytes], *, is_list: bool = False) -> None:
        self._target = target
        self._is_list = is_list
        self._before_table, self._before_row = b"" if is_list else b"{\n", b""

    def table(self, name: str, header: Sequence[str]) -> None:
        self.begin(name)
        self._header = header

    def row(self, cells: Sequence[Any]) -> None:
        item = dict(zip(self._header, cells, strict=True))
        self.write(orjson.dumps(item, as_text, orjson.OPT_PASSTHROUGH_DATETIME))

    def begin(self, name: str) -> None:
        """Begin a table whose rows are JSON already."""
        self._target.write(self._before_table + (b"[" if self._is_list else as_json(name) + b": ["))
        self._before_table, self._before_row = b"\n],\n", b"\n"

    def write(self, row: bytes) -> None:
        self._target.write(self._before_row + row)
        self._before_row = b",\n"

    def close(self) -> None:
        is_empty = not self._before_row
        self._target.write(b"{}\n" if is_empty else b"\n]\n" if self._is_list else b"\n]\n}\n")


def as_json(value: Any) -> bytes:
    """What was read as it can be read again, half characters and long numbers included."""
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "backslashreplace")
