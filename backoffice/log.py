"""The admin of the change log: list, search and filters."""

from __future__ import annotations

import datetime
import json
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.contrib import admin
from django.contrib.admin.views.main import PAGE_VAR, SEARCH_VAR
from django.core.exceptions import ValidationError
from django.core.paginator import Page, Paginator
from django.db.models import Q, TextField
from django.db.models.functions import Cast
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.html import format_html_join
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from backoffice import history
from backoffice.callers import scope_of
from backoffice.choices import is_id
from backoffice.error_pages import UnknownFilter
from backoffice.restore import RestorePages
from backoffice.scoped import ScopedAdmin, ScopedChangeList
from backoffice.times import caller_zone
from hierarchy.models import ACTIONS, SOURCES, Change, Site
from hierarchy.object_history import kinds
from hierarchy.scoping import Scope

# Unindexed filters scan at most so many entries; a link continues from there.
WINDOW = 250_000
# The paginator stops here; dates and filters reach older entries.
MAX_COUNTED = 5_000

# Ids and times of entries may differ in order by as much, because transactions overlap.
_OVERLAP = datetime.timedelta(hours=1)

TODAY, CHOSEN = "today", "chosen"
SPANS = {TODAY: _("Today"), "7": _("Last 7 days"), "30": _("Last 30 days"), CHOSEN: _("Custom period")}


def _kinds() -> list[tuple[str, Any]]:
    named = {name: capfirst(str(model._meta.verbose_name)) for name, model in kinds().items()}
    return [("", _("All")), *sorted(named.items(), key=lambda pair: pair[1])]


def _line(**kwargs: Any) -> forms.CharField:
    return forms.CharField(required=False, max_length=320, **kwargs)


