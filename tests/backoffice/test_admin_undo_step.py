"""Undoing all that was written together: bulk changes, deletions of many rows, imports, pages with many lines."""

import re

import pytest
from django.test import Client

from chargers.models import Charger, Socket
from drivers.models import ChargerRight, Driver, SiteRight, Tag
from hierarchy import journal, restore, services
from hierarchy.models import Change, Site
from hierarchy.scoping import Caller
from operators.models import ApiKey
from tests.backoffice.admin_pages import address
from tests.backoffice.test_admin_actions import done, signed_in, text_of
from tests.conftest import made

LOG = address(Change, "changelist")


def undo_of(model, action, **row):
    """The page that undoes the step of the newest line of this kind."""
    line = Change.objects.filter(object_type=model._meta.model_name, action=action, **row).first()
    return address(Change, "undo_all", line.pk)


def undone(client, page):
    """Press the button of the page; the answer is what was told of what stays."""
    shown = client.get(page)
    assert shown.status_code == 200
    without = re.findall(r'name="without" value="(\d+)"', shown.content.decode())
    answer = client.post(page, {"without": without})
    assert answer.status_code == 302, text_of(answer)
    return text_of(shown)


@pytest.fixture
def ada(world):
    return signed_in(world.ada)


def state():
    """All that the steps below change, without versions."""
    return {
        model: sorted(model.objects.values_list(*(name for name in names)))
        for model, names in (
            (Site, ["pk", "name", "parent_id", "lft", "rght", "level"]),
            (Charger, ["pk", "charger_id", "site_id"]),
            (Socket, ["pk", "charger_id", "number"]),
            (Driver, ["pk", "name", "home_site_id"]),
            (Tag, ["pk", "id_tag", "driver_id"]),
            (SiteRight, ["driver_id", "site_id"]),
            (ChargerRight, ["driver_id", "charger_id"]),
        )
    }


def test_bulk_changes_are_undone_whole(ada, world):
    before = state()
    steps = (
        (
            Charger,
            journal.MOVED,
            lambda: done(ada, Charger, "move_chosen", world.gar_1, world.gar_2, target=world.west.pk),
        ),
        (Driver, journal.DELETED, lambda: done(ada, Driver, "delete_selected", world.dora, world.dirk)),
        (Charger, journal.DELETED, lambda: done(ada, Charger, "delete_selected", world.gar_1, world.gar_2)),
        (
            SiteRight,
            journal.CREATED,
            lambda: done(ada, Driver, "grant_site", world.dirk, world.dora, target=world.west.pk),
        ),
        (
            Site,
            journal.MOVED,
            lambda: done(ada, Site, "move_chosen", world.garage, world.west, target=world.airport.pk),
        ),
    )
    for model, action, step in steps:
        step()
        assert state() != before
        page = undo_of(model, action)
        request_id = Change.objects.first().request_id
        assert f'href="{page}"' in ada.get(LOG, {"request": request_id}).content.decode()
        assert "cannot be undone and will stay" not in undone(ada, page)
        assert state() == before, (model, action)
        assert "(restores line" in Change.objects.first().actor_label
        # What was undone is not undone twice.
        again = ada.get(page)
        assert again.status_code == 200
        ada.post(page)
        assert state() == before


def test_what_was_changed_since_stays_and_is_named(ada, world):
    done(ada, Charger, "move_chosen", world.gar_1, world.gar_2, target=world.west.pk)
    page = undo_of(Charger, journal.MOVED)
    charger = Charger.objects.get(pk=world.gar_2.pk)
    charger.site = world.airport
    services.save(Caller(world.ada.scope(), "ada", journal.ADMIN, "r-2"), charger)
    # Whoever looked before is shown it anew.
    stale = ada.post(page)
    assert stale.status_code == 409
    assert "Something changed after you opened the page" in text_of(stale)
    assert Charger.objects.get(pk=world.gar_1.pk).site == world.west
    told = undone(ada, page)
    assert "1 change cannot be undone and will stay" in told and "GAR-2 : Changed again since then" in told
    assert Charger.objects.get(pk=world.gar_1.pk).site == world.garage
    assert Charger.objects.get(pk=world.gar_2.pk).site == world.airport

    # What was made is not deleted with what others added to it.
    with journal.recording(Caller(world.ada.scope(), "ada", journal.ADMIN, "r-3")):
        new = made(Driver, customer=world.northwind, name="New")
        made(Driver, customer=world.northwind, name="Newer")
    made(Tag, driver=new, id_tag="ADDED")
    told = undone(ada, undo_of(Driver, journal.CREATED))
    assert "New : Changed since then" in told
    assert Driver.objects.filter(name__startswith="New").get() == new


def test_secrets_never_come_back(ada, world):
    key = made(ApiKey, operator=world.ada, name="Gone", hint="ctk_abcd", digest="d")
    with journal.recording(Caller(world.ada.scope(), "ada", journal.ADMIN, "r-4")):
        key.delete()
    page = undo_of(ApiKey, journal.DELETED)
    assert "None of these changes can be undone now" in text_of(ada.get(page))
    assert not ApiKey.objects.filter(name="Gone").exists()


def test_large_steps_and_other_people(world, monkeypatch):
    ada = signed_in(world.ada)
    done(ada, Charger, "move_chosen", world.gar_1, world.gar_2, target=world.west.pk)
    page = undo_of(Charger, journal.MOVED)
    assert signed_in(world.sue).get(page).status_code == 404
    assert signed_in(world.nell).get(page).status_code in (403, 404)
    assert Client().get(page).status_code == 302
    # Who sees a part of it may not write what lies elsewhere.
    signed_in(world.rob).post(page)
    assert Charger.objects.filter(site=world.west).count() == 2
    monkeypatch.setattr(restore, "MOST_LINES", 1)
    assert "More than 1 changes were made together" in text_of(ada.get(page))
    assert ada.post(page).status_code == 200
    assert Charger.objects.filter(site=world.west).count() == 2
    for junk in ("0", "x", "9" * 30):
        assert ada.get(page.replace(page.split("/")[-3], junk)).status_code == 404
