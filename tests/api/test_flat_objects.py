"""Flat objects: reading, making, changing and deleting one or many, under the rules that hold everywhere."""

import json

import pytest
from django.contrib.auth.hashers import is_password_usable

from chargers.models import Charger
from drivers.models import ChargerRight, SiteRight
from hierarchy.models import Change, Site
from operators.models import Operator, SiteGrant
from tests.client import BAD_BODY, BAD_ROUTE, Api, assert_problem

pytestmark = pytest.mark.django_db


def pointers(response):
    return {(error["pointer"], error["code"]) for error in response.data["errors"]}


def sent(api, method, path, body=None, **headers):
    return api.request(method, path, b"" if body is None else json.dumps(body).encode(), **headers)


# Of each kind: the list, what makes one, the key that names it, a change.
KINDS = {
    "site": ("/sites", {"groupName": "Bay"}, "id", {"costName": "Port"}),
    "charger": ("/chargers", {"chargerId": "NEW-1", "groupId": "east"}, "chargerId", {"city": "Delft"}),
    "socket": ("/chargers/quay-1/sockets", {"id": 3}, "id", {"maxWatts": 11000}),
    "configuration": ("/chargers/quay-1/configurations", {"configName": "a/b"}, "configName", {"configValue": "1"}),
    "driver": ("/drivers", {"name": "Dee", "homeGroupId": "east"}, "id", {"payerId": 3}),
    "externalId": ("/drivers/{dora}/external-ids", {"referenceId": "r", "externalId": "e"}, "id", {"externalId": "f"}),
    "tag": ("/tags", {"idTag": "T1", "driverId": "dora"}, "id", {"expiringDate": "2030-01-01T00:00:00Z"}),
    "operator": ("/operators", {"name": "Ole", "emailAddress": "ole@x.example"}, "id", {"isActive": False}),
}


def test_every_kind_is_made_read_changed_and_deleted(world):
    api = Api(world.ada)
    for path, body, key, change in KINDS.values():
        path = path.format(dora=world.dora.pk)
        body = {
            name: getattr(world, value).pk if name.endswith("Id") and value in ("east", "dora") else value
            for name, value in body.items()
        }
        made_one = api.post(path, body)
        assert made_one.status_code == 201, made_one.body
        one = made_one.data
        assert body.items() <= one.items()
        address = f"{path}/{one[key]}"
        assert made_one.headers["Location"] == f"http://testserver/api/v1{address}"
        flat = "?view=flat" if path == "/drivers" else ""
        read = api.get(address + flat)
        assert (read.data, read.headers["ETag"]) == (one, made_one.headers["ETag"])
        assert one in api.get(path + "?limit=1000").data["items"]
        # What was read may be sent back, and changes nothing.
        same = sent(api, "patch", address, one)
        assert (same.status_code, same.data) == (200, one)
        changed = sent(api, "patch", address, change)
        assert changed.data == one | change | {"version": 2} | {
            name: changed.data[name] for name in ("updatedAt", "lastUpdated") if name in one
        }
        assert api.get(address + flat).data == changed.data
        assert sent(api, "delete", address).status_code == 204
        assert_problem(api.get(address), 404, f"{noun(path)} not found for the customer")
    roads = {line.source for line in Change.objects.filter(natural_key__in=["Bay", "NEW-1", "Dee"])}
    assert roads == {"api"}


def noun(path):
    return {"sockets": "Socket", "configurations": "Configuration", "external-ids": "External id"}.get(
        path.split("/")[-1], path.split("/")[-1].rstrip("s").capitalize()
    )


def test_a_flat_object_has_null_for_nothing_and_no_sentinels(world):
    api = Api(world.ada)
    charger = api.get("/chargers/air-1").data
    assert (charger["lastSeen"], charger["latitude"], charger["evseId"]) == (None, None, "")
    assert charger["groupId"] == world.airport.pk
    assert api.get(f"/drivers/{world.spike.pk}?view=flat").data["homeGroupId"] is None
    tag = api.get(f"/tags/{world.dora_card.pk}").data
    assert (tag["expiringDate"], tag["startDate"], tag["driverId"]) == (None, None, world.dora.pk)
    sent(api, "patch", f"/tags/{world.dora_fob.pk}", {"expiringDate": "9999-12-31T23:59:59Z"})
    assert api.get(f"/tags/{world.dora_fob.pk}").data["expiringDate"] is None
    socket = api.get("/chargers/AIR-1/sockets/1").data
    assert (socket["lastUpdated"], socket["status"], socket["id"]) == (None, "Offline", 1)


