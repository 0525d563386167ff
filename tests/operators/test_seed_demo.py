"""The demo network: complete, sound, the same each time, and never where it could do harm."""

import datetime
import json
from collections import Counter

import pytest
from django.core.management import CommandError, call_command
from django.db import models
from django.test import Client

from chargers.models import Charger, ChargerConfiguration, Socket
from chargers.vocabulary import Status
from drivers.models import ChargerRight, Driver, IntegratedExternalId, SiteRight, Tag
from hierarchy import tree_check
from hierarchy.fields import KeyField
from hierarchy.models import Change, ChangeCounter, Customer, GroupType, Site
from operators import keys
from operators.demo import operators as demo_operators
from operators.demo.chargers import add_chargers
from operators.demo.drivers import add_drivers
from operators.demo.network import Network
from operators.demo.operators import add_operators
from operators.demo.sites import add_sites
from operators.models import ApiKey, Operator, SiteGrant
from tests.conftest import told

MODELS = (
    Customer,
    Site,
    Charger,
    Socket,
    ChargerConfiguration,
    Driver,
    Tag,
    SiteRight,
    ChargerRight,
    IntegratedExternalId,
    Operator,
    SiteGrant,
)
SECRETS = {
    "DEMO_STAFF_PASSWORD": "staff password",
    "DEMO_ADMIN_PASSWORD": "admin password",
    "DEMO_OPERATOR_PASSWORD": "operator password",
    "DEMO_API_KEY": "ctk_" + "D" * 32,
}
NOON = datetime.datetime(2026, 6, 1, 12, 0, tzinfo=datetime.UTC)


@pytest.fixture(autouse=True)
def secrets(monkeypatch):
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def demo(db, secrets):
    told("demo", lambda: call_command("seed_demo", verbosity=0))


def counts():
    return {model.__name__: model._base_manager.count() for model in (*MODELS, ApiKey, Change)}


def get(path):
    response = Client().get(path, headers={"X-API-Key": SECRETS["DEMO_API_KEY"]})
    assert response.status_code == 200
    return response.getvalue()


def test_it_works(demo):
    found = counts()
    assert (found["Customer"], found["Site"], found["Charger"], found["Driver"]) == (2, 60, 400, 250)
    assert 850 <= found["Socket"] <= 950
    assert Operator.objects.filter(is_superuser=False).count() == 12
    assert Operator.objects.filter(is_admin_operator=True).count() == 4
    assert tree_check.check() == []


def test_the_trees_have_several_depths_and_kinds(demo):
    assert set(Site.objects.values_list("level", flat=True)) == {0, 1, 2, 3, 4}
    assert set(Site.objects.values_list("group_type", flat=True)) == {*GroupType.values, None}
    roots = Site.objects.filter(parent=None)
    assert {root.is_leaf_node() for root in roots} == {True, False}


def test_every_column_is_filled_somewhere_and_empty_somewhere(demo):
    """Columns that may be empty are so in one row and not in another; switches stand both ways."""
    lacking = []
    for model in MODELS:
        for field in model._meta.concrete_fields:
            is_switch = isinstance(field, models.BooleanField)
            is_optional = field.null or field.blank or is_switch
            if not is_optional or field.primary_key or field.name == "last_login" or isinstance(field, KeyField):
                continue
            values = set(map(str, model._base_manager.values_list(field.attname, flat=True)))
            empty = {"False"} if is_switch else {"None", "", "[]", "{}"}
            if not values & empty or not values - empty:
                lacking.append(f"{model.__name__}.{field.name}: {sorted(values)[:3]}")
    assert lacking == []


def test_every_row_could_have_been_saved_by_a_person(demo):
    for model in MODELS:
        kept = [field.name for field in model._meta.fields if not field.editable or field.is_relation]
        for row in model._base_manager.all():
            row.clean_fields(exclude=kept)
            if model is not Operator:
                row.clean()


