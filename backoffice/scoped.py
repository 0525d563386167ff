"""Base classes of the admin: accessible rows and references only, in a constant number of statements."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.db import models
from django.http import Http404, HttpRequest
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from backoffice import history
from backoffice.callers import scope_of
from backoffice.choices import EntityChoiceField, EntitySelect
from backoffice.error_pages import UnknownFilter
from backoffice.filters import ActiveFilters, WithinFilter
from backoffice.search.matching import SearchTerm, columns_of, matching
from backoffice.times import TimestampColumn, TimestampFormField, attach_zones, with_timestamp_columns
from hierarchy.fields import KeyField, TimestampField
from hierarchy.models import Site
from hierarchy.scoping import Scope
from hierarchy.selectors import site_paths

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Any]
else:
    ModelAdmin = admin.ModelAdmin

PATH_SEPARATOR = " › "
# The lookups that Django's filters use in the query string.
_COMPARISONS = ("", "exact", "isnull", "id__exact")


def path_labels(scope: Scope, site_ids: Iterable[int | None]) -> dict[int | None, str]:
    """The path of each site as text, from the topmost site that `scope` sees. One statement."""
    known = site_paths({site_id for site_id in site_ids if site_id is not None}, scope)
    return {site_id: PATH_SEPARATOR.join(names) for site_id, names in known.items()}


class ScopedOptions:
    """Shared by ModelAdmins and inlines: accessible rows, and references to accessible rows only."""

    formfield_overrides: ClassVar[Any] = {TimestampField: {"form_class": TimestampFormField}}

    # Foreign keys for select_related.
    references: ClassVar[tuple[str, ...]] = ()

    def get_queryset(self, request: HttpRequest) -> Any:
        queryset = super().get_queryset(request)  # type: ignore[misc]
        return queryset.visible_to(scope_of(request)).select_related(*self.references)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return with_timestamp_columns(self.model, super().get_readonly_fields(request, obj))  # type: ignore[attr-defined,misc]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)  # type: ignore[misc]
        is_read = obj is not None and not self.has_change_permission(request, obj)  # type: ignore[attr-defined]
        read = None if is_read else {getattr(one, "__name__", "") for one in self.get_readonly_fields(request, obj)}
        model = self.model  # type: ignore[attr-defined]
        return [
            (name, {**rest, "fields": with_timestamp_columns(model, rest["fields"], read)}) for name, rest in fieldsets
        ]

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        target = self.admin_site.get_model_admin(db_field.related_model)  # type: ignore[attr-defined]
        labels = partial(target.choice_labels, request)
        return db_field.formfield(
            form_class=EntityChoiceField,
            queryset=db_field.related_model.objects.visible_to(scope_of(request)),
            labels=labels,
            widget=EntitySelect(db_field, self.admin_site, labels),  # type: ignore[attr-defined]
            **kwargs,
        )

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)  # type: ignore[misc]
        if field is not None and isinstance(field.widget, RelatedFieldWidgetWrapper):
            # No button to delete the referenced object.
            field.widget.can_delete_related = False
        return field

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Every active operator; `visible_to` limits the rows."""
        return request.user.is_active


class ScopedChangeList(ActiveFilters, ChangeList):
    """A changelist that completes the rows of one page in a constant number of statements."""

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(request, *args, **kwargs)
        if not self.is_popup:
            self.title = capfirst(str(self.opts.verbose_name_plural))

    def get_filters_params(self, params: Any = None) -> dict[str, Any]:
        """Without empty ones, which forms submit for empty fields."""
        return {name: values for name, values in super().get_filters_params(params).items() if any(values)}

    def get_filters(self, request: HttpRequest) -> Any:
        """Raises UnknownFilter for unknown filters and values: ignoring one would show more rows than requested."""
        params = self.get_filters_params()
        for name, values in params.items():
            if not all(self.model_admin.lookup_allowed(name, value, request) for value in values):
                raise UnknownFilter(self.model, name)
        found = super().get_filters(request)
        for spec in found[0]:
            names = params.keys() & set(spec.expected_parameters())
            _everything, *choices = spec.choices(self)
            if names and not any(choice["selected"] for choice in choices):
                raise UnknownFilter(self.model, capfirst(str(spec.title)), params[min(names)][-1])
            params = {name: values for name, values in params.items() if name not in names}
        for name in params:
            raise UnknownFilter(self.model, name)
        return found

    def get_ordering_field(self, field_name: Any) -> Any:
        """Order text columns by their comparison key, so that case does not matter."""
        keys = {one.of: one.name for one in self.lookup_opts.concrete_fields if isinstance(one, KeyField)}
        return keys.get(field_name) or super().get_ordering_field(field_name)

    def get_results(self, request: HttpRequest) -> None:
        try:
            super().get_results(request)
        except IncorrectLookupParameters:
            # The page no longer exists, for example after a deletion. Show the last one.
            self.page_num = self.model_admin.get_paginator(request, self.queryset, self.list_per_page).num_pages
            super().get_results(request)
        self.result_list = list(self._whole(self.result_list))
        if any(isinstance(column, TimestampColumn) for column in self.list_display):
            self.model_admin.attach_zones(request, self.result_list)  # type: ignore[attr-defined]
        self.model_admin.complete_page(request, self.result_list)  # type: ignore[attr-defined]

    def _whole(self, page: Any) -> Any:
        """The rows of one page: sorting the ids alone is faster than sorting wide rows."""
        if not isinstance(page, models.QuerySet) or not page.query.is_sliced:
            return page
        return self.root_queryset.filter(pk__in=page.values("pk")).order_by(*page.query.order_by)