def test_missing_leaves_alone_and_null_takes_away(world):
    api = Api(world.ada)
    path = "/chargers/QUAY-1"
    cleared = sent(
        api,
        "patch",
        path,
        {
            "manufacturer": None,
            "evseId": None,
            "capabilities": None,
            "city": None,
            "customProperties": None,
            "latitude": None,
            "longitude": None,
        },
    ).data
    assert [cleared[key] for key in ("manufacturer", "evseId", "capabilities", "city", "customProperties")] == [
        None,
        "",
        [],
        None,
        {},
    ]
    assert (cleared["latitude"], cleared["chargerName"]) == (None, "Quay one")
    refused = sent(api, "patch", path, {"chargerId": None, "groupId": None, "splitEvseBySocket": None})
    assert_problem(refused, 400, BAD_BODY)
    assert pointers(refused) == {("/chargerId", "null"), ("/groupId", "null"), ("/splitEvseBySocket", "null")}


def test_the_documented_driver_stays_as_it_is(world):
    api = Api(world.ada)
    nested = api.get(f"/drivers/{world.dora.pk}")
    assert "chargerGroups" in nested.data
    assert api.get(f"/drivers/{world.dora.pk}?view=nested").body == nested.body
    wrong = api.get(f"/drivers/{world.dora.pk}?view=round")
    assert_problem(wrong, 400, BAD_ROUTE)
    assert pointers(wrong) == {("view", "invalid_choice")}


def test_a_site_moves_and_its_tree_is_read(world):
    api = Api(world.ada)
    path = f"/sites/{world.east.pk}"
    assert sent(api, "patch", path, {"parentId": world.airport.pk}).data["parentId"] == world.airport.pk
    tree = api.get(f"/sites/{world.airport.pk}/tree").data
    assert [site["groupName"] for site in tree["subgroups"]] == ["East car park"]
    for parent, code in (
        (world.east.pk, "circle"),
        (world.garage.pk, "circle"),
        (world.depot.pk, "unknown"),
        (0, "unknown"),
    ):
        refused = sent(api, "patch", path, {"parentId": parent})
        assert_problem(refused, 400, BAD_BODY)
        assert pointers(refused) == {("/parentId", code)}
    top = sent(api, "patch", path, {"parentId": None})
    assert (top.status_code, top.data["parentId"]) == (200, None)
    blocked = sent(api, "delete", path)
    assert_problem(blocked, 409, "Conflict with the current state")
    assert "Garage" in blocked.data["detail"]


def test_group_types_by_number_and_by_name(world):
    api = Api(world.ada)
    assert [
        api.post("/sites", body).data["groupType"]
        for body in (
            {"groupName": "a"},
            {"groupName": "b", "parentId": world.east.pk},
            {"groupName": "c", "groupType": "circuit"},
            {"groupName": "d", "groupType": 4},
            {"groupName": "e", "groupType": None},
        )
    ] == [1, 2, 3, 4, None]


