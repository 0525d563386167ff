"""The tables of drivers, tags, rights and external ids, and the sheet with one row a person."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _

from bulk.drafts import Draft, Findings
from bulk.tables import Heading, ReportedColumn, RowParser, Sheet, Table, register
from drivers import columns
from drivers.models import ChargerRight, Driver, IntegratedExternalId, SiteRight, Tag
from hierarchy.column_types import bulk_columns
from hierarchy.text import comparison_key

DRIVERS = Table(
    name="drivers",
    model=Driver,
    columns=bulk_columns(columns.DRIVER, first=("name", "externalId")),
    keys=(("externalId",), ("name",)),
    has_namesakes=True,
)

TAGS = Table(
    name="tags",
    model=Tag,
    columns=bulk_columns(columns.TAG),
    keys=(("idTag",),),
    together=("starts_at", "expires_at"),
    reports=(ReportedColumn("lastUpdated", "last_updated"),),
)

SITE_RIGHTS = Table(
    name="siteRights",
    model=SiteRight,
    columns=bulk_columns(columns.SITE_RIGHT),
    keys=(("driver", "group"),),
)

CHARGER_RIGHTS = Table(
    name="chargerRights",
    model=ChargerRight,
    columns=bulk_columns(columns.CHARGER_RIGHT),
    keys=(("driver", "chargerId"),),
)

EXTERNAL_IDS = Table(
    name="externalIds",
    model=IntegratedExternalId,
    columns=bulk_columns(columns.EXTERNAL_ID),
    keys=(("driver", "referenceType", "referenceId"),),
)


def _says(values: dict[str, Any], name: str) -> bool:
    return values.get(name) not in (None, "")


def _some(values: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: values[name] for name in names if name in values}


def _rights(findings: Findings) -> RowParser:
    """A row gives the driver a right on the site, on the charger, or on both."""

    def take(row: int, values: dict[str, Any]) -> Iterator[Draft]:
        targets = [name for name in ("group", "chargerId") if values.get(name) is not None]
        if not targets:
            findings.error(_("No site or charger: fill in group or chargerId."), row=row)
        for name in targets:
            table = SITE_RIGHTS if name == "group" else CHARGER_RIGHTS
            yield Draft(table.name, row, _some(values, "driver", name), sheet=findings.sheet)

    return take


RIGHTS = Sheet(
    name="rights",
    headings=(
        Heading("driver", "siteRights", "driver"),
        Heading("group", "siteRights", "group"),
        Heading("chargerId", "chargerRights", "chargerId"),
    ),
    needs=(("driver",), ("group", "chargerId")),
    taker=_rights,
)


def _people(findings: Findings) -> RowParser:
    """Rows of one person, who is known by external id or else by name, say more of the same driver."""
    drivers: dict[tuple[str, str], Draft] = {}
    rights: set[str] = set()

    def driver(row: int, values: dict[str, Any]) -> tuple[Draft, bool]:
        given = _some(values, "name", "externalId", "homeGroup")
        person = next((name, comparison_key(str(given[name]))) for name in ("externalId", "name") if _says(given, name))
        known = drivers.setdefault(person, Draft("drivers", row, given, sheet=findings.sheet))
        for name, value in given.items():
            if known.values.setdefault(name, value) != value:
                message = _("Differs from row %(row)s for the same person. Use the same value in both.")
                findings.error(message % {"row": known.row}, row=row, column=name, value=value)
        return known, known.row == row

    def take(row: int, values: dict[str, Any]) -> Iterator[Draft]:
        if not _says(values, "name") and not _says(values, "externalId"):
            findings.error(_("Unknown person: fill in name or externalId."), row=row, column="name")
            return
        known, is_first = driver(row, values)
        if is_first:
            yield known
        who = next(known.values[name] for name in ("externalId", "name") if _says(known.values, name))
        tag = _some(values, "idTag", "tokenName", "startDate", "expiringDate")
        if tag.get("idTag") is not None:
            yield Draft("tags", row, {"driver": who, **tag}, sheet=findings.sheet)
        elif tag:
            findings.error(_("Tag values without a tag: fill in idTag."), row=row, column="idTag")
        for name, table in (("group", SITE_RIGHTS), ("chargerId", CHARGER_RIGHTS)):
            target = values.get(name)
            if target is not None and (right := repr((who, name, target))) not in rights:
                rights.add(right)
                yield Draft(table.name, row, {"driver": who, name: target}, sheet=findings.sheet)

    return take


PEOPLE = Sheet(
    name="people",
    headings=(
        Heading("name", "drivers", "name", also=("driver", "person", "driver name"), example="Bram Visser"),
        Heading("externalId", "drivers", "externalId", also=("personnel number", "employee number"), example="HR-0043"),
        Heading("idTag", "tags", "idTag", also=("tag", "rfid", "card", "card number"), example="04F6E5D4C3B2A1"),
        Heading("tokenName", "tags", "tokenName", also=("label", "tag label", "card label")),
        Heading("startDate", "tags", "startDate", also=("valid from", "from")),
        Heading("expiringDate", "tags", "expiringDate", also=("valid to", "valid until", "to", "until")),
        Heading("homeGroup", "drivers", "homeGroup", also=("home site", "home")),
        Heading("group", "siteRights", "group", also=("site", "right on site", "may charge at")),
        Heading("chargerId", "chargerRights", "chargerId", also=("charger", "right on charger")),
    ),
    needs=(("name",), ("idTag", "group", "chargerId")),
    taker=_people,
    is_exported=False,
)

register(DRIVERS, TAGS, SITE_RIGHTS, CHARGER_RIGHTS, RIGHTS, EXTERNAL_IDS, PEOPLE)
