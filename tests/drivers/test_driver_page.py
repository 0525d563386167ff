"""The page of a driver: tags with their state, and at which chargers the driver may charge; and the list of drivers."""

import datetime
import re

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from chargers.models import Charger
from drivers.models import Driver, Tag
from hierarchy.models import Site
from tests.backoffice.admin_pages import address, filled
from tests.chargers.test_charger_page import text_of
from tests.conftest import made


def of(driver, page="change"):
    return address(Driver, page, driver.pk)


def soon(**delta):
    return timezone.now() + datetime.timedelta(**delta)


def test_the_page_says_what_is_within_reach(client, world):
    client.force_login(world.ada)
    page = client.get(of(world.dora))
    facts = text_of(page, '<dl class="facts">', "</dl>")
    assert "Accessible chargers 3 chargers at 2 sites" in facts and "that you can see" not in facts
    shown = text_of(page, 'id="last-part"')
    assert shown.startswith("Accessible chargers 3 Charger Site Granted by GAR-1")
    assert re.search(r"GAR-1 .*?Harbour › East car park › Garage Right on Harbour, 2 levels above", shown)
    assert re.search(r"QUAY-1 .*?Harbour Right on Harbour, the charger's site", shown)
    dirk = text_of(client.get(of(world.dirk)))
    assert "Accessible chargers 1 charger at 1 site" in dirk and "Right on the charger itself" in dirk
    assert "This driver has no tag and cannot charge anywhere" in dirk
    assert "No accessible chargers that you can see" in text_of(client.get(of(world.spike)))
    assert "Accessible chargers" not in text_of(client.get(address(Driver, "add")))


def test_all_of_it_is_paged_and_searched_with_the_same_number_of_statements(client, world):
    client.force_login(world.ada)
    pages = [of(world.dora), of(world.dora, "reach"), of(world.dora, "reach") + "?q=a&p=1"]

    def counts():
        found = []
        for page in pages:
            with CaptureQueriesContext(connection) as queries:
                assert client.get(page).status_code == 200
            found.append(len(queries))
        return found

    counts()
    before = counts()
    decks = [made(Site, parent=world.west, name=f"Deck {number}") for number in range(6)]
    for number in range(57):
        made(Charger, site=decks[number // 10], charger_id=f"C-{number:02}")
    assert counts() == before
    own = text_of(client.get(of(world.dora)), 'id="last-part"')
    assert "C-19" in own and "C-20" not in own and "Search all 60 chargers" in own
    second = text_of(client.get(of(world.dora, "reach"), {"p": 2}), "<tbody>")
    assert "C-49" not in second and "C-50" in second and "QUAY-1" in second
    for asked, count in (("c-1", 10), ("DECK 1", 10), ("quay", 1), ("none", 0)):
        assert f"{count} charger" in text_of(client.get(of(world.dora, "reach"), {"q": asked}), 'class="lead"'), asked
    for junk in ("\0", "9" * 400, "<img src=x>", "'\"%_\\"):
        response = client.get(of(world.dora, "reach"), {"q": junk, "p": junk})
        assert response.status_code == 200 and b"<img src=x" not in response.content


def test_what_lies_out_of_sight_stays_there(client, world):
    client.force_login(world.rob)
    assert "2 chargers at 1 site that you can see" in text_of(client.get(of(world.dora)), '<dl class="facts">', "</dl>")
    for page in ("change", "reach"):
        response = client.get(of(world.dora, page))
        shown = text_of(response)
        assert "2 chargers" in shown and "Right on a parent site you have no access to" in shown
        assert not re.search(r"Harbour|QUAY-1", response.content.decode())
        for driver in (world.dirk, world.spike, world.sid):
            assert client.get(of(driver, page)).status_code == 404


def test_tags_say_what_they_are_now(client, world):
    client.force_login(world.ada)
    made(Tag, driver=world.spike, id_tag="S-WAS", expires_at=soon(hours=-1))
    made(Tag, driver=world.spike, id_tag="S-WILL", starts_at=soon(hours=1))
    page = client.get(of(world.spike))
    assert "This driver has no valid tag" in text_of(page)
    states = {"S-IS": "valid", "S-WILL": "not yet valid", "S-WAS": "expired"}
    made(Tag, driver=world.spike, id_tag="S-IS", starts_at=soon(hours=-1), expires_at=soon(hours=1))
    page = client.get(of(world.spike))
    assert "This driver has no valid tag" not in text_of(page)
    summary = text_of(page, '<dl class="facts">', "</dl>")
    listed = text_of(client.get(address(Tag, "changelist")), "<tbody>")
    drivers = text_of(client.get(address(Driver, "changelist")), "<tbody>")
    for tag, state in states.items():
        assert f"{tag} {state}" in summary
        assert f"{tag} {state} " in listed
        assert f"{tag} {state}" in drivers
    # In the lines of the form, beside each tag; a new line has none yet.
    lines = page.content.decode().partition('id="tags-group"')[2].partition("</table>")[0]
    assert sorted(re.findall(r'validity-(\S+)"', lines)) == ["expired", "not-yet", "valid"]


def test_many_tags_do_not_fill_the_list(client, world):
    client.force_login(world.ada)
    for number in range(6):
        made(Tag, driver=world.spike, id_tag=f"S{number}")
    shown = text_of(client.get(address(Driver, "changelist"), {"q": "spike"}), "<tbody>", "</tbody>")
    assert "S3 valid and 2 more" in shown and "S4" not in shown


def test_a_form_with_errors_still_shows_the_stored_driver(client, world):
    client.force_login(world.ada)
    path = of(world.dora)
    response = client.post(path, filled(client.get(path), name="", home_site="nonsense"))
    assert response.status_code == 200
    assert "Accessible chargers 3 chargers at 2 sites" in text_of(response, '<dl class="facts">', "</dl>")
    assert 'id="last-part"' not in client.get(path, {"_popup": "1"}).content.decode()
