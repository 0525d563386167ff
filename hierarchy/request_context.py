"""What the product knows of a request besides what Django does: one typed object, wherever the request goes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest

from hierarchy.scoping import Caller

_ATTRIBUTE = "chargetree"


@dataclass(slots=True)
class RequestContext:
    """`caller`: the current operator, once authenticated. `writable`: whether rows are, by model and id, as asked.

    Of a form in the admin: `refused` is why its first attempt to save failed, `invited` the operators to whom it sends
    a link, `new_key` the API key that it created, with its text.
    """

    caller: Caller | None = None
    writable: dict[tuple[type, int], bool] = field(default_factory=dict)
    refused: Any = None
    invited: list[Any] = field(default_factory=list)
    new_key: Any = None


def context_of(request: HttpRequest) -> RequestContext:
    """The context of a request, the same for its whole length."""
    context: RequestContext | None = request.__dict__.get(_ATTRIBUTE)
    if context is None:
        context = request.__dict__[_ATTRIBUTE] = RequestContext()
    return context
