"""The page of a charger: its status as it is now, who may charge there and why, and whether a tag may."""

import datetime
import html
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from chargers.models import Charger, Socket
from drivers.access import Code, decide
from drivers.models import ChargerRight, Driver, SiteRight, Tag
from tests.backoffice.admin_pages import address, filled
from tests.conftest import NOON, made


def text_of(response, begin="", end=""):
    """What stands on a page from `begin` to `end`, as plain text in one line."""
    whole = response.content.decode()
    start = whole.index(begin) if begin else 0
    part = whole[start : whole.index(end, start) if end else len(whole)]
    part = re.sub(r"</?bdi[^>]*>", "", part)
    # What is cut off in the middle of a tag goes, too.
    words = html.unescape(re.sub(r"^[^<>]*>|<[^>]*>", " ", part))
    return re.sub(r"\s+(?=[,.;])|^\s+|\s+$", "", re.sub(r"\s+", " ", words))


def of(charger, page="change"):
    return address(Charger, page, charger.pk)


def answered(client, charger, tag):
    page = client.get(of(charger, "access"), {"tag": tag})
    assert page.status_code == 200
    return text_of(page, 'id="access-answer"')


def test_the_page_says_how_the_charger_is(client, world):
    client.force_login(world.ada)
    seen = timezone.now() - datetime.timedelta(hours=3)
    Charger._base_manager.filter(pk=world.quay_1.pk).update(last_seen=seen)
    shown = text_of(client.get(of(world.quay_1)), 'id="charger-live"', 'id="charger-live-note"')
    for words in ("Available", "Connected", "3 hours ago", "6.5", "Socket 1", "Charging", "Socket 2", "Error"):
        assert words in shown
    explained = text_of(client.get(of(world.quay_1)), "<details>", "</details>")
    assert explained.startswith("What do Status, Health and Connected mean?")
    for term in ("Status of the charger:", "Status of a socket:", "Connected:", "Health:"):
        assert term in explained
    never = text_of(client.get(of(world.gar_2)), 'id="charger-live"', 'id="charger-live-note"')
    assert "Offline" in never and "Not connected" in never and "Never" in never and "No sockets yet" in never


def test_the_status_is_asked_for_again(client, world):
    """The same part of the page as JSON; session, user, customer, charger, zone and sockets are read."""
    client.force_login(world.ada)
    client.get(of(world.quay_1, "status"))
    with CaptureQueriesContext(connection) as queries:
        first = client.get(of(world.quay_1, "status"))
    assert len(queries) <= 6
    assert first.json()["words"] == "QUAY-1: Available, connected; socket 1: Charging; socket 2: Error"
    assert first.json()["html"].strip() in client.get(of(world.quay_1)).content.decode()
    Socket._base_manager.filter(charger=world.quay_1, number=1).update(status="Available")
    again = client.get(of(world.quay_1, "status")).json()
    assert "socket 1: Available" in again["words"] and again["html"] != first.json()["html"]


def test_who_may_charge_here_and_why(client, world):
    client.force_login(world.ada)
    page = client.get(of(world.gar_1, "drivers"))
    shown = text_of(page, "<tbody>", "</tbody>")
    assert re.search(r"Dirk Right on the charger itself no tag", shown)
    assert re.search(r"Dora Right on Harbour, 2 levels above .*04A1B2C3 valid", shown)
    assert address(type(world.harbour), "change", world.harbour.pk) in page.content.decode()
    assert text_of(client.get(of(world.gar_1)), 'id="last-part"').startswith("Who may charge here 2 ")
    # Where it is nearer, it says so; several rights of one driver stand with the nearest first.
    made(SiteRight, driver=world.dirk, site=world.garage)
    shown = text_of(client.get(of(world.gar_1, "drivers")), "<tbody>", "</tbody>")
    assert re.search(r"Dirk Right on the charger itself Right on Garage, the charger's site no tag", shown)
    assert "No driver you can see may charge here" in text_of(client.get(of(world.air_1)))


