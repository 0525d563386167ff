"""Files that nobody should send, through the whole engine: each ends in its messages, and not a row is changed."""

import hashlib
import io
import json

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from bulk import apply, files
from bulk.imports import ImportRequest, import_plan, read
from bulk.tables import sheets
from hierarchy.journal import IMPORT
from hierarchy.models import ImportPlan
from hierarchy.scoping import Caller, Scope
from tests.bulk.hostile_files import HEADER, HOSTILE, NO_TABLES, broken, workbook, zipped

pytestmark = pytest.mark.django_db

FOREIGN = "files cannot be read: give the tables as XLSX, CSV, a ZIP of CSV files, or JSON."
UNKNOWN = "Not found in the file or the network."
NO_OBJECT = 'Must be an object, as in {"groupName": "Garage"}.'
LONG = "x" * 5_000
SHOWN = f"'{'x' * 59}…'"
BELOW_ITSELF = "Cannot be below itself. Choose a parent site outside of its own subtree."


def document(**tables):
    return json.dumps(tables).encode()


def sheet(*rows):
    """The content of a worksheet of texts."""
    lines = ("".join(f'<c t="str"><v>{text}</v></c>' for text in row) for row in rows)
    return f"<sheetData>{''.join(f'<row>{line}</row>' for line in lines)}</sheetData>"


def chargers(name):
    return sheet(["chargerId", "chargerName"], ["QUAY-1", name])


def missing(*columns):
    return [f"row 1, column {column}: This column is missing." for column in columns]


def tables():
    return f"There is no table of this name: call it one of {', '.join(sheets())}, or leave it out."


def unstorable(code, position=1):
    return f"Contains the character U+{code} at position {position}, which cannot be stored. Remove it."


