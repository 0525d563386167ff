"""Names of time zones, as the IANA database has them."""

import zoneinfo

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _


def validate_time_zone(value: str) -> None:
    if value and value not in zoneinfo.available_timezones():
        raise ValidationError(
            _("%(value)s is not a time zone. Use one such as Europe/Paris or UTC."),
            code="time_zone",
            params={"value": value},
        )
