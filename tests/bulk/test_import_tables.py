"""Importing our own tables: what a person writes in a spreadsheet, and what comes of it."""

import datetime
import io
import json

import pytest

from bulk import apply
from bulk.imports import ImportRequest, read
from chargers.models import Charger, ChargerConfiguration, Socket
from drivers.models import ChargerRight, Driver, IntegratedExternalId, SiteRight, Tag
from hierarchy import tree_check
from hierarchy.journal import IMPORT
from hierarchy.models import Change, Site
from hierarchy.scoping import Caller, Scope
from operators.models import Operator, SiteGrant
from tests.conftest import made

pytestmark = pytest.mark.django_db


@pytest.fixture
def load(world):
    """Import a text, or a document, as a file of Northwind's. The answer is the plan, applied when it has no errors."""

    def run(content, name="", scope=None, **asked):
        if not isinstance(content, str):
            content = json.dumps(content)
        contents = read(io.BytesIO(content.encode()), ImportRequest(name or "file", **asked), world.northwind)
        caller = Caller(scope or Scope.platform(), "Somebody", IMPORT)
        plan = apply.run(caller, world.northwind, contents.rows, contents.findings, prune=contents.prune)
        assert tree_check.check() == []
        return plan

    return run


def errors(plan):
    return [str(error).removeprefix("file, ").removeprefix("file: ") for error in plan.findings.errors]


def counts(plan):
    return {
        table: tuple(getattr(each, name) for name in ("created", "changed", "moved", "deleted", "unchanged"))
        for table, each in plan.counts().items()
    }


def test_a_table_is_known_by_its_columns(load, world):
    plan = load("chargerId;groupName;Charger Name\n")
    assert errors(plan) == ["row 1, column groupName: There is no such column. Did you mean group?"]
    plan = load("charger_id;Charger Name;group\nHOT-1;Lobby;Harbour / East car park\nquay-1;Quay;\n")
    assert (errors(plan), counts(plan)) == ([], {"chargers": (1, 1, 0, 0, 0)})
    assert Charger.objects.get(charger_id="HOT-1").site == world.east
    assert Charger.objects.get(pk=world.quay_1.pk).charger_id == "quay-1"
    assert Charger.objects.get(pk=world.quay_1.pk).site == world.harbour
    for header, table in {
        "parent,groupName": "sites",
        "chargerId,id,name": "sockets",
        "chargerId,configName,configValue": "configurations",
        "name,homeGroup": "drivers",
        "name,idTag,tokenName": "people",
        "driver,idTag": "tags",
        "driver,group": "rights",
        "driver,chargerId": "rights",
        "driver,referenceId,externalId": "externalIds",
        "emailAddress,name": "operators",
        "operator,group": "grants",
    }.items():
        contents = read(io.BytesIO(header.encode()), ImportRequest("x.csv", prune_site="/"), world.northwind)
        assert errors(contents) == []
        assert contents.prune.tables[-1] in (table, "chargerRights"), header
    assert "Nothing says which table this is" in errors(load("nickname,colour\nA,red\n"))[0]


def test_misspelt_columns_are_errors_with_the_nearest_name(load):
    plan = load({"sites": [{"groupName": "A", "gruopType": 1}], "chrgers": []})
    assert errors(plan) == [
        "sites, row 1, column gruopType: There is no such key. Did you mean groupType?",
        "chrgers: 'chrgers': There is no table of this name: call it one of sites, chargers, sockets, configurations, "
        "drivers, tags, rights, externalIds, people, operators, grants, or leave it out. Did you mean chargers?",
    ]
    plan = load("groupName,groupName,parent\nA,B,\n", table="sites")
    assert errors(plan) == ["row 1, column groupName: This column stands there twice: remove or rename one of them."]


