"""`import_network --format irve`: a register file becomes a network, all of it or nothing."""

import csv
import io
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.core.management import CommandError, call_command

from chargers.models import Charger, Socket
from chargers.registers.addresses import french_address
from hierarchy import statements, tree_check
from hierarchy.models import Change, Customer, Site

REGISTER = Path(__file__).parent.parent / "data" / "irve-statique.csv"
pytestmark = pytest.mark.django_db


@pytest.fixture
def records():
    """The register's header and rows, to be changed and written again."""
    header, *rows = csv.reader(REGISTER.read_text("utf-8").splitlines())
    return [dict(zip(header, row, strict=True)) for row in rows]


@pytest.fixture
def load(tmp_path, capsys):
    """Imports a file, given as bytes or as rows, and says what came of it."""

    def run(content=None, *options, customer="IRVE France", delimiter=","):
        path = tmp_path / "register.csv"
        if isinstance(content, list):
            path.write_text(_written(content, delimiter), "utf-8")
        else:
            path.write_bytes(REGISTER.read_bytes() if content is None else content)
        answer = SimpleNamespace(code=0)
        try:
            call_command("import_network", str(path), "--format=irve", f"--customer={customer}", *options)
        except CommandError as error:
            answer.code = error.returncode
            print(error)
        answer.text = capsys.readouterr().out
        return answer

    return run


def _written(records, delimiter=","):
    text = io.StringIO()
    writer = csv.DictWriter(text, records[0], delimiter=delimiter)
    writer.writeheader()
    writer.writerows(records)
    return text.getvalue()


def _counts(answer):
    """created, changed, moved and unchanged by table."""
    lines = [line.split() for line in answer.text.splitlines()]
    found = {line[0]: [int(number) for number in line[1:]] for line in lines if line[:1] and line[0] in TABLES}
    return {table: numbers[:3] + numbers[4:] for table, numbers in found.items()}


TABLES = ("sites", "chargers", "sockets")
LOADED = {"sites": [27, 0, 0, 0], "chargers": [29, 0, 0, 0], "sockets": [27, 0, 0, 0]}
AGAIN = {"sites": [0, 0, 0, 27], "chargers": [0, 0, 0, 29], "sockets": [0, 0, 0, 27]}


def _network():
    """Everything that was imported, by natural keys, without ids and times."""
    sites = {site.pk: (*(above.name for above in site.get_ancestors()), site.name) for site in Site._base_manager.all()}
    return {
        "sites": sorted(
            (sites[pk], *rest)
            for pk, *rest in Site._base_manager.values_list("pk", "external_id", "group_type", "public_name")
        ),
        "chargers": sorted(
            (
                *(sites[c.site_id], c.charger_id, c.name, c.evse_id, c.latitude, c.longitude),
                *(c.street_address, c.postal_number, c.city, sorted(c.custom_properties.items())),
            )
            for c in Charger._base_manager.all()
        ),
        "sockets": sorted(
            Socket._base_manager.values_list("charger__charger_id", "number", "type", "format", "max_power_w"), key=str
        ),
    }


def test_it_works(load):
    answer = load()
    assert answer.code == 0
    assert _counts(answer) == LOADED
    assert "Made the customer 'IRVE France', who is new." in answer.text
    assert "9 chargers have no socket in the file." in answer.text
    assert "5 warnings:" in answer.text
    assert (
        "row 8, column nbre_pdc: '1': Is not the number of rows of station FRALLPGO800334, which is 2." in answer.text
    )
    types = Counter(Site.objects.order_by().values_list("group_type", flat=True))
    assert types == {0: 5, 4: 10, 1: 12}
    assert Charger._base_manager.filter(sockets=None).count() == 9
    assert tree_check.check() == []


def test_a_second_import_changes_nothing(load):
    load()
    before = Change.objects.count()
    answer = load()
    assert answer.code == 0
    assert _counts(answer) == AGAIN
    assert "Nothing to do" in answer.text
    assert Change.objects.count() == before


