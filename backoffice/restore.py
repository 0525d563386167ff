"""Undo and restore: previews with conflicts, and the writes."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.http import urlencode
from django.utils.text import capfirst
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from backoffice import history
from backoffice.callers import WRITE_ERRORS, caller_of, error_message, scope_of
from backoffice.choices import is_id
from backoffice.forms import VERSION_MAX
from backoffice.times import caller_zone
from hierarchy import journal, restore
from hierarchy.entity import Entity
from hierarchy.errors import Conflict, DomainError, NotFound
from hierarchy.models import Change, Site
from hierarchy.object_history import kinds
from hierarchy.restore import Restoration

# The preview lists so many entries; the change log has all.
LINES_SHOWN = 50

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Any]
else:
    ModelAdmin = admin.ModelAdmin


class RestorePages(ModelAdmin):
    """Mixin with the undo and restore views of change log entries."""

    def get_urls(self) -> list[URLPattern]:
        pages = [
            path(
                f"<path:object_id>/{way}/",
                self.admin_site.admin_view(partial(self.restore_view, way=way)),
                name=f"hierarchy_change_{way}",
            )
            for way in restore.WAYS
        ]
        whole = self.admin_site.admin_view(self.undo_all_view)
        pages.append(path("<path:object_id>/undo-all/", whole, name="hierarchy_change_undo_all"))
        return [*pages, *super().get_urls()]

    def undo_all_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Preview and undo all changes of the same request or import."""
        change: Any = self.get_object(request, unquote(object_id))
        caller = caller_of(request)
        if not caller.scope.may_write_something:
            raise PermissionDenied
        lines = restore.step_of(caller.scope, change)
        is_too_much = len(lines) > restore.MOST_LINES
        conflict = ""
        if request.method == "POST" and lines and not is_too_much:
            without = {int(one) for one in request.POST.getlist("without") if is_id(one)}
            try:
                restore.write_step(caller, lines, without)
            except WRITE_ERRORS as error:
                conflict = error_message(error)
            else:
                count = len(lines) - len(without)
                text = ngettext("%(count)s change was undone.", "%(count)s changes were undone.", count)
                self.message_user(request, text % {"count": count}, messages.SUCCESS)
                return HttpResponseRedirect(reverse("admin:hierarchy_change_changelist"))
        refused = {} if is_too_much else restore.rehearse_step(caller, lines)
        zone = caller_zone(request)
        shown = history.entries(lines[:LINES_SHOWN], caller.scope, zone)
        whole = {
            **self.admin_site.each_context(request),
            "title": gettext("Undo related changes"),
            "opts": self.opts,
            "object": change,
            "lines": shown,
            "more": max(len(lines) - len(shown), 0),
            "count": len(lines) - len(refused),
            "total": len(lines),
            "most": restore.MOST_LINES if is_too_much else 0,
            "refused": [(line, error_message(refused[line.pk])) for line in lines if line.pk in refused],
            "only_visible": caller.scope.is_restricted,
            "conflict": conflict,
            "zone": zone,
            "back": f"{reverse('admin:hierarchy_change_changelist')}?{urlencode({'request': change.request_id})}",
        }
        return TemplateResponse(request, "admin/history/undo_all.html", whole, status=409 if conflict else 200)

    def restore_view(self, request: HttpRequest, object_id: str, way: str) -> HttpResponse:
        change: Any = self.get_object(request, unquote(object_id))
        if not scope_of(request).may_write_something:
            raise PermissionDenied
        conflict = ""
        if request.method == "POST":
            try:
                return self._write(request, change, way)
            except WRITE_ERRORS as error:
                conflict = error_message(error)
        return self._ask(request, change, way, conflict)

    def _ask(self, request: HttpRequest, change: Change, way: str, conflict: str) -> HttpResponse:
        try:
            found = restore.plan(scope_of(request), change, way)
        except NotFound as error:
            raise Http404 from error
        except DomainError as error:
            return self._page(request, change, way, {"refusal": error_message(error)}, conflict)
        if found is None:
            return HttpResponseRedirect(_url(kinds()[change.object_type], "delete", change.object_id))
        if isinstance(found.row, Site) and not found.is_new and [one.name for one in found.columns] == ["parent"]:
            # The move page previews who gains and loses access.
            return HttpResponseRedirect(_move_url(found))
        return self._page(request, change, way, self._shown(request, change, way, found), conflict)

    def _write(self, request: HttpRequest, change: Change, way: str) -> HttpResponse:
        found = restore.plan(scope_of(request), change, way)
        if found is None or found.refusal:
            raise Conflict(_("Nothing to change. Open the preview again."))
        if not found.is_new:
            version = request.POST.get("row_version", "")
            found.row.version = int(version) if is_id(version) and int(version) <= VERSION_MAX else 0
        restore.write(caller_of(request), found, request.POST.getlist("without"))
        text = (
            gettext("%(object)s was restored.")
            if found.is_new
            else gettext("%(object)s was restored to its earlier values.")
        )
        self.message_user(request, text % {"object": found.row.natural_key_text}, messages.SUCCESS)
        return HttpResponseRedirect(_url(type(found.row), "history", found.row.pk))

    def _shown(self, request: HttpRequest, change: Change, way: str, found: Restoration) -> dict[str, Any]:
        """The changes to write, and errors per row."""
        scope = scope_of(request)
        refused: dict[str, str] = {}
        if not found.refusal:
            # The rehearsal saves rows and needs a plan of its own.
            rehearsed = restore.plan(scope, change, way)
            if rehearsed is not None:
                errors = restore.rehearse(caller_of(request), rehearsed)
                refused = {name: error_message(error) for name, error in errors.items()}
        fields = {one.name: [one.now, one.then] for one in found.columns}
        shown = history.differences(change.object_type, fields, scope, caller_zone(request))
        columns = list(zip(shown, found.columns, strict=True))
        others = [(row, found.called[restore.name_of(row)]) for row in found.others]
        is_move = isinstance(found.row, Site) and not found.is_new and "parent" in fields
        return {
            "refusal": found.refusal or refused.pop(restore.name_of(found.row), ""),
            "columns": columns,
            "newer": [one.label for one, column in columns if column.is_newer],
            "kept": [history.label_of(change.object_type, name) for name in found.kept],
            "others": [_label(row, called) for row, called in others if restore.name_of(row) not in refused],
            "missing": [
                (_label(row, called), refused[restore.name_of(row)], restore.name_of(row))
                for row, called in others
                if restore.name_of(row) in refused
            ],
            "row": found.row,
            "is_new": found.is_new,
            "move": _move_url(found) if is_move else "",
        }

    def _page(self, request: HttpRequest, change: Any, way: str, shown: dict[str, Any], conflict: str) -> HttpResponse:
        title = gettext("Restore an earlier version of %(object)s")
        if way == restore.UNDO:
            is_gone = change.action == journal.DELETED
            title = gettext("Restore %(object)s") if is_gone else gettext("Undo a change to %(object)s")
        whole = {
            **self.admin_site.each_context(request),
            "title": title % {"object": change.natural_key},
            "opts": self.opts,
            "object": change,
            "the_line": [change.line],
            "back": change.line.url or history.change_log_url(change),
            "zone": caller_zone(request),
            "way": way,
            "conflict": "" if shown["refusal"] else conflict,
            **shown,
        }
        return TemplateResponse(request, "admin/history/restore.html", whole, status=409 if conflict else 200)


def _label(row: Entity, name: str) -> str:
    return f"{capfirst(str(row._meta.verbose_name))}: {name}"


def _url(model: type[Entity], page: str, pk: int) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=[pk])


def _move_url(found: Restoration) -> str:
    """The URL of the move page with the earlier parent site."""
    parent_id = found.row.parent_id  # type: ignore[attr-defined]
    return f"{reverse('admin:hierarchy_site_move', args=[found.row.pk])}?to={parent_id or 'top'}"
