"""The base of every page of the admin: read through `visible_to`, written through the services.

One transaction and one recording of the journal span a whole submission, lines of other kinds included. What the
services refuse leaves the transaction and is shown on the form, with everything that was typed.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.core.exceptions import BadRequest
from django.db import connection, models
from django.http import Http404, HttpRequest, HttpResponseRedirect
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from hierarchy import journal, services
from hierarchy.admin import actions, history
from hierarchy.admin.callers import REFUSALS, caller_of, may_write, scope_of, sentence
from hierarchy.admin.choices import EntityChoiceField, EntitySelect, is_id
from hierarchy.admin.deletion import consequences
from hierarchy.admin.filters import ActiveFilters, WithinFilter
from hierarchy.admin.forms import EntityForm, EntityFormSet, Refused, refusals_to
from hierarchy.admin.history_pages import HistoryPages
from hierarchy.admin.search.matching import Text, columns_of, matching
from hierarchy.admin.times import MomentChoice, MomentColumn, give_zones, own_zone, with_moments, zone_of
from hierarchy.fields import MomentField
from hierarchy.models import Site
from hierarchy.scoping import Scope
from hierarchy.selectors import site_paths

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Any]
    TabularInline = admin.TabularInline[Any, Any]
else:
    ModelAdmin = admin.ModelAdmin
    TabularInline = admin.TabularInline

PATH_SEPARATOR = " › "


def places(scope: Scope, site_ids: Iterable[int | None]) -> dict[int | None, str]:
    """The path of each site in one line of text, from the topmost site that `scope` sees. One statement."""
    known = site_paths({site_id for site_id in site_ids if site_id is not None}, scope)
    return {site_id: PATH_SEPARATOR.join(names) for site_id, names in known.items()}


class ScopedOptions:
    """What pages and lines have in common: visible rows, and references to visible rows only."""

    formfield_overrides: ClassVar[Any] = {MomentField: {"form_class": MomentChoice}}

    # References that are read along with the rows.
    references: ClassVar[tuple[str, ...]] = ()

    def get_queryset(self, request: HttpRequest) -> Any:
        queryset = super().get_queryset(request)  # type: ignore[misc]
        return queryset.visible_to(scope_of(request)).select_related(*self.references)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return with_moments(self.model, super().get_readonly_fields(request, obj))  # type: ignore[attr-defined,misc]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)  # type: ignore[misc]
        is_read = obj is not None and not self.has_change_permission(request, obj)  # type: ignore[attr-defined]
        read = None if is_read else {getattr(one, "__name__", "") for one in self.get_readonly_fields(request, obj)}
        model = self.model  # type: ignore[attr-defined]
        return [(name, {**rest, "fields": with_moments(model, rest["fields"], read)}) for name, rest in fieldsets]

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
            # Deleting what a row refers to is not done from within the row.
            field.widget.can_delete_related = False
        return field

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Every operator may look; at what, `visible_to` says."""
        return request.user.is_active


class ScopedChangeList(ActiveFilters, ChangeList):
    """A page of a list, completed in a constant number of statements."""

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(request, *args, **kwargs)
        if not self.is_popup:
            self.title = capfirst(str(self.opts.verbose_name_plural))

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.result_list = list(self._whole(self.result_list))
        if any(isinstance(column, MomentColumn) for column in self.list_display):
            self.model_admin.give_zones(request, self.result_list)  # type: ignore[attr-defined]
        self.model_admin.complete_page(request, self.result_list)  # type: ignore[attr-defined]

    def _whole(self, page: Any) -> Any:
        """The rows of one page of many: all are put in order without what is shown of these alone, which is wide."""
        if not isinstance(page, models.QuerySet) or not page.query.is_sliced:
            return page
        return self.root_queryset.filter(pk__in=page.values("pk")).order_by(*page.query.order_by)


