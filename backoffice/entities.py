"""The base ModelAdmin of all models that users edit: writes go through the services.

One transaction and one recording of the change log span a whole submission, including its inlines. Errors of the
services roll the transaction back and are shown on the form, with all input kept.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.core.exceptions import BadRequest
from django.db import connection, models
from django.http import Http404, HttpRequest, HttpResponseRedirect

from backoffice import actions
from backoffice.callers import WRITE_ERRORS, caller_of, error_message, may_write, scope_of
from backoffice.choices import is_id
from backoffice.consequences import effects_of_deletion
from backoffice.deletion import consequences
from backoffice.error_pages import Deleted, deletion_of
from backoffice.forms import EntityForm, EntityFormSet, Refused, errors_to_form
from backoffice.history_pages import HistoryPages
from backoffice.scoped import ScopedAdmin, ScopedOptions
from backoffice.times import caller_zone, zone_of
from hierarchy import journal, services
from hierarchy.request_context import context_of
from hierarchy.scoping import Scope

if TYPE_CHECKING:
    TabularInline = admin.TabularInline[Any, Any]
else:
    TabularInline = admin.TabularInline


class EntityAdmin(HistoryPages, ScopedAdmin):
    """ModelAdmin of a model that users edit."""

    form = EntityForm
    # Whether platform staff choose the customer of a new row, because it does not follow from another field.
    chooses_customer: ClassVar[bool] = False
    # A note on the delete page about what is deleted but not listed.
    deletion_note: ClassVar[Any] = ""

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """Raises Deleted if the caller has access to the change log entry of the deletion."""
        try:
            return super().get_object(request, object_id, from_field)
        except Http404:
            deletion = deletion_of(self.model, object_id, scope_of(request))
            if deletion is None:
                raise
            raise Deleted(deletion) from None

    # Permissions.

    def is_writer(self, scope: Scope) -> bool:
        """Whether the caller may write any rows of this model. The services decide about each row."""
        return scope.may_write_something

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.is_writer(scope_of(request))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.is_writer(scope_of(request)) if obj is None else may_write(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_change_permission(request, obj)

    # Form fields.

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
        # The customer of a row never changes.
        return [*fields, "customer"] if obj is not None and self._shows_customer(request) else fields

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form: Any = super().get_form(request, obj, change, **kwargs)
        form.scope = scope_of(request)
        form.zone = caller_zone(request) if obj is None else zone_of(obj)
        form.refused = context_of(request).refused
        return form

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Foreign keys only: a widget may not be able to show any other value from the query string."""
        references = {field.name for field in self.opts.concrete_fields if field.is_relation}
        return {name: value for name, value in request.GET.items() if name in references and is_id(value)}

    # Saving.

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
            with errors_to_form(None), journal.recording(caller_of(request)):
                return show()
        except Refused as refused:
            # The transaction was rolled back. Process the submission again with a form that shows the error.
            context_of(request).refused = refused
            return show()

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        with errors_to_form(form.prefix):
            services.save(caller_of(request), obj)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        if connection.vendor == "postgresql":
            # Deferred constraints are checked now, before the success message.
            connection.check_constraints()

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        caller = caller_of(request)
        removed = formset.deleted_forms
        for line in removed:
            if not line.instance._state.adding:
                with errors_to_form(form.prefix):
                    services.delete(caller, line.instance, line.cleaned_data.get("row_version"))
        for line in formset.forms:
            if line not in removed and line.has_changed():
                with errors_to_form(line.prefix):
                    is_new = line.instance._state.adding
                    services.save(caller, formset.save_new(line, commit=False) if is_new else line.instance)

    # Deleting.

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None) -> Any:
        context = {"note": self.deletion_note, **(extra_context or {})}
        show: Any = partial(self._delete_view, request, object_id, context)  # type: ignore[attr-defined]
        if request.method != "POST":
            return show()
        try:
            with journal.recording(caller_of(request)):
                return show()
        except WRITE_ERRORS as error:
            self.message_user(request, error_message(error), messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())

    def render_delete_form(self, request: HttpRequest, context: dict[str, Any]) -> Any:
        row, scope = context["object"], scope_of(request)
        context |= {
            "trail": self.trail_of(request, row),
            "effects": effects_of_deletion(scope, row),
            "only_visible": scope.is_restricted,
        }
        return super().render_delete_form(request, context)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        version = request.POST.get("row_version", "")
        services.delete(caller_of(request), obj, int(version) if is_id(version) else None)

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        for row in queryset.order_by("-pk"):
            services.delete(caller_of(request), row)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        rows = list(objs)
        if not rows:
            return [], {}, set(), []
        found = consequences(rows, scope_of(request))
        forbidden = {row.natural_key_text for row in rows if not self.has_delete_permission(request, row)}
        return found.to_delete, found.counts, forbidden, found.protected

    # Changelist and actions.

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        if request.method != "POST":
            return super().changelist_view(request, extra_context)
        if not all(is_id(chosen) for chosen in request.POST.getlist(ACTION_CHECKBOX_NAME)):
            raise BadRequest("A selected id is invalid.")
        missing = actions.missing(request)
        if missing:
            self.message_user(request, missing, messages.WARNING)
            return HttpResponseRedirect(request.get_full_path())
        if actions.manages_own_transaction(self, request):
            return super().changelist_view(request, extra_context)
        try:
            with journal.recording(caller_of(request)):
                return super().changelist_view(request, extra_context)
        except WRITE_ERRORS as error:
            self.message_user(request, error_message(error), messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())

    def get_action_choices(self, request: HttpRequest, *args: Any) -> list[Any]:
        return actions.grouped(self, request, super().get_action_choices(request, *args))

    # The change log replaces Django's LogEntry.

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        return None

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        return None

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        return None

    def construct_change_message(self, request: HttpRequest, form: Any, formsets: Any, add: bool = False) -> Any:
        return []


class EntityInline(ScopedOptions, TabularInline):
    """Inline rows on the page of their parent row, with the same permissions as the parent."""

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
        formset.form.zone = caller_zone(request) if obj is None else zone_of(obj)
        formset.form.refused = context_of(request).refused
        return formset

    def formfield_for_dbfield(self, db_field: models.Field[Any, Any], request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        # No add, change and view icons: an inline row has no space for them.
        return _unwrapped(field)


def _unwrapped(field: Any) -> Any:
    if field is not None and isinstance(field.widget, RelatedFieldWidgetWrapper):
        field.widget = field.widget.widget
    return field
