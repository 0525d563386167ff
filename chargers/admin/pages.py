"""The ModelAdmins of chargers, sockets and configurations, with their forms, inlines and filters."""

from collections.abc import Iterable
from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.widgets import AdminTextareaWidget
from django.db import models
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from backoffice.actions import COMMON
from backoffice.callers import scope_of
from backoffice.entities import EntityAdmin, EntityInline
from backoffice.filters import CustomerFilter, QuestionFilter, ValueFilter, WithinFilter
from backoffice.forms import EntityForm
from backoffice.scoped import path_labels
from chargers.admin.actions import ACTIONS
from chargers.admin.charger_pages import ChargerPages
from chargers.forms import LinesField, PropertiesField
from chargers.models import Charger, ChargerConfiguration, Socket
from chargers.rollup import CHARGING, ERROR, OFFLINE, ONLINE, STATES, charger_states, socket_states
from chargers.selectors import unseen
from hierarchy.scoping import Scope


class StatusColumn:
    """A column and read-only field with the status as text and as an icon."""

    @admin.display(description=_("status"), ordering="status")
    def status_mark(self, row: Any) -> SafeString:
        return format_html('<span class="status status-{}">{}</span>', row.status.lower(), row.get_status_display())


class HealthFilter(QuestionFilter):
    """By health, as counted on the home page. Charging sockets are online too."""

    title = _("health")
    parameter_name = "health"
    answers: ClassVar[dict[str, Any]] = dict(reversed(STATES.values()))
    _states: ClassVar[dict[str, tuple[int, ...]]] = {
        "online": (ONLINE, CHARGING),
        "charging": (CHARGING,),
        "offline": (OFFLINE,),
        "error": (ERROR,),
    }

    def narrow(self, rows: Any, answer: str, scope: Scope) -> Any:
        states = charger_states() if rows.model is Charger else socket_states()
        return rows.alias(state=states).filter(state__in=self._states[answer])


class UnseenFilter(QuestionFilter):
    title = _("last seen")
    parameter_name = "seen"
    answers: ClassVar[dict[str, Any]] = {
        "not-for-a-day": _("More than a day ago, or never"),
        "within-a-day": _("Within the last day"),
    }

    def narrow(self, rows: Any, answer: str, scope: Scope) -> Any:
        return rows.filter(unseen() if answer == "not-for-a-day" else ~unseen())


class ManufacturerFilter(ValueFilter):
    title = _("manufacturer")
    parameter_name = column = "manufacturer"
    below = "model"


class ModelFilter(ValueFilter):
    """Models of the chosen manufacturer."""

    title = _("model")
    parameter_name = column = "model"
    above = "manufacturer"


class TypeFilter(ValueFilter):
    title = _("type")
    parameter_name = column = "type"


class ChargerForm(EntityForm):
    capabilities = LinesField(
        label=_("Capabilities"), required=False, help_text=_("One per line, for example REMOTE_START_STOP_CAPABLE.")
    )
    integration_relays = LinesField(label=_("Integration relays"), required=False, help_text=_("One per line."))
    custom_properties = PropertiesField(
        label=_("Custom properties"), required=False, help_text=_("One per line, for example: owner = City")
    )


class SocketInline(StatusColumn, EntityInline):
    model = Socket
    fields = (
        "number",
        "name",
        "type",
        "format",
        "power_type",
        "max_power_w",
        "max_voltage_v",
        "max_current_a",
        "status_mark",
    )
    readonly_fields = ("status_mark",)
    show_change_link = True
    ordering = ("number",)


class ConfigurationInline(EntityInline):
    model = ChargerConfiguration
    fields = ("name", "value", "can_be_changed")
    ordering = ("name_key",)
    formfield_overrides: ClassVar[Any] = {
        **EntityInline.formfield_overrides,
        # Most values are short; CSS lets longer ones grow.
        models.TextField: {"widget": AdminTextareaWidget(attrs={"rows": 1})},
    }


