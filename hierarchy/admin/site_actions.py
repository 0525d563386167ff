"""Bulk actions on sites."""

from django.utils.translation import gettext_lazy as _

from backoffice.actions import COMMON, MoveSubtrees, driver_rights
from drivers.models import SiteRight

ACTIONS = (
    MoveSubtrees(
        "move_chosen",
        _("Move to another parent site"),
        _("set the parent site of %(rows)s to %(target)s"),
        "parent",
        _("Parent site"),
        nothing=_("No parent site: move to the top level"),
    ),
    *driver_rights(SiteRight, "site"),
    *COMMON,
)
