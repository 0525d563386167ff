"""Signing in is locked after too many failures, of one address or from one client, and says nothing of who exists."""

import datetime
import re

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher
from django.test import RequestFactory
from django.utils import timezone

from config.settings import _networks
from hierarchy.models import Change
from operators import attempts, sign_in
from operators.attempts import Attempts
from operators.models import Operator
from tests.backoffice.admin_pages import address

RIGHT = "correct horse battery"


@pytest.fixture(autouse=True)
def _three(settings):
    settings.SIGN_IN_FAILURES = 3


def attempt(client, email, password="wrong", **headers):
    """What the page says, or where a sign-in leads."""
    response = client.post("/admin/login/", {"username": email, "password": password}, **headers)
    return (
        response["Location"] if response.status_code == 302 else " ".join(response.context["form"].non_field_errors())
    )


def pass_time(minutes):
    for row in Attempts.objects.all():
        Attempts.objects.filter(pk=row.pk).update(ends_at=row.ends_at - datetime.timedelta(minutes=minutes))


def test_it_works(client, world):
    for _time in range(3):
        assert "password is wrong" in attempt(client, "rob@northwind.example")
    # The right password opens nothing now, however the address is written.
    told = attempt(client, " ROB@northwind.example", RIGHT)
    assert "Try again in 15 minutes" in told
    assert "unlock" in told
    pass_time(14)
    assert "Try again in 1 minute," in attempt(client, "rob@northwind.example", RIGHT)
    pass_time(1)
    assert attempt(client, "rob@northwind.example", RIGHT) == "/admin/"


def test_nobody_learns_who_exists(client, world, monkeypatch):
    """Known, unknown, disabled and invited addresses: the same words, and a password is hashed as often."""
    world.nell.is_active = False
    world.nell.save()
    Operator._base_manager.filter(pk=world.sue.pk).update(password="!unusable")
    hashed = []
    encode = MD5PasswordHasher.encode
    monkeypatch.setattr(MD5PasswordHasher, "encode", lambda *args: hashed.append(1) or encode(*args))
    seen = {}
    people = {"known": world.rob, "disabled": world.nell, "invited": world.sue}
    emails = {**{who: one.email for who, one in people.items()}, "unknown": "nobody@northwind.example"}
    for number, (who, email) in enumerate(emails.items()):
        hashed.clear()
        told = [attempt(client, email, REMOTE_ADDR=f"203.0.113.{number}") for _time in range(5)]
        seen[who] = (told, len(hashed))
    assert len({str(one) for one in seen.values()}) == 1
    told, count = seen["known"]
    assert (count, told[2] != told[3], told[3] == told[4]) == (3, True, True)


def test_success_forgets_the_failures(client, world):
    for _time in range(4):
        attempt(client, "rob@northwind.example")
        attempt(client, "rob@northwind.example")
        assert attempt(client, "rob@northwind.example", RIGHT) == "/admin/"
        client.logout()
    # The same for the client from which they came: eight failures and four successes.
    assert Attempts.objects.get().count == 8


def test_a_client_that_tries_many_addresses_is_locked(client, world):
    for number in range(15):
        assert "password is wrong" in attempt(client, f"guess{number}@northwind.example")
    assert "from your network" in attempt(client, "ada@northwind.example", RIGHT)
    assert attempt(client, "ada@northwind.example", RIGHT, REMOTE_ADDR="203.0.113.9") == "/admin/"
    # Addresses that were never reached are not counted.
    assert Attempts.objects.count() == 16 + 1


def test_old_rows_hide_no_attempt(client, world):
    """However many more rows have had their time than go at once."""
    old = timezone.now() - datetime.timedelta(minutes=1)
    mine = attempts.digest("kind", "rob")
    rows = [Attempts(pk=f"{number:064}", ends_at=old) for number in range(150)]
    Attempts.objects.bulk_create([*rows, Attempts(pk=mine, count=9, ends_at=old)])
    assert attempts.take("kind", "rob", 2) is None
    assert Attempts.objects.get(pk=mine).count == 1


