"""The tables of operators and of what they are granted to see. Passwords and keys are in no file."""

from collections.abc import Collection
from typing import Any

from django.contrib.auth.hashers import make_password

from bulk.tables import Column, ReportedColumn, Table, register
from hierarchy.scoping import Scope
from operators.models import Operator, SiteGrant


def _without_password(values: dict[str, Any]) -> None:
    """A new operator cannot sign in until invited or given a password."""
    values["password"] = make_password(None)


def _oneself(scope: Scope) -> Collection[int]:
    return () if scope.operator_id is None else (scope.operator_id,)


OPERATORS = Table(
    name="operators",
    model=Operator,
    columns=(
        Column("emailAddress", "email", example="rob@example.org"),
        Column("name", "name", example="Rob de Vries"),
        Column("homeGroup", "home_site", refers_to="sites", example="Region North"),
        Column("isAdminOperator", "is_admin_operator", example=False),
        Column("isActive", "is_active", example=True),
    ),
    keys=(("emailAddress",),),
    derive=_without_password,
    reports=(ReportedColumn("operatorId", "operator_id"),),
    spares=_oneself,
)

GRANTS = Table(
    name="grants",
    model=SiteGrant,
    columns=(
        Column("operator", "operator", refers_to="operators", example="rob@example.org"),
        Column("group", "site", refers_to="sites", example="Region North"),
    ),
    keys=(("operator", "group"),),
)

register(OPERATORS, GRANTS)
