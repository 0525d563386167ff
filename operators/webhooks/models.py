"""Webhooks, and what each was last told of the status of chargers."""

from __future__ import annotations

import secrets
from typing import Any, ClassVar, Self
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from chargers.models import Charger
from hierarchy import journal, statements
from hierarchy.entity import Entity
from hierarchy.fields import LineField, NameField, TimestampField
from hierarchy.models import ChangeCounter
from hierarchy.rules import Rules
from hierarchy.scoping import Scope
from operators.webhooks import delivery

RIGHTS, STATUS = "rights", "status"
# What a webhook can ask for: what happens to objects, to rights and grants, and what chargers report of themselves.
EVENT_LABELS = {
    journal.CREATED: _("created"),
    journal.CHANGED: _("changed"),
    journal.MOVED: _("moved"),
    journal.DELETED: _("deleted"),
    RIGHTS: _("rights and site access, granted and revoked"),
    STATUS: _("status of chargers and sockets"),
}
EVENTS = tuple(EVENT_LABELS)


def new_seed() -> str:
    """What tells one signing secret from another. Without the server's pepper nobody makes the secret of it."""
    return secrets.token_hex(16)


def all_changes() -> list[str]:
    return [event for event in EVENTS if event != STATUS]


def validate_events(value: Any) -> None:
    if not isinstance(value, list) or not value or any(event not in EVENTS for event in value):
        raise ValidationError(_("Must be a list of one or more of %s.") % ", ".join(EVENTS), code="events")
    if len(set(value)) != len(value):
        raise ValidationError(_("Duplicate event."), code="events")


def validate_url(value: str) -> None:
    """An address to which messages can be sent. Where a name leads is seen when they are."""
    try:
        parts = urlsplit(value)
        host, _port = (parts.hostname or "").encode("idna"), parts.port
    except (ValueError, UnicodeError):
        host = b""
    if not host or not value.isascii() or " " in value or parts.scheme not in ("https", "http"):
        raise ValidationError(_("Must be a URL such as https://example.org/hooks."), code="url")
    if parts.scheme == "http" and not settings.WEBHOOK_PRIVATE_NETWORKS:
        raise ValidationError(_("Must begin with https://."), code="url")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise ValidationError(
            _("Must not contain a user, a password or a fragment: messages are authenticated by their signature."),
            code="url",
        )


