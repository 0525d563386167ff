"""The admin of imports: upload a file, preview its plan, apply it, and view past imports."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import PurePath
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import quote, unquote
from django.contrib.admin.views.main import PAGE_VAR
from django.core.exceptions import BadRequest, PermissionDenied
from django.db.models import F
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.csrf import csrf_exempt, csrf_protect

from backoffice import history
from backoffice.callers import WRITE_ERRORS, caller_of, error_message, scope_of
from backoffice.choices import is_id
from backoffice.consequences import effects_of
from backoffice.exports import as_download
from backoffice.plans import ACTIONS, errors_context, label_of, steps_context
from backoffice.scoped import ScopedAdmin
from backoffice.times import caller_zone
from backoffice.uploads import FileForm, ImportForm, form_data, limit_upload, max_megabytes
from bulk import files
from bulk.edits import FORMAT, Edit
from bulk.imports import ImportRequest, annotated, import_apply, import_plan
from bulk.tables import formats, tables
from hierarchy import journal
from hierarchy.errors import DomainError
from hierarchy.models import Change, Import, ImportPlan
from hierarchy.scoping import Scope

WAITING_SHOWN = 10
# The fields under "More options".
MORE = ("table", "prune", "site")


@admin.register(Import)
class ImportAdmin(ScopedAdmin):
    """Read-only list of imports. The add view uploads a file, and the history view lists the changes of an import."""

    fields = ("file_name", "contents", "customer", "created_at", "imported_by", "source", "row_counts", "sha256")
    readonly_fields = fields
    list_display = ("file_name", "created_at", "imported_by", "source", "summary")
    search_fields = ("file_name__icontains",)
    search_help_text = _("File")
    sortable_by = ()
    actions = None

    def has_add_permission(self, request: HttpRequest) -> bool:
        return scope_of(request).may_write_something

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return [name for name in self.fields if name != "customer" or self._shows_customer(request)]

    # Past imports.

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        record = super().get_object(request, object_id, from_field)
        self.complete_page(request, [record])
        return record

    def complete_page(self, request: HttpRequest, rows: list[Any]) -> None:
        """Add who imported. The change log entry of an import has no site, so it is read with platform access."""
        lines = Change.objects.visible_to(Scope.platform()).filter(
            object_type=self.opts.model_name, object_id__in=[row.pk for row in rows], action=journal.CREATED
        )
        by_import = {line.object_id: line for line in lines}
        for row in rows:
            row.line = by_import.get(row.pk)

    @admin.display(description=_("imported by"), empty_value=history.NOTHING)
    def imported_by(self, record: Any) -> str:
        return record.line.actor_label if record.line else ""

    @admin.display(description=_("source"), empty_value=history.NOTHING)
    def source(self, record: Any) -> str:
        return record.line.get_source_display() if record.line else ""

    @admin.display(description=_("contents"))
    def contents(self, record: Import) -> str:
        return _format_label(record.format)

    @admin.display(description=_("rows"))
    def summary(self, record: Import) -> str:
        totals = [(label, sum(one.get(name, 0) for one in record.counts.values())) for name, label in ACTIONS.items()]
        return ", ".join(f"{number} {label}" for label, number in reversed(totals) if number)

    @admin.display(description=_("rows"))
    def row_counts(self, record: Import) -> SafeString:
        names = {**dict(reversed(ACTIONS.items())), "unchanged": _("unchanged")}
        head = format_html_join("", '<th scope="col">{}</th>', ((label,) for label in names.values()))
        body = format_html_join(
            "",
            '<tr><th scope="row">{}</th>{}</tr>',
            (
                (label_of(table), format_html_join("", "<td>{}</td>", ((counts.get(name, 0),) for name in names)))
                for table, counts in record.counts.items()
            ),
        )
        table = '<table class="counts"><thead><tr><td></td>{}</tr></thead><tbody>{}</tbody></table>'
        return format_html(
            f'<div class="results" tabindex="0" role="region" aria-label="{{}}">{table}</div>', _("Rows"), head, body
        )

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        record = self.get_object(request, unquote(object_id))
        lines = Change.objects.visible_to(scope_of(request)).filter(import_id=record.pk)
        # The entry about the import itself repeats its page.
        changes = lines.exclude(object_type=self.opts.model_name).order_by("id")
        paginator = self.get_paginator(request, changes, self.list_per_page)
        page = paginator.get_page(request.GET.get(PAGE_VAR, 1))
        context = {
            **self.admin_site.each_context(request),
            "title": _history_title(record),
            "object": record,
            "opts": self.opts,
            "lines": history.entries(page.object_list, scope_of(request)),
            "names_objects": True,
            "zone": caller_zone(request),
            "page": page,
            **(extra_context or {}),
        }
        return TemplateResponse(request, "admin/object_history.html", context)

    # Upload. `limit_upload` must run before the CSRF check, which reads the body.

    def get_urls(self) -> list[URLPattern]:
        page = self.admin_site.admin_view
        return [
            path("plans/<str:plan_id>/", page(self.plan_view), name="hierarchy_import_plan"),
            path("plans/<str:plan_id>/errors/", page(self.errors_view), name="hierarchy_import_errors"),
            *super().get_urls(),
        ]

    @method_decorator(csrf_exempt)
    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None) -> Any:
        return self._add_view(limit_upload(request))

    @method_decorator(csrf_protect)
    def _add_view(self, request: HttpRequest) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = ImportForm(request, *form_data(request))
        if form.is_valid():
            try:
                plan = import_plan(caller_of(request), form.owner, form.content, form.request)
            except WRITE_ERRORS as error:
                form.add_error(None, error_message(error))
            else:
                return _to_plan(plan)
        waiting = ImportPlan.objects.visible_to(scope_of(request)).filter(applied_as=None)
        context = {
            "title": gettext("Import a file"),
            "form": form,
            "fields": [field for field in form if field.name not in MORE],
            "more": [form[name] for name in MORE],
            "is_more_open": any(form[name].value() or form[name].errors for name in MORE),
            "waiting": (
                waiting.select_related("customer")
                .defer("content", "steps", "findings")
                .annotate(error_count=F("findings__errorCount"))[:WAITING_SHOWN]
            ),
            "limit": max_megabytes(),
        }
        return self._page(request, "upload", context)

    # The plan: preview, apply, discard.

    @method_decorator(csrf_exempt)
    def plan_view(self, request: HttpRequest, plan_id: str) -> HttpResponse:
        return self._plan_view(limit_upload(request), plan_id)

    @method_decorator(csrf_protect)
    def _plan_view(self, request: HttpRequest, plan_id: str) -> HttpResponse:
        plan = _get_plan(request, plan_id)
        if plan.applied_as is not None:
            return _to_record(plan.applied_as)
        if request.method != "POST":
            return self._show(request, plan)
        answers: dict[str, Callable[[HttpRequest, ImportPlan], HttpResponse]] = {
            "apply": self._apply,
            "again": self._plan_again,
            "upload": self._upload_fixed_file,
            "discard": self._discard,
        }
        word = request.POST.get("answer", "")
        answer = answers.get(word)
        # A bulk change has no file that could be replaced.
        if answer is None or (word == "upload" and plan.format == FORMAT):
            raise BadRequest("Unknown answer to a plan.")
        return answer(request, plan)

    def _show(self, request: HttpRequest, plan: ImportPlan, **context: Any) -> HttpResponse:
        context |= {
            "title": plan.file_name,
            "plan": plan,
            "contents": _format_label(plan.format),
            "until": plan.expires_at,
        }
        edit = _edit(plan)
        if edit is not None:
            context |= {"edit": edit, "opts": tables()[edit.table].model._meta}
        if plan.findings["errorCount"]:
            return self._page(request, "errors", {**errors_context(plan), "form": FileForm(), **context})
        if edit is not None:
            scope = scope_of(request)
            context |= {"effects": effects_of(scope, edit), "only_visible": scope.is_restricted}
        return self._page(request, "plan", {**steps_context(plan, request.GET), **context})

    def _apply(self, request: HttpRequest, plan: ImportPlan) -> HttpResponse:
        caller = caller_of(request)
        try:
            with journal.recording(caller):
                # A second click waits for the lock, then finds the plan applied.
                plan = _get_plan(request, str(plan.pk), is_locked=True)
                edit = _edit(plan) if plan.applied_as is None else None
                record = plan.applied_as or import_apply(caller, plan)
        except WRITE_ERRORS as error:
            differences = [one.detail for one in error.errors] if isinstance(error, DomainError) else []
            answer = self._show(request, plan, refusal=error_message(error), differences=differences)
            answer.status_code = 409
            return answer
        done = {"file": record, "rows": self.summary(record)}
        if edit is None:
            self.message_user(request, gettext("Imported %(file)s: %(rows)s.") % done, messages.SUCCESS)
            return _to_record(record)
        address = reverse("admin:hierarchy_import_history", args=[quote(record.pk)])
        text = gettext("%(file)s. Done: %(rows)s.") % done
        link = format_html('{} <a href="{}">{}</a>', text, address, gettext("View the changes"))
        self.message_user(request, link, messages.SUCCESS)
        return HttpResponseRedirect(edit.back)

    def _plan_again(self, request: HttpRequest, plan: ImportPlan) -> HttpResponse:
        return self._replace(request, plan, zlib.decompress(plan.content), plan.file_name)

    def _upload_fixed_file(self, request: HttpRequest, plan: ImportPlan) -> HttpResponse:
        form = FileForm(*form_data(request))
        if not form.is_valid():
            return self._show(request, plan, form=form)
        return self._replace(request, plan, form.content, form.file_name)

    def _replace(self, request: HttpRequest, plan: ImportPlan, content: bytes, file_name: str) -> HttpResponse:
        """Create a plan with the same options, and delete the old one."""
        again = ImportRequest(file_name, plan.format, plan.table, plan.prune_site)
        try:
            fresh = import_plan(caller_of(request), plan.customer, content, again)
        except WRITE_ERRORS as error:
            self.message_user(request, error_message(error), messages.ERROR)
            return _to_plan(plan)
        plan.delete()
        return _to_plan(fresh)

    def _discard(self, request: HttpRequest, plan: ImportPlan) -> HttpResponse:
        edit = _edit(plan)
        plan.delete()
        if edit is not None:
            self.message_user(request, gettext("Nothing was changed."), messages.SUCCESS)
            return HttpResponseRedirect(edit.back)
        text = gettext("Nothing was imported. %(file)s was discarded.") % {"file": plan.file_name}
        self.message_user(request, text, messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:hierarchy_import_add"))

    def errors_view(self, request: HttpRequest, plan_id: str) -> HttpResponseBase:
        """Download the file with an added column of errors."""
        plan = _get_plan(request, plan_id)
        if plan.applied_as is not None:
            return _to_record(plan.applied_as)
        if plan.format == FORMAT:
            raise Http404
        name = PurePath(plan.file_name)
        try:
            return as_download(partial(annotated, plan), f"{name.stem} with errors{name.suffix}")
        except files.Unreadable as error:
            self.message_user(request, str(error), messages.ERROR)
            return _to_plan(plan)

    def _page(self, request: HttpRequest, name: str, context: Mapping[str, Any]) -> HttpResponse:
        whole = {**self.admin_site.each_context(request), "opts": self.opts, **context}
        return TemplateResponse(request, f"admin/hierarchy/import/{name}.html", whole)


def _get_plan(request: HttpRequest, plan_id: str, is_locked: bool = False) -> ImportPlan:
    plans = ImportPlan.objects.visible_to(scope_of(request)).select_related("customer", "applied_as").defer("content")
    if is_locked:
        plans = plans.select_for_update(of=("self",))
    plan: ImportPlan | None = plans.filter(pk=plan_id).first() if is_id(plan_id) else None
    if plan is None:
        raise Http404
    return plan


def _edit(plan: ImportPlan) -> Edit | None:
    """The edit of a bulk change; None for a plan of a file."""
    return Edit.unpacked(zlib.decompress(plan.content)) if plan.format == FORMAT else None


def _to_plan(plan: ImportPlan) -> HttpResponse:
    return HttpResponseRedirect(reverse("admin:hierarchy_import_plan", args=[plan.pk]))


def _to_record(record: Import) -> HttpResponse:
    return HttpResponseRedirect(reverse("admin:hierarchy_import_change", args=[quote(record.pk)]))


def _history_title(record: Import) -> str:
    is_edit = record.format == FORMAT
    text = gettext("Changes made by %(file)s") if is_edit else gettext("Changes made by the import of %(file)s")
    return text % {"file": record}


def _format_label(name: str) -> str:
    """The label of a format: the title of a register, or the file type of Chargetree tables."""
    register = formats().get(name)
    if name == FORMAT:
        return gettext("Bulk change")
    return str(register.title) if register else name.upper() or gettext("Chargetree tables")
