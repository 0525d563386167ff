"""The files that are imported: large, of plausible texts, and the same every time."""

from __future__ import annotations

import csv
import random
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

Row = dict[str, Any]

# How many points a station of the French register has, and which plugs its points: a sample as it is.
_POINTS = (1, 2, 2, 2, 2, 2, 2, 3, 3, 3, 4, 4, 5, 5, 5, 5, 6, 7, 9, 11, 20)
_PLUGS = ("prise_type_ef", "prise_type_2", "prise_type_combo_ccs", "prise_type_chademo", "prise_type_autre")
_EQUIPMENTS = (
    *[("prise_type_combo_ccs",)] * 10,
    *[("prise_type_2",)] * 6,
    *[("prise_type_ef", "prise_type_2")] * 4,
    *[("prise_type_autre",)] * 2,
    *[("prise_type_chademo",), ("prise_type_combo_ccs", "prise_type_chademo"), ()],
)
_BRANDS = ("Borne", "Électro", "Recharge", "Volt", "Énergie", "Mobilité", "Ampère", "Station")
_REGIONS = ("Alpes", "Armor", "Bourgogne", "Centre", "Gascogne", "Littoral", "Loire", "Métropole", "Provence", "Vosges")
_STREETS = ("Rue de la Gare", "Avenue Jean Jaurès", "Place du Marché", "Route de Lyon", "Quai des Îles", "Bd Voltaire")
_TOWNS = ("SAINT-MARTIN", "VILLENEUVE", "BEAUMONT", "MONTIGNY", "CHÂTILLON", "LA ROCHE", "FONTENAY", "ROQUEFORT")
_AREAS = [*range(1, 20), *range(21, 96)]
_LOCATIONS = ("Voirie", "Parking public", "Parking privé à usage public", "Station dédiée à la recharge rapide")


def write_register(path: Path, points: int) -> None:
    """So many rows of the French register: whole stations of 270 owners, each in a dozen départements."""
    _write(path, _points(points))


def _points(number: int) -> Iterator[Row]:
    dice = random.Random(2692)
    owners = [f"{brand} {region}" for brand in _BRANDS for region in _REGIONS] + [f"SIEGE {n}" for n in range(190)]
    written = 0
    for station in range(number):
        size = min(dice.choice(_POINTS), number - written)
        if not size:
            return
        owner = dice.randrange(len(owners))
        area = _AREAS[(owner + dice.randrange(12)) % len(_AREAS)]
        shared = _station(dice, station, owners[owner], area, size)
        for point in range(size):
            plugs = dice.choice(_EQUIPMENTS)
            yield {
                **shared,
                "id_pdc_itinerance": f"FRB{station % 90 + 10}E{station:06}{point + 1:02}",
                "id_pdc_local": dice.choice(("", f"{station}-{point + 1}")),
                "puissance_nominale": dice.choice(("150.0", "300.0", "50.0") if len(plugs) == 1 else ("22.0", "7.4")),
                **{plug: plug in plugs for plug in _PLUGS},
                "cable_t2_attache": dice.choice(("False", "True", "")),
            }
        written += size


def _station(dice: random.Random, number: int, owner: str, area: int, size: int) -> Row:
    town = dice.choice(_TOWNS)
    commune = f"{area:02}{dice.randrange(1000):03}"
    street = f"{dice.randrange(1, 200)} {dice.choice(_STREETS)}"
    return {
        "nom_amenageur": owner,
        "siren_amenageur": f"{sum(map(ord, owner)):09}",
        "contact_amenageur": "contact@example.org",
        "nom_operateur": dice.choice(_BRANDS),
        "contact_operateur": "contact@example.org",
        "telephone_operateur": "",
        "nom_enseigne": f"{owner} {dice.choice(_REGIONS)}",
        "id_station_itinerance": f"FRB{number % 90 + 10}P{number:06}",
        "id_station_local": dice.choice(("", f"L{number}")),
        "nom_station": f"{owner} - {town.title()} {street}",
        "implantation_station": dice.choice(_LOCATIONS),
        "adresse_station": f"{street}, {commune} {town}",
        "code_insee_commune": commune,
        "coordonneesXY": f"[{dice.uniform(-4, 8):.6f}, {dice.uniform(43, 51):.6f}]",
        "nbre_pdc": size,
        "gratuit": dice.choice(("False", "")),
        "paiement_acte": "True",
        "paiement_cb": dice.choice(("True", "False", "")),
        "paiement_autre": "True",
        "tarification": dice.choice(("", "", "", "0,45€ / kWh en continu")),
        "condition_acces": dice.choice(("Accès libre", "Accès libre", "Accès réservé")),
        "reservation": dice.choice(("False", "True")),
        "horaires": dice.choice(("24/7", "24/7", "Mo-Fr 08:00-19:00, Sa 09:00-12:00")),
        "accessibilite_pmr": dice.choice(("Accessibilité inconnue", "Accessible mais non réservé PMR")),
        "restriction_gabarit": "Aucune",
        "station_deux_roues": "False",
        "raccordement": "Direct",
        "num_pdl": "",
        "date_mise_en_service": f"20{dice.randrange(18, 26)}-{dice.randrange(1, 13):02}-01",
        "observations": "",
        "date_maj": "2025-07-21",
    }


def write_sites(path: Path, sites: int, branches: int = 50) -> None:
    """A table of sites: roots with so many branches each."""
    _write(path, (_site(number, branches) for number in range(sites)))


def _site(number: int, branches: int) -> Row:
    root = number // (branches + 1)
    is_root = number % (branches + 1) == 0
    return {
        "parent": "" if is_root else f"Region {root}",
        "groupName": f"Region {root}" if is_root else f"Car park {number}",
        "externalId": f"S-{number}",
    }


def write_chargers(path: Path, chargers: int, sites: int) -> None:
    """A table of chargers with most of its columns, spread over the sites that `write_sites` wrote."""
    _write(path, (_charger(number, number % sites) for number in range(chargers)))


def _charger(number: int, site: int) -> Row:
    return {
        "chargerId": f"NL-CTR-{number:06}",
        "group": f"S-{site}",
        "chargerName": f"Bay {number}",
        "manufacturer": "Alfen",
        "chargerModel": "Eve Double Pro-line",
        "serialNumber": f"ACE{number:07}",
        "latitude": 51 + number / 100_000,
        "longitude": 4.3 + site / 10_000,
        "streetAddress": "Zeekade",
        "streetNumber": number % 200,
        "postalNumber": "3511 AB",
        "city": "Utrecht",
        "area": "Utrecht",
        "country": "Netherlands",
        "evseId": f"NL*CTR*E{number:06}",
        "capabilities": "REMOTE_START_STOP_CAPABLE, RFID_READER",
        "iccid": f"8931{number:016}",
        "meterType": "Eastron SDM630",
        "customProperties.assetNumber": f"A-{number}",
        "customProperties.gridConnection": "3x80 A",
    }


def _write(path: Path, rows: Iterable[Row]) -> None:
    """As CSV, with the keys of the first row as its header."""
    remaining = iter(rows)
    first = next(remaining)
    with path.open("w", encoding="utf-8", newline="") as target:
        writer = csv.DictWriter(target, fieldnames=list(first))
        writer.writeheader()
        writer.writerow(first)
        writer.writerows(remaining)
