"""The words that chargers and sockets use: statuses, and identifiers with a syntax."""

import re

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _


class Status(models.TextChoices):
    """What a charger or socket reports. The values are the wire's."""

    AVAILABLE = "Available", _("Available")
    PREPARING = "Preparing", _("Preparing")
    CHARGING = "Charging", _("Charging")
    SUSPENDED_CHARGER = "SuspendedCHARGER", _("Suspended by the charger")
    SUSPENDED_CAR = "SuspendedCAR", _("Suspended by the car")
    FINISHING = "Finishing", _("Finishing")
    RESERVED = "Reserved", _("Reserved")
    BOOTING = "Booting", _("Booting")
    ERROR = "Error", _("Error")
    OFFLINE = "Offline", _("Offline")
    UNAVAILABLE = "Unavailable", _("Unavailable")
    INFO = "Info", _("Info")


# OCPP 2.0.1 part 2, identifierString, plus the characters that OCPP-J allows in a charge point's URL.
CHARGER_ID_LENGTH = 48
_CHARGER_ID = re.compile(r"[A-Za-z0-9*\-_=:+|@.]+")

# eMI3 / ISO 15118: country, operator, the letter E for an EVSE, then the outlet; `*` may stand between the parts.
EVSE_ID_LENGTH = 48
_EVSE_ID = re.compile(r"[A-Z]{2}\*?[A-Z0-9]{3}\*?E[A-Z0-9*]*[A-Z0-9][A-Z0-9*]*", re.IGNORECASE | re.ASCII)


def validate_charger_id(value: str) -> None:
    # The two are steps in an address, which browsers take before they send it.
    if not _CHARGER_ID.fullmatch(value) or value in (".", ".."):
        raise ValidationError(
            _("%(value)s is not a valid charger ID. Use letters, digits and * - _ = : + | @ . only."),
            code="charger_id",
            params={"value": value},
        )


def validate_evse_id(value: str) -> None:
    if value and not _EVSE_ID.fullmatch(value):
        raise ValidationError(
            _(
                "%(value)s is not a valid EVSE ID. It begins with a country and an operator code, such as "
                "FR*A23*E45B*78C."
            ),
            code="evse_id",
            params={"value": value},
        )


def evse_key(value: str) -> str:
    """The form in which two EVSE ids are the same: without separators, in capitals."""
    return value.replace("*", "").upper()
