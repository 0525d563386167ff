"""Bulk actions on chargers."""

from django.utils.translation import gettext_lazy as _

from backoffice.actions import COMMON, SetReference, driver_rights
from drivers.models import ChargerRight

ACTIONS = (
    SetReference("move_chosen", _("Move to another site"), _("move %(rows)s to %(target)s"), "site", _("Move to")),
    *driver_rights(ChargerRight, "charger"),
    *COMMON,
)
