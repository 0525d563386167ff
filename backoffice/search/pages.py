"""The global search: results page and suggestions while typing.

It searches all ModelAdmins with `is_in_global_search`, by their `search_fields`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import quote
from django.contrib.admin.views.main import SEARCH_VAR
from django.db.models import Count, Window
from django.http import HttpRequest, JsonResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.text import capfirst
from django.utils.translation import gettext

from backoffice.callers import scope_of
from backoffice.scoped import ScopedAdmin, path_labels
from backoffice.search.matching import (
    MatchReason,
    Part,
    SearchColumn,
    SearchTerm,
    columns_of,
    fitness,
    matching,
    reasons,
)

MOST_HITS = 20
MOST_SUGGESTED = 4
# Shorter texts match nearly everything.
SUGGESTED_FROM = 2


@dataclass(slots=True)
class Hit:
    """A found row. `links` are extra links as (label, URL); `customer` is set for platform staff."""

    row: Any
    url: str
    title: list[Part]
    reasons: list[MatchReason]
    links: list[tuple[str, str]]
    customer: str = ""
    site_id: int | None = None
    place: str = ""


@dataclass(slots=True)
class ResultGroup:
    """The best hits of one model, the `total` number of hits, and the `url` of the list with all of them."""

    label: str
    word: str
    url: str
    total: int = 0
    hits: list[Hit] = field(default_factory=list)


def page(request: HttpRequest) -> TemplateResponse:
    """The results page, grouped by model."""
    text = SearchTerm.parse(request.GET.get(SEARCH_VAR, ""))
    groups = search(request, text, MOST_HITS)
    context = {
        **admin.site.each_context(request),
        "title": gettext("Search"),
        "asked": text.whole,
        "groups": groups,
        "total": sum(group.total for group in groups),
        "kinds": [
            (capfirst(str(one.opts.verbose_name_plural)), one.search_help_text) for one in searched_admins(request)
        ],
    }
    return TemplateResponse(request, "admin/search/page.html", context)


def suggestions(request: HttpRequest) -> JsonResponse:
    """The best hits of each model. Texts are lists of `[text, is match]`.

    Reasons that repeat the title are omitted.
    """
    text = SearchTerm.parse(request.GET.get(SEARCH_VAR, ""))
    groups = search(request, text, MOST_SUGGESTED) if len(text.whole) >= SUGGESTED_FROM else []
    answer = [
        {
            "label": group.label,
            "total": group.total,
            "hits": [
                {
                    "url": hit.url,
                    "title": hit.title,
                    "place": hit.place,
                    "reasons": [
                        {"label": one.label, "parts": one.parts} for one in hit.reasons if one.parts != hit.title
                    ],
                }
                for hit in group.hits
            ],
        }
        for group in groups
    ]
    return JsonResponse({"groups": answer})


def searched_admins(request: HttpRequest) -> list[ScopedAdmin]:
    """The ModelAdmins in the global search, in the order of the navigation."""
    return [
        one
        for one in admin.site._registry.values()
        if isinstance(one, ScopedAdmin) and one.is_in_global_search and one.has_view_permission(request)
    ]


def search(request: HttpRequest, text: SearchTerm, most: int) -> list[ResultGroup]:
    """The groups that have hits. Two statements per model, and one for all site paths."""
    if not text.words:
        return []
    groups = [group for one in searched_admins(request) if (group := _group(request, one, text, most)).hits]
    hits = [hit for group in groups for hit in group.hits]
    paths = path_labels(scope_of(request), [hit.site_id for hit in hits])
    for hit in hits:
        hit.place = ": ".join(filter(None, [hit.customer, paths.get(hit.site_id, "")]))
    return groups


def _group(request: HttpRequest, of: ScopedAdmin, text: SearchTerm, most: int) -> ResultGroup:
    scope = scope_of(request)
    columns = columns_of(of.model, of.search_fields)
    address = reverse(f"admin:{of.opts.app_label}_{of.opts.model_name}_changelist")
    group = ResultGroup(
        label=capfirst(str(of.opts.verbose_name_plural)),
        word=str(of.opts.verbose_name_plural),
        url=f"{address}?{urlencode({SEARCH_VAR: text.whole})}",
    )
    rows: Any = of.model._default_manager
    matched = rows.visible_to(scope).filter(matching(columns, text, scope))
    ranked = matched.alias(fitness=fitness(columns, text, scope)).order_by("fitness", *_order(request, of))
    best = list(ranked.annotate(total=Window(Count("*"))).values_list("pk", "total")[:most])
    if best:
        group.total = best[0][1]
        complete = of.get_queryset(request).in_bulk([pk for pk, _total in best])
        group.hits = [_hit(of, columns, complete[pk], text) for pk, _total in best if pk in complete]
        if of._shows_customer(request):
            for hit in group.hits:
                hit.customer = str(hit.row.customer or "")
    return group


def _order(request: HttpRequest, of: ScopedAdmin) -> Sequence[Any]:
    return of.get_ordering(request) or of.opts.ordering or ("pk",)


def _hit(of: ScopedAdmin, columns: Sequence[SearchColumn], row: Any, text: SearchTerm) -> Hit:
    why = reasons(columns, row, text)
    name = f"{of.opts.app_label}_{of.opts.model_name}"
    title = str(row)
    return Hit(
        row=row,
        url=reverse(f"admin:{name}_change", args=[quote(row.pk)]),
        title=next((one.parts for one in why if one.text == title), [Part(title)]),
        reasons=why,
        links=[(str(label), reverse(f"admin:{view}", args=[quote(row.pk)])) for label, view in of.search_links],
        site_id=of.site_of(row),
    )
