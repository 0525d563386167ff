"""Saving after the session has ended loses nothing: what was typed comes back after signing in, to be saved."""

import html
import re
from urllib.parse import urlencode

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from chargers.models import Charger
from drivers.models import Driver
from operators.admin import signed_out
from operators.models import Operator
from tests.backoffice.admin_pages import address, filled

LOGIN = "/admin/login/"
RIGHT = "correct horse battery"
OFFERED = "Sign in to get your input back"
LOST = "could not be kept"


@pytest.fixture
def browser(world):
    """One that has to show its token, as every browser."""
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(world.ada)
    return browser


def text_of(page):
    return " ".join(re.sub(r"<[^>]*>", " ", page.content.decode()).split())


def form_on(page):
    """Where the one form of a page leads, and what a browser would send with it."""
    ((action, inside),) = re.findall(
        r'<form action="([^"]*)" method="post"[^>]*>(.*?)</form>', page.content.decode(), re.DOTALL
    )
    data = {}
    for name, value in re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)"', inside):
        data.setdefault(html.unescape(name), []).append(html.unescape(value))
    return html.unescape(action), data


def interrupted(browser, path, data, has_file=False):
    """The answer to a form that was sent with its token when its session was over."""
    browser.get(path)
    token = browser.cookies["csrftoken"].value
    del browser.cookies["sessionid"]
    sent = {**data, "csrfmiddlewaretoken": token}
    if has_file:
        return browser.post(path, sent)
    return browser.post(path, urlencode(sent, doseq=True), "application/x-www-form-urlencoded")


def sign_in(browser, page, password=RIGHT, **typed_over):
    action, data = form_on(page)
    assert action == LOGIN
    return browser.post(action, {**data, "username": "ada@northwind.example", "password": password, **typed_over})


def test_it_works(browser, world):
    path = f"{address(Charger, 'change', world.quay_1.pk)}?_changelist_filters=q%3DQ"
    typed = filled(browser.get(path), model="Nova", custom_properties="a = b\r\nc = d", _continue="Save")
    page = interrupted(browser, path, typed)
    assert page.status_code == 200
    assert OFFERED in text_of(page)
    assert "no-store" in page["Cache-Control"]
    assert not browser.session.items()

    wrong = sign_in(browser, page, "wrong")
    assert "password is wrong" in text_of(wrong)
    assert OFFERED in text_of(wrong)
    assert form_on(wrong)[1]["typed"] == form_on(page)[1]["typed"]

    offer = sign_in(browser, wrong)
    assert offer.status_code == 200
    assert "no-store" in offer["Cache-Control"]
    assert "Save your earlier input?" in text_of(offer)
    assert "signed in as Ada" in text_of(offer)
    assert f'<a href="{html.escape(path)}">' in offer.content.decode()
    assert all(name.startswith("_auth") for name in dict(browser.session.items()))
    action, data = form_on(offer)
    assert action == path
    assert {name: values[0] for name, values in data.items() if name != "csrfmiddlewaretoken"} == {
        name: str(value) for name, value in typed.items()
    }
    # Nothing is written before somebody says so.
    world.quay_1.refresh_from_db()
    assert world.quay_1.model != "Nova"
    saved = browser.post(action, data)
    assert saved.status_code == 302
    assert saved["Location"].startswith(address(Charger, "change", world.quay_1.pk))
    world.quay_1.refresh_from_db()
    assert (world.quay_1.model, world.quay_1.custom_properties) == ("Nova", {"a": "b", "c": "d"})


def test_somebody_elses_change_in_the_meantime_is_not_overwritten(browser, world):
    path = address(Driver, "change", world.dora.pk)
    page = interrupted(browser, path, filled(browser.get(path), name="Dora Ray"))
    world.dora.name = "Dora Doe"
    world.dora.save()
    action, data = form_on(sign_in(browser, page))
    assert browser.post(action, data).status_code == 409
    assert Driver.objects.get(pk=world.dora.pk).name == "Dora Doe"


def test_chosen_rows_stay_chosen(browser, world):
    chosen = [str(world.dora.pk), str(world.dirk.pk)]
    data = {"action": "delete_selected", "_selected_action": chosen, "index": "0"}
    offer = sign_in(browser, interrupted(browser, address(Driver, "changelist"), data))
    assert form_on(offer)[1]["_selected_action"] == chosen


