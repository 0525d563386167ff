"""`import_network --format bnetza`: a register without ids becomes a network, always the same one."""

import csv
import datetime
import io
import random
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.core.management import CommandError, call_command

from bulk.drafts import Findings
from chargers.models import Charger, Socket
from chargers.registers import bnetza
from chargers.registers.addresses import german_address
from hierarchy import tree_check
from hierarchy.models import Change, Customer, Site

REGISTER = Path(__file__).parent.parent / "data" / "bnetza-ladesaeulenkarte.csv"
TABLES = ("sites", "chargers", "sockets")
LOADED = {"sites": [40, 0, 0, 0], "chargers": [23, 0, 0, 0], "sockets": [51, 0, 0, 0]}
AGAIN = {"sites": [0, 0, 0, 40], "chargers": [0, 0, 0, 23], "sockets": [0, 0, 0, 51]}


@pytest.fixture
def rows():
    """The register's rows, to be changed and written again. Row 2 of the file is the first."""
    return list(csv.DictReader(REGISTER.read_text("utf-8").splitlines(), delimiter=";"))


@pytest.fixture
def load(tmp_path, capsys):
    """Imports a file, given as text or as rows, and says what came of it."""

    def run(content=None):
        path = tmp_path / "register.csv"
        if content is None:
            path = REGISTER
        else:
            path.write_text(content if isinstance(content, str) else _written(content), "utf-8")
        answer = SimpleNamespace(code=0)
        try:
            call_command("import_network", str(path), "--format=bnetza", "--customer=Germany")
        except CommandError as error:
            answer.code = error.returncode
        answer.text = capsys.readouterr().out
        lines = [line.split() for line in answer.text.splitlines()]
        found = {line[0]: [int(n) for n in line[1:]] for line in lines if line[:1] and line[0] in TABLES}
        answer.counts = {table: numbers[:3] + numbers[4:] for table, numbers in found.items()}
        return answer

    return run


def _written(rows):
    text = io.StringIO()
    writer = csv.DictWriter(text, rows[0], delimiter=";")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _read(rows):
    """What the register's reader makes of rows, without the database: drafts by table, and findings."""
    findings = Findings("register.csv")
    drafts = {name: [] for name in TABLES}
    for draft in bnetza.read(io.BytesIO(_written(rows).encode()), findings):
        drafts[draft.table].append(draft)
    return drafts, findings


def _ids(rows):
    return [draft.values["chargerId"] for draft in sorted(_read(rows)[0]["chargers"], key=lambda draft: draft.row)]


@pytest.mark.django_db
def test_it_works(load):
    answer = load()
    assert answer.code == 0
    assert answer.counts == LOADED
    assert "5 warnings:" in answer.text
    for told in (
        "row 5, column Postleitzahl Ort: '4474 Vilshofen an der Donau': Is not a post code of five digits",
        "row 6, column Postleitzahl Ort: '4474",
        "row 14, column Postleitzahl Ort: '671319 Wattenheim'",
        "row 17, column Anzahl Ladepunkte: '4': Is not the number of charging points described in this row, which is 2",
        "row 22, column P2 [kW]: '22': Is left out, because Steckertypen2 is empty",
        "5 chargers have the operator, address, date and plugs of another: their ids end in a number.",
    ):
        assert told in answer.text
    assert Counter(Site.objects.order_by().values_list("group_type", flat=True)) == {0: 12, 4: 13, 1: 15}
    assert tree_check.check() == []


@pytest.mark.django_db
def test_a_second_import_changes_nothing_whatever_the_order_of_rows(load, rows):
    load()
    before = Change.objects.count()
    random.Random(7).shuffle(rows)
    answer = load(rows)
    assert answer.counts == AGAIN
    assert "Nothing to do" in answer.text
    assert Change.objects.count() == before