def test_what_lies_out_of_sight_stays_there(client, world):
    """Rob sees neither Harbour, on which Dora's right is, nor Dirk, nor chargers elsewhere."""
    client.force_login(world.rob)
    for page in ("drivers", "change"):
        response = client.get(of(world.gar_1, page))
        assert "Right on a parent site you have no access to" in text_of(response)
        assert not re.search(r"Harbour|Dirk", response.content.decode())
    for page in ("drivers", "access", "status"):
        for charger in (world.quay_1, world.dep_1):
            assert client.get(of(charger, page)).status_code == 404


def test_the_list_is_paged_and_searched_with_the_same_number_of_statements(client, world):
    client.force_login(world.ada)
    pages = [of(world.gar_1), of(world.gar_1, "drivers"), of(world.gar_1, "drivers") + "?q=D&p=1"]

    def counts():
        found = []
        for page in pages:
            with CaptureQueriesContext(connection) as queries:
                assert client.get(page).status_code == 200
            found.append(len(queries))
        return found

    made(Tag, driver=world.dirk, id_tag="D1")
    counts()
    before = counts()
    for number in range(60):
        driver = Driver(customer=world.northwind, name=f"Guest {number:02}")
        driver.save()
        made(ChargerRight, driver=driver, charger=world.gar_1)
        if number < 30:
            made(Tag, driver=driver, id_tag=f"G{number}")
    assert counts() == before
    own = text_of(client.get(of(world.gar_1)), 'id="last-part"')
    assert "Guest 17" in own and "Guest 18" not in own and "Search all 62 drivers" in own
    second = text_of(client.get(of(world.gar_1, "drivers"), {"p": 2}), "<tbody>")
    assert "Guest 47" not in second and "Guest 48" in second and "Guest 59" in second
    searched = client.get(of(world.gar_1, "drivers"), {"q": "GUEST 4"})
    assert "10 drivers you can see" in text_of(searched)
    assert "No driver with this name" in text_of(client.get(of(world.gar_1, "drivers"), {"q": "nobody"}))


def test_may_this_tag_charge_here(client, world):
    client.force_login(world.ada)
    assert "Yes" not in text_of(client.get(of(world.gar_1, "access")))
    right = "Driver: Dora Right on Harbour, 2 levels above"
    assert right in answered(client, world.gar_1, " 04a1b2c3 ")
    made(Tag, driver=world.dora, id_tag="OLD", expires_at=NOON.replace(year=2020, month=7))
    made(Tag, driver=world.dora, id_tag="NEW", starts_at=NOON.replace(year=2120, month=1))
    cases = [
        (world.gar_1, "04A1B2C3", "Yes, this tag may charge. Tag found: 04A1B2C3 Card The tag is valid now."),
        (world.gar_1, "04A1B2C3", "Accepted (OCPP 1.6), Accepted (OCPP 2.0.1), ALLOWED (OCPI)"),
        (world.air_1, "04A1B2C3", "No, this tag may not charge."),
        (world.air_1, "04A1B2C3", "Dora has no right on this charger, its site or a parent site, and 1 right"),
        (world.gar_1, "04:A1:B2:C3", "Tag “04:A1:B2:C3” not found"),
        (world.gar_1, "04:A1:B2:C3", "Similar tag: 04A1B2C3 of Dora, different separators"),
        (world.gar_1, "C3B2A104", "reversed byte order"),
        # In the zone of the charger's customer.
        (world.gar_1, "OLD", "The tag expired on 2020-07-01 14:00 CEST."),
        (world.gar_1, "NEW", "The tag is not valid yet: it is valid from 2120-01-01 13:00 CET."),
    ]
    for charger, tag, words in cases:
        assert words in answered(client, charger, tag), (charger, tag)
    # Below the top the nearest other right is named.
    made(SiteRight, driver=world.dora, site=world.west)
    SiteRight.objects.filter(driver=world.dora, site=world.harbour).first().delete()
    assert "The nearest right is on Harbour › West car park" in answered(client, world.gar_1, "04A1B2C3")


