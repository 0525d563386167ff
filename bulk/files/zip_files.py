"""ZIP archives: opened with suspicion, unpacked within bounds; and an archive of CSV files as a file of tables."""

from __future__ import annotations

import contextlib
import io
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from typing import IO, Any

from django.utils.translation import gettext as _

from bulk.drafts import Findings
from bulk.files import csv_files
from bulk.files.raw import MEGABYTE, Metered, RawTable, TableWriter, Unreadable, cells_budget, seekable

MEMBERS_LIMIT = 1_000
# A list of so many members with long names; a longer one would be read into memory whole.
_DIRECTORY_LIMIT = MEGABYTE
MEMBER_LIMIT = 512 * MEGABYTE
TOTAL_LIMIT = 1024 * MEGABYTE
# Tables become a tenth to a thirtieth of their size; only what was made to do harm becomes so small. Small members
# may: a column of zeros is no harm.
RATIO_LIMIT = 200
RATIO_FREE = 10 * MEGABYTE
_NESTED = (".zip", ".xlsx", ".xlsm", ".ods", ".gz", ".bz2", ".xz", ".7z", ".rar", ".tar", ".tgz")
_ENCRYPTED = 0x1
_DAMAGE = (
    *(zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, ValueError),
    *(OverflowError, NotImplementedError, RuntimeError),
)
_ABSOLUTE = re.compile(r"/|[A-Za-z]:")


class Archive:
    """An archive that was looked at before anything in it is unpacked."""

    def __init__(self, stream: IO[bytes]) -> None:
        size = stream.seek(0, io.SEEK_END)
        with _told():
            self._zip = zipfile.ZipFile(_Shallow(stream))
        self._unpacked = 0
        self.members = {info.filename: info for info in self._zip.infolist()}
        if len(self._zip.infolist()) > MEMBERS_LIMIT:
            raise _too_many()
        if len(self.members) < len(self._zip.infolist()):
            raise Unreadable(_("The archive has two members of one name: pack it again."))
        for info in self.members.values():
            _check_member(info)
        if sum(info.compress_size for info in self.members.values()) > size:
            raise Unreadable(_("The members of the archive overlap: pack it again."))

    @contextlib.contextmanager
    def opened(self, name: str, limit: int = MEMBER_LIMIT) -> Iterator[IO[bytes]]:
        """A member to be read, not beyond `limit` bytes."""
        given_before = self._unpacked

        def check(given: int) -> None:
            self._unpacked = given_before + given
            if given > limit:
                raise _too_large(name, limit)
            if self._unpacked > TOTAL_LIMIT:
                raise Unreadable(
                    _("The archive has more than %(limit)s MB when unpacked: split it.")
                    % {"limit": TOTAL_LIMIT // MEGABYTE}
                )

        if self.members[name].file_size > limit:
            raise _too_large(name, limit)
        with _told(name):
            member = self._zip.open(name)

        def read(size: int) -> bytes:
            with _told(name):
                return member.read(size)

        with member, io.BufferedReader(Metered(read, check)) as stream:
            yield stream


class _Shallow:
    """What `zipfile` needs of a file; it refuses to read more at once than a sound archive asks for."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.seek, self.tell = stream.seek, stream.tell

    def seekable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        if size > _DIRECTORY_LIMIT:
            raise _too_many()
        return self._stream.read(size)


@contextlib.contextmanager
def _told(name: str = "") -> Iterator[None]:
    """What `zipfile` raises for a damaged archive, said in our words."""
    try:
        yield
    except _DAMAGE as error:
        where = _("Its member %(name)s") % {"name": name} if name else _("The archive")
        raise Unreadable(
            _("%(where)s is damaged or was not copied completely: fetch or pack it again.") % {"where": where}
        ) from error


def _check_member(info: zipfile.ZipInfo) -> None:
    name = {"name": info.filename}
    if info.flag_bits & _ENCRYPTED:
        raise Unreadable(_("The member %(name)s has a password: pack it without one.") % name)
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise Unreadable(_("The member %(name)s is compressed in an unusual way: pack it as ordinary ZIP.") % name)
    if info.file_size > RATIO_FREE and info.file_size > RATIO_LIMIT * info.compress_size:
        raise Unreadable(
            _("The member %(name)s becomes more than %(ratio)s times as large when unpacked: no table does that.")
            % {**name, "ratio": RATIO_LIMIT}
        )


def _too_many() -> Unreadable:
    return Unreadable(_("The archive has more than %(limit)s members: split it.") % {"limit": MEMBERS_LIMIT})


def _too_large(name: str, limit: int) -> Unreadable:
    return Unreadable(
        _("The member %(name)s has more than %(limit)s MB when unpacked: split it.")
        % {"name": name, "limit": limit // MEGABYTE}
    )


def tables(stream: IO[bytes], findings: Findings) -> Iterator[RawTable]:
    """The CSV files of an archive, each called by its name without folder and ending."""
    with seekable(stream) as file:
        archive = Archive(file)
        budget = cells_budget()
        for name, member in csv_members(archive, findings).items():
            with archive.opened(member) as content:
                yield RawTable(name, member, csv_files.rows(content, findings, budget))


def csv_members(archive: Archive, findings: Findings) -> dict[str, str]:
    """The members that are tables, by the table's name."""
    found: dict[str, str] = {}
    for path in archive.members:
        *folders, file = path.split("/")
        if ".." in folders or "\\" in path or _ABSOLUTE.match(path):
            raise Unreadable(
                _("The member %(name)s lies outside of the archive: pack the files by plain names.") % {"name": path}
            )
        if not file or file.startswith(".") or "__MACOSX" in folders:
            continue
        name, _dot, ending = file.rpartition(".")
        if file.lower().endswith(_NESTED):
            raise Unreadable(
                _("The member %(name)s is an archive itself: pack the CSV files directly.") % {"name": path}
            )
        if ending.lower() != "csv":
            findings.warning(_("Was left out: only files that end in .csv are tables."), sheet=path)
        elif name in found:
            raise Unreadable(
                _("The table %(name)s is there twice, as %(one)s and as %(other)s: remove one of them.")
                % {"name": name, "one": found[name], "other": path}
            )
        else:
            found[name] = path
    if not found:
        raise Unreadable(_("There is no CSV file in the archive: pack one for each table, as in sites.csv."))
    return found


class Packer:
    """Writes an archive member by member; the same content gives the same bytes at any time."""

    def __init__(self, target: IO[bytes]) -> None:
        self._zip = zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED)

    def member(self, name: str) -> IO[bytes]:
        info = zipfile.ZipInfo(name)
        info.compress_type = zipfile.ZIP_DEFLATED
        info.external_attr = 0o644 << 16
        return self._zip.open(info, "w")

    def close(self) -> None:
        self._zip.close()


class ArchiveWriter(TableWriter):
    """A CSV file for each table."""

    def __init__(self, target: IO[bytes]) -> None:
        self._packer = Packer(target)
        self._member: IO[bytes] | None = None

    def table(self, name: str, header: Sequence[str]) -> None:
        self._finish()
        self._member = self._packer.member(f"{name}.csv")
        self._table = csv_files.DelimitedWriter(self._member)
        self._table.table(name, header)

    def row(self, cells: Sequence[Any]) -> None:
        self._table.row(cells)

    def _finish(self) -> None:
        if self._member is not None:
            self._table.close()
            self._member.close()

    def close(self) -> None:
        self._finish()
        self._packer.close()
