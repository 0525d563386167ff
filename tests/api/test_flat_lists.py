"""Lists of flat objects: pages that neither lose nor repeat, order, filters, chosen keys, and what is wrong."""

from urllib.parse import urlsplit

import pytest

from chargers.models import Charger
from tests.client import BAD_ROUTE, Api, assert_problem
from tests.conftest import NOON, made

pytestmark = pytest.mark.django_db


def pages(api, path):
    """The items of all pages, and how many pages there were."""
    items, count = [], 0
    while path:
        response = api.get(path)
        assert response.status_code == 200, response.body
        items += response.data["items"]
        following = response.data["next"]
        assert response.headers.get("Link") == (following and f'<{following}>; rel="next"')
        parts = urlsplit(following or "")
        path = following and f"{parts.path.removeprefix('/api/v1')}?{parts.query}"
        count += 1
    return items, count


def ids(api, path):
    return [item["chargerId"] for item in api.get(path).data["items"]]


@pytest.fixture
def chargers(world):
    """Twelve chargers at the garage, some without values, some with equal ones."""
    for number in range(10):
        charger = made(
            Charger,
            site=world.garage,
            charger_id=f"C-{number}",
            name=["Ärger", "arger", "Ära", "Zoo", ""][number % 5],
            city=[None, "Delft", "Gouda"][number % 3],
            latitude=None if number % 4 else 50 + number / 3,
            longitude=None if number % 4 else 5.1,
            is_evse_split_by_socket=number % 2 == 0,
        )
        Charger._base_manager.filter(pk=charger.pk).update(last_seen=None if number % 3 else NOON)
    return world


