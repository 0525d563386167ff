"""Exports: a whole network, and the rows of a changelist."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from typing import IO, Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, Http404, HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from backoffice.callers import scope_of
from bulk import files
from bulk.export import ExportSelection, export
from bulk.tables import Sheet, Table, sheets, tables
from bulk.template import write_template
from hierarchy.models import Customer, Site
from hierarchy.scoping import Scope

_KINDS = {
    "xlsx": _("Workbook (XLSX), for Excel and LibreOffice"),
    "zip": _("CSV files in a ZIP archive"),
    "json": "JSON",
}


class NetworkForm(forms.Form):
    """Choose a site and, for platform staff, the customer."""

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.scope = scope_of(request)
        page: Any = admin.site.get_model_admin(Site)
        if self.scope.is_platform:
            self.fields["customer"] = page.formfield_for_foreignkey(Site._meta.get_field("customer"), request)
        self.fields["site"] = page.formfield_for_foreignkey(
            Site._meta.get_field("parent"), request, label=_("Site"), required=False
        )
        self.order_fields(["customer"])

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        customer, site = cleaned.get("customer"), cleaned.get("site")
        if customer and site and site.customer_id != customer.pk:
            self.add_error("site", _("Belongs to another customer. Choose one of %(name)s.") % {"name": customer})
        return cleaned

    @property
    def owner(self) -> Customer:
        """The chosen customer, or the caller's own."""
        chosen: Customer | None = self.cleaned_data.get("customer")
        return chosen or Customer.objects.visible_to(self.scope).get()


class ExportForm(NetworkForm):
    format = forms.ChoiceField(label=_("Format"), choices=list(_KINDS.items()), initial="xlsx")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["site"].help_text = _(
            "Export only this site and its subsites. Leave empty to export everything you have access to."
        )


def exported_models() -> set[str]:
    """The labels of the models that can be exported."""
    return {table.model._meta.label_lower for table in tables().values()}


def network(request: HttpRequest) -> HttpResponseBase:
    """The export page, or the file if the query string has a format."""
    form = ExportForm(request, request.GET if "format" in request.GET else None)
    if form.is_valid():
        scope = _customer_scope(form.scope, form.owner.pk)
        name = f"{slugify(form.owner.name) or 'network'}-{timezone.now():%Y-%m-%d}"
        try:
            return _download(ExportSelection(scope, form.cleaned_data["site"]), form.cleaned_data["format"], name)
        except files.Unwritable as error:
            form.add_error("format", str(error))
    has_sites = Site.objects.visible_to(form.scope).exists()
    context = {**admin.site.each_context(request), "title": gettext("Export"), "form": form, "has_sites": has_sites}
    return TemplateResponse(request, "admin/hierarchy/import/export.html", context)


def rows(request: HttpRequest, app_label: str, model_name: str, kind: str) -> HttpResponseBase:
    """All rows of a changelist that match the search and filters of the query string."""
    table = next((one for one in tables().values() if one.model._meta.label_lower == f"{app_label}.{model_name}"), None)
    if table is None or kind not in files.KINDS:
        raise Http404
    page: Any = admin.site.get_model_admin(table.model)
    if not page.has_view_permission(request):
        raise PermissionDenied
    listed = reverse(f"admin:{app_label}_{model_name}_changelist")
    found = page.get_changelist_instance(request).queryset
    return download_rows(request, table, found, kind) or HttpResponseRedirect(f"{listed}?{request.GET.urlencode()}")


def download_rows(request: HttpRequest, table: Table, found: Any, kind: str) -> FileResponse | None:
    """Rows of one table as a file of `kind`; None, with a message, if they cannot be exported."""
    sheet = next(one for one in sheets().values() if one.is_exported and table.name in one.tables)
    try:
        scope = _single_customer_scope(scope_of(request), table, found)
        return _download(
            ExportSelection(scope, None, (sheet.name,), _selected_rows(sheet, table, found)), kind, sheet.name
        )
    except files.Unwritable as error:
        messages.error(request, str(error))
        return None


def _selected_rows(sheet: Sheet, table: Table, found: Any) -> dict[str, Any]:
    """The rows per table of the sheet: none for the other tables."""
    empty: dict[str, Any] = {name: tables()[name].model.objects.none() for name in sheet.tables}
    return {**empty, table.name: found}


def _single_customer_scope(scope: Scope, table: Table, found: Any) -> Scope:
    """The scope of the export. Files identify sites by their path within one customer."""
    if not scope.is_platform:
        return scope
    customers = found.order_by().values_list(table.model.rules.customer, flat=True).distinct()[:2]
    if len(customers) > 1:
        raise files.Unwritable(gettext("A file contains rows of one customer only. Filter the list by customer."))
    return _customer_scope(scope, customers[0]) if customers else scope


def _customer_scope(scope: Scope, customer_id: int) -> Scope:
    """The scope, limited to one customer for platform staff."""
    return Scope.whole_customer(customer_id) if scope.is_platform else scope


def template(request: HttpRequest) -> FileResponse:
    """The import template with example rows that are not imported."""
    return as_download(lambda target: write_template(target, ()), "chargetree.xlsx")


def _download(selection: ExportSelection, kind: str, name: str) -> FileResponse:
    return as_download(lambda target: export(selection, kind, target), f"{name}.{kind}")


def as_download(write: Callable[[IO[bytes]], None], name: str) -> FileResponse:
    """A download of what `write` writes, on disk until it is sent."""
    target = tempfile.TemporaryFile(prefix="chargetree-")  # noqa: SIM115  (the response closes it)
    try:
        write(target)
    except BaseException:
        target.close()
        raise
    target.seek(0)
    return FileResponse(target, as_attachment=True, filename=name)