def test_empty_cells_leave_alone_and_the_marker_clears(load, world):
    load("chargerId,manufacturer,chargerName,latitude,longitude,capabilities\nQUAY-1,,,,,\n")
    quay = Charger.objects.get(pk=world.quay_1.pk)
    assert (quay.manufacturer, quay.name, quay.latitude, quay.capabilities) == (
        "Alfen",
        "Quay one",
        52.0907,
        ["REMOTE_START_STOP_CAPABLE"],
    )
    plan = load(
        "chargerId,manufacturer,chargerName,latitude,longitude,capabilities,customProperties.owner,customProperties.bay\n"
        "QUAY-1,(empty),(Empty),(empty),(empty),(empty),(empty),7\n"
    )
    assert counts(plan) == {"chargers": (0, 1, 0, 0, 0)}
    quay.refresh_from_db()
    assert (quay.manufacturer, quay.name, quay.latitude, quay.capabilities) == (None, "", None, [])
    assert quay.custom_properties == {"asset": "17", "bay": "7"}
    assert errors(load("chargerId,group,evseId\nQUAY-1,(empty),\n")) == ["row 2, column group: Must not be empty."]


def test_values_as_people_write_them(load, world):
    plan = load(
        "chargerId;latitude;longitude;splitEvseBySocket;capabilities\n"
        "QUAY-1;52,5;-4,25;Yes;A, B\n"
        'GAR-1;1.5;2;x;"[""C, D""]"\n'
        "GAR-2;north;;maybe;[A\n"
    )
    assert errors(plan) == [
        "row 4, column latitude: 'north': Must be a number, such as 52.3702.",
        "row 4, column splitEvseBySocket: 'maybe': Must be true or false.",
        """row 4, column capabilities: '[A': Invalid JSON. Write it as in ["one", "two"].""",
    ]
    assert Charger.objects.get(pk=world.quay_1.pk).latitude == 52.0907, "nothing was written"
    load("chargerId;latitude;longitude;splitEvseBySocket;capabilities\nQUAY-1;52,5;-4,25;Yes;A, B\n")
    quay = Charger.objects.get(pk=world.quay_1.pk)
    assert (quay.latitude, quay.longitude, quay.is_evse_split_by_socket, quay.capabilities) == (
        52.5,
        -4.25,
        True,
        ["A", "B"],
    )


def test_days_are_those_of_the_customer(load, world):
    """A day begins where the customer is, and lasts to its end."""
    load("driver,idTag,startDate,expiringDate\nD/1,04FFEE01,2026-07-01,2026-12-31\n")
    tag = Tag.objects.get(pk=world.dora_fob.pk)
    utc = datetime.UTC
    assert tag.starts_at == datetime.datetime(2026, 6, 30, 22, 0, tzinfo=utc)
    assert tag.expires_at == datetime.datetime(2026, 12, 31, 22, 59, 59, tzinfo=utc)
    load("idTag,startDate,expiringDate\n04ffee01,2026-07-01T10:00:00+03:00,9999-12-31T23:59:59Z\n", table="tags")
    tag.refresh_from_db()
    assert (tag.starts_at, tag.expires_at) == (datetime.datetime(2026, 7, 1, 7, 0, tzinfo=utc), None)
    plan = load(
        "idTag,startDate,expiringDate\n04ffee01,2026-13-01,yesterday\n04A1B2C3,2026-02-02,2026-01-01\n", table="tags"
    )
    assert errors(plan) == [
        "row 2, column startDate: '2026-13-01': Must be a date or a time, such as 2026-06-01 or 2026-06-01T12:00:00Z.",
        "row 2, column expiringDate: 'yesterday': Must be a date or a time, such as 2026-06-01 or "
        "2026-06-01T12:00:00Z.",
        "row 3, column expiringDate: '2026-01-01 22:59:59+00:00': The tag ends before it starts. Choose a later end.",
    ]