class Webhook(Entity):
    """An address that is told what changes, as far as its operator sees it at the moment of telling.

    Secrets are made of `seed` and the server's pepper and stored nowhere; the one before stays valid for a while.
    `cursor` is the last change of the customer's journal that was looked at; `waiting` are the messages behind it that
    are still to be delivered. `lease` names the one who delivers at the moment.
    """

    rules = Rules(
        customer="operator__customer",
        secret_fields={"seed", "previous_seed", "previous_until"},
        reported_fields={
            "cursor",
            "waiting",
            "lease",
            "leased_until",
            "rests_until",
            "failing_since",
            "last_delivered_at",
            "last_failed_at",
            "last_failure",
            "given_up",
            "has_statuses",
        },
    )

    operator = models.ForeignKey(
        "operators.Operator",
        models.CASCADE,
        related_name="webhooks",
        verbose_name=_("operator"),
        help_text=_("Events are limited to what this operator has access to."),
    )
    name = NameField(_("name"), help_text=_("What the webhook is for."))
    url = LineField(
        _("URL"),
        max_length=2000,
        validators=[validate_url],
        help_text=_("Messages are sent to this URL, such as https://example.org/hooks."),
    )
    events = models.JSONField(_("events"), default=all_changes, validators=[validate_events])
    is_active = models.BooleanField(
        _("active"), default=True, help_text=_("Uncheck to pause. It continues where it stopped.")
    )
    disabled_reason = LineField(_("reason"), blank=True, default="", editable=False)

    seed = models.CharField(max_length=32, default=new_seed, editable=False)
    previous_seed = models.CharField(max_length=32, blank=True, default="", editable=False)
    previous_until = TimestampField(null=True, blank=True, editable=False)

    cursor = models.BigIntegerField(_("last change read"), default=0, editable=False)
    waiting = models.JSONField(_("waiting"), default=list, editable=False)
    lease = models.CharField(max_length=32, blank=True, default="", editable=False)
    leased_until = TimestampField(null=True, blank=True, editable=False)
    rests_until = TimestampField(_("paused until"), null=True, blank=True, editable=False)
    failing_since = TimestampField(_("failing since"), null=True, blank=True, editable=False)
    last_delivered_at = TimestampField(_("last delivered"), null=True, blank=True, editable=False)
    last_failed_at = TimestampField(_("last failed"), null=True, blank=True, editable=False)
    last_failure = LineField(_("last failure"), blank=True, default="", editable=False)
    given_up = models.PositiveIntegerField(_("messages given up"), default=0, editable=False)
    has_statuses = models.BooleanField(default=False, editable=False)

    class Meta:
        verbose_name = _("webhook")
        verbose_name_plural = _("webhooks")
        ordering = ["operator", "name", "id"]

    def __str__(self) -> str:
        return self.name

    @classmethod
    def own_rows(cls, scope: Scope) -> Q:
        """Everybody sees the own webhooks."""
        return Q(operator_id=scope.operator_id) if scope.operator_id else Q(pk__in=[])

    def clean(self) -> None:
        if self.operator_id and self.operator.customer_id is None:
            raise ValidationError({"operator": _("Platform staff work in the admin only and have no webhooks.")})
        if not type(self).unscoped.filter(pk=self.pk, url=self.url).exists():
            try:
                delivery.check_literal(self.url)
            except delivery.NotAllowed as refusal:
                raise ValidationError({"url": ValidationError(str(refusal), code="url")}) from refusal

    def prepare(self, before: Self | None) -> None:
        super().prepare(before)
        if before is None:
            # It is told what happens from now on.
            self.cursor = self.latest()
        if self.is_active:
            self.disabled_reason = ""

    def _record(self, recorder: journal.Recorder, before: Self | None) -> None:
        super()._record(recorder, before)
        if before is not None and self.is_active and not before.is_active:
            self._go_on(before.waiting)
        if (STATUS in self.events) != self.has_statuses:
            self._begin_statuses()

    def _go_on(self, waiting: list[dict[str, Any]]) -> None:
        """Try what waits at once, as if for the first time. Who delivers at the moment loses the lease."""
        now = timezone.now().isoformat()
        self.waiting = [one | {"attempts": 0, "at": now} for one in waiting]
        self.rests_until = self.failing_since = self.leased_until = None
        self.lease = ""
        self._write_state("waiting", "rests_until", "failing_since", "lease", "leased_until")

    def _begin_statuses(self) -> None:
        """What the chargers reported before a webhook asks is no news; the API has it."""
        self.has_statuses = STATUS in self.events
        self._write_state("has_statuses")
        ToldStatus.objects.filter(webhook_id=self.pk).delete()
        if self.has_statuses:
            chargers = Charger.objects.visible_to(self.operator.scope()).order_by("pk")
            rows = (
                ToldStatus(webhook_id=self.pk, charger_id=pk, status_version=version, digest="")
                for pk, version in chargers.values_list("pk", "status_version").iterator()
            )
            statements.insert(ToldStatus, rows)

    def _write_state(self, *names: str) -> None:
        """Write columns that are no edits."""
        type(self).unscoped.filter(pk=self.pk).update(**{name: getattr(self, name) for name in names})

    def latest(self) -> int:
        """The number of the last change of the customer's journal."""
        counter = ChangeCounter.objects.filter(customer__operators=self.operator_id)
        return counter.values_list("sequence", flat=True).first() or 0

    def is_own(self, scope: Scope) -> bool:
        return self.operator_id == scope.operator_id

    def refusal(self, scope: Scope, before: Self | None) -> str | None:
        if not self.is_own(scope) or (before is not None and not before.is_own(scope)):
            return str(_("Only an admin operator can create or change webhooks of others."))
        return None


class ToldStatus(models.Model):
    """What a webhook was last told of a charger: in which version its status was, and a digest of what was said.

    Deletions know nothing of these rows, hence no foreign keys.
    """

    webhook_id = models.BigIntegerField()
    charger_id = models.BigIntegerField()
    status_version = models.PositiveBigIntegerField()
    digest = models.CharField(max_length=16)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["webhook_id", "charger_id"], name="told_status_once")
        ]

    def __str__(self) -> str:
        return f"{self.webhook_id}: {self.charger_id}"
