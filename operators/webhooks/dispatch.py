"""Telling webhooks: who is due, in which order, how often it is tried, and when it is given up.

Nothing is queued. A webhook has a cursor into its customer's journal, and a short list of messages behind the cursor
that wait: those that failed, and later ones of the same objects. While that list is full the cursor stands still.
Each message is read anew before each attempt, with what the operator sees at that moment.

One at a time serves a webhook: who holds its lease. A state is only written by who still holds it, and the lease is
renewed with every state; it is longer than any attempt, so that nothing is sent by two at once.
"""

from __future__ import annotations

import datetime
import logging
import random
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from chargers.models import Charger
from hierarchy import journal
from hierarchy.scoping import Scope
from operators.webhooks import delivery, messages
from operators.webhooks import services as webhooks
from operators.webhooks.messages import Message, StatusMessage
from operators.webhooks.models import STATUS, ToldStatus, Webhook

logger = logging.getLogger(__name__)

_S, _M, _H = (datetime.timedelta(**{unit: 1}) for unit in ("seconds", "minutes", "hours"))
# After each failure, how long until the message is tried again. After one more it is given up.
BACK_OFF = (5 * _S, 5 * _M, 30 * _M, 2 * _H, 5 * _H, 10 * _H, 14 * _H, 20 * _H, 24 * _H)
# So that receivers that were away are not asked by all at once.
_JITTER = 0.2
# A receiver that cannot be reached, or asks for it, is left alone for at most so long, whichever message it is.
REST = 5 * _M
LONGEST_REST = _H
DISABLED_AFTER = datetime.timedelta(days=5)
MOST_WAITING = 100
# How long one webhook is served before others have their turn, and until somebody else may take it over.
TURN_S = 10.0
LEASE = 2 * _M

_TOO_MANY_REQUESTS, _UNAVAILABLE, _GONE = 429, 503, 410
# How many chargers are looked up at once.
_STATUSES = 200

_STATE = (
    "cursor",
    "waiting",
    "leased_until",
    "rests_until",
    "failing_since",
    "last_delivered_at",
    "last_failed_at",
    "last_failure",
    "given_up",
)

Send = Callable[[str, Mapping[str, str], bytes], delivery.DeliveryAnswer]
Clock = Callable[[], datetime.datetime]


def due(now: datetime.datetime) -> list[int]:
    """The ids of the webhooks that nobody serves and that may have something to be told, the longest waiting first."""
    rows = Webhook.unscoped.filter(
        Q(leased_until=None) | Q(leased_until__lte=now),
        Q(rests_until=None) | Q(rests_until__lte=now),
        is_active=True,
        operator__is_active=True,
    )
    columns = ("pk", "cursor", "waiting", "events", "operator__customer__changecounter__sequence")
    return [
        pk
        for pk, cursor, waiting, events, latest in rows.order_by("last_delivered_at", "pk").values_list(*columns)
        if STATUS in events
        or (cursor < (latest or 0) and len(waiting) < MOST_WAITING)
        or any(_moment(one["at"]) <= now for one in _first_of_each(waiting))
    ]


def serve(
    webhook_id: int,
    send: Send = delivery.post,
    clock: Clock = timezone.now,
    is_stopped: Callable[[], bool] = lambda: False,
) -> int:
    """Tell one webhook what is due, for at most `TURN_S`; the number of things dealt with, 0 if somebody else does."""
    turn = _Turn.take(webhook_id, send, clock)
    if turn is None:
        return 0
    end = time.monotonic() + TURN_S
    done = 0
    while not is_stopped() and time.monotonic() < end and turn.step():
        done += 1
    turn.give_back()
    return done


def forget_what_is_gone() -> None:
    """Drop what was told to webhooks, or of chargers, that were deleted since."""
    there = Q(webhook_id__in=Webhook.unscoped.values("pk"), charger_id__in=Charger.unscoped.values("pk"))
    ToldStatus.objects.exclude(there).delete()


