"""The admin's first page: every number on it is that of the list it leads to, for everybody."""

import datetime
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from chargers.models import Charger, Socket
from chargers.rollup import (
    CHARGING,
    ERROR,
    OFFLINE,
    ONLINE,
    STATES,
    charger_state,
    charger_states,
    health_of_sites,
    socket_state,
    socket_states,
)
from drivers.models import Driver, SiteRight, Tag
from hierarchy.models import Customer, Import
from hierarchy.scoping import Scope
from operators import dashboard as module
from operators.dashboard import SocketNumbers, dashboard
from operators.models import Operator
from tests.conftest import made
from tests.networks import RandomNetwork


@pytest.fixture
def busy(world):
    """The world with something behind every tile, and a driver whose only right lies where Rob does not look."""
    soon = timezone.now() + datetime.timedelta(days=29)
    made(Tag, driver=world.dora, id_tag="SOON", expires_at=soon)
    made(Tag, driver=world.dora, id_tag="LATER", expires_at=soon + datetime.timedelta(days=2))
    made(Tag, driver=world.sid, id_tag="SOON", expires_at=soon)
    world.dean = made(Driver, home_site=world.garage, name="Dean")
    made(SiteRight, driver=world.dean, site=world.airport)
    made(Import, customer=world.northwind, operator_id=world.ada.pk, file_name="of-ada.csv", format="csv")
    made(Import, customer=world.southwind, operator_id=world.sue.pk, file_name="of-sue.csv", format="csv")
    Charger._base_manager.filter(pk=world.gar_1.pk).update(
        status="Available", has_active_connection=True, last_seen=timezone.now(), latitude=52.1, longitude=4.3
    )
    Socket._base_manager.filter(charger=world.gar_1).update(status="Available")
    return world


def page(client, who):
    client.force_login(who)
    response = client.get("/admin/")
    assert response.status_code == 200
    return response


def test_it_works(client, busy):
    home = page(client, busy.ada).context["home"]
    # QUAY-1 charges at one socket, and its other one is in error; GAR-1 is free; AIR-1 was never seen.
    assert home["found"].sockets == SocketNumbers(online=2, charging=1, offline=1, error=1)
    assert [(bar.group.name, bar.group.sockets) for bar in home["bars"]] == [
        ("Airport", SocketNumbers(offline=1)),
        ("Harbour", SocketNumbers(online=2, charging=1, error=1)),
    ]
    # Unseen: QUAY-1, GAR-2 and AIR-1; SOON; Spike; the west car park.
    assert [tile.number for tile in home["attention"]] == [3, 1, 1, 1]
    assert [row.charger_id for row in home["found"].chargers] == ["QUAY-1", "GAR-2", "AIR-1", "GAR-1"]
    assert [row.file_name for row, _ago in home["imports"]] == ["of-ada.csv"]
    assert home["bars"][1].parts == [("charging", 0.0, 333.33), ("online", 333.33, 333.33), ("error", 666.67, 333.33)]


def test_every_number_is_that_of_its_list(client, busy):
    for who in (busy.ada, busy.rob, busy.pat):
        home = page(client, who).context["home"]
        numbers = {tile.url: tile.number for tile in [*home["socket_tiles"], *home["attention"]]}
        for bar in home["bars"]:
            numbers |= {tile.url: tile.number for tile in bar.tiles}
            numbers[bar.url] = bar.group.sockets.total
        found = {url: client.get(url).context["cl"].result_count for url in numbers}
        assert found == numbers


def test_one_word_for_one_thing(client, busy):
    """A tile of those online counts those that charge; on the map each charger has one state."""
    home = page(client, busy.ada).context["home"]
    assert [str(tile.label) for tile in home["socket_tiles"][:2]] == ["Online", "Of these charging"]
    assert [str(label) for _word, label in home["map_states"][:2]] == ["Online, not charging", "Charging"]
    assert {word for word, _label in home["map_states"]} == {word for word, _label in STATES.values()}
    # A charger that reports no error is found by that of its socket, and the list says so.
    shown = client.get("/admin/chargers/charger/?health=error").content.decode()
    assert "Available" in shown and '<span class="status status-error">In error</span>' in shown


