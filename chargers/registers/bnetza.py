"""The German register of charging devices (Bundesnetzagentur, edition of 2019), one row a charger.

https://www.bundesnetzagentur.de/ladesaeulenkarte. A charger has one to four charging points, and a socket for each plug
of theirs; above it stand its address, its town and, at the top, who operates it.

The register gives no ids, so they are made, out of what makes a charger that one: who runs it, where, since when,
and its plugs, compared as names are. Power, coordinates and all else may be corrected by the next edition without
making it another one. Those that are alike in all of this are numbered, in the order of the rest of their content and
never of their rows. Without the date and the plugs, the id of a charger that was taken away would pass to its
neighbour, with the rights on it and its sockets; that a corrected date makes a new charger beside the old one is the
lesser evil.
"""

from __future__ import annotations

import base64
import hashlib
import itertools
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import IO, Any

from django.utils.translation import gettext as _

from bulk.drafts import Draft, Findings
from bulk.files.csv_files import records
from chargers.registers.addresses import german_address
from chargers.registers.rows import (
    UNKNOWN_NAME,
    Cells,
    Plug,
    RegisterReading,
    ac_power_type,
    decimal,
    joined,
    most_common,
    power_values,
    with_id,
)
from hierarchy.models import GroupType
from hierarchy.text import comparison_key

# The levels of sites, from the top.
_LEVELS = {"Betreiber": GroupType.SUB_CPO, "Postleitzahl Ort": GroupType.OTHER, "Adresse": GroupType.SITE}
_COORDINATES = {"latitude": "Breitengrad [DG]", "longitude": "Längengrad [DG]"}
_COMMISSIONED = "Inbetriebnahmedatum"
_POINTS = tuple((f"Steckertypen{number}", f"P{number} [kW]") for number in range(1, 5))
_STATED_POINTS, _CONNECTED_POWER = "Anzahl Ladepunkte", "Anschlussleistung [kW]"

# What the product has no field for and people look for; the keys are those with which drivers check signed readings.
_TEXTS = {
    "deviceType": "Art der Ladeeinrichtung",
    **{f"publicKey{number}": f"Public Key{number}" for number in range(1, 5)},
}
_PROPERTIES = _TEXTS | {
    "connectedPowerKw": _CONNECTED_POWER,
    "chargingPoints": _STATED_POINTS,
}

REQUIRED = (*_LEVELS, *_COORDINATES.values(), _COMMISSIONED, *itertools.chain.from_iterable(_POINTS))
KNOWN = frozenset({*REQUIRED, *_PROPERTIES.values()})

# The first whose word stands in the text. OCPI has several words for a red CEE plug, by a current that is not given.
_PLUGS = {
    "combo": Plug("Combo CCS", "IEC_62196_T2_COMBO", "CABLE", "DC"),
    "chademo": Plug("CHAdeMO", "CHADEMO", "CABLE", "DC"),
    "schuko": Plug("Schuko", "DOMESTIC_F", "SOCKET", "AC_1_PHASE"),
    "cee 3": Plug("CEE 3", "IEC_60309_2_single_16", "SOCKET", "AC_1_PHASE"),
    "cee 5": Plug("CEE 5", None, "SOCKET", "AC_3_PHASE"),
    "typ 1": Plug("Type 1", "IEC_62196_T1", None, "AC_1_PHASE"),
    "typ 2": Plug("Type 2", "IEC_62196_T2", None, None),
}
_FORMATS = {"steckdose": "SOCKET", "kupplung": "CABLE"}

_POSTAL = re.compile(r"([0-9]+)\s+(.+)")
_POSTAL_DIGITS = 5
_DEGREES = re.compile(r"-?\d{1,3}([.,]\d{1,20})?")
# Spreadsheets write 51.234999999999999 for 51.235; this is a centimetre.
_DEGREE_DIGITS = 7
# Five digits: from 1927 to 2173. A year alone is no date.
_SERIAL = re.compile(r"(\d{5})([.,]\d{1,20})?")
_SERIAL_START = date(1899, 12, 30)