def test_the_journal_tells_of_locking_and_unlocking(client, world):
    for _time in range(3):
        attempt(client, "rob@northwind.example", "my secret", REMOTE_ADDR="203.0.113.9")
    attempt(client, "nobody@northwind.example", "my secret")
    line = Change.objects.filter(object_type="operator", object_id=world.rob.pk).first()
    assert (line.actor_label, line.source, line.customer) == ("sign-in from 203.0.113.9", "system", world.northwind)
    old, new = line.fields["locked_until"]
    assert old is None
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ", new)
    client.force_login(world.ada)
    page = client.get(address(Operator, "change", world.rob.pk)).content.decode()
    assert "locked" in page
    assert "Unlock" in page
    assert "locked" in client.get(address(Operator, "changelist")).content.decode()
    # As it is written, though the sentence begins with it.
    unlocked = client.post(address(Operator, "unlock", world.rob.pk), follow=True)
    assert ">rob@northwind.example can sign in again.<" in unlocked.content.decode()
    line = Change.objects.filter(object_type="operator", object_id=world.rob.pk).first()
    assert (line.actor_label, line.fields) == ("ada@northwind.example", {"locked_until": [new, None]})
    assert "Unlock" not in client.get(address(Operator, "change", world.rob.pk)).content.decode()
    client.logout()
    assert attempt(client, "rob@northwind.example", RIGHT) == "/admin/"
    assert "my secret" not in str(list(Change.objects.values()))
    assert "rob" not in str(list(Attempts.objects.values()))


def test_who_unlocks(client, world):
    """Not others, not by looking at an address, not a stranger."""
    page = address(Operator, "unlock", world.rob.pk)
    for who, status in (("sue", 404), ("nell", 404), ("rob", 403)):
        client.force_login(getattr(world, who))
        assert (who, client.post(page).status_code) == (who, status)
    client.force_login(world.ada)
    assert client.get(page).status_code == 405
    client.logout()
    assert client.post(page)["Location"].startswith("/admin/login/")


def test_the_table_does_not_grow_without_end(client, world):
    for number in range(12):
        attempts.take("sign-in as", f"{number}@northwind.example", 3)
    assert Attempts.objects.count() == 12
    pass_time(20)
    attempt(client, "rob@northwind.example")
    assert Attempts.objects.count() == 2


def test_what_is_refused_is_not_counted(world):
    begin = timezone.now()
    assert [attempts.take("x", "rob", 2) for _time in range(2)] == [None, None]
    first = attempts.take("x", "rob", 2)
    assert begin < first <= timezone.now() + attempts.window()
    assert attempts.take("x", "rob", 2) == first
    assert attempts.take("x", "ada", 2) is None
    assert attempts.spent("x", ["rob", "ada", "nell"], 2) == {"rob": first}


@pytest.mark.parametrize(
    ("proxies", "remote", "forwarded", "client"),
    [
        # Nobody is believed unless the settings say so.
        ("", "203.0.113.9", "198.51.100.1", "203.0.113.9"),
        ("10.0.0.0/8", "203.0.113.9", "198.51.100.1", "203.0.113.9"),
        ("10.0.0.0/8", "10.1.1.1", "198.51.100.1", "198.51.100.1"),
        # From its end, as far as proxies wrote it; what the client sent stands before.
        ("10.0.0.0/8", "10.1.1.1", "1.1.1.1, 198.51.100.1, 10.2.2.2", "198.51.100.1"),
        ("10.0.0.0/8", "10.1.1.1", "", "10.1.1.1"),
        ("10.0.0.0/8", "10.1.1.1", "junk", "10.1.1.1"),
        ("10.0.0.0/8", "10.1.1.1", "198.51.100.1, junk", "10.1.1.1"),
        # A socket of this machine: without the setting all that comes through it is one client.
        ("10.0.0.0/8", "", "198.51.100.1", "198.51.100.1"),
        ("", "", "198.51.100.1", ""),
        # One client has a whole network of IPv6.
        ("", "2001:db8:1:2:3::4", "", "2001:db8:1:2::/64"),
        ("", "::ffff:203.0.113.9", "", "203.0.113.9"),
    ],
)
def test_where_a_request_comes_from(settings, monkeypatch, proxies, remote, forwarded, client):
    monkeypatch.setenv("TRUSTED_PROXIES", proxies)
    settings.TRUSTED_PROXIES = _networks("TRUSTED_PROXIES") if proxies else []
    request = RequestFactory().post("/", headers={"X-Forwarded-For": forwarded}, REMOTE_ADDR=remote)
    assert sign_in.client_of(request) == client


@pytest.mark.parametrize("junk", ["\0", "9" * 5000, "<b>'\"", "\ud7ff ﬀ", " "])
def test_garbage_is_told_on_the_page(client, world, junk):
    for data in ({"username": junk, "password": junk}, {"username": junk}, {"password": junk}):
        assert client.post("/admin/login/", data).status_code == 200
