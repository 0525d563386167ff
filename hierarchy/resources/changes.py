"""What changed: the journal as somebody follows it who keeps a copy of the network.

A follower takes a cursor with `since=latest`, reads the flat lists, and from then on reads the changes and, of each
object that they name, the flat object again. What a restricted caller sees also changes with no line of its own: when
the caller's grants change, and when a site, charger, driver or operator crosses the border of the granted subtrees,
which takes along all that hangs on it. Then the answer is 410, and the follower starts again.
"""

import hashlib
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from api.cursors import cursor_for, cursor_position, limit_parameter, page_limit
from api.errors import Problem
from api.schema import error_response
from api.views import ApiView
from hierarchy import changes, journal
from hierarchy.db import snapshot
from hierarchy.flat import ChangePageSerializer
from hierarchy.models import Change
from hierarchy.scoping import NOTHING, Scope

_LATEST = "latest"


class ScopeChanged(Problem):
    """What the caller sees is not what the cursor was made for."""

    status = status.HTTP_410_GONE
    code = "scope-changed"
    title = "What you see has changed"


class ChangesView(ApiView):
    query_parameters = ("since", "limit")

    @extend_schema(
        operation_id="listChanges",
        summary="List changes",
        description="In the order in which it happened, deletions included. `next` is where to go on, now or later.",
        parameters=[
            OpenApiParameter(
                "since",
                str,
                description="The `next` of the answer before. `latest`: no changes, only where to begin. Without it, "
                "from the beginning.",
            ),
            limit_parameter("How many changes to give at most."),
        ],
        responses={200: ChangePageSerializer, 410: error_response("What the caller sees has changed: start again")},
        tags=["Changes"],
        examples=[OpenApiExample("A move", value=ChangePageSerializer.sample, response_only=True)],
    )
    def get(self, request: Request) -> Response:
        limit = page_limit(request._request)
        given = request.query_params.get("since")
        start = _start(self.scope, cursor_position(request._request, "since")) if given not in (None, _LATEST) else 0
        with snapshot():
            latest = _latest(self.scope)
            lines = _lines(self.scope, start, limit + 1) if given != _LATEST else []
            has_more = len(lines) > limit
            del lines[limit:]
            end = lines[-1].sequence if has_more else latest
            if self.scope.is_restricted and given != _LATEST:
                _refuse_crossings(self.scope, start, end)
        return Response(
            {
                "items": [changes.item(line, self.scope) for line in lines],
                "next": cursor_for(request._request, [_fingerprint(self.scope), end]),
                "hasMore": has_more,
            }
        )


def _latest(scope: Scope) -> int:
    """The number of the customer's last change, whoever sees it."""
    assert scope.customer_id is not None
    everything = Change.objects.visible_to(Scope.whole_customer(scope.customer_id))
    return everything.order_by("-sequence").values_list("sequence", flat=True).first() or 0


def _lines(scope: Scope, start: int, limit: int) -> list[Any]:
    seen = Change.objects.visible_to(scope).filter(sequence__gt=start, object_type__in=changes.kinds())
    return list(seen.order_by("sequence")[:limit])


def _refuse_crossings(scope: Scope, start: int, end: int) -> None:
    """Raise ScopeChanged when something moved into the granted subtrees or out of them."""
    here, origin = NOTHING, NOTHING
    for site_id in sorted(scope.root_ids):
        here |= Q(site_path__contains=f"/{site_id}/")
        origin |= Q(from_path__contains=f"/{site_id}/")
    moves = Change.objects.visible_to(scope).filter(action=journal.MOVED, sequence__gt=start, sequence__lte=end)
    if moves.filter((here & ~origin) | (origin & ~here)).exists():
        raise ScopeChanged(_("Objects moved into or out of the sites you have access to. ") + _start_again())


def _start_again() -> str:
    return _("Get a new cursor with since=latest, then read the lists again.")


def _fingerprint(scope: Scope) -> str:
    """What tells one scope from another: another customer, other grants."""
    seen = f"{scope.customer_id} {scope.is_admin} {sorted(scope.root_ids)}"
    return hashlib.blake2b(seen.encode(), digest_size=8).hexdigest()


def _start(scope: Scope, position: Any) -> int:
    """The number after which a cursor goes on; raises ScopeChanged for one of another scope."""
    fingerprint, sequence = position
    if fingerprint != _fingerprint(scope):
        raise ScopeChanged(_("Your site access has changed since this cursor was created. ") + _start_again())
    return int(sequence)
