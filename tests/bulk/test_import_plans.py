"""A plan is a thing: it is kept, shown, and applied exactly as it was shown, or not at all."""

import datetime
import io
import json
import os

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone

from bulk import files
from bulk.imports import ImportRequest, annotated, import_apply, import_plan, plan_steps
from chargers.models import Charger
from chargers.status import StatusReport, apply_reports
from drivers.models import Driver
from hierarchy import services
from hierarchy.errors import Conflict, NotFound, NotPermitted
from hierarchy.journal import ADMIN
from hierarchy.models import Change, Import, ImportPlan
from hierarchy.scoping import Caller, Scope

pytestmark = pytest.mark.django_db

FILE = "chargerId,chargerName,group\nQUAY-1,Quay 1,\nGAR-1,Garage one,\nHOT-1,Lobby,Harbour\nAIR-1,,Harbour\n"


@pytest.fixture
def ada(world):
    return Caller(world.ada.scope(), "ada@northwind.example", ADMIN)


@pytest.fixture
def planned(world, ada):
    def run(text=FILE, name="chargers.csv", **asked):
        return import_plan(ada, world.northwind, text.encode(), ImportRequest(name, **asked))

    return run


def test_a_plan_says_what_it_does_field_by_field(planned):
    plan = planned()
    assert plan.counts == {"chargers": {"created": 1, "changed": 1, "moved": 1, "deleted": 0, "unchanged": 1}}
    assert list(plan_steps(plan)) == [
        {
            "table": "chargers",
            "action": "changed",
            "object": "QUAY-1",
            "fields": {"chargerName": ["Quay one", "Quay 1"]},
            "row": 2,
        },
        {
            "table": "chargers",
            "action": "created",
            "object": "HOT-1",
            "fields": {"chargerId": [None, "HOT-1"], "group": [None, "Harbour"], "chargerName": [None, "Lobby"]},
            "row": 4,
        },
        {
            "table": "chargers",
            "action": "moved",
            "object": "AIR-1",
            "fields": {"group": ["Airport", "Harbour"]},
            "row": 5,
        },
    ]
    assert not Change.objects.filter(actor_label="ada@northwind.example").exists(), "nothing was written"


def test_applying_writes_it_and_who_did_it(planned, ada, world):
    plan = planned()
    record = import_apply(ada, plan)
    assert Charger.objects.get(charger_id="HOT-1").site == world.harbour
    assert (record.file_name, record.format, record.counts["chargers"]["moved"]) == ("chargers.csv", "csv", 1)
    lines = Change.objects.filter(import_id=record.pk).order_by("sequence")
    assert [(line.action, line.natural_key, line.actor_label, line.source) for line in lines] == [
        ("created", "chargers.csv", "ada@northwind.example", "admin"),
        ("created", "HOT-1", "ada@northwind.example", "admin"),
        ("changed", "QUAY-1", "ada@northwind.example", "admin"),
        ("moved", "AIR-1", "ada@northwind.example", "admin"),
    ]
    assert lines[0].fields["counts"][1] == record.counts
    assert set(Import.objects.visible_to(world.ada.scope())) == {record}
    assert not Import.objects.visible_to(world.rob.scope()).exists()
    assert not Import.objects.visible_to(world.sue.scope()).exists()
    plan.refresh_from_db()
    assert (bytes(plan.content), bytes(plan.steps), plan.applied_as) == (b"", b"", record)
    with pytest.raises(Conflict, match="applied before"):
        import_apply(ada, plan)


