"""Links to choose a password: by invitation or because one was forgotten, by mail or by hand, once and for a while."""

import datetime
import re
from functools import partial
from urllib.parse import urlsplit

import pytest
from django.core import mail
from django.core.exceptions import ImproperlyConfigured
from django.test import Client
from django.utils import timezone

from config.settings import _mail_server, _public_url, _sender
from hierarchy.errors import Conflict
from hierarchy.models import Change
from hierarchy.scoping import Caller, Scope
from operators import links, services
from operators.models import Operator, SiteGrant
from tests.backoffice.admin_pages import add_line, address, errors_of, filled

GOOD = "a new and better one"


@pytest.fixture
def has_mail(settings, monkeypatch):
    settings.HAS_MAIL, settings.PUBLIC_URL = True, "https://charge.example"
    settings.DEFAULT_FROM_EMAIL = "Chargetree <charge@charge.example>"
    # As it is sent, only without the thread.
    monkeypatch.setattr("operators.mail.send_link_later", lambda operator, link: _send(operator, link))


def _send(operator, link):
    from operators import mail as ours

    ours.send_link(operator, link)


@pytest.fixture
def ada(client, world):
    client.force_login(world.ada)
    return client


def invite(client, world, **values):
    path = address(Operator, "add")
    values = {"name": "Ron", "email": "ron@northwind.example", "home_site": world.garage.pk, **values}
    data = filled(client.get(path), **values)
    return client.post(path, add_line(data, "grants", site=world.garage.pk))


def link_in(text):
    """The path of the one link in a text."""
    (found,) = {urlsplit(url).path for url in re.findall(r"https?://[\w.:]+/admin/password/[^\s<\"]+", text)}
    return found


def shown(client, answer):
    """The page with links to hand over, with which the making of them is answered."""
    assert answer.context["address"] == address(Operator, "shown")
    return answer


def handed_over(client, answer):
    return link_in(shown(client, answer).content.decode())


def choose(link, password=GOOD, again=None):
    """Follow a link as a stranger; the answer to the password, or the page that says that there is no choosing."""
    stranger = Client()
    page = stranger.get(link, follow=True)
    if not page.context["validlink"]:
        return page
    path = page.redirect_chain[-1][0]
    return stranger.post(path, {"new_password": password, "new_password_again": again or password}, follow=True)


def test_it_works(ada, world, has_mail):
    response = invite(ada, world)
    assert response.status_code == 302
    ron = Operator.objects.get(email="ron@northwind.example")
    assert not ron.has_usable_password()
    assert SiteGrant.objects.get(operator=ron).site == world.garage
    (sent,) = mail.outbox
    assert (sent.to, sent.from_email) == (["ron@northwind.example"], "Chargetree <charge@charge.example>")
    (html,) = [part.content for part in sent.alternatives]
    assert "Ada invites you" in sent.body
    assert "72 hours" in html
    assert "https://charge.example/admin/password/" in sent.body
    assert "invited" in ada.get(address(Operator, "change", ron.pk)).content.decode()

    page = choose(link_in(sent.body + html))
    assert page.redirect_chain[-1] == ("/admin/", 302)
    assert page.wsgi_request.user == ron
    ron.refresh_from_db()
    assert ron.check_password(GOOD)
    line = Change.objects.filter(object_type="operator", object_id=ron.pk).first()
    assert (line.actor_label, line.fields) == ("ron@northwind.example", {"password": ["***", "***"]})
    assert "active" in ada.get(address(Operator, "change", ron.pk)).content.decode()
    # It was for one use.
    assert "no longer works" in choose(link_in(sent.body)).content.decode()


