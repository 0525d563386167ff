"""The columns of operators and grants, as the API and bulk imports know them. Passwords and keys are in neither."""

from hierarchy.column_types import Column

OPERATOR = (
    Column("id", "id", in_bulk=False),
    Column("operatorId", "operator_id", in_bulk=False),
    Column("name", "name", example="Rob de Vries"),
    Column("emailAddress", "email", example="rob@example.org"),
    Column("homeGroup", "home_site", key="homeGroupId", refers_to="sites", example="Region North"),
    Column("isAdminOperator", "is_admin_operator", example=False),
    Column("isActive", "is_active", example=True),
)

GRANT = (
    Column("id", "id", in_bulk=False),
    Column(
        "operator",
        "operator",
        key="operatorId",
        source="operator.operator_id",
        refers_to="operators",
        example="rob@example.org",
    ),
    Column("group", "site", key="groupId", refers_to="sites", example="Region North"),
)
