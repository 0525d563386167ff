"""Files as the body of a request, raw or as the one part of a form: never more of them than may be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.core.exceptions import SuspiciousOperation
from django.core.files.uploadhandler import MemoryFileUploadHandler
from django.http import HttpRequest, QueryDict
from django.http.multipartparser import MultiPartParser, MultiPartParserError
from django.utils.translation import gettext as _
from rest_framework import status
from rest_framework.parsers import BaseParser
from rest_framework.request import Request

from api.errors import BadBody, Problem, TooLarge
from api.negotiation import ContentNegotiation

FORM = "multipart/form-data"
# The name of the form's part.
PART = "file"
# What a file may call itself, by how its name ends.
MEDIA_TYPES = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "zip": "application/zip",
    "json": "application/json",
    "": "application/octet-stream",
}
_CHUNK = 1 << 20


class NoFile(Problem):
    """The body is of a media type that files do not have."""

    status = status.HTTP_415_UNSUPPORTED_MEDIA_TYPE
    code = "unsupported-media-type"
    title = "Only files of tables are accepted"


class Untouched(BaseParser):
    """Leaves the body to the view, which reads it with `read_upload`, once it is known who sends it."""

    media_type = "*/*"

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> QueryDict:
        return QueryDict()


class UploadNegotiation(ContentNegotiation):
    """Any body comes to the view."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        return parsers[0]


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as it came, with the name that its sender gave it, or one that says its kind."""

    name: str
    content: bytes


def read_upload(request: HttpRequest, largest: int) -> Upload:
    """The file in the body, whose parser was `Untouched`; `largest` is how many bytes the body may have.

    Raises TooLarge, NoFile, and BadBody for a body that is empty, cut off or a form without exactly one file.
    """
    body = _Body(request)
    if body.length > largest:
        body.pass_over(4 * largest)
        raise TooLarge(
            _("A file may have at most %d MB. Split it, or send it as XLSX or ZIP.") % (largest // 1_000_000)
        )
    if not body.length:
        raise BadBody(_("No request body. Send the file itself with its Content-Length, or as a form."))
    if request.content_type == FORM:
        return _read_form(request, body)
    ending = next((ending for ending, kind in MEDIA_TYPES.items() if kind == request.content_type), None)
    if ending is None:
        known = ", ".join([*MEDIA_TYPES.values(), FORM])
        raise NoFile(
            _("Content-Type is %(given)s. Use one of %(known)s.")
            % {"given": _shown(request.content_type or ""), "known": known}
        )
    content = b"".join(iter(body.read, b""))
    body.check_whole()
    return Upload(f"upload.{ending}" if ending else "upload", content)


class _Body:
    """The stream of a request, which counts what it gives."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request
        self._given = 0
        try:
            self.length = int(request.META.get("CONTENT_LENGTH") or 0)
        except ValueError:
            # As Django takes it.
            self.length = 0

    def read(self, size: int = _CHUNK) -> bytes:
        try:
            part: bytes = self._request.read(size)
        except OSError as error:
            raise _cut_off() from error
        self._given += len(part)
        return part

    def pass_over(self, most: int) -> None:
        """Read on, within reason: many a sender looks at the answer only when everything is sent."""
        while self._given < most and self.read():
            pass

    def check_whole(self) -> None:
        """Raise BadBody when the sender went away half way: half a file is a file, too."""
        if self._given < self.length:
            raise _cut_off()


class _InMemory(MemoryFileUploadHandler):
    """Keeps a file of any size: the whole body is within bounds."""

    def handle_raw_input(self, *args: Any, **kwargs: Any) -> None:
        self.activated = True


def _cut_off() -> BadBody:
    return BadBody(_("Incomplete request body. Send it again."))


def _read_form(request: HttpRequest, body: _Body) -> Upload:
    try:
        # All that it does with the body is to read it.
        parser = MultiPartParser(request.META, body, [_InMemory(request)], request.encoding)  # type: ignore[arg-type]
        fields, files = parser.parse()
    except (MultiPartParserError, SuspiciousOperation) as error:
        raise BadBody(_("The body is not a form with one file: %s") % _shown(str(error))) from error
    body.check_whole()
    if fields:
        names = ", ".join(_shown(name) for name in list(fields)[:5])
        raise BadBody(_("The form has parts that are not files: %s. Put parameters in the URL.") % names)
    sent: list[Any] = files.getlist(PART)
    if list(files) != [PART] or len(sent) != 1:
        raise BadBody(
            _("The form must have one file, in a part named %(part)s, such as curl -F %(part)s=@network.xlsx.")
            % {"part": PART}
        )
    return Upload(sent[0].name, sent[0].read())


def _shown(text: str) -> str:
    """What came from outside, as it may stand in a message."""
    return repr(text[:100])
