"""The date of a charger's commissioning: read, written, filled by register imports, and moved from old properties."""

import datetime
import importlib
import json

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from chargers.models import Charger
from hierarchy.models import Change, Customer
from hierarchy.revision import network_tag
from hierarchy.scoping import Scope
from tests.client import Api, assert_problem

REGISTERS = {"irve": "tests/data/irve-statique.csv", "bnetza": "tests/data/bnetza-ladesaeulenkarte.csv"}
migration = importlib.import_module("chargers.migrations.0002_charger_commissioned_on")


def test_it_works(world):
    api = Api(world.ada)
    changed = api.request("patch", "/chargers/QUAY-1", json.dumps({"commissionedOn": "2024-05-17"}).encode())
    assert changed.data["commissionedOn"] == "2024-05-17"
    assert Charger.objects.get(charger_id="QUAY-1").commissioned_on == datetime.date(2024, 5, 17)
    assert Change.objects.order_by("-id").first().fields == {"commissioned_on": [None, "2024-05-17"]}
    assert [one["chargerId"] for one in api.get("/chargers?commissionedOn=2024-05-17").data["items"]] == ["QUAY-1"]
    cleared = api.request("patch", "/chargers/QUAY-1", b'{"commissionedOn": null}')
    assert cleared.data["commissionedOn"] is None
    feed = api.get("/changes").data["items"]
    assert feed[-1]["fields"] == {"commissionedOn": ["2024-05-17", None]}


@pytest.mark.parametrize("wrong", ["17.05.2024", "2024-5-17", "2024-02-30", "2024-05-17T00:00:00Z", "", 20240517, True])
def test_what_is_no_date(world, wrong):
    body = json.dumps({"commissionedOn": wrong}).encode()
    assert_problem(Api(world.ada).request("patch", "/chargers/QUAY-1", body), 400, "Errors in the body request")


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("2024-05-17", datetime.date(2024, 5, 17)),
        (datetime.date(2024, 5, 17), datetime.date(2024, 5, 17)),
        (datetime.datetime(2024, 5, 17), datetime.date(2024, 5, 17)),
        ("17/05/2024", None),
        ("05/06/2024", None),
        (datetime.datetime(2024, 5, 17, 12), None),
        (45429, None),
    ],
)
def test_cells(cell, expected):
    from chargers.bulk import CHARGERS

    column_type = CHARGERS.types["commissionedOn"]
    if expected is None:
        with pytest.raises(ValidationError, match="such as 2026-06-01"):
            column_type.parse_cell(cell, datetime.UTC)
    else:
        assert column_type.parse_cell(cell, datetime.UTC) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2019-02-18", datetime.date(2019, 2, 18)),
        ("2019-02-30", None),
        ("18/02/2019", None),
        ("2019", None),
        (" 2019-02-18", None),
        (7, None),
        (None, None),
    ],
)
def test_what_the_migration_takes_for_a_date(text, expected):
    assert migration.date_of(text) == expected


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("format_", REGISTERS)
def test_a_register_that_was_imported_before_the_column(format_, capsys):
    """Its dates move into the column, anything else stays, and importing the file again plans no change."""
    Customer(name="Register").save()
    call_command("import_network", REGISTERS[format_], "--format", format_, "--customer", "Register", "--no-input")
    dated = {pk: date.isoformat() for pk, date in Charger.objects.values_list("pk", "commissioned_on") if date}
    assert dated
    odd = Charger.objects.exclude(pk__in=dated).first() or Charger.objects.first()
    scope = Scope.whole_customer(odd.customer_id)
    try:
        migrate("0001_initial")
        tag = network_tag(scope, "/")
        with connection.cursor() as cursor:
            cursor.execute("SELECT id, custom_properties FROM chargers_charger")
            before = {pk: json.loads(text) if isinstance(text, str) else text for pk, text in cursor.fetchall()}
        assert {pk: one["commissionedOn"] for pk, one in before.items() if "commissionedOn" in one} == dated
        before[odd.pk]["commissionedOn"] = "soon"
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE chargers_charger SET custom_properties = %s WHERE id = %s",
                [json.dumps(before[odd.pk]), odd.pk],
            )
    finally:
        migrate("0002_charger_commissioned_on")
    # Nested answers, whose custom properties changed, have other entity tags.
    assert network_tag(scope, "/") != tag
    odd.refresh_from_db()
    assert (odd.commissioned_on, odd.custom_properties["commissionedOn"]) == (None, "soon")
    Charger.unscoped.filter(pk=odd.pk).update(
        commissioned_on=dated.get(odd.pk),
        custom_properties={k: v for k, v in odd.custom_properties.items() if k != "commissionedOn"},
    )
    capsys.readouterr()
    call_command("import_network", REGISTERS[format_], "--format", format_, "--customer", "Register", "--dry-run")
    assert "Nothing" in capsys.readouterr().out


def migrate(name):
    executor = MigrationExecutor(connection)
    executor.migrate([("chargers", name)])