@pytest.mark.django_db
def test_a_row_becomes_a_charger_with_a_socket_for_each_plug(load):
    load()
    charger = Charger.objects.get(name="Waltherstraße 9")
    assert [site.name for site in charger.site.get_ancestors(include_self=True)] == [
        "DREWAG Stadtwerke Dresden GmbH",
        "01067 Dresden",
        "Waltherstraße 9",
    ]
    assert charger.charger_id == "DE-01067-WW6JCGXG"
    assert (charger.latitude, charger.longitude) == (51.06025, 13.712142)
    assert (charger.street_address, charger.street_number, charger.postal_number, charger.city, charger.country) == (
        *("Waltherstraße", "9", "01067", "Dresden", "Germany"),
    )
    assert charger.commissioned_on == datetime.date(2019, 2, 18)
    assert charger.custom_properties == {
        "connectedPowerKw": "33",
        "chargingPoints": "4",
        "deviceType": "Normalladeeinrichtung",
    }
    sockets = Socket.objects.filter(charger=charger).order_by("number")
    assert list(sockets.values_list("number", "name", "type", "format", "power_type", "max_power_w", "max_power")) == [
        (1, "Type 2 (1)", "IEC_62196_T2", "SOCKET", "AC_3_PHASE", 22000, "22 kW"),
        (2, "Schuko (2)", "DOMESTIC_F", "SOCKET", "AC_1_PHASE", 3700, "3.7 kW"),
        (3, "Type 2 (3)", "IEC_62196_T2", "SOCKET", "AC_3_PHASE", 22000, "22 kW"),
        (4, "Schuko (4)", "DOMESTIC_F", "SOCKET", "AC_1_PHASE", 3700, "3.7 kW"),
    ]


@pytest.mark.django_db
def test_the_next_edition_changes_the_chargers_that_it_corrects(load, rows):
    load()
    rows[0]["P1 [kW]"] = "80"
    rows[1]["Breitengrad [DG]"] = "51,0603"
    rows[5] |= {"Betreiber": "Innogy  eMobility Solutions GmbH", "Adresse": "WESELER STR. 480 "}
    rows[2]["Anzahl Ladepunkte"] = "3"
    rows[10] |= {"Steckertypen1": "AC CEE 5-polig, AC Schuko"}
    rows[12]["Steckertypen1"], rows[12]["P1 [kW]"] = "AC Typ 2 Kabelkupplung", "22"
    answer = load(rows)
    assert answer.counts["sites"] == [0, 0, 0, 40]
    assert answer.counts["chargers"] == [0, 2, 0, 21]
    assert answer.counts["sockets"] == [0, 5, 0, 46]
    assert Charger.objects.get(name="Waltherstraße 9").latitude == 51.0603


@pytest.mark.django_db
def test_all_wrong_cells_are_told_at_once_and_nothing_is_written(load, rows):
    wrong = [
        (2, "Inbetriebnahmedatum", "yesterday", "Is not a date"),
        (3, "Inbetriebnahmedatum", "2019", "Is not a date"),
        (4, "Inbetriebnahmedatum", "31.02.2019", "Is not a date"),
        (5, "P3 [kW]", "-22", "Is not a power in kW"),
        (5, "Anschlussleistung [kW]", "nan", "Is not a power in kW"),
        (6, "P1 [kW]", "999999999", "2147483647"),
        (7, "Breitengrad [DG]", "north", "Is not a coordinate"),
        (8, "Längengrad [DG]", "181", "180"),
        (9, "Adresse", "x" * 300, "255"),
        (10, "Betreiber", "a\x1bb", ""),
    ]
    for row, column, value, _message in wrong:
        rows[row - 2][column] = value
    answer = load(rows)
    assert answer.code == 1
    for row, column, _value, message in wrong:
        told = [line for line in answer.text.splitlines() if f"row {row}, column {column}: " in line]
        assert any(message in line for line in told), (row, column, answer.text)
    assert not Customer.objects.exists() and not Change.objects.exists()


@pytest.mark.django_db
def test_a_file_without_its_columns_is_refused(load, rows):
    newer = [
        {{"Adresse": "Straße", "Längengrad [DG]": "Längengrad"}.get(k, k): v for k, v in row.items()} for row in rows
    ]
    answer = load(newer)
    assert answer.code == 1
    assert "row 1, column Adresse: This column is missing." in answer.text
    assert "row 1, column Längengrad [DG]: This column is missing. Did you write it Längengrad?" in answer.text
    preamble = "Ladesäulenregister Bundesnetzagentur;;;\n;;;\nStand: 01.12.2021;;;\n"
    answer = load(preamble + _written(rows))
    assert answer.code == 1
    assert "row 1, column Betreiber: This column is missing." in answer.text
    assert not Customer.objects.exists()


def test_rows_that_are_the_same_are_numbered(rows):
    ids = _ids(rows)
    assert len(set(ids)) == len(rows)
    first = min(ids[5:9], key=len)
    assert sorted(ids[5:9]) == [first, f"{first}-2", f"{first}-3", f"{first}-4"]
    assert all(id_.startswith("DE-48163-") for id_ in ids[5:9])


def test_what_is_made_of_rows_does_not_depend_on_their_order(rows):
    def made(rows):
        drafts, _findings = _read(rows)
        return {name: sorted(repr(draft.values) for draft in drafts[name]) for name in TABLES}

    expected = made(rows)
    for seed in range(10):
        random.Random(seed).shuffle(rows)
        assert made(rows) == expected


