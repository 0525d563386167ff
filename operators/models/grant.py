"""Grants: the sites that operators are given access to."""

from typing import Self

from django.db import models
from django.utils.translation import gettext_lazy as _

from hierarchy.constraints import SameCustomer
from hierarchy.entity import Entity
from hierarchy.models import Customer, Site
from hierarchy.rules import Rules
from hierarchy.scoping import Scope
from operators.models.operator import Operator


class SiteGrant(Entity):
    """An operator's sight of a site and everything below it."""

    rules = Rules(customer_from=("operator",), sites=("site", "operator__home_site"))

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="+", verbose_name=_("customer"))
    operator = models.ForeignKey(Operator, models.CASCADE, related_name="grants", verbose_name=_("operator"))
    site = models.ForeignKey(Site, models.CASCADE, related_name="grants", verbose_name=_("site"))

    class Meta:
        verbose_name = _("site access")
        verbose_name_plural = _("site access")
        constraints = [
            SameCustomer(field="operator", name="grant_operator_same_customer"),
            SameCustomer(field="site", name="grant_site_same_customer"),
            models.UniqueConstraint(
                fields=["operator", "site"],
                name="grant_once",
                violation_error_message=_("The operator already has access to this site."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.operator} @ {self.site}"

    def refusal(self, scope: Scope, before: Self | None) -> str | None:
        for operator in (self.operator, before.operator if before is not None else self.operator):
            if operator.pk == scope.operator_id:
                return str(_("You cannot change your own access. Ask an admin operator."))
            refusal = operator.refusal(scope, operator)
            if refusal:
                return refusal
        return None
