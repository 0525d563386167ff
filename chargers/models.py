"""Chargers, their sockets and their configurations."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator, MaxValueValidator, MinValueValidator, URLValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from chargers.vocabulary import (
    CHARGER_ID_LENGTH,
    EVSE_ID_LENGTH,
    Status,
    evse_key,
    validate_charger_id,
    validate_evse_id,
)
from hierarchy.constraints import SameCustomer
from hierarchy.entity import Entity
from hierarchy.fields import (
    NEVER_HAPPENED,
    KeyField,
    LineField,
    NameField,
    OptionalLineField,
    TimestampField,
    validate_finite,
    validate_line,
    validate_text,
)
from hierarchy.models import Customer, Site
from hierarchy.rules import Rules

INT_MAX = 2**31 - 1


class EvseKeyField(KeyField):
    """An EVSE id without separators and case."""

    def key(self, value: str) -> str:
        return evse_key(value)


def validate_texts(value: Any) -> None:
    """A list of texts, each one line, none blank, none twice."""
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ValidationError(_('Must be a list of texts, as in ["one", "two"].'), code="texts")
    for item in value:
        validate_line(item)
        if not item.strip() or len(item) > 255:
            raise ValidationError(_("Each text must have between 1 and 255 characters."), code="texts")
    if len(set(value)) != len(value):
        raise ValidationError(_("Duplicate value."), code="texts")


def validate_properties(value: Any) -> None:
    """An object of texts: every name one line and not blank, every value a text."""
    if not isinstance(value, dict) or not all(isinstance(item, str) for pair in value.items() for item in pair):
        raise ValidationError(_('Must be an object of texts, as in {"owner": "City"}.'), code="properties")
    for name, text in value.items():
        validate_line(name)
        validate_text(text)
        if not name.strip() or len(name) > 255 or len(text) > 4000:
            raise ValidationError(
                _("A name must have between 1 and 255 characters, a value at most 4,000."), code="properties"
            )


def optional_int(label: Any, **kwargs: Any) -> models.IntegerField[Any, Any]:
    """A 32-bit number that is not negative, or nothing."""
    return models.IntegerField(
        label, null=True, blank=True, validators=[MinValueValidator(0), MaxValueValidator(INT_MAX)], **kwargs
    )


def _not_negative(*names: str) -> Q:
    condition = Q()
    for name in names:
        condition &= Q(**{name: None}) | Q(**{f"{name}__gte": 0})
    return condition


class Charger(Entity):
    """A charging station at one site. `charger_id` is unique over all customers, ignoring case.

    Status, connection, last seen and last message are reported by the charger and are no edits.
    Latitude and longitude are degrees in WGS 84, both or none.
    """

    rules = Rules(
        customer_from=("site",),
        sites=("site",),
        place_fields={"site"},
        reported_fields={
            "last_seen",
            "last_message",
            "has_active_connection",
            "status",
            "reported_at",
            "firmware_version",
            "status_version",
        },
    )

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="chargers", verbose_name=_("customer"))
    site = models.ForeignKey(Site, models.PROTECT, related_name="chargers", verbose_name=_("site"))
    charger_id = LineField(
        _("charger ID"),
        max_length=CHARGER_ID_LENGTH,
        validators=[validate_charger_id],
        help_text=_("The identity with which the charger connects (OCPP)."),
    )
    charger_id_key = KeyField(of="charger_id", max_length=CHARGER_ID_LENGTH)
    name = LineField(_("name"), blank=True, default="")
    name_key = KeyField(of="name")
    manufacturer = OptionalLineField(_("manufacturer"))
    serial_number = OptionalLineField(_("serial number"))
    model = OptionalLineField(_("model"))
    commissioned_on = models.DateField(_("commissioned on"), null=True, blank=True)

    latitude = models.FloatField(
        _("latitude"),
        null=True,
        blank=True,
        validators=[validate_finite, MinValueValidator(-90), MaxValueValidator(90)],
    )
    longitude = models.FloatField(
        _("longitude"),
        null=True,
        blank=True,
        validators=[validate_finite, MinValueValidator(-180), MaxValueValidator(180)],
    )
    street_address = OptionalLineField(_("street"))
    street_number = LineField(_("street number"), max_length=32, blank=True, default="")
    house_letter = OptionalLineField(_("house letter"), max_length=32)
    postal_number = LineField(_("postal code"), max_length=32, blank=True, default="")
    city = OptionalLineField(_("city"))
    area = OptionalLineField(_("area"))
    country = OptionalLineField(_("country"), max_length=64)

    evse_id = LineField(_("EVSE ID"), max_length=EVSE_ID_LENGTH, blank=True, default="", validators=[validate_evse_id])
    evse_key = EvseKeyField(of="evse_id", max_length=EVSE_ID_LENGTH)
    is_evse_split_by_socket = models.BooleanField(
        _("EVSE per socket"), default=False, help_text=_("Each socket is an EVSE of its own.")
    )
    is_push_integration_enabled = models.BooleanField(_("push integration"), default=False)
    has_specific_message_structure = models.BooleanField(_("charger-specific messages"), default=False)
    capabilities = models.JSONField(_("capabilities"), default=list, blank=True, validators=[validate_texts])
    integration_relays = models.JSONField(
        _("integration relays"), default=list, blank=True, validators=[validate_texts]
    )
    physical_reference = OptionalLineField(
        _("physical reference"), help_text=_("The number or text printed on the charger.")
    )
    iccid = OptionalLineField(_("ICCID"), max_length=32)
    imsi = OptionalLineField(_("IMSI"), max_length=32)
    meter_serial_number = OptionalLineField(_("meter serial number"))
    meter_type = OptionalLineField(_("meter type"))
    custom_properties = models.JSONField(
        _("custom properties"), default=dict, blank=True, validators=[validate_properties]
    )

    status = models.CharField(_("status"), max_length=20, choices=Status, default=Status.OFFLINE, editable=False)
    reported_at = TimestampField(_("status since"), null=True, blank=True, editable=False, sentinel=NEVER_HAPPENED)
    has_active_connection = models.BooleanField(_("connected"), default=False, editable=False)
    last_seen = TimestampField(_("last seen"), null=True, blank=True, editable=False, sentinel=NEVER_HAPPENED)
    last_message = OptionalLineField(_("last message"), max_length=1000, editable=False)
    firmware_version = OptionalLineField(_("firmware version"), editable=False)
    status_version = models.PositiveBigIntegerField(default=0, editable=False)

    class Meta:
        verbose_name = _("charger")
        verbose_name_plural = _("chargers")
        ordering = ["name_key", "charger_id_key"]
        indexes = [
            models.Index(fields=["name_key", "charger_id_key"], name="charger_order"),
            models.Index(fields=["customer", "status"], name="charger_status_of_customer"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["id", "customer"], name="charger_customer"),
            SameCustomer(field="site", name="charger_site_same_customer"),
            models.UniqueConstraint(
                fields=["charger_id_key"],
                name="charger_id_unique",
                violation_error_message=_("This charger ID is already in use."),
            ),
            models.UniqueConstraint(
                fields=["customer", "evse_key"],
                condition=~Q(evse_key=""),
                name="charger_evse_id",
                violation_error_message=_("Another charger already has this EVSE ID."),
            ),
            models.CheckConstraint(
                # A CHECK takes NULL for true: what must be there is said.
                condition=Q(latitude=None, longitude=None)
                | Q(
                    latitude__isnull=False,
                    longitude__isnull=False,
                    latitude__range=(-90, 90),
                    longitude__range=(-180, 180),
                ),
                name="charger_coordinates",
                violation_error_message=_("Give both latitude (-90 to 90) and longitude (-180 to 180), or neither."),
            ),
            models.CheckConstraint(condition=Q(status__in=Status.values), name="charger_status"),
            models.CheckConstraint(condition=~Q(charger_id=""), name="charger_id_not_empty"),
        ]

    def __str__(self) -> str:
        return self.charger_id

    def clean(self) -> None:
        if (self.latitude is None) != (self.longitude is None):
            raise ValidationError(
                {"longitude" if self.longitude is None else "latitude": _("Give both coordinates or neither.")}
            )


class Socket(Entity):
    """An outlet of a charger; `number` counts from 1 and is unique on its charger. Power is in W, V and A.

    Status and the time of its report are the charger's word and no edits.
    """

    rules = Rules(customer="charger__customer", sites=("charger__site",), reported_fields={"status", "reported_at"})

    charger = models.ForeignKey(Charger, models.CASCADE, related_name="sockets", verbose_name=_("charger"))
    number = models.PositiveIntegerField(
        _("number"), validators=[MinValueValidator(1), MaxValueValidator(INT_MAX)], help_text=_("1, 2, 3 …")
    )
    name = LineField(_("name"), blank=True, default="")
    type = OptionalLineField(_("type"), max_length=64)
    format = OptionalLineField(_("format"), max_length=64)
    power_type = OptionalLineField(_("power type"), max_length=64)
    max_power = OptionalLineField(_("maximum power"), max_length=64)
    max_power_w = optional_int(_("maximum power (W)"))
    max_voltage_v = optional_int(_("maximum voltage (V)"))
    max_current_a = optional_int(_("maximum current (A)"))
    phase_rotation = OptionalLineField(_("phase rotation"), max_length=32)
    device_evse_id = optional_int(_("EVSE on the device"))
    device_connector_id = optional_int(_("connector on the device"))
    charging_station_evse_id = optional_int(_("EVSE of the charging station"))
    terms_and_conditions = OptionalLineField(
        _("terms and conditions"), max_length=2000, validators=[URLValidator(schemes=["http", "https"])]
    )
    status = models.CharField(_("status"), max_length=20, choices=Status, default=Status.OFFLINE, editable=False)
    reported_at = TimestampField(_("status since"), null=True, blank=True, editable=False, sentinel=NEVER_HAPPENED)

    class Meta:
        verbose_name = _("socket")
        verbose_name_plural = _("sockets")
        ordering = ["charger", "number"]
        constraints = [
            models.UniqueConstraint(
                fields=["charger", "number"],
                name="socket_number",
                violation_error_message=_("The charger already has a socket with this number."),
            ),
            models.CheckConstraint(condition=Q(number__gte=1), name="socket_number_from_1"),
            models.CheckConstraint(
                condition=_not_negative(
                    "max_power_w",
                    "max_voltage_v",
                    "max_current_a",
                    "device_evse_id",
                    "device_connector_id",
                    "charging_station_evse_id",
                ),
                name="socket_numbers_not_negative",
            ),
            models.CheckConstraint(condition=Q(status__in=Status.values), name="socket_status"),
        ]

    def __str__(self) -> str:
        return f"{self.charger.charger_id} #{self.number}"


class ChargerConfiguration(Entity):
    """A configuration key of a charger and its value, as the charger knows them (OCPP 1.6 section 9)."""

    rules = Rules(customer="charger__customer", sites=("charger__site",))

    charger = models.ForeignKey(Charger, models.CASCADE, related_name="configurations", verbose_name=_("charger"))
    name = NameField(_("name"))
    name_key = KeyField(of="name")
    value = models.TextField(
        _("value"), blank=True, default="", max_length=4000, validators=[validate_text, MaxLengthValidator(4000)]
    )
    can_be_changed = models.BooleanField(_("can be changed"), default=True)

    class Meta:
        verbose_name = _("configuration")
        verbose_name_plural = _("configurations")
        ordering = ["charger", "name_key"]
        constraints = [
            models.UniqueConstraint(
                fields=["charger", "name_key"],
                name="configuration_name",
                violation_error_message=_("The charger already has a configuration with this name."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.charger.charger_id} {self.name}"
