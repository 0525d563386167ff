"""What webhooks are told: which changes and statuses, and in which words."""

from __future__ import annotations

import datetime
import hashlib
from dataclasses import dataclass
from typing import Any

import orjson
from django.db.models import F, OuterRef, Q, Subquery
from django.utils import timezone

from api.flat import FlatSerializer
from chargers.models import Charger, Socket
from drivers.models import ChargerRight, SiteRight
from hierarchy import changes
from hierarchy.models import Change
from hierarchy.scoping import Scope
from hierarchy.timestamps import format_timestamp
from operators.models import SiteGrant
from operators.webhooks.models import RIGHTS, ToldStatus, Webhook

_RIGHTS = [str(model._meta.model_name) for model in (SiteRight, ChargerRight, SiteGrant)]


@dataclass(frozen=True, slots=True)
class Message:
    """One message, the same whenever it is made of the same change."""

    id: str
    body: bytes


@dataclass(frozen=True, slots=True)
class StatusMessage(Message):
    """The state of a charger as it is now; `digest` tells it from what was told before."""

    status_version: int
    digest: str


def changes_for(webhook: Webhook, scope: Scope) -> Any:
    """The changes that a webhook is told, as far as `scope` sees them, in order."""
    rights = Q(object_type__in=_RIGHTS)
    asked = Q(action__in=webhook.events) & ~rights
    if RIGHTS in webhook.events:
        asked |= rights
    told = changes.kinds().keys() - {Webhook._meta.model_name}
    return Change.objects.visible_to(scope).filter(asked, object_type__in=told).order_by("sequence")


def of_change(webhook: Webhook, change: Change, scope: Scope) -> Message:
    data = changes.item(change, scope)
    return Message(
        f"msg_{webhook.pk}_{change.sequence}", _body(f"{data['objectType']}.{change.action}", change.at, data)
    )


def of_nothing(webhook: Webhook) -> Message:
    """A message that only tries whether messages arrive."""
    now = timezone.now()
    return Message(f"msg_{webhook.pk}_test_{int(now.timestamp() * 1000)}", _body("webhook.test", now, {}))


def chargers_to_tell(webhook: Webhook, scope: Scope) -> Any:
    """The visible chargers whose status may be another than the webhook was told."""
    told = ToldStatus.objects.filter(webhook_id=webhook.pk, charger_id=OuterRef("pk")).values("status_version")
    chargers = Charger.objects.visible_to(scope).annotate(told=Subquery(told))
    return chargers.filter(Q(told=None, status_version__gt=0) | (~Q(told=None) & ~Q(told=F("status_version"))))


def of_status(webhook: Webhook, charger: Charger) -> StatusMessage:
    sockets = list(Socket.unscoped.filter(charger=charger).order_by("number"))
    state = [charger.status, charger.has_active_connection, *([socket.number, socket.status] for socket in sockets)]
    data = {
        "objectType": _kind(charger).kind,
        "objectId": charger.pk,
        **_shown(charger, {"charger_id", "site", *Charger.rules.reported_fields}),
        "sockets": [_shown(socket, {"number", *Socket.rules.reported_fields}) for socket in sockets],
    }
    return StatusMessage(
        f"msg_{webhook.pk}_status_{charger.pk}_{charger.status_version}",
        _body(f"{data['objectType']}.status", charger.last_seen or timezone.now(), data),
        charger.status_version,
        hashlib.blake2b(orjson.dumps(state), digest_size=8).hexdigest(),
    )


def _kind(row: Any) -> type[FlatSerializer]:
    return changes.kinds()[row._meta.model_name]


def _shown(row: Any, columns: set[str]) -> dict[str, Any]:
    """The keys of a flat object that show `columns`."""
    fields = _kind(row).own_fields().items()
    return {
        key: field.to_representation(field.get_attribute(row))
        for key, field in fields
        if field.model_field.name in columns
    }


def _body(kind: str, at: datetime.datetime, data: dict[str, Any]) -> bytes:
    return orjson.dumps({"type": kind, "timestamp": format_timestamp(at), "data": data})
