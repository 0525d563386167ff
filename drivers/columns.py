"""The columns of drivers, tags, rights and external IDs, as the API and bulk imports know them."""

from hierarchy.column_types import Column

_ID = Column("id", "id", in_bulk=False)
_DRIVER = Column("driver", "driver", key="driverId", refers_to="drivers", example="HR-0042")

DRIVER = (
    _ID,
    Column("name", "name", example="Anna Jansen"),
    Column("homeGroup", "home_site", key="homeGroupId", refers_to="sites", example="Region North / Campus A"),
    Column("externalId", "external_id", example="HR-0042"),
    Column("payerId", "payer_id", example=1001),
)

TAG = (
    _ID,
    Column("idTag", "id_tag", example="04A1B2C3D4E5F6"),
    _DRIVER,
    Column("tokenName", "token_name", example="Blue card"),
    Column("startDate", "starts_at", example="2026-01-01"),
    Column("expiringDate", "expires_at", ends_day=True, example="2026-12-31"),
    Column("invoicable", "is_invoicable", example=False),
    Column("lastUpdated", "last_updated", in_bulk=False),
)

SITE_RIGHT = (
    _ID,
    _DRIVER,
    Column("group", "site", key="groupId", refers_to="sites", example="Region North / Campus A / Garage"),
)

CHARGER_RIGHT = (
    _ID,
    _DRIVER,
    Column("chargerId", "charger", source="charger.charger_id", refers_to="chargers", example="NORTH-0001"),
)

EXTERNAL_ID = (
    _ID,
    Column("driver", "driver", in_api=False, refers_to="drivers", example="HR-0042"),
    Column("referenceType", "reference_type", assumed=0, example=0),
    Column("referenceId", "reference_id", example="NL-CTR"),
    Column("externalId", "external_id", example="NL-CTR-C00042-K"),
    Column("effectiveFrom", "effective_from", example="2026-01-01"),
)
