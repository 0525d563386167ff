"""Actions on the chosen rows of a list, or on all that match: previewed as a plan, and applied as it or not at all."""

import csv
import io
import json
import re

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from bulk import edits
from chargers.models import Charger, Socket
from drivers.models import ChargerRight, Driver, IntegratedExternalId, SiteRight, Tag
from hierarchy.models import Change, Customer, Import, ImportPlan, Site
from operators.models import Operator, SiteGrant
from tests.backoffice.admin_pages import address
from tests.conftest import NOON, made


def signed_in(operator):
    client = Client()
    client.force_login(operator)
    return client


def text_of(response):
    """A page as it is read: without tags, every space one space."""
    return " ".join(re.sub(r"<[^>]*>", " ", response.content.decode()).split())


def act(client, model, action, *rows, across=False, query="", **answers):
    """Choose an action for rows of a list; with answers, what its form asks is answered at once."""
    data = {"action": action, "_selected_action": [row.pk for row in rows], "index": "0"}
    data |= {"select_across": "1"} if across else {}
    data |= {"asked": "1", **answers} if answers else {}
    return client.post(f"{address(model, 'changelist')}{query}", data)


def planned(client, *args, **answers):
    """The address of the plan that an action became."""
    response = act(client, *args, **answers)
    form = response.context and response.context.get("form")
    assert response.status_code == 302, form.errors if form else text_of(response)
    assert "/plans/" in response["Location"], text_of(client.get(response["Location"]))
    return response["Location"]


def apply(client, plan):
    response = client.post(plan, {"answer": "apply"})
    assert response.status_code == 302, text_of(response)
    return response["Location"]


def done(client, *args, **answers):
    """Do it; the answer is what its plan told."""
    plan = planned(client, *args, **answers)
    told = text_of(client.get(plan))
    apply(client, plan)
    return told


def test_it_works(world):
    client = signed_in(world.ada)
    query = "?q=gar"
    page = act(client, Charger, "move_chosen", world.gar_1, world.gar_2, query=query)
    assert "For 2 chargers" in text_of(page)
    assert "GAR-1 (Harbour › East car park › Garage)" in text_of(page)
    # What the page sends along, with the answer.
    hidden = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page.content.decode())
    data = {name: [value for other, value in hidden if other == name] for name, _value in hidden}
    to = re.search(r'<form method="post" action="([^"]+)" id="action-form"', page.content.decode())[1]
    plan = client.post(to, {**data, "target": world.airport.pk})["Location"]

    text = text_of(client.get(plan))
    assert "Bulk change: move 2 chargers to Airport" in text
    assert "moved GAR-1 Charger Site Harbour / East car park / Garage → Airport" in text
    assert "1 driver loses charging access Dora 2 chargers" in text
    assert "Nothing has been saved" in text
    assert Charger.objects.get(pk=world.gar_1.pk).site == world.garage

    back = apply(client, plan)
    assert back == address(Charger, "changelist") + query
    assert "Bulk change: move 2 chargers to Airport. Done: 2 moved. View the changes" in text_of(client.get(back))
    assert Charger.objects.filter(site=world.airport).count() == 3
    record = Import.objects.get()
    assert (record.file_name, record.format) == ("Bulk change: move 2 chargers to Airport", "bulk-change")
    lines = Change.objects.filter(import_id=record.pk, object_type="charger")
    assert {(line.natural_key, line.action, line.actor_label) for line in lines} == {
        ("GAR-1", "moved", "ada@northwind.example"),
        ("GAR-2", "moved", "ada@northwind.example"),
    }
    assert "Bulk change" in text_of(client.get(address(Import, "change", record.pk)))
    # The button pressed twice.
    assert "Bulk change" in text_of(client.post(plan, {"answer": "apply"}, follow=True))