class ScopedAdmin(ScopedOptions, ModelAdmin):
    """Pages over any model that `visible_to` can filter; an object that the caller does not see is not found."""

    view_on_site = False
    list_per_page = 50
    list_max_show_all = 200
    # A second count over the whole table, and one for every choice of a filter, for numbers that nobody asked for.
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    empty_value_display = history.NOTHING
    # The attribute, dots allowed, that says at which site a row lies: it fills the column `place`.
    place_attribute: ClassVar[str] = ""
    # The same for the zone of a row's moments, where no column names the place.
    zone_attribute: ClassVar[str] = ""
    # Whether the search over all kinds finds these rows, and where its hits lead besides: labels and names of pages.
    is_found_everywhere: ClassVar[bool] = False
    found_with: ClassVar[tuple[tuple[Any, str], ...]] = ()

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        found = super().get_object(request, object_id, from_field)
        if found is None:
            raise Http404
        self.give_zones(request, [found])
        return found

    def give_zones(self, request: HttpRequest, rows: list[Any]) -> None:
        give_zones(request, rows, self.zone_attribute or self.place_attribute)

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        columns = with_moments(self.model, super().get_list_display(request))
        return [*columns, "customer"] if self._shows_customer(request) else columns

    def get_list_display_links(self, request: HttpRequest, list_display: Any) -> Any:
        return with_moments(self.model, super().get_list_display_links(request, list_display) or ())

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
        """Only platform staff see rows of more than one customer."""
        return scope_of(request).is_platform and any(field.name == "customer" for field in self.opts.concrete_fields)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return ScopedChangeList

    def complete_page(self, request: HttpRequest, rows: list[Any]) -> None:
        """Add to the rows of one page what their columns need."""
        if self.place_attribute:
            site_ids = {row.pk: self.site_of(row) for row in rows}
            paths = places(scope_of(request), site_ids.values())
            for row in rows:
                row.shown_place = paths.get(site_ids[row.pk], "")

    def site_of(self, row: Any) -> int | None:
        """The id of the site at which a row lies."""
        return _walk(row, self.place_attribute) if self.place_attribute else None

    @admin.display(description=_("place"), empty_value=history.NOTHING)
    def place(self, row: Any) -> str:
        return getattr(row, "shown_place", "")

    def trail(self, request: HttpRequest, site_id: int | None) -> list[tuple[int, str]]:
        """The ids and names from the topmost site that the caller sees down to this one. One statement."""
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
        """The sites that stand before a row in the line that says where its page is."""
        return self.trail(request, self.site_of(row))

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        row = context.get("original")
        trail = [] if row is None else self.trail_of(request, row)
        response = super().render_change_form(request, {**context, "trail": trail}, *args, **kwargs)
        lines = (form for formset in context["inline_admin_formsets"] for form in formset.formset.forms)
        if any(getattr(form, "overtaken", None) for form in (context["adminform"].form, *lines)):
            response.status_code = 409
        return response

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        """Only what the filters of the page offer: any other column could be guessed letter by letter."""
        offered = {
            one if isinstance(one, str) else one[0] if isinstance(one, tuple | list) else one.parameter_name
            for one in self.get_list_filter(request)
        }
        return lookup.split("__")[0] in offered and "\0" not in str(value)

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        try:
            return super().get_changelist_instance(request)
        except (OverflowError, ValueError) as error:
            # A filter's value that the column cannot hold.
            raise IncorrectLookupParameters from error

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> Any:
        columns = columns_of(self.model, self.get_search_fields(request))
        return queryset.filter(matching(columns, Text.typed(search_term), scope_of(request))), False

    def choice_labels(self, request: HttpRequest, rows: Iterable[Any]) -> dict[int, str]:
        """What the rows are called where they can be chosen, in a constant number of statements."""
        return {row.pk: str(row) for row in rows}

    def narrow_choices(self, request: HttpRequest, queryset: Any) -> Any:
        """The rows that a select offers, of those that the caller sees."""
        return queryset


