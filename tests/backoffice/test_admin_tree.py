"""The tree page: what it shows to whom, how it opens and searches, and moving a site with all that follows from it."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from chargers.models import Charger, Socket
from chargers.rollup import health_of_sites
from drivers.models import Driver, SiteRight
from hierarchy.admin import tree_lines, tree_page
from hierarchy.admin.tree_lines import TreeBranches, contents
from hierarchy.models import Change, Site
from hierarchy.scoping import Scope
from tests.backoffice.admin_pages import address
from tests.backoffice.test_admin_walk import GARBAGE, HIDDEN
from tests.conftest import made
from tests.networks import RandomNetwork

TREE = "/admin/hierarchy/site/tree/"


def children(site):
    return f"{TREE}{site.pk}/children/"


def moving(site):
    return f"/admin/hierarchy/site/{site.pk}/move/"


def outline(response):
    """The names on a page, each after as many dots as it lies deep; `+` for what is left out."""
    depth, found = 0, []
    text = response.content.decode()
    for tag, name, more in re.findall(
        r'(<ul>|</ul></li>)|class="name" [^>]*>(?:<mark>)?([^<]+)|class="more".*?>(\d+)', text
    ):
        depth += {"<ul>": 1, "</ul></li>": -1}.get(tag, 0)
        found += [f"{'.' * depth}{name or '+' + more}"] if name or more else []
    # The page has a list of its own around them all, a part of it has none.
    whole = '<div id="tree"' in text
    lines = [line.removeprefix("." if whole else "") for line in found]
    assert depth == whole
    return lines


def numbers(response, site):
    """What a line says of its site: each number with its word."""
    line = re.search(rf'<li id="site-{site.pk}">(.*?)</div>', response.content.decode(), re.DOTALL)[1]
    return [f"{number} {word}" for number, word in re.findall(r">(\d+)<[ib]> ([^<]+)", line)]


def can_move(response, site):
    return f'href="{moving(site)}"' in response.content.decode()


@pytest.fixture
def ada(client, world):
    client.force_login(world.ada)
    return client


@pytest.fixture
def rob(client, world):
    client.force_login(world.rob)
    return client


def test_it_works(ada, world):
    ada.get(TREE)
    with CaptureQueriesContext(connection) as queries:
        page = ada.get(TREE)
    # Session, user, topmost sites, chargers, drivers, sockets, customer in the page's head.
    assert len(queries) == 7
    assert outline(page) == ["Airport", "Harbour"]
    assert numbers(page, world.harbour) == ["1 online", "1 offline", "1 in error", "3 sites", "3 chargers", "1 driver"]
    assert numbers(page, world.airport) == ["1 offline", "1 charger", "1 driver"]
    with CaptureQueriesContext(connection) as queries:
        part = ada.get(children(world.harbour))
    # Session, user, the site, the sites below it, chargers, drivers, sockets.
    assert len(queries) == 7
    assert outline(part) == ["East car park", "West car park"]
    assert outline(ada.get(children(world.west))) == []


def test_what_is_open_is_remembered(ada, world):
    page = ada.get(TREE, {"open": f"{world.garage.pk},{world.west.pk}"})
    assert outline(page) == ["Airport", "Harbour", ".East car park", "..Garage", ".West car park"]
    assert outline(ada.get(TREE)) == outline(page)
    assert outline(ada.get(TREE, {"close": world.harbour.pk})) == ["Airport", "Harbour"]
    assert outline(ada.get(children(world.harbour))) == ["East car park", ".Garage", "West car park"]
    assert ada.cookies[tree_page.COOKIE]["path"] == TREE
    with CaptureQueriesContext(connection) as queries:
        ada.get(TREE, {"open": world.garage.pk})
    # As above, and what lies above the garage, and what lies below what is open.
    assert len(queries) == 9


def test_a_long_list_comes_in_pages(ada, world, monkeypatch):
    monkeypatch.setattr(tree_lines, "PAGE_ROWS", 1)
    assert outline(ada.get(TREE)) == ["Airport", "+1"]
    assert outline(ada.get(TREE, {"p": 2})) == ["Harbour"]
    assert outline(ada.get(TREE, {"p": 3})) == outline(ada.get(TREE, {"p": "9" * 9})) == []
    assert outline(ada.get(f"{TREE}children/", {"p": 2})) == ["Harbour"]
    first = ada.get(children(world.harbour))
    assert outline(first) == ["East car park", "+1"]
    assert f'href="?at={world.harbour.pk}&amp;p=2"' in first.content.decode()
    assert outline(ada.get(TREE, {"at": world.harbour.pk, "p": 2})) == ["West car park"]
    # What is asked for is shown, wherever it comes.
    assert outline(ada.get(TREE, {"open": world.west.pk})) == [
        "Airport",
        "Harbour",
        ".East car park",
        ".West car park",
        ".+1",
        "+1",
    ]


def test_a_page_does_not_grow_too_long(ada, world, monkeypatch):
    monkeypatch.setattr(tree_lines, "MOST_LINES", 4)
    assert outline(ada.get(TREE, {"open": world.garage.pk})) == [
        "Airport",
        "Harbour",
        ".East car park",
        ".West car park",
    ]


def test_search_shows_what_lies_above(ada, world, monkeypatch):
    found = ada.get(TREE, {"q": "CAR park"})
    assert outline(found) == ["Harbour", ".East car park", ".West car park"]
    assert found.content.decode().count("<mark>") == 2
    assert outline(ada.get(TREE, {"q": "n-1"})) == ["Harbour"]
    assert outline(ada.get(TREE, {"q": "garage", "at": world.harbour.pk})) == ["East car park", ".Garage"]
    assert outline(ada.get(TREE, {"q": "a", "at": world.east.pk})) == ["Garage"]
    assert "No sites match." in ada.get(TREE, {"q": "zzz"}).content.decode()
    monkeypatch.setattr(tree_lines, "MOST_FOUND", 1)
    some = ada.get(TREE, {"q": "a"})
    assert outline(some) == ["Airport"]
    assert "More than 1 sites found" in some.content.decode()


def test_everybody_sees_the_own_part(client, world):
    for who in HIDDEN:
        client.force_login(getattr(world, who))
        assert_sees_the_own_part(client, world, who)


def assert_sees_the_own_part(client, world, who):
    every = [world.harbour, world.east, world.garage, world.west, world.airport, world.depot]
    visible = set(Site.objects.visible_to(getattr(world, who).scope()))
    pages = [client.get(TREE, {"open": ",".join(str(site.pk) for site in every)}), client.get(TREE, {"q": "a"})]
    assert {site for site in every if f'id="site-{site.pk}"' in pages[0].content.decode()} == visible
    for site in (world.harbour, world.garage, world.depot):
        for page in (client.get(children(site)), client.get(TREE, {"at": site.pk}), client.get(moving(site))):
            assert page.status_code in ((200, 403) if site in visible else (404,))
            pages.append(page)
    for page in pages:
        leaked = [word for word in HIDDEN[who] if re.search(rf"(?<![\w-]){word}\b", page.content.decode())]
        assert not leaked, f"{page.request} shows {leaked}"


def test_platform_staff_see_whose_it_is_and_move_within_one_customer(client, world):
    client.force_login(world.pat)
    page = client.get(TREE)
    assert outline(page) == ["Airport", "Harbour", "Depot"]
    assert "Southwind:" in page.content.decode()
    assert "no access to it" in confirmation(client, world.garage, world.depot).content.decode()
    assert agree(client, confirmation(client, world.garage, world.west)).status_code == 302


def test_numbers_are_those_of_the_whole_subtree(db):
    """Of every site of random networks: alone, and with all the others on the page."""
    for seed in range(3):
        network = RandomNetwork(seed)
        restricted = next((one for one in network.operators if not one.is_admin_operator and one.grants.exists()), None)
        for scope in [Scope.whole_customer(network.customer.pk), *([restricted.scope()] if restricted else [])]:
            health = health_of_sites(scope)
            branches = TreeBranches(scope).read(list(health))
            lines = branches.lines(list(health))
            assert {line.place.pk for line in lines} == health.keys()
            for line in lines:
                below = Site.objects.at_or_below(Site.objects.get(pk=line.place.pk))
                expected = (
                    Charger.objects.filter(site__in=below).count(),
                    Driver.objects.filter(home_site__in=below).count(),
                    health[line.place.pk],
                )
                for content in (line.content, contents(scope, [line.place])[line.place.pk]):
                    assert (content.chargers, content.drivers, content.health) == expected
                assert line.place.subsites == below.count() - 1


def test_statements_do_not_grow_with_the_page(ada, world):
    def count(query):
        with CaptureQueriesContext(connection) as queries:
            ada.get(TREE, query)
        return len(queries)

    ada.get(TREE, {"open": world.garage.pk})
    before = [count({}), count({"q": "a"}), count({"at": world.east.pk})]
    for number in range(4):
        site = made(Site, parent=world.garage, name=f"Area {number}")
        made(Socket, charger=made(Charger, site=site, charger_id=f"A-{number}"), number=1)
        made(Driver, home_site=site, name=f"Driver {number}")
    ada.get(TREE, {"open": Site.objects.get(name="Area 3").pk})
    assert [count({}), count({"q": "a"}), count({"at": world.east.pk})] == before


# Moving.


def confirmation(client, site, target):
    return client.get(moving(site), {"to": target if isinstance(target, str) else target.pk})


def agree(client, page):
    """Press the button of a confirmation."""
    fields = dict(re.findall(r'name="(to|seen)" value="([^"]*)"', page.content.decode()))
    return client.post(page.request["PATH_INFO"], fields)


def text_of(page):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.content.decode()))


def test_a_move_says_what_it_changes(ada, world):
    made(SiteRight, driver=world.dirk, site=world.airport)
    page = confirmation(ada, world.garage, world.airport)
    text = text_of(page)
    assert "From Harbour › East car park To Airport" in text
    assert "0 subsites, 2 chargers and 1 driver with a home site in this subtree" in text
    assert "1 driver loses charging access Dora 2 chargers" in text
    # He could charge at one of the two already.
    assert "1 driver gains charging access Dirk 1 charger" in text
    assert "1 operator loses site access Rob 1 site" in text
    assert "gains site access" not in text

    done = agree(ada, page)
    world.garage.refresh_from_db()
    assert world.garage.parent == world.airport
    assert done["Location"] == f"{TREE}?open={world.garage.pk}#site-{world.garage.pk}"
    shown = ada.get(done["Location"])
    assert "Garage was moved to Airport." in shown.content.decode()
    assert outline(shown) == ["Airport", ".Garage", "Harbour"]
    line = Change.objects.filter(object_type="site").first()
    assert (line.action, line.actor_label, line.source) == ("moved", world.ada.email, "admin")


def test_moving_to_the_top(ada, world):
    page = confirmation(ada, world.garage, "top")
    assert "To Top level" in text_of(page)
    assert agree(ada, page).status_code == 302
    assert Site.objects.get(pk=world.garage.pk).is_root_node()
    assert 'href="?to=top"' not in ada.get(moving(world.garage)).content.decode()
    SiteRight.objects.all().delete()
    assert "No driver gains or loses charging access" in text_of(confirmation(ada, world.west, "top"))


def test_a_stale_confirmation_moves_nothing(ada, world):
    def rename(site):
        site.refresh_from_db()
        site.cost_name = f"{site.cost_name}x"
        site.save()

    page = confirmation(ada, world.garage, world.west)
    for meanwhile in (
        lambda: rename(world.garage),
        lambda: rename(world.west),
        lambda: world.west.move(world.airport),
        lambda: world.airport.move(world.harbour),
        lambda: world.east.move(None),
    ):
        meanwhile()
        answer = agree(ada, page)
        assert answer.status_code == 409
        assert "Someone changed or moved one of these sites after you opened the page" in answer.content.decode()
        assert Site.objects.get(pk=world.garage.pk).parent_id == world.east.pk
        page = answer
    assert ada.post(moving(world.garage), {"to": world.west.pk}).status_code == 409
    # The answer shows what it would change now, and takes a yes.
    assert "From East car park To Harbour › Airport › West car park" in text_of(page)
    assert agree(ada, page).status_code == 302
    # Sent once more, it is no error: it lies where it is to lie.
    again = ada.get(agree(ada, page)["Location"])
    assert "Garage is already there. Nothing was moved." in text_of(again)


def test_what_is_gone_is_said(ada, world):
    page = confirmation(ada, world.west, world.airport)
    world.west.delete()
    answer = agree(ada, page)
    assert (answer.status_code, "Site West car park was deleted" in text_of(answer)) == (404, True)
    page = confirmation(ada, world.garage, made(Site, parent=world.harbour, name="North"))
    Site.objects.get(name="North").delete()
    answer = agree(ada, page)
    assert (answer.status_code, "no access to it" in answer.content.decode()) == (200, True)


def test_where_a_site_cannot_go(ada, world):
    made(Site, parent=world.airport, name="garage")
    for target, message in (
        (world.airport, "sibling site with this name already exists"),
        (world.garage, "cannot be below itself"),
    ):
        page = confirmation(ada, world.garage, target)
        assert message in page.content.decode()
        assert 'name="seen"' not in page.content.decode()
    assert "cannot be below itself" in confirmation(ada, world.harbour, world.garage).content.decode()
    for target in (world.depot, "", *GARBAGE):
        page = confirmation(ada, world.garage, target)
        assert (page.status_code, b"Move site" in page.content) == (200, False)
        assert ada.post(moving(world.garage), {"to": getattr(target, "pk", target)}).status_code == 200
    assert Site.objects.get(pk=world.garage.pk).parent_id == world.east.pk


def test_a_restricted_operator_moves_below_the_granted_site(rob, world):
    page = rob.get(TREE, {"open": world.garage.pk})
    assert (can_move(page, world.east), can_move(page, world.garage)) == (False, True)
    assert can_move(rob.get(children(world.east)), world.garage)
    assert "tree-top" not in page.content.decode()
    for answer in (rob.get(moving(world.east)), rob.post(moving(world.east), {"to": "top"})):
        assert answer.status_code == 403
    assert "utside of the sites you may change" in confirmation(rob, world.garage, "top").content.decode()
    assert rob.post(moving(world.garage), {"to": "top"}).status_code == 409
    assert "no access to it" in confirmation(rob, world.garage, world.west).content.decode()
    deck = made(Site, parent=world.east, name="Deck")
    page = confirmation(rob, world.garage, deck)
    assert "Only drivers and operators you have access to are counted." in text_of(page)
    assert "Harbour" not in page.content.decode()
    assert agree(rob, page).status_code == 302
    assert Site.objects.get(pk=world.garage.pk).parent_id == deck.pk


def test_garbage_in_the_address(ada, world):
    for junk in GARBAGE:
        ada.cookies[tree_page.COOKIE] = junk.replace("\0", "")
        for name in ("open", "close", "p", "q"):
            assert ada.get(TREE, {name: junk}).status_code == 200
        assert ada.get(TREE, {"at": junk}).status_code == 404
        assert ada.get(f"{TREE}{junk}/children/").status_code == 404
        assert ada.get(f"/admin/hierarchy/site/{junk}/move/").status_code == 404


def test_pages_of_objects_say_where_they_are_and_lead_to_the_tree(ada, world):
    def trail(model, page, row):
        text = ada.get(address(model, page, row.pk)).content.decode()
        return text_of_part(text, '<div class="breadcrumbs">')

    assert trail(Site, "change", world.garage) == "Home › Sites › Harbour › East car park › Garage"
    assert trail(Charger, "change", world.gar_1) == "Home › Chargers › Harbour › East car park › Garage › GAR-1"
    assert trail(Driver, "change", world.spike) == "Home › Drivers › Spike"

    assert f'href="{TREE}"' in ada.get(address(Site, "changelist")).content.decode()
    page = ada.get(address(Site, "change", world.garage.pk)).content.decode()
    assert f'href="{TREE}?open={world.garage.pk}#site-{world.garage.pk}"' in page
    assert f'href="{moving(world.garage)}"' in page
    ada.force_login(world.rob)
    assert trail(Charger, "change", world.gar_1) == "Home › Chargers › East car park › Garage › GAR-1"


def text_of_part(text, start):
    part = text.partition(start)[2].partition("</div>")[0]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", part)).replace("&rsaquo;", "›").strip()