def test_without_mail_the_link_is_shown_once(ada, world):
    made = invite(ada, world)
    # Sealed, because the session lies in the database.
    assert "/password/" not in str(dict(ada.session.items())) and "/password/" not in str(ada.cookies)
    page = shown(ada, made)
    assert "no-store" in page["Cache-Control"]
    link = link_in(page.content.decode())
    assert "72 hours" in page.content.decode()
    assert "was added successfully." in page.content.decode()
    ron = Operator.objects.get(email="ron@northwind.example")
    token = link.rstrip("/").rpartition("/")[2]
    for path in (address(Operator, "change", ron.pk), address(Operator, "history", ron.pk)):
        assert token not in ada.get(path).content.decode()
    assert token not in str(list(Change.objects.values()))
    assert choose(link).wsgi_request.user == ron
    assert not mail.outbox
    # Whichever button it was, there is no form below to edit.
    made = invite(ada, world, email="nina@northwind.example", _continue="1")
    assert "below" not in shown(ada, made).content.decode()
    assert ada.get("/admin/password/forgotten/").status_code == 404
    assert "Ask an admin operator" in Client().get("/admin/login/").content.decode()


def test_loading_the_page_again_makes_no_other_link(ada, world):
    chosen = {"action": "invite", "_selected_action": [world.rob.pk, world.nell.pk], "index": "0"}
    made = ada.post(address(Operator, "changelist"), chosen)
    page = shown(ada, made)
    assert [operator for operator, _link in page.context["shown"]] == [world.nell, world.rob]
    invited_at = Operator.objects.get(pk=world.rob.pk).invited_at
    again = ada.get(made.context["address"], follow=True)
    assert again.redirect_chain == [(address(Operator, "changelist"), 302)]
    assert (
        "If you did not copy it, invite again" in again.content.decode() and "/password/" not in again.content.decode()
    )
    assert Operator.objects.get(pk=world.rob.pk).invited_at == invited_at
    # The link that was copied still opens.
    (link,) = (urlsplit(link).path for operator, link in page.context["shown"] if operator == world.rob)
    assert choose(link).wsgi_request.user == world.rob


def test_a_mail_server_that_fails_loses_nobody(ada, world, has_mail, monkeypatch, caplog):
    def fail(*args, **kwargs):
        raise ConnectionRefusedError("refused")

    monkeypatch.setattr("django.core.mail.EmailMultiAlternatives.send", fail)
    caplog.set_level("WARNING")
    page = shown(ada, invite(ada, world))
    assert "The email could not be sent" in page.content.decode()
    link = link_in(page.content.decode())
    assert link.split("/")[-2] not in caplog.text
    assert choose(link).redirect_chain[-1] == ("/admin/", 302)


def test_what_is_refused_sends_nothing(ada, world, has_mail):
    path = address(Operator, "add")
    data = filled(ada.get(path), name="Ron", email="ron@northwind.example")
    add_line(data, "grants", site=world.depot.pk)
    assert errors_of(ada.post(path, data))
    # The second line is refused by the database, after the first was written.
    data = filled(ada.get(path), name="Ron", email="ron@northwind.example")
    add_line(add_line(data, "grants", site=world.garage.pk), "grants", site=world.garage.pk)
    assert errors_of(ada.post(path, data))
    assert not Operator.objects.filter(name="Ron").exists()
    assert not mail.outbox


def test_a_password_instead_of_an_invitation(ada, world, has_mail):
    assert errors_of(invite(ada, world, new_password=GOOD)) == ["The passwords do not match. Enter both again."]
    assert errors_of(invite(ada, world, new_password="short", new_password_again="short"))
    assert invite(ada, world, new_password=GOOD, new_password_again=GOOD).status_code == 302
    ron = Operator.objects.get(email="ron@northwind.example")
    assert (ron.check_password(GOOD), ron.invited_at, mail.outbox) == (True, None, [])


def test_inviting_again_ends_the_link_before(ada, world):
    first = handed_over(ada, invite(ada, world))
    ron = Operator.objects.get(email="ron@northwind.example")
    again = ada.post(address(Operator, "invite", ron.pk))
    assert not choose(first).context["validlink"]
    second = handed_over(ada, again)
    assert choose(second).wsgi_request.user == ron
    line = Change.objects.filter(object_type="operator", object_id=ron.pk, actor_label=world.ada.email).first()
    assert line.fields.keys() == {"invited_at"}


