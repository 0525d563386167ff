"""The countries, regions, cities and streets of the demo, and the words in which its networks speak."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class City:
    """A city with real streets; latitude and longitude (degrees) are those of its centre."""

    name: str
    postal_number: str
    latitude: float
    longitude: float
    streets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Country:
    """`regions` holds the cities of each; the last fields are patterns for names."""

    name: str
    code: str
    time_zone: str
    brand: str
    operator_code: str
    regions: Mapping[str, tuple[City, ...]]
    first_names: tuple[str, ...]
    last_names: tuple[str, ...]
    head_office: str
    locations: tuple[str, ...]
    level: str
    circuit: str
    vehicle: str


_DUTCH_REGIONS = {
    "Utrecht": (
        City("Utrecht", "3511", 52.0907, 5.1214, ("Croeselaan", "Springweg", "Catharijnesingel", "Vredenburg")),
        City("Amersfoort", "3811", 52.1561, 5.3878, ("Stationsplein", "Leusderweg", "Utrechtseweg", "Eemplein")),
        City("Zeist", "3701", 52.0907, 5.2332, ("Slotlaan", "Utrechtseweg", "Steynlaan", "Boulevard")),
    ),
    "Noord-Holland": (
        City("Amsterdam", "1017", 52.3676, 4.9041, ("Stadhouderskade", "Overtoom", "Weesperstraat", "De Boelelaan")),
        City("Haarlem", "2011", 52.3874, 4.6462, ("Raaks", "Gedempte Oude Gracht", "Kenaupark", "Houtplein")),
        City("Alkmaar", "1811", 52.6324, 4.7534, ("Paternosterstraat", "Kanaalkade", "Nieuwesloot")),
    ),
    "Noord-Brabant": (
        City("Eindhoven", "5611", 51.4416, 5.4697, ("Vestdijk", "Mathildelaan", "Kennedylaan", "Boschdijk")),
        City("Breda", "4811", 51.5719, 4.7683, ("Chasséveld", "Claudius Prinsenlaan", "Haagdijk", "Ginnekenweg")),
        City("Tilburg", "5038", 51.5555, 5.0913, ("Spoorlaan", "Heuvelring", "Ringbaan-Oost", "Schouwburgring")),
    ),
}

_GERMAN_REGIONS = {
    "Hamburg": (
        City(
            "Hamburg", "20095", 53.5511, 9.9937, ("Spitalerstraße", "Mönckebergstraße", "Große Bleichen", "Ballindamm")
        ),
        City("Bergedorf", "21029", 53.4894, 10.2107, ("Sachsentor", "Vierlandenstraße", "Kurt-A.-Körber-Chaussee")),
    ),
    "Niedersachsen": (
        City("Hannover", "30159", 52.3759, 9.7320, ("Osterstraße", "Schmiedestraße", "Raschplatz", "Georgstraße")),
        City("Braunschweig", "38100", 52.2689, 10.5268, ("Bohlweg", "Lange Straße", "Hagenring", "Celler Straße")),
        City("Oldenburg", "26122", 53.1435, 8.2146, ("Heiligengeistwall", "Staulinie", "Nadorster Straße")),
    ),
    "Schleswig-Holstein": (
        City("Kiel", "24103", 54.3233, 10.1228, ("Holstenstraße", "Sophienblatt", "Andreas-Gayk-Straße")),
        City("Lübeck", "23552", 53.8655, 10.6866, ("Wahmstraße", "Kanalstraße", "Fackenburger Allee", "Beckergrube")),
        City("Flensburg", "24937", 54.7937, 9.4469, ("Süderhofenden", "Norderstraße", "Rathausstraße")),
    ),
}

# fmt: off
_DUTCH_FIRST_NAMES = (
    "Sanne", "Daan", "Fatima", "Jeroen", "Lotte", "Bram", "Anouk", "Mohammed", "Femke", "Ruben", "Eva", "Thijs", "Noor",
    "Sem", "Iris", "Joris", "Yasmin", "Koen", "Maud", "Stijn",
)
_DUTCH_LAST_NAMES = (
    "de Vries", "Jansen", "van den Berg", "Bakker", "Visser", "Smit", "Meijer", "El Idrissi", "Mulder", "de Boer",
    "Dekker", "Peters", "Yılmaz", "van Dijk", "Hendriks", "Kok", "Vermeulen", "van der Meer",
)
_GERMAN_FIRST_NAMES = (
    "Anna", "Lukas", "Leonie", "Jonas", "Ayşe", "Felix", "Marie", "Paul", "Sophie", "Emre", "Lena", "Tim", "Clara",
    "Finn", "Jule", "Moritz", "Greta", "Jannik", "Nele", "Ole",
)
_GERMAN_LAST_NAMES = (
    "Müller", "Schmidt", "Petersen", "Fischer", "Weber", "Hansen", "Kaya", "Schröder", "Krüger", "Lorenzen", "Vogt",
    "Brandt", "Weiß", "Jürgensen", "Nowak", "Böhm", "Thomsen", "Seidel",
)
# fmt: on

COUNTRIES = (
    Country(
        name="Nederland",
        code="NL",
        time_zone="Europe/Amsterdam",
        brand="Polderstroom",
        operator_code="PLS",
        regions=_DUTCH_REGIONS,
        first_names=_DUTCH_FIRST_NAMES,
        last_names=_DUTCH_LAST_NAMES,
        head_office="Hoofdkantoor",
        locations=("Parkeergarage {}", "P+R {}", "Laadplein {}", "Kantoor {}", "Ziekenhuis {}", "Woongebouw {}"),
        level="Laag -{}",
        circuit="Groep {}",
        vehicle="Bestelbus V-{number}-{letters}",
    ),
    Country(
        name="Deutschland",
        code="DE",
        time_zone="Europe/Berlin",
        brand="Hanselade",
        operator_code="HLD",
        regions=_GERMAN_REGIONS,
        first_names=_GERMAN_FIRST_NAMES,
        last_names=_GERMAN_LAST_NAMES,
        head_office="Zentrale",
        locations=("Parkhaus {}", "P+R {}", "Ladepark {}", "Bürohaus {}", "Klinikum {}", "Wohnanlage {}"),
        level="Ebene -{}",
        circuit="Stromkreis {}",
        vehicle="Lieferwagen HH-{letters} {number}E",
    ),
)
