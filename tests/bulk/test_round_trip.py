"""Export is import: what is exported and imported again changes nothing, in every format and for every value."""

import io
import json

import pytest

from bulk import apply
from bulk.export import ExportSelection, export
from bulk.imports import ImportRequest, read
from bulk.tables import sheets
from chargers.models import ChargerConfiguration
from drivers.models import Driver
from hierarchy.journal import IMPORT
from hierarchy.models import Customer, Site
from hierarchy.scoping import Caller, Scope
from tests.client import Api
from tests.conftest import made
from tests.networks import RandomNetwork

pytestmark = pytest.mark.django_db

KINDS = ("xlsx", "zip", "json")
NASTY = [
    "=1+1", "+49", "-x", "@SUM(A1)", "'quoted", "''=1", "'=1", "(empty)", "'(empty)", "a/b", "a \\ b\\", "/", " / x",
    "1", "1.0", "true", "2026-01-01", "001", "1e5", "a,b;c", '"', 'say "hi"', "x (id 1)",
    "東京 🚗", "_x0041_", "#REF!", "\u00a0x\u200b", "NaN", "[1]", '{"a": 1}',
]  # fmt: skip


def exported(scope, kind, **options):
    target = io.BytesIO()
    export(ExportSelection(scope, **options), kind, target)
    return target.getvalue()


def planned(scope, customer, content, name, carry_out=apply.dry_run):
    """The plan for a file."""
    contents = read(io.BytesIO(content), ImportRequest(name), customer)
    assert [str(error) for error in contents.findings.errors] == []
    plan = carry_out(
        Caller(scope, "Somebody", IMPORT), customer, contents.rows, contents.findings, prune=contents.prune
    )
    assert [str(error) for error in plan.findings.errors] == []
    return plan


def differences(plan):
    return [(row.draft, row.values) for state in plan.states.values() for row in state.rows.values() if row.values]


def scopes(network):
    yield Scope.whole_customer(network.customer.pk)
    for operator in network.operators:
        if not operator.is_admin_operator:
            yield operator.scope()


@pytest.mark.parametrize("seed", range(6))
def test_random_networks_come_back_as_they_were(db, seed):
    network = RandomNetwork(1000 + seed)
    for scope in scopes(network):
        for kind in KINDS:
            plan = planned(scope, network.customer, exported(scope, kind), f"network.{kind}")
            assert differences(plan) == []


def test_every_text_comes_back_from_every_format(world):
    for number, text in enumerate(NASTY):
        made(Site, parent=world.harbour, name=text)
        made(Driver, customer=world.northwind, name=text, external_id=NASTY[number - 1] if number % 3 else "")
        made(Driver, customer=world.northwind, name=text)
        for extra, value in enumerate((text, f" {text} ", f"{text}\r\n\t{text}\n", f"\n{text}")):
            made(ChargerConfiguration, charger=world.quay_1, name=f"{number}-{extra} {text}", value=value)
    world.quay_1.custom_properties = dict(zip(NASTY, reversed(NASTY), strict=True))
    world.quay_1.capabilities = NASTY
    world.quay_1.save()
    scope = Scope.whole_customer(world.northwind.pk)
    for kind in KINDS:
        plan = planned(scope, world.northwind, exported(scope, kind), f"network.{kind}")
        assert differences(plan) == [], kind
        assert sum(counts.unchanged for counts in plan.counts().values()) > 200
    for name in sheets():
        if sheets()[name].is_exported:
            plan = planned(scope, world.northwind, exported(scope, "csv", sheets=(name,)), "table.csv")
            assert plan.is_empty, name
            assert plan.counts()


def test_no_cell_is_a_formula(world):
    for text in NASTY:
        made(Site, parent=world.harbour, name=text)
    text = exported(Scope.whole_customer(world.northwind.pk), "csv", sheets=("sites",)).decode()
    assert "'=1+1" in text
    assert not any(cell.strip('"').startswith(("=", "+", "-", "@")) for cell in text.replace("\r\n", ",").split(","))


def test_an_exported_network_makes_the_same_one_elsewhere(world):
    other = made(Customer, name="Eastwind", time_zone="Europe/Amsterdam")
    document = json.loads(exported(Scope.whole_customer(world.northwind.pk), "json"))
    renamed = json.loads(
        json.dumps(document).replace('-1"', '-1x"').replace('-2"', '-2x"').replace("northwind", "eastwind")
    )
    plan = planned(Scope.platform(), other, json.dumps(renamed).encode(), "network.json", apply.run)
    assert sum(counts.created for counts in plan.counts().values()) == sum(len(rows) for rows in document.values())
    again = json.loads(exported(Scope.whole_customer(other.pk), "json"))
    for table, rows in again.items():
        for row, expected in zip(rows, renamed[table], strict=True):
            reported = {
                "chargerStatus",
                "activeConnection",
                "lastSeen",
                "firmwareVersion",
                "status",
                "lastUpdated",
                "operatorId",
                "onlineSocket",
                "offlineSocket",
                "errorSocket",
            }
            assert {k: v for k, v in row.items() if k not in reported} == {
                k: v for k, v in expected.items() if k not in reported
            }


def test_the_tree_that_the_api_answers_is_a_file(world):
    for caller, scope in (("ada", world.ada.scope()), ("rob", world.rob.scope())):
        answer = Api(getattr(world, caller)).get("/sites/tree")
        assert planned(scope, world.northwind, answer.body, "tree.json").is_empty


def test_a_subtree_is_exported_alone(world):
    scope = Scope.whole_customer(world.northwind.pk)
    document = json.loads(exported(scope, "json", site=world.east))
    assert [site["groupName"] for site in document["sites"]] == ["East car park", "Garage"]
    assert [charger["chargerId"] for charger in document["chargers"]] == ["GAR-1", "GAR-2"]
    assert [driver["name"] for driver in document["drivers"]] == ["Dora"]
    assert document["rights"] == []
    assert planned(scope, world.northwind, json.dumps(document).encode(), "part.json").is_empty