def test_pages_of_every_order_are_the_whole_list(chargers):
    api = Api(chargers.ada)
    whole = {item["chargerId"] for item in api.get("/chargers").data["items"]}
    assert len(whole) == 14
    for order, limit in {
        "-id": 1,
        "chargerName": 3,
        "-chargerName": 5,
        "city": 3,
        "-city": 3,
        "lastSeen,-chargerId": 5,
        "-lastSeen,city": 3,
        "latitude": 5,
        "-splitEvseBySocket,chargerName": 5,
        "-updatedAt,chargerStatus": 5,
    }.items():
        items, count = pages(api, f"/chargers?limit={limit}&ordering={order}")
        assert items == api.get(f"/chargers?ordering={order}").data["items"], order
        assert (count, {item["chargerId"] for item in items}) == (-(-14 // limit), whole)
    names = [
        item["chargerName"]
        for item in api.get(f"/chargers?ordering=chargerName&siteTree={chargers.garage.pk}").data["items"]
    ]
    assert names == ["", "", "arger", "arger", "Garage one", "Garage two", "Zoo", "Zoo", "Ära", "Ära", "Ärger", "Ärger"]
    cities = [item["city"] for item in api.get("/chargers?ordering=city").data["items"]]
    assert cities[-7:] == [None] * 7 and None not in cities[:7]
    assert [item["city"] for item in api.get("/chargers?ordering=-city").data["items"]] == cities[::-1]


def test_rows_that_come_and_go_between_pages(chargers):
    api = Api(chargers.ada)
    first = api.get("/chargers?limit=5&ordering=chargerId")
    shown = [item["chargerId"] for item in first.data["items"]]
    Charger.objects.get(charger_id=shown[-1]).delete()
    made(Charger, site=chargers.garage, charger_id="A-0")
    rest, _count = pages(api, "/chargers?" + urlsplit(first.data["next"]).query)
    assert sorted(shown + [item["chargerId"] for item in rest]) == sorted(
        [*(f"C-{n}" for n in range(10)), "AIR-1", "GAR-1", "GAR-2", "QUAY-1"]
    )


def test_filters(chargers):
    w, api = chargers, Api(chargers.ada)
    quay, air = ["QUAY-1"], ["AIR-1"]
    for query, expected in {
        "chargerId=quay-1": quay,
        "chargerId__in=AIR-1,quay-1": quay + air,
        f"groupId={w.airport.pk}": air,
        f"groupId__in={w.airport.pk},{w.harbour.pk}": quay + air,
        f"groupId={w.depot.pk}": [],
        "chargerName=%20gate%20%20a": air,
        "chargerStatus=Available": quay,
        "activeConnection=true": quay,
        "latitude__gte=52&latitude__lte=52.5": quay,
        "lastSeen__gte=2026-06-01T12:00:00Z&manufacturer=Alfen": quay,
        "lastSeen__lt=2026-06-01T12:00:00Z": [],
        "search=UAY": quay,
        "search=nl*nwd": quay,
        "search=": None,
        "evseId=nlnwde1": quay,
        f"site={w.airport.pk}": air,
        f"siteTree={w.airport.pk}": air,
        f"site={w.harbour.pk}": quay,
        "updatedSince=2999-01-01T00:00:00Z": [],
        "version=1&city=Utrecht": quay,
        "id=99999999999": [],
        f"id__in={w.quay_1.pk},9223372036854775807": quay,
        "version__in=99999999999": [],
    }.items():
        found = ids(api, f"/chargers?{query}")
        assert len(found) == 14 if expected is None else found == expected, query
    assert len(ids(api, f"/chargers?siteTree={w.harbour.pk}")) == 13
    names = [item["groupName"] for item in api.get("/sites?parentId=null&ordering=groupName").data["items"]]
    assert names == ["Airport", "Harbour"]
    both = api.get(f"/sites?parentId__in=null,{w.east.pk}&groupType=site&siteTree={w.harbour.pk}").data["items"]
    assert [item["groupName"] for item in both] == ["Harbour"]
    assert [item["name"] for item in api.get("/drivers?homeGroupId=null").data["items"]] == ["Spike"]
    # Of a text that can be null, null is none as well; of another it is a text.
    without_city = [item["chargerId"] for item in api.get("/chargers").data["items"] if item["city"] is None]
    assert without_city and ids(api, "/chargers?city=null") == ids(api, "/chargers?city=") == without_city
    assert len(ids(api, "/chargers?city__in=null,Utrecht")) == len(without_city) + 1
    assert ids(api, "/chargers?chargerName=null") == []
    named = [item["groupName"] for item in api.get("/sites?publicGroupName__in=null,none").data["items"]]
    assert len(named) == 4 and "Harbour" not in named
    assert [item["name"] for item in api.get(f"/drivers?siteTree={w.harbour.pk}").data["items"]] == ["Dora"]
    assert [item["tokenName"] for item in api.get("/tags?idTag=04a1b2c3").data["items"]] == ["Card"]
    assert len(api.get(f"/tags?site={w.garage.pk}&expiringDate__gte=2026-07-01T12:00:00Z").data["items"]) == 1
    changed = Charger.objects.get(pk=w.air_1.pk)
    changed.city = "Delft"
    changed.save()
    assert ids(api, f"/chargers?updatedSince={changed.updated_at.isoformat().replace('+00:00', 'Z')}") == air


def test_chosen_keys_keep_their_order(world):
    item = Api(world.ada).get("/chargers?fields=city,chargerId&limit=1").data["items"][0]
    assert list(item.items()) == [("chargerId", "QUAY-1"), ("city", "Utrecht")]


def test_what_is_wrong_is_named(world):
    api, rob = Api(world.ada), Api(world.rob)
    for query, names in {
        "limit=0": {"limit"},
        "limit=1001": {"limit"},
        "limit=x": {"limit"},
        "limit=": {"limit"},
        "limit=1&limit=2": {"limit"},
        "cursor=x": {"cursor"},
        "cursor=": {"cursor"},
        "ordering=colour": {"ordering"},
        "ordering=": {"ordering"},
        "ordering=capabilities": {"ordering"},
        "ordering=city,-city": {"ordering"},
        "fields=colour": {"fields"},
        "groupId=x&activeConnection=1": {"groupId", "activeConnection"},
        "groupId=null": {"groupId"},
        "groupId__in=1,": {"groupId__in"},
        "id=99999999999999999999": {"id"},
        "latitude__gte=nan": {"latitude__gte"},
        "latitude__gte=1_0": {"latitude__gte"},
        "lastSeen__lt=soon": {"lastSeen__lt"},
        "chargerStatus=Broken": {"chargerStatus"},
        "search=a%00b": {"search"},
        "city=a%00b": {"city"},
        "chargerid=x": {"chargerid"},
        "updatedSince=2026": {"updatedSince"},
        f"site={world.depot.pk}": {"site"},
        "siteTree=0": {"siteTree"},
        "siteTree=x": {"siteTree"},
        "city__in=%00": {"city__in"},
        "view=flat": {"view"},
    }.items():
        response = api.get(f"/chargers?{query}")
        assert_problem(response, 400, BAD_ROUTE)
        assert {error["pointer"] for error in response.data["errors"]} == names, query
    for query, meant in {
        "chargerid=x": "chargerId",
        "siteTre=1": "siteTree",
        "updatedsince=x": "updatedSince",
        "groupID=1": "groupId",
        "charger_id=x": "chargerId",
        "lastSeen=x": "lastSeen__",
        "order=city": "ordering",
        "ordering=groupname": "groupName",
        "fields=city,latitud": "latitude",
    }.items():
        path = "/sites" if meant == "groupName" else "/chargers"
        assert f" Did you mean {meant}" in api.get(f"{path}?{query}").data["detail"], query
    for query in ("expiringDate=x", "password=x", "colour=x", "name=x", "ordering=colour", f"{'x' * 4000}=1"):
        detail = api.get(f"/chargers?{query}").data["detail"]
        assert "Unknown" in detail and "Did you mean" not in detail, query
    assert rob.get(f"/chargers?siteTree={world.harbour.pk}").status_code == 400
    # A cursor belongs to its order.
    cursor = urlsplit(api.get("/chargers?limit=1").data["next"]).query.split("cursor=")[1]
    assert_problem(api.get(f"/chargers?ordering=city&cursor={cursor}"), 400, BAD_ROUTE)
    assert_problem(api.get(f"/chargers?cursor={cursor[:-1]}"), 400, BAD_ROUTE)
    # Parameters of lists are none of writing's.
    assert api.post("/sites?limit=1", {"groupName": "x"}).status_code == 400


def test_a_page_takes_two_statements(chargers, django_assert_num_queries):
    api = Api(chargers.ada)
    api.get("/chargers")
    for query in ("limit=1", "limit=1000", "limit=2&ordering=-city,chargerName&search=c&activeConnection=false"):
        with django_assert_num_queries(2):  # key, chargers
            api.get(f"/chargers?{query}")
    with django_assert_num_queries(3):  # key, site, chargers
        api.get(f"/chargers?siteTree={chargers.harbour.pk}")


def test_every_list_answers_head_and_options(world):
    api = Api(world.ada)
    for path in (
        "/sites",
        "/chargers",
        "/drivers",
        "/tags",
        "/operators",
        "/chargers/QUAY-1/sockets",
        "/changes",
        "/me",
        "/chargers/QUAY-1/configurations",
        f"/drivers/{world.dora.pk}/external-ids",
        f"/drivers/{world.dora.pk}/sites",
        f"/drivers/{world.dora.pk}/chargers",
        f"/operators/{world.rob.pk}/sites",
    ):
        head = api.request("head", path)
        assert (head.status_code, head.body) == (200, b""), path
        assert api.request("options", path).status_code == 200
        assert api.get(path).headers["Cache-Control"] == "private, no-cache"