def test_all_that_match_the_filters(world):
    client = signed_in(world.ada)
    assert "Select all" not in text_of(client.get(address(Tag, "changelist")))
    page = act(client, Tag, "set_validity", world.dora_card, across=True, query="?q=dora")
    assert "For 2 tags" in text_of(page)
    answers = {"begin": "none", "end": "at", "expires_at": "2030-01-01T00:00:00"}
    plan = planned(client, Tag, "set_validity", world.dora_card, across=True, query="?q=dora", **answers)
    # One more matches by now: what was not shown is not done.
    late = made(Tag, driver=world.dora, id_tag="LATE")
    assert "Valid to – → 2030-01-01 00:00 CET" in text_of(client.get(plan))
    apply(client, plan)
    ends = Tag.objects.filter(driver=world.dora).values_list("id_tag", "expires_at__year", "starts_at")
    assert sorted(ends) == [("04A1B2C3", 2029, None), ("04FFEE01", 2029, None), ("LATE", None, None)]
    assert not Tag.objects.filter(pk=late.pk).exclude(version=1).exists()
    assert Import.objects.get().file_name == "Bulk change: set the validity of 2 tags"


def test_every_action_does_what_it_says(world):
    client = signed_in(world.ada)
    harbour, west, dirk = world.harbour, world.west, world.dirk

    # What lies below another chosen site goes along with it.
    plan = planned(client, Site, "move_chosen", world.east, world.garage, world.west, target=world.airport.pk)
    text = text_of(client.get(plan))
    assert "1 of the selected sites are subsites of other selected sites" in text
    apply(client, plan)
    below = Site.objects.filter(parent=world.airport).values_list("name", flat=True)
    assert set(below) == {"East car park", "West car park"}
    assert Site.objects.get(pk=world.garage.pk).parent == world.east
    plan = planned(client, Site, "move_chosen", world.east, nothing="on")
    assert "1 driver loses charging access" not in text_of(client.get(plan))
    apply(client, plan)
    assert Site.objects.get(pk=world.east.pk).parent is None

    done(client, Site, "grant_right", harbour, west, target=dirk.pk)
    assert set(SiteRight.objects.filter(driver=dirk).values_list("site__name", flat=True)) == {
        "Harbour",
        west.name,
    }
    done(client, Site, "revoke_right", harbour, west, target=dirk.pk)
    assert not SiteRight.objects.filter(driver=dirk).exists()
    page = act(client, Site, "revoke_right", harbour, target=dirk.pk)
    assert "none of the selected rows has it" in text_of(page)

    # Dirk has one of the two already.
    done(client, Charger, "grant_right", world.gar_1, world.gar_2, target=dirk.pk)
    assert ChargerRight.objects.filter(driver=dirk).count() == 2
    done(client, Driver, "revoke_charger", dirk, target=world.gar_1.pk)
    assert ChargerRight.objects.get(driver=dirk).charger == world.gar_2
    done(client, Charger, "revoke_right", world.gar_1, world.gar_2, target=dirk.pk)
    told = done(client, Driver, "grant_charger", dirk, world.dora, target=world.air_1.pk)
    assert "2 drivers gain charging access Dirk 1 charger Dora 1 charger" in told
    assert ChargerRight.objects.filter(charger=world.air_1).count() == 2

    done(client, Driver, "grant_site", dirk, world.dora, target=west.pk)
    assert SiteRight.objects.filter(site=west).count() == 2
    done(client, Driver, "revoke_site", dirk, world.dora, target=west.pk)
    done(client, Driver, "set_home", dirk, world.spike, target=west.pk)
    assert Driver.objects.filter(home_site=west).count() == 2
    done(client, Driver, "set_home", dirk, nothing="on")
    assert Driver.objects.get(pk=dirk.pk).home_site is None
    done(client, Driver, "set_validity", world.dora, dirk, begin="at", starts_at="2020-01-01T00:00:00", end="keep")
    assert set(Tag.objects.filter(driver=world.dora).values_list("starts_at__year", flat=True)) == {2019}

    told = done(client, Operator, "grant_sight", world.rob, world.nell, target=west.pk)
    assert "2 operators gain site access" in told
    assert SiteGrant.objects.filter(site=west).count() == 2
    deletion = client.get(address(SiteGrant, "delete", SiteGrant.objects.get(operator=world.nell, site=west).pk))
    assert "1 operator loses site access Nell 1 site" in text_of(deletion)
    told = done(client, Operator, "withdraw_sight", world.rob, world.nell, target=west.pk)
    assert "2 operators lose site access" in told
    text = text_of(client.get(planned(client, Operator, "disable", world.rob, world.nell, world.ada)))
    assert "Your own account was skipped." in text
    done(client, Operator, "disable", world.rob, world.nell, world.ada)
    assert set(Operator.objects.filter(is_active=False)) == {world.rob, world.nell}
    done(client, Operator, "enable", world.rob, world.nell)
    assert not Operator.objects.filter(is_active=False).exists()
    assert "own account" in text_of(client.get(act(client, Operator, "disable", world.ada)["Location"]))

    nothing = act(client, Operator, "enable", world.rob)
    assert "all selected rows already have this value" in text_of(client.get(nothing["Location"]))
    assert not ImportPlan.objects.filter(applied_as=None).exclude(file_name__contains="disable").exists()


