"""The ModelAdmins of customers and sites."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from backoffice import history
from backoffice.callers import scope_of
from backoffice.choices import EntityChoiceField, is_id
from backoffice.entities import EntityAdmin
from backoffice.filters import QuestionFilter, WithinFilter
from backoffice.forms import EntityForm
from backoffice.scoped import PATH_SEPARATOR, path_labels
from chargers.selectors import without_chargers
from hierarchy.admin.site_actions import ACTIONS
from hierarchy.admin.tree_page import SiteTreeAdmin
from hierarchy.models import Customer, Site
from hierarchy.scoping import Scope
from hierarchy.selectors import site_paths

# The deepest indentation in the list of sites; the next column shows the full path.
INDENTED_LEVELS = 8


class ChargersFilter(QuestionFilter):
    title = _("chargers")
    parameter_name = "chargers"
    answers: ClassVar[dict[str, Any]] = {"none": _("No chargers and no subsites")}

    def narrow(self, rows: Any, answer: str, scope: Scope) -> Any:
        return rows.filter(without_chargers())


class SiteForm(EntityForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        parent = self.fields.get("parent")
        if isinstance(parent, EntityChoiceField) and parent.queryset is not None and not self.instance._state.adding:
            site = Site.objects.get(pk=self.instance.pk)
            parent.queryset = parent.queryset.exclude(pk__in=Site.objects.at_or_below(site).order_by().values("pk"))
            parent.error_messages["invalid_choice"] = _(
                "Not found, not accessible to you, or in the site's own subtree. Choose another site."
            )
            select: Any = parent.widget
            getattr(select, "widget", select).outside_of = site.pk


@admin.register(Site)
class SiteAdmin(SiteTreeAdmin):
    form = SiteForm
    fieldsets = (
        (None, {"fields": ("name", "parent", "group_type", "public_name", "time_zone")}),
        (
            _("Other systems and accounts"),
            {"fields": ("external_id", "cost_id", "cost_name", "payer_id", "payment_recipient_id")},
        ),
    )
    list_display = ("indented_name", "path", "group_type", "external_id")
    list_filter = (WithinFilter, ChargersFilter, "group_type")
    search_fields = ("name_key__contains", "external_id_key__contains", "public_name__icontains")
    search_help_text = _("Name, public name or external ID")
    is_in_global_search = True
    chooses_customer = True
    zone_attribute = "pk"
    actions = ACTIONS
    deletion_note = _(
        "All charging rights and site access on a site are deleted with it, including those you cannot see."
    )

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)
        if obj is not None and not self.has_change_permission(request, obj):
            # The parent of a read-only site may not be accessible, so show the accessible path.
            first = fieldsets[0][1]
            first["fields"] = ["path" if name == "parent" else name for name in first["fields"]]
        return fieldsets

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return [*super().get_readonly_fields(request, obj), "path"]

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        site = super().get_object(request, object_id, from_field)
        self.complete_page(request, [site])
        return site

    def site_of(self, row: Any) -> int | None:
        return row.parent_id

    def complete_page(self, request: HttpRequest, rows: list[Any]) -> None:
        paths = site_paths({row.pk for row in rows}, scope_of(request))
        for row in rows:
            row.shown_path = paths.get(row.pk, (row.name,))

    @admin.display(description=_("name"), ordering="name_key")
    def indented_name(self, site: Any) -> SafeString:
        level = min(len(site.shown_path) - 1, INDENTED_LEVELS)
        return format_html('<span class="tree-level-{}">{}</span>', level, site.name)

    @admin.display(description=_("parent site"))
    def path(self, site: Any) -> str:
        return PATH_SEPARATOR.join(site.shown_path[:-1]) or history.NOTHING

    def choice_labels(self, request: HttpRequest, rows: Iterable[Any]) -> dict[int, str]:
        sites = list(rows)
        scope = scope_of(request)
        paths = path_labels(scope, [site.pk for site in sites])
        labels = {site.pk: paths.get(site.pk, site.name) for site in sites}
        if scope.is_platform:
            customers = Customer.objects.visible_to(scope).in_bulk({site.customer_id for site in sites})
            labels = {site.pk: f"{customers[site.customer_id]}: {labels[site.pk]}" for site in sites}
        return labels

    def filter_choices(self, request: HttpRequest, queryset: Any) -> Any:
        moved = request.GET.get("outside_of", "")
        site = Site.objects.visible_to(scope_of(request)).filter(pk=moved).first() if is_id(moved) else None
        if site is None:
            return queryset
        own = Site.objects.at_or_below(site).order_by().values("pk")
        return queryset.exclude(pk__in=own).filter(customer_id=site.customer_id)


@admin.register(Customer)
class CustomerAdmin(EntityAdmin):
    fields = ("name", "time_zone")
    list_display = ("name", "time_zone")
    search_fields = ("name_key__contains",)
    search_help_text = _("Name")
    is_in_global_search = True

    def is_writer(self, scope: Scope) -> bool:
        return scope.is_platform
