"""Following what changes: the lines of the journal by the flat objects' keys, and copies that stay equal."""

import json

from hierarchy.changes import item
from hierarchy.models import Change
from operators.models import Operator, SiteGrant
from operators.services import operator_set_password
from tests.client import BAD_ROUTE, PLATFORM, Api, assert_problem
from tests.conftest import made

GONE = "What you see has changed"


def sent(api, method, path, body=None):
    return api.request(method, path, b"" if body is None else json.dumps(body).encode())


def latest(api):
    answer = api.get("/changes?since=latest").data
    assert (answer["items"], answer["hasMore"]) == ([], False)
    return answer["next"]


def short(answer):
    return [(one["action"], one["objectType"], one["key"], one["fields"]) for one in answer.data["items"]]


def test_changes_speak_of_the_flat_objects_keys(world):
    api = Api(world.ada)
    since = latest(api)
    site = api.post("/sites", {"groupName": "Bay", "parentId": world.west.pk, "payerId": 4}).data
    charger = api.post("/chargers", {"chargerId": "B-1", "groupId": site["id"], "customProperties": {"b": "2"}}).data
    sent(api, "patch", "/chargers/B-1", {"groupId": world.west.pk, "city": "Delft"})
    sent(api, "patch", "/chargers/B-1", {"city": None, "capabilities": ["x"]})
    socket = api.post("/chargers/B-1/sockets", {"id": 2}).data
    sent(api, "patch", f"/tags/{world.dora_fob.pk}", {"expiringDate": "2030-01-01T00:00:00.5Z"})
    sent(api, "put", f"/drivers/{world.dirk.pk}/chargers/B-1")
    sent(api, "delete", f"/sites/{site['id']}")
    answer = api.get(f"/changes?since={since}")
    assert short(answer) == [
        ("created", "site", "Bay", {"parentId": [None, world.west.pk], "groupName": [None, "Bay"],
                                    "groupType": [None, 2], "payerId": [None, 4]}),
        ("created", "charger", "B-1", {
            "groupId": [None, site["id"]], "chargerId": [None, "B-1"], "splitEvseBySocket": [None, False],
            "pushIntegrationEnabled": [None, False], "chargerSpecificMessageStructure": [None, False],
            "customProperties": [None, {"b": "2"}]}),
        ("moved", "charger", "B-1", {"groupId": [site["id"], world.west.pk], "city": [None, "Delft"]}),
        ("changed", "charger", "B-1", {"city": ["Delft", None], "capabilities": [[], ["x"]]}),
        ("created", "socket", "B-1 #2", {"charger": [None, charger["id"]], "id": [None, 2]}),
        ("changed", "tag", "04FFEE01", {"expiringDate": ["2026-07-01T12:00:00Z", "2030-01-01T00:00:00.500Z"]}),
        ("created", "chargerRight", "Dirk @ B-1", {
            "driverId": [None, world.dirk.pk], "charger": [None, charger["id"]]}),
        ("deleted", "site", "Bay", {"parentId": [world.west.pk, None], "groupName": ["Bay", None],
                                    "groupType": [2, None], "payerId": [4, None]}),
    ]  # fmt: skip
    one = answer.data["items"][4]
    assert (one["objectId"], one["actor"]) == (socket["objectId"], world.ada.email)
    assert one["requestId"]
    sequences = [item["sequence"] for item in answer.data["items"]]
    assert sequences == list(range(sequences[0], sequences[0] + 8))
    # Page by page it is the same.
    paged, more = [], True
    while more:
        page = api.get(f"/changes?since={since}&limit=3").data
        paged, since, more = paged + page["items"], page["next"], page["hasMore"]
    assert paged == answer.data["items"]
    assert api.get(f"/changes?since={since}").data["items"] == []
    # Nobody else's, and from the beginning all of it.
    assert "Depot" not in str(api.get("/changes?limit=1000").data)
    assert api.get("/changes?limit=1000").data["items"][-8:] == paged


def test_no_secret_is_told(world):
    api = Api(world.ada)
    since = latest(api)
    Api(world.ada)
    operator_set_password(PLATFORM, Operator.objects.get(pk=world.nell.pk), "another long password")
    assert short(api.get(f"/changes?since={since}")) == [("changed", "operator", world.nell.email, {})]
    everything = api.get("/changes?limit=1000").body.decode()
    assert all(secret not in everything for secret in ("password", "***", "digest", "ctk_"))


def test_what_is_wrong_is_named(world):
    api = Api(world.ada)
    for query in ("since=x", "since=", "limit=0", "limit=1001", "limit=x", "sinc=latest", "since=latest&since=latest"):
        assert_problem(api.get(f"/changes?{query}"), 400, BAD_ROUTE)
    assert_problem(api.get(f"/changes?since={latest(Api(world.sue))}"), 410, GONE)


def test_what_a_restricted_caller_sees_changes_with_every_crossing_of_the_border(world, django_assert_num_queries):
    ada, rob = Api(world.ada), Api(world.rob)
    since = latest(rob)
    assert {one["objectType"] for one in rob.get("/changes").data["items"]} >= {"site", "charger", "driver", "operator"}
    # What is hidden is passed over, and not read again.
    ada.post("/sites", {"groupName": "Elsewhere"})
    hidden = rob.get(f"/changes?since={since}").data
    assert hidden["items"] == []
    assert hidden["next"] != since
    # A granted site that moves takes everything along; nothing is said of what lies above.
    sent(ada, "patch", f"/sites/{world.east.pk}", {"parentId": world.airport.pk})
    sent(ada, "patch", f"/sites/{world.garage.pk}", {"costName": "Port"})
    with django_assert_num_queries(8, exact=False):  # key, grants, snapshot, latest, changes, crossings, sites above
        answer = rob.get(f"/changes?since={since}")
    assert short(answer) == [
        ("moved", "site", "East car park", {}),
        ("changed", "site", "Garage", {"costName": ["", "Port"]}),
    ]
    since = answer.data["next"]
    for path, key, into, out in (
        (f"/sites/{world.west.pk}", "parentId", world.garage.pk, world.harbour.pk),
        ("/chargers/AIR-1", "groupId", world.garage.pk, world.airport.pk),
        (f"/drivers/{world.spike.pk}", "homeGroupId", world.garage.pk, None),
        (f"/operators/{world.nell.pk}", "homeGroupId", world.east.pk, None),
    ):
        for value in (into, out):
            assert sent(ada, "patch", path, {key: value}).status_code == 200
            assert_problem(rob.get(f"/changes?since={since}"), 410, GONE)
            since = latest(rob)
            assert rob.get(f"/changes?since={since}").status_code == 200
    made(SiteGrant, operator=world.rob, site=world.west)
    assert_problem(rob.get(f"/changes?since={since}"), 410, GONE)
    # Whoever sees everything sees no border.
    assert ada.get("/changes").status_code == 200


def test_of_what_moved_in_nobody_hears_what_it_was(world):
    api = Api(world.ada)
    for values in ({"city": "Hidden"}, {"city": "Seen", "groupId": world.garage.pk}):
        assert sent(api, "patch", "/chargers/AIR-1", values).status_code == 200
    line = Change.objects.latest("id")
    assert item(line, world.ada.scope())["fields"]["city"] == ["Hidden", "Seen"]
    assert item(line, world.rob.scope())["fields"] == {"groupId": [None, world.garage.pk], "city": [None, "Seen"]}
