"""Imports: files that were applied, and those that are planned and wait for it."""

import datetime
from typing import Self

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from hierarchy.constraints import SameCustomer
from hierarchy.entity import Entity
from hierarchy.fields import LineField, TimestampField
from hierarchy.models.customer import Customer
from hierarchy.scoping import NOTHING, Scope, Scoped, ScopedQuerySet


class Import(Entity):
    """A file that was imported, for ever: who did it, and when, says its line in the journal.

    `counts` are the numbers of rows by table: created, changed, moved, deleted, unchanged. Nobody edits it.
    """

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="imports", verbose_name=_("customer"))
    operator_id = models.BigIntegerField(_("operator ID"), null=True, editable=False)
    file_name = LineField(_("file"))
    format = LineField(_("format"), max_length=16)
    sha256 = LineField(_("SHA-256 of the file"), max_length=64, blank=True, default="")
    counts = models.JSONField(_("rows"), default=dict)

    class Meta:
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["id", "customer"], name="import_customer")]

    def __str__(self) -> str:
        return self.file_name

    @classmethod
    def own_rows(cls, scope: Scope) -> Q:
        """Everybody sees the own imports; of others, only who sees the whole network."""
        return Q(operator_id=scope.operator_id) if scope.operator_id else NOTHING


class ImportPlanQuerySet(ScopedQuerySet):
    def visible_to(self, scope: Scope | None) -> Self:
        """Nobody sees what somebody else is about to import."""
        plans = super().visible_to(scope)
        return plans.filter(operator_id=scope.operator_id) if isinstance(scope, Scope) else plans


class ImportPlan(Scoped):
    """A file that was read and compared, and waits until who brought it applies it. Nobody else sees it.

    `content` is the file itself, compressed; `steps` are what was shown, compressed: what the plan touches, with the
    old values. Both are dropped when the plan is applied, or a week old.
    """

    KEPT_FOR = datetime.timedelta(days=7)

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="+", verbose_name=_("customer"))
    operator_id = models.BigIntegerField(_("operator ID"), null=True)
    created_at = TimestampField(_("created"), default=timezone.now)
    file_name = LineField(_("file"))
    format = LineField(_("format"), max_length=16, blank=True, default="")
    table = LineField(_("table"), max_length=64, blank=True, default="")
    prune_site = LineField(_("delete below"), max_length=4000, blank=True, default="")
    sha256 = LineField(_("SHA-256 of the file"), max_length=64)
    content = models.BinaryField(_("content"))
    steps = models.BinaryField(_("steps"))
    counts = models.JSONField(_("rows"), default=dict)
    findings = models.JSONField(_("findings"), default=dict)
    applied_as = models.ForeignKey(Import, models.CASCADE, null=True, related_name="+", verbose_name=_("applied as"))

    objects = ImportPlanQuerySet.as_manager()

    class Meta:
        verbose_name = _("planned import")
        verbose_name_plural = _("planned imports")
        ordering = ["-id"]
        constraints = [SameCustomer(field="applied_as", name="import_plan_applied_same_customer")]

    def __str__(self) -> str:
        return self.file_name

    @classmethod
    def own_rows(cls, scope: Scope) -> Q:
        return Q(operator_id=scope.operator_id) if scope.operator_id else NOTHING

    @property
    def expires_at(self) -> datetime.datetime:
        return self.created_at + self.KEPT_FOR

    @property
    def is_expired(self) -> bool:
        """Whether it waited too long: the network is another one by now."""
        return timezone.now() >= self.expires_at