def test_a_point_becomes_a_charger_with_a_socket_for_each_plug(load):
    load()
    charger = Charger.objects.get(charger_id="FRDRVE22011A00003301P1")
    assert [site.name for site in charger.site.get_ancestors(include_self=True)] == [
        "DRIVECO",
        "62",
        "DRIVECO - Carrefour Market - Hesdin",
    ]
    assert charger.site.external_id == "FRDRVPCRFMKT621401"
    assert charger.evse_id == "FRDRVE22011A00003301P1"
    assert charger.name == "DRIVECO - Carrefour Market - Hesdin"
    assert (charger.longitude, charger.latitude) == (2.02741, 50.371534)
    assert (charger.postal_number, charger.city, charger.country) == ("62140", "Hesdin", "France")
    assert charger.custom_properties["openingHours"] == "24/7"
    plugs = charger.sockets.order_by("number").values_list("number", "type", "format", "power_type", "max_power_w")
    assert list(plugs) == [
        (1, "IEC_62196_T2_COMBO", "CABLE", "DC", 50000),
        (2, "CHADEMO", "CABLE", "DC", 50000),
    ]


def test_every_row_has_its_line_in_the_journal(load):
    load()
    customer = Customer.objects.get()
    lines = Change.objects.filter(customer_id=customer.pk)
    assert Counter(lines.order_by().values_list("object_type", "action", "source")) == {
        ("customer", "created", "import"): 1,
        ("import", "created", "import"): 1,
        ("site", "created", "import"): 27,
        ("charger", "created", "import"): 29,
        ("socket", "created", "import"): 27,
    }
    assert sorted(lines.values_list("sequence", flat=True)) == list(range(1, 86))
    socket = Socket.objects.select_related("charger__site").filter(number=2).first()
    line = lines.get(object_type="socket", object_id=socket.pk)
    ids = socket.charger.site.get_ancestors(include_self=True).values_list("pk", flat=True)
    assert line.site_path == "/" + "".join(f"{pk}/" for pk in ids)
    assert line.natural_key == f"{socket.charger.charger_id} #2"
    assert line.fields["number"] == [None, 2]


def test_stations_of_one_name_get_their_ids_appended(load):
    load()
    named = Site.objects.filter(public_name="Allego - Aire De Livron_A7").order_by("name_key")
    assert [site.name for site in named] == [
        "Allego - Aire De Livron_A7 (FRALLPGO800071)",
        "Allego - Aire De Livron_A7 (FRALLPGO800405)",
    ]


def test_the_order_of_the_rows_does_not_matter(load, records):
    load()
    network = _network()
    records.reverse()
    answer = load(records)
    assert _counts(answer) == AGAIN
    assert _network() == network


def test_spellings_are_chosen_by_their_number_not_by_their_order(load, records):
    for record in records[:3]:
        record["nom_amenageur"] = " ALLEGO "
    load(records)
    roots = set(Site.objects.filter(parent=None).values_list("name", flat=True))
    assert "Allego" in roots and "ALLEGO" not in roots
    assert len(roots) == 5


def test_a_station_that_lost_its_namesake_gets_its_plain_name(load, records):
    load()
    left = [record for record in records if record["id_station_itinerance"] != "FRALLPGO800405"]
    answer = load(left)
    assert _counts(answer)["sites"] == [0, 1, 0, 25]
    assert Site.objects.get(external_id="FRALLPGO800071").name == "Allego - Aire De Livron_A7"
    assert _counts(load(left))["sites"] == [0, 0, 0, 26]