class _Turn:
    """One webhook while this process holds its lease."""

    def __init__(self, webhook_id: int, lease: str, send: Send, clock: Clock) -> None:
        self._rows = Webhook.unscoped.filter(pk=webhook_id, lease=lease)
        self._send, self._clock = send, clock
        self._charger_ids: list[int] | None = None
        self._webhook: Webhook
        self._scope: Scope

    @classmethod
    def take(cls, webhook_id: int, send: Send, clock: Clock) -> _Turn | None:
        """The turn of a webhook, unless somebody else has it: one statement, of which the database lets one win."""
        now, lease = clock(), secrets.token_hex(16)
        free = Webhook.unscoped.filter(Q(leased_until=None) | Q(leased_until__lte=now), pk=webhook_id)
        if not free.update(lease=lease, leased_until=now + LEASE):
            return None
        return cls(webhook_id, lease, send, clock)

    def give_back(self) -> None:
        self._rows.update(lease="", leased_until=None)

    def step(self) -> bool:
        """Deal with the next thing that is due; False when there is none, or the webhook is not ours any more."""
        webhook = self._rows.select_related("operator").first()
        if webhook is None or not webhook.is_active or not webhook.operator.is_active:
            return False
        self._webhook, self._scope = webhook, webhook.operator.scope()
        if webhook.rests_until is not None and self._clock() < webhook.rests_until:
            return False
        return self._retry() or self._follow() or self._tell_status()

    def _retry(self) -> bool:
        """Try again the first waiting message whose time has come."""
        now = self._clock()
        for one in _first_of_each(self._webhook.waiting):
            if _moment(one["at"]) <= now:
                message = self._waiting_message(one)
                if message is None:
                    self._webhook.waiting.remove(one)
                    self._write()
                else:
                    self._deliver(one, message)
                return True
        return False

    def _waiting_message(self, one: dict[str, Any]) -> Message | None:
        """The message as it is now; None when the operator does not see it, or nobody asks for it, any more."""
        if one["sequence"] is None:
            return self._status_message(one["objectId"]) if STATUS in self._webhook.events else None
        change = messages.changes_for(self._webhook, self._scope).filter(sequence=one["sequence"]).first()
        return messages.of_change(self._webhook, change, self._scope) if change else None

    def _follow(self) -> bool:
        """Go on in the journal: to the next change that is told, or to the end of it."""
        webhook = self._webhook
        if len(webhook.waiting) >= MOST_WAITING:
            return False
        # Read before the changes: what is written in between has its turn next time.
        latest = webhook.latest()
        if webhook.cursor >= latest:
            return False
        unread = messages.changes_for(webhook, self._scope).filter(sequence__gt=webhook.cursor, sequence__lte=latest)
        change = unread.first()
        webhook.cursor = change.sequence if change else latest
        if change is None:
            return self._write()
        one = self._entry(change.object_type, change.object_id, change.sequence)
        if any(_object(other) == _object(one) for other in webhook.waiting):
            webhook.waiting.append(one)
            return self._write()
        self._deliver(one, messages.of_change(webhook, change, self._scope))
        return True

    def _tell_status(self) -> bool:
        """Tell the latest state of one charger."""
        webhook = self._webhook
        if STATUS not in webhook.events or len(webhook.waiting) >= MOST_WAITING:
            return False
        if self._charger_ids is None:
            waiting = [one["objectId"] for one in webhook.waiting if one["sequence"] is None]
            chargers = messages.chargers_to_tell(webhook, self._scope).exclude(pk__in=waiting).order_by("pk")
            self._charger_ids = list(chargers.values_list("pk", flat=True)[:_STATUSES])
        if not self._charger_ids:
            return False
        charger_id = self._charger_ids.pop(0)
        message = self._status_message(charger_id)
        if message is not None:
            self._deliver(self._entry(STATUS, charger_id, None), message)
        return True

    def _status_message(self, charger_id: int) -> StatusMessage | None:
        """The charger's state, unless it is out of sight or what was told last."""
        charger = Charger.objects.visible_to(self._scope).filter(pk=charger_id).first()
        if charger is None:
            return None
        message = messages.of_status(self._webhook, charger)
        told = ToldStatus.objects.filter(webhook_id=self._webhook.pk, charger_id=charger_id, digest=message.digest)
        return None if told.update(status_version=message.status_version) else message

    def _entry(self, object_type: str, object_id: int, sequence: int | None) -> dict[str, Any]:
        return {
            "objectType": object_type,
            "objectId": object_id,
            "sequence": sequence,
            "attempts": 0,
            "at": self._clock().isoformat(),
        }

    def _deliver(self, one: dict[str, Any], message: Message) -> None:
        """Send a message, and write down what came of it."""
        webhook = self._webhook
        answer = self._send(
            webhook.url, webhooks.headers(webhook, message.id, message.body, self._clock()), message.body
        )
        now = self._clock()
        if one in webhook.waiting:
            webhook.waiting.remove(one)
        if answer.is_ok:
            webhook.last_delivered_at, webhook.failing_since = now, None
        else:
            self._note_failure(one, message, answer, now)
        if not self._write():
            return
        if isinstance(message, StatusMessage) and one not in webhook.waiting:
            ToldStatus.objects.update_or_create(
                webhook_id=webhook.pk,
                charger_id=one["objectId"],
                defaults={"status_version": message.status_version, "digest": message.digest},
            )
        if answer.status == _GONE:
            self._disable(_("The receiver answered 410 Gone: it wants no more messages."))
        elif webhook.failing_since is not None and now - webhook.failing_since >= DISABLED_AFTER:
            self._disable(
                _("Nothing could be delivered for %(days)d days. %(failure)s")
                % {"days": DISABLED_AFTER.days, "failure": answer.failure}
            )

    def _note_failure(
        self, one: dict[str, Any], message: Message, answer: delivery.DeliveryAnswer, now: datetime.datetime
    ) -> None:
        webhook = self._webhook
        webhook.last_failed_at, webhook.last_failure = now, answer.failure
        webhook.failing_since = webhook.failing_since or now
        one["attempts"] += 1
        if one["attempts"] > len(BACK_OFF):
            webhook.given_up += 1
            logger.warning("Webhook %s: gave up message %s. %s", webhook.pk, message.id, answer.failure)
            return
        # From 0 to a fifth longer, so that it is never too early.
        wait = BACK_OFF[one["attempts"] - 1] * (1 + random.random() * _JITTER)  # noqa: S311
        asked = min(answer.retry_after_s or 0.0, LONGEST_REST.total_seconds()) * _S
        one["at"] = (now + max(wait, asked)).isoformat()
        self._put_back(one)
        if answer.status in (None, _TOO_MANY_REQUESTS, _UNAVAILABLE):
            webhook.rests_until = now + max(min(wait, REST), asked)

    def _put_back(self, one: dict[str, Any]) -> None:
        """Let a message wait before the later ones of its object."""
        waiting = self._webhook.waiting
        places = [place for place, other in enumerate(waiting) if _object(other) == _object(one)]
        waiting.insert(places[0] if places else len(waiting), one)

    def _disable(self, reason: str) -> None:
        with journal.recording():
            row = self._rows.select_for_update(of=("self",)).first()
            if row is not None:
                row.is_active, row.disabled_reason = False, reason
                row.save()
                self._rows.update(failing_since=None, rests_until=None)
        logger.warning("Webhook %s was disabled: %s", self._webhook.pk, reason)

    def _write(self) -> bool:
        """Write the state down and renew the lease; False when it was lost, and with it the state."""
        self._webhook.leased_until = self._clock() + LEASE
        return bool(self._rows.update(**{name: getattr(self._webhook, name) for name in _STATE}))


def _object(one: dict[str, Any]) -> tuple[Any, ...]:
    """What a message is about. Messages about one thing keep their order."""
    return one["objectType"], one["objectId"]


def _first_of_each(waiting: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The waiting messages before which no other of the same object waits."""
    seen = set()
    for one in waiting:
        if _object(one) not in seen:
            seen.add(_object(one))
            yield one


def _moment(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(text)
