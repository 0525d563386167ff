"""The French national register of charging points (IRVE, static schema 2.3), one row a charging point.

https://schema.data.gouv.fr/etalab/schema-irve-statique/. Each point becomes a charger with a socket for each true
`prise_type_*`; above it stand its station, the département and, at the top, the `nom_amenageur`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO, Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from bulk.drafts import Draft, Findings
from bulk.files.csv_files import records
from chargers.registers.addresses import french_address
from chargers.registers.rows import (
    UNKNOWN_NAME,
    Cells,
    Plug,
    RegisterReading,
    ac_power_type,
    decimal,
    is_iso_date,
    joined,
    most_common,
    power_values,
    with_id,
)
from chargers.vocabulary import validate_evse_id
from hierarchy.models import GroupType
from hierarchy.text import comparison_key

_NO_ID = comparison_key("Non concerné")
_BOOLEANS = {"true": True, "1": True, "vrai": True, "false": False, "0": False, "faux": False}
_WHOLE = re.compile(r"\d{1,9}")
_COORDINATES = re.compile(r"\[?\s*(-?\d{1,3}(?:\.\d+)?)\s*,\s*(-?\d{1,3}(?:\.\d+)?)\s*\]?")
_COMMUNE = re.compile(r"([013-9]\d|2[AB1-9])\d{3}", re.ASCII)

# In the order in which the sockets of a charger are numbered.
_PLUGS = {
    "prise_type_ef": Plug("E/F", "DOMESTIC_F", "SOCKET", "AC_1_PHASE"),
    "prise_type_2": Plug("Type 2", "IEC_62196_T2", None, None),
    "prise_type_combo_ccs": Plug("Combo CCS", "IEC_62196_T2_COMBO", "CABLE", "DC"),
    "prise_type_chademo": Plug("CHAdeMO", "CHADEMO", "CABLE", "DC"),
    "prise_type_autre": Plug("Other", None, None, None),
}

# What the product has no field for and people look for.
_PROPERTIES = {
    "operator": "nom_operateur",
    "brand": "nom_enseigne",
    "locationType": "implantation_station",
    "access": "condition_acces",
    "openingHours": "horaires",
    "accessibility": "accessibilite_pmr",
    "tariff": "tarification",
    "localId": "id_pdc_local",
}
_SWITCHES = {
    "free": "gratuit",
    "cardPayment": "paiement_cb",
    "reservable": "reservation",
    "twoWheelersOnly": "station_deux_roues",
}

REQUIRED = (
    "nom_amenageur",
    "id_station_itinerance",
    "nom_station",
    "adresse_station",
    "code_insee_commune",
    "coordonneesXY",
    "nbre_pdc",
    "id_pdc_itinerance",
    "puissance_nominale",
    *_PLUGS,
)
_COMMISSIONED = "date_mise_en_service"
_OPTIONAL = ("id_station_local", "cable_t2_attache", _COMMISSIONED, *_PROPERTIES.values(), *_SWITCHES.values())
# Columns of the format that have no place in the product.
_LEFT_OUT = (
    *("siren_amenageur", "contact_amenageur", "contact_operateur", "telephone_operateur", "paiement_acte"),
    *("paiement_autre", "restriction_gabarit", "raccordement", "num_pdl", "observations", "date_maj"),
)
KNOWN = frozenset({*REQUIRED, *_OPTIONAL, *_LEFT_OUT})

_OWNER_HEADINGS = {"groupName": "nom_amenageur"}
_AREA_HEADINGS = {"groupName": "code_insee_commune", "parent": "nom_amenageur"}
_STATION_HEADINGS = {"groupName": "nom_station", "publicGroupName": "nom_station", "parent": "code_insee_commune"}
_CHARGER_HEADINGS = {
    "evseId": "id_pdc_itinerance",
    "chargerName": "nom_station",
    "latitude": "coordonneesXY",
    "longitude": "coordonneesXY",
    **dict.fromkeys(("streetAddress", "streetNumber", "houseLetter", "postalNumber", "city"), "adresse_station"),
    **dict.fromkeys(("commissionedOn", "customProperties.commissionedOn"), _COMMISSIONED),
    **{f"customProperties.{name}": column for name, column in (_PROPERTIES | _SWITCHES).items()},
}
_SOCKET_HEADINGS = {
    plug: {
        "format": "cable_t2_attache",
        "maxPower": "puissance_nominale",
        "maxWatts": "puissance_nominale",
        "chargerId": "id_pdc_itinerance",
    }
    | dict.fromkeys(("id", "name", "type"), plug)
    for plug in _PLUGS
}


@dataclass(slots=True)
class Station:
    """The points of one station, and how often each spelling of what they share occurs."""

    external_id: str
    id_column: str
    row: int
    points: int = 0
    stated: Counter[int] = field(default_factory=Counter)
    names: Counter[str] = field(default_factory=Counter)
    places: Counter[tuple[str, str]] = field(default_factory=Counter)


class _Cell(Exception):
    """A cell that cannot be understood."""

    def __init__(self, column: str, message: str) -> None:
        self.column = column
        super().__init__(message)


def read(stream: IO[bytes], findings: Findings) -> Iterator[Draft]:
    """The rows of a register file: first chargers and sockets, then the sites above them."""
    register = _IrveRegister(findings)
    for row, cells in records(stream, findings, required=REQUIRED, known=KNOWN):
        yield from register.point(row, cells)
    yield from register.sites()
    if register.bare_points:
        findings.notes.append(_("%(count)s chargers have no socket in the file.") % {"count": register.bare_points})


class _IrveRegister:
    """Collects the stations of a file while its points pass by. What it decides depends on no order of rows."""

    def __init__(self, findings: Findings) -> None:
        self.findings = findings
        self.stations: dict[str, Station] = {}
        self.owners: dict[str, Counter[str]] = {}
        self.owner_rows: dict[str, int] = {}
        self.bare_points = 0
        self.charger_keys: set[str] = set()

    def point(self, row: int, cells: Cells) -> Iterator[Draft]:
        """One charging point with its sockets. Every wrong cell is noted, not the first alone."""
        reading = _IrveReading(row, cells, self.findings)
        station_id, station_column = reading.identity("id_station_itinerance", "id_station_local")
        charger_id, charger_column = reading.identity("id_pdc_itinerance", "id_pdc_local")
        stated = reading.whole_number("nbre_pdc")
        plugs = [plug for plug in _PLUGS if reading.boolean(plug)]
        values = reading.charger()
        sockets = reading.sockets(plugs)
        if not station_id or not charger_id:
            return
        self._add_to_station(row, cells, station_id, station_column, stated)
        values |= {"group": station_id, "chargerId": charger_id}
        if charger_column == "id_pdc_itinerance" and _is_evse_id(charger_id):
            values["evseId"] = charger_id
        self.bare_points += not plugs
        headings = _CHARGER_HEADINGS | {"chargerId": charger_column, "group": station_column}
        yield Draft("chargers", row, values, headings)
        key = comparison_key(charger_id)
        if key in self.charger_keys:
            return  # The charger is told to stand there twice; so are not its sockets.
        self.charger_keys.add(key)
        for number, (plug, socket) in enumerate(zip(plugs, sockets, strict=True), start=1):
            yield Draft("sockets", row, {"chargerId": charger_id, "id": number, **socket}, _SOCKET_HEADINGS[plug])

    def _add_to_station(self, row: int, cells: Cells, external_id: str, column: str, stated: int | None) -> None:
        station = self.stations.setdefault(comparison_key(external_id), Station(external_id, column, row))
        station.points += 1
        # Spellings differ in case; which of them is taken must not depend on the order of rows.
        station.external_id = min(station.external_id, external_id)
        if stated is not None:
            station.stated[stated] += 1
        owner = self._owner(row, cells)
        name = joined(cells["nom_station"])
        if not name:
            self.findings.warning(_("Is empty: the station is called by its id."), row=row, column="nom_station")
        station.names[name or external_id] += 1
        station.places[owner, self._area(row, cells)] += 1

    def _owner(self, row: int, cells: Cells) -> str:
        name = ""
        for column in ("nom_amenageur", "nom_operateur", "nom_enseigne"):
            name = joined(cells.get(column, ""))
            if name:
                break
        if not cells["nom_amenageur"]:
            message = _("Is empty: %(name)s is taken instead.") % {"name": name or UNKNOWN_NAME}
            self.findings.warning(message, row=row, column="nom_amenageur")
        name = name or UNKNOWN_NAME
        key = comparison_key(name)
        self.owners.setdefault(key, Counter())[name] += 1
        self.owner_rows.setdefault(key, row)
        return key

    def _area(self, row: int, cells: Cells) -> str:
        """The département; empty where no commune is given."""
        code = cells["code_insee_commune"].upper()
        if len(code) == 4 and code.isdigit():
            code = f"0{code}"  # A spreadsheet took it for a number.
        if code != cells["code_insee_commune"] or not _COMMUNE.fullmatch(code):
            message = (
                _("Is not the code of a commune, as in 75056: %(area)s is taken for the département.")
                if code
                else _("Is empty: the station is put directly below its owner.")
            )
            self.findings.warning(
                message % {"area": code[:2]}, row=row, column="code_insee_commune", value=cells["code_insee_commune"]
            )
        return joined(code[:2])

    def sites(self) -> Iterator[Draft]:
        """The sites above the points: owners, their départements, and the stations in these."""
        owners = {key: most_common(names) for key, names in self.owners.items()}
        areas: dict[tuple[str, str], int] = {}
        parents: dict[str, tuple[str, str]] = {}
        names: dict[str, str] = {}
        for key, station in self.stations.items():
            place = parents[key] = most_common(station.places)
            names[key] = most_common(station.names)
            areas[place] = min(areas.get(place, station.row), station.row)
            self._warn_of_differences(station)
        for key, name in owners.items():
            if any(owner == key for owner, _area in areas):
                values = {"groupName": name, "groupType": GroupType.SUB_CPO.value}
                yield Draft("sites", self.owner_rows[key], values, _OWNER_HEADINGS)
        for (owner, area), row in areas.items():
            if area:
                values = {"parent": (owners[owner],), "groupName": area, "groupType": GroupType.OTHER.value}
                yield Draft("sites", row, values, _AREA_HEADINGS)
        namesakes = Counter((parents[key], comparison_key(name)) for key, name in names.items())
        for key, station in self.stations.items():
            owner, area = parents[key]
            name = names[key]
            longer = with_id(name, station.external_id)
            is_shared = namesakes[parents[key], comparison_key(name)] > 1
            values = {
                "parent": (owners[owner], area) if area else (owners[owner],),
                "groupName": longer if is_shared else name,
                "externalId": station.external_id,
                "groupType": GroupType.SITE.value,
            }
            if is_shared:
                values["publicGroupName"] = name
            headings = _STATION_HEADINGS | {"externalId": station.id_column}
            yield Draft("sites", station.row, values, headings, {} if is_shared else {"groupName": longer})

    def _warn_of_differences(self, station: Station) -> None:
        warn = self.findings.warning
        wrong = [stated for stated in sorted(station.stated) if stated != station.points]
        if wrong:
            warn(
                _("Is not the number of rows of station %(station)s, which is %(points)s.")
                % {"station": station.external_id, "points": station.points},
                row=station.row,
                column="nbre_pdc",
                value=" / ".join(map(str, wrong)),
            )
        if len(station.names) > 1:
            message = _("Station %(station)s has several names: %(name)s is taken.")
            shown = {"station": station.external_id, "name": most_common(station.names)}
            warn(message % shown, row=station.row, column="nom_station")
        if len(station.places) > 1:
            message = _("Station %(station)s has several owners or départements: the one in most rows is taken.")
            warn(message % {"station": station.external_id}, row=station.row, column="id_station_itinerance")


class _IrveReading(RegisterReading):
    """One point, cell by cell."""

    __slots__ = ()

    def identity(self, column: str, local: str) -> tuple[str, str]:
        """The id for roaming, or the local one where there is none, and the column in which it stands."""
        value = self.cells[column]
        if value and comparison_key(value) != _NO_ID:
            return value, column
        value = self.cells.get(local, "")
        if not value:
            self.error(column, _("There is no id: fill in this column, or %(local)s.") % {"local": local})
        return value, local

    def boolean(self, column: str) -> bool | None:
        text = self.cells.get(column, "")
        if not text:
            if column in REQUIRED:
                self.error(column, _("Must not be empty: true or false."))
            return None
        value = _BOOLEANS.get(text.lower())
        if value is None:
            self.error(column, _("Must be true or false."))
        return value

    def whole_number(self, column: str) -> int | None:
        text = self.cells[column]
        if _WHOLE.fullmatch(text.removesuffix(".0")):
            return int(text.removesuffix(".0"))
        self.error(column, _("Must be an integer, such as 4."))
        return None

    def charger(self) -> dict[str, Any]:
        values: dict[str, Any] = french_address(self.cells["adresse_station"])
        values["country"] = "France"
        values["chargerName"] = joined(self.cells["nom_station"])
        coordinates = self.cells["coordonneesXY"]
        found = _COORDINATES.fullmatch(coordinates)
        if found:
            values["longitude"], values["latitude"] = float(found[1]), float(found[2])
        elif coordinates:
            self.error(
                "coordonneesXY", _("Is not a pair of coordinates: write [longitude, latitude], as in [2.35, 48.85].")
            )
        else:
            self.findings.warning(
                _("Empty: the charger is not shown on the map."), row=self.row, column="coordonneesXY"
            )
        for name, column in _PROPERTIES.items():
            if self.cells.get(column):
                values[f"customProperties.{name}"] = self.cells[column]
        commissioned = self.cells.get(_COMMISSIONED, "")
        # What is no date is kept as it is.
        values["commissionedOn" if is_iso_date(commissioned) else "customProperties.commissionedOn"] = commissioned
        for name, column in _SWITCHES.items():
            value = self.boolean(column)
            if value is not None:
                values[f"customProperties.{name}"] = "true" if value else "false"
        return {name: value for name, value in values.items() if value != ""}

    def sockets(self, plugs: list[str]) -> list[dict[str, Any]]:
        """What the sockets of this point are like. The power is the point's, whatever the plug could bear."""
        power = decimal(self.cells["puissance_nominale"])
        if power is None:
            self.error("puissance_nominale", _("Is not a power in kW: write a number from 0, as in 22.0."))
            power = 0.0
        has_cable = self.boolean("cable_t2_attache")
        return [self._socket(column, power, has_cable) for column in plugs]

    def _socket(self, column: str, power: float, has_cable: bool | None) -> dict[str, Any]:
        plug = _PLUGS[column]
        values: dict[str, Any] = {"name": plug.name, **power_values(power)}
        values |= {"type": plug.type, "format": plug.format, "socketPowerType": plug.power_type}
        if column == "prise_type_2":
            values["socketPowerType"] = ac_power_type(power)
            if has_cable is not None:
                values["format"] = "CABLE" if has_cable else "SOCKET"
        return {name: value for name, value in values.items() if value is not None}


def _is_evse_id(text: str) -> bool:
    try:
        validate_evse_id(text)
    except ValidationError:
        return False
    return True