def test_a_plan_is_refused_when_what_it_touches_was_changed(planned, ada, world):
    pat = Caller(Scope.platform(), "pat", ADMIN)

    def refused(plan, message):
        before = Change.objects.count()
        with pytest.raises(Conflict, match=message) as caught:
            import_apply(ada, plan)
        assert Change.objects.count() == before
        return [error.detail for error in caught.value.errors]

    plan = planned()
    world.quay_1.refresh_from_db()
    world.quay_1.name = "Quay A"
    services.save(pat, world.quay_1)
    assert refused(plan, "QUAY-1: chargerName is now Quay A and was Quay one") == [
        "QUAY-1: chargerName is now Quay A and was Quay one."
    ]
    # A row that needed nothing needs something now.
    plan = planned()
    world.gar_1.refresh_from_db()
    world.gar_1.name = "Other"
    services.save(pat, world.gar_1)
    assert refused(plan, "make a new plan") == ["GAR-1 was as it should be, and is not any more."]
    # What was to be created is there, and what was to be moved is gone.
    plan = planned()
    services.save(pat, Charger(site=world.west, charger_id="HOT-1"))
    services.delete(pat, Charger.objects.get(pk=world.air_1.pk))
    assert refused(plan, "make a new plan") == ["HOT-1 exists by now.", "AIR-1 was deleted."]
    # Nothing is called as files call it, whoever takes it away or fills it in.
    plan = planned("chargerId,city\nQUAY-1,Delft\nGAR-1,Delft\n")
    for charger, city in ((world.quay_1, None), (world.gar_1, "Elders")):
        charger.refresh_from_db()
        charger.city = city
        services.save(pat, charger)
    assert refused(plan, "GAR-1: city is now Elders") == [
        "QUAY-1: city is now (empty) and was Utrecht.",
        "GAR-1: city is now Elders and was (empty).",
    ]


def test_statuses_and_other_rows_are_nobodys_business(planned, ada, world):
    plan = planned()
    pat = Caller(Scope.platform(), "pat", ADMIN)
    apply_reports(pat, [StatusReport("QUAY-1", "Error", timezone.now())])
    world.quay_1.refresh_from_db()
    world.quay_1.manufacturer = "Other"
    services.save(pat, world.quay_1)
    services.save(pat, Driver(customer=world.northwind, name="Somebody"))
    import_apply(ada, plan)
    charger = Charger.objects.get(pk=world.quay_1.pk)
    assert (charger.name, charger.manufacturer, charger.status) == ("Quay 1", "Other", "Error")


def test_a_file_with_errors_is_kept_with_them(planned, ada):
    plan = planned("chargerId,latitude\nQUAY-1,north\n=9,1\n")
    assert plan.findings["errorCount"] == 3
    assert list(plan_steps(plan)) == []
    with pytest.raises(Conflict, match="has errors"):
        import_apply(ada, plan)
    target = io.BytesIO()
    annotated(plan, target)
    header, first, second = target.getvalue().decode("utf-8-sig").splitlines()
    assert header == "chargerId,latitude,errors"
    assert first.startswith("QUAY-1,north,") and "latitude: Must be a number, such as 52.3702." in first
    assert "group: Required" in second


def test_old_plans_are_forgotten(planned, ada, world):
    plan = planned()
    ImportPlan.objects.update(created_at=timezone.now() - datetime.timedelta(days=8))
    plan.refresh_from_db()
    with pytest.raises(Conflict, match="a week old"):
        import_apply(ada, plan)
    planned()
    assert not ImportPlan.objects.filter(pk=plan.pk).exists()


def test_a_plan_is_its_makers_alone(planned, world):
    plan = planned()
    for operator in (world.sue, world.rob, world.pat):
        with pytest.raises(NotFound):
            import_apply(Caller(operator.scope(), operator.email, ADMIN), plan)
        assert not ImportPlan.objects.visible_to(operator.scope()).exists()
    assert ImportPlan.objects.visible_to(world.ada.scope()).exists()


def test_a_key_that_may_only_read_plans_nothing(world):
    scope = Scope(world.northwind.pk, is_admin=True, operator_id=world.ada.pk, is_read_only=True)
    with pytest.raises(NotPermitted):
        import_plan(Caller(scope, "ada", "api"), world.northwind, FILE.encode(), ImportRequest("x.csv"))
    assert not ImportPlan.objects.exists()


# The commands.


def command(capsys, *arguments):
    try:
        call_command(*arguments)
        code = 0
    except CommandError as error:
        code = error.returncode
    return code, capsys.readouterr().out


