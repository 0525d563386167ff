"""Answers of the API packed with gzip, for whoever accepts it; those that are streamed stay so.

Nothing here holds a secret beside something that a stranger chooses (BREACH): that is said of the API alone.
"""

import re
import zlib
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers

# Fewer bytes are hardly fewer when they are packed.
LEAST = 1024
# Nested answers repeat themselves: the quickest level packs them well enough.
_LEVEL = 1
_GZIP = 16 + zlib.MAX_WBITS
_KINDS = re.compile(r"application/(?:[a-z.]+\+)?json|application/vnd\.oai\.openapi(?:\+json)?|text/csv")


class CompressionMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response: Any = self.get_response(request)
        if not request.path.startswith("/api/"):
            return response
        if response.status_code == 304:
            # It stands for an answer that may be packed, whose length nobody knows.
            patch_vary_headers(response, ("Accept-Encoding",))
            del response.headers["Content-Length"]
        if not _is_packable(response):
            return response
        patch_vary_headers(response, ("Accept-Encoding",))
        if accepts_gzip(request.headers.get("Accept-Encoding", "")):
            _pack(response)
        return response


def accepts_gzip(accept_encoding: str) -> bool:
    """Whether the header Accept-Encoding allows gzip (RFC 9110, section 12.5.3)."""
    weights = {}
    for part in accept_encoding.lower().split(","):
        coding, *parameters = (item.strip() for item in part.split(";"))
        refused = any(re.fullmatch(r"q=0(\.0{0,3})?", parameter) for parameter in parameters)
        weights[coding] = not refused
    return weights.get("gzip", weights.get("x-gzip", weights.get("*", False)))


def _is_packable(response: Any) -> bool:
    """A strong entity tag is that of the very bytes: an answer that has one is left as it is."""
    kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    return (
        _KINDS.fullmatch(kind) is not None
        and "Content-Encoding" not in response.headers
        and not response.headers.get("ETag", "").startswith('"')
    )


def _pack(response: Any) -> None:
    if response.streaming:
        parts = iter(response.streaming_content)
        first: list[bytes] = []
        while sum(map(len, first)) < LEAST:
            part = next(parts, None)
            if part is None:
                response.streaming_content = first
                return
            first.append(part)
        response.streaming_content = _packed(chain(first, parts))
        del response.headers["Content-Length"]
    elif len(response.content) < LEAST:
        return
    else:
        response.content = b"".join(_packed([response.content]))
        response.headers["Content-Length"] = str(len(response.content))
    response.headers["Content-Encoding"] = "gzip"


def _packed(parts: Iterable[bytes]) -> Iterator[bytes]:
    packer = zlib.compressobj(_LEVEL, wbits=_GZIP)
    for part in parts:
        if packed := packer.compress(part):
            yield packed
    yield packer.flush()
