"""Drivers, the tags they present, and their rights to charge."""

from typing import Self

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from chargers.models import Charger
from hierarchy.constraints import SameCustomer
from hierarchy.entity import Entity
from hierarchy.fields import NEVER_EXPIRES, KeyField, LineField, NameField, TimestampField
from hierarchy.models import Customer, Site
from hierarchy.rules import Rules


class Driver(Entity):
    """Who holds charging rights: a person or a vehicle. Never logs in.

    `home_site` says which operators see the driver, and grants nothing. Without one the driver is spare: visible to
    admin operators only.
    """

    rules = Rules(customer_from=("home_site",), sites=("home_site",), place_fields={"home_site"})

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="drivers", verbose_name=_("customer"))
    name = NameField(_("name"))
    name_key = KeyField(of="name")
    home_site = models.ForeignKey(
        Site,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="home_drivers",
        verbose_name=_("home site"),
        help_text=_("Determines which operators can see the driver. It grants no charging right."),
    )
    external_id = LineField(
        _("external ID"), blank=True, default="", help_text=_("The driver's ID in your other systems.")
    )
    external_id_key = KeyField(of="external_id")
    payer_id = models.BigIntegerField(_("payer ID"), null=True, blank=True, validators=[MinValueValidator(0)])

    class Meta:
        verbose_name = _("driver")
        verbose_name_plural = _("drivers")
        ordering = ["name_key", "id"]
        indexes = [models.Index(fields=["customer", "name_key", "id"], name="driver_order")]
        constraints = [
            models.UniqueConstraint(fields=["id", "customer"], name="driver_customer"),
            SameCustomer(field="home_site", name="driver_home_same_customer"),
            models.UniqueConstraint(
                fields=["customer", "external_id_key"],
                condition=~Q(external_id_key=""),
                name="driver_external_id",
                violation_error_message=_("Another driver already has this external ID."),
            ),
            models.CheckConstraint(
                condition=Q(payer_id=None) | Q(payer_id__gte=0), name="driver_payer_id_not_negative"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Tag(Entity):
    """What a driver presents to a charger (RFID card, key fob, token). `id_tag` is unique within the customer.

    Valid from `starts_at` (None: always has been) to `expires_at` (None: never ends).
    """

    rules = Rules(
        customer_from=("driver",), sites=("driver__home_site",), kept_fields={"last_updated"}, stamps={"last_updated"}
    )

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="tags", verbose_name=_("customer"))
    driver = models.ForeignKey(Driver, models.CASCADE, related_name="tags", verbose_name=_("driver"))
    id_tag = NameField(_("ID tag"), help_text=_("The ID that the reader sends."))
    id_tag_key = KeyField(of="id_tag")
    token_name = LineField(_("label"), blank=True, default="")
    starts_at = TimestampField(_("valid from"), null=True, blank=True)
    expires_at = TimestampField(_("valid to"), null=True, blank=True, sentinel=NEVER_EXPIRES)
    is_invoicable = models.BooleanField(_("invoicable"), default=False)
    last_updated = TimestampField(_("last updated"), null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("tag")
        verbose_name_plural = _("tags")
        ordering = ["token_name", "id_tag_key", "id"]
        constraints = [
            SameCustomer(field="driver", name="tag_driver_same_customer"),
            models.UniqueConstraint(
                fields=["customer", "id_tag_key"],
                name="tag_id_tag",
                violation_error_message=_("This ID tag is already in use."),
            ),
            models.CheckConstraint(
                condition=Q(starts_at=None) | Q(expires_at=None) | Q(starts_at__lt=F("expires_at")),
                name="tag_validity_in_order",
                violation_error_message=_("The tag ends before it starts. Choose a later end."),
            ),
        ]

    def __str__(self) -> str:
        return self.id_tag

    def stamp(self, before: Self) -> None:
        super().stamp(before)
        self.last_updated = self.updated_at

    def clean(self) -> None:
        if self.starts_at and self.expires_at and self.starts_at >= self.expires_at:
            raise ValidationError({"expires_at": _("The tag ends before it starts. Choose a later end.")})


class SiteRight(Entity):
    """A driver's right to charge at a site and everything below it, now and later."""

    rules = Rules(customer_from=("driver",), sites=("site", "driver__home_site"))

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="+", verbose_name=_("customer"))
    driver = models.ForeignKey(Driver, models.CASCADE, related_name="site_rights", verbose_name=_("driver"))
    site = models.ForeignKey(Site, models.CASCADE, related_name="site_rights", verbose_name=_("site"))

    class Meta:
        verbose_name = _("right on a site")
        verbose_name_plural = _("rights on sites")
        constraints = [
            SameCustomer(field="driver", name="site_right_driver_same_customer"),
            SameCustomer(field="site", name="site_right_site_same_customer"),
            models.UniqueConstraint(
                fields=["driver", "site"],
                name="site_right_once",
                violation_error_message=_("The driver already has a right for this site."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.driver} @ {self.site}"


class ChargerRight(Entity):
    """A driver's right to charge at one charger."""

    rules = Rules(customer_from=("driver",), sites=("charger__site", "driver__home_site"))

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="+", verbose_name=_("customer"))
    driver = models.ForeignKey(Driver, models.CASCADE, related_name="charger_rights", verbose_name=_("driver"))
    charger = models.ForeignKey(Charger, models.CASCADE, related_name="charger_rights", verbose_name=_("charger"))

    class Meta:
        verbose_name = _("right on a charger")
        verbose_name_plural = _("rights on chargers")
        constraints = [
            SameCustomer(field="driver", name="charger_right_driver_same_customer"),
            SameCustomer(field="charger", name="charger_right_charger_same_customer"),
            models.UniqueConstraint(
                fields=["driver", "charger"],
                name="charger_right_once",
                violation_error_message=_("The driver already has a right for this charger."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.driver} @ {self.charger}"


class ReferenceType(models.IntegerChoices):
    """What an integrated external id refers to. The pages give the two numbers and no names."""

    TYPE_0 = 0, _("Type 0")
    TYPE_1 = 1, _("Type 1")


class IntegratedExternalId(Entity):
    """A driver's id in a system that is integrated with this one, from a moment on."""

    rules = Rules(customer="driver__customer", sites=("driver__home_site",))

    driver = models.ForeignKey(Driver, models.CASCADE, related_name="external_ids", verbose_name=_("driver"))
    reference_type = models.PositiveSmallIntegerField(
        _("reference type"), choices=ReferenceType, default=ReferenceType.TYPE_0
    )
    reference_id = NameField(_("reference ID"), help_text=_("The system or contract that the ID is from."))
    external_id = NameField(_("external ID"))
    effective_from = TimestampField(_("effective from"), null=True, blank=True)

    class Meta:
        verbose_name = _("external ID")
        verbose_name_plural = _("external IDs")
        ordering = ["reference_type", "reference_id", "external_id"]
        constraints = [
            models.UniqueConstraint(
                fields=["driver", "reference_type", "reference_id"],
                name="external_id_once",
                violation_error_message=_("The driver already has an external ID of this type and reference."),
            ),
            models.CheckConstraint(
                condition=Q(reference_type__in=ReferenceType.values), name="external_id_reference_type"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.driver} {self.reference_id} {self.external_id}"