def test_a_restricted_operator(client, busy):
    """Below the only granted site its subsites are shown. Dora's right above counts; Dean's beside it is not seen."""
    response = page(client, busy.rob)
    home = response.context["home"]
    # Whoever sees only a part is told that the numbers are of that part.
    assert "Only objects you have access to are counted" in response.content.decode()
    assert "Only objects you have access to are counted" not in page(client, busy.ada).content.decode()
    client.force_login(busy.rob)
    assert [(bar.group.name, bar.group.level) for bar in home["bars"]] == [("East car park", 0), ("Garage", 1)]
    assert [tile.number for tile in home["attention"]] == [1, 1, 1, 0]
    assert home["imports"] == []
    rows = client.get("/admin/drivers/driver/?rights=none").context["cl"].result_list
    assert rows == [busy.dean]
    assert set(client.get("/admin/drivers/driver/?rights=some").context["cl"].result_list) == {busy.dora}


def test_the_page_takes_eleven_statements(client, busy):
    client.force_login(busy.rob)
    client.get("/admin/")
    with CaptureQueriesContext(connection) as queries:
        client.get("/admin/")
    # Session, user, customer in the page's head, Rob's grants, journal, sockets by state, top sites, the four numbers
    # in one, imports, chargers, their paths.
    assert len(queries) == 11
    with CaptureQueriesContext(connection) as queries:
        client.get("/admin/map.json")
    # Session, user, grants, how many chargers have coordinates, chargers.
    assert len(queries) == 5


def expected_charger_state(charger, sockets):
    own = charger_state(charger.status, charger.has_active_connection, charger.last_seen is not None)
    if own != ONLINE:
        return own
    states = {socket_state(own, socket.status) for socket in sockets}
    if {ERROR, OFFLINE} & states:
        return max(states)
    return CHARGING if any(socket.status == "Charging" for socket in sockets) else ONLINE


@pytest.mark.django_db
def test_the_database_tells_health_as_the_roll_up_does():
    networks = [RandomNetwork(seed, chargers=30, drivers=0) for seed in range(5)]
    of_sockets = dict(Socket.objects.annotate(state=socket_states()).values_list("pk", "state"))
    of_chargers = dict(Charger.objects.annotate(state=charger_states()).values_list("pk", "state"))
    for charger in Charger.objects.prefetch_related("sockets"):
        sockets = list(charger.sockets.all())
        assert of_chargers[charger.pk] == expected_charger_state(charger, sockets)
        own = charger_state(charger.status, charger.has_active_connection, charger.last_seen is not None)
        for socket in sockets:
            state = socket_state(own, socket.status)
            is_charging = state == ONLINE and socket.status == "Charging"
            assert of_sockets[socket.pk] == (CHARGING if is_charging else state)
    assert set(of_sockets.values()) == set(of_chargers.values()) == {ONLINE, OFFLINE, ERROR, CHARGING}

    scopes = [operator.scope() for network in networks for operator in network.operators]
    for scope in scopes:
        health = health_of_sites(scope)
        found = dashboard(scope)
        assert {
            (group.pk, group.sockets.online, group.sockets.offline, group.sockets.error) for group in found.groups
        } <= {(pk, *numbers) for pk, numbers in health.items()}
        top = [group.sockets for group in found.groups if group.level == 0]
        assert found.more_groups == 0
        assert SocketNumbers(*map(sum, zip(*top, strict=True))) == found.sockets
    assert dashboard(Scope.platform()).sockets.total == len(of_sockets)


def test_only_the_largest_groups(world, monkeypatch):
    monkeypatch.setattr(module, "GROUPS", 1)
    found = dashboard(world.ada.scope())
    assert [group.name for group in found.groups] == ["Harbour"]
    assert found.more_groups == 1
    assert found.sockets.total == 4


