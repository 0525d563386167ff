"""Filters of lists that ask a question of the domain instead of comparing a column."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from hierarchy.admin.callers import scope_of
from hierarchy.admin.choices import is_id
from hierarchy.models import Customer, Site
from hierarchy.scoping import Scope

if TYPE_CHECKING:
    from django.db.models import QuerySet

    Rows = QuerySet[Any]


class QuestionFilter(admin.SimpleListFilter):
    """A question with a few answers. `answers` maps a word in the address to its label."""

    answers: ClassVar[dict[str, Any]]

    def narrow(self, rows: Rows, answer: str, scope: Scope) -> Rows:
        """Those of `rows` to which this answer applies."""
        raise NotImplementedError

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(self.answers.items())

    def queryset(self, request: HttpRequest, queryset: Rows) -> Rows:
        answer = self.value()
        if answer is None:
            return queryset
        if answer not in self.answers:
            raise IncorrectLookupParameters
        return self.narrow(queryset, answer, scope_of(request))


class WithinFilter(admin.SimpleListFilter):
    """By the site at or below which a row lies. Other pages lead here; the list offers only what is chosen."""

    title = _("site")
    parameter_name = "within"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        chosen = self.value()
        self.site: Any = None
        if chosen is not None and is_id(chosen):
            self.site = Site.objects.visible_to(scope_of(request)).filter(pk=chosen).first()
        return [] if chosen is None else [(chosen, str(self.site or chosen))]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if self.value() is None:
            return queryset
        if self.site is None:
            raise IncorrectLookupParameters
        return queryset.within(Site.objects.at_or_below(self.site))


class CustomerFilter(admin.SimpleListFilter):
    """By customer, for rows that have no such column of their own. Only platform staff see more than one."""

    title = _("customer")
    parameter_name = "of"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        scope = scope_of(request)
        if not scope.is_platform:
            return []
        return [(str(customer.pk), customer.name) for customer in Customer.objects.visible_to(scope)]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        chosen = self.value()
        if chosen is None:
            return queryset
        if not is_id(chosen):
            raise IncorrectLookupParameters
        return queryset.visible_to(Scope.whole_customer(int(chosen)))