def test_a_station_whose_name_is_taken_outside_of_the_file_steps_aside(load, records):
    old = [record for record in records if record["id_station_itinerance"] == "FRALLPGO900598"]
    load(old)
    new = [
        {**record, "id_station_itinerance": "FRALLPNEW1", "id_pdc_itinerance": record["id_pdc_itinerance"] + "N"}
        for record in old
    ]
    answer = load(new)
    assert answer.code == 0
    assert "column nom_station" in answer.text
    assert Site.objects.get(external_id="FRALLPNEW1").name == "Allego - Carrefour Uzes (FRALLPNEW1)"
    assert _counts(load(new))["sites"] == [0, 0, 0, 3]


def test_only_what_differs_is_changed(load, records):
    load()
    records[0]["puissance_nominale"] = "175.5"
    records[0]["nom_operateur"] = "Somebody else"
    answer = load(records)
    assert _counts(answer) == {"sites": [0, 0, 0, 27], "chargers": [0, 1, 0, 28], "sockets": [0, 1, 0, 26]}
    charger = Charger.objects.get(charger_id=records[0]["id_pdc_itinerance"])
    assert charger.version == 2
    assert charger.custom_properties["operator"] == "Somebody else"
    line = Change.objects.filter(object_type="socket", action="changed").get()
    assert line.fields == {"max_power": ["300 kW", "175.5 kW"], "max_power_w": [300000, 175500]}


def test_what_the_register_does_not_name_stays(load):
    load()
    charger = Charger.objects.get(charger_id="FRALLEGO8000712")
    charger.manufacturer = "Alfen"
    charger.capabilities = ["RFID_READER"]
    charger.custom_properties = {**charger.custom_properties, "note": "behind the shop"}
    charger.save()
    Charger._base_manager.filter(pk=charger.pk).update(status="Charging", has_active_connection=True)
    assert _counts(load()) == AGAIN
    charger.refresh_from_db()
    assert (charger.manufacturer, charger.capabilities, charger.status) == ("Alfen", ["RFID_READER"], "Charging")
    assert charger.custom_properties["note"] == "behind the shop"


def test_a_charger_that_goes_to_another_station_is_moved(load, records):
    load()
    records[0]["id_station_itinerance"] = "FRALLPGO800500"
    records[0]["nom_station"] = records[2]["nom_station"]
    records[0]["code_insee_commune"] = records[2]["code_insee_commune"]
    answer = load(records)
    assert _counts(answer)["chargers"] == [0, 0, 1, 28]
    line = Change.objects.get(object_type="charger", action="moved")
    station = Site.objects.get(external_id="FRALLPGO800500")
    assert line.site_path.endswith(f"/{station.pk}/")
    assert line.from_path != line.site_path


def test_a_station_that_goes_to_another_departement_is_moved(load, records):
    load()
    for record in records:
        if record["id_station_itinerance"] == "FRALLPGO900598":
            record["code_insee_commune"] = "26001"
    assert _counts(load(records))["sites"][:3] == [0, 0, 1]
    station = Site.objects.get(external_id="FRALLPGO900598")
    assert station.parent.name == "26"
    assert tree_check.check() == []


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_separators_and_byte_order_marks(load, records, delimiter, mark):
    answer = load(mark + _written(records, delimiter).encode())
    assert _counts(answer) == LOADED


@pytest.mark.parametrize(("yes", "no"), [("true", "false"), ("TRUE", "False"), ("1", "0"), ("Vrai", "FAUX")])
def test_spellings_of_booleans(load, records, yes, no):
    for record in records:
        for column, value in record.items():
            record[column] = {"True": yes, "False": no}.get(value, value)
    assert _counts(load(records)) == LOADED


def test_a_dry_run_tells_and_touches_nothing(load):
    answer = load(None, "--dry-run")
    assert answer.code == 0
    assert _counts(answer) == LOADED
    assert "Would make the customer 'IRVE France', who is new." in answer.text
    assert "This was a dry run" in answer.text
    assert not Customer.objects.exists() and not Site.objects.exists() and not Change.objects.exists()


def test_standard_input(load, monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(REGISTER.read_bytes())))
    call_command("import_network", "-", "--format=irve", "--customer=IRVE France")
    assert "29" in capsys.readouterr().out
    assert Charger.objects.count() == 29


