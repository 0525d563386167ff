"""Reading a tree of sites as the API answers it: a list of sites with their subsites, chargers and sockets within."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _

from bulk.drafts import Draft, Findings
from bulk.tables import tables

TABLES = ("sites", "chargers", "sockets", "configurations")
_SUBSITES, _CHARGERS, _SOCKETS, _CONFIGURATIONS = "subgroups", "chargers", "sockets", "chargerConfigurations"
_LOCATION, _PUBLIC_NAME = "locationInfo", "publicGroupName"


def is_tree(document: Any) -> bool:
    """Whether a JSON document is such a list."""
    return (
        isinstance(document, list)
        and bool(document)
        and all(isinstance(site, dict) and isinstance(site.get(_SUBSITES), list) for site in document)
    )


def drafts(document: list[Any], findings: Findings) -> Iterator[Draft]:
    """The rows of the tree; each site counts as a row, from 1 in the order of the document."""
    row = 0
    pending: list[tuple[tuple[str, ...], Any]] = [((), site) for site in reversed(document)]
    while pending:
        above, site = pending.pop()
        row += 1
        name = site.get("groupName") if isinstance(site, dict) else None
        if not isinstance(name, str) or not _lists(site):
            findings.error(
                _("Is not a site of a tree: it needs groupName, subgroups and chargers."), row=row, value=name
            )
            continue
        path = (*above, name)
        values = _known("sites", site) | {"parent": above or None}
        public_names = {charger[_PUBLIC_NAME] for charger in site.get(_CHARGERS, ()) if _PUBLIC_NAME in charger}
        if len(public_names) == 1:
            values[_PUBLIC_NAME] = public_names.pop()
        yield Draft("sites", row, values, sheet="sites")
        for charger in site.get(_CHARGERS, ()):
            yield from _charger(charger, path, row)
        pending.extend((path, below) for below in reversed(site[_SUBSITES]))


def _lists(site: dict[str, Any]) -> bool:
    chargers = site.get(_CHARGERS, [])
    return (
        isinstance(site.get(_SUBSITES), list)
        and isinstance(chargers, list)
        and all(isinstance(charger, dict) for charger in chargers)
    )


def _charger(charger: dict[str, Any], path: tuple[str, ...], row: int) -> Iterator[Draft]:
    location = charger.get(_LOCATION)
    flat = {**charger, **(location if isinstance(location, dict) else {})}
    yield Draft("chargers", row, {**_known("chargers", flat), "group": path}, sheet="chargers")
    for table, key in (("sockets", _SOCKETS), ("configurations", _CONFIGURATIONS)):
        rows = charger.get(key)
        for one in rows if isinstance(rows, list) else ():
            if isinstance(one, dict):
                values = {**_known(table, one), "chargerId": charger.get("chargerId")}
                yield Draft(table, row, values, sheet=table)


def _known(table: str, given: dict[str, Any]) -> dict[str, Any]:
    return {column.name: given[column.name] for column in tables()[table].columns if column.name in given}