def test_all_that_is_wrong_is_said_at_once(world):
    api = Api(world.ada)
    wrong = api.post(
        "/chargers",
        {
            "chargerId": "no spaces",
            "groupId": world.depot.pk,
            "latitude": 91,
            "evseId": "x",
            "capabilities": ["a", 1],
            "customProperties": {"a": {"b": 1}},
            "chargerNme": "x",
            "splitEvseBySocket": "yes",
            "iccid": "9" * 33,
            "city": 5,
            "manufacturer": "a\x00b",
        },
    )
    assert_problem(wrong, 400, BAD_BODY)
    assert {pointer for pointer, _code in pointers(wrong)} == {
        "/chargerId",
        "/groupId",
        "/latitude",
        "/evseId",
        "/capabilities",
        "/customProperties",
        "/chargerNme",
        "/splitEvseBySocket",
        "/iccid",
        "/city",
        "/manufacturer",
    }
    assert "chargerName" in str(wrong.data["errors"])
    taken = api.post("/chargers", {"chargerId": "dep-1", "groupId": world.east.pk})
    assert pointers(taken) == {("/chargerId", "not_unique")}
    assert "Southwind" not in str(taken.data)
    one_coordinate = api.post("/chargers", {"chargerId": "X", "groupId": world.east.pk, "latitude": 1})
    assert pointers(one_coordinate) == {("/longitude", "invalid")}


def test_hostile_bodies(world):
    api = Api(world.ada)
    big = 10**30
    for body in (
        b"",
        b"{",
        b"[",
        b"null",
        b'"x"',
        b"5",
        b"NaN",
        b'{"groupName": NaN}',
        b'{"groupName": "\\ud800"}',
        b'{"groupName": "\xff"}',
        b"[" * 5000 + b"]" * 5000,
        b'{"a":' * 5000 + b"1" + b"}" * 5000,
        json.dumps({"groupName": "x", "payerId": big}).encode(),
        b'{"groupName": "x", "payerId": 1e400}',
        json.dumps({"groupName": "x", "parentId": big}).encode(),
        b'{"groupName": "x", "parentId": 9223372036854775808}',
        b'{"groupName": "x", "groupType": 99999999999999999999}',
        b'{"groupName": "x", "groupType": 300}',
        b'{"groupName": ["x"]}',
        b'{"groupName": {}}',
        b"[[]]",
        b"[null]",
        b'{"groupName": "x", "timeZone": "Mars/One"}',
        json.dumps({"groupName": "x" * 256}).encode(),
        json.dumps([{"groupName": "x"}] * 1001).encode(),
    ):
        response = (
            api.request("post", "/sites", body, content_type="application/json") if body else api.post("/sites", {})
        )
        assert_problem(response, 400, BAD_BODY)
    assert not Site.objects.filter(name="x").exists()
    assert api.request("post", "/sites", b"a=1", content_type="application/x-www-form-urlencoded").status_code == 415


def test_hostile_addresses(world):
    api = Api(world.ada)
    for path in (
        "/sites/x",
        "/sites/99999999999999999999",
        "/sites/1.0",
        "/tags/%00",
        "/drivers/x?view=flat",
        "/operators/x",
        "/chargers/" + "x" * 5000,
        "/chargers/a%00b",
        "/chargers/QUAY-1/sockets/one",
        "/chargers/QUAY-1/configurations/a%01b",
        f"/drivers/{world.dora.pk}/sites/x",
        "/sites/x/tree",
    ):
        assert_problem(api.get(path), 400, BAD_ROUTE)
    for path in (
        "/sites/999999",
        "/sites/-1",
        "/chargers/none",
        "/chargers/none/sockets",
        "/chargers/quay-1/sockets/9",
        f"/sites/{world.depot.pk}",
        "/chargers/DEP-1",
        "/chargers/DEP-1/sockets/1",
        f"/tags/{world.sid_card.pk}",
        f"/drivers/{world.sid.pk}?view=flat",
        f"/drivers/{world.sid.pk}/sites",
        f"/operators/{world.sue.pk}",
        f"/operators/{world.pat.pk}",
        f"/sites/{world.depot.pk}/tree",
    ):
        response = api.get(path)
        assert response.status_code == 404, path
        assert response.data["title"].endswith("not found for the customer")