@admin.register(Charger)
class ChargerAdmin(StatusColumn, ChargerPages):
    form = ChargerForm
    inlines = (SocketInline, ConfigurationInline)
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("charger_id", "name"),
                    "site",
                    ("evse_id", "physical_reference"),
                    "is_evse_split_by_socket",
                )
            },
        ),
        (
            _("Location"),
            {
                "fields": (
                    ("latitude", "longitude"),
                    ("street_address", "street_number", "house_letter"),
                    ("postal_number", "city"),
                    ("area", "country"),
                )
            },
        ),
        (
            _("Hardware"),
            {
                "fields": (
                    ("manufacturer", "model", "serial_number"),
                    "commissioned_on",
                    ("iccid", "imsi"),
                    ("meter_type", "meter_serial_number"),
                )
            },
        ),
        (
            _("Capabilities and integration"),
            {
                "fields": (
                    "capabilities",
                    "integration_relays",
                    "is_push_integration_enabled",
                    "has_specific_message_structure",
                    "custom_properties",
                )
            },
        ),
    )
    list_display = (
        "charger_id",
        "name",
        "place",
        "status_mark",
        "health",
        "last_seen",
        "manufacturer",
    )
    list_filter = (
        WithinFilter,
        HealthFilter,
        UnseenFilter,
        "has_active_connection",
        ManufacturerFilter,
        ModelFilter,
        "status",
    )
    search_fields = (
        "charger_id_key__contains",
        "name_key__contains",
        "evse_key__contains",
        "serial_number__icontains",
        "city__icontains",
    )
    is_in_global_search = True
    ordering = ("charger_id_key", "pk")
    search_help_text = _("Charger ID, name, EVSE ID, serial number or city")
    references = ("site",)
    site_attribute = "site_id"
    actions = ACTIONS

    def complete_page(self, request: HttpRequest, rows: list[Any]) -> None:
        super().complete_page(request, rows)
        chargers = Charger.objects.filter(pk__in=[row.pk for row in rows]).order_by().annotate(state=charger_states())
        states = dict(chargers.values_list("pk", "state"))
        for row in rows:
            row.shown_health = STATES[states.get(row.pk, OFFLINE)]

    @admin.display(description=_("health"))
    def health(self, charger: Any) -> SafeString:
        """Includes the sockets: a charger without an error may have a socket with one."""
        return format_html('<span class="status status-{}">{}</span>', *charger.shown_health)

    def choice_labels(self, request: HttpRequest, rows: Iterable[Any]) -> dict[int, str]:
        chargers = list(rows)
        paths = path_labels(scope_of(request), [charger.site_id for charger in chargers])
        return {charger.pk: f"{charger} ({paths.get(charger.site_id, '')})" for charger in chargers}


@admin.register(Socket)
class SocketAdmin(StatusColumn, EntityAdmin):
    fieldsets = (
        (None, {"fields": ("charger", "number", "name", "type", "format", "power_type", "phase_rotation")}),
        (_("Reported by the charger"), {"fields": ("status_mark", "reported_at")}),
        (_("Limits"), {"fields": ("max_power", ("max_power_w", "max_voltage_v", "max_current_a"))}),
        (
            _("Identifiers on the device"),
            {
                "fields": (
                    "device_evse_id",
                    "device_connector_id",
                    "charging_station_evse_id",
                    "terms_and_conditions",
                )
            },
        ),
    )
    readonly_fields = ("status_mark", "reported_at")
    list_display = ("number", "charger", "place", "name", "type", "max_power_w", "status_mark")
    list_display_links = ("number", "charger")
    list_filter = (WithinFilter, HealthFilter, TypeFilter, "status", CustomerFilter)
    search_fields = ("charger__charger_id_key__contains", "name__icontains")
    search_help_text = _("Charger ID or name")
    ordering = ("charger__charger_id_key", "number")
    references = ("charger",)
    site_attribute = "charger.site_id"
    actions = COMMON


@admin.register(ChargerConfiguration)
class ChargerConfigurationAdmin(EntityAdmin):
    fields = ("charger", "name", "value", "can_be_changed")
    list_display = ("name", "charger", "place", "value", "can_be_changed")
    list_display_links = ("name", "charger")
    list_filter = (WithinFilter, "can_be_changed", CustomerFilter)
    search_fields = ("name_key__contains", "charger__charger_id_key__contains")
    search_help_text = _("Name or charger ID")
    ordering = ("charger__charger_id_key", "name_key")
    references = ("charger",)
    site_attribute = "charger.site_id"
    actions = COMMON
