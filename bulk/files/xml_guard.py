"""XML of unknown origin, read piece by piece: no document type, no entities, nothing that grows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO
from xml.parsers import expat

from django.utils.translation import gettext as _

from bulk.files.raw import MEGABYTE, Budget, Unreadable

# The rows of a piece are in memory together, and each may be as wide as the header.
_CHUNK = 16_384
# One tag, comment or the like. The parser keeps it whole, and looks at it again with each further chunk.
_TOKEN_LIMIT = MEGABYTE


# Cells lie four elements deep.
_DEPTH_LIMIT = 100
_NAMES_KEPT = 1_000


class MarkupHandler:
    """Is told of the elements of a part. Names come without their namespace."""

    # Nothing that comes later is of interest.
    is_done = False

    def start(self, name: str, attributes: dict[str, str]) -> None: ...

    def end(self, name: str) -> None: ...

    def text(self, data: str) -> None: ...


def parse(stream: IO[bytes], part: str, handler: MarkupHandler, budget: Budget) -> Iterator[None]:
    """Tell the handler what the part holds, pausing after each piece so that what came can be carried off."""

    names = _LocalNames()
    count = depth = 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal count, depth
        count += 1
        depth += 1
        if depth > _DEPTH_LIMIT:
            raise _damaged(part)
        begin(names[name], attributes)

    def end(name: str) -> None:
        nonlocal depth
        depth -= 1
        finish(names[name])

    begin, finish = handler.start, handler.end
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = handler.text
    fed = 0
    try:
        while chunk := stream.read(_CHUNK):
            if handler.is_done:
                continue  # Read to the end nevertheless, where the archive's checksum is compared.
            parser.Parse(chunk)
            budget.spend(count)
            count = 0
            fed += len(chunk)
            if fed - parser.CurrentByteIndex > _TOKEN_LIMIT:
                raise _damaged(part)
            yield
        if not handler.is_done:
            parser.Parse(b"", True)
    except (expat.ExpatError, LookupError) as error:
        raise _damaged(part) from error
    yield


class _LocalNames(dict[str, str]):
    """Names without the prefix of their namespace."""

    def __missing__(self, name: str) -> str:
        local = name.rpartition(":")[2]
        if len(self) < _NAMES_KEPT:
            self[name] = local
        return local


def _refuse(*_declaration: object) -> None:
    raise Unreadable(_("The workbook has a document type declaration, which no spreadsheet program writes: refused."))


def _damaged(part: str) -> Unreadable:
    return Unreadable(
        _("%(part)s in the workbook is not sound XML: open the file in a spreadsheet program and save it again.")
        % {"part": part}
    )
