"""The history page of one object and its related objects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.contrib.admin.views.main import PAGE_VAR
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext

from backoffice import history
from backoffice.callers import scope_of
from backoffice.times import zone_of
from hierarchy.object_history import has_belongings, lines_of

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Any]
else:
    ModelAdmin = admin.ModelAdmin

# The query parameter that excludes related objects, and its value.
ONLY, ROW = "only", "row"


class HistoryPages(ModelAdmin):
    """Mixin that replaces Django's history view."""

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        row: Any = self.get_object(request, unquote(object_id))
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        only_own = request.GET.get(ONLY) == ROW
        changes = lines_of(self.model, row.pk, scope_of(request), only_own=only_own)
        paginator = self.get_paginator(request, changes, self.list_per_page)
        page = paginator.get_page(request.GET.get(PAGE_VAR, 1))
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("History of %(object)s") % {"object": row},
            "object": row,
            "trail": self.trail_of(request, row),  # type: ignore[attr-defined]
            "opts": self.opts,
            "lines": history.entries(page.object_list, scope_of(request), zone_of(row)),
            "names_objects": has_belongings(self.model) and not only_own,
            "has_belongings": has_belongings(self.model),
            "only_own": only_own,
            "zone": zone_of(row),
            "page": page,
            **(extra_context or {}),
        }
        return TemplateResponse(request, "admin/object_history.html", context)
