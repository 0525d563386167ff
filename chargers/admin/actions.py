"""What can be done with chosen chargers."""

from django.utils.translation import gettext_lazy as _

from drivers.models import ChargerRight
from hierarchy.admin.actions import COMMON, Put, driver_rights

ACTIONS = (
    Put("move_chosen", _("Move to another site"), _("move %(rows)s to %(target)s"), "site", _("Move to")),
    *driver_rights(ChargerRight, "charger"),
    *COMMON,
)
