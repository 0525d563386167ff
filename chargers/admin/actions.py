"""What can be done with chosen chargers."""

from django.utils.translation import gettext_lazy as _

from drivers.models import ChargerRight
from hierarchy.admin.actions import COMMON, Link, Put, Unlink

ACTIONS = (
    Put("move_chosen", _("Move to another site"), _("move %(rows)s to %(target)s"), "site", _("Move to")),
    Link(
        "grant_right",
        _("Grant a driver the right to charge there"),
        _("grant %(target)s the right on %(rows)s"),
        ChargerRight,
        chosen="charger",
        other="driver",
        label=_("Driver"),
    ),
    Unlink(
        "revoke_right",
        _("Revoke a driver's right to charge there"),
        _("revoke the right of %(target)s on %(rows)s"),
        ChargerRight,
        chosen="charger",
        other="driver",
        label=_("Driver"),
    ),
    *COMMON,
)
