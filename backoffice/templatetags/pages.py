"""Template tag for pagination."""

from typing import Any

from django import template
from django.core.paginator import Page

register = template.Library()


@register.inclusion_tag("admin/pages.html", takes_context=True)
def pages(context: template.Context, page: Page[Any], anchor: str = "") -> dict[str, Any]:
    """Links to the pages around `page`, with `anchor` appended; empty for a single page."""
    numbers = page.paginator.get_elided_page_range(page.number)
    return {"request": context["request"], "page": page, "numbers": numbers, "anchor": anchor}
