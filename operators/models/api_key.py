"""API keys: what acts for an operator in the API."""

from typing import Self

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from hierarchy.entity import Entity
from hierarchy.fields import LineField, NameField, TimestampField
from hierarchy.rules import Rules
from hierarchy.scoping import Scope
from operators.models.operator import Operator


class ApiKey(Entity):
    """A key that acts as its operator, now. Only an HMAC of it is stored; the key itself is shown once."""

    rules = Rules(customer="operator__customer", secret_fields={"digest"}, reported_fields={"last_used_at"})

    operator = models.ForeignKey(Operator, models.CASCADE, related_name="api_keys", verbose_name=_("operator"))
    name = NameField(_("name"), help_text=_("What the key is for."))
    hint = LineField(_("prefix"), max_length=16, editable=False)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    is_read_only = models.BooleanField(_("read only"), default=False)
    expires_at = TimestampField(_("expires"), null=True, blank=True)
    revoked_at = TimestampField(_("revoked"), null=True, blank=True, editable=False)
    last_used_at = TimestampField(_("last used"), null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("API key")
        verbose_name_plural = _("API keys")
        ordering = ["operator", "name"]

    def __str__(self) -> str:
        return f"{self.name} ({self.hint}…)"

    @classmethod
    def own_rows(cls, scope: Scope) -> Q:
        """Everybody sees the own keys."""
        return Q(operator_id=scope.operator_id) if scope.operator_id else Q(pk__in=[])

    @property
    def is_valid(self) -> bool:
        """Whether the key opens anything now."""
        return self.revoked_at is None and (self.expires_at is None or timezone.now() < self.expires_at)

    def clean(self) -> None:
        if self.operator_id and self.operator.customer_id is None:
            raise ValidationError({"operator": _("Platform staff work in the admin only and have no keys.")})

    def is_own(self, scope: Scope) -> bool:
        return self.operator_id == scope.operator_id

    def refusal(self, scope: Scope, before: Self | None) -> str | None:
        if not self.is_own(scope):
            return str(_("Only an admin operator can create or change API keys of others."))
        return None