def test_statuses_are_of_every_kind_and_consistent(demo):
    assert set(Socket.objects.values_list("status", flat=True)) == set(Status.values)
    never, lost, connected = Counter(), Counter(), Counter()
    for charger in Charger.objects.prefetch_related("sockets"):
        states = [socket.status for socket in charger.sockets.all()]
        if charger.last_seen is None:
            never[charger.status] += 1
            assert not charger.has_active_connection
            assert charger.last_message is None
            assert charger.firmware_version is None
            assert all(socket.reported_at is None for socket in charger.sockets.all())
        elif not charger.has_active_connection:
            lost[charger.status] += 1
        else:
            connected[charger.status] += 1
            assert Status.OFFLINE not in states
            if charger.status in (Status.ERROR, Status.BOOTING):
                assert set(states) <= {charger.status}
        assert all(
            socket.reported_at is None or socket.reported_at <= charger.last_seen for socket in charger.sockets.all()
        )
    assert set(never) == set(lost) == {Status.OFFLINE}
    assert {Status.AVAILABLE, Status.CHARGING, Status.ERROR, Status.UNAVAILABLE} <= set(connected)


def test_drivers_and_operators_are_of_every_kind(demo):
    now = datetime.datetime.now(datetime.UTC)
    assert set(Driver.objects.annotate(n=models.Count("tags")).values_list("n", flat=True)) == {0, 1, 2, 3}
    assert Tag.objects.filter(expires_at__lt=now).exists()
    assert Tag.objects.filter(starts_at__gt=now).exists()
    assert Tag.objects.filter(starts_at__lt=now, expires_at__gt=now).exists()
    assert Driver.objects.filter(home_site=None).exists()
    assert Driver.objects.filter(site_rights=None, charger_rights=None).exists()
    assert SiteRight.objects.filter(site__level__lt=2).exists()
    for customer in Customer.objects.all():
        operators = customer.operators.annotate(n=models.Count("grants"))
        assert operators.filter(is_admin_operator=True, home_site=None).exists()
        assert operators.filter(is_admin_operator=False, n=0).exists()
        assert operators.filter(n=1).exists()
        assert operators.filter(n__gt=1).exists()


def test_every_row_has_its_line_in_the_journal(demo):
    # Platform staff belong to no customer and have a line without a number.
    rows = sum(count for name, count in counts().items() if name != "Change")
    assert Change.objects.count() == rows
    for counter in ChangeCounter.objects.all():
        numbers = list(Change.objects.filter(customer=counter.customer).values_list("sequence", flat=True))
        assert sorted(numbers) == list(range(1, counter.sequence + 1))
    assert set(Change.objects.values_list("source", "action")) == {("command", "created")}
    charger = Charger.objects.filter(site__level=4).first()
    ids = charger.site.get_ancestors(include_self=True).values_list("pk", flat=True)
    change = Change.objects.get(object_type="charger", object_id=charger.pk)
    assert change.site_path == "/" + "".join(f"{pk}/" for pk in ids)
    written = str(list(Change.objects.filter(object_type__in=["operator", "apikey"]).values("fields")))
    assert not any(secret in written for secret in SECRETS.values())
    assert "$" not in written


def built(ordinal):
    network = Network(ordinal, NOON)
    add_sites(network, 30)
    add_chargers(network, 200)
    add_drivers(network, 125)
    add_operators(network, 6, {})
    skipped = {"created_at", "updated_at", "password"}
    return [
        [getattr(row, field.attname) for field in row._meta.concrete_fields if field.name not in skipped]
        for rows in ([plot.site for plot in network.plots], *network.rows())
        for row in rows
    ]


def test_it_is_the_same_each_time_and_differs_between_customers():
    assert built(0) == built(0)
    assert built(0) != built(2)


def test_a_filled_database_stays_as_it_is(world):
    before = counts()
    with pytest.raises(CommandError, match="holds customers already"):
        call_command("seed_demo")
    assert counts() == before


def test_force_adds_the_demo_beside_what_is_there(world, capsys):
    for _time in range(2):
        call_command("seed_demo", "--force", "--sites", "12", "--chargers", "20", "--drivers", "9", "--operators", "5")
    names = {"Northwind", "Southwind", "Polderstroom", "Hanselade", "Polderstroom 2", "Hanselade 2"}
    assert set(Customer.objects.values_list("name", flat=True)) == names
    assert ApiKey.objects.count() == 1
    assert tree_check.check() == []


