"""Customers: the tenants, each a charge point operator."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from hierarchy import journal
from hierarchy.entity import Entity
from hierarchy.fields import KeyField, LineField, NameField
from hierarchy.rules import Rules
from hierarchy.scoping import Scope
from hierarchy.timezones import validate_time_zone


class Customer(Entity):
    """The tenant: a charge point operator. Everything else belongs to exactly one customer, for ever."""

    rules = Rules(customer="pk")

    name = NameField(_("name"))
    name_key = KeyField(of="name")
    time_zone = LineField(_("time zone"), max_length=64, default="UTC", validators=[validate_time_zone])

    class Meta:
        verbose_name = _("customer")
        verbose_name_plural = _("customers")
        ordering = ["name_key", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["name_key"],
                name="customer_name",
                violation_error_message=_("A customer with this name already exists."),
            )
        ]

    def __str__(self) -> str:
        return self.name

    @classmethod
    def own_rows(cls, scope: Scope) -> Q:
        """Everybody sees the own customer. Not an empty Q, which an OR leaves out."""
        return Q(pk=scope.customer_id)

    def owner_id(self) -> int | None:
        return self.pk

    def delete(self, using: str | None = None, keep_parents: bool = False) -> tuple[int, dict[str, int]]:
        customer_id = self.pk
        with journal.recording() as recorder:
            deleted = super().delete(using=using)
            # The customer's sequence ends with the customer: what is left to say of it stands outside of any.
            for entry in recorder.entries:
                if entry.customer_id == customer_id:
                    entry.customer_id = None
            return deleted
