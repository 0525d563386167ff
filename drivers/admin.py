"""The admin's pages of drivers, tags, rights and external ids."""

from collections.abc import Iterable
from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from drivers.models import ChargerRight, Driver, IntegratedExternalId, SiteRight, Tag
from drivers.selectors import expired, expiring, without_rights
from hierarchy.admin import history
from hierarchy.admin.callers import scope_of
from hierarchy.admin.entities import EntityAdmin, EntityInline, places
from hierarchy.admin.filters import QuestionFilter
from hierarchy.scoping import Scope


class RightsFilter(QuestionFilter):
    title = _("rights")
    parameter_name = "rights"
    answers: ClassVar[dict[str, Any]] = {"some": _("Some"), "none": _("None")}

    def narrow(self, rows: Any, answer: str, scope: Scope) -> Any:
        return rows.filter(without_rights(scope) if answer == "none" else ~without_rights(scope))


class ExpiryFilter(QuestionFilter):
    title = _("valid to")
    parameter_name = "expires"
    answers: ClassVar[dict[str, Any]] = {"soon": _("Within 30 days"), "past": _("Expired")}

    def narrow(self, rows: Any, answer: str, scope: Scope) -> Any:
        return rows.filter(expiring() if answer == "soon" else expired())


class TagInline(EntityInline):
    model = Tag
    fields = ("id_tag", "token_name", "starts_at", "expires_at", "is_invoicable")


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
class DriverAdmin(EntityAdmin):
    fields = ("name", "home_site", "external_id", "payer_id")
    inlines = (TagInline, SiteRightInline, ChargerRightInline, ExternalIdInline)
    list_display = ("name", "place", "tag_list", "external_id")
    list_filter = (RightsFilter,)
    search_fields = ("name_key__contains", "external_id_key__contains", "tags__id_tag_key__contains")
    search_help_text = _("Name, external id or id tag")
    chooses_customer = True
    references = ("home_site",)
    place_attribute = "home_site_id"

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("tags")

    @admin.display(description=_("tags"), empty_value=history.NOTHING)
    def tag_list(self, driver: Driver) -> str:
        return ", ".join(tag.id_tag for tag in driver.tags.all())

    def choice_labels(self, request: HttpRequest, rows: Iterable[Any]) -> dict[int, str]:
        drivers = list(rows)
        paths = places(scope_of(request), [driver.home_site_id for driver in drivers])
        return {
            driver.pk: f"{driver} ({paths[driver.home_site_id]})" if driver.home_site_id in paths else str(driver)
            for driver in drivers
        }


@admin.register(Tag)
class TagAdmin(EntityAdmin):
    fields = ("id_tag", "driver", "token_name", "starts_at", "expires_at", "is_invoicable")
    list_display = ("id_tag", "token_name", "driver", "place", "starts_at", "expires_at", "is_invoicable")
    list_filter = (ExpiryFilter, "is_invoicable")
    search_fields = ("id_tag_key__contains", "token_name__icontains", "driver__name_key__contains")
    search_help_text = _("Id tag, label or driver")
    ordering = ("id_tag_key", "pk")
    references = ("driver",)
    place_attribute = "driver.home_site_id"


@admin.register(SiteRight)
class SiteRightAdmin(EntityAdmin):
    fields = ("driver", "site")
    list_display = ("driver", "place")
    list_display_links = ("driver", "place")
    search_fields = ("driver__name_key__contains", "site__name_key__contains")
    search_help_text = _("Driver or site")
    ordering = ("driver__name_key", "pk")
    references = ("driver", "site")
    place_attribute = "site_id"


@admin.register(ChargerRight)
class ChargerRightAdmin(EntityAdmin):
    fields = ("driver", "charger")
    list_display = ("driver", "charger", "place")
    list_display_links = ("driver", "charger")
    search_fields = ("driver__name_key__contains", "charger__charger_id_key__contains")
    search_help_text = _("Driver or charger id")
    ordering = ("driver__name_key", "pk")
    references = ("driver", "charger")
    place_attribute = "charger.site_id"


@admin.register(IntegratedExternalId)
class IntegratedExternalIdAdmin(EntityAdmin):
    fields = ("driver", "reference_type", "reference_id", "external_id", "effective_from")
    list_display = ("external_id", "reference_id", "reference_type", "driver", "effective_from")
    list_filter = ("reference_type",)
    search_fields = ("external_id__icontains", "reference_id__icontains", "driver__name_key__contains")
    search_help_text = _("External id, reference id or driver")
    ordering = ("external_id", "pk")
    references = ("driver",)