def test_many_at_once_all_or_none(world):
    api = Api(world.ada)
    bays = api.post("/sites", [{"groupName": f"Bay {number}", "parentId": world.east.pk} for number in range(3)])
    assert [(bays.status_code, site["groupName"]) for site in bays.data] == [(201, f"Bay {n}") for n in range(3)]
    assert api.post("/sites", []).data == []
    refused = api.post(
        "/sites",
        [
            {"groupName": "Free"},
            {"groupName": "bay 1", "parentId": world.east.pk},
            {"groupName": "Airport"},
            {"groupName": "FREE"},
        ],
    )
    assert_problem(refused, 400, BAD_BODY)
    assert {pointer for pointer, _code in pointers(refused)} == {"/1/groupName", "/2/groupName", "/3/groupName"}
    assert not Site.objects.filter(name="Free").exists()
    refused = api.post("/sites", [{"groupName": "Free"}, {"payerId": "x"}, 7])
    assert pointers(refused) == {("/1/groupName", "required"), ("/1/payerId", "invalid"), ("/2", "invalid")}
    assert [
        (item["index"], {(error["pointer"], error["code"]) for error in item["errors"]})
        for item in refused.data["items"]
    ] == [(1, {("/groupName", "required"), ("/payerId", "invalid")}), (2, {("", "invalid")})]
    assert "items" not in api.post("/sites", {"1": 0}).data

    changed = sent(
        api, "patch", "/chargers", [{"chargerId": "gar-2", "city": "A"}, {"chargerId": "AIR-1", "city": "B"}]
    )
    assert [(one["chargerId"], one["city"], one["version"]) for one in changed.data] == [
        ("GAR-2", "A", 2),
        ("AIR-1", "B", 2),
    ]
    lines = Change.objects.filter(object_type="charger", action="changed")
    assert len({line.request_id for line in lines}) == 1
    refused = sent(
        api,
        "patch",
        "/chargers",
        [
            {"chargerId": "GAR-2", "city": "C"},
            {"chargerId": "DEP-1", "city": "C"},
            {"chargerId": "gar-2"},
        ],
    )
    assert pointers(refused) == {("/1/chargerId", "unknown"), ("/2/chargerId", "repeated")}
    assert [item["index"] for item in refused.data["items"]] == [1, 2]
    assert pointers(sent(api, "patch", "/chargers", [{"city": "C"}])) == {("/0/chargerId", "required")}
    assert pointers(sent(api, "patch", "/chargers", {"chargerId": "GAR-2"})) == {("", "not_a_list")}
    assert pointers(sent(api, "patch", "/chargers/GAR-2", [{"city": "C"}])) == {("", "not_an_object")}
    assert not Charger.objects.filter(city="C").exists()


def test_rights_and_grants_are_there_or_not(world):
    api = Api(world.ada)
    for path, model in (
        (f"/drivers/{world.dirk.pk}/sites/{world.west.pk}", SiteRight),
        (f"/drivers/{world.dirk.pk}/chargers/quay-1", ChargerRight),
        (f"/operators/{world.nell.pk}/sites/{world.west.pk}", SiteGrant),
    ):
        before = model.objects.count()
        assert api.get(path).status_code == 404
        first = sent(api, "put", path)
        again = sent(api, "put", path)
        assert (first.status_code, again.status_code, first.data) == (201, 200, again.data)
        assert (model.objects.count(), api.get(path).data) == (before + 1, first.data)
        assert first.data in api.get(path.rsplit("/", 1)[0]).data["items"]
        assert [sent(api, "delete", path).status_code for _time in (1, 2)] == [204, 204]
        assert model.objects.count() == before
    for path in (
        f"/drivers/{world.sid.pk}/sites/{world.west.pk}",
        f"/drivers/{world.dirk.pk}/sites/{world.depot.pk}",
        f"/drivers/{world.dirk.pk}/chargers/DEP-1",
        f"/operators/{world.sue.pk}/sites/{world.west.pk}",
    ):
        assert {sent(api, method, path).status_code for method in ("get", "put", "delete")} == {404}


