"""What every kind of file has in common: tables as they stand there, and reading within bounds."""

from __future__ import annotations

import contextlib
import io
import shutil
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import IO, Any, TypeAlias

from django.conf import settings
from django.utils.translation import gettext as _

from hierarchy.timestamps import format_timestamp

MEGABYTE = 1_000_000
# Those of a spreadsheet; no table has as many.
COLUMNS_LIMIT = 16_384
# Empty ones included: a million rows of fifty columns.
_CELLS_LIMIT = 50_000_000

# Text formats give texts, empty ones included; a workbook gives None for an empty cell.
Cell: TypeAlias = str | int | float | bool | datetime | date | time | None
Row: TypeAlias = tuple[int, Sequence[Cell]]


class Unreadable(Exception):
    """The rest of the file cannot be read; the message says why, where the findings do not yet."""


class Unwritable(Exception):
    """A table cannot be written in this format; the message says where and which one to take instead."""


@dataclass(frozen=True, slots=True)
class RawTable:
    """One table of a file.

    `name` is empty for a bare CSV file. `sheet` is what the messages call it, as in `Finding.sheet`: the sheet's own
    name, the member of an archive, or nothing. Each of the `rows` has its number, the first of the file being 1, and
    its cells, not trimmed. Rows without any text are left out; the first that is given is the header.
    """

    name: str
    sheet: str
    rows: Iterator[Row]


def as_text(cell: Any) -> str:
    """A cell in a format that knows only texts, as people write it."""
    if isinstance(cell, str):
        return cell
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, datetime) and cell.tzinfo is not None:
        return format_timestamp(cell)
    if isinstance(cell, date | time):
        return cell.isoformat()
    if isinstance(cell, int | float):
        return repr(cell)
    raise TypeError(f"{cell!r} is no cell.")


class TableWriter(ABC):
    """Writes tables one after the other, each row when it comes: nothing of it is kept."""

    @abstractmethod
    def table(self, name: str, header: Sequence[str]) -> None:
        """Begin a table."""

    @abstractmethod
    def row(self, cells: Sequence[Any]) -> None:
        """Write the next row of the table."""

    @abstractmethod
    def close(self) -> None:
        """Write what stands at the end of the file. The target stays open."""


class Budget:
    """How many of something a file may still have: what takes little space in a file may take long to read."""

    def __init__(self, limit: int, message: str) -> None:
        self._left, self._message = limit, message % {"limit": f"{limit:,}"}

    def spend(self, count: int = 1) -> None:
        self._left -= count
        if self._left < 0:
            raise Unreadable(self._message)


def cells_budget() -> Budget:
    """For one file; a line counts as ten cells, however few it has."""
    return Budget(
        _CELLS_LIMIT, _("The file has more than %(limit)s cells, each line counting as ten at least: split it.")
    )


class Metered(io.RawIOBase):
    """A stream that tells `check` how many bytes it has given with each further piece, so that it can break off."""

    def __init__(self, read: Callable[[int], bytes], check: Callable[[int], None]) -> None:
        self._read, self._check = read, check
        self._given = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._read(len(buffer))
        self._given += len(data)
        self._check(self._given)
        buffer[: len(data)] = data
        return len(data)


class _Rejoined(io.RawIOBase):
    """A stream whose first bytes were read already and which cannot be rewound, as standard input cannot."""

    def __init__(self, start: bytes, rest: IO[bytes]) -> None:
        self._start, self._rest = start, rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._start[: len(buffer)] or self._rest.read(len(buffer))
        self._start = self._start[len(buffer) :]
        buffer[: len(data)] = data
        return len(data)


def peek(stream: IO[bytes], size: int = 512) -> tuple[bytes, IO[bytes]]:
    """How a stream begins, and a stream that still begins so."""
    start = stream.read(size)
    if stream.seekable():
        stream.seek(0)
        return start, stream
    return start, io.BufferedReader(_Rejoined(start, stream))


def _check_size(size: int) -> None:
    if size > settings.IMPORT_MAX_MEGABYTES * MEGABYTE:
        raise Unreadable(
            _("The file is larger than %(limit)s MB: split it, or have IMPORT_MAX_MEGABYTES raised.")
            % {"limit": settings.IMPORT_MAX_MEGABYTES}
        )


def limited(stream: IO[bytes]) -> io.BufferedReader:
    """The same stream, which breaks off where the file gets larger than an import may be."""
    return io.BufferedReader(Metered(stream.read, _check_size))


@contextlib.contextmanager
def seekable(stream: IO[bytes]) -> Iterator[IO[bytes]]:
    """The same bytes to be read in any order: on disk meanwhile, where the stream only flows by."""
    if stream.seekable():
        _check_size(stream.seek(0, io.SEEK_END))
        stream.seek(0)
        yield stream
        return
    with tempfile.TemporaryFile() as spool:
        shutil.copyfileobj(limited(stream), spool)
        spool.seek(0)
        yield spool