def test_sites_are_named_by_path_or_external_id(load, world):
    plan = load(
        "parent,groupName,externalId,groupType\n"
        ",Rhine / Ruhr,,SUB_CPO\n"
        "/Rhine \\/ Ruhr,Deck 1,RR-1,\n"
        "RR-1,Row A,,CIRCUIT\n"
        "rhine \\/ ruhr/DECK 1 / row a,Bay,,4\n"
    )
    assert (errors(plan), counts(plan)) == ([], {"sites": (4, 0, 0, 0, 0)})
    bay = Site.objects.get(name="Bay")
    assert [site.name for site in bay.get_ancestors()] == ["Rhine / Ruhr", "Deck 1", "Row A"]
    # An external id goes before a path; a slash at the beginning makes it a path.
    made(Site, customer=world.northwind, name="RR-1")
    load("parent,groupName\nRR-1,One\n/RR-1,Two\n")
    assert Site.objects.get(name="One").parent.name == "Deck 1"
    assert Site.objects.get(name="Two").parent.name == "RR-1"
    assert errors(load("chargerId,group\nGAR-1,Harbour / East car parc / Garage\nGAR-2,Airprot\n")) == [
        "row 2, column group: 'Harbour / East car parc / Garage': Not found in the file or the network. Did you "
        "mean East car park?",
        "row 3, column group: 'Airprot': Not found in the file or the network. Did you mean Airport?",
    ]
    assert errors(load("parent,groupName\nHarbour / Nowhere,X\n,\n/,Y\n")) == [
        "row 2, column parent: 'Harbour / Nowhere': Not found in the file or the network.",
        "row 4, column parent: '/': Not found in the file or the network.",
    ]


def test_an_external_id_is_the_same_one_wherever_its_row_stands(load):
    """What a reference means does not depend on the order of the rows."""
    rows = [",A,,", "A,B,,", ",C,A,"]
    for order in (rows, rows[::-1]):
        plan = load("parent,groupName,externalId,costId\n" + "\n".join(order))
        assert errors(plan) == []
        assert Site.objects.get(name="B").parent.name == "C"


def test_places_can_be_exchanged_and_referred_to(load, world):
    """Two sites take each other's names, and what is put below a name lies below who has it then."""
    made(Site, customer=world.northwind, name="P1", external_id="P-1")
    made(Site, customer=world.northwind, name="P2", external_id="P-2")
    plan = load("externalId,groupName,parent\nP-1,P2,\nP-2,P1,\n,Under,P1\n")
    assert (errors(plan), counts(plan)) == ([], {"sites": (1, 2, 0, 0, 0)})
    assert Site.objects.get(name="Under").parent.external_id == "P-2"


def test_namesakes_among_drivers(load, world):
    first, second = (made(Driver, customer=world.northwind, name="Anna") for _ in range(2))
    plan = load("name,payerId\nanna,1\n", table="drivers")
    assert errors(plan) == ["row 2, column name: 'anna': Ambiguous name. Fill in the external ID."]
    assert errors(load("driver,idTag\nAnna,AA\n")) == [
        "row 2, column driver: 'Anna': Ambiguous name. Use the external ID, or the name as exports write it."
    ]
    plan = load(f"id,name,payerId\n{first.pk},Anna,1\n{second.pk},Anna,2\n", table="drivers")
    assert (errors(plan), counts(plan)) == ([], {"drivers": (0, 2, 0, 0, 0)})
    assert [Driver.objects.get(pk=one.pk).payer_id for one in (first, second)] == [1, 2]
    load(f"driver,idTag\nAnna (id {second.pk}),AA\n")
    assert Tag.objects.get(id_tag="AA").driver == second
    # An id means nobody who is called otherwise.
    assert errors(load(f"driver,idTag\nAnna (id {world.dora.pk}),BB\n")) != []
    # One who is alone with a name gets the external id that the file gives.
    load("name,externalId\nDirk,E-1\n")
    assert Driver.objects.get(pk=world.dirk.pk).external_id == "E-1"
    # With another external id it is somebody else.
    assert counts(load("name,externalId\nDirk,E-2\n"))["drivers"] == (1, 0, 0, 0, 0)