def test_links_that_open_nothing(ada, world, settings):
    def link():
        return handed_over(ada, ada.post(address(Operator, "invite", world.nell.pk)))

    nell = Operator._base_manager.filter(pk=world.nell.pk)
    made = link()
    nell.update(is_active=False)
    assert not choose(made).context["validlink"]
    assert "disabled" in ada.post(address(Operator, "invite", world.nell.pk), follow=True).content.decode()
    nell.update(is_active=True)
    assert choose(made, "short").context["form"].errors["new_password"]
    assert choose(made, GOOD, "another").context["form"].errors["new_password_again"]
    nell.update(email="nell@other.example", email_key="nell@other.example")
    assert not choose(made).context["validlink"]
    made = link()
    nell.update(is_admin_operator=True)
    assert not choose(made).context["validlink"]
    made = link()
    settings.PASSWORD_RESET_TIMEOUT = -1
    assert not choose(made).context["validlink"]
    for junk in ("0/x-y", "MQ/set-password", "AA/\0", "MTA5OTk5OTk5OTk5OTk5OTk5OTk5OTk5/1-1", "ÿ/1-1"):
        assert not Client().get(f"/admin/password/{junk}/").context["validlink"]


def test_a_link_works_once_even_in_two_windows(ada, world):
    made = handed_over(ada, ada.post(address(Operator, "invite", world.nell.pk)))
    windows = [Client(), Client()]
    paths = [window.get(made, follow=True).redirect_chain[-1][0] for window in windows]
    data = {"new_password": GOOD, "new_password_again": GOOD}
    assert windows[0].post(paths[0], data).status_code == 302
    other = "yet another good one"
    late = windows[1].post(paths[1], {"new_password": other, "new_password_again": other})
    assert not late.context["validlink"]
    # Two at the same moment: both were told that the link is valid, and one comes first.
    caller = Caller(Scope(customer_id=None), "tests", "system")
    nell = Operator.objects.get(pk=world.nell.pk)
    token = links.tokens.make_token(nell)
    services.operator_choose_password(caller, nell, token, other)
    with pytest.raises(Conflict, match="already used"):
        services.operator_choose_password(caller, nell, token, GOOD)
    nell.refresh_from_db()
    assert nell.check_password(other)


def test_many_are_invited_from_the_list(ada, world, has_mail, monkeypatch):
    chosen = {"action": "invite", "_selected_action": [world.rob.pk, world.nell.pk], "index": "0"}
    page = ada.post(address(Operator, "changelist"), chosen, follow=True)
    assert "were sent to" in page.content.decode()
    assert {one.to[0] for one in mail.outbox} == {"rob@northwind.example", "nell@northwind.example"}
    # They have passwords, and keep them until they choose others.
    assert "sent you a link" in mail.outbox[0].body
    world.rob.refresh_from_db()
    assert world.rob.check_password("correct horse battery")
    mail.outbox.clear()
    Operator._base_manager.filter(pk=world.nell.pk).update(is_active=False)
    assert "is disabled" in ada.post(address(Operator, "changelist"), chosen, follow=True).content.decode()
    assert not mail.outbox
    monkeypatch.setattr("operators.admin.operators.MOST_INVITED", 1)
    assert "At most 1 operators" in ada.post(address(Operator, "changelist"), chosen, follow=True).content.decode()


def test_who_invites(client, world):
    """Who may change the operator, and nobody else."""
    page = address(Operator, "invite", world.rob.pk)
    for who, status in (("sue", 404), ("nell", 404), ("rob", 403), ("pat", 200), ("ada", 200)):
        client.force_login(getattr(world, who))
        assert (who, client.post(page).status_code) == (who, status)
    assert client.get(page).status_code == 405


def test_the_state_on_the_page(ada, world):
    def state():
        return ada.get(address(Operator, "change", world.nell.pk)).content.decode()

    nell = Operator._base_manager.filter(pk=world.nell.pk)
    nell.update(password="!")
    assert "not invited yet" in state()
    nell.update(invited_at=timezone.now())
    assert "the link is valid until" in state()
    nell.update(invited_at=timezone.now() - datetime.timedelta(hours=73))
    assert "invitation expired" in state()
    nell.update(is_active=False)
    assert "disabled" in state()


