"""The commands that make customers, operators and keys: what they print, and that a mistake leaves nothing behind."""

import datetime
import io
import json

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from hierarchy.models import Change, Customer
from operators.models import ApiKey, Operator


@pytest.fixture(autouse=True)
def nobody_at_the_keyboard(monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO(""))


class Terminal(io.StringIO):
    def isatty(self):
        return True


def rows():
    return Customer.objects.count(), Operator.objects.count(), ApiKey.objects.count(), Change.objects.count()


def fails(*command, match):
    """The command stops with a message, and the database is as it was."""
    before = rows()
    with pytest.raises(CommandError, match=match) as error:
        call_command(*command)
    assert error.value.returncode in (1, 2)
    assert rows() == before


# create_customer


def test_a_customer_is_made(db, capsys):
    call_command("create_customer", "Eastwind", "--time-zone", "Europe/Paris")
    customer = Customer.objects.get()
    assert (customer.name, customer.time_zone) == ("Eastwind", "Europe/Paris")
    assert capsys.readouterr().out == f"Created customer Eastwind (id {customer.pk}).\n"
    change = Change.objects.get()
    assert (change.source, change.actor_label, change.action) == ("command", "manage.py create_customer", "created")


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        (["northWIND "], "A customer with this name already exists"),
        ([""], "name: "),
        (["  "], "name: "),
        (["a\x00b"], "U\\+0000"),
        (["x" * 256], "255"),
        (["Eastwind", "--time-zone", "Europe/Atlantis"], "Europe/Atlantis is not a time zone"),
        ([], "name|NAME"),
    ],
)
def test_a_wrong_customer_is_not_made(world, arguments, match):
    fails("create_customer", *arguments, match=match)


# create_operator


def test_an_operator_is_made_with_a_random_password(world, capsys):
    call_command("create_operator", "new@northwind.example", "--customer", " NORTHwind", "--name", "New", "--admin")
    operator = Operator.objects.get(email="new@northwind.example")
    assert (operator.customer, operator.name, operator.is_admin_operator) == (world.northwind, "New", True)
    captured = capsys.readouterr()
    password = captured.out.removesuffix("\n")
    assert len(password) >= 20
    assert operator.check_password(password)
    assert password not in captured.err
    assert Client().login(username="new@northwind.example", password=password)
    assert password not in str(list(Change.objects.values()))


def test_an_operator_is_restricted_and_named_by_e_mail_unless_said(world, capsys):
    call_command("create_operator", "new@northwind.example", "--customer", "Northwind")
    operator = Operator.objects.get(email="new@northwind.example")
    assert (operator.name, operator.is_admin_operator) == ("new@northwind.example", False)
    assert "sees nothing until sites are granted" in capsys.readouterr().err


def test_the_password_is_read_from_standard_input(world, capsys, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("a good long password\nnot this\n"))
    call_command("create_operator", "new@northwind.example", "--customer", "Northwind", "--password-stdin")
    assert Operator.objects.get(email="new@northwind.example").check_password("a good long password")
    assert capsys.readouterr().out == ""


def test_the_password_is_asked_for_on_a_terminal(world, capsys, monkeypatch):
    monkeypatch.setattr("sys.stdin", Terminal())
    monkeypatch.setattr("getpass.getpass", lambda prompt: "a good long password")
    call_command("create_operator", "new@northwind.example", "--customer", "Northwind")
    assert Operator.objects.get(email="new@northwind.example").check_password("a good long password")
    assert capsys.readouterr().out == ""


def test_two_passwords_that_differ_make_nothing(world, monkeypatch):
    monkeypatch.setattr("sys.stdin", Terminal())
    answers = iter(["a good long password", "another long password"])
    monkeypatch.setattr("getpass.getpass", lambda prompt: next(answers))
    fails("create_operator", "new@northwind.example", "--customer", "Northwind", match="differ")


@pytest.mark.parametrize("password", ["", "\n", "short\n", "password1234\n", "with a \x00 inside it\n", "\udcff" * 12])
def test_a_password_that_is_none_makes_nothing(world, monkeypatch, password):
    monkeypatch.setattr("sys.stdin", io.StringIO(password))
    arguments = ("new@northwind.example", "--customer", "Northwind", "--password-stdin")
    fails("create_operator", *arguments, match="password")


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        (["new@northwind.example"], r"Give --customer NAME.* createsuperuser"),
        (["new@northwind.example", "--customer", "Nortwind"], "no customer 'Nortwind'. Did you mean 'Northwind'"),
        (["new@northwind.example", "--customer", "Zzz"], "There is no customer 'Zzz'."),
        (["ADA@northwind.example", "--customer", "Northwind"], "email: This email address is already in use"),
        (["sue@southwind.example", "--customer", "Northwind"], "email: This email address is already in use"),
        (["no address", "--customer", "Northwind"], "email: "),
        (["", "--customer", "Northwind"], "email: "),
        (["new@northwind.example", "--customer", "Northwind", "--name", "two\nlines"], "name: "),
        (["--customer", "Northwind"], "EMAIL"),
    ],
)
def test_a_wrong_operator_is_not_made(world, arguments, match):
    fails("create_operator", *arguments, match=match)