# The id stands in no column.
_CHARGER_HEADINGS = {
    "chargerId": "",
    **_COORDINATES,
    "chargerName": "Adresse",
    "group": "Adresse",
    **dict.fromkeys(("streetAddress", "streetNumber", "houseLetter"), "Adresse"),
    **dict.fromkeys(("postalNumber", "city"), "Postleitzahl Ort"),
    "commissionedOn": _COMMISSIONED,
    **{f"customProperties.{name}": column for name, column in _PROPERTIES.items()},
}
_SITE_HEADINGS = [{"groupName": column} for column in _LEVELS]
_SOCKET_HEADINGS = [
    {"maxPower": power, "maxWatts": power, **dict.fromkeys(("name", "type", "format", "socketPowerType"), plugs)}
    for plugs, power in _POINTS
]

_NAMES_IN_ORDER = {"commissionedOn": "customProperties.commissionedOn"}

Path = tuple[str, ...]


@dataclass(slots=True)
class Device:
    """A row as a charger that has no id yet. `sockets` are told by the point they belong to, `site` by keys."""

    row: int
    site: Path
    values: dict[str, Any]
    sockets: list[tuple[int, dict[str, Any]]]

    def content(self) -> Any:
        """What tells it from others that would have its id, in a form that can be put in order."""
        sockets = [(point, sorted(socket.items())) for point, socket in self.sockets]
        # Ids follow from this order, in which the date once was a custom property: they stay.
        values = {_NAMES_IN_ORDER.get(name, name): value for name, value in self.values.items()}
        return sockets, sorted(values.items())

    def socket_drafts(self, charger_id: str) -> Iterator[Draft]:
        has_several_points = len({point for point, _socket in self.sockets}) > 1
        for place, (point, socket) in enumerate(self.sockets, start=1):
            values = {"chargerId": charger_id, "id": place, **socket}
            if has_several_points:
                values["name"] = f"{socket['name']} ({point + 1})"
            yield Draft("sockets", self.row, values, _SOCKET_HEADINGS[point])


def read(stream: IO[bytes], findings: Findings) -> Iterator[Draft]:
    """The rows of a register file: first the sites, then the chargers with their sockets."""
    register = _BnetzaRegister(findings)
    for row, cells in records(stream, findings, required=REQUIRED, known=KNOWN):
        register.add(row, cells)
    yield from register.sites()
    yield from register.chargers()
    register.tell()


