"""What the API speaks: JSON, whatever of the usual kinds is asked for."""

from typing import Any

import orjson
from rest_framework.exceptions import NotAcceptable, ParseError
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

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
        try:
            return orjson.loads(stream.read())
        except orjson.JSONDecodeError as error:
            raise ParseError(f"The body is not JSON: {error}.") from None


# text/plain asks for plain errors; a success is JSON all the same.
_ACCEPTABLE = {"*/*", "application/*", "application/json", "application/problem+json", "text/plain", "text/*"}


class ContentNegotiation(BaseContentNegotiation):
    def select_parser(self, request: Request, parsers: Any) -> Any:
        kind = (request.content_type or "").split(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type == kind), None)

    def select_renderer(self, request: Request, renderers: Any, format_suffix: Any = None) -> Any:
        accept = request.headers.get("Accept", "") or "*/*"
        for part in accept.split(","):
            kind, *parameters = (item.strip().lower() for item in part.split(";"))
            if kind in _ACCEPTABLE and not any(item in ("q=0", "q=0.0", "q=0.00", "q=0.000") for item in parameters):
                return renderers[0], CONTENT_TYPE
        raise NotAcceptable()
