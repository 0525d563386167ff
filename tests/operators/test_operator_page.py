"""The page of an operator, and that of the own account: sight, admin rights, keys and webhooks, and who may what."""

import re

import pytest

from bulk import apply
from bulk.drafts import Draft, Findings
from bulk.row_checks import check_rows
from hierarchy import services as hierarchy_services
from hierarchy.errors import NotPermitted
from hierarchy.models import Change
from hierarchy.scoping import Caller
from operators import keys
from operators.models import ApiKey, Operator, SiteGrant, Webhook
from tests.backoffice.admin_pages import add_line, address, errors_of, filled
from tests.conftest import NOON, made

ACCOUNT = "/admin/account/"
PEOPLE = ("ada", "rob", "nell", "sue", "pat")


@pytest.fixture
def ada(client, world):
    client.force_login(world.ada)
    return client


@pytest.fixture
def rob(client, world):
    client.force_login(world.rob)
    return client


def change(client, row, **values):
    path = address(type(row), "change", row.pk)
    return client.post(path, filled(client.get(path), **values))


def make_key(client, operator, name="Backend"):
    path = address(ApiKey, "add")
    page = client.get(path, {"operator": operator.pk})
    return client.post(path, filled(page, name=name), follow=True).context["shown"][0]


def test_it_works(ada, world):
    """Made for Rob from his page, rotated and revoked there."""
    page = ada.get(address(Operator, "change", world.rob.pk)).content.decode()
    add = f"{address(ApiKey, 'add')}?operator={world.rob.pk}"
    assert add in page
    shown = ada.post(add, filled(ada.get(add), name="Backend"), follow=True)
    ((key, text),) = shown.context["shown"]
    assert (key.operator, key.digest) == (world.rob, keys.digest(text))
    back = address(Operator, "change", world.rob.pk)
    assert f'href="{back}">I have copied it' in shown.content.decode()
    page = ada.get(back).content.decode()
    assert key.hint in page
    assert text not in page

    rotate, revoke = (address(ApiKey, deed, key.pk) for deed in ("rotate", "revoke"))
    for deed in (rotate, revoke):
        assert deed in page
        # Looking at the question does nothing.
        assert "quiet-button" in ada.get(deed).content.decode()
    assert ApiKey.objects.get(pk=key.pk).digest == key.digest
    ((_key, new),) = ada.post(rotate, follow=True).context["shown"]
    assert ApiKey.objects.get(pk=key.pk).digest == keys.digest(new) != key.digest
    assert ada.post(revoke)["Location"] == back
    assert not ApiKey.objects.get(pk=key.pk).is_valid
    assert "Create a new key instead" in ada.post(rotate, follow=True).content.decode()
    page = ada.get(back).content.decode()
    assert "revoked" in page
    assert rotate not in page


def test_keys_are_revoked_from_the_list_after_a_question(ada, world, monkeypatch):
    owner = {"operator": world.rob, "hint": "ctk_1234"}
    backend, kiosk = (
        made(ApiKey, name=name, digest=name, last_used_at=used, **owner)
        for name, used in (("Backend", NOON), ("Kiosk", None))
    )
    old = made(ApiKey, name="Old", digest="old", expires_at=NOON, **owner)
    page = address(ApiKey, "changelist")
    act = {"action": "revoke", "_selected_action": [backend.pk, kiosk.pk, old.pk], "index": "0"}
    asked = ada.post(page, act)
    text = " ".join(re.sub(r"<[^>]*>", " ", asked.content.decode()).split())
    assert "These 2 keys stop working at once: Backend (ctk_1234…)" in text
    assert "last used 2026" in text and "never used" in text
    assert ">Revoke<" in asked.content.decode() and ">Keep<" in asked.content.decode()
    assert ApiKey.objects.filter(revoked_at=None).count() == 3
    monkeypatch.setattr("operators.admin.keys.MOST_REVOKED", 1)
    assert "At most 1 keys" in ada.post(page, act, follow=True).content.decode()
    monkeypatch.undo()
    # One more is chosen by its filters in the meantime: what was not shown stays.
    late = made(ApiKey, name="Late", digest="late", **owner)
    answered = {}
    for name, value in re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', asked.content.decode()):
        answered.setdefault(name, []).append(value)
    done = ada.post(page, answered, follow=True)
    assert "2 keys were revoked." in done.content.decode()
    assert set(ApiKey.objects.filter(revoked_at=None)) == {old, late}
    assert "Nothing to revoke" in ada.post(page, act, follow=True).content.decode()


