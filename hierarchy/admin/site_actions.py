"""What can be done with chosen sites."""

from django.utils.translation import gettext_lazy as _

from drivers.models import SiteRight
from hierarchy.admin.actions import COMMON, Link, PutSubtrees, Unlink

ACTIONS = (
    PutSubtrees(
        "move_chosen",
        _("Move under another site"),
        _("move %(rows)s to %(target)s"),
        "parent",
        _("Move to"),
        nothing=_("To the top"),
    ),
    Link(
        "grant_right",
        _("Grant a driver the right to charge there"),
        _("grant %(target)s the right on %(rows)s"),
        SiteRight,
        chosen="site",
        other="driver",
        label=_("Driver"),
    ),
    Unlink(
        "revoke_right",
        _("Revoke a driver's right to charge there"),
        _("revoke the right of %(target)s on %(rows)s"),
        SiteRight,
        chosen="site",
        other="driver",
        label=_("Driver"),
    ),
    *COMMON,
)
