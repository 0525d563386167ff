"""Signing what webhooks are told (Standard Webhooks 1.0), and managing them beyond saving a row.

A signing secret must be known whenever a message is signed, so it cannot be hashed. It is not stored either: it is
made of the webhook's seed and the server's pepper, as often as it is needed.
"""

import base64
import datetime
import hashlib
import hmac
import logging

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from hierarchy import journal, services
from hierarchy.scoping import Caller
from operators.webhooks import delivery, messages
from operators.webhooks.models import Webhook, new_seed

logger = logging.getLogger(__name__)

# How long messages carry the signature of the secret before as well.
ROTATION = datetime.timedelta(hours=24)
_PREFIX = "whsec_"


def secret(webhook: Webhook) -> str:
    """The signing secret, as receivers keep it: to be shown once, to who made or rotated it."""
    return _PREFIX + base64.b64encode(_key(webhook.seed)).decode()


def headers(webhook: Webhook, message_id: str, body: bytes, at: datetime.datetime) -> dict[str, str]:
    """The headers of one attempt to deliver `body`, signed at this moment."""
    timestamp = int(at.timestamp())
    signed = f"{message_id}.{timestamp}.".encode() + body
    seeds = [webhook.seed]
    if webhook.previous_until is not None and at < webhook.previous_until:
        seeds.append(webhook.previous_seed)
    signatures = [base64.b64encode(hmac.digest(_key(seed), signed, "sha256")).decode() for seed in seeds]
    return {
        "Content-Type": "application/json",
        "User-Agent": "Chargetree",
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(f"v1,{signature}" for signature in signatures),
    }


def rotate(caller: Caller, webhook: Webhook) -> str:
    """Give a webhook a new secret. Messages carry the old one's signature beside the new one's for a day."""
    webhook.previous_seed, webhook.previous_until = webhook.seed, timezone.now() + ROTATION
    webhook.seed = new_seed()
    services.save(caller, webhook)
    return secret(webhook)


def replay(caller: Caller, webhook: Webhook, since: int) -> None:
    """Tell once more what came after the change number `since`, in order and with the same ids.

    Raises ValidationError for a number that the journal has not reached.
    """
    services.check_write(caller.scope, webhook, webhook)
    with journal.recording(caller):
        row = Webhook.unscoped.select_for_update(of=("self",)).get(pk=webhook.pk)
        latest = row.latest()
        if not 0 <= since <= latest:
            message = _("Must be from 0 to %d, the sequence of the last change.") % latest
            raise ValidationError({"since": ValidationError(message, code="since")})
        # Who delivers at the moment loses the lease, and with it the right to write down another cursor.
        Webhook.unscoped.filter(pk=row.pk).update(
            cursor=since,
            waiting=[one for one in row.waiting if one["sequence"] is None or one["sequence"] <= since],
            lease="",
            leased_until=None,
            rests_until=None,
        )
    logger.info("Webhook %s is told everything after change %s again, says %s.", webhook.pk, since, caller.label)


def attempt(caller: Caller, webhook: Webhook, patience_s: float) -> delivery.DeliveryAnswer:
    """Send a message that says nothing, at once and only once, whether the webhook is active or not."""
    services.check_write(caller.scope, webhook, webhook)
    message = messages.of_nothing(webhook)
    signed = headers(webhook, message.id, message.body, timezone.now())
    return delivery.post(webhook.url, signed, message.body, patience_s)


def _key(seed: str) -> bytes:
    return hmac.new(settings.API_KEY_PEPPER.encode(), f"webhook {seed}".encode(), hashlib.sha256).digest()