class ChangeFilterForm(forms.Form):
    """The filters of the change log. Hidden fields are set by links."""

    q = _line(label=_("Search"), widget=forms.TextInput(attrs={"type": "search"}))
    kind = forms.ChoiceField(label=_("Object type"), choices=_kinds, required=False)
    action = forms.ChoiceField(label=_("Action"), choices=[("", _("All")), *ACTIONS], required=False)
    road = forms.ChoiceField(label=_("Source"), choices=[("", _("All")), *SOURCES], required=False)
    who = _line(label=_("Changed by"))
    span = forms.ChoiceField(label=_("Period"), choices=[("", _("Any time")), *SPANS.items()], required=False)
    since = forms.DateField(label=_("From"), required=False, widget=forms.DateInput(attrs={"type": "date"}))
    until = forms.DateField(label=_("To"), required=False, widget=forms.DateInput(attrs={"type": "date"}))
    request = _line(label=_("Request"), widget=forms.HiddenInput())
    import_id = _line(label=_("Import"), widget=forms.HiddenInput())
    object = _line(label=_("Object"), widget=forms.HiddenInput())
    before = _line(label=_("Before entry"), widget=forms.HiddenInput())

    def __init__(self, given: QueryDict, scope: Scope, zone: ZoneInfo, sites: forms.ModelChoiceField[Any]) -> None:
        super().__init__({name: str(value).replace("\0", " ") for name, value in given.items()}, auto_id="log_%s")
        self.scope, self.zone = scope, zone
        self.fields["site"] = sites
        self.lowest = 0

    def clean_object(self) -> tuple[str, int] | None:
        kind, _dot, pk = self.cleaned_data["object"].rpartition(".")
        if not self.cleaned_data["object"]:
            return None
        if kind not in kinds() or not is_id(pk):
            raise ValidationError(_("Not an object. Follow a link to the object instead."))
        return kind, int(pk)

    def clean_import_id(self) -> int | None:
        return self._id("import_id")

    def clean_before(self) -> int | None:
        return self._id("before")

    def _id(self, name: str) -> int | None:
        value = self.cleaned_data[name]
        if value and not is_id(value):
            raise ValidationError(_("Not a number. Follow a link to it instead."))
        return int(value) if value else None

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        since, until = cleaned.get("since"), cleaned.get("until")
        if since and until and since > until:
            self.add_error("until", _("This is before the first day. Choose a later date."))
        return cleaned

    @cached_property
    def period(self) -> tuple[datetime.datetime | None, datetime.datetime | None]:
        """The first time and the excluded end of the chosen days in the zone."""
        chosen = self.cleaned_data.get("span")
        today = timezone.now().astimezone(self.zone).date()
        since, until = self.cleaned_data.get("since"), self.cleaned_data.get("until")
        if chosen == TODAY:
            since, until = today, None
        elif chosen and chosen != CHOSEN:
            since, until = today - datetime.timedelta(days=int(chosen) - 1), None
        return self._midnight(since), self._midnight(until, 1)

    def _midnight(self, day: datetime.date | None, days: int = 0) -> datetime.datetime | None:
        if day is None:
            return None
        try:
            midnight = datetime.datetime.combine(day + datetime.timedelta(days=days), datetime.time(), self.zone)
            at = midnight.astimezone(datetime.UTC)
            # No limit near the minimum and maximum datetime.
            return at if at - _OVERLAP < at + _OVERLAP else None
        except OverflowError:
            return None

    def filter(self, changes: Any) -> Any:
        """The `changes` that match, within the window if it applies."""
        filters = self.cleaned_data
        columns = {
            "object_type": filters.get("kind"),
            "action": filters.get("action"),
            "source": filters.get("road"),
            "request_id": filters.get("request"),
            "import_id": filters.get("import_id"),
            "actor_label__icontains": filters.get("who"),
        }
        changes = changes.filter(**{name: value for name, value in columns.items() if value})
        if filters.get("site"):
            part = f"/{filters['site'].pk}/"
            changes = changes.filter(Q(site_path__contains=part) | Q(from_path__contains=part))
        if filters.get("object"):
            changes = changes.filter(object_type=filters["object"][0], object_id=filters["object"][1])
        if filters.get(SEARCH_VAR):
            changes = self._search(changes, filters[SEARCH_VAR])
        since, until = self.period
        if since:
            changes = changes.filter(at__gte=since, pk__gte=_first_line(since - _OVERLAP))
        if until:
            changes = changes.filter(at__lt=until, pk__lt=_first_line(until + _OVERLAP))
        if filters.get("before"):
            changes = changes.filter(pk__lt=filters["before"])
        if self.is_scanning:
            self.lowest = max((filters.get("before") or _last_line() + 1) - WINDOW, 0)
            changes = changes.filter(pk__gte=self.lowest)
        return changes

    def _search(self, changes: Any, text: str) -> Any:
        found = Q(natural_key__icontains=text) | Q(request_id=text)
        if not self.is_column(text):
            found |= Q(values_text__icontains=json.dumps(text, ensure_ascii=False)[1:-1])
        if self.scope.is_restricted:
            found &= Q(request_id=text) | self._without_departures()
        return changes.alias(values_text=Cast("fields", TextField())).filter(found)

    def _without_departures(self) -> Q:
        """The condition that excludes moves out of the accessible sites: a search could reveal hidden values."""
        stayed = Q(from_path=None)
        for site_id in self.scope.root_ids:
            stayed |= Q(site_path__contains=f"/{site_id}/")
        return stayed

    @staticmethod
    def is_column(text: str) -> bool:
        """Whether the text is part of a column name, which would match entries regardless of their values."""
        return any(text.casefold() in field.name for model in kinds().values() for field in model.journaled_fields())

    @property
    def is_scanning(self) -> bool:
        """Whether no index applies, so that the database scans entries one by one."""
        filters = self.cleaned_data
        if any(filters.get(name) for name in ("object", "request", "import_id")):
            return False
        columns = ("q", "who", "kind", "action", "road", "site")
        return self.scope.is_restricted or any(filters.get(name) for name in columns)


def _first_line(at: datetime.datetime) -> int:
    """The id of the first entry at or after a time, or a maximum if there is none."""
    rows = Change.objects.order_by("at").filter(at__gte=at)
    first: int | None = rows.values_list("pk", flat=True).first()
    return 2**63 - 1 if first is None else first


def _last_line() -> int:
    last: int | None = Change.objects.order_by("-pk").values_list("pk", flat=True).first()
    return last or 0


class CappedPaginator(Paginator):  # type: ignore[type-arg]
    """Counts up to a limit, and runs the filtered query once."""

    object_list: Any

    @cached_property
    def ids(self) -> list[int]:
        return list(self.object_list.values_list("pk", flat=True)[:MAX_COUNTED])

    @cached_property
    def count(self) -> int:
        return len(self.ids)

    def page(self, number: Any) -> Page[Any]:
        number = self.validate_number(number)
        ids = self.ids[(number - 1) * self.per_page : number * self.per_page]
        return Page(list(self.object_list.filter(pk__in=ids)), number, self)


