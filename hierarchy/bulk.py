"""The table of sites."""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from bulk.tables import Column, ReportedColumn, Table, register
from chargers.rollup import health_of_sites
from hierarchy.models import GroupType, Site
from hierarchy.scoping import Scope


def _group_type(value: Any) -> Any:
    """A type by number or by name."""
    if isinstance(value, str) and not value.strip().isdigit():
        name = value.strip().upper()
        if name not in GroupType.__members__:
            raise ValidationError(
                _("Is not a type of site: write one of %(names)s, or its number."),
                code="invalid_choice",
                params={"names": ", ".join(f"{kind.name} ({kind.value})" for kind in GroupType)},
            )
        return GroupType[name].value
    return value


def _group_type_name(value: int) -> str:
    return GroupType(value).name


def _default_type(values: dict[str, Any]) -> None:
    if "group_type" not in values:
        values["group_type"] = (GroupType.SITE if values.get("parent") is None else GroupType.SUB_SITE).value


def _health(scope: Scope) -> Mapping[int, Mapping[str, Any]]:
    return {site_id: health._asdict() for site_id, health in health_of_sites(scope).items()}


SITES = Table(
    name="sites",
    model=Site,
    columns=(
        Column("parent", "parent", refers_to="sites", example="Region North / Campus A"),
        Column("groupName", "name", example="Garage"),
        Column("externalId", "external_id", example="NORTH-A-1"),
        Column("groupType", "group_type", parse=_group_type, show=_group_type_name, example="SUB_SITE"),
        Column("publicGroupName", "public_name", example="Parking garage of Campus A"),
        Column("payerId", "payer_id", example=1001),
        Column("costId", "cost_id", example="CC-40"),
        Column("costName", "cost_name", example="Facilities"),
        Column("paymentRecipientId", "payment_recipient_id", example=2002),
        Column("timeZone", "time_zone", example="Europe/Amsterdam"),
    ),
    keys=(("externalId",), ("parent", "groupName")),
    has_namesakes=True,
    governed_by=("parent",),
    derive=_default_type,
    reports=(
        ReportedColumn("onlineSocket", "online", tally=True),
        ReportedColumn("offlineSocket", "offline", tally=True),
        ReportedColumn("errorSocket", "error", tally=True),
    ),
    tally=_health,
)
register(SITES)
