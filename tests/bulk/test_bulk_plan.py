"""The bulk engine: what a file's rows come to, what is in the way, and what is written."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from bulk import apply
from bulk.drafts import KEPT, Draft, Findings
from bulk.row_checks import check_rows
from bulk.tables import tables, with_referred
from chargers.models import Charger, Socket
from hierarchy import tree_check
from hierarchy.errors import Conflict, NotFound, NotPermitted
from hierarchy.journal import IMPORT
from hierarchy.models import Change, Customer, Site
from hierarchy.scoping import Caller, Scope
from tests.conftest import made

pytestmark = pytest.mark.django_db


def site(row=2, **values):
    return Draft("sites", row, values)


def charger(row=2, **values):
    return Draft("chargers", row, values)


def socket(row=2, **values):
    return Draft("sockets", row, values)


def imported(customer, *drafts, scope=None, dry_run=False):
    """The plan, applied unless it has errors."""
    findings = Findings("file.csv")
    rows = check_rows(drafts, findings)
    caller = Caller(scope or Scope.platform(), "Somebody", IMPORT)
    carry_out = apply.dry_run if dry_run or findings.error_count else apply.run
    return carry_out(caller, customer, rows, findings)


def errors(plan):
    return [f"{error.row} {error.column}: {error.message}" for error in plan.findings.errors]


def counts(plan):
    return {name: (each.created, each.changed, each.moved, each.unchanged) for name, each in plan.counts().items()}


def test_it_works(world):
    plan = imported(
        world.northwind,
        site(groupName="Hotel", parent=("Harbour", "East car park"), externalId="N-9", groupType="OTHER"),
        charger(chargerId="HOT-1", group="N-9", chargerName="Lobby"),
        socket(chargerId="HOT-1", id=1, maxWatts="11000"),
        charger(3, chargerId="quay-1", chargerName="Quay one"),
        charger(4, chargerId="GAR-1", chargerName="Garage 1"),
    )
    assert errors(plan) == []
    assert counts(plan) == {"sites": (1, 0, 0, 0), "chargers": (1, 2, 0, 0), "sockets": (1, 0, 0, 0)}
    hotel = Site.objects.get(name="Hotel")
    assert (hotel.parent, hotel.group_type, hotel.external_id_key) == (world.east, 4, "n-9")
    assert Charger.objects.get(charger_id="HOT-1").site == hotel
    assert Socket.objects.get(charger__charger_id="HOT-1").max_power_w == 11000
    assert Charger.objects.get(pk=world.quay_1.pk).charger_id == "quay-1"
    assert tree_check.check() == []


def test_tables_come_after_what_they_refer_to():
    assert [table.name for table in with_referred(["sockets"])] == ["sites", "chargers", "sockets"]


@pytest.mark.parametrize("table", ["sites", "chargers", "sockets"])
def test_columns_name_fields_once(table):
    columns = tables()[table].columns
    assert len({column.name for column in columns}) == len({column.field for column in columns}) == len(columns)
    assert {column.field for column in columns} <= tables()[table].fields.keys()


def test_parents_may_come_after_their_children(world):
    plan = imported(
        world.northwind,
        site(2, groupName="C", parent=("A", "B")),
        site(3, groupName="B", parent=("A",)),
        site(4, groupName="D", parent="ext-a"),
        site(5, groupName="A", externalId="EXT-A"),
    )
    assert errors(plan) == []
    top = Site.objects.get(name="A")
    assert [below.name for below in top.get_descendants().order_by("name")] == ["B", "C", "D"]
    assert (top.group_type, Site.objects.get(name="C").group_type) == (1, 2)
    assert tree_check.check() == []


def test_a_very_deep_tree_in_the_worst_order(world):
    names = [f"Level {level}" for level in range(300)]
    rows = [
        site(level + 2, groupName=name, externalId=name, **({"parent": names[level - 1]} if level else {}))
        for level, name in enumerate(names)
    ]
    plan = imported(world.northwind, *reversed(rows))
    assert errors(plan) == []
    assert Site.objects.get(name="Level 299").level == 299
    assert tree_check.check() == []


def test_siblings_keep_their_order_and_new_ones_follow(world):
    before = list(Site._base_manager.filter(parent=world.harbour).order_by("lft").values_list("name", flat=True))
    imported(world.northwind, site(groupName="Aardvark", parent="N-1"), site(3, groupName="Zulu", parent="N-1"))
    after = list(Site._base_manager.filter(parent=world.harbour).order_by("lft").values_list("name", flat=True))
    assert after == [*before, "Aardvark", "Zulu"]


def test_new_roots_get_trees_of_their_own_over_all_customers(world):
    plan = imported(world.northwind, site(groupName="Station"), site(3, groupName="Mall"))
    assert errors(plan) == []
    trees = Site._base_manager.filter(parent=None).values_list("tree_id", flat=True)
    assert len(set(trees)) == len(trees) == 5
    assert tree_check.check() == []


def test_cells_that_are_missing_leave_values_alone(world):
    plan = imported(world.northwind, charger(chargerId="QUAY-1", manufacturer="Wallbox"))
    assert counts(plan)["chargers"] == (0, 1, 0, 0)
    quay = Charger.objects.get(pk=world.quay_1.pk)
    assert (quay.name, quay.latitude, quay.capabilities) == ("Quay one", 52.0907, ["REMOTE_START_STOP_CAPABLE"])
    assert (quay.status, quay.firmware_version) == ("Available", "6.5")


def test_a_change_is_written_as_save_would_write_it(world):
    quay = Charger.objects.get(pk=world.quay_1.pk)
    imported(world.northwind, charger(chargerId="QUAY-1", chargerName=" Straße ", **{"customProperties.owner": "City"}))
    after = Charger.objects.get(pk=quay.pk)
    assert (after.version, after.created_at) == (quay.version + 1, quay.created_at)
    assert after.updated_at > quay.updated_at
    assert after.name_key == "strasse"
    assert after.custom_properties == {"owner": "City", "asset": "17"}
    line = Change.objects.first()
    assert (line.action, line.source, line.actor_label, line.natural_key) == ("changed", "import", "Somebody", "QUAY-1")
    assert line.fields == {
        "name": ["Quay one", " Straße "],
        "custom_properties": [{"owner": "Port", "asset": "17"}, {"owner": "City", "asset": "17"}],
    }
    assert line.site_path == f"/{world.harbour.pk}/"


def test_a_new_row_is_written_as_save_would_write_it(world):
    values = {
        "charger_id": "X-1",
        "name": "One",
        "evse_id": "NL*NWD*E9",
        "city": "Utrecht",
        "latitude": 1,
        "longitude": 2,
    }
    saved = made(Charger, site=world.west, **values)
    written = Change.objects.first()
    saved.delete()
    imported(
        world.northwind,
        charger(
            chargerId="X-1",
            chargerName="One",
            evseId="NL*NWD*E9",
            city="Utrecht",
            latitude="1",
            longitude=2,
            group=("Harbour", "West car park"),
        ),
    )
    loaded = Charger.objects.get(charger_id="X-1")
    for field in Charger._meta.concrete_fields:
        if field.name not in ("id", "created_at", "updated_at"):
            assert getattr(loaded, field.attname) == getattr(saved, field.attname), field.name
    line = Change.objects.first()
    assert (line.fields, line.site_path, line.natural_key) == (written.fields, written.site_path, written.natural_key)


def test_a_dry_run_writes_nothing(world):
    lines = Change.objects.count()
    plan = imported(
        world.northwind, site(groupName="Hotel"), charger(chargerId="QUAY-1", chargerName="Q"), dry_run=True
    )
    assert counts(plan) == {"sites": (1, 0, 0, 0), "chargers": (0, 1, 0, 0)}
    assert Change.objects.count() == lines
    assert not Site.objects.filter(name="Hotel").exists()


def test_names_can_be_exchanged(world):
    """Unique constraints look at each row: on the way, one of the names must be free."""
    world.east.external_id, world.west.external_id = "E", "W"
    world.east.save(), world.west.save()
    plan = imported(
        world.northwind,
        site(externalId="E", groupName="West car park"),
        site(3, externalId="W", groupName="East car park"),
    )
    assert errors(plan) == []
    assert Site.objects.get(pk=world.east.pk).name == "West car park"
    assert Site.objects.get(pk=world.west.pk).name_key == "east car park"


def test_a_new_row_takes_the_name_that_another_leaves(world):
    plan = imported(world.northwind, site(groupName="Harbour"), site(3, externalId="N-1", groupName="Old harbour"))
    assert errors(plan) == []
    assert Site.objects.get(pk=world.harbour.pk).name == "Old harbour"
    assert Site.objects.get(name="Harbour").pk != world.harbour.pk
    assert tree_check.check() == []


def test_a_site_gets_its_external_id_by_its_path(world):
    plan = imported(world.northwind, site(groupName="Airport", externalId="AIR"))
    assert counts(plan)["sites"] == (0, 1, 0, 0)
    assert Site.objects.get(pk=world.airport.pk).external_id == "AIR"


def test_a_site_with_another_external_id_is_another_site(world):
    plan = imported(world.northwind, site(groupName="Harbour", externalId="N-2"))
    assert errors(plan) == ["2 groupName: A top-level site with this name already exists."]


def test_a_move_takes_the_subtree_along(world):
    plan = imported(world.northwind, site(externalId="N-1", parent=("Airport",)))
    assert counts(plan)["sites"] == (0, 0, 1, 0)
    assert Site.objects.get(pk=world.garage.pk).get_root() == Site.objects.get(pk=world.airport.pk)
    line = Change.objects.first()
    assert (line.action, line.site_path) == ("moved", f"/{world.airport.pk}/{world.harbour.pk}/")
    assert tree_check.check() == []


def test_circles_are_refused(world):
    world.garage.external_id = "G"
    world.garage.save()
    plan = imported(world.northwind, site(externalId="N-1", parent="G"))
    assert errors(plan) == ["2 parent: Cannot be below itself. Choose a parent site outside of its own subtree."]
    plan = imported(
        world.northwind,
        site(groupName="A", externalId="A", parent="B"),
        site(3, groupName="B", externalId="B", parent="A"),
    )
    assert len(errors(plan)) == 2


WRONG = [
    (lambda: [charger(chargerId="N-1", group="nowhere")], "2 group: Not found"),
    (lambda: [charger(chargerId="N-1", group=("Harbour", "nowhere"))], "2 group: Not found"),
    (lambda: [charger(chargerId="N-1", group=("Depot",))], "2 group: Not found"),
    (lambda: [site(groupName="A", parent="nowhere")], "2 parent: Not found"),
    (lambda: [socket(chargerId="DEP-1", id=2)], "2 chargerId: Not found"),
    (lambda: [charger(chargerId="DEP-1", group="N-1")], "2 chargerId: This charger ID is already in use."),
    (lambda: [charger(chargerId="dep-1", group="N-1")], "2 chargerId: This charger ID is already in use."),
    (lambda: [charger(chargerId="A-1", group="N-1", evseId="nlnwde1")], "2 evseId: Another charger already has"),
    (lambda: [charger(chargerId="A-1")], "2 group: Required"),
    (lambda: [charger(chargerName="A")], "2 : No key"),
    (lambda: [site(externalId="N-3")], "2 groupName: Required"),
    (lambda: [charger(chargerId="A 1", group="N-1")], "2 chargerId: A 1 is not a valid charger ID"),
    (lambda: [charger(chargerId="A\x00", group="N-1")], "2 chargerId: "),
    (lambda: [charger(chargerId="A\ud800", group="N-1")], "2 chargerId: "),
    (lambda: [charger(chargerId="A", group="\x00")], "2 group: Not found"),
    (lambda: [charger(chargerId="QUAY-1", latitude="91")], "2 latitude: "),
    (lambda: [charger(chargerId="GAR-1", latitude="1")], "2 longitude: Give both coordinates or neither."),
    (lambda: [charger(chargerId="GAR-1", latitude="nan", longitude="1")], "2 latitude: "),
    (lambda: [socket(chargerId="GAR-1", id=0)], "2 id: "),
    (lambda: [socket(chargerId="GAR-1", id="one")], "2 id: "),
    (lambda: [site(groupName=" ")], "2 groupName: "),
    (lambda: [site(groupName="A", groupType="CASTLE")], "2 groupType: Must be one of SUB_CPO"),
    (lambda: [site(groupName="A", groupType=5)], "2 groupType: "),
    (lambda: [site(groupName="A", payerId=10**30)], "2 payerId: "),
    (lambda: [charger(chargerId="QUAY-1", **{"customProperties.a\nb": "c"})], "2 customProperties.a\ufffdb: "),
    (lambda: [site(groupName="A"), site(3, groupName=" a ")], "3 groupName: Duplicate of row 2"),
    (
        lambda: [site(groupName="A", externalId="1"), site(3, groupName="A", externalId="2")],
        "3 groupName: A top-level site with this name already exists. See row 2.",
    ),
    (
        lambda: [site(groupName="A", externalId="1"), site(3, groupName="B", externalId=" 1")],
        "3 externalId: Duplicate of row 2",
    ),
    (
        lambda: [charger(chargerId="GAR-1", evseId="NLNWDE7"), charger(3, chargerId="GAR-2", evseId="NL*NWD*E7")],
        "3 evseId: Another charger already has this EVSE ID. See row 2.",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("drafts", "message"), WRONG, ids=range(len(WRONG)))
def test_wrong_rows_are_named_and_nothing_is_written(world, drafts, message):
    lines = Change.objects.count()
    plan = imported(world.northwind, site(99, groupName="Right"), *drafts())
    assert any(error.startswith(message) for error in errors(plan)), errors(plan)
    assert Change.objects.count() == lines
    assert not Site.objects.filter(name="Right").exists()


def test_a_wrong_row_does_not_make_the_rows_that_name_it_wrong(world):
    plan = imported(
        world.northwind,
        charger(chargerId="A 1", group="N-1", latitude="x", longitude="1"),
        socket(chargerId="A 1", id=1),
    )
    assert sorted(error.split(":")[0] for error in errors(plan)) == ["2 chargerId", "2 latitude"]


def test_more_errors_than_anybody_reads_are_counted():
    findings = Findings("file.csv")
    for row in range(KEPT + 5):
        findings.error("wrong", row=row)
    assert (len(findings.errors), findings.error_count) == (KEPT, KEPT + 5)


def test_findings_hold_nothing_that_a_terminal_obeys():
    findings = Findings("file.csv")
    findings.error("has \x1b[2J \u202e in it", row=3, column="a\x07", value="\x1b]0;title\x07")
    assert str(findings.errors[0]).isprintable()


def rob(world):
    return world.rob.scope()


def test_a_restricted_operator_imports_below_the_granted_site(world):
    plan = imported(
        world.northwind,
        site(groupName="Annex", parent=("East car park",)),
        charger(3, chargerId="ANN-1", group=("East car park", "Annex")),
        charger(4, chargerId="GAR-1", chargerName="Renamed"),
        site(5, groupName="East car park"),
        scope=rob(world),
    )
    assert errors(plan) == []
    assert Site.objects.get(name="Annex").parent == world.east
    assert counts(plan)["sites"] == (1, 0, 0, 1)


FORBIDDEN = [
    (lambda: [site(groupName="New root")], "2 : Outside"),
    (lambda: [site(groupName="East car park", costId="7")], "2 : Outside"),
    (lambda: [site(groupName="A", parent=("Harbour",))], "2 parent: Not found"),
    (lambda: [site(groupName="A", parent="N-1")], "2 parent: Not found"),
    (lambda: [charger(chargerId="NEW", group=("Airport",))], "2 group: Not found"),
    (lambda: [charger(chargerId="AIR-1", chargerName="Mine now")], "2 group: Required"),
    (lambda: [charger(chargerId="AIR-1", group=("East car park",))], "2 chargerId: This charger ID is already in use."),
    (lambda: [socket(chargerId="AIR-1", id=2)], "2 chargerId: Not found"),
]  # fmt: skip


@pytest.mark.parametrize(("drafts", "message"), FORBIDDEN, ids=range(len(FORBIDDEN)))
def test_a_restricted_operator_imports_nothing_elsewhere(world, drafts, message):
    plan = imported(world.northwind, *drafts(), scope=rob(world))
    assert any(error.startswith(message) for error in errors(plan)), errors(plan)


def test_an_operator_without_a_grant_imports_nothing(world):
    plan = imported(world.northwind, site(groupName="A"), charger(3, chargerId="QUAY-1"), scope=world.nell.scope())
    assert {error.row for error in plan.findings.errors} == {2, 3}


def test_other_customers_and_reading_keys_are_refused(world):
    with pytest.raises(NotFound):
        imported(world.northwind, site(groupName="A"), scope=world.sue.scope())
    with pytest.raises(NotFound):
        imported(Customer(name="New"), site(groupName="A"), scope=world.ada.scope())
    with pytest.raises(NotPermitted):
        imported(
            world.northwind, site(groupName="A"), scope=Scope(world.northwind.pk, is_admin=True, is_read_only=True)
        )


def test_an_admin_operator_imports_everything_of_the_customer(world):
    plan = imported(
        world.northwind, site(groupName="A"), charger(3, chargerId="AIR-1", group="N-1"), scope=world.ada.scope()
    )
    assert errors(plan) == []
    assert counts(plan)["chargers"] == (0, 0, 1, 0)


def test_a_row_that_somebody_else_changed_at_this_moment_is_a_conflict(world, monkeypatch):
    make_plan = apply.make_plan

    def meanwhile(*args):
        plan = make_plan(*args)
        Charger._base_manager.filter(pk=world.gar_1.pk).update(version=9)
        return plan

    monkeypatch.setattr(apply, "make_plan", meanwhile)
    with pytest.raises(Conflict):
        imported(world.northwind, site(groupName="A"), charger(3, chargerId="GAR-1", chargerName="B"))
    assert not Site.objects.filter(name="A").exists()
    assert Charger.objects.get(pk=world.gar_1.pk).version == 1


def test_a_collision_that_only_the_database_saw_is_a_conflict(world, monkeypatch):
    make_plan = apply.make_plan

    def meanwhile(*args):
        plan = make_plan(*args)
        made(Charger, site=world.depot, charger_id="NEW-1")
        return plan

    monkeypatch.setattr(apply, "make_plan", meanwhile)
    with pytest.raises(Conflict):
        imported(world.northwind, site(groupName="A"), charger(3, chargerId="NEW-1", group="N-1"))
    assert not Site.objects.filter(name="A").exists()


def test_the_number_of_statements_does_not_grow_with_the_rows(world):
    def statements(number):
        rows = [
            draft
            for turn in range(number)
            for draft in (
                site(turn, groupName=f"Site {number}-{turn}", parent="N-1"),
                charger(turn, chargerId=f"C-{number}-{turn}", group=("Harbour", f"Site {number}-{turn}")),
                socket(turn, chargerId=f"C-{number}-{turn}", id=1),
            )
        ]
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert errors(imported(world.northwind, *rows)) == []
        return len(queries)

    # PostgreSQL takes few rows in another way.
    assert statements(60) == statements(160)
