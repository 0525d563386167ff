"""Lists of flat objects: pages, order, filters and the choice of keys.

A page ends with a cursor that holds the last row's values of the columns of the order, so that rows which come and go
meanwhile neither repeat nor hide others, and the last page costs what the first does.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter

from api.cursors import CURSOR_PAGING, MAX_LIMIT, cursor_position, limit_parameter, page_after, page_limit
from api.filters import FlatFilterSet
from api.flat import FlatSerializer
from api.ordering import OrderColumn, name_of, rows_after
from api.parameters import collected, refuse_wrong, unknown_key, wrong
from api.rendering import Document
from api.schema import described_parameter, list_schema
from hierarchy.errors import FieldError


class Listing:
    """How the objects of one kind are listed."""

    def __init__(self, serializer: type[FlatSerializer], filters: type[FlatFilterSet]) -> None:
        self.document = Document(serializer)
        self.filters = filters
        self.parameters = (*CURSOR_PAGING, "fields", *filters.base_filters)
        # Those that take a list may be repeated.
        self.repeatable = {"fields", *(name for name, one in filters.base_filters.items() if one.is_list)}
        self._keys = list(serializer.all_fields())

    def page(self, request: HttpRequest, rows: Any, scope: Any) -> tuple[list[dict[str, Any]], str | None]:
        """The objects that the request asks for among `rows`, and the URL of the next page. One statement."""
        filters = self.filters(request.GET, rows.order_by("pk"), scope)
        errors: list[FieldError] = []
        with collected(errors):
            limit = page_limit(request)
        with collected(errors):
            position = cursor_position(request)
        with collected(errors):
            chosen = self._chosen(request)
        refuse_wrong([*errors, *filters.field_errors()])
        order, found = filters.order, filters.qs
        if position is not None:
            found = found.filter(rows_after(order, _values(position, order)))
        columns = self.document.columns
        width = len(columns)
        read = list(found.values_list(*columns, *(column.path for column in order))[: limit + 1])
        items = [self.document.build(row) for row in read[:limit]]
        if chosen is not None:
            items = [{key: item[key] for key in chosen} for item in items]
        following = page_after(request, _position(order, read[limit - 1][width:])) if len(read) > limit else None
        return items, following

    def _chosen(self, request: HttpRequest) -> list[str] | None:
        """The keys that the objects are to have, in the objects' own order; None without a choice."""
        if "fields" not in request.GET:
            return None
        asked = [key for text in request.GET.getlist("fields") for key in text.split(",")]
        for key in asked:
            if key not in self._keys:
                raise wrong("fields", "unknown", unknown_key(key, self._keys))
        return [key for key in self._keys if key in asked]

    def described(self) -> list[OpenApiParameter]:
        """The parameters for the documentation."""
        return [
            limit_parameter(f"How many objects a page has at most, 1 to {MAX_LIMIT}."),
            described_parameter(
                "cursor", {"type": "string"}, "Where the page begins: take it from `next`, and change nothing else."
            ),
            described_parameter(
                "fields",
                list_schema({"type": "string", "enum": self._keys}),
                "The keys that each object has, separated by commas or with the parameter repeated; all without.",
            ),
            *self.filters.described(),
        ]


def _position(order: Sequence[OrderColumn], values: Sequence[Any]) -> Any:
    """What a cursor says of the last row of a page: by which order it came, and where it stood in that."""
    texts = [value.isoformat() if hasattr(value, "isoformat") else value for value in values]
    return [name_of(order), texts]


def _values(position: Any, order: Sequence[OrderColumn]) -> list[Any]:
    """The columns' values of the row after which a page begins; raises BadParameters for another order's."""
    name, values = position
    if name != name_of(order):
        raise wrong("cursor", "other_order", _("The cursor belongs to another order. Begin at the first page."))
    return [
        None if value is None else column.column.to_python(value) for column, value in zip(order, values, strict=True)
    ]