def test_an_existing_customer_is_found_whatever_the_case(load, world):
    answer = load(customer="  NORTHWIND ")
    assert "who is new" not in answer.text
    assert Charger.objects.filter(customer=world.northwind).count() == 4 + 29
    assert Customer.objects.count() == 2
    assert tree_check.check() == []


@pytest.mark.parametrize(("answer", "options", "code"), [("n", [], 2), ("y", [], 0), ("n", ["--no-input"], 0)])
def test_a_name_that_is_nearly_a_customers_is_asked_about_on_a_terminal(
    load, world, monkeypatch, answer, options, code
):
    monkeypatch.setattr("sys.stdin", SimpleNamespace(isatty=lambda: True))
    monkeypatch.setattr("builtins.input", lambda question: answer)
    assert load(None, *options, customer="Northwnd").code == code
    assert Customer.objects.count() == (2 if code else 3)


def test_a_charger_id_at_another_customer_is_in_use(load, records, world):
    records[4]["id_pdc_itinerance"] = "dep-1"
    answer = load(records)
    assert answer.code == 1
    assert "row 6, column id_pdc_itinerance: 'dep-1': This charger ID is already in use." in answer.text
    assert "Southwind" not in answer.text and "Depot" not in answer.text
    assert Charger.objects.count() == 5


def _changed(row, column, value):
    """Writes `value` into a cell, the row counted as a spreadsheet does."""

    def change(records):
        records[row - 2][column] = value
        return records

    return change


def _without(column):
    def change(records):
        for record in records:
            del record[column]
        return records

    return change


WRONG_ROWS = [
    (_without("puissance_nominale"), "column puissance_nominale: This column is missing."),
    (_changed(13, "puissance_nominale", "vingt"), "row 13, column puissance_nominale: 'vingt': Is not a power"),
    (_changed(13, "puissance_nominale", "-3"), "row 13, column puissance_nominale: '-3'"),
    (_changed(13, "puissance_nominale", "nan"), "row 13, column puissance_nominale: 'nan'"),
    (_changed(13, "puissance_nominale", ""), "row 13, column puissance_nominale: Is not a power"),
    (_changed(4, "puissance_nominale", "999999999"), "row 4, column puissance_nominale"),
    (_changed(7, "nbre_pdc", "two"), "row 7, column nbre_pdc: 'two': Must be an integer"),
    (_changed(7, "coordonneesXY", "north"), "row 7, column coordonneesXY: 'north': Is not a pair of coordinates"),
    (_changed(7, "coordonneesXY", "[2.5, 91.2]"), "row 7, column coordonneesXY"),
    (_changed(7, "coordonneesXY", "[NaN, 1]"), "row 7, column coordonneesXY"),
    (_changed(5, "prise_type_2", "perhaps"), "row 5, column prise_type_2: 'perhaps': Must be true or false"),
    (_changed(5, "prise_type_2", ""), "row 5, column prise_type_2: Must not be empty"),
    (_changed(5, "gratuit", "x"), "row 5, column gratuit: 'x'"),
    (
        _changed(9, "id_pdc_itinerance", "FRALLEGO8000712"),
        "row 9, column id_pdc_itinerance: 'FRALLEGO8000712': Duplicate",
    ),
    (
        _changed(9, "id_pdc_itinerance", "frallego8000712"),
        "'frallego8000712': Duplicate of row 2",
    ),
    (_changed(9, "id_pdc_itinerance", "FR*ALL*EGO8000712"), "row 9, column id_pdc_itinerance"),
    (_changed(9, "id_pdc_itinerance", "FR ALL É"), "row 9, column id_pdc_itinerance: 'FR ALL É'"),
    (_changed(9, "id_pdc_itinerance", "F" * 49), "row 9, column id_pdc_itinerance"),
    (_changed(9, "nom_station", "x" * 300), "column nom_station"),
    (_changed(9, "nom_station", "a\x00b"), "row 9, column nom_station"),
    (_changed(9, "nom_operateur", "a\x1bb"), "row 9, column nom_operateur"),
]