def test_a_tag_out_of_sight_tells_nothing_of_its_driver(client, world):
    made(Tag, driver=world.dirk, id_tag="DIRK-1")
    client.force_login(world.rob)
    answer = answered(client, world.gar_1, "DIRK-1")
    assert "Yes, this tag may charge. The tag belongs to a driver you have no access to." in answer
    assert "Dirk" not in answer
    assert "Tag “DIRK-1” not found" in answered(client, world.gar_2, "DIRK-1")


def test_an_empty_question_is_no_question(client, world):
    client.force_login(world.ada)
    for tag in ("", "  "):
        assert answered(client, world.gar_1, tag).startswith("Enter an ID tag")
    assert "Enter an ID tag" not in client.get(of(world.gar_1)).content.decode()


@pytest.mark.parametrize("junk", ["\0", "9" * 400, "<img src=x onerror=alert(1)>", "'\"%_\\", "\u202e\ud83d", " "])
def test_odd_questions_are_answered(client, world, junk):
    client.force_login(world.ada)
    junk = junk.encode("utf-8", "replace").decode()
    for page, query in (("access", {"tag": junk}), ("drivers", {"q": junk, "p": junk}), ("status", {"q": junk})):
        response = client.get(of(world.gar_1, page), query)
        assert response.status_code == 200
        assert b"<img src=x" not in response.content
    for page in ("access", "drivers", "status"):
        assert client.get(of(world.gar_1, page).replace(f"/{world.gar_1.pk}/", "/abc/")).status_code == 404


def test_a_form_with_errors_still_shows_the_stored_charger(client, world):
    """What was typed does not change who may charge here."""
    client.force_login(world.ada)
    path = of(world.gar_1)
    for site in ("", str(world.airport.pk)):
        response = client.post(path, filled(client.get(path), site=site, latitude="91"))
        assert response.status_code == 200
        assert text_of(response, 'id="last-part"').startswith("Who may charge here 2 ")
    assert "Who may charge here" not in text_of(client.get(address(Charger, "add")))
    assert 'id="charger-live"' not in client.get(path, {"_popup": "1"}).content.decode()


def test_where_it_stands_is_drawn_with_its_neighbours(client, world):
    client.force_login(world.ada)
    near = made(Charger, site=world.garage, charger_id="GAR-3", latitude=51.5, longitude=-0.25)
    page = client.get(of(world.gar_1)).content.decode()
    assert 'data-neighbours="[[&quot;GAR-3&quot;,51.5,-0.25]]"' in page
    assert 'data-latitude="51.5" data-longitude="-0.25"' in client.get(of(near)).content.decode()
    assert "GAR-3" not in client.get(of(world.quay_1)).content.decode()


def test_every_field_of_a_line_has_a_label(client, world):
    """Those of the line that is still to be added, too."""
    client.force_login(world.ada)
    page = client.get(of(world.quay_1)).content.decode()
    inputs = re.findall(r'<(?:input|select|textarea)(?![^>]*type="hidden")[^>]* id="(id_sockets-[^"]+)"', page)
    assert len(inputs) > 20
    assert [one for one in inputs if f'for="{one}"' not in page and "DELETE" not in one] == []


def test_validity_is_what_the_decision_says(world):
    from drivers.selectors import Validity, validity

    said = {
        Validity.VALID: Code.TAG_VALID,
        Validity.NOT_YET: Code.TAG_NOT_YET_VALID,
        Validity.EXPIRED: Code.TAG_EXPIRED,
    }
    fob = world.dora_fob
    seen = set()
    for at in (NOON.replace(hour=11), NOON, NOON.replace(day=20), fob.expires_at, NOON.replace(month=8)):
        state = validity(fob, at)
        seen.add(state)
        assert decide(world.gar_1, at, id_tag=fob.id_tag).steps[1].code == said[state]
    assert seen == set(Validity)