class _BnetzaRegister:
    """Collects the rows of a file. What it decides depends on no order of theirs."""

    def __init__(self, findings: Findings) -> None:
        self.findings = findings
        self.spellings: dict[Path, Counter[str]] = {}
        self.first_rows: dict[Path, int] = {}
        self.devices: dict[str, list[Device]] = {}

    def add(self, row: int, cells: Cells) -> None:
        reading = _BnetzaReading(row, cells, self.findings)
        names = reading.names()
        site = tuple(comparison_key(name) for name in names)
        for depth, name in enumerate(names, start=1):
            self.spellings.setdefault(site[:depth], Counter())[name] += 1
            self.first_rows.setdefault(site[:depth], row)
        values = reading.charger()
        sockets = reading.sockets()
        identity = [*site, values.get("commissionedOn", ""), *sorted(map(_word, sockets))]
        id_ = _made_id(_address(names).get("postalNumber", ""), identity)
        self.devices.setdefault(id_, []).append(Device(row, site, values, sockets))

    def sites(self) -> Iterator[Draft]:
        """Operators, their towns and the addresses in these, what is above first."""
        kinds = list(_LEVELS.values())
        for path in sorted(self.spellings, key=len):
            depth = len(path) - 1
            values = {"groupName": self._names(path)[-1], "groupType": kinds[depth].value}
            if depth:
                values["parent"] = self._names(path[:-1])
            yield Draft("sites", self.first_rows[path], values, _SITE_HEADINGS[depth])

    def chargers(self) -> Iterator[Draft]:
        """The chargers, each with its sockets. Where an address has several, their names end in their ids."""
        neighbours = Counter(device.site for device in itertools.chain.from_iterable(self.devices.values()))
        for id_, devices in self.devices.items():
            for number, device in enumerate(sorted(devices, key=Device.content), start=1):
                charger_id = f"{id_}-{number}" if number > 1 else id_
                path = self._names(device.site)
                is_alone = neighbours[device.site] == 1
                values = {
                    "chargerId": charger_id,
                    "group": path,
                    "chargerName": path[-1] if is_alone else with_id(path[-1], charger_id),
                    **_address(path),
                    **device.values,
                }
                yield Draft("chargers", device.row, values, _CHARGER_HEADINGS)
                yield from device.socket_drafts(charger_id)

    def tell(self) -> None:
        """What is worth saying of the whole file."""
        bare = sum(not device.sockets for device in itertools.chain.from_iterable(self.devices.values()))
        if bare:
            self.findings.notes.append(_("%(count)s chargers have no socket in the file.") % {"count": bare})
        alike = sum(len(devices) - 1 for devices in self.devices.values())
        if alike:
            message = _(
                "%(count)s chargers have the operator, address, date and plugs of another: their ids end in a number."
            )
            self.findings.notes.append(message % {"count": alike})

    def _names(self, path: Path) -> Path:
        """The path in the spellings that most rows have."""
        return tuple(most_common(self.spellings[path[:depth]]) for depth in range(1, len(path) + 1))