def test_the_command_shows_the_plan_and_keeps_the_record(world, tmp_path, capsys):
    path = tmp_path / "chargers.csv"
    path.write_text(FILE)
    code, text = command(capsys, "import_network", str(path), "--customer=Northwind", "--dry-run")
    assert code == 0
    assert text.splitlines() == [
        "~ chargers: QUAY-1",
        "      chargerName: 'Quay one' → 'Quay 1'",
        "> chargers: AIR-1",
        "      group: 'Airport' → 'Harbour'",
        "+ chargers: HOT-1",
        "             created   changed     moved   deleted unchanged",
        "chargers           1         1         1         0         1",
        "This was a dry run: nothing was changed.",
    ]
    assert not Import.objects.exists()
    code, text = command(capsys, "import_network", str(path), "--customer=Northwind", "--json")
    report = json.loads(text)
    assert (code, report["isApplied"], len(report["steps"])) == (0, True, 3)
    record = Import.objects.get()
    assert (record.file_name, len(record.sha256), record.operator_id) == ("chargers.csv", 64, None)
    assert command(capsys, "import_network", str(path), "--customer=Northwind")[1].endswith(
        "Nothing to do: the network is as the file says.\n"
    )
    assert Import.objects.count() == 1


def test_the_command_prunes_only_where_it_is_told(world, tmp_path, capsys):
    path = tmp_path / "chargers.csv"
    path.write_text("chargerId\nGAR-1\n")
    chosen = ("import_network", str(path), "--customer=Northwind", "--table=chargers")
    assert command(capsys, *chosen, "--prune")[0] == 2
    assert command(capsys, *chosen, "--site=Harbour")[0] == 2
    code, text = command(capsys, *chosen, "--prune", "--site=Harbour / East car park", "--dry-run")
    assert (code, "- chargers: GAR-2" in text, "QUAY-1" in text) == (0, True, False)
    assert Charger.objects.filter(charger_id="GAR-2").exists()
    assert command(capsys, *chosen, "--prune", "--site=Harbour / East car park")[0] == 0
    assert not Charger.objects.filter(charger_id="GAR-2").exists()


def test_the_command_writes_the_errors_beside_the_rows(world, tmp_path, capsys):
    path, answer = tmp_path / "chargers.csv", tmp_path / "mended.csv"
    path.write_text("chargerId;latitude\nQUAY-1;north\n")
    assert command(capsys, "import_network", str(path), "--customer=Northwind", f"--errors={answer}")[0] == 1
    assert answer.read_text().splitlines()[1].startswith("QUAY-1;north;")
    path.write_text(answer.read_text().replace("north", ""))
    assert command(capsys, "import_network", str(path), "--customer=Northwind")[0] == 0


def test_the_export_command(world, tmp_path, capsys):
    path = tmp_path / "network.xlsx"
    assert command(capsys, "export_network", "--customer=northwind", "-o", str(path))[0] == 0
    with path.open("rb") as stream:
        assert files.kind_of("network.xlsx", stream.read(512)) == "xlsx"
    assert command(capsys, "import_network", str(path), "--customer=Northwind")[1].endswith("as the file says.\n")
    for site in ("N-1", "harbour", "/Harbour"):
        code, _text = command(
            capsys, "export_network", "--customer=Northwind", f"--site={site}", "-o", f"{tmp_path}/part.json"
        )
        part = json.loads((tmp_path / "part.json").read_text())
        assert (code, part["sites"][0]["groupName"], len(part["sites"])) == (0, "Harbour", 4)
    for wrong in (
        ["--customer=Nobody", "-o", str(path)],
        ["-o", str(path)],
        ["--customer=Northwind", "-o", str(tmp_path / "x.csv")],
        ["--customer=Northwind", "-o", str(tmp_path / "x.pdf")],
        ["--customer=Northwind", "--site=Atlantis", "-o", str(path)],
        ["--customer=Northwind", "-o", "/nowhere/x.json"],
    ):
        assert command(capsys, "export_network", *wrong)[0] == 2, wrong
    assert sorted(child.name for child in tmp_path.iterdir()) == ["network.xlsx", "part.json"]


def test_an_export_that_nobody_reads_to_its_end_just_ends(world, monkeypatch):
    reading, writing = os.pipe()
    os.close(reading)
    with open(writing, "w") as unread:
        monkeypatch.setattr("sys.stdout", unread)
        call_command("export_network", "--customer=Northwind", "--format=json")
