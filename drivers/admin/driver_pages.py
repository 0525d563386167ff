"""Views of one driver besides its form: accessible chargers."""

from __future__ import annotations

from typing import Any

from django.contrib.admin.utils import unquote
from django.contrib.admin.views.main import PAGE_VAR, SEARCH_VAR
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext

from backoffice.callers import scope_of
from backoffice.entities import EntityAdmin
from drivers.models import Driver, Tag
from drivers.selectors import Validity, WithinReach, with_validity
from hierarchy.db import snapshot
from hierarchy.text import comparison_key

# How many chargers the page of the driver lists.
FIRST_CHARGERS = 20


class DriverPages(EntityAdmin):
    """Adds the views of one driver to the admin of drivers."""

    def get_urls(self) -> list[URLPattern]:
        page = self.admin_site.admin_view(self.reach_view)
        return [path("<path:object_id>/reach/", page, name="drivers_driver_reach"), *super().get_urls()]

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        shown = context.get("original")
        scope = scope_of(request)
        # A bound form has written unsaved input into the row, so load it again.
        driver = Driver.objects.visible_to(scope).filter(pk=shown.pk).first() if shown is not None else None
        if driver is not None:
            with snapshot():
                reach = WithinReach(scope, driver)
                count, sites = reach.numbers()
                context = {
                    **context,
                    **self._tags(driver),
                    "count": count,
                    "sites": sites,
                    "only_visible": scope.is_restricted,
                    "lines": reach.explained(reach.chargers[:FIRST_CHARGERS]),
                }
        return super().render_change_form(request, context, *args, **kwargs)

    def reach_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """All chargers at which the driver may charge, paginated."""
        driver = self.get_object(request, unquote(object_id))
        text = request.GET.get(SEARCH_VAR, "").replace("\0", " ").strip()
        with snapshot():
            reach = WithinReach(scope_of(request), driver)
            found = reach.chargers
            if text:
                key = comparison_key(text)
                found = found.filter(
                    Q(charger_id_key__contains=key) | Q(name_key__contains=key) | Q(site__name_key__contains=key)
                )
            paginator = self.get_paginator(request, found, self.list_per_page)
            page = paginator.get_page(request.GET.get(PAGE_VAR, 1))
            lines = reach.explained(page.object_list)
            tags = self._tags(driver)
        context = {
            **self.admin_site.each_context(request),
            **tags,
            "title": gettext("Accessible chargers of %(driver)s") % {"driver": driver},
            "opts": self.opts,
            "original": driver,
            "trail": self.trail_of(request, driver),
            "typed": text,
            "lines": lines,
            "page": page,
        }
        return TemplateResponse(request, "admin/drivers/driver/reach.html", context)

    @staticmethod
    def _tags(driver: Driver) -> dict[str, Any]:
        """One statement."""
        tags = with_validity(Tag.objects.filter(driver=driver))
        return {"tags": tags, "valid_tags": sum(state == Validity.VALID for _tag, state in tags)}
