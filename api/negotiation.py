"""What the API speaks: JSON, whatever of the usual kinds is asked for."""

from typing import Any

import orjson
from django.utils.translation import gettext as _
from rest_framework.exceptions import NotAcceptable, ParseError, UnsupportedMediaType
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from api.errors import LengthRequired, TooLarge

# A thousand chargers with all that can be said of each have some three million bytes.
LARGEST_BODY = 10_000_000

CONTENT_TYPE = "application/json"


class JSONRenderer(BaseRenderer):
    """Flat answers; nested ones are streamed."""

    media_type = CONTENT_TYPE
    format = "json"
    charset = None
    render_style = "binary"

    def render(self, data: Any, accepted_media_type: Any = None, renderer_context: Any = None) -> bytes:
        return orjson.dumps(data) if data is not None else b""


class JSONParser(BaseParser):
    """Strict JSON: no NaN, no lone surrogates, no nesting that would exhaust the stack."""

    media_type = CONTENT_TYPE

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        body = stream.read(LARGEST_BODY + 1)
        if len(body) > LARGEST_BODY:
            raise TooLarge(_("JSON may have at most %d MB. Split it, or import a file.") % (LARGEST_BODY // 1_000_000))
        try:
            return orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise ParseError(f"The body is not JSON: {error}.") from None


def refuse_wrapped(request: Request) -> None:
    """Raise LengthRequired for a body in chunks, which never reaches us, and UnsupportedMediaType for a packed one."""
    if "Transfer-Encoding" in request.headers:
        raise LengthRequired(_("Chunked request bodies are not supported. Send a Content-Length."))
    packed = request.headers.get("Content-Encoding", "identity").strip().lower()
    if packed != "identity":
        raise UnsupportedMediaType(
            packed,
            _("Compressed request bodies are not supported (Content-Encoding: %s). Send it uncompressed.") % packed,
        )


# text/plain asks for plain errors; a success is JSON all the same.
_ACCEPTABLE = {"*/*", "application/*", "application/json", "application/problem+json", "text/plain", "text/*"}


class ContentNegotiation(BaseContentNegotiation):
    def select_parser(self, request: Request, parsers: Any) -> Any:
        kind = (request.content_type or "").split(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type == kind), None)

    def select_renderer(self, request: Request, renderers: Any, format_suffix: Any = None) -> Any:
        accept = request.headers.get("Accept", "") or "*/*"
        acceptable = {*_ACCEPTABLE, renderers[0].media_type}
        for part in accept.split(","):
            kind, *parameters = (item.strip().lower() for item in part.split(";"))
            if kind in acceptable and not any(item in ("q=0", "q=0.0", "q=0.00", "q=0.000") for item in parameters):
                return renderers[0], CONTENT_TYPE
        raise NotAcceptable()