@pytest.mark.parametrize(("change", "message"), WRONG_ROWS)
def test_wrong_rows_are_named_and_nothing_is_written(load, records, change, message):
    answer = load(change(records))
    assert answer.code == 1
    assert message in answer.text
    assert "nothing was changed" in answer.text
    assert not Customer.objects.exists() and not Change.objects.exists()


def test_all_errors_are_told_at_once(load, records):
    for row, column in ((4, "puissance_nominale"), (12, "nbre_pdc"), (20, "prise_type_ef")):
        _changed(row, column, "?")(records)
    answer = load(records)
    assert "3 errors:" in answer.text
    assert all(f"row {row}" in answer.text for row in (4, 12, 20))


HEADER = REGISTER.read_bytes().split(b"\n")[0]
FIRST = REGISTER.read_bytes().split(b"\n")[1]
WRONG_FILES = [
    (b"", "The file is empty"),
    (b"\xef\xbb\xbf", "The file is empty"),
    (b"\n\n\n", "The file is empty"),
    (b"a,b\n1,2\n", "column nom_amenageur: This column is missing."),
    (b"PK\x03\x04" + b"\x00" * 500, "This is a ZIP or XLSX file"),
    (b"\x1f\x8b" + b"\x00" * 500, "This is a gzip file"),
    ("nom_amenageur".encode("utf-16"), "This is a UTF-16 file"),
    (b"\x00\x01\x02\x03binary", "This is not a text file"),
    (b'{"sites": []}', "This column is missing"),
    (b"x" * 2_000_000, "is longer than 1000000 characters"),
    (
        HEADER + b"\n" + FIRST.replace(b"Allego", "Allégo".encode("latin-1"), 1),
        "row 2, column nom_amenageur: 'All\ufffdgo': Is not UTF-8",
    ),
    (HEADER + b"\n" + FIRST + b",one,more", "row 2: Has 42 cells where the header has 40"),
    (HEADER + b"\n" + FIRST + b"\n\nAllego,1,2", "row 4: Has 3 cells"),
    (HEADER + b"\n" + FIRST + b'\n"never closed,' + b"y\n" * 100_000, "A cell is longer than"),
    (HEADER.replace(b"nom_operateur", b"nom_station"), "column nom_station: This column stands there twice"),
    (HEADER.replace(b"puissance_nominale", b"puissance_nominal"), "Did you write it puissance_nominal?"),
]  # fmt: skip


@pytest.mark.parametrize(("content", "message"), WRONG_FILES, ids=range(len(WRONG_FILES)))
def test_wrong_files_are_refused_and_nothing_is_written(load, content, message):
    answer = load(content)
    assert answer.code == 1
    assert message in answer.text
    assert not Customer.objects.exists() and not Change.objects.exists()


def test_a_header_alone_is_no_register(load):
    """A download that broke off makes no customer."""
    answer = load(HEADER)
    assert answer.code == 1
    assert "The file is empty" in answer.text
    assert not Customer.objects.exists()


def test_a_file_in_another_encoding_is_not_told_cell_by_cell(load, records):
    latin = _written([{**record, "nom_station": "Gare d'Évry"} for record in records] * 5)
    answer = load(latin.encode("latin-1", "replace"))
    assert answer.code == 1
    assert "row 2, column nom_station" in answer.text
    assert "the rows from here on were not read" in answer.text


def test_unknown_columns_are_left_out_with_a_warning(load, records):
    answer = load([{**record, "consolidated_region": "Bretagne"} for record in records])
    assert _counts(answer) == LOADED
    assert "left out: consolidated_region" in answer.text


