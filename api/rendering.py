"""From rows to bytes: serializer classes compiled into functions, and nested documents streamed from shared pieces.

A nested answer repeats itself: a driver carries whole trees of sites, an operator carries drivers. Each distinct
document is rendered once; wherever it appears, a slice of the list of its pieces stands for it.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import orjson
from django.db.models import Func
from rest_framework import serializers

from api.wire import Branches, EmptyList, Recursive, WireField


def dumps(document: dict[str, Any]) -> bytes:
    """The JSON of a document that is kept. A copy, because orjson's own bytes hold on to several times their size."""
    return bytes(memoryview(orjson.dumps(document)))


class Document:
    """A serializer class, compiled.

    `columns`: what to read with `values_list`, in the order in which `build` and `pieces` take a row.
    `given`: sources that are no columns; their values follow the row as arguments, in this order.
    `build(row, *given)`: the document as a dict, for one without branches.
    `pieces(row, *given)`: its bytes, cut where branches go in: one piece more than there are branches. The pieces
    open and close the branches' brackets; what goes between are documents with commas.
    """

    def __init__(self, serializer: type[serializers.Serializer[Any]], given: Sequence[str] = ()) -> None:
        self.columns: list[str | Func] = []
        self._sources: list[str] = []
        self._given = list(given)
        self._constants: dict[str, Any] = {"dumps": orjson.dumps}
        segments: list[str] = [""]
        branches: list[str] = []
        for name, field in serializer().fields.items():
            if isinstance(field, Branches | Recursive):
                branches.append(name)
                segments.append("")
            else:
                segments[-1] += f"{name!r}: {self._expression(field)}, "
        self.build: Callable[..., dict[str, Any]] = self._function("{" + segments[0] + "}")
        self.pieces: Callable[..., tuple[bytes, ...]] = self._function(_cut(segments, branches))

    def _expression(self, field: Any) -> str:
        if isinstance(field, serializers.Serializer) and field.source == "*":
            inner = ", ".join(f"{name!r}: {self._expression(child)}" for name, child in field.fields.items())
            return "{" + inner + "}"
        if field.source in self._given:
            return f"g{self._given.index(field.source)}"
        if isinstance(field, EmptyList):
            return "[]"
        if not isinstance(field, WireField):
            raise TypeError(f"{field.field_name} is neither a wire field nor given: it cannot be compiled.")
        index = len(self.columns)
        source = str(field.source)
        self.columns.append(field.column(source.replace(".", "__")))
        self._sources.append(source)
        value = f"r[{index}]"
        decode = field.decode
        if decode is None and field.missing is None:
            return value
        decoded = value
        if decode is not None:
            self._constants[f"d{index}"] = decode
            decoded = f"d{index}({value})"
        self._constants[f"m{index}"] = field.missing
        return f"(m{index} if {value} is None else {decoded})"

    def place(self, source: str) -> int:
        """Where in a row the value of `source` stands."""
        return self._sources.index(source)

    def _function(self, body: str) -> Callable[..., Any]:
        arguments = ", ".join(["r", *(f"g{index}" for index in range(len(self._given)))])
        # The text consists of the serializer's own field names and of the expressions above.
        return eval(f"lambda {arguments}: {body}", dict(self._constants))  # noqa: S307


def _cut(segments: list[str], branches: list[str]) -> str:
    """The expression for the pieces of a document whose fields stand in `segments`, cut at `branches`."""
    pieces = []
    for index, segment in enumerate(segments):
        first, last = index == 0, index == len(segments) - 1
        before = b"" if first else b"]"
        after = b"" if last else b'"%s":[' % branches[index].encode()
        if segment:
            before += b"{" if first else b","
            after = (b"," + after) if not last else b"}"
            pieces.append(f"{before!r} + dumps({{{segment}}})[1:-1] + {after!r}")
        else:
            opening = b"{" if first else b"" if last else b","
            pieces.append(repr(before + opening + after + (b"}" if last else b"")))
    return "(" + ", ".join(pieces) + ",)"


class Flat(list[bytes]):
    """Pieces that are bytes throughout, so that a slice of them is joined at once."""


class Slice(NamedTuple):
    """A document: some neighbours in a list of pieces."""

    pieces: list[Any]
    start: int
    stop: int


Piece = bytes | Slice


def joined(documents: Iterable[Piece]) -> list[Piece]:
    """Documents with commas between them."""
    result: list[Piece] = []
    for document in documents:
        if result:
            result.append(b",")
        result.append(document)
    return result


def array(documents: Iterable[Piece]) -> list[Piece]:
    """A JSON array of documents."""
    return [b"[", *joined(documents), b"]"]


_BLOCK = 65_536
_PIECES_AT_ONCE = 256


def stream(pieces: Sequence[Piece]) -> Iterator[bytes]:
    """The bytes of nested pieces in blocks of 64 KiB or more; memory stays that of the distinct pieces."""
    buffer: list[bytes] = []
    size = 0
    stack: list[Iterator[Piece]] = [iter(pieces)]
    while stack:
        for piece in stack[-1]:
            if isinstance(piece, bytes):
                buffer.append(piece)
                size += len(piece)
            elif isinstance(piece.pieces, Flat):
                for start in range(piece.start, piece.stop, _PIECES_AT_ONCE):
                    block = b"".join(piece.pieces[start : min(start + _PIECES_AT_ONCE, piece.stop)])
                    buffer.append(block)
                    size += len(block)
                    if size >= _BLOCK:
                        yield b"".join(buffer)
                        buffer.clear()
                        size = 0
            else:
                stack.append(iter(piece.pieces[piece.start : piece.stop]))
                break
            if size >= _BLOCK:
                yield b"".join(buffer)
                buffer.clear()
                size = 0
        else:
            stack.pop()
    if buffer:
        yield b"".join(buffer)
