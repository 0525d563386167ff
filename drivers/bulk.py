"""The tables of drivers, tags, rights and external ids, and the sheet with one row a person."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _

from bulk.drafts import Draft, Findings
from bulk.tables import Column, Heading, ReportedColumn, RowParser, Sheet, Table, register
from drivers.models import ChargerRight, Driver, IntegratedExternalId, SiteRight, Tag
from hierarchy.text import comparison_key

_GARAGE = "Region North / Campus A / Garage"

DRIVERS = Table(
    name="drivers",
    model=Driver,
    columns=(
        Column("name", "name", example="Anna Jansen"),
        Column("externalId", "external_id", example="HR-0042"),
        Column("homeGroup", "home_site", refers_to="sites", example="Region North / Campus A"),
        Column("payerId", "payer_id", example=1001),
    ),
    keys=(("externalId",), ("name",)),
    has_namesakes=True,
)

TAGS = Table(
    name="tags",
    model=Tag,
    columns=(
        Column("idTag", "id_tag", example="04A1B2C3D4E5F6"),
        Column("driver", "driver", refers_to="drivers", example="HR-0042"),
        Column("tokenName", "token_name", example="Blue card"),
        Column("startDate", "starts_at", example="2026-01-01"),
        Column("expiringDate", "expires_at", ends_day=True, example="2026-12-31"),
        Column("invoicable", "is_invoicable", example=False),
    ),
    keys=(("idTag",),),
    together=("starts_at", "expires_at"),
    reports=(ReportedColumn("lastUpdated", "last_updated"),),
)

SITE_RIGHTS = Table(
    name="siteRights",
    model=SiteRight,
    columns=(
        Column("driver", "driver", refers_to="drivers", example="HR-0042"),
        Column("group", "site", refers_to="sites", example=_GARAGE),
    ),
    keys=(("driver", "group"),),
)

CHARGER_RIGHTS = Table(
    name="chargerRights",
    model=ChargerRight,
    columns=(
        Column("driver", "driver", refers_to="drivers", example="HR-0042"),
        Column("chargerId", "charger", refers_to="chargers", example="NORTH-0001"),
    ),
    keys=(("driver", "chargerId"),),
)

EXTERNAL_IDS = Table(
    name="externalIds",
    model=IntegratedExternalId,
    columns=(
        Column("driver", "driver", refers_to="drivers", example="HR-0042"),
        Column("referenceType", "reference_type", assumed=0, example=0),
        Column("referenceId", "reference_id", example="NL-CTR"),
        Column("externalId", "external_id", example="NL-CTR-C00042-K"),
        Column("effectiveFrom", "effective_from", example="2026-01-01"),
    ),
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
            findings.error(_("Names neither a site nor a charger: fill in group or chargerId."), row=row)
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
                message = _("Differs from row %(row)s, which is of the same person: write the same in both.")
                findings.error(message % {"row": known.row}, row=row, column=name, value=value)
        return known, known.row == row

    def take(row: int, values: dict[str, Any]) -> Iterator[Draft]:
        if not _says(values, "name") and not _says(values, "externalId"):
            findings.error(_("Nothing says who this is: fill in name or externalId."), row=row, column="name")
            return
        known, is_first = driver(row, values)
        if is_first:
            yield known
        who = next(known.values[name] for name in ("externalId", "name") if _says(known.values, name))
        tag = _some(values, "idTag", "tokenName", "startDate", "expiringDate")
        if tag.get("idTag") is not None:
            yield Draft("tags", row, {"driver": who, **tag}, sheet=findings.sheet)
        elif tag:
            findings.error(_("Says something of a tag, but not of which: fill in idTag."), row=row, column="idTag")
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