def test_without_customers_it_says_what_to_do_first(db):
    fails("create_operator", "a@b.example", "--customer", "Northwind", match="no customer yet: create one first")


# createsuperuser


def test_platform_staff_are_made_by_django_s_own_command(db, monkeypatch):
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", "a good long password")
    call_command("createsuperuser", "--noinput", "--email", "pat@platform.example")
    pat = Operator.objects.get()
    assert (pat.is_superuser, pat.customer, pat.name) == (True, None, "pat@platform.example")
    assert pat.check_password("a good long password")
    assert pat.scope().is_platform


def test_platform_staff_of_an_address_in_use_are_not_made(world, monkeypatch):
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", "a good long password")
    fails("createsuperuser", "--noinput", "--email", "ADA@northwind.example", match="already in use")


@pytest.mark.parametrize(("password", "match"), [("short", "too short"), ("", "DJANGO_SUPERUSER_PASSWORD")])
def test_platform_staff_have_a_good_password(db, monkeypatch, password, match):
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", password)
    fails("createsuperuser", "--noinput", "--email", "pat@platform.example", match=match)


def test_the_journal_names_the_command(db, monkeypatch):
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", "a good long password")
    call_command("createsuperuser", "--noinput", "--email", "pat@platform.example", verbosity=0)
    change = Change.objects.get()
    assert (change.source, change.actor_label) == ("command", "manage.py createsuperuser")
    assert "a good long password" not in str(change.fields)


# create_api_key


def test_a_key_is_printed_alone(world, capsys):
    call_command("create_api_key", "ADA@northwind.example", "--name", "Sync")
    captured = capsys.readouterr()
    text = captured.out.removesuffix("\n")
    key = ApiKey.objects.get()
    assert (key.name, key.operator, key.is_read_only, key.expires_at) == ("Sync", world.ada, False, None)
    assert text.startswith("ctk_")
    assert text.isprintable()
    assert text not in captured.err
    response = Client().get("/api/v1/sites/tree", headers={"X-API-Key": text})
    assert [site["groupName"] for site in json.loads(response.getvalue())] == ["Airport", "Harbour"]


@pytest.mark.parametrize(
    ("expires", "moment"),
    [
        ("2999-01-31", datetime.datetime(2999, 1, 31, tzinfo=datetime.UTC)),
        ("2999-01-31T18:00Z", datetime.datetime(2999, 1, 31, 18, tzinfo=datetime.UTC)),
        ("2999-01-31T18:00:00.5+02:00", datetime.datetime(2999, 1, 31, 16, 0, 0, 500_000, tzinfo=datetime.UTC)),
    ],
)
def test_a_key_may_be_read_only_and_expire(world, capsys, expires, moment):
    call_command("create_api_key", "rob@northwind.example", "--name", "Sync", "--read-only", "--expires", expires)
    key = ApiKey.objects.get()
    assert (key.is_read_only, key.expires_at) == (True, moment)


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        (["aad@northwind.example", "--name", "Sync"], "Did you mean 'ada@northwind.example'"),
        (["pat@platform.example", "--name", "Sync"], "Platform staff"),
        (["ada@northwind.example", "--name", " "], "name: "),
        (["ada@northwind.example"], "--name"),
        (["ada@northwind.example", "--name", "Sync", "--expires", "2001-01-01"], "expires_at: .*past"),
        (["ada@northwind.example", "--name", "Sync", "--expires", "tomorrow"], "'tomorrow' is not a time"),
        (["ada@northwind.example", "--name", "Sync", "--expires", ""], "is not a time"),
        (["ada@northwind.example", "--name", "Sync", "--expires", "9999-12-31T23:59-14:00"], "is not a time"),
    ],
)
def test_a_wrong_key_is_not_made(world, capsys, arguments, match):
    fails("create_api_key", *arguments, match=match)
    assert capsys.readouterr().out == ""
