"""The ModelAdmins of drivers, tags, rights and external IDs, with their inlines and filters."""

from collections.abc import Iterable
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Exists, OuterRef, Q
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from backoffice import history
from backoffice.actions import COMMON
from backoffice.callers import scope_of
from backoffice.entities import EntityAdmin, EntityInline
from backoffice.filters import CustomerFilter, QuestionFilter, WithinFilter
from backoffice.scoped import path_labels
from drivers.admin.actions import DRIVER_ACTIONS, TAG_ACTIONS
from drivers.admin.driver_pages import DriverPages
from drivers.models import ChargerRight, Driver, IntegratedExternalId, SiteRight, Tag
from drivers.selectors import (
    Validity,
    expired,
    expiring,
    validity,
    with_validity,
    without_rights,
)
from hierarchy.scoping import Scope

# How many tags of a driver the list of drivers shows.
MAX_TAGS = 4


class RightsFilter(QuestionFilter):
    title = _("rights")
    parameter_name = "rights"
    answers: ClassVar[dict[str, Any]] = {"some": _("With rights"), "none": _("Without rights")}

    def narrow(self, rows: Any, answer: str, scope: Scope) -> Any:
        return rows.filter(without_rights(scope) if answer == "none" else ~without_rights(scope))


class TagsFilter(QuestionFilter):
    title = _("tags")
    parameter_name = "tags"
    answers: ClassVar[dict[str, Any]] = {"some": _("With tags"), "none": _("Without tags")}

    def narrow(self, rows: Any, answer: str, scope: Scope) -> Any:
        has_some = Exists(Tag.objects.filter(driver=OuterRef("pk")).order_by())
        return rows.filter(has_some if answer == "some" else ~has_some)


class HomeFilter(QuestionFilter):
    title = _("home site")
    parameter_name = "home"
    answers: ClassVar[dict[str, Any]] = {"some": _("Set"), "none": _("Not set")}

    def narrow(self, rows: Any, answer: str, scope: Scope) -> Any:
        return rows.filter(home_site__isnull=answer == "none")


class ValidityFilter(QuestionFilter):
    title = _("validity")
    parameter_name = "expires"
    answers: ClassVar[dict[str, Any]] = {
        "valid": _("Valid"),
        "soon": _("Expires within 30 days"),
        "not-yet": _("Not yet valid"),
        "past": _("Expired"),
    }

    def narrow(self, rows: Any, answer: str, scope: Scope) -> Any:
        begun = Q(starts_at=None) | Q(starts_at__lte=timezone.now())
        conditions = {"valid": begun & ~expired(), "soon": expiring(), "not-yet": ~begun, "past": expired()}
        return rows.filter(conditions[answer])


def shown_validity(state: Validity) -> SafeString:
    return format_html('<span class="validity validity-{}">{}</span>', state.value, state.label)


class ValidityColumn:
    """A column and read-only field with the validity of a tag as text and as an icon."""

    @admin.display(description=_("state"))
    def state(self, tag: Tag) -> SafeString | str:
        return history.NOTHING if tag.pk is None else shown_validity(validity(tag, timezone.now()))


class TagInline(ValidityColumn, EntityInline):
    model = Tag
    fields = ("id_tag", "token_name", "starts_at", "expires_at", "is_invoicable", "state")
    readonly_fields = ("state",)
    ordering = ("token_name", "id_tag_key", "pk")


class SiteRightInline(EntityInline):
    model = SiteRight
    fields = ("site",)
    references = ("site",)


class ChargerRightInline(EntityInline):
    model = ChargerRight
    fields = ("charger",)
    references = ("charger",)


class ExternalIdInline(EntityInline):
    model = IntegratedExternalId
    fields = ("reference_type", "reference_id", "external_id", "effective_from")