def test_everything_in_one_document(load, world):
    plan = load(
        {
            "grants": [{"operator": "new@northwind.example", "group": "Hotel"}],
            "operators": [{"emailAddress": "new@northwind.example", "name": "New", "homeGroup": "Hotel"}],
            "rights": [
                {"driver": "Nora", "group": ["Hotel", "Lobby"]},
                {"driver": "D/1", "chargerId": "hot-1"},
                {"driver": "D/1", "group": "N-1"},
            ],
            "externalIds": [{"driver": "Nora", "referenceId": "fleet", "externalId": "F-1"}],
            "tags": [{"driver": "Nora", "idTag": "0A", "expiringDate": None}],
            "drivers": [{"name": "Nora", "homeGroup": "Hotel"}],
            "configurations": [{"chargerId": "HOT-1", "configName": "A", "configValue": ""}],
            "sockets": [{"chargerId": "HOT-1", "id": 1}],
            "chargers": [{"chargerId": "HOT-1", "group": "Hotel / Lobby", "customProperties": {"a": "b"}}],
            "sites": [{"groupName": "Lobby", "parent": "Hotel"}, {"groupName": "Hotel", "groupType": "SITE"}],
        }
    )
    assert errors(plan) == []
    assert counts(plan) == {
        "sites": (2, 0, 0, 0, 0),
        "chargers": (1, 0, 0, 0, 0),
        "sockets": (1, 0, 0, 0, 0),
        "configurations": (1, 0, 0, 0, 0),
        "drivers": (1, 0, 0, 0, 0),
        "tags": (1, 0, 0, 0, 0),
        "siteRights": (1, 0, 0, 0, 1),
        "chargerRights": (1, 0, 0, 0, 0),
        "externalIds": (1, 0, 0, 0, 0),
        "operators": (1, 0, 0, 0, 0),
        "grants": (1, 0, 0, 0, 0),
    }
    new = Operator.objects.get(email="new@northwind.example")
    assert not new.has_usable_password() and new.operator_id.startswith("op_")
    assert SiteGrant.objects.get(operator=new).site.name == "Hotel"
    lines = dict(Change.objects.filter(actor_label="Somebody").values_list("object_type", "natural_key"))
    assert lines["siteright"] == "Nora @ Lobby"
    assert lines["sitegrant"] == "new@northwind.example @ Hotel"
    assert "password" not in Change.objects.get(object_type="operator", actor_label="Somebody").fields or (
        Change.objects.get(object_type="operator", actor_label="Somebody").fields["password"][1] == "***"
    )


def test_one_row_a_person(load, world):
    plan = load(
        "Name;Tag;Label;Valid from;Valid to;Home site;Site;Charger\n"
        "Anna;0A;Card;2026-01-01;2026-12-31;Harbour;Harbour;\n"
        "Anna;0B;Fob;;;;Harbour;AIR-1\n"
        "Dora;04A1B2C3;Blue card;;;;;\n"
        "Bert;;;;;;;\n"
    )
    assert errors(plan) == []
    assert counts(plan) == {
        "drivers": (2, 0, 0, 0, 1),
        "tags": (2, 1, 0, 0, 0),
        "siteRights": (1, 0, 0, 0, 0),
        "chargerRights": (1, 0, 0, 0, 0),
    }
    anna = Driver.objects.get(name="Anna")
    assert anna.home_site == world.harbour
    assert [tag.token_name for tag in anna.tags.order_by("id_tag")] == ["Card", "Fob"]
    assert SiteRight.objects.get(driver=anna).site == world.harbour
    assert ChargerRight.objects.get(driver=anna).charger == world.air_1
    assert Tag.objects.get(pk=world.dora_card.pk).token_name == "Blue card"
    plan = load(
        "name,idTag,homeGroup,tokenName,group\nEva,1A,Harbour,,\neva,1B,Airport,,\n,1C,,,\nFay,,,Card,\nGus,,,,Nowhere\n",
        table="people",
    )
    assert errors(plan) == [
        "row 3, column name: 'eva': Differs from row 2 for the same person. Use the same value in both.",
        "row 3, column homeGroup: 'Airport': Differs from row 2 for the same person. Use the same value in both.",
        "row 4, column name: Unknown person: fill in name or externalId.",
        "row 5, column idTag: Tag values without a tag: fill in idTag.",
        "row 6, column group: 'Nowhere': Not found in the file or the network.",
    ]


