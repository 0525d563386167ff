"""Views of one charger besides its form: live status, drivers with access, and the check of a tag."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import orjson
from django.conf import settings
from django.contrib.admin.utils import unquote
from django.contrib.admin.views.main import PAGE_VAR, SEARCH_VAR
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext

from backoffice import times
from backoffice.callers import scope_of
from backoffice.entities import EntityAdmin
from chargers.models import Charger, Socket
from drivers.evidence import ShownRight, may_charge
from drivers.models import Driver, Tag
from drivers.selectors import Validity, drivers_at, with_rights, with_validity
from hierarchy.db import snapshot
from hierarchy.scoping import Scope
from hierarchy.text import comparison_key

# How many drivers the page of the charger lists.
FIRST_DRIVERS = 20
# How many other chargers of the same site the map shows.
MOST_NEIGHBOURS = 200
# The maximum length of an ID tag. Longer input matches no tag.
TAG_LENGTH = 255
TAG = "tag"


@dataclass(frozen=True, slots=True)
class DriverRow:
    """A driver who may charge at a charger, with the rights that allow it and the driver's tags."""

    driver: Driver
    rights: list[ShownRight]
    tags: list[tuple[Tag, Validity]]


@dataclass(frozen=True, slots=True)
class LiveStatus:
    """The current status of a charger and its sockets."""

    charger: Charger
    sockets: list[Socket]
    zone: ZoneInfo

    @property
    def announcement(self) -> str:
        """The status as text, which screen readers announce when it changes."""
        connection = gettext("connected") if self.charger.has_active_connection else gettext("not connected")
        said = [f"{self.charger}: {self.charger.get_status_display()}, {connection}"]
        said += [
            gettext("socket %(number)s: %(status)s") % {"number": one.number, "status": one.get_status_display()}
            for one in self.sockets
        ]
        return "; ".join(said)

    @property
    def last_seen(self) -> str:
        return times.ago(self.charger.last_seen) if self.charger.last_seen else ""


def _live(scope: Scope, charger: Charger, zone: ZoneInfo) -> LiveStatus:
    """One statement."""
    sockets = Socket.objects.visible_to(scope).filter(charger=charger).order_by("number")
    return LiveStatus(charger, list(sockets), zone)


def _lines(scope: Scope, charger: Charger, drivers: Any) -> list[DriverRow]:
    """Seven statements."""
    rows = list(drivers.prefetch_related("tags"))
    return [
        DriverRow(driver, rights, with_validity(driver.tags.all()))
        for driver, rights in with_rights(scope, charger, rows)
    ]


class ChargerPages(EntityAdmin):
    """Adds the views of one charger to the admin of chargers."""

    def get_urls(self) -> list[URLPattern]:
        page = self.admin_site.admin_view
        return [
            path("<path:object_id>/status/", page(self.status_view), name="chargers_charger_status"),
            path("<path:object_id>/drivers/", page(self.drivers_view), name="chargers_charger_drivers"),
            path("<path:object_id>/access/", page(self.access_view), name="chargers_charger_access"),
            *super().get_urls(),
        ]

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        shown = context.get("original")
        scope = scope_of(request)
        # A bound form has written unsaved input into the row, so load it again.
        charger = Charger.objects.visible_to(scope).filter(pk=shown.pk).first() if shown is not None else None
        if charger is not None:
            with snapshot():
                found = drivers_at(scope, charger)
                located = Charger.objects.visible_to(scope).filter(site_id=charger.site_id, latitude__isnull=False)
                neighbours = located.exclude(pk=charger.pk).values_list("charger_id", "latitude", "longitude")
                context = {
                    **context,
                    "live": _live(scope, charger, times.zone_of(shown)),
                    "count": found.count(),
                    "lines": _lines(scope, charger, found[:FIRST_DRIVERS]),
                    "neighbours": orjson.dumps(list(neighbours[:MOST_NEIGHBOURS])).decode(),
                }
        context |= {"tile_url": settings.MAP_TILE_URL, "tile_attribution": settings.MAP_TILE_ATTRIBUTION}
        return super().render_change_form(request, context, *args, **kwargs)

    def status_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The live status as HTML and as text."""
        charger = self.get_object(request, unquote(object_id))
        live = _live(scope_of(request), charger, times.zone_of(charger))
        html = render_to_string("admin/chargers/charger/live.html", {"live": live}, request)
        return HttpResponse(orjson.dumps({"html": html, "words": live.announcement}), content_type="application/json")

    def drivers_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """All drivers who may charge at the charger, paginated."""
        scope = scope_of(request)
        charger = self.get_object(request, unquote(object_id))
        text = request.GET.get(SEARCH_VAR, "").replace("\0", " ").strip()
        with snapshot():
            found = drivers_at(scope, charger)
            if text:
                found = found.filter(name_key__contains=comparison_key(text))
            paginator = self.get_paginator(request, found, self.list_per_page)
            page = paginator.get_page(request.GET.get(PAGE_VAR, 1))
            lines = _lines(scope, charger, page.object_list)
        context = {
            "title": gettext("Who may charge at %(charger)s") % {"charger": charger},
            "typed": text,
            "lines": lines,
            "page": page,
        }
        return self._page(request, charger, "drivers", context)

    def access_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Whether a tag may charge at the charger now, and why."""
        charger = self.get_object(request, unquote(object_id))
        text = request.GET.get(TAG, "").strip()[: TAG_LENGTH + 1]
        with snapshot():
            answer = may_charge(scope_of(request), charger, text, timezone.now()) if text else None
        title = gettext("May this tag charge at %(charger)s?") % {"charger": charger}
        return self._page(
            request,
            charger,
            "access",
            {
                "title": title,
                "typed": text,
                "is_asked": TAG in request.GET,
                "answer": answer,
                "zone": times.zone_of(charger),
            },
        )

    def _page(self, request: HttpRequest, charger: Charger, name: str, context: dict[str, Any]) -> TemplateResponse:
        whole = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": charger,
            "trail": self.trail_of(request, charger),
            **context,
        }
        return TemplateResponse(request, f"admin/chargers/charger/{name}.html", whole)