def test_tags_end_now(world):
    client = signed_in(world.ada)
    past = made(Tag, driver=world.dirk, id_tag="PAST", expires_at=NOON)
    plan = planned(client, Tag, "set_validity", past, world.dora_card, begin="keep", end="now")
    assert "1 tag already expired: left unchanged." in text_of(client.get(plan))
    apply(client, plan)
    assert Tag.objects.get(pk=past.pk).expires_at == NOON
    assert Tag.objects.get(pk=world.dora_card.pk).expires_at > NOON

    for answers, message in (
        ({"begin": "keep", "end": "keep"}, "Nothing to change"),
        ({"begin": "at", "end": "keep"}, "Enter a date and time."),
        (
            {"begin": "keep", "starts_at": "2030-01-01T00:00", "end": "keep"},
            "Choose the option for the date",
        ),
        ({"begin": "at", "starts_at": "2030-01-01T00:00", "end": "at", "expires_at": "2029-01-01T00:00"}, "later end"),
        ({"begin": "keep", "end": "now"}, "Nothing to change: no tags are affected."),
    ):
        assert message in text_of(act(client, Tag, "set_validity", past, **answers)), answers
    # Which of them would end before it begins, its name says.
    future = made(Tag, driver=world.dirk, id_tag="FUTURE", starts_at=NOON.replace(year=2090))
    plan = planned(client, Tag, "set_validity", future, world.dora_fob, begin="keep", end="now")
    assert "FUTURE: The tag ends before it starts" in text_of(client.get(plan))
    assert client.post(plan, {"answer": "apply"}).status_code == 409
    assert Tag.objects.get(pk=world.dora_fob.pk).version == 1


def test_what_changed_meanwhile_is_told(world):
    client = signed_in(world.ada)
    plan = planned(client, Charger, "move_chosen", world.gar_1, world.gar_2, target=world.west.pk)
    world.gar_1.site = world.airport
    world.gar_1.save()
    world.gar_2.delete()
    response = client.post(plan, {"answer": "apply"})
    assert response.status_code == 409
    text = text_of(response)
    assert "The network has changed" in text
    assert "GAR-2" in text
    assert "is now Airport" in text
    again = client.post(plan, {"answer": "again"})["Location"]
    assert "GAR-2" not in text_of(client.get(again))
    apply(client, again)
    assert Charger.objects.get(pk=world.gar_1.pk).site == world.west

    # The target itself is gone.
    plan = planned(client, Charger, "move_chosen", world.air_1, target=world.west.pk)
    Site.objects.get(pk=world.west.pk).move(world.airport)
    assert client.post(plan, {"answer": "apply"}).status_code == 409
    plan = planned(client, Driver, "set_home", world.spike, target=world.airport.pk)
    Charger.objects.get(pk=world.gar_1.pk).delete()
    Site.objects.get(pk=world.west.pk).delete()
    assert client.get(plan).status_code == 200


