"""Following what changes: the lines of the journal by the flat objects' keys, and copies that stay equal."""

import json
import random
import threading

import pytest
from django.db import connection

from operators.models import Operator, SiteGrant
from operators.services import operator_set_password
from tests.api import BAD_ROUTE, PLATFORM, Api, assert_problem
from tests.conftest import made
from tests.threads import at_once

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


class Copy:
    """A copy of the lists that follows the changes, as an integrator would write it."""

    LISTS = {"site": "/sites", "charger": "/chargers", "driver": "/drivers", "tag": "/tags"}

    def __init__(self, api):
        self.api = api
        self.begin()

    def begin(self):
        self.since = latest(self.api)
        self.objects = self.lists()

    def lists(self):
        found = {}
        for kind, path in self.LISTS.items():
            answer = self.api.get(f"{path}?limit=1000").data
            assert answer["next"] is None
            found |= {(kind, one["id"]): one for one in answer["items"]}
        return found

    def follow(self):
        """Take in what is new; whether there was anything."""
        answer = self.api.get(f"/changes?since={self.since}&limit=7")
        if answer.status_code == 410:
            self.begin()
            return True
        changed = {(one["objectType"], one["objectId"]) for one in answer.data["items"]} & {
            (kind, one["objectId"]) for one in answer.data["items"] for kind in self.LISTS
        }
        for kind, path in self.LISTS.items():
            ids = [pk for type_, pk in changed if type_ == kind]
            if ids:
                now = self.api.get(f"{path}?limit=1000&id__in={','.join(map(str, ids))}").data["items"]
                self.objects = {
                    name: one for name, one in self.objects.items() if name not in changed or name[0] != kind
                }
                self.objects |= {(kind, one["id"]): one for one in now}
        self.since = answer.data["next"]
        return answer.data["hasMore"] or bool(answer.data["items"])


def write(api, world, rng):
    """One change of anything; it may be refused."""
    choice = rng.randrange(7)
    sites = [world.harbour.pk, world.east.pk, world.garage.pk, world.west.pk, world.airport.pk]
    name, site = f"{rng.random():.9f}", rng.choice(sites)
    if choice == 0:
        return api.post("/sites", {"groupName": name, "parentId": site})
    if choice == 1:
        return sent(api, "patch", f"/sites/{rng.choice(sites)}", {"parentId": site, "costName": name})
    if choice == 2:
        return api.post("/chargers", [{"chargerId": f"{name}-{number}", "groupId": site} for number in (1, 2)])
    if choice == 3:
        return sent(api, "patch", f"/chargers/{rng.choice(['QUAY-1', 'GAR-1', 'AIR-1'])}", {"groupId": site})
    if choice == 4:
        driver = api.post("/drivers", {"name": name, "homeGroupId": site}).data
        return api.post("/tags", {"idTag": name, "driverId": driver["id"]})
    if choice == 5:
        rows = api.get("/drivers").data["items"]
        return sent(api, "delete", f"/drivers/{rng.choice(rows)['id']}")
    return sent(api, "patch", f"/tags/{world.dora_card.pk}", {"tokenName": name})


@pytest.mark.django_db(transaction=True)
def test_copies_follow_while_others_write(world):
    if connection.vendor != "postgresql":
        pytest.skip("Only PostgreSQL lets several write at a time.")
    copies = [Copy(Api(world.ada)), Copy(Api(world.rob))]
    writers = [Api(world.ada) for _writer in range(4)]
    writing = threading.Semaphore(0)

    def writer(seed):
        rng = random.Random(seed)
        try:
            return [write(writers[seed], world, rng).status_code for _change in range(25)]
        finally:
            writing.release()

    def follower(copy):
        rounds = 0
        while writing._value < len(writers):
            copy.follow()
            rounds += 1
        while copy.follow():
            rounds += 1
        return rounds

    *written, seen, seen_in_part = at_once(
        *(lambda seed=seed: writer(seed) for seed in range(len(writers))),
        *(lambda copy=copy: follower(copy) for copy in copies),
    )
    codes = [code for codes in written for code in codes]
    assert set(codes) <= {200, 201, 204, 400, 404, 409}
    assert sum(code < 300 for code in codes) > 50
    assert min(seen, seen_in_part) > 3
    for copy in copies:
        assert copy.objects == copy.lists()


def test_a_copy_follows_one_writer(world):
    """What the test above shows of many writers, on every database."""
    copies = [Copy(Api(world.ada)), Copy(Api(world.rob))]
    api, rng = Api(world.ada), random.Random(7)
    for _change in range(12):
        write(api, world, rng)
        for copy in copies:
            copy.follow()
    for copy in copies:
        while copy.follow():
            pass
        assert copy.objects == copy.lists()