def test_an_id_is_made_of_operator_address_date_and_plugs(rows):
    """The first row is alone at its address; each change is made to that row as it was."""
    same = [
        {"Adresse": " RINGSTRASSE  0", "Postleitzahl Ort": "01067\xa0dresden"},
        {"Inbetriebnahmedatum": "30.10.2018"},
        {"Inbetriebnahmedatum": "2018-10-30"},
        {"Inbetriebnahmedatum": "43403,75"},
        {"Steckertypen1": "DC CHAdeMO, DC Fahrzeugkupplung Typ Combo 2 (CCS)"},
        {
            "Steckertypen1": "DC CHAdeMO",
            "Steckertypen2": "DC Kupplung Combo",
            "P2 [kW]": "75",
            "Anzahl Ladepunkte": "2",
        },
        {"P1 [kW]": "60", "Anschlussleistung [kW]": "", "Art der Ladeeinrichtung": "?"},
        {"Längengrad [DG]": "13,7", "Breitengrad [DG]": ""},
    ]
    other = [
        {"Betreiber": "Somebody else"},
        {"Adresse": "Ringstraße 1"},
        {"Postleitzahl Ort": "01069 Dresden"},
        {"Inbetriebnahmedatum": "43404"},
        {"Inbetriebnahmedatum": ""},
        {"Steckertypen1": "DC Kupplung Combo"},
        {"Steckertypen1": "DC Kupplung Combo, DC CHAdeMO, DC CHAdeMO"},
    ]
    id_ = _ids(rows)[0]
    assert [_ids([{**rows[0], **change}]) for change in same] == [[id_]] * len(same)
    changed = [_ids([{**rows[0], **change}])[0] for change in other]
    assert len({id_, *changed}) == len(other) + 1


def test_a_charger_that_is_taken_away_leaves_the_ids_of_the_others(rows):
    ids = _ids(rows)
    for gone in (0, 3, 16):
        assert _ids(rows[:gone] + rows[gone + 1 :]) == ids[:gone] + ids[gone + 1 :]


def test_names_tell_chargers_of_one_address_apart(rows):
    drafts, _findings = _read(rows)
    names = {draft.row: draft.values["chargerName"] for draft in drafts["chargers"]}
    ids = dict(enumerate(_ids(rows), start=2))
    assert names[2] == "Ringstraße 0"
    assert names[5] == f"Bahnhofstraße 4 ({ids[5]})"
    assert len(set(names.values())) == len(names)
    lower = {**rows[0], "Betreiber": rows[0]["Betreiber"].lower()}
    drafts, _findings = _read([lower, rows[0], rows[0]])
    assert drafts["sites"][0].values["groupName"] == "DREWAG Stadtwerke Dresden GmbH"
    long = {**rows[0], "Adresse": "x" * 255}
    drafts, _findings = _read([long, long])
    assert [len(draft.values["chargerName"]) for draft in drafts["chargers"]] == [255, 255]


def test_what_a_register_lacks_is_a_warning(rows):
    lacking = [
        ({"Betreiber": ""}, "column Betreiber: Is empty: ? is taken instead."),
        ({"Adresse": ""}, "column Adresse: Is empty: ? is taken instead."),
        ({"Postleitzahl Ort": "Dresden"}, "column Postleitzahl Ort: 'Dresden': Is not a post code"),
        ({"Breitengrad [DG]": ""}, "column Breitengrad [DG]: Empty: the charger is not shown on the map."),
        ({"P1 [kW]": ""}, "column P1 [kW]: Is empty: the power of these sockets stays unknown."),
        ({"Steckertypen1": "DC Kupplung Combo, XY 9"}, "column Steckertypen1: 'DC Kupplung Combo, XY 9': Has a plug"),
    ]
    drafts, findings = _read([{**rows[0], **change} for change, _message in lacking])
    assert not findings.errors
    told = [str(warning) for warning in findings.warnings]
    for row, (_change, message) in enumerate(lacking, start=2):
        assert any(f"row {row}, {message}" in line for line in told), (message, told)
    assert len(told) == len(lacking)
    assert len(drafts["chargers"]) == len(lacking)
    by_row = {draft.row: draft.values for draft in drafts["chargers"]}
    assert by_row[2]["group"] == ("?", "01067 Dresden", "Ringstraße 0")
    assert "streetAddress" not in by_row[3] and "postalNumber" not in by_row[4] and by_row[4]["city"] == "Dresden"
    assert "latitude" not in by_row[5] and "longitude" not in by_row[5]
    assert [draft.values.get("maxWatts") for draft in drafts["sockets"] if draft.row == 6] == [None, None]
    unknown = drafts["sockets"][-1].values
    assert (unknown["name"], unknown["maxWatts"], unknown.get("type")) == ("XY 9", 75000, None)


