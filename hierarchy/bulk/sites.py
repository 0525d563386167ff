"""The table of sites."""

from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from hierarchy.bulk.tables import Column, Table, register
from hierarchy.models import GroupType, Site


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


def _default_type(values: dict[str, Any]) -> None:
    if "group_type" not in values:
        values["group_type"] = (GroupType.SITE if values.get("parent") is None else GroupType.SUB_SITE).value


SITES = Table(
    name="sites",
    model=Site,
    columns=(
        Column("parent", "parent", refers_to="sites"),
        Column("groupName", "name"),
        Column("externalId", "external_id"),
        Column("groupType", "group_type", parse=_group_type),
        Column("publicGroupName", "public_name"),
        Column("payerId", "payer_id"),
        Column("costId", "cost_id"),
        Column("costName", "cost_name"),
        Column("paymentRecipientId", "payment_recipient_id"),
        Column("timeZone", "time_zone"),
    ),
    keys=(("externalId",), ("parent", "groupName")),
    governed_by=("parent",),
    derive=_default_type,
)
register(SITES)