def test_production_refuses(db, settings):
    settings.IS_PRODUCTION = True
    for arguments in ([], ["--force"], ["--welcome", "http://localhost"]):
        with pytest.raises(CommandError, match="not for production"):
            call_command("seed_demo", *arguments)
    assert not Customer.objects.exists()


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        (["--customers", "0"], "--customers must be at least 1"),
        (["--sites", "1"], "--sites must be at least as many"),
        (["--chargers", "-1"], "--chargers must not be negative"),
        (["--drivers", "many"], "--drivers: invalid int value: 'many'"),
        (["--operators", "1.5"], "invalid int value"),
    ],
)
def test_wrong_sizes_are_refused(db, arguments, match):
    with pytest.raises(CommandError, match=match):
        call_command("seed_demo", *arguments)
    assert not Customer.objects.exists()


def test_a_malformed_key_is_refused(db, monkeypatch):
    monkeypatch.setenv("DEMO_API_KEY", "secret")
    with pytest.raises(CommandError, match="DEMO_API_KEY is not a key"):
        call_command("seed_demo")
    assert not Customer.objects.exists()


@pytest.mark.parametrize("numbers", [(1, 1, 0, 0, 0), (1, 1, 3, 4, 8), (3, 7, 11, 13, 8), (1, 120, 1, 1, 1)])
def test_any_size_makes_a_sound_network(db, numbers):
    names = ("customers", "sites", "chargers", "drivers", "operators")
    call_command("seed_demo", verbosity=0, **dict(zip(names, numbers, strict=True)))
    found = counts()
    assert (found["Customer"], found["Site"], found["Charger"], found["Driver"]) == numbers[:4]
    assert Operator.objects.filter(is_superuser=False).count() == numbers[4]
    assert tree_check.check() == []


# Getting in


def test_the_logins_and_the_key_of_the_demo_open_it(demo):
    for login in demo_operators.LOGINS:
        assert Client().login(username=login.email, password=SECRETS[login.secret])
    assert len(json.loads(get("/api/v1/sites/tree"))) == 4
    restricted = Operator.objects.get(email=demo_operators.RESTRICTED.email)
    assert len(restricted.scope().root_ids) == 1


def test_nobody_signs_in_without_secrets(db, monkeypatch):
    for name in SECRETS:
        monkeypatch.delenv(name)
    call_command("seed_demo", verbosity=0)
    assert not any(operator.has_usable_password() for operator in Operator.objects.all())
    assert not ApiKey.objects.exists()


def test_the_operators_read_stays_under_30_megabytes(demo):
    assert len(get("/api/v1/operators/tree")) < 30_000_000


def test_welcome_says_how_to_get_in_and_the_second_time_changes_nothing(db, capsys):
    call_command("seed_demo", "--welcome", "http://localhost:8000")
    first = capsys.readouterr().out
    for secret in SECRETS.values():
        assert secret in first
    assert f"curl -H 'X-API-Key: {SECRETS['DEMO_API_KEY']}' http://localhost:8000/api/v1/sites/tree" in first
    before = counts()
    call_command("seed_demo", "--welcome", "http://localhost:8000")
    second = capsys.readouterr().out
    assert first.endswith(second)
    assert counts() == before


def test_welcome_promises_nothing_that_does_not_open_this_database(world, capsys):
    before = counts()
    call_command("seed_demo", "--welcome", "http://localhost:8000")
    out = capsys.readouterr().out
    assert not any(secret in out for secret in SECRETS.values())
    assert "opens nothing here" in out
    assert counts() == before


def test_welcome_notices_a_changed_password_and_a_revoked_key(demo, capsys):
    admin = Operator.objects.get(email=demo_operators.ADMIN.email)
    admin.set_password("changed since then")
    admin.save()
    key = ApiKey.objects.get(digest=keys.digest(SECRETS["DEMO_API_KEY"]))
    key.revoked_at = NOON
    key.save()
    capsys.readouterr()
    call_command("seed_demo", "--welcome", "http://localhost:8000")
    out = capsys.readouterr().out
    assert SECRETS["DEMO_ADMIN_PASSWORD"] not in out
    assert SECRETS["DEMO_API_KEY"] not in out
    assert SECRETS["DEMO_STAFF_PASSWORD"] in out