def test_a_charger_without_any_plug_is_noted(rows):
    drafts, findings = _read([{**rows[0], "Steckertypen1": "", "P1 [kW]": "", "Anzahl Ladepunkte": "0"}])
    assert findings.notes == ["1 chargers have no socket in the file."]
    assert not findings.warnings and not drafts["sockets"] and len(drafts["chargers"]) == 1


def test_keys_of_signed_readings_are_custom_properties(rows):
    drafts, findings = _read([{**rows[0], "Public Key1": "3059 3013", "Public Key2": "", "Kreis": "Dresden"}])
    values = drafts["chargers"][0].values
    assert values["customProperties.publicKey1"] == "3059 3013"
    assert "customProperties.publicKey2" not in values
    assert "left out: Kreis" in str(findings.warnings[0])


PLUGS = [
    ("AC Steckdose Typ 2", "22", ("Type 2", "IEC_62196_T2", "SOCKET", "AC_3_PHASE")),
    ("AC Kupplung Typ 2", "7,4", ("Type 2", "IEC_62196_T2", "CABLE", "AC_1_PHASE")),
    ("AC Typ 2 Fahrzeugkupplung", "", ("Type 2", "IEC_62196_T2", "CABLE", None)),
    ("DC Kupplung Typ 2", "120", ("Type 2", "IEC_62196_T2", "CABLE", "DC")),
    ("DC Kupplung Combo", "50", ("Combo CCS", "IEC_62196_T2_COMBO", "CABLE", "DC")),
    ("DC Fahrzeugkupplung Typ Combo 2 (CCS)", "50", ("Combo CCS", "IEC_62196_T2_COMBO", "CABLE", "DC")),
    ("DC CHAdeMO", "50", ("CHAdeMO", "CHADEMO", "CABLE", "DC")),
    ("AC Schuko", "22", ("Schuko", "DOMESTIC_F", "SOCKET", "AC_1_PHASE")),
    ("AC CEE 3 polig", "3.7", ("CEE 3", "IEC_60309_2_single_16", "SOCKET", "AC_1_PHASE")),
    ("AC CEE 5-polig", "11", ("CEE 5", None, "SOCKET", "AC_3_PHASE")),
    ("AC Kupplung Typ 1", "4.6", ("Type 1", "IEC_62196_T1", "CABLE", "AC_1_PHASE")),
]  # fmt: skip


def test_plugs_in_the_words_of_ocpi(rows):
    drafts, findings = _read([{**rows[0], "Steckertypen1": text, "P1 [kW]": power} for text, power, _plug in PLUGS])
    found = [
        tuple(draft.values.get(name) for name in ("name", "type", "format", "socketPowerType"))
        for draft in sorted(drafts["sockets"], key=lambda draft: draft.row)
    ]
    assert found == [plug for _text, _power, plug in PLUGS]
    assert [finding.row for finding in findings.warnings] == [4]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("Waltherstraße 9", ("Waltherstraße", "9", "")),
        ("Große Eschenheimer Str.10 - 14", ("Große Eschenheimer Str.", "10-14", "")),
        ("Kantstraße 111 a", ("Kantstraße", "111", "a")),
        ("Straße des 17. Juni 135", ("Straße des 17. Juni", "135", "")),
        ("Rosenheimer Platz 6/Steinstraße 72", ("Rosenheimer Platz 6/Steinstraße 72", "", "")),
        ("A6 Autobahnraststätte Pfalz/Wattenheim", ("A6 Autobahnraststätte Pfalz/Wattenheim", "", "")),
        ("Parkplatz P7", ("Parkplatz P7", "", "")),
        ("Gewerbegebiet Lindach A 10", ("Gewerbegebiet Lindach A 10", "", "")),
        ("Am Mühlweg bei 2", ("Am Mühlweg bei 2", "", "")),
        ("Dohnaer Str.", ("Dohnaer Str.", "", "")),
        ("", ("", "", "")),
    ],
)  # fmt: skip
def test_addresses(text, parts):
    found = german_address(text)
    assert tuple(found.get(name, "") for name in ("streetAddress", "streetNumber", "houseLetter")) == parts


def test_a_long_address_is_told_apart_in_no_time():
    """No text makes the pattern try again and again."""
    for part in ("1. a ", "a", "1", "aa 1-", "Str.", "1."):
        assert german_address(part * 20_000 + " !")["streetAddress"].endswith("!")