def test_rotating_is_not_offered_in_lists(ada, world):
    key = made(ApiKey, operator=world.rob, name="Backend", hint="ctk_abcd", digest="d")
    webhook = made(Webhook, operator=world.rob, name="ERP", url="https://erp.example/", seed="s")
    for row, column in ((key, "digest"), (webhook, "seed")):
        page = address(type(row), "changelist")
        assert 'value="rotate"' not in ada.get(page).content.decode()
        ada.post(page, {"action": "rotate", "_selected_action": row.pk, "index": "0"})
        assert getattr(type(row).objects.get(pk=row.pk), column) == getattr(row, column)


def test_webhooks_on_the_page(ada, world):
    add = f"{address(Webhook, 'add')}?operator={world.rob.pk}"
    shown = ada.post(add, filled(ada.get(add), name="ERP", url="https://erp.example/"), follow=True)
    ((webhook, secret),) = shown.context["shown"]
    page = ada.get(address(Operator, "change", world.rob.pk)).content.decode()
    rotate = address(Webhook, "rotate", webhook.pk)
    assert rotate in page
    assert secret not in page
    assert ada.get(rotate).status_code == 200
    ((_webhook, new),) = ada.post(rotate, follow=True).context["shown"]
    assert new != secret


def test_who_may_do_what_to_a_key(client, world):
    key = made(ApiKey, operator=world.ada, name="Backend", hint="ctk_abcd", digest="d")
    webhook = made(Webhook, operator=world.ada, name="ERP", url="https://erp.example/")
    pages = [address(ApiKey, deed, key.pk) for deed in ("rotate", "revoke")] + [address(Webhook, "rotate", webhook.pk)]
    for who in ("sue", "rob", "nell"):
        client.force_login(getattr(world, who))
        for page in pages:
            assert (who, client.get(page).status_code, client.post(page).status_code) == (who, 404, 404)
    for junk in ("abc", "9" * 30, "0"):
        assert client.get(address(ApiKey, "rotate", junk)).status_code == 404
    client.logout()
    assert all(client.post(page)["Location"].startswith("/admin/login/") for page in pages)
    assert ApiKey.objects.get(pk=key.pk).digest == "d"


def test_without_a_home_site_one_makes_a_key_of_ones_own(client, world):
    """Nell sees nobody, not even herself."""
    client.force_login(world.nell)
    path = address(ApiKey, "add")
    page = client.get(path)
    assert page.context["adminform"].form["operator"].value() == world.nell.pk
    shown = client.post(path, filled(page, name="Mine"), follow=True)
    ((key, _text),) = shown.context["shown"]
    assert key.operator == world.nell
    assert f'href="{ACCOUNT}">I have copied it' in shown.content.decode()
    assert key.hint in client.get(ACCOUNT).content.decode()
    assert client.post(address(ApiKey, "revoke", key.pk))["Location"] == ACCOUNT
    for other in (world.rob, world.sue):
        assert errors_of(client.post(path, filled(page, name="Not mine", operator=other.pk)))
    path = address(Webhook, "add")
    shown = client.post(path, filled(client.get(path), name="ERP", url="https://erp.example/"), follow=True)
    assert shown.context["shown"][0][0].operator == world.nell


def test_keys_of_others_are_not_on_a_restricted_operators_pages(rob, world):
    world.nell.home_site = world.garage
    world.nell.save()
    made(ApiKey, operator=world.nell, name="Backend", hint="ctk_abcd", digest="d")
    page = rob.get(address(Operator, "change", world.nell.pk))
    assert page.status_code == 200
    assert "ctk_abcd" not in page.content.decode()
    assert "Create API key" not in page.content.decode()


