"""The home page of the admin: tiles with counts, socket health, and the map of chargers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson
from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _

from backoffice import history, times
from backoffice.callers import scope_of
from backoffice.scoped import path_labels
from chargers.rollup import STATES
from hierarchy.models import Change, Import
from operators.dashboard import Dashboard, Group, SocketNumbers, dashboard, on_map

# How many change log entries the page shows.
LATEST_CHANGES = 10
# The width of a group's bar, in its own units.
BAR = 1000


@dataclass(frozen=True, slots=True)
class Tile:
    """A count that links to its list. `state` selects the icon."""

    label: Any
    number: int
    url: str
    state: str = ""


# On the map, charging chargers are not counted as online, because each charger is shown once.
MAP_STATES = [
    (word, _("Online, not charging") if word == "online" else label) for word, label in reversed(STATES.values())
]


def _list(model: str, **filters: Any) -> str:
    return f"{reverse(f'admin:{model}_changelist')}?{urlencode(filters)}"


def _socket_tiles(numbers: SocketNumbers, **filters: Any) -> list[Tile]:
    return [
        Tile(label, number, _list("chargers_socket", health=state, **filters), state)
        for state, label, number in (
            ("online", _("Online"), numbers.online),
            ("charging", _("Of these charging"), numbers.charging),
            ("offline", _("Offline"), numbers.offline),
            ("error", _("In error"), numbers.error),
        )
    ]


def _attention_tiles(found: Dashboard) -> list[Tile]:
    rows = (
        (_("Chargers not seen for a day"), found.chargers_unseen, "chargers_charger", {"seen": "not-for-a-day"}),
        (_("Tags that expire within 30 days"), found.tags_expiring, "drivers_tag", {"expires": "soon"}),
        (_("Drivers without rights"), found.drivers_without_rights, "drivers_driver", {"rights": "none"}),
        (_("Sites without chargers"), found.sites_without_chargers, "hierarchy_site", {"chargers": "none"}),
    )
    return [Tile(label, number, _list(model, **filters)) for label, number, model, filters in rows]


@dataclass(frozen=True, slots=True)
class Bar:
    """The socket health of a group, as a bar and as tiles."""

    group: Group
    url: str
    tiles: list[Tile]

    @property
    def parts(self) -> list[tuple[str, float, float]]:
        """The segments of the bar from the left: state, start and width, in units of BAR."""
        numbers = self.group.sockets
        widths = {
            "charging": numbers.charging,
            "online": numbers.online - numbers.charging,
            "offline": numbers.offline,
            "error": numbers.error,
        }
        parts, start = [], 0.0
        for state, count in widths.items():
            if count:
                width = BAR * count / numbers.total
                parts.append((state, round(start, 2), round(width, 2)))
                start += width
        return parts


def context(request: HttpRequest) -> dict[str, Any]:
    """The template context. Seven statements."""
    scope = scope_of(request)
    found = dashboard(scope)
    paths = path_labels(scope, [charger.site_id for charger in found.chargers])
    chargers = [
        {"row": charger, "place": paths.get(charger.site_id, ""), "state": STATES[charger.state]}
        for charger in found.chargers
    ]
    group_filter = "of" if scope.is_platform else "within"
    bars = [
        Bar(
            group,
            _list("chargers_socket", **{group_filter: group.pk}),
            _socket_tiles(group.sockets, **{group_filter: group.pk}),
        )
        for group in found.groups
    ]
    changes = list(Change.objects.visible_to(scope)[:LATEST_CHANGES])
    history.redact_names(changes, scope)
    return {
        "may_import": admin.site.get_model_admin(Import).has_add_permission(request),
        "latest_changes": [(change, history.kind_of(change), times.ago(change.at)) for change in changes],
        "home": {
            "found": found,
            "socket_tiles": _socket_tiles(found.sockets),
            "map_states": MAP_STATES,
            "attention": _attention_tiles(found),
            "bars": bars,
            "bar_width": BAR,
            "chargers": chargers,
            "imports": [(row, times.ago(row.created_at)) for row in found.imports],
            "of_customers": scope.is_platform,
            "sees_everything": not scope.is_restricted,
            "tile_url": settings.MAP_TILE_URL,
            "tile_attribution": settings.MAP_TILE_ATTRIBUTION,
        },
    }


def map_data(request: HttpRequest) -> HttpResponse:
    """The chargers of the map as `[id, charger id, name, latitude, longitude, city, state]`: city and state are indexes
    into the lists of cities and states. Two statements."""
    rows, located, elsewhere = on_map(scope_of(request))
    states = list(STATES)
    cities: dict[str, int] = {}
    chargers = [
        (
            pk,
            charger_id,
            name,
            round(latitude, 5),
            round(longitude, 5),
            cities.setdefault(city or "", len(cities)),
            states.index(state),
        )
        for pk, charger_id, name, latitude, longitude, city, state in rows
    ]
    data = {
        "states": [(state, str(label)) for state, label in STATES.values()],
        "cities": list(cities),
        "chargers": chargers,
        "more": located - len(rows),
        "elsewhere": elsewhere,
    }
    return HttpResponse(orjson.dumps(data), content_type="application/json")