def test_a_restricted_operator_and_a_key_that_may_only_read(world):
    rob, reader = Api(world.rob), Api(world.ada, is_read_only=True)
    assert [site["groupName"] for site in rob.get("/sites").data["items"]] == ["East car park", "Garage"]
    # Nothing is said of what lies above.
    assert rob.get(f"/sites/{world.east.pk}").data["parentId"] is None
    assert [one["chargerId"] for one in rob.get("/chargers").data["items"]] == ["GAR-1", "GAR-2"]
    assert rob.get("/chargers/QUAY-1").status_code == 404
    assert rob.post("/sites", {"groupName": "Bay", "parentId": world.garage.pk}).status_code == 201
    assert_problem(rob.post("/sites", {"groupName": "Top"}), 403, "Not permitted")
    many = rob.post("/sites", [{"groupName": "Box", "parentId": world.garage.pk}, {"groupName": "Top"}])
    assert_problem(many, 403, "Not permitted")
    assert many.data["errors"][0]["pointer"] == "/1"
    assert not Site.objects.filter(name="Box").exists()
    assert_problem(sent(rob, "patch", f"/sites/{world.east.pk}", {"groupName": "Mine"}), 403, "Not permitted")
    assert pointers(sent(rob, "patch", f"/sites/{world.garage.pk}", {"parentId": world.west.pk})) == {
        ("/parentId", "unknown")
    }
    assert rob.get(f"/operators/{world.rob.pk}").data["name"] == "Rob"
    assert_problem(sent(rob, "patch", f"/operators/{world.rob.pk}", {"isAdminOperator": True}), 403, "Not permitted")
    for method, path, body in (
        ("post", "/sites", {"groupName": "x"}),
        ("patch", "/chargers", []),
        ("patch", "/chargers/QUAY-1", {}),
        ("delete", "/chargers/QUAY-1", None),
        ("put", f"/drivers/{world.dirk.pk}/sites/{world.west.pk}", None),
    ):
        assert_problem(sent(reader, method, path, body), 403, "Not permitted")


def test_a_new_operator_cannot_sign_in_and_no_secret_is_shown(world):
    api = Api(world.ada)
    body = {"name": "Ole", "emailAddress": "ole@x.example"}
    response = api.post("/operators", body)
    ole = Operator.objects.get(pk=response.data["id"])
    assert not is_password_usable(ole.password)
    assert "password" not in response.body.decode()
    assert pointers(api.post("/operators", body | {"password": "x"})) >= {("/password", "unknown")}
    assert pointers(api.post("/operators", body)) == {("/emailAddress", "not_unique")}


def test_me(world):
    me = Api(world.rob, is_read_only=True).get("/me").data
    assert me["operatorId"] == world.rob.operator_id
    assert me["customer"] == {"id": world.northwind.pk, "name": "Northwind", "timeZone": "Europe/Amsterdam"}
    assert me["roots"] == [{"id": world.east.pk, "groupName": "East car park"}]
    assert (me["key"]["name"], me["key"]["readOnly"], me["key"]["expires"]) == ("tests", True, None)
    assert set(me["permissions"].values()) == {False}
    ada = Api(world.ada).get("/me").data
    assert [root["groupName"] for root in ada["roots"]] == ["Airport", "Harbour"]
    assert set(ada["permissions"].values()) == {True}


def test_reads_take_few_statements(world, django_assert_num_queries):
    api = Api(world.ada)
    api.get("/sites")
    with django_assert_num_queries(2):  # key, charger
        api.get("/chargers/QUAY-1")
    with django_assert_num_queries(3):  # key, charger, sockets
        api.get("/chargers/QUAY-1/sockets")


def test_moments_come_back_as_they_were_sent(world):
    api = Api(world.ada)
    body = {"idTag": "T9", "driverId": world.dora.pk, "startDate": "1999-12-31T23:30:00.123456+00:30"}
    assert api.post("/tags", body).data["startDate"] == "1999-12-31T23:00:00.123Z"
    for moment in (
        "2026-06-01",
        "2026-06-01T12:00:00",
        "0001-01-01T00:00:00+14:00",
        "x" * 100,
        5,
        "2026-13-01T00:00:00Z",
    ):
        assert pointers(api.post("/tags", body | {"startDate": moment})) == {("/startDate", "invalid")}
    assert pointers(api.post("/tags", body | {"idTag": "T8", "expiringDate": "1990-01-01T00:00:00Z"})) == {
        ("/expiringDate", "invalid")
    }
