"""Changelist filters by conditions, values, sites and customers, and the list of active filters."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ORDER_VAR, SEARCH_VAR
from django.contrib.admin.widgets import AutocompleteSelect
from django.http import HttpRequest, QueryDict
from django.utils.http import urlencode
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from backoffice.callers import scope_of
from backoffice.choices import SCRIPTS, is_id
from hierarchy.models import Customer, Site
from hierarchy.scoping import Scope
from hierarchy.text import comparison_key

if TYPE_CHECKING:
    from django.db.models import QuerySet

    Rows = QuerySet[Any]


class QuestionFilter(admin.SimpleListFilter):
    """A filter by conditions. `answers` maps the value in the query string to its label."""

    answers: ClassVar[dict[str, Any]]

    def narrow(self, rows: Rows, answer: str, scope: Scope) -> Rows:
        """The `rows` that meet the condition."""
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


class ValueFilter(admin.SimpleListFilter):
    """By the values of a column that occur in accessible rows. One statement.

    With `above`, only values that occur with the chosen value of that filter. `below` is removed when this one changes.
    """

    column: ClassVar[str]
    above: ClassVar[str] = ""
    below: ClassVar[str] = ""
    # At most so many choices; beyond that, users search.
    most: ClassVar[int] = 100
    nothing = "-"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        # Always include the chosen value, even if it no longer occurs.
        offered: dict[str, Any] = {value: value for value in [self.value()] if value and value != self.nothing}
        offered |= {value or self.nothing: value or _("None") for value in self._values(request, model_admin)}
        return sorted(offered.items(), key=lambda pair: (pair[0] == self.nothing, comparison_key(pair[0])))

    def _values(self, request: HttpRequest, model_admin: Any) -> Iterable[str | None]:
        rows = model_admin.model.objects.visible_to(scope_of(request)).order_by()
        if self.above:
            value = request.GET.get(self.above)
            if not value:
                return ()
            rows = rows.filter(**_equals(self.above, value.replace("\0", ""), self.nothing))
        found: Iterable[str | None] = rows.values_list(self.column, flat=True).distinct()[: self.most]
        return found

    def queryset(self, request: HttpRequest, queryset: Rows) -> Rows:
        value = self.value()
        return queryset if value is None else queryset.filter(**_equals(self.column, value, self.nothing))

    def choices(self, changelist: Any) -> Iterator[Any]:
        for choice in super().choices(changelist):
            query = QueryDict(choice["query_string"].removeprefix("?"), mutable=True)
            if self.below and not choice["selected"]:
                query.pop(self.below, None)
            yield {**choice, "query_string": f"?{query.urlencode()}"}


def _equals(column: str, value: str, nothing: str) -> dict[str, Any]:
    return {f"{column}__isnull": True} if value == nothing else {column: value}


class WithinFilter(admin.SimpleListFilter):
    """By a site and its subsites, chosen with autocomplete. No statement unless a site is chosen."""

    title = _("site")
    parameter_name = "within"
    template = "admin/filter_within.html"

    def __init__(self, request: HttpRequest, params: Any, model: Any, model_admin: Any) -> None:
        self.site: Any = None
        self._column = "pk" if model is Site else model_admin.site_attribute.replace(".", "__")
        self._page = model_admin.admin_site.get_model_admin(Site)
        super().__init__(request, params, model, model_admin)

    @classmethod
    def media(cls) -> forms.Media:
        return AutocompleteSelect(Site._meta.get_field("parent"), admin.site).media + SCRIPTS

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        value = self.value()
        if value is not None and is_id(value):
            self.site = Site.objects.visible_to(scope_of(request)).filter(pk=value).first()
        if value is None or self.site is None:
            return []
        return [(value, self._page.choice_labels(request, [self.site])[self.site.pk])]

    def has_output(self) -> bool:
        return True

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if self.value() is None:
            return queryset
        if self.site is None:
            raise IncorrectLookupParameters
        sites = Site.objects.at_or_below(self.site).order_by()
        return queryset.filter(**{f"{self._column}__in": sites.values("pk")})

    def choices(self, changelist: Any) -> Iterator[Any]:
        # Keep the other parameters of the query string.
        self.others = [
            (name, value)
            for name, values in changelist.filter_params.items()
            if name != self.parameter_name
            for value in values
        ]
        yield from super().choices(changelist)

    @property
    def form(self) -> forms.Form:
        """The form with the site field. The current choice is shown next to it."""
        field = self._page.formfield_for_foreignkey(
            Site._meta.get_field("parent"), self.request, label=_("Site and its subsites"), required=False
        )
        form = forms.Form(auto_id="filter-%s")
        form.fields[self.parameter_name] = field
        return form


@dataclass(frozen=True, slots=True)
class Active:
    """An active filter, and the URL of the list without it."""

    title: Any
    choice: Any
    without: str


class ActiveFilters:
    """The active filters of a changelist, shown above it."""

    @property
    def active_filters(self: Any) -> list[Active]:
        found = []
        if self.query:
            found.append(Active(_("Search"), self.query, self.get_query_string({SEARCH_VAR: None})))
        for spec in self.filter_specs:
            everything, *choices = spec.choices(self)
            found += [
                Active(capfirst(str(spec.title)), choice["display"], everything["query_string"])
                for choice in choices
                if choice["selected"]
            ]
        return found

    @property
    def without_filters(self: Any) -> str:
        """The URL of the list without filters, in the same order."""
        order = {name: values for name, values in self.filter_params.items() if name == ORDER_VAR}
        return f"?{urlencode(order, doseq=True)}"


class CustomerFilter(admin.SimpleListFilter):
    """By customer, for models without a customer field. For platform staff only."""

    title = _("customer")
    parameter_name = "of"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        scope = scope_of(request)
        if not scope.is_platform:
            return []
        return [(str(customer.pk), customer.name) for customer in Customer.objects.visible_to(scope)]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        value = self.value()
        if value is None:
            return queryset
        if not is_id(value):
            raise IncorrectLookupParameters
        return queryset.visible_to(Scope.whole_customer(int(value)))
