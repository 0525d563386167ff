"""Bulk actions on drivers and tags."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from backoffice.actions import COMMON, Link, SetReference, Unlink
from drivers.admin.validity import SetValidity
from drivers.models import ChargerRight, SiteRight, Tag

_GRANTED, _REVOKED = _("grant %(rows)s a right on %(target)s"), _("revoke the right of %(rows)s on %(target)s")
_ON_SITE: dict[str, Any] = {"model": SiteRight, "selected_fk": "driver", "target_fk": "site", "label": _("Site")}
_ON_CHARGER: dict[str, Any] = {
    "model": ChargerRight,
    "selected_fk": "driver",
    "target_fk": "charger",
    "label": _("Charger"),
}

DRIVER_ACTIONS = (
    SetReference(
        "set_home",
        _("Set the home site"),
        _("set the home site of %(rows)s to %(target)s"),
        "home_site",
        _("Home site"),
        nothing=_("No home site: only admin operators have access to them"),
    ),
    Link("grant_site", _("Grant a right on a site"), _GRANTED, **_ON_SITE),
    Link("grant_charger", _("Grant a right on a charger"), _GRANTED, **_ON_CHARGER),
    Unlink("revoke_site", _("Revoke the right on a site"), _REVOKED, **_ON_SITE),
    Unlink("revoke_charger", _("Revoke the right on a charger"), _REVOKED, **_ON_CHARGER),
    SetValidity(
        "set_validity",
        _("Set the validity of their tags"),
        _("set the validity of the tags of %(rows)s"),
        Tag,
        "driver",
    ),
    *COMMON,
)

TAG_ACTIONS = (
    SetValidity("set_validity", _("Set the validity"), _("set the validity of %(rows)s"), Tag),
    *COMMON,
)