def test_a_deletion_names_what_goes_along_and_what_blocks(world):
    client = signed_in(world.ada)
    plan = planned(client, Charger, "delete_selected", world.gar_1, world.quay_1)
    text = text_of(client.get(plan))
    for name in (
        "GAR-1 Charger",
        "QUAY-1 Charger",
        "Dirk @ GAR-1 Right",
        "QUAY-1 #2 Socket",
        "QUAY-1 HeartbeatInterval",
    ):
        assert f"deleted {name}" in text, name
    assert "7 rows will be deleted" in text
    apply(client, plan)
    assert not Charger.objects.filter(charger_id__in=["GAR-1", "QUAY-1"]).exists()
    assert not Socket.objects.filter(charger__charger_id="GAR-1").exists()
    gone = Change.objects.filter(import_id=Import.objects.get().pk, action="deleted")
    assert gone.count() == 7

    plan = planned(client, Site, "delete_selected", world.airport, world.west)
    text = text_of(client.get(plan))
    assert "Airport has the charger AIR-1: move or delete that first." in text
    assert "Airport has the driver Dirk: move or delete that first." in text
    assert "Apply" not in text
    assert client.post(plan, {"answer": "apply"}).status_code == 409
    assert Site.objects.filter(pk=world.west.pk).exists()
    assert client.post(plan, {"answer": "upload"}).status_code == 400
    assert client.get(f"{plan}errors/").status_code == 404
    assert client.post(plan, {"answer": "discard"})["Location"] == address(Site, "changelist")

    # A whole branch at once, and kinds that have nothing but this.
    top = made(Site, customer=world.northwind, name="Old")
    made(Site, parent=top, name="Older")
    done(client, Site, "delete_selected", top, across=True, query="?q=old")
    assert not Site.objects.filter(name__startswith="Old").exists()
    for model in (SiteRight, ChargerRight, IntegratedExternalId, SiteGrant, Socket, Tag):
        rows = list(model.objects.exclude(**{f"{model.rules.customer}": world.southwind}))
        if rows:
            done(client, model, "delete_selected", *rows)
            assert not model.objects.exclude(**{f"{model.rules.customer}": world.southwind}).exists()


def test_who_may_do_what(world):
    rob, nell, pat = (signed_in(operator) for operator in (world.rob, world.nell, world.pat))
    menu = rob.get(address(Charger, "changelist")).content.decode()
    assert "move_chosen" in menu
    assert "move_chosen" not in nell.get(address(Charger, "changelist")).content.decode()
    # Without grants nothing is there to choose; what is chosen all the same is not there.
    assert act(nell, Charger, "move_chosen", world.gar_1).status_code in (302, 200)
    assert not ImportPlan.objects.exists()

    # Rob sees the East car park, and may not move it himself: it is named, and nothing is half done.
    plan = planned(rob, Site, "delete_selected", world.east, world.garage)
    text = text_of(rob.get(plan))
    assert "East car park is outside of the sites you may change." in text
    top = made(Site, parent=world.garage, name="Roof")
    plan = planned(rob, Site, "move_chosen", world.east, target=top.pk)
    assert "East car park: Outside of the sites you may change." in text_of(rob.get(plan))
    page = act(rob, Charger, "move_chosen", world.gar_1, target=world.airport.pk)
    assert "Not found, or you have no access to it." in text_of(page)
    assert "at the top" not in text_of(act(rob, Site, "move_chosen", top)).lower()
    text = text_of(rob.get(act(rob, Charger, "delete_selected", world.quay_1, world.dep_1)["Location"]))
    assert "The selected rows no longer exist" in text

    # Dirk, who may charge at GAR-1, is at home where Rob does not look.
    plan = planned(rob, Charger, "delete_selected", world.gar_1)
    text = text_of(rob.get(plan))
    assert "Dirk" not in text
    assert "one that you do not see" in text
    assert signed_in(world.ada).get(plan).status_code == 404
    apply(rob, plan)
    assert not Charger.objects.filter(pk=world.gar_1.pk).exists()

    # What belongs to several customers has no common plan, and no target of another customer.
    text = text_of(pat.get(act(pat, Charger, "move_chosen", world.gar_2, world.dep_1)["Location"]))
    assert "belong to several customers" in text
    assert "Belongs to another customer" in text_of(
        act(pat, Charger, "move_chosen", world.gar_2, target=world.depot.pk)
    )
    done(pat, Charger, "move_chosen", world.gar_2, target=world.west.pk)
    for action in ("disable", "delete_selected"):
        text = text_of(pat.get(act(pat, Operator, action, world.ada, world.rob)["Location"]))
        assert "At least one active admin operator must remain" in text
    text = text_of(pat.get(act(pat, Operator, "disable", world.pat)["Location"]))
    assert "belong to no customer" in text
    assert act(pat, Customer, "delete_selected", world.southwind).status_code == 200


