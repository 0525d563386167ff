"""The table of sites."""

from collections.abc import Mapping
from typing import Any

from bulk.tables import ReportedColumn, Table, register
from chargers.rollup import health_of_sites
from hierarchy import columns
from hierarchy.column_types import bulk_columns
from hierarchy.models import GroupType, Site
from hierarchy.scoping import Scope


def _default_type(values: dict[str, Any]) -> None:
    if "group_type" not in values:
        values["group_type"] = (GroupType.SITE if values.get("parent") is None else GroupType.SUB_SITE).value


def _health(scope: Scope) -> Mapping[int, Mapping[str, Any]]:
    return {site_id: health._asdict() for site_id, health in health_of_sites(scope).items()}


SITES = Table(
    name="sites",
    model=Site,
    columns=bulk_columns(columns.SITE, first=("parent", "groupName", "externalId")),
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