def test_passwords_and_files_are_not_carried(browser, world):
    path = address(Operator, "add")
    typed = filled(browser.get(path), name="Ron", email="ron@northwind.example")
    page = interrupted(browser, path, {**typed, "new_password": "swordfish", "new_Password_again": "swordfish"})
    assert "swordfish" not in page.content.decode()
    offer = sign_in(browser, page)
    assert "Passwords and files are not kept" in text_of(offer)
    assert form_on(offer)[1]["name"] == ["Ron"] and "new_password" not in form_on(offer)[1]
    offer = sign_in(browser, interrupted(browser, path, typed))
    assert "are not kept" not in text_of(offer)

    file = SimpleUploadedFile("sites.csv", b"swordfish")
    page = interrupted(browser, "/admin/hierarchy/import/add/", {"table": "sites", "file": file}, has_file=True)
    assert "swordfish" not in page.content.decode()
    offer = sign_in(browser, page)
    assert form_on(offer)[1]["table"] == ["sites"]
    assert "Passwords and files are not kept" in text_of(offer)

    page = interrupted(browser, "/admin/password_change/", {"old_password": "swordfish", "new_password1": "s"})
    assert LOST in text_of(page) and OFFERED not in text_of(page)
    assert sign_in(browser, page)["Location"] == "/admin/password_change/"


def test_what_is_too_long_is_said_to_be_lost(browser, world, monkeypatch):
    monkeypatch.setattr(signed_out, "MOST_CHARACTERS", 1000)
    path = address(Driver, "add")
    page = interrupted(browser, path, {"name": "x" * 996})
    assert LOST in text_of(page) and "x" * 996 not in page.content.decode()
    assert sign_in(browser, page)["Location"] == path
    assert OFFERED in text_of(interrupted(browser, path, {"name": "x" * 995}))


def test_hostile_values_are_harmless(browser, world):
    path = address(Driver, "add")
    for junk in ("\"><script>alert('1')</script>&amp;&#0;\0", "Ä ﬀ \U0001f50c", "a=b&c=d+%00%zz"):
        page = interrupted(browser, path, {"name": junk, junk: "1", "next": "/evil", "typed": "username=x"})
        offer = sign_in(browser, page)
        for answer in (page, offer):
            assert answer.status_code == 200
            assert "alert('1')" not in answer.content.decode()
        action, data = form_on(offer)
        assert action == path
        assert (data["name"], data[junk], data["next"], data["typed"]) == ([junk], ["1"], ["/evil"], ["username=x"])


def test_an_invented_address_leads_home(browser, world):
    for elsewhere in (
        "https://evil.example/admin/",
        "//evil.example/admin/",
        "javascript:alert(1)",
        "/api/v1/sites",
        "/administration/",
        "/admin/../api/v1/sites",
        "/admin/x/%2e%2E/..\\../api/",
        "http://[/",
        "\0",
        "",
    ):
        response = sign_in(browser, interrupted(browser, address(Driver, "add"), {"name": "Dan"}), next=elsewhere)
        leads_to = form_on(response)[0] if response.status_code == 200 else response["Location"]
        assert (elsewhere, leads_to) == (elsewhere, "/admin/")


def test_what_is_carried_may_be_anything(browser, world):
    page = interrupted(browser, address(Driver, "add"), {"name": "Dan"})
    offer = sign_in(browser, page, typed="%ff=%zz&&csrfmiddlewaretoken=x&Password=y&=&name")
    _action, data = form_on(offer)
    assert data.keys() == {"\ufffd", "", "name", "csrfmiddlewaretoken"} and len(data["csrfmiddlewaretoken"]) == 1


def test_without_the_token_nothing_is_carried(world):
    forger = Client(enforce_csrf_checks=True)
    for path in (address(Driver, "add"), "/admin/hierarchy/import/add/"):
        assert forger.post(path, {"name": "Dan"}).status_code == 403
    answer = forger.post(
        LOGIN, {"username": world.ada.email, "password": RIGHT, "next": "/admin/", "typed": "name=Dan"}
    )
    assert answer.status_code == 403


def test_the_lock_counts_as_ever(browser, world, settings):
    settings.SIGN_IN_FAILURES = 1
    page = interrupted(browser, address(Driver, "add"), {"name": "Dan"})
    sign_in(browser, page, "wrong")
    locked = sign_in(browser, page)
    assert "Try again in 15 minutes" in text_of(locked)
    assert form_on(locked)[1]["typed"] == ["name=Dan"]


def test_what_carries_nothing_is_as_before(client, world):
    """Signing in and out, links to choose a password, buttons without fields, and the API."""
    assert client.post("/admin/logout/", {"next": "/admin/"})["Location"] == "/admin/"
    assert client.post(LOGIN, {"username": "ada@northwind.example", "password": RIGHT})["Location"] == "/admin/"
    client.logout()
    path = address(Operator, "invite", world.rob.pk)
    assert client.post(path)["Location"] == f"{LOGIN}?next={path}"
    assert client.get(address(Driver, "add"))["Location"].startswith(LOGIN)
    for page in ("/admin/password/MQ/x-y/", "/admin/password/forgotten/"):
        assert "typed" not in client.post(page, {"name": "Dan"}).content.decode()
    assert client.post("/api/v1/drivers", {"name": "Dan"}, "application/json").status_code == 401