class ChangeLogList(ScopedChangeList):
    """One page of the change log, filtered by the form above it."""

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(request, *args, **kwargs)
        self.title = gettext("Change log")

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> Any:
        page: Any = self.model_admin
        parent = Site._meta.get_field("parent")
        sites = page.formfield_for_foreignkey(parent, request, label=_("Site"), required=False)
        self.filter_form = ChangeFilterForm(request.GET, scope_of(request), caller_zone(request), sites)
        for name in self.get_filters_params().keys() - self.filter_form.fields.keys():
            raise UnknownFilter(self.model, name)
        changes = self.root_queryset.order_by("-id")
        return self.filter_form.filter(changes) if self.filter_form.is_valid() else changes.none()

    def get_results(self, request: HttpRequest) -> None:
        paginator = self.model_admin.get_paginator(request, self.queryset, self.list_per_page)
        page = paginator.get_page(self.page_num)
        self.paginator, self.page_num, self.result_count = paginator, page.number, paginator.count
        self.result_list, self.full_result_count = page.object_list, None
        self.show_admin_actions = self.can_show_all = False
        self.multi_page = paginator.num_pages > 1
        self.lines = history.entries(page.object_list, scope_of(request), self.filter_form.zone)
        self.is_capped = paginator.count == MAX_COUNTED

    @property
    def choices(self) -> list[forms.BoundField]:
        return [self.filter_form[name] for name in ("kind", "action", "road", "who", "site", "span")]

    @property
    def pages(self) -> list[tuple[Any, str]]:
        """Page numbers with their URLs; empty for the current page and for gaps."""
        numbers = self.paginator.get_elided_page_range(self.page_num)
        return [
            (one, self.get_query_string({PAGE_VAR: one}) if isinstance(one, int) and one != self.page_num else "")
            for one in numbers
        ]

    @property
    def chips(self) -> list[tuple[Any, str, str]]:
        """Active filters without a visible field: label, value, and the URL without it."""
        filters = self.filter_form.cleaned_data if self.filter_form.is_valid() else {}
        shown = {
            "object": self.lines[0].change.natural_key if self.lines else self.filter_form.data.get("object", ""),
            "request": filters.get("request"),
            "import_id": filters.get("import_id") and (self.lines[0].record if self.lines else filters["import_id"]),
            "before": filters.get("before"),
        }
        return [
            (self.filter_form.fields[name].label, str(shown[name]), self.get_query_string(remove=[name, PAGE_VAR]))
            for name in shown
            if filters.get(name)
        ]

    @property
    def undo_all(self) -> str:
        """The URL to undo all listed changes, if they belong to one request or import."""
        filters = self.filter_form.cleaned_data if self.filter_form.is_valid() else {}
        is_step = filters.get("request") or filters.get("import_id")
        if not (is_step and self.lines and self.filter_form.scope.may_write_something):
            return ""
        return reverse("admin:hierarchy_change_undo_all", args=[self.lines[0].change.pk])

    @property
    def older(self) -> str:
        """The URL of older entries, if the list is cut off at a limit."""
        if self.is_capped and self.result_list and self.page_num == self.paginator.num_pages:
            return str(self.get_query_string({"before": self.result_list[-1].pk}, [PAGE_VAR]))
        if self.filter_form.lowest and not self.is_capped:
            return str(self.get_query_string({"before": self.filter_form.lowest}, [PAGE_VAR]))
        return ""

    @property
    def is_filtered(self) -> bool:
        return bool(self.get_query_string(remove=[PAGE_VAR]).strip("?"))

    @property
    def searches_names_only(self) -> bool:
        """Whether only names were searched, not values."""
        text = self.filter_form.is_valid() and self.filter_form.cleaned_data.get(SEARCH_VAR)
        return bool(text and self.filter_form.is_column(text))


@admin.register(Change)
class ChangeAdmin(RestorePages, ScopedAdmin):
    """Read-only admin of change log entries."""

    fields = ("at", "actor_label", "source", "request_id", "action", "kind", "natural_key", "differences")
    readonly_fields = fields
    list_display = ("natural_key",)
    paginator = CappedPaginator
    sortable_by = ()
    actions = None

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        """The form above the list replaces them."""
        return []

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ScopedChangeList]:
        return ChangeLogList

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        change = super().get_object(request, object_id, from_field)
        change.line = history.entries([change], scope_of(request), caller_zone(request))[0]
        return change

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Entries have no history."""
        raise Http404

    @admin.display(description=_("object type"))
    def kind(self, change: Change) -> str:
        return history.kind_of(change)

    @admin.display(description=_("changes"))
    def differences(self, change: Any) -> str:
        return format_html_join(
            "", "<div>{}: {} → {}</div>", ((one.label, one.old, one.new) for one in change.line.differences)
        )