@admin.register(Driver)
class DriverAdmin(DriverPages):
    fields = ("name", "home_site", "external_id", "payer_id")
    inlines = (TagInline, SiteRightInline, ChargerRightInline, ExternalIdInline)
    list_display = ("name", "place", "tag_list", "external_id")
    list_filter = (WithinFilter, RightsFilter, TagsFilter, HomeFilter)
    search_fields = ("name_key__contains", "external_id_key__contains", "tags__id_tag_key__contains")
    search_help_text = _("Name, external ID or ID tag")
    is_in_global_search = True
    search_links = ((_("Accessible chargers"), "drivers_driver_reach"),)
    chooses_customer = True
    references = ("home_site",)
    site_attribute = "home_site_id"
    actions = DRIVER_ACTIONS

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("tags")

    @admin.display(description=_("tags"))
    def tag_list(self, driver: Driver) -> SafeString | str:
        tags = with_validity(driver.tags.all())
        shown = format_html_join(
            "",
            '<span class="line">{} {}</span> ',
            ((tag.id_tag, shown_validity(state)) for tag, state in tags[:MAX_TAGS]),
        )
        if len(tags) > MAX_TAGS:
            more = gettext("and %(count)s more") % {"count": len(tags) - MAX_TAGS}
            shown = format_html('{} <span class="quiet">{}</span>', shown, more)
        return shown or history.NOTHING

    def choice_labels(self, request: HttpRequest, rows: Iterable[Any]) -> dict[int, str]:
        drivers = list(rows)
        paths = path_labels(scope_of(request), [driver.home_site_id for driver in drivers])
        return {
            driver.pk: f"{driver} ({paths[driver.home_site_id]})" if driver.home_site_id in paths else str(driver)
            for driver in drivers
        }


@admin.register(Tag)
class TagAdmin(ValidityColumn, EntityAdmin):
    fields = ("id_tag", "driver", "token_name", "starts_at", "expires_at", "is_invoicable", "state")
    readonly_fields = ("state",)
    list_display = ("id_tag", "state", "token_name", "driver", "place", "starts_at", "expires_at")
    list_filter = (WithinFilter, ValidityFilter, "is_invoicable")
    search_fields = ("id_tag_key__contains", "token_name__icontains", "driver__name_key__contains")
    search_help_text = _("ID tag, label or driver")
    is_in_global_search = True
    ordering = ("id_tag_key", "pk")
    references = ("driver",)
    site_attribute = "driver.home_site_id"
    actions = TAG_ACTIONS


@admin.register(SiteRight)
class SiteRightAdmin(EntityAdmin):
    fields = ("driver", "site")
    list_display = ("driver", "place")
    list_display_links = ("driver", "place")
    list_filter = (WithinFilter,)
    search_fields = ("driver__name_key__contains", "site__name_key__contains")
    search_help_text = _("Driver or site")
    ordering = ("driver__name_key", "pk")
    references = ("driver", "site")
    site_attribute = "site_id"
    actions = COMMON


@admin.register(ChargerRight)
class ChargerRightAdmin(EntityAdmin):
    fields = ("driver", "charger")
    list_display = ("driver", "charger", "place")
    list_display_links = ("driver", "charger")
    list_filter = (WithinFilter,)
    search_fields = ("driver__name_key__contains", "charger__charger_id_key__contains")
    search_help_text = _("Driver or charger ID")
    ordering = ("driver__name_key", "pk")
    references = ("driver", "charger")
    site_attribute = "charger.site_id"
    actions = COMMON


@admin.register(IntegratedExternalId)
class IntegratedExternalIdAdmin(EntityAdmin):
    fields = ("driver", "reference_type", "reference_id", "external_id", "effective_from")
    list_display = ("external_id", "reference_id", "reference_type", "driver", "place", "effective_from")
    list_filter = (WithinFilter, "reference_type", CustomerFilter)
    search_fields = ("external_id__icontains", "reference_id__icontains", "driver__name_key__contains")
    search_help_text = _("External ID, reference ID or driver")
    is_in_global_search = True
    ordering = ("external_id", "pk")
    references = ("driver",)
    site_attribute = "driver.home_site_id"
    zone_attribute = "driver.home_site_id"
    actions = COMMON