def test_rights_need_a_target(load):
    assert errors(load("driver,group,chargerId\nDora,,\n,Harbour,\nSid,Depot,\n")) == [
        "row 2: No site or charger: fill in group or chargerId.",
        "row 3: No key: fill in driver / group.",
        "row 4, column driver: 'Sid': Not found in the file or the network.",
        "row 4, column group: 'Depot': Not found in the file or the network.",
    ]


def test_what_is_reported_is_ignored_and_notes_are_left_out(load, world):
    plan = load(
        {
            "chargers": [
                {"chargerId": "QUAY-1", "chargerStatus": "Error", "lastSeen": None, "amountOfSockets": 9, "version": 1}
            ],
            "sockets": [{"chargerId": "QUAY-1", "id": 1, "status": "Nonsense", "lastUpdated": 5}],
        }
    )
    assert (errors(plan), plan.is_empty) == ([], True)
    plan = load("chargerId,chargerName,note,errors\nHOT-1,Example,example,\nQUAY-1,Quay,call them,old message\n")
    assert (errors(plan), counts(plan)) == ([], {"chargers": (0, 1, 0, 0, 0)})


def test_what_the_file_no_longer_names_is_deleted(load, world):
    def network():
        return sorted(
            [site.name for site in Site.objects.filter(customer=world.northwind)]
            + [row.charger_id for row in Charger.objects.filter(customer=world.northwind)]
        )

    made(ChargerRight, driver=world.dora, charger=world.gar_2)
    # Only below the site, and only in the tables that the file has.
    plan = load("chargerId,chargerName\nGAR-1,Garage one\n", prune_site="Harbour / East car park")
    assert errors(plan) == []
    assert counts(plan) == {"chargers": (0, 0, 0, 1, 1), "chargerRights": (0, 0, 0, 1, 0)}
    assert network() == ["AIR-1", "Airport", "East car park", "GAR-1", "Garage", "Harbour", "QUAY-1", "West car park"]
    gone = Change.objects.filter(action="deleted").values_list("object_type", "natural_key", "site_path")
    place = f"/{world.harbour.pk}/{world.east.pk}/{world.garage.pk}/"
    assert set(gone) == {("chargerright", "Dora @ GAR-2", place), ("charger", "GAR-2", place)}
    # Nothing goes while something needs it.
    mend = " Name it in the file, or move or delete first what needs it."
    plan = load({"sites": [{"groupName": "Harbour"}]}, prune_site="N-1")
    assert errors(plan) == [
        "What the file does not name cannot be deleted while something needs it: Garage, which has the charger GAR-1."
        + mend,
        "What the file does not name cannot be deleted while something needs it: Garage, which has the driver Dora."
        + mend,
        "What the file does not name cannot be deleted while something needs it: East car park, which has the operator "
        "rob@northwind.example." + mend,
    ]
    plan = load(
        {"sites": [{"groupName": "Harbour"}], "chargers": [{"chargerId": "GAR-1"}, {"chargerId": "QUAY-1"}]},
        prune_site="N-1",
    )
    assert "Refers to what the file does not name" not in " ".join(errors(plan))
    # What needs it goes, too, or goes elsewhere.
    plan = load(
        {
            "sites": [{"groupName": "Harbour"}, {"parent": "N-1", "groupName": "East car park"}],
            "chargers": [{"chargerId": "GAR-1", "group": "Harbour"}, {"chargerId": "QUAY-1"}],
            "drivers": [{"name": "Dora", "externalId": "D/1", "homeGroup": "Harbour"}],
        },
        prune_site="N-1",
    )
    assert errors(plan) == []
    assert counts(plan)["sites"] == (0, 0, 0, 2, 2)
    assert network() == ["AIR-1", "Airport", "East car park", "GAR-1", "Harbour", "QUAY-1"]
    assert errors(load("groupName\nHarbour\n", prune_site="Atlantis")) == [
        "There is no site Atlantis below which something could be deleted: give its path or external id."
    ]