def test_the_map(client, busy, monkeypatch):
    client.force_login(busy.ada)
    data = client.get("/admin/map.json").json()
    assert data["chargers"] == [
        [busy.quay_1.pk, "QUAY-1", "Quay one", 52.0907, 5.1214, 0, 0],
        [busy.gar_1.pk, "GAR-1", "Garage one", 52.1, 4.3, 1, 3],
    ]
    assert data["cities"] == ["Utrecht", ""]
    assert [state for state, _label in data["states"]] == ["error", "offline", "charging", "online"]
    assert (data["more"], data["elsewhere"]) == (0, 2)

    monkeypatch.setattr(module, "MAPPED", 1)
    data = client.get("/admin/map.json").json()
    assert [row[1] for row in data["chargers"]] == ["QUAY-1"]
    assert data["more"] == 1

    client.force_login(busy.rob)
    data = client.get("/admin/map.json").json()
    assert [row[1] for row in data["chargers"]] == ["GAR-1"]
    assert (data["more"], data["elsewhere"]) == (0, 1)
    client.force_login(busy.nell)
    assert client.get("/admin/map.json").json()["chargers"] == []
    client.logout()
    assert client.get("/admin/map.json").status_code == 302


def test_tiles_of_a_map_server(client, busy, settings):
    assert 'data-tile-url=""' in page(client, busy.ada).content.decode()
    settings.MAP_TILE_URL = "https://tiles.example/{z}/{x}/{y}.png"
    settings.MAP_TILE_ATTRIBUTION = '<a href="https://maps.example">Maps</a>'
    text = page(client, busy.ada).content.decode()
    assert 'data-tile-url="https://tiles.example/{z}/{x}/{y}.png"' in text
    assert 'data-tile-attribution="&lt;a href=&quot;https://maps.example&quot;&gt;' in text


def test_the_page_asks_nobody_else_and_holds_nothing_inline(client, busy):
    text = page(client, busy.ada).content.decode()
    assert "vendor/leaflet/leaflet.js" in text
    assert not re.findall(r"""(?:src|href)=["'](?:https?:)?//[^"']*""", text)
    assert not re.findall(r"<script(?![^>]*\bsrc=)[^>]*>|<style\b|\sstyle=|\son[a-z]+=", text)
    times = re.findall(r'<time datetime="[^"]+" title="[^"]*UTC[^"]*">([^<]+)</time>', text)
    assert times
    # What the world's making left may be as old as the run.
    assert "just now" in times and all(re.fullmatch(r"just now|\d+\xa0minutes? ago", told) for told in times)


@pytest.mark.django_db
def test_where_nothing_is_yet_the_page_says_how_to_begin(client):
    staff = made(Operator, email="pat@platform.example", name="Pat", is_superuser=True)
    assert "/admin/hierarchy/customer/add/" in beginning(client, staff)
    customer = made(Customer, name="Eastwind")
    assert beginning(client, staff) is None
    admin = made(Operator, customer=customer, email="eve@eastwind.example", name="Eve", is_admin_operator=True)
    text = beginning(client, admin)
    assert "/admin/hierarchy/site/add/" in text
    assert "/admin/hierarchy/import/add/" in text
    restricted = made(Operator, customer=customer, email="ed@eastwind.example", name="Ed")
    text = beginning(client, restricted)
    assert "Ask an admin operator for access" in text
    assert "/add/" not in text


def beginning(client, who):
    """The part of the page that stands in for the numbers."""
    text = page(client, who).content.decode()
    found = re.search(r'<section class="home beginning".*?</section>', text, re.DOTALL)
    assert bool(found) != ('class="tiles"' in text)
    return found and found[0]


def test_filters_with_nonsense_or_what_is_not_ones_own(client, busy):
    client.force_login(busy.ada)
    for path in ("health=junk", "seen=x", "within=0", f"within={busy.depot.pk}", "within=" + "9" * 30):
        assert client.get(f"/admin/chargers/charger/?{path}").status_code == 400, path
    assert client.get(f"/admin/chargers/socket/?of={busy.southwind.pk}").status_code == 400
    client.force_login(busy.pat)
    assert client.get("/admin/chargers/socket/?of=x").status_code == 400
    expired = client.get("/admin/drivers/tag/?expires=past").context["cl"].result_list
    assert expired == [busy.dora_fob]