def test_what_a_register_lacks_is_a_warning(load, records):
    records[0] |= {"coordonneesXY": ""}
    for record in records[-3:]:
        record |= {"code_insee_commune": "", "nom_amenageur": ""}
    answer = load(records)
    assert answer.code == 0
    assert "row 2, column coordonneesXY: Empty" in answer.text
    assert "row 28, column code_insee_commune: Is empty" in answer.text
    station = Site.objects.get(external_id=records[-1]["id_station_itinerance"])
    assert station.parent.name == records[-1]["nom_operateur"] and station.parent.parent is None


def test_a_spreadsheet_that_ate_the_zero_of_a_commune(load, records):
    for record in records[:2]:
        record["code_insee_commune"] = "1004"
    answer = load(records)
    assert answer.code == 0
    assert "row 2, column code_insee_commune: '1004'" in answer.text
    assert Site.objects.get(external_id="FRALLPGO800071").parent.name == "01"


def test_points_without_an_id_for_roaming_have_their_local_one(load, records):
    records[0] |= {"id_pdc_itinerance": "Non concerné", "id_pdc_local": "LOCAL-1"}
    records[1] |= {"id_pdc_itinerance": "non concerné", "id_pdc_local": ""}
    answer = load(records)
    assert "row 3, column id_pdc_itinerance: 'non concerné': There is no id" in answer.text
    records[1]["id_pdc_local"] = "LOCAL-2"
    load(records)
    assert Charger.objects.get(charger_id="LOCAL-1").evse_id == ""
    assert Charger.objects.filter(charger_id="LOCAL-2").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ["no-such-file.csv", "--format=irve", "--customer=X"],
        [".", "--format=irve", "--customer=X"],
        [str(REGISTER), "--format=irve", "--customer= "],
        [str(REGISTER), "--format=irve", "--customer=a\x00b"],
    ],
)
def test_wrong_use_exits_with_2(arguments):
    with pytest.raises(CommandError) as refused:
        call_command("import_network", *arguments)
    assert refused.value.returncode == 2


def test_an_interruption_leaves_nothing(load, monkeypatch):
    written = []

    def interrupted(model, rows):
        written.append(model)
        if model is Socket:
            raise KeyboardInterrupt
        return insert(model, rows)

    insert = statements.insert
    monkeypatch.setattr("bulk.apply.statements.insert", interrupted)
    answer = load()
    assert answer.code == 130
    assert Charger in written
    assert not Customer.objects.exists() and not Charger.objects.exists()


def test_the_number_of_statements_does_not_grow_with_an_unchanged_file(load, records, django_assert_max_num_queries):
    """Customer twice; savepoints; sites, chargers, sockets: once each. The tree is locked with one more."""
    load()
    with django_assert_max_num_queries(10):
        load()
    for record in list(records):
        records.append({**record, "id_pdc_itinerance": f"{record['id_pdc_itinerance']}B"})
    load(records)
    with django_assert_max_num_queries(10):
        load(records)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("1 avenue de la Paix 75001 Paris", ("1", "", "avenue de la Paix", "75001", "Paris")),
        ("125 Bis Avenue Parmentier, 75011 Paris", ("125", "Bis", "Avenue Parmentier", "75011", "Paris")),
        ("44 Rue Frédéric Bastiat, 87280 Limoges, France", ("44", "", "Rue Frédéric Bastiat", "87280", "Limoges")),
        ("Rue Salengro 92120 MONTROUGE (92) Île-de-France FRANCE", ("", "", "Rue Salengro", "92120", "MONTROUGE")),
        ("4 Chemins de la Gare", ("", "", "4 Chemins de la Gare", "", "")),
        ("Zac De L'Etoile", ("", "", "Zac De L'Etoile", "", "")),
        ("", ("", "", "", "", "")),
    ],
)  # fmt: skip
def test_addresses(text, parts):
    found = french_address(text)
    names = ("streetNumber", "houseLetter", "streetAddress", "postalNumber", "city")
    assert tuple(found.get(name, "") for name in names) == parts