def test_your_account(client, world):
    for who in PEOPLE:
        operator = getattr(world, who)
        client.force_login(operator)
        page = client.get(ACCOUNT).content.decode()
        assert operator.email in page
        assert ("Create API key" in page) == (who != "pat")
        assert f'href="{ACCOUNT}"' in client.get("/admin/").content.decode()
        assert client.post(ACCOUNT, {"name": f"{operator.name} Ray", "is_admin_operator": "on"}).status_code == 302
        operator.refresh_from_db()
        assert operator.name.endswith(" Ray")
    assert {one.email for one in Operator.objects.filter(is_admin_operator=True)} == {world.ada.email, world.sue.email}
    line = Change.objects.filter(object_type="operator", object_id=world.nell.pk).first()
    assert (line.actor_label, line.fields) == (world.nell.email, {"name": ["Nell", "Nell Ray"]})
    for junk in ("", " ", "\0", "two\nlines", "x" * 300, "\x07"):
        assert client.post(ACCOUNT, {"name": junk}).context["form"].errors["name"]
    client.logout()
    assert client.get(ACCOUNT)["Location"].startswith("/admin/login/")


def test_your_account_shows_what_you_see(client, world):
    for who, shown, hidden in (
        ("rob", "East car park", "Harbour"),
        ("nell", "You do not have access to any site yet", "East car park"),
        ("ada", "All data of Northwind", "Southwind"),
        ("pat", "All data of all customers", "Northwind"),
    ):
        client.force_login(getattr(world, who))
        page = client.get(ACCOUNT).content.decode()
        assert shown in page
        assert hidden not in page


def test_a_restricted_operator_gives_nothing_that_is_not_there_to_give(rob, world):
    """From outside, with whatever a browser can be made to send."""
    ron = made(Operator, customer=world.northwind, email="ron@northwind.example", name="Ron", home_site=world.garage)
    page = address(Operator, "change", ron.pk)
    form = rob.get(page)
    assert "is_admin_operator" not in form.context["adminform"].form.fields
    rob.post(page, filled(form, is_admin_operator="on", is_superuser="on", customer=world.southwind.pk))
    for site in (world.harbour, world.west, world.depot):
        refused = rob.post(page, add_line(filled(rob.get(page)), "grants", site=site.pk))
        assert errors_of(refused) == ["Not found, or you have no access to it."]
    assert rob.post(page, add_line(filled(rob.get(page)), "grants", site=world.garage.pk)).status_code == 302
    ron.refresh_from_db()
    assert (ron.is_admin_operator, ron.is_superuser, ron.customer) == (False, False, world.northwind)
    assert [grant.site for grant in ron.grants.all()] == [world.garage]
    own = SiteGrant.objects.get(operator=world.rob)
    for path in (address(Operator, "change", world.rob.pk), address(SiteGrant, "change", own.pk)):
        assert rob.post(path, {"site": world.garage.pk, "grants-0-site": world.garage.pk}).status_code == 403
    assert rob.post(address(SiteGrant, "delete", own.pk), {"post": "yes"}).status_code == 403
    for other in (world.nell, world.sue):
        for deed in ("change", "password", "invite", "unlock", "delete"):
            assert rob.post(address(Operator, deed, other.pk)).status_code == 404


def test_an_admin_operator_manages_the_own_customer_only(ada, world):
    for other in (world.sue, world.pat):
        for deed in ("change", "password", "invite", "unlock", "delete"):
            assert ada.post(address(Operator, deed, other.pk)).status_code == 404
    assert change(ada, world.nell, is_admin_operator="on").status_code == 302
    assert Operator.objects.get(pk=world.nell.pk).is_admin_operator