def cases():
    """The name of a file, its bytes, exactly what is said of it, and what else is asked of the import."""

    def case(name, content, *messages, **asked):
        return name, content.encode() if isinstance(content, str) else content, list(messages), asked

    # No tables at all.
    yield case("network.csv", "", "The file is empty: it needs a header row and the rows below it.")
    yield case("network.json", " \n", NO_TABLES)
    yield case("network.csv", b"groupName\x00\nGarage\n", f"Binary {FOREIGN}")
    yield case("network.csv", "%PDF-1.7\n%âãÏÓ\n", f"PDF {FOREIGN}")
    yield case("network.xls", "<html><table><tr><td>groupName</td></tr></table></html>", f"HTML {FOREIGN}")
    yield case("network.xls", "<?xml version='1.0'?><Workbook/>", f"XML {FOREIGN}")
    yield case("network.xlsx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", f"XLS or password-protected {FOREIGN}")
    yield case("network.csv.gz", b"\x1f\x8b\x08\x00", f"gzip {FOREIGN}")
    office = {"mimetype": "application/vnd.oasis.opendocument.spreadsheet"}
    yield case("network.ods", zipped(office), f"OpenDocument {FOREIGN}")
    yield case("network.csv", "groupName\nGarage\n".encode("utf-16"), f"UTF-16 {FOREIGN}")
    yield case("network.csv", "groupName\nGarage\n".encode("utf-16-le"), f"Binary {FOREIGN}")
    yield case("a.xlsx", "groupName\n", "a.xlsx ends as XLSX files do and is none: save it in that format.")
    yield case("a.zip", "", "a.zip ends as ZIP files do and is none: save it in that format.")
    wordy = zipped({"word/document.xml": "<w/>"})
    yield case("a.docx", wordy, "There is no CSV file in the archive: pack one for each table, as in sites.csv.")
    not_utf_8 = "Is not UTF-8 text: save the file with the encoding UTF-8."
    latin = "groupName\nTiefgarage Süd\n".encode("latin-1")
    yield case("network.csv", latin, f"row 2, column groupName: 'Tiefgarage S\ufffdd': {not_utf_8}")
    yield case(
        "network.json",
        "groupName\nGarage\n",
        'Must be an object of tables, as in {"sites": [{"groupName": "Garage"}]}, or a tree of sites.',
    )

    # Tables that are none of ours, or too often there.
    yield case("network.json", document(charger=[]), f"charger: 'charger': {tables()} Did you mean chargers?")
    yield case(
        "network.xlsx",
        workbook(Passwords=f"<sheetData>{HEADER}</sheetData>"),
        "Passwords, row 1, column type: There is no such column.",
    )
    yield case("network.zip", zipped({"in/Passwords.csv": "a\n1\n"}), f"in/Passwords.csv: 'Passwords': {tables()}")
    yield case(
        "network.json", b'{"sites": [], "sites": []}', "sites: The table is there twice: put its rows into one list."
    )
    twice = zipped({"a/sites.csv": "groupName\n", "b/sites.csv": "groupName\n"})
    yield case(
        "network.zip", twice, "The table sites is there twice, as a/sites.csv and as b/sites.csv: remove one of them."
    )
    no_tree = (
        "The list is no tree of sites. If it has the rows of a table, say which one (--table), or write "
        '{"sites": [{"groupName": "Garage"}]}.'
    )
    yield case("network.json", '[{"chargerId": "QUAY-1"}]', no_tree)
    yield case("network.json", "[]", no_tree)
    yield case(
        "tree.json",
        json.dumps([{"groupName": "Harbour", "subgroups": [{"groupName": 7, "subgroups": []}, {"groupName": "X"}]}]),
        "sites, row 2: '7': Is not a site of a tree: it needs groupName, subgroups and chargers.",
        "sites, row 3: 'X': Is not a site of a tree: it needs groupName, subgroups and chargers.",
    )

    # Columns and rows out of shape.
    yield case("sites.csv", "groupName,colour\n", "row 1, column colour: There is no such column.")
    yield case(
        "chargers.csv",
        "chargerId,chargerNmae\nQUAY-1,Q\n",
        "row 1, column chargerNmae: There is no such column. Did you mean chargerName?",
    )
    yield case(
        "chargers.csv",
        "chargerId,Charger Id\nQUAY-1,QUAY-1\n",
        "row 1, column Charger Id: This column stands there twice: remove or rename one of them.",
    )
    yield case(
        "network.json",
        '{"chargers": [{"chargerId": "A", "chargerName": 1, "chargerName": 2, "colour": 3, "group": "Harbour"}]}',
        "chargers, row 1, column chargerName: This key stands there twice: remove one of them.",
        "chargers, row 1, column colour: There is no such key.",
    )
    yield case(
        "network.json",
        document(chargers=[{"chargerId": "QUAY-1", "charger_id": "GAR-1"}]),
        "chargers, row 1, column charger_id: This key stands there twice: remove one of them.",
    )
    yield case(
        "network.json",
        document(sites=[{f"key {number}": 0 for number in range(2_000)}]),
        "The objects of the table have more than 1,000 different keys.",
        *(f"sites, row 1, column key {number}: There is no such key." for number in range(1_001)),
    )
    ragged = "look for a separator or a quotation mark too many or too few."
    yield case(
        "chargers.csv",
        "chargerId,chargerName\nQUAY-1\nGAR-1,a,b\n",
        f"row 2: Has 1 cells where the header has 2: {ragged}",
        f"row 3: Has 3 cells where the header has 2: {ragged}",
    )
    yield case(
        "chargers.csv",
        'chargerId,chargerName\nQUAY-1,"never\nGAR-1,closed\n',
        "row 2, column chargerName: 'never\\nGAR-1,closed': Contains a line break or tab at position 6. Write it "
        "on one line.",
    )
    yield case("network.json", '{"chargers": ["QUAY-1", []]}', *(f"chargers, row {row}: {NO_OBJECT}" for row in (1, 2)))
    yield case(
        "network.json",
        '[{"chargerId": "QUAY-1", "latitude": "x"}',
        broken(1, 42),
        "row 1, column latitude: 'x': Must be a number, such as 52.3702.",
        table="chargers",
    )

    # Texts that nothing can store, or that somebody else would run.
    yield case(
        "sites.csv",
        b"groupName,costId" + b" " * 600 + b"\nA\x00B,\x1b[2J\n",
        f"row 2, column groupName: 'A\\x00B': {unstorable('0000', 2)}",
        f"row 2, column costId: '\\x1b[2J': {unstorable('001B')}",
    )
    yield case(
        "network.json",
        rb'{"sites": [{"groupName": "\ud800"}, {"groupName": "B", "parent": "\udfff"}], "chargers": [{"chargerId": '
        rb'"GAR-1", "customProperties": {"\ud800": "x"}, "capabilities": ["\ud800"]}], "tags": [{"idTag": "\u0000"}]}',
        f"sites, row 1, column groupName: '\\ud800': {unstorable('D800')}",
        "chargers, row 1, column customProperties: \"{'\\\\ud800': 'x'}\": " + unstorable("D800"),
        "chargers, row 1, column capabilities: \"['\\\\ud800']\": " + unstorable("D800"),
        f"tags, row 1, column idTag: '\\x00': {unstorable('0000')}",
        f"sites, row 2, column parent: '\\udfff': {UNKNOWN}",
        "tags, row 1, column driver: Required for new rows.",
    )
    yield case(
        "network.json",
        rb'{"sites": [{"groupName": "A", "\ud800\u0000": 1}], "\udfff": []}',
        "sites, row 1, column \ufffd\ufffd: There is no such key.",
        f"\ufffd: '\\udfff': {tables()}",
    )
    yield case(
        "chargers.csv",
        'chargerId,group\n"=HYPERLINK(""http://x"")",Harbour\nÄ 1,Harbour\n',
        'row 2, column chargerId: \'=HYPERLINK("http://x")\': =HYPERLINK("http://x") is not a valid charger ID. Use '
        "letters, digits and * - _ = : + | @ . only.",
        "row 3, column chargerId: 'Ä 1': Ä 1 is not a valid charger ID. Use "
        "letters, digits and * - _ = : + | @ . only.",
    )
    yield case(
        "network.json",
        document(
            sockets=[{"chargerId": "QUAY-1", "id": 1, "termsAndConditions": "javascript:alert(1)"}],
            operators=[{"emailAddress": "nobody", "name": "N"}],
        ),
        "sockets, row 1, column termsAndConditions: 'javascript:alert(1)': Enter a valid URL.",
        "operators, row 1, column emailAddress: 'nobody': Enter a valid email address.",
    )
    too_long = "Ensure this value has at most {} characters (it has 5000)."
    yield case(
        "network.json",
        document(
            sites=[{"groupName": LONG}, {"groupName": "B", "parent": "y" * 5_000}],
            chargers=[{"chargerId": LONG, "group": "Harbour"}, {"chargerId": "GAR-1", "customProperties": {LONG: "x"}}],
        ),
        f"sites, row 1, column groupName: {SHOWN}: {too_long.format(255)}",
        f"chargers, row 1, column chargerId: {SHOWN}: {too_long.format(48)}",
        f'chargers, row 2, column customProperties: "{{\'{"x" * 57}…": A name must have between 1 and 255 characters, '
        "a value at most 4,000.",
        f"sites, row 2, column parent: '{'y' * 59}…': {UNKNOWN}",
    )

    # Values of the wrong kind or size.
    whole = "Must be an integer."
    yield case(
        "network.json",
        document(
            sites=[
                {"groupName": "A", "groupType": "CASTLE", "payerId": "many", "timeZone": "Mars/Base"},
                {"groupName": "B", "groupType": 9, "payerId": 1.5, "costName": ["B"]},
                {"groupName": "C", "payerId": True, "costName": {"C": 1}},
            ]
        ),
        "sites, row 1, column groupType: 'CASTLE': Must be one of SUB_CPO (0), SITE (1), SUB_SITE (2), "
        "CIRCUIT (3), OTHER (4), by number or by name.",
        f"sites, row 1, column payerId: 'many': {whole[:-1]}, such as 4.",
        "sites, row 1, column timeZone: 'Mars/Base': Mars/Base is not a time zone. Use one such as "
        "Europe/Paris or UTC.",
        "sites, row 2, column groupType: '9': Value 9 is not a valid choice.",
        f"sites, row 2, column payerId: '1.5': {whole}",
        "sites, row 2, column costName: \"['B']\": Must be a text.",
        f"sites, row 3, column payerId: 'True': {whole}",
        "sites, row 3, column costName: \"{'C': 1}\": Must be a text.",
    )
    texts = 'Must be a list of texts, as in ["one", "two"].'
    yield case(
        "network.json",
        document(
            chargers=[
                {"chargerId": "QUAY-1", "splitEvseBySocket": "maybe", "capabilities": [1], "customProperties": ["a"]},
                {"chargerId": "GAR-1", "capabilities": {"a": 1}, "customProperties": {"a": {"b": "c"}}},
            ]
        ),
        "chargers, row 1, column splitEvseBySocket: 'maybe': Must be true or false.",
        f"chargers, row 1, column capabilities: '[1]': {texts}",
        'chargers, row 1, column customProperties: "[\'a\']": Must be an object of texts, as in {"owner": "City"}.',
        f"chargers, row 2, column capabilities: \"{{'a': 1}}\": {texts}",
        "chargers, row 2, column customProperties: \"{'a': {'b': 'c'}}\": Must be an object of texts, as in "
        '{"owner": "City"}.',
    )
    nested = b"[" * 200 + b"]" * 200
    yield case(
        "network.json",
        b'{"sites": [{"groupName": "A", "payerId": %s}]}' % nested,
        f"sites, row 1, column payerId: '{'[' * 59}…': {whole}",
    )
    least, most = "Ensure this value is greater than or equal to", "Ensure this value is less than or equal to"
    yield case(
        "network.json",
        document(
            sites=[
                {"groupName": "A", "payerId": 2**63},
                {"groupName": "B", "payerId": -1},
                {"groupName": "C", "payerId": 10**30},
            ],
            chargers=[{"chargerId": "QUAY-1", "latitude": 91, "longitude": -181}],
            sockets=[{"chargerId": "QUAY-1", "id": 1, "maxWatts": 2**31}],
        ),
        f"sites, row 1, column payerId: '9223372036854775808': {most} 9223372036854775807.",
        f"sites, row 2, column payerId: '-1': {least} 0.",
        f"sites, row 3, column payerId: '{10**30}': {whole}",
        f"chargers, row 1, column latitude: '91': {most} 90.",
        f"chargers, row 1, column longitude: '-181': {least} -180.",
        f"sockets, row 1, column maxWatts: '2147483648': {most} 2147483647.",
    )
    yield case(
        "chargers.csv", "chargerId,latitude\nGAR-1,52.1\n", "row 2, column longitude: Give both coordinates or neither."
    )
    yield case(
        "tags.csv",
        "driver,idTag,startDate,expiringDate\nDora,04A1B2C3,soon,\nDora,04FFEE01,2027-01-01,2026-01-01\n",
        "row 2, column startDate: 'soon': Must be a date or a time, such as 2026-06-01 or 2026-06-01T12:00:00Z.",
        "row 3, column expiringDate: '2026-01-01 22:59:59+00:00': The tag ends before it starts. Choose a later end.",
    )
    cleared = "Must not be empty."
    yield case(
        "network.json",
        document(
            chargers=[{"chargerId": "QUAY-1", "group": None}, {"chargerId": None}],
            sites=[{"externalId": "N-1", "groupName": None}],
        ),
        f"chargers, row 1, column group: {cleared}",
        f"chargers, row 2, column chargerId: {cleared}",
        f"sites, row 1, column groupName: {cleared}",
        "chargers, row 2: No key: fill in chargerId.",
    )

    # Rows that are there twice, or say too little.
    yield case(
        "chargers.csv",
        "chargerId,group\nQUAY-1,\nNEW-1,Harbour\nquay-1,\nnew-1,Harbour\n",
        "row 4, column chargerId: 'quay-1': Duplicate of row 2.",
        "row 5, column chargerId: 'new-1': Duplicate of row 3.",
    )
    yield case(
        "chargers.csv",
        "chargerId,evseId\nGAR-1,NL*NWD*E1\nGAR-2,NL*NWD*E2\nAIR-1,NLNWDE2\n",
        "row 2, column evseId: 'NL*NWD*E1': Another charger already has this EVSE ID.",
        "row 4, column evseId: 'NLNWDE2': Another charger already has this EVSE ID. See row 3.",
    )
    yield case(
        "sites.csv",
        "groupName,externalId\n harbour ,N-2\n",
        "row 2, column groupName: 'harbour': A top-level site with this name already exists.",
    )
    yield case(
        "network.json",
        document(chargers=[{"chargerId": "NEW-1"}, {"chargerName": "Nobody"}], tags=[{"idTag": "NEW"}]),
        "chargers, row 1, column group: Required for new rows.",
        "chargers, row 2: No key: fill in chargerId.",
        "tags, row 1, column driver: Required for new rows.",
    )
    yield case(
        "people.csv",
        "name,idTag,tokenName,homeGroup\nEva,1A,,Harbour\nEva,1B,,Airport\n,1C,,\nFay,,Card,\n",
        "row 3, column homeGroup: 'Airport': Differs from row 2 for the same person. Use the same value in both.",
        "row 4, column name: Unknown person: fill in name or externalId.",
        "row 5, column idTag: Tag values without a tag: fill in idTag.",
    )
    yield case(
        "rights.csv",
        "driver,group,chargerId\nDora,,\n,Harbour,\n",
        "row 2: No site or charger: fill in group or chargerId.",
        "row 3: No key: fill in driver / group.",
    )

    # References to what is not there, or is somebody else's.
    yield case(
        "network.json",
        document(
            chargers=[{"chargerId": "NEW-1", "group": "Nowhere"}],
            rights=[{"driver": "Zoe", "group": "Harbour"}, {"driver": "Zoe", "chargerId": "QUAY-1"}],
        ),
        f"chargers, row 1, column group: 'Nowhere': {UNKNOWN}",
        f"rights, row 1, column driver: 'Zoe': {UNKNOWN}",
        f"rights, row 2, column driver: 'Zoe': {UNKNOWN}",
    )
    yield case(
        "network.json",
        document(
            chargers=[{"chargerId": "NEW-1", "group": "Depot"}],
            sockets=[{"chargerId": "DEP-1", "id": 1}],
            drivers=[{"name": "Dirk", "homeGroup": "Depot"}],
            tags=[{"idTag": "NEW", "driver": "Sid"}],
            rights=[{"driver": "Sid", "group": ["Depot"]}, {"driver": "Dora", "chargerId": "DEP-1"}],
            grants=[{"operator": "sue@southwind.example", "group": "Harbour"}],
        ),
        f"chargers, row 1, column group: 'Depot': {UNKNOWN}",
        f"sockets, row 1, column chargerId: 'DEP-1': {UNKNOWN}",
        f"drivers, row 1, column homeGroup: 'Depot': {UNKNOWN}",
        f"tags, row 1, column driver: 'Sid': {UNKNOWN}",
        f"rights, row 1, column driver: 'Sid': {UNKNOWN}",
        f"rights, row 1, column group: 'Depot': {UNKNOWN}",
        f"rights, row 2, column chargerId: 'DEP-1': {UNKNOWN}",
        f"grants, row 1, column operator: 'sue@southwind.example': {UNKNOWN} Did you mean nell@northwind.example?",
    )
    yield case(
        "network.json",
        document(
            chargers=[{"chargerId": "dep-1", "group": "Harbour"}],
            operators=[{"emailAddress": "SUE@southwind.example", "name": "Mine"}],
        ),
        "chargers, row 1, column chargerId: 'dep-1': This charger ID is already in use.",
        "operators, row 1, column emailAddress: 'SUE@southwind.example': This email address is already in use. "
        "Choose another.",
    )

    # Trees that are none.
    yield case("sites.csv", "externalId,groupName,parent\nN-1,Harbour,N-1\n", f"row 2, column parent: {BELOW_ITSELF}")
    yield case(
        "sites.csv",
        "externalId,groupName,parent\nN-1,Harbour,Harbour / East car park / Garage\n",
        f"row 2, column parent: {BELOW_ITSELF}",
    )
    yield case(
        "sites.csv",
        "externalId,groupName,parent\nC-1,A,C-2\nC-2,B,C-1\n,C,/ C\n",
        f"row 2, column parent: 'C-2': {UNKNOWN}",
        f"row 3, column parent: 'C-1': {UNKNOWN}",
        f"row 4, column parent: '/ C': {UNKNOWN}",
    )

    # Deleting what cannot go.
    nowhere = "There is no site {} below which something could be deleted: give its path or external id."
    for site in ("Atlantis", "Depot"):
        yield case("sites.csv", "groupName\nHarbour\n", nowhere.format(site), prune_site=site)
    yield case(
        "network.json",
        document(chargers=[{"chargerId": "GAR-1"}], sockets=[{"chargerId": "QUAY-1", "id": 1}]),
        "sockets, row 1, column chargerId: 'QUAY-1': Refers to a row that is missing from the file and would be "
        "deleted. Add it to the file.",
        prune_site="Harbour",
    )

    # Registers that are none.
    yield case(
        "x.csv",
        "chargerId\nA\n",
        *missing(
            "nom_amenageur",
            "id_station_itinerance",
            "nom_station",
            "adresse_station",
            "code_insee_commune",
            "coordonneesXY",
            "nbre_pdc",
            "id_pdc_itinerance",
            "puissance_nominale",
            "prise_type_ef",
            "prise_type_2",
            "prise_type_combo_ccs",
            "prise_type_chademo",
            "prise_type_autre",
        ),
        format="irve",
    )
    yield case(
        "x.csv",
        "chargerId\nA\n",
        *missing(
            "Betreiber",
            "Postleitzahl Ort",
            "Adresse",
            "Breitengrad [DG]",
            "Längengrad [DG]",
            "Inbetriebnahmedatum",
            *(f"{name}" for number in range(1, 5) for name in (f"Steckertypen{number}", f"P{number} [kW]")),
        ),
        format="bnetza",
    )
    yield case(
        "x.xlsx",
        zipped({"xl/workbook.xml": "<x/>"}),
        "This is a ZIP or XLSX file, not CSV: save the table as CSV, UTF-8.",
        format="irve",
    )