def test_the_chosen_rows_as_a_file(world):
    ada = signed_in(world.ada)
    menu = ada.get(address(Charger, "changelist")).content.decode()
    assert '<optgroup label="Export">' in menu
    response = act(ada, Charger, "export_csv", world.gar_2, world.dep_1)
    rows = list(csv.DictReader(io.StringIO(b"".join(response).decode("utf-8-sig"))))
    assert [row["chargerId"] for row in rows] == ["GAR-2"]
    response = act(ada, Driver, "export_json", world.dora, across=True, query="?q=d")
    assert {row["name"] for row in json.loads(b"".join(response))["drivers"]} == {"Dora", "Dirk"}
    assert b"".join(act(ada, Site, "export_xlsx", world.west)).startswith(b"PK")
    pat = signed_in(world.pat)
    text = text_of(pat.get(act(pat, Charger, "export_csv", world.gar_1, world.dep_1)["Location"]))
    assert "A file contains rows of one customer" in text


def test_too_many(world, monkeypatch):
    monkeypatch.setattr("backoffice.actions.MOST_ROWS", 2)
    client = signed_in(world.ada)
    response = act(client, Charger, "move_chosen", world.gar_1, across=True)
    assert "More than 2 rows would be changed" in text_of(client.get(response["Location"]))
    # What belongs to the chosen rows counts as well: Dora has two tags.
    monkeypatch.setattr("backoffice.actions.MOST_ROWS", 1)
    response = act(client, Driver, "set_validity", world.dora, begin="none", end="keep")
    assert "More than 1 rows would be changed" in text_of(response)
    assert edits.MOST_ROWS >= 100_000


def test_a_button_without_rows_or_action_says_what_is_missing(world):
    client = signed_in(world.ada)
    listing = address(Tag, "changelist")
    for data, words in (
        ({"action": "delete_selected"}, "No rows selected"),
        ({"action": "", "_selected_action": world.dora_card.pk}, "Choose an action above the list"),
    ):
        assert words in text_of(client.post(listing, {"index": "0", **data}, follow=True))


def test_garbage(world):
    client = signed_in(world.ada)
    names = ("target", "nothing", "begin", "starts_at", "end", "expires_at", "starts_at_offset", "select_across")
    for junk in ("\0", "9" * 30, "-1", ""):
        for model, action, row in ((Site, "move_chosen", world.west), (Tag, "set_validity", world.dora_card)):
            assert act(client, model, action, row, **dict.fromkeys(names, junk)).status_code in (200, 302)
        data = {"action": action, "_selected_action": junk, "index": junk, "asked": junk}
        assert client.post(address(Tag, "changelist"), data).status_code in (302, 400)
        assert act(client, Tag, junk, row).status_code == 302
    assert not ImportPlan.objects.exists()


def test_the_number_of_statements_does_not_depend_on_the_rows(world):
    client = signed_in(world.ada)

    def statements(*args, **answers):
        with CaptureQueriesContext(connection) as queries:
            plan = planned(client, *args, **answers)
            client.get(plan)
        return len(queries)

    def all_of_them():
        site = {"target": world.west.pk}
        yield statements(Charger, "move_chosen", world.gar_1, across=True, query="?q=gar", **site)
        yield statements(Driver, "grant_site", world.dora, across=True, query="?q=d", **site)
        yield statements(Driver, "delete_selected", world.dora, across=True, query="?q=d")
        validity = {"begin": "none", "end": "none"}
        yield statements(Driver, "set_validity", world.dora, across=True, query="?q=d", **validity)

    few = list(all_of_them())
    for number in range(7):
        made(Charger, site=world.garage, charger_id=f"GAR-9{number}")
        driver = made(Driver, customer=world.northwind, name=f"Dan {number}")
        made(Tag, driver=driver, id_tag=f"T{number}", expires_at=NOON)
    assert list(all_of_them()) == few
