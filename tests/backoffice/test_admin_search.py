"""The search over everything: what it finds and for whom, why, in which order, and in how many statements."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from backoffice.search.matching import Part, SearchTerm, marked
from chargers.models import Charger
from drivers.models import Driver, Tag
from hierarchy.models import Site
from hierarchy.text import comparison_key
from operators.models import Operator
from tests.backoffice.admin_pages import address
from tests.conftest import made


def found(client, text):
    """The titles of the hits by the word for their kind."""
    groups = client.get("/admin/search/", {"q": text}).context["groups"]
    return {group.word: ["".join(part.text for part in hit.title) for hit in group.hits] for group in groups}


def why(client, text):
    """What is said of every hit: label, and text with the marked parts in brackets."""
    groups = client.get("/admin/search/", {"q": text}).context["groups"]
    return [
        (reason.label, "".join(f"[{part.text}]" if part.is_match else part.text for part in reason.parts))
        for group in groups
        for hit in group.hits
        for reason in hit.reasons
    ]


def test_it_works(client, world):
    client.force_login(world.ada)
    response = client.get("/admin/search/", {"q": "gar"})
    assert response.status_code == 200
    page = response.content.decode()
    assert '<a class="name" href="/admin/chargers/charger/' in page
    assert "<mark>GAR</mark>-1" in page
    assert "Harbour › East car park › Garage" in page
    assert found(client, "gar") == {"sites": ["Garage"], "chargers": ["GAR-1", "GAR-2"]}
    # The box stands on every page, with what was asked.
    assert 'action="/admin/search/"' in client.get("/admin/").content.decode()
    assert 'value="gar"' in page


CASES = {
    # Sites: name, public name, external id.
    "east car": {"sites": ["East car park"]},
    "the harb": {"sites": ["Harbour"]},
    "n-1": {"sites": ["Harbour"]},
    # Chargers: charger id, name, serial number, EVSE id however it is separated.
    "quay-1": {"chargers": ["QUAY-1"]},
    "gate": {"chargers": ["AIR-1"]},
    "ace77": {"chargers": ["AIR-1"]},
    "nlnwde1": {"chargers": ["QUAY-1"]},
    "NL*NWD*E1": {"chargers": ["QUAY-1"]},
    # Drivers by name, external id and tag; tags by id, label and driver; ids in other systems.
    "dirk": {"drivers": ["Dirk"]},
    "d/1": {"drivers": ["Dora"]},
    "04ffee": {"drivers": ["Dora"], "tags": ["04FFEE01"]},
    "fob": {"tags": ["04FFEE01"]},
    "f-77": {"external IDs": ["Dora fleet F-77"]},
    # Operators by name and e-mail address.
    "rob@": {"operators": ["rob@northwind.example"]},
    "northw": {
        "customers": ["Northwind"],
        "operators": ["ada@northwind.example", "nell@northwind.example", "rob@northwind.example"],
    },
    # Words in any order and in any column, or as one in quotation marks.
    "park west": {"sites": ["West car park"]},
    "garage two gar": {"chargers": ["GAR-2"]},
    '"park west"': {},
    # What a database would take for a pattern is text.
    "%": {},
    "_": {},
    "gar%": {},
    "depot": {},
    "  ": {},
    "": {},
    '"': {},
    "''": {},
}


def test_what_is_found(client, world):
    client.force_login(world.ada)
    world.air_1.serial_number = "ACE77"
    world.air_1.save()
    assert {text: found(client, text) for text in CASES} == CASES


def test_everybody_finds_only_what_is_visible(client, world):
    seen = {}
    for who in ("ada", "rob", "nell", "sue", "pat"):
        client.force_login(getattr(world, who))
        seen[who] = (found(client, "1"), found(client, "04a1"), found(client, "s"))
        page = client.get("/admin/search/", {"q": "gar"}).content.decode()
        assert ("Harbour" in page) == (who in ("ada", "pat"))
    assert seen["ada"][0]["chargers"] == ["AIR-1", "GAR-1", "QUAY-1"]
    assert seen["rob"][0] == {"chargers": ["GAR-1"], "drivers": ["Dora"], "tags": ["04A1B2C3", "04FFEE01"]}
    assert seen["nell"] == ({}, {}, {})
    assert seen["sue"][1] == {"drivers": ["Sid"], "tags": ["04A1B2C3"]}
    assert seen["pat"][1] == {"drivers": ["Dora", "Sid"], "tags": ["04A1B2C3", "04A1B2C3"]}
    # Platform staff read whose it is.
    client.force_login(world.pat)
    assert "Southwind: Depot" in client.get("/admin/search/", {"q": "dep"}).content.decode()
    client.logout()
    for path in ("/admin/search/", "/admin/search/suggestions.json"):
        assert client.get(path, {"q": "1"})["Location"].startswith("/admin/login/")


def test_why_it_was_found(client, world):
    client.force_login(world.ada)
    assert why(client, "quay") == [("Charger ID", "[QUAY]-1")]
    assert why(client, "nwde1") == [("EVSE ID", "NL*[NWD*E1]")]
    assert why(client, "ffee01") == [("ID tag", "04[FFEE01]"), ("ID tag", "04[FFEE01]")]
    assert why(client, "utr") == [("City", "[Utr]echt")]
    assert ("Driver", "[Dora]") in why(client, "dora")
    # Each word where it fits best.
    assert why(client, "park e") == [("Name", "[E]ast car [park]"), ("Name", "W[e]st car [park]")]


@pytest.mark.parametrize(
    ("text", "words", "parts"),
    [
        ("Straße 12", ["strasse"], [("Straße", True), (" 12", False)]),
        ("Straße 12", ["SSE"], [("Stra", False), ("ße", True), (" 12", False)]),
        ("ÅNGSTRÖM", ["a\u030angs"], [("ÅNGS", True), ("TRÖM", False)]),
        ("ab  cd", ["bc"], [("ab  cd", False)]),
        ("aaa", ["a"], [("aaa", True)]),
        ("<b>", ["b"], [("<", False), ("b", True), (">", False)]),
        ("İzmir", ["zm"], [("İ", False), ("zm", True), ("ir", False)]),
        ("", ["a"], []),
    ],
)
def test_marks(text, words, parts):
    assert marked(text, words, comparison_key) == [Part(*part) for part in parts]


def test_best_first_and_a_way_to_all(client, world):
    client.force_login(world.ada)
    for number in range(30):
        made(Charger, site=world.west, charger_id=f"B-{number:02}", name=f"Beside QUAY-1 {number:02}")
    made(Charger, site=world.west, charger_id="QUAY-10", name="")
    group = client.get("/admin/search/", {"q": "quay-1"}).context["groups"][0]
    titles = [str(hit.row) for hit in group.hits]
    # Exactly this, what begins with it, what has it somewhere.
    assert titles[:4] == ["QUAY-1", "QUAY-10", "B-00", "B-01"]
    assert (len(titles), group.total) == (20, 32)
    page = client.get("/admin/search/", {"q": "quay-1"}).content.decode()
    assert "All 32 chargers that match" in page
    # The list that it leads to finds the same.
    for text in ("quay-1", "beside 1", "GAR", "utrecht"):
        groups = client.get("/admin/search/", {"q": text}).context["groups"]
        total = next(group.total for group in groups if group.word == "chargers")
        assert client.get(address(Charger, "changelist"), {"q": text}).context["cl"].result_count == total


def test_capitals_beyond_ascii_are_the_same_on_every_database(client, world):
    client.force_login(world.ada)
    made(Charger, site=world.west, charger_id="ORE-1", city="Örebro")
    made(Tag, driver=world.dirk, id_tag="Z-1", token_name="ÇELIK")
    made(Driver, home_site=world.west, name="Groß")
    for text in ("örebro", "ÖREBRO", "Örebro", "O\u0308rebro"):
        assert found(client, text) == {"chargers": ["ORE-1"]}
    assert found(client, "çelik") == {"tags": ["Z-1"]}
    assert found(client, "GROSS") == {"drivers": ["Groß"]}


def test_a_driver_leads_to_the_chargers_within_reach(client, world):
    client.force_login(world.ada)
    for text in ("dora", "04A1B2C3"):
        page = client.get("/admin/search/", {"q": text}).content.decode()
        reach = f"/admin/drivers/driver/{world.dora.pk}/reach/"
        assert f'href="{reach}"' in page
    assert client.get(reach).status_code == 200


def test_suggestions(client, world):
    client.force_login(world.rob)
    groups = client.get("/admin/search/suggestions.json", {"q": "gar"}).json()["groups"]
    assert [(group["label"], group["total"]) for group in groups] == [("Sites", 1), ("Chargers", 2)]
    assert groups[1]["hits"][0] == {
        "url": address(Charger, "change", world.gar_1.pk),
        "title": [["GAR", True], ["-1", False]],
        "place": "East car park › Garage",
        "reasons": [],
    }
    by_name = client.get("/admin/search/suggestions.json", {"q": "garage two"}).json()["groups"]
    assert by_name[0]["hits"][0]["reasons"] == [{"label": "Name", "parts": [["Garage two", True]]}]
    assert client.get("/admin/search/suggestions.json", {"q": "g"}).json() == {"groups": []}


def test_names_are_text_and_no_markup(client, world):
    client.force_login(world.ada)
    made(Site, parent=world.west, name="<img src=x onerror=alert(1)>")
    page = client.get("/admin/search/", {"q": "<img"}).content.decode()
    assert "<img src=x" not in page
    assert "<mark>&lt;img</mark> src=x" in page


def test_it_takes_a_constant_number_of_statements(client, world):
    client.force_login(world.rob)

    def count():
        with CaptureQueriesContext(connection) as queries:
            groups = client.get("/admin/search/", {"q": "o"}).context["groups"]
        return len(queries), sum(len(group.hits) for group in groups)

    client.get("/admin/search/", {"q": "o"})
    before, few = count()
    for number in range(4):
        site = made(Site, parent=world.east, name=f"Outer {number}")
        made(Charger, site=site, charger_id=f"O-{number}")
        driver = made(Driver, home_site=site, name=f"Otto {number}")
        made(Tag, driver=driver, id_tag=f"OO{number}")
        made(Operator, customer=world.northwind, home_site=site, email=f"o{number}@n.example", name="O")
    after, many = count()
    assert many > few + 10
    # A kind of which nothing was found before is read now.
    assert after <= before + 2
    # Two for each of seven kinds, the tags of drivers, all places; session, user, grants, customer.
    assert after <= 2 * 7 + 1 + 1 + 4


@pytest.mark.parametrize("junk", ["\0", "a\0b", "'" * 500, '"' * 7, "x " * 3000, "%" * 100_000, "\ud7ff\u202e", "\\"])
def test_hostile_text(client, world, junk):
    client.force_login(world.ada)
    for path in ("/admin/search/", "/admin/search/suggestions.json", address(Driver, "changelist")):
        assert client.get(path, {"q": junk}).status_code == 200
    assert len(SearchTerm.parse(junk).words) <= 12
