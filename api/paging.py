"""What is asked for by a word or a place: one of several names, and one page of a list that has an order of its own."""

from collections.abc import Collection, Sequence
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter
from rest_framework.response import Response

from api.parameters import MOST, USUAL_LIMIT, did_you_mean, number, wrong

_FURTHEST = 10**9

PAGING = ("limit", "offset")


def word(request: HttpRequest, name: str, known: Collection[str], usual: str = "") -> str:
    """A parameter that is one of `known`, or `usual` when it is not given."""
    text = request.GET.get(name)
    if text is None:
        return usual
    if text not in known:
        raise wrong(name, "unknown", _("Must be one of %s.") % ", ".join(known) + did_you_mean(text, known))
    return text


def page(request: HttpRequest, rows: Sequence[Any] | QuerySet[Any]) -> tuple[list[Any], str | None]:
    """The part of `rows` that the request asks for, and the address of the next one, null after the last."""
    limit = number(request, "limit", USUAL_LIMIT, 1, MOST)
    offset = number(request, "offset", 0, 0, _FURTHEST)
    found = list(rows[offset : offset + limit + 1])
    if len(found) <= limit:
        return found, None
    query = request.GET.copy()
    query["offset"] = str(offset + limit)
    return found[:limit], request.build_absolute_uri(f"{request.path}?{query.urlencode()}")


def page_response(items: Any, following: str | None) -> Response:
    return Response({"items": items, "next": following}, headers=link_to(following))


def link_to(following: str | None) -> dict[str, str]:
    """The header that names the next page, if there is one."""
    return {"Link": f'<{following}>; rel="next"'} if following else {}


def query_parameter(name: str, description: str, known: Collection[str] = (), **more: Any) -> OpenApiParameter:
    """A textual parameter for the documentation; `known` are its values."""
    enum = list(known) or None
    return OpenApiParameter(name, str, OpenApiParameter.QUERY, description=description, enum=enum, **more)


def described_paging() -> list[OpenApiParameter]:
    """The parameters of `page` for the documentation."""
    described = {
        "limit": ("How many objects a page has at most.", 1, MOST, USUAL_LIMIT),
        "offset": ("How many objects come before the page: `next` has the address of the next one.", 0, _FURTHEST, 0),
    }
    return [
        OpenApiParameter(
            name,
            {"type": "integer", "minimum": least, "maximum": most, "default": usual},
            OpenApiParameter.QUERY,
            description=text,
        )
        for name, (text, least, most, usual) in described.items()
    ]