class EntityAdmin(HistoryPages, ScopedAdmin):
    """Pages over rows that people edit."""

    form = EntityForm
    # Whether platform staff name the customer of a new row, because no other column says it.
    chooses_customer: ClassVar[bool] = False
    # In which order many rows are deleted at once.
    deletion_order: ClassVar[tuple[str, ...]] = ("-pk",)
    # What a deletion takes along besides what is named.
    deletion_note: ClassVar[Any] = ""

    # Who may do what.

    def is_writer(self, scope: Scope) -> bool:
        """Whether the caller may write rows of this kind at all; which, the services say."""
        return scope.is_platform or scope.is_admin or bool(scope.root_ids)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.is_writer(scope_of(request))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.is_writer(scope_of(request)) if obj is None else may_write(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_change_permission(request, obj)

    # What a form holds.

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        fieldsets: list[Any] = [(name, {**options}) for name, options in super().get_fieldsets(request, obj)]
        first: dict[str, Any] = fieldsets[0][1]
        if self._shows_customer(request) and (obj is not None or self.chooses_customer):
            first["fields"] = ["customer", *first["fields"]]
        if obj is not None and self.has_change_permission(request, obj):
            first["fields"] = [*first["fields"], "row_version"]
        return fieldsets

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fields = super().get_readonly_fields(request, obj)
        # A row belongs to one customer for ever.
        return [*fields, "customer"] if obj is not None and self._shows_customer(request) else fields

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form: Any = super().get_form(request, obj, change, **kwargs)
        form.scope = scope_of(request)
        form.zone = own_zone(request) if obj is None else zone_of(obj)
        form.refused = getattr(request, "refused", None)
        return form

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Only references: any other value from the address bar could be one that a widget cannot show."""
        references = {field.name for field in self.opts.concrete_fields if field.is_relation}
        return {name: value for name, value in request.GET.items() if name in references and is_id(value)}

    # How it is saved.

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        show: Any = partial(self._changeform_view, request, object_id, form_url, extra_context)  # type: ignore[attr-defined]
        if request.method != "POST":
            return show()
        try:
            with refusals_to(None), journal.recording(caller_of(request)):
                return show()
        except Refused as refused:
            # Nothing was written. The same submission once more, now with a form that knows why it is wrong.
            request.refused = refused  # type: ignore[attr-defined]
            return show()

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        with refusals_to(form.prefix):
            services.save(caller_of(request), obj)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        if connection.vendor == "postgresql":
            # Ties that are checked at commit are checked now, before the page says that all went well.
            connection.check_constraints()

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        caller = caller_of(request)
        removed = formset.deleted_forms
        for line in removed:
            if not line.instance._state.adding:
                with refusals_to(form.prefix):
                    services.delete(caller, line.instance, line.cleaned_data.get("row_version"))
        for line in formset.forms:
            if line not in removed and line.has_changed():
                with refusals_to(line.prefix):
                    is_new = line.instance._state.adding
                    services.save(caller, formset.save_new(line, commit=False) if is_new else line.instance)

    # How it is deleted.

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None) -> Any:
        context = {"note": self.deletion_note, **(extra_context or {})}
        show: Any = partial(self._delete_view, request, object_id, context)  # type: ignore[attr-defined]
        if request.method != "POST":
            return show()
        try:
            with journal.recording(caller_of(request)):
                return show()
        except REFUSALS as error:
            self.message_user(request, sentence(error), messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())

    def render_delete_form(self, request: HttpRequest, context: dict[str, Any]) -> Any:
        trail = self.trail_of(request, context["object"])
        return super().render_delete_form(request, {**context, "trail": trail})

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        version = request.POST.get("row_version", "")
        services.delete(caller_of(request), obj, int(version) if is_id(version) else None)

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        for row in queryset.order_by(*self.deletion_order):
            services.delete(caller_of(request), row)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        rows = list(objs)
        if not rows:
            return [], {}, set(), []
        found = consequences(rows, scope_of(request))
        forbidden = {row.natural_key_text for row in rows if not self.has_delete_permission(request, row)}
        return found.going, found.counts, forbidden, found.blocking

    # Lists and their actions.

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        if request.method != "POST":
            return super().changelist_view(request, extra_context)
        if not all(is_id(chosen) for chosen in request.POST.getlist(ACTION_CHECKBOX_NAME)):
            raise BadRequest("A chosen row is no id.")
        if actions.is_own_transaction(self, request):
            return super().changelist_view(request, extra_context)
        try:
            with journal.recording(caller_of(request)):
                return super().changelist_view(request, extra_context)
        except REFUSALS as error:
            self.message_user(request, sentence(error), messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())

    def get_action_choices(self, request: HttpRequest, *args: Any) -> list[Any]:
        return actions.grouped(self, request, super().get_action_choices(request, *args))

    # The journal takes the place of the admin's own log.

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        return None

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        return None

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        return None

    def construct_change_message(self, request: HttpRequest, form: Any, formsets: Any, add: bool = False) -> Any:
        return []


class EntityInline(ScopedOptions, TabularInline):
    """Lines on the page of the row that they belong to: who may change that row may change these."""

    form = EntityForm
    formset = EntityFormSet
    template = "admin/details/lines.html"
    view_on_site = False
    extra = 0

    class Media:
        css: ClassVar[dict[str, tuple[str, ...]]] = {"all": ("chargetree/details.css",)}

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_change_permission(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        if obj is None or obj._state.adding:
            return self.admin_site.get_model_admin(self.parent_model).has_add_permission(request)
        return may_write(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_change_permission(request, obj)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fields: Any = super().get_fields(request, obj)
        return [*fields, "row_version"] if obj is not None and self.has_change_permission(request, obj) else fields

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        formset: Any = super().get_formset(request, obj, **kwargs)
        formset.form.scope = scope_of(request)
        formset.form.zone = own_zone(request) if obj is None else zone_of(obj)
        formset.form.refused = getattr(request, "refused", None)
        return formset

    def formfield_for_dbfield(self, db_field: models.Field[Any, Any], request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        # A line is narrow: what it refers to has a page of its own.
        return _unwrapped(field)


def _unwrapped(field: Any) -> Any:
    if field is not None and isinstance(field.widget, RelatedFieldWidgetWrapper):
        field.widget = field.widget.widget
    return field


def _walk(row: Any, path: str) -> Any:
    for step in path.split("."):
        row = getattr(row, step)
    return row