def test_nobody_takes_oneself_away(client, world):
    """Neither by page nor by API, whoever else there is."""
    change_to = {"is_admin_operator": False, "is_active": False}
    made(Operator, customer=world.northwind, email="amy@northwind.example", name="Amy", is_admin_operator=True)
    made(Operator, email="pia@platform.example", name="Pia", is_superuser=True)
    for who, columns in (("ada", ("is_admin_operator", "is_active")), ("pat", ("is_active",))):
        operator = getattr(world, who)
        client.force_login(operator)
        page = address(Operator, "change", operator.pk)
        for column in columns:
            data = filled(client.get(page))
            del data[column]
            assert errors_of(client.post(page, data))
            row = Operator.objects.get(pk=operator.pk)
            setattr(row, column, change_to[column])
            with pytest.raises(NotPermitted, match=r"yourself|your own"):
                hierarchy_services.save(Caller(operator.scope(), operator.email, "api"), row)
        client.post(address(Operator, "delete", operator.pk), {"post": "yes"})
        row = Operator.objects.get(pk=operator.pk)
        assert row.is_active
        with pytest.raises(NotPermitted, match="your own"):
            hierarchy_services.delete(Caller(operator.scope(), operator.email, "api"), row)
        assert change(client, operator, name="Another name").status_code == 302


def test_nobody_takes_oneself_away_by_a_file(world):
    made(Operator, customer=world.northwind, email="amy@northwind.example", name="Amy", is_admin_operator=True)
    caller = Caller(world.ada.scope(), world.ada.email, "import")
    disabled = Draft("operators", 2, {"emailAddress": world.ada.email, "isActive": "false"})
    findings = Findings("file.csv")
    with pytest.raises(NotPermitted, match="your own"):
        apply.run(caller, world.northwind, check_rows([disabled], findings), findings)
    assert Operator.objects.get(pk=world.ada.pk).is_active


def test_the_last_admin_operator_is_taken_away_knowingly(client, world):
    client.force_login(world.pat)
    page = address(Operator, "change", world.sue.pk)
    for column in ("is_admin_operator", "is_active"):
        data = filled(client.get(page))
        del data[column]
        refused = client.post(page, data)
        assert "last active admin operator" in errors_of(refused)[0]
        assert 'name="leave_without_admin"' in refused.content.decode()
    assert "Only platform staff" in client.get(address(Operator, "delete", world.sue.pk)).content.decode()
    # One who was disabled helps nobody; one who is active does.
    amy = made(
        Operator,
        customer=world.southwind,
        email="amy@south.example",
        name="Amy",
        is_admin_operator=True,
        is_active=False,
    )
    assert "leave_without_admin" in client.get(page).content.decode()
    amy.is_active = True
    amy.save()
    assert "leave_without_admin" not in client.get(page).content.decode()
    assert client.post(page, data).status_code == 302
    assert not Operator.objects.get(pk=world.sue.pk).is_active
    page = address(Operator, "change", amy.pk)
    data = filled(client.get(page), leave_without_admin="on")
    del data["is_active"]
    assert client.post(page, data).status_code == 302
    assert not Operator.objects.get(pk=amy.pk).is_active


def test_platform_staff_choose_the_customer(client, world):
    client.force_login(world.pat)
    path = address(Operator, "add")
    data = filled(client.get(path), name="Ron", email="ron@southwind.example", customer=world.southwind.pk)
    assert client.post(path, data).context["shown"]
    assert Operator.objects.get(name="Ron").customer == world.southwind
    data = filled(client.get(path), name="Roy", email="roy@southwind.example")
    assert errors_of(client.post(path, data))


def test_pages_take_a_constant_number_of_statements(ada, world, django_assert_max_num_queries):
    for number in range(3):
        made(ApiKey, operator=world.rob, name=f"Key {number}", hint="ctk_1234", digest=f"d{number}")
        made(Webhook, operator=world.rob, name=f"Hook {number}", url="https://erp.example/")
    ada.get(address(Operator, "change", world.rob.pk))
    # Session, operator, customer, row, its zone, lock, two for the trail, grants and their paths, keys, webhooks.
    with django_assert_max_num_queries(14):
        ada.get(address(Operator, "change", world.rob.pk))
    made(ApiKey, operator=world.ada, name="Key", hint="ctk_1234", digest="d")
    # Session, operator, customer, keys, webhooks.
    with django_assert_max_num_queries(6):
        ada.get(ACCOUNT)
