"""Copies of the network that follow `/changes` while others write, as integrators keep them, end equal to it."""

import json
import random
import threading

import pytest
from django.db import connection

from hierarchy.models import Change
from tests.client import Api
from tests.threads import at_once


class Copy:
    """A copy of the lists that follows the changes, as an integrator would write it."""

    LISTS = {"site": "/sites", "charger": "/chargers", "driver": "/drivers", "tag": "/tags"}

    def __init__(self, api):
        self.api = api
        self.begin()

    def begin(self):
        self.since = self.api.get("/changes?since=latest").data["next"]
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
        answer = self.api.get(f"/changes?since={self.since}&limit=200")
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


def sites(world):
    """The sites at which is written, each with an external id."""
    found = [world.harbour, world.east, world.garage, world.west, world.airport]
    for site in found:
        site.external_id = f"S-{site.pk}"
        site.save()
    return [site.pk for site in found]


class Writer:
    """Writes anything; some of it is refused."""

    def __init__(self, world, places, seed):
        self.api = Api(world.ada)
        self.rng = random.Random(seed)
        self.sites = places
        self.chargers = ["QUAY-1", "GAR-1", "AIR-1"]
        self.tag = world.dora_card.pk

    def write(self):
        """One object or several; the status of the answer."""
        kinds = [self.new_sites, self.moves, self.new_chargers, self.chargers_moved, self.new_drivers]
        kinds += [self.tag_renamed, self.driver_gone, self.imported, self.imported, self.imported]
        method, path, items = self.rng.choice(kinds)()
        answer = self.api.request(method, path, json.dumps(items).encode() if items else b"")
        if path.startswith("/imports") and answer.status_code == 201:
            answer = self.api.request("post", f"/imports/{answer.data['id']}/apply")
        return answer.status_code

    def several(self, most=4):
        return range(self.rng.randint(1, most))

    def name(self):
        return f"{self.rng.random():.12f}"

    def site(self):
        return self.rng.choice(self.sites)

    def new_sites(self):
        return "post", "/sites", [{"groupName": self.name(), "parentId": self.site()} for _site in self.several()]

    def moves(self):
        site, parent = self.rng.sample(self.sites, 2)
        return "patch", f"/sites/{site}", {"parentId": parent, "costName": self.name()}

    def new_chargers(self, most=4):
        ids = [self.name() for _charger in self.several(most)]
        self.chargers += ids
        return "post", "/chargers", [{"chargerId": charger, "groupId": self.site()} for charger in ids]

    def chargers_moved(self, most=4):
        ids = self.rng.sample(self.chargers, min(len(self.chargers), len(self.several(most))))
        return "patch", "/chargers", [{"chargerId": charger, "groupId": self.site()} for charger in ids]

    def imported(self):
        """New chargers, or others that move, by the road that takes many at once."""
        _method, _path, rows = self.rng.choice([self.new_chargers, self.chargers_moved])(60)
        rows = [{"chargerId": row["chargerId"], "group": f"S-{row['groupId']}"} for row in rows]
        return "post", "/imports?table=chargers", rows

    def new_drivers(self):
        return "post", "/drivers", [{"name": self.name(), "homeGroupId": self.site()} for _driver in self.several()]

    def tag_renamed(self):
        return "patch", f"/tags/{self.tag}", {"tokenName": self.name()}

    def driver_gone(self):
        drivers = self.api.get("/drivers?fields=id").data["items"]
        return ("delete", f"/drivers/{self.rng.choice(drivers)['id']}", None) if drivers else self.tag_renamed()


# Changes of objects, several in each request.
WRITES = 1000


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_copies_follow_while_eight_write(world):
    """One copy of an operator who sees everything, one of an operator into whose sites things move, and out again."""
    if connection.vendor != "postgresql":
        pytest.skip("Only PostgreSQL lets several write at a time.")
    places = sites(world)
    copies = [Copy(Api(world.ada)), Copy(Api(world.rob))]
    writers = [Writer(world, places, seed) for seed in range(8)]
    ended = threading.Semaphore(0)
    before = Change.objects.count()

    def write(writer):
        codes = []
        try:
            while Change.objects.count() < before + WRITES:
                codes.append(writer.write())
        finally:
            ended.release()
        return codes

    def follow(copy):
        rounds = 0
        while ended._value < len(writers):
            rounds += copy.follow()
            pause.wait(0.2)
        while copy.follow():
            pass
        return rounds

    # Nobody sets it: it is waited for, so that those who write have their turn.
    pause = threading.Event()
    *written, seen, seen_in_part = at_once(
        *(lambda writer=writer: write(writer) for writer in writers),
        *(lambda copy=copy: follow(copy) for copy in copies),
    )
    assert {code for codes in written for code in codes} <= {200, 201, 204, 400, 404, 409}
    assert Change.objects.count() - before >= WRITES
    assert min(seen, seen_in_part) > 3
    for copy in copies:
        assert copy.objects == copy.lists()


def test_a_copy_follows_one_writer(world):
    """What the test above shows of many writers, on every database."""
    writer = Writer(world, sites(world), 7)
    copies = [Copy(Api(world.ada)), Copy(Api(world.rob))]
    for _request in range(10):
        writer.write()
        for copy in copies:
            copy.follow()
    for copy in copies:
        while copy.follow():
            pass
        assert copy.objects == copy.lists()