def test_everywhere_is_a_place_too(load, world):
    plan = load("name\nDora\n", table="drivers", prune_site="/")
    assert (errors(plan), counts(plan)["drivers"]) == ([], (0, 0, 0, 2, 1))
    assert list(Driver.objects.values_list("name", flat=True).order_by("name")) == ["Dora", "Sid"]


def test_a_name_that_is_freed_can_be_taken(load, world):
    """The EVSE id of a charger that goes is free for the one that comes."""
    plan = load("chargerId,evseId,group\nQUAY-9,NL*NWD*E1,Harbour\nGAR-1,,\nGAR-2,,\n", prune_site="Harbour")
    assert (errors(plan), counts(plan)["chargers"]) == ([], (1, 0, 0, 1, 2))
    assert Charger.objects.get(evse_id="NL*NWD*E1").charger_id == "QUAY-9"
    assert not Socket.objects.filter(charger__charger_id="QUAY-1").exists()


def test_what_depends_on_a_deleted_row_cannot_be_kept(load):
    plan = load(
        {"chargers": [{"chargerId": "GAR-1"}, {"chargerId": "GAR-2"}], "sockets": [{"chargerId": "QUAY-1", "id": 1}]},
        prune_site="Harbour",
    )
    assert errors(plan) == [
        "sockets, row 1, column chargerId: 'QUAY-1': Refers to a row that is missing from the file and would be "
        "deleted. Add it to the file."
    ]


def test_a_restricted_operator_imports_what_that_operator_may_write(load, world):
    rob = world.rob.scope()
    made(SiteGrant, operator=world.nell, site=world.airport)
    plan = load(
        {
            "chargers": [
                {"chargerId": "GAR-1", "chargerName": "Mine"},
                {"chargerId": "AIR-1", "chargerName": "Not mine", "group": "East car park"},
            ],
            "sites": [{"groupName": "East car park", "costId": "C"}, {"groupName": "New root"}],
            "drivers": [{"name": "Spare"}, {"name": "Mine", "homeGroup": "East car park / Garage"}],
            "operators": [
                {"emailAddress": "rob@northwind.example", "name": "Robert"},
                {
                    "emailAddress": "boss@northwind.example",
                    "name": "Boss",
                    "isAdminOperator": True,
                    "homeGroup": "East car park",
                },
                {"emailAddress": "nell@northwind.example", "name": "Nelly"},
                {"emailAddress": "tim@northwind.example", "name": "Tim", "homeGroup": "East car park"},
            ],
            "grants": [
                {"operator": "rob@northwind.example", "group": "East car park / Garage"},
                {"operator": "tim@northwind.example", "group": "East car park / Garage"},
                {"operator": "tim@northwind.example", "group": "Airport"},
            ],
        },
        scope=rob,
    )
    assert errors(plan) == [
        "grants, row 3, column group: 'Airport': Not found in the file or the network.",
        "sites, row 1: Outside of the sites you may change.",
        "sites, row 2: Outside of the sites you may change.",
        "chargers, row 2, column chargerId: 'AIR-1': This charger ID is already in use.",
        "drivers, row 1: Outside of the sites you may change.",
        "operators, row 3, column emailAddress: 'nell@northwind.example': This email address is already in use. "
        "Choose another.",
        "operators, row 3: Outside of the sites you may change.",
        "operators, row 1: You cannot change your own account here. Ask an admin operator.",
        "operators, row 2: Only an admin operator can create or change an admin operator.",
        "grants, row 1: You cannot change your own access. Ask an admin operator.",
    ]
    assert Charger.objects.get(charger_id="GAR-1").name == "Garage one"
    plan = load(
        {
            "chargers": [{"chargerId": "GAR-1", "chargerName": "Mine"}],
            "operators": [{"emailAddress": "tim@northwind.example", "name": "Tim", "homeGroup": "East car park"}],
            "grants": [{"operator": "tim@northwind.example", "group": "East car park / Garage"}],
        },
        scope=rob,
    )
    assert errors(plan) == []
    assert SiteGrant.objects.get(operator__email="tim@northwind.example").site == world.garage
    # Nor is anything deleted that the operator does not see.
    plan = load("chargerId\nGAR-1\n", table="chargers", scope=rob, prune_site="/")
    assert counts(plan)["chargers"] == (0, 0, 0, 1, 1)
    assert set(Charger.objects.values_list("charger_id", flat=True)) == {"QUAY-1", "GAR-1", "AIR-1", "DEP-1"}
    plan = load("emailAddress\ntim@northwind.example\n", table="operators", scope=rob, prune_site="/")
    assert counts(plan) == {"operators": (0, 0, 0, 0, 1)}, "nobody deletes oneself"


