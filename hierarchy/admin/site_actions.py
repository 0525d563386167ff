"""What can be done with chosen sites."""

from django.utils.translation import gettext_lazy as _

from backoffice.actions import COMMON, PutSubtrees, driver_rights
from drivers.models import SiteRight

ACTIONS = (
    PutSubtrees(
        "move_chosen",
        _("Move under another site"),
        _("move %(rows)s to %(target)s"),
        "parent",
        _("Move to"),
        nothing=_("To the top"),
    ),
    *driver_rights(SiteRight, "site"),
    *COMMON,
)