def checksum():
    """Of every row of every table."""
    digest = hashlib.sha256()
    with connection.cursor() as cursor:
        for table in sorted(connection.introspection.table_names(cursor)):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)} ORDER BY 1")
            for row in cursor.fetchall():
                digest.update(repr([bytes(one) if isinstance(one, memoryview) else one for one in row]).encode())
    return digest.hexdigest()


def told(world, name, content, asked):
    """What an import says is wrong, without the file's name."""
    contents = read(io.BytesIO(content), ImportRequest(name, **asked), world.northwind)
    caller = Caller(Scope.platform(), "Somebody", IMPORT)
    apply.run(caller, world.northwind, contents.rows, contents.findings, prune=contents.prune)
    return [str(error).removeprefix(name).lstrip(":, ") for error in contents.findings.errors]


def test_what_is_wrong_is_said_and_nothing_is_written(world):
    before = checksum()
    failures = []
    for number, (name, content, messages, asked) in enumerate(cases()):
        found = told(world, name, content, asked)
        failures += [f"case {number}, {name}, says besides: {text}" for text in found if text not in messages]
        failures += [f"case {number}, {name}, does not say: {text}" for text in messages if text not in found]
        if checksum() != before:
            failures.append(f"case {number}, {name}, wrote something")
            before = checksum()
    assert not failures, "\n".join(failures)
    assert number > 50


