"""The columns of sites, as the API and bulk imports know them."""

from hierarchy.column_types import Column, NamedIntegerType
from hierarchy.models import GroupType

SITE = (
    Column("id", "id", in_bulk=False),
    Column("parent", "parent", key="parentId", refers_to="sites", example="Region North / Campus A"),
    Column("groupName", "name", example="Garage"),
    Column("groupType", "group_type", type=NamedIntegerType.of(GroupType), example="SUB_SITE"),
    Column("externalId", "external_id", example="NORTH-A-1"),
    Column("publicGroupName", "public_name", example="Parking garage of Campus A"),
    Column("payerId", "payer_id", example=1001),
    Column("costId", "cost_id", example="CC-40"),
    Column("costName", "cost_name", example="Facilities"),
    Column("paymentRecipientId", "payment_recipient_id", example=2002),
    Column("timeZone", "time_zone", example="Europe/Amsterdam"),
)