def test_clearing_a_configuration_and_an_external_id(load, world):
    load({"configurations": [{"chargerId": "QUAY-1", "configName": "heartbeatinterval", "configValue": None}]})
    assert ChargerConfiguration.objects.get(charger=world.quay_1).value == ""
    assert errors(load("driver,referenceId,externalId,effectiveFrom\nDora,fleet,F-78,(empty)\n")) == []
    row = IntegratedExternalId.objects.get(driver=world.dora)
    assert (row.external_id, row.effective_from) == ("F-78", None)


def test_the_journal_says_where_things_lay_before(load, world):
    """Also when what was above them moves in the same import, or is deleted."""
    top = made(Site, customer=world.northwind, name="Top", external_id="T")
    hall = made(Site, parent=top, name="Hall", external_id="H")
    deck = made(Site, parent=hall, name="Deck", external_id="D")
    row = made(Site, parent=deck, name="Row", external_id="R")
    bay = made(Charger, site=deck, charger_id="BAY-1")
    made(Charger, site=row, charger_id="ROW-1")
    plan = load(
        {
            "sites": [
                {"externalId": "T"},
                {"externalId": "D", "parent": "Airport"},
                {"externalId": "H", "parent": "N-1"},
            ],
            "chargers": [{"chargerId": "BAY-1", "group": "H"}],
        },
        prune_site="T",
    )
    # Row and its charger lie below Deck, which leaves Top: they are not deleted.
    assert (errors(plan), counts(plan)["chargers"]) == ([], (0, 0, 1, 0, 0))
    lines = {line.natural_key: line for line in Change.objects.filter(actor_label="Somebody")}
    old = f"/{top.pk}/{hall.pk}/{deck.pk}/"
    assert (lines["Deck"].from_path, lines["Deck"].site_path) == (old, f"/{world.airport.pk}/{deck.pk}/")
    assert (lines["BAY-1"].from_path, lines["BAY-1"].site_path) == (old, f"/{world.harbour.pk}/{hall.pk}/")
    plan = load({"sites": [{"groupName": "Airport"}], "chargers": [{"chargerId": "AIR-1"}]}, prune_site="Airport")
    assert counts(plan) == {"sites": (0, 0, 0, 2, 1), "chargers": (0, 0, 0, 1, 1)}
    gone = Change.objects.filter(actor_label="Somebody", action="deleted")
    assert {line.natural_key: line.site_path for line in gone} == {
        "Row": f"/{world.airport.pk}/{deck.pk}/{row.pk}/",
        "Deck": f"/{world.airport.pk}/{deck.pk}/",
        "ROW-1": f"/{world.airport.pk}/{deck.pk}/{row.pk}/",
    }
    assert Charger.objects.get(pk=bay.pk).site == hall