def test_files_that_cannot_be_read_write_nothing(world):
    before = checksum()
    failures = []
    for number, (kind, content, message) in enumerate(HOSTILE):
        name = f"network.{kind}"
        try:
            is_its_kind = files.kind_of(name, content[:512]) == kind
        except files.Unreadable:
            continue
        if is_its_kind and message not in told(world, name, content, {}):
            failures.append(f"{number}: no {message}")
    assert not failures, "\n".join(failures)
    assert checksum() == before


def test_the_command_fails(world, tmp_path, capsys):
    before = checksum()
    for name, content, said, *options in (
        ("network.csv", b"%PDF", "network.csv: PDF files"),
        ("network.json", b'{"sites": [', "network.json: This is not JSON at line 1, column 12"),
        ("sites.csv", b"groupName,payerId\nHarbour,x\n", "sites.csv, row 2, column payerId: 'x': Must be an int"),
        ("sites.csv", b"groupName,parent\nA,Nowhere\n", "sites.csv, row 2, column parent: 'Nowhere': Not found"),
        ("sites.csv", b"groupName\nHarbour\n", "sites.csv: There is no site X", "--prune", "--site=X"),
    ):
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(CommandError, match="1 error: nothing was changed") as caught:
            call_command("import_network", str(path), "--customer=Northwind", *options)
        assert (caught.value.returncode, said in capsys.readouterr().out) == (1, True), name
    assert checksum() == before


def test_what_was_said_can_be_kept(world):
    """A plan with errors holds texts that no database does, and the places of what was wrong."""
    caller = Caller(world.ada.scope(), "ada@northwind.example", IMPORT)
    for name, content in (
        ("x.json", rb'{"sites": [{"\u0000\ud800": 1, "groupName": "\u0000"}], "\ud800": []}'),
        ("x.csv", b"groupName,a\x01b" + b" " * 600 + b"\nA\x00B,1\n"),
        ("x.zip", zipped({"sites\x01.csv": "a\n"})),
    ):
        plan = import_plan(caller, world.northwind, content, ImportRequest(name))
        kept = ImportPlan.objects.get(pk=plan.pk).findings
        assert kept["errors"] == plan.findings["errors"] != []
        json.dumps(kept, ensure_ascii=False).encode()
