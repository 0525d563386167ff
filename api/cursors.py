"""Pages of lists: how long they are, where the next one begins, and the cursors that say so.

A cursor is signed and names its list by the path: it is good for no other.
"""

from collections.abc import Sequence
from typing import Any

from django.core import signing
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter
from rest_framework.response import Response

from api.parameters import number, wrong
from api.schema import described_parameter

# How many objects a page has, and how many it may have.
USUAL_LIMIT = 100
MAX_LIMIT = 1000
_MAX_OFFSET = 10**9

_SALT = "chargetree.api.cursors"

CURSOR_PAGING = ("limit", "cursor")
OFFSET_PAGING = ("limit", "offset")


def page_limit(request: HttpRequest) -> int:
    """How many objects the page may have; raises BadParameters."""
    return number(request, "limit", USUAL_LIMIT, 1, MAX_LIMIT)


def cursor_for(request: HttpRequest, position: Any) -> str:
    """The cursor for a position, any JSON value, in the list of the request."""
    return signing.dumps([request.path_info, position], salt=_SALT)


def cursor_position(request: HttpRequest, parameter: str = "cursor") -> Any:
    """The position that the request's cursor holds, None without one; raises BadParameters."""
    cursor = request.GET.get(parameter)
    if cursor is None:
        return None
    try:
        path, position = signing.loads(cursor, salt=_SALT)
    except signing.BadSignature:
        detail = _("Is not a valid cursor: use `next` of the previous response, or begin again without one.")
        raise wrong(parameter, "not_a_cursor", detail) from None
    if path != request.path_info:
        raise wrong(parameter, "other_list", _("The cursor belongs to another list, %s.") % path)
    return position


def page_after(request: HttpRequest, position: Any) -> str:
    """The URL of the page that begins after a position."""
    return _page_url(request, "cursor", cursor_for(request, position))


def offset_page(request: HttpRequest, rows: Sequence[Any] | QuerySet[Any]) -> tuple[list[Any], str | None]:
    """The page of `rows` that the request asks for by its offset, and the URL of the next one, None after the last."""
    limit = page_limit(request)
    offset = number(request, "offset", 0, 0, _MAX_OFFSET)
    found = list(rows[offset : offset + limit + 1])
    if len(found) <= limit:
        return found, None
    return found[:limit], _page_url(request, "offset", str(offset + limit))


def _page_url(request: HttpRequest, parameter: str, value: str) -> str:
    query = request.GET.copy()
    query[parameter] = value
    return request.build_absolute_uri(f"{request.path}?{query.urlencode()}")


def page_response(items: Any, following: str | None) -> Response:
    return Response({"items": items, "next": following}, headers=next_link(following))


def next_link(following: str | None) -> dict[str, str]:
    """The header that names the next page, if there is one."""
    return {"Link": f'<{following}>; rel="next"'} if following else {}


def limit_parameter(description: str) -> OpenApiParameter:
    """`limit` for the documentation."""
    schema = {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": USUAL_LIMIT}
    return described_parameter("limit", schema, description)


def offset_parameters() -> list[OpenApiParameter]:
    """The parameters of `offset_page` for the documentation."""
    schema = {"type": "integer", "minimum": 0, "maximum": _MAX_OFFSET, "default": 0}
    text = "How many objects come before the page: `next` has the address of the next one."
    return [limit_parameter("How many objects a page has at most."), described_parameter("offset", schema, text)]