class _BnetzaReading(RegisterReading):
    """One charger, cell by cell."""

    __slots__ = ()

    def names(self) -> Path:
        """The names of the sites above and of its own."""
        names = _operator, town, _site = tuple(self._name(column) for column in _LEVELS)
        parts = _POSTAL.fullmatch(town)
        if town != UNKNOWN_NAME and not (parts and len(parts[1]) == _POSTAL_DIGITS):
            message = _("Is not a post code of five digits and a town, as in 01067 Dresden.")
            self.warning("Postleitzahl Ort", message)
        return names

    def _name(self, column: str) -> str:
        name = joined(self.cells[column])
        if not name:
            self.warning(column, _("Is empty: %(name)s is taken instead.") % {"name": UNKNOWN_NAME})
        return name or UNKNOWN_NAME

    def charger(self) -> dict[str, Any]:
        properties = {name: joined(self.cells.get(column, "")) for name, column in _TEXTS.items()}
        properties |= {
            "connectedPowerKw": self._connected_power(),
            "chargingPoints": self._stated_points(),
        }
        texts = {f"customProperties.{name}": text for name, text in properties.items() if text}
        commissioned = self._commissioned()
        return self._coordinates() | ({"commissionedOn": commissioned} if commissioned else {}) | texts

    def _coordinates(self) -> dict[str, Any]:
        """Both or none: one alone is no place."""
        found = {}
        for name, column in _COORDINATES.items():
            text = self.cells[column]
            if _DEGREES.fullmatch(text):
                found[name] = round(float(text.replace(",", ".")), _DEGREE_DIGITS)
            elif text:
                self.error(column, _("Is not a coordinate: write degrees, as in 13.744003."))
            else:
                self.warning(column, _("Empty: the charger is not shown on the map."))
        return found if len(found) == len(_COORDINATES) else {}

    def _commissioned(self) -> str:
        """The date in ISO form; spreadsheets leave the number of days since 1899-12-30, and perhaps a time of day."""
        text = self.cells[_COMMISSIONED]
        serial = _SERIAL.fullmatch(text)
        if serial:
            return (_SERIAL_START + timedelta(days=int(serial[1]))).isoformat()
        for form in ("%Y-%m-%d", "%d.%m.%Y"):
            try:
                return datetime.strptime(text, form).date().isoformat()
            except ValueError:
                continue
        if text:
            self.error(_COMMISSIONED, _("Is not a date: write it as in 2018-10-30, or as the number 43403."))
        return ""

    def _connected_power(self) -> str:
        power = self._power(_CONNECTED_POWER)
        return "" if power is None else f"{round(power, 3):g}"

    def _power(self, column: str) -> float | None:
        text = self.cells.get(column, "")
        power = decimal(text)
        if text and power is None:
            self.error(column, _("Is not a power in kW: write a number from 0, as in 22.0."))
        return power

    def _stated_points(self) -> str:
        """The stated number of charging points; a warning where it is not that of the points described."""
        text = self.cells.get(_STATED_POINTS, "")
        described = sum(bool(self.cells[plugs]) for plugs, _power in _POINTS)
        if text and text != str(described):
            message = _("Is not the number of charging points described in this row, which is %(points)s.")
            self.warning(_STATED_POINTS, message % {"points": described})
        return text

    def sockets(self) -> list[tuple[int, dict[str, Any]]]:
        """The sockets, each with the place of its charging point. The power is the point's, whatever the plug bears."""
        plugs = [[joined(item) for item in self.cells[column].split(",")] for column, _power in _POINTS]
        found = []
        for point, items in enumerate(plugs):
            power = self._point_power(point, is_described=any(items))
            found += [(point, self._socket(_POINTS[point][0], item, power)) for item in items if item]
        return found

    def _point_power(self, point: int, *, is_described: bool) -> float | None:
        plugs, column = _POINTS[point]
        power = self._power(column)
        if is_described and not self.cells[column]:
            self.warning(column, _("Is empty: the power of these sockets stays unknown."))
        elif self.cells[column] and not is_described:
            message = _("Is left out, because %(column)s is empty: name the plugs of this power there.")
            self.warning(column, message % {"column": plugs})
        return power

    def _socket(self, column: str, text: str, power: float | None) -> dict[str, Any]:
        words = comparison_key(text).replace("-", " ")
        plug = next((plug for word, plug in _PLUGS.items() if word in words), None)
        if plug is None:
            self.warning(column, _("Has a plug that is not known: %(text)s is taken for its name.") % {"text": text})
            plug = Plug(text, None, None, None)
        power_type = "DC" if words.startswith("dc ") else plug.power_type
        if power_type is None and power is not None and words.startswith("ac "):
            power_type = ac_power_type(power)
        form = plug.format or next((form for word, form in _FORMATS.items() if word in words), None)
        values = {"name": plug.name, "type": plug.type, "format": form, "socketPowerType": power_type}
        values |= power_values(power) if power is not None else {}
        return {name: value for name, value in values.items() if value is not None}


def _address(path: Path) -> dict[str, str]:
    """Where the chargers of a site are, as far as its names tell."""
    _operator, town, address = path
    parts = _POSTAL.fullmatch(town)
    values = {"postalNumber": parts[1], "city": parts[2]} if parts else {"city": town}
    values |= {**german_address(address), "country": "Germany"}
    return {name: text for name, text in values.items() if text != UNKNOWN_NAME}


def _word(socket: tuple[int, dict[str, Any]]) -> str:
    """A plug as it goes into ids: OCPI's words, which stay when the register's wording changes."""
    _point, values = socket
    return f"{values.get('type') or comparison_key(values['name'])} {values.get('format', '')}"


def _made_id(post_code: str, identity: list[str]) -> str:
    """An id of letters, digits and hyphens that begins readably and depends on nothing but `identity`."""
    digest = hashlib.sha256("\n".join(identity).encode()).digest()
    return "-".join(filter(None, ("DE", post_code[:_POSTAL_DIGITS], base64.b32encode(digest[:5]).decode())))