class ScopedAdmin(ScopedOptions, ModelAdmin):
    """ModelAdmin of any model that `visible_to` can filter; inaccessible objects give 404."""

    view_on_site = False
    list_per_page = 50
    list_max_show_all = 200
    # Avoids a count of the whole table, and one per filter choice.
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    empty_value_display = history.NOTHING
    # The attribute, dots allowed, with the site id of a row, for the column `place`.
    site_attribute: ClassVar[str] = ""
    # The same for the time zone of a row, if the list has no such column.
    zone_attribute: ClassVar[str] = ""
    # Whether the global search includes these rows, and extra links of its hits as (label, view name).
    is_in_global_search: ClassVar[bool] = False
    search_links: ClassVar[tuple[tuple[Any, str], ...]] = ()

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        found = super().get_object(request, object_id, from_field)
        if found is None:
            raise Http404
        self.attach_zones(request, [found])
        return found

    def attach_zones(self, request: HttpRequest, rows: list[Any]) -> None:
        attach_zones(request, rows, self.zone_attribute or self.site_attribute)

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        columns = with_timestamp_columns(self.model, super().get_list_display(request))
        return [*columns, "customer"] if self._shows_customer(request) else columns

    def get_list_display_links(self, request: HttpRequest, list_display: Any) -> Any:
        return with_timestamp_columns(self.model, super().get_list_display_links(request, list_display) or ())

    @property
    def media(self) -> forms.Media:
        media: forms.Media = super().media
        return media + WithinFilter.media() if WithinFilter in self.list_filter else media

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        filters: list[Any] = [*super().get_list_filter(request)]
        return [*filters, "customer"] if self._shows_customer(request) else filters

    def get_queryset(self, request: HttpRequest) -> Any:
        queryset = super().get_queryset(request)
        return queryset.select_related(*self.references, "customer") if self._shows_customer(request) else queryset

    def _shows_customer(self, request: HttpRequest) -> bool:
        """Only platform staff have access to several customers."""
        return scope_of(request).is_platform and any(field.name == "customer" for field in self.opts.concrete_fields)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return ScopedChangeList

    def complete_page(self, request: HttpRequest, rows: list[Any]) -> None:
        """Add data to the rows of one page that the columns need."""
        if self.site_attribute:
            site_ids = {row.pk: self.site_of(row) for row in rows}
            paths = path_labels(scope_of(request), site_ids.values())
            for row in rows:
                row.path_label = paths.get(site_ids[row.pk], "")

    def site_of(self, row: Any) -> int | None:
        """The id of the site of a row."""
        return _walk(row, self.site_attribute) if self.site_attribute else None

    @admin.display(description=_("site"), empty_value=history.NOTHING)
    def place(self, row: Any) -> str:
        return getattr(row, "path_label", "")

    def trail(self, request: HttpRequest, site_id: int | None) -> list[tuple[int, str]]:
        """Ids and names of the accessible sites from the top down to this one. One statement."""
        if site_id is None:
            return []
        site = Site.objects.order_by().filter(pk=site_id)
        above = Site.objects.visible_to(scope_of(request)).filter(
            tree_id__in=site.values("tree_id"),
            lft__lte=models.Subquery(site.values("lft")),
            rght__gte=models.Subquery(site.values("rght")),
        )
        return list(above.order_by("lft").values_list("pk", "name"))

    def trail_of(self, request: HttpRequest, row: Any) -> list[tuple[int, str]]:
        """The sites in the breadcrumbs of a row."""
        return self.trail(request, self.site_of(row))

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        row = context.get("original")
        if row is not None and request.method == "POST":
            # The bound form has written unsaved input into the row. Show the stored row outside of the form.
            row = self.get_object(request, str(row.pk))
            context = {**context, "original": row, "subtitle": str(row)}
        trail = [] if row is None else self.trail_of(request, row)
        stale_message = getattr(context["adminform"].form, "stale_message", None)
        lines = [form for formset in context["inline_admin_formsets"] for form in formset.formset.forms]
        whole = {**context, "trail": trail, "stale_message": stale_message}
        if stale_message:
            # Replaces the general error message.
            whole["errors"] = None
        response = super().render_change_form(request, whole, *args, **kwargs)
        if stale_message or any(getattr(form, "stale_message", None) for form in lines):
            response.status_code = 409
        return response

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        """Only the filters of the page: other lookups could reveal hidden columns bit by bit.

        And only their comparisons: a regular expression could be invalid or very slow.
        """
        offered = {
            one if isinstance(one, str) else one[0] if isinstance(one, tuple | list) else one.parameter_name
            for one in self.get_list_filter(request)
        }
        column, _separator, comparison = lookup.partition("__")
        return column in offered and comparison in _COMPARISONS and "\0" not in str(value)

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Raises UnknownFilter."""
        try:
            return super().get_changelist_instance(request)
        except (IncorrectLookupParameters, OverflowError, ValueError) as error:
            # A value that the column cannot store.
            raise UnknownFilter(self.model, request.GET.urlencode()) from error

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> Any:
        columns = columns_of(self.model, self.get_search_fields(request))
        return queryset.filter(matching(columns, SearchTerm.parse(search_term), scope_of(request))), False

    def choice_labels(self, request: HttpRequest, rows: Iterable[Any]) -> dict[int, str]:
        """The labels of rows in selects, in a constant number of statements."""
        return {row.pk: str(row) for row in rows}

    def filter_choices(self, request: HttpRequest, queryset: Any) -> Any:
        """The accessible rows that a select offers."""
        return queryset


def _walk(row: Any, path: str) -> Any:
    for step in path.split("."):
        row = getattr(row, step)
    return row
