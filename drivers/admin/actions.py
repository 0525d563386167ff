"""What can be done with chosen drivers and tags."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from backoffice.actions import COMMON, Link, Put, Unlink
from drivers.admin.validity import SetValidity
from drivers.models import ChargerRight, SiteRight, Tag

_GRANTED, _REVOKED = _("grant %(rows)s the right on %(target)s"), _("revoke the right of %(rows)s on %(target)s")
_ON_SITE: dict[str, Any] = {"model": SiteRight, "chosen": "driver", "other": "site", "label": _("Site")}
_ON_CHARGER: dict[str, Any] = {"model": ChargerRight, "chosen": "driver", "other": "charger", "label": _("Charger")}

DRIVER_ACTIONS = (
    Put(
        "set_home",
        _("Set the home site"),
        _("home of %(rows)s at %(target)s"),
        "home_site",
        _("Home site"),
        nothing=_("No home: only admin operators see them"),
    ),
    Link("grant_site", _("Grant a right on a site"), _GRANTED, **_ON_SITE),
    Link("grant_charger", _("Grant a right on a charger"), _GRANTED, **_ON_CHARGER),
    Unlink("revoke_site", _("Revoke the right on a site"), _REVOKED, **_ON_SITE),
    Unlink("revoke_charger", _("Revoke the right on a charger"), _REVOKED, **_ON_CHARGER),
    SetValidity(
        "set_validity", _("Set the validity of their tags"), _("validity of the tags of %(rows)s"), Tag, "driver"
    ),
    *COMMON,
)

TAG_ACTIONS = (
    SetValidity("set_validity", _("Set the validity"), _("validity of %(rows)s"), Tag),
    *COMMON,
)