def test_a_forgotten_password(client, world, has_mail):
    assert "Forgot your password?" in client.get("/admin/login/").content.decode()
    page = "/admin/password/forgotten/"
    assert client.get(page).status_code == 200
    Operator._base_manager.filter(pk=world.nell.pk).update(is_active=False)
    answers = set()
    for email in ("ROB@northwind.example", "nell@northwind.example", "nobody@northwind.example"):
        response = client.post(page, {"email": email}, headers={"Host": "evil.example"})
        answers.add((response.status_code, response["Location"], client.get(response["Location"]).content))
    assert len(answers) == 1
    (sent,) = mail.outbox
    assert sent.to == ["rob@northwind.example"]
    assert "https://charge.example/admin/password/" in sent.body
    assert "evil" not in sent.body
    assert choose(link_in(sent.body)).wsgi_request.user == world.rob


def test_forgotten_passwords_are_asked_for_a_few_times(client, world, has_mail):
    page = "/admin/password/forgotten/"

    def ask(email, **more):
        return client.post(page, {"email": email}, **more).status_code

    for email in ("rob@northwind.example", "nobody@northwind.example"):
        assert [ask(email) for _time in range(4)] == [302, 302, 302, 200]
        assert "try again in 15 minutes" in client.post(page, {"email": email}).content.decode()
    assert len(mail.outbox) == 3
    codes = [ask(f"{number}@x.example", REMOTE_ADDR="203.0.113.9") for number in range(21)]
    assert codes == [302] * 20 + [200]
    for junk in ("", "\0", "a\nb", "x" * 300):
        assert client.post(page, {"email": junk}, REMOTE_ADDR="203.0.113.8").status_code in (200, 302)


def test_choosing_a_password_unlocks(client, world, has_mail, settings):
    settings.SIGN_IN_FAILURES = 1
    wrong = {"username": world.rob.email, "password": "wrong"}
    client.post("/admin/login/", wrong)
    client.post("/admin/password/forgotten/", {"email": world.rob.email})
    choose(link_in(mail.outbox[0].body))
    assert client.post("/admin/login/", {**wrong, "password": GOOD}).status_code == 302


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("EMAIL_URL", "mail.example"),
        ("EMAIL_URL", "ftp://u:secret@mail.example"),
        ("EMAIL_URL", "smtp://u:secret@mail.example:99999"),
        ("PUBLIC_URL", ""),
        ("PUBLIC_URL", "https://c.example/"),
        ("PUBLIC_URL", "https://c.example,https://d.example"),
        ("DEFAULT_FROM_EMAIL", ""),
        ("DEFAULT_FROM_EMAIL", "Chargetree"),
        ("DEFAULT_FROM_EMAIL", "Chargetree <c@c.example"),
    ],
)
def test_odd_mail_settings_are_named(monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    with pytest.raises(ImproperlyConfigured) as error:
        {"EMAIL_URL": _mail_server, "DEFAULT_FROM_EMAIL": _sender}.get(name, partial(_public_url, is_needed=True))(name)
    assert name in str(error.value)
    assert "secret" not in str(error.value)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("smtp+tls://ann:p%40ss@mail.example", ("mail.example", 587, True, "ann", "p@ss")),
        ("smtp+ssl://mail.example", ("mail.example", 465, None, None, None)),
        ("smtp://mail.example:2525", ("mail.example", 2525, None, None, None)),
    ],
)
def test_a_mail_server_is_read_from_its_address(monkeypatch, url, expected):
    monkeypatch.setenv("EMAIL_URL", url)
    found = _mail_server("EMAIL_URL")
    names = ("EMAIL_HOST", "EMAIL_PORT", "EMAIL_USE_TLS", "EMAIL_HOST_USER", "EMAIL_HOST_PASSWORD")
    assert tuple(found.get(name) for name in names) == expected
    assert found["EMAIL_BACKEND"].endswith("smtp.EmailBackend")


def test_mail_goes_nowhere_without_a_server(monkeypatch):
    monkeypatch.delenv("EMAIL_URL", raising=False)
    assert "dummy" in _mail_server("EMAIL_URL")["EMAIL_BACKEND"]
    monkeypatch.setenv("DEFAULT_FROM_EMAIL", "Chargetree <c@c.example>")
    assert _sender("DEFAULT_FROM_EMAIL") == "Chargetree <c@c.example>"
    assert _public_url("PUBLIC_URL", is_needed=False) == ""
