"""The tables of operators and of what they are granted to see. Passwords and keys are in no file."""

from collections.abc import Collection
from typing import Any

from django.contrib.auth.hashers import make_password

from bulk.tables import ReportedColumn, Table, register
from hierarchy.column_types import bulk_columns
from hierarchy.scoping import Scope
from operators import columns
from operators.models import Operator, SiteGrant


def _without_password(values: dict[str, Any]) -> None:
    """A new operator cannot sign in until invited or given a password."""
    values["password"] = make_password(None)


def _oneself(scope: Scope) -> Collection[int]:
    return () if scope.operator_id is None else (scope.operator_id,)


OPERATORS = Table(
    name="operators",
    model=Operator,
    columns=bulk_columns(columns.OPERATOR, first=("emailAddress",)),
    keys=(("emailAddress",),),
    derive=_without_password,
    reports=(ReportedColumn("operatorId", "operator_id"),),
    spares=_oneself,
)

GRANTS = Table(
    name="grants",
    model=SiteGrant,
    columns=bulk_columns(columns.GRANT),
    keys=(("operator", "group"),),
)

register(OPERATORS, GRANTS)
