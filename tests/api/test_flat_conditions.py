"""Conditional requests on flat objects: versions, and what two writers at once are told."""

import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from chargers.models import Charger
from tests.client import Api, assert_problem
from tests.threads import at_once


def patch(api, path, body, **headers):
    return api.request("patch", path, json.dumps(body).encode(), **headers)


def test_who_names_a_version_writes_that_version_or_nothing(world):
    api = Api(world.ada)
    path = f"/sites/{world.east.pk}"
    assert api.get(path).headers["ETag"] == '"1"'
    for tags in ('"1"', '"7", "1"', "*", ' "1" , W/"1"'):
        changed = patch(api, path, {"costName": tags}, if_match=tags)
        assert (changed.status_code, changed.headers["ETag"]) == (200, '"2"')
        type(world.east)._base_manager.filter(pk=world.east.pk).update(version=1, cost_name="")
    for tags in ('"2"', 'W/"1"', '"01"', '"1x"'):
        for method in ("patch", "delete"):
            refused = api.request(method, path, b'{"costName": "x"}', if_match=tags)
            assert_problem(refused, 412, "Precondition failed")
    for tags in ("1", "", '"1', '"1" "2"', '"1",*'):
        assert patch(api, path, {"costName": "x"}, if_match=tags).status_code == 400
    assert_problem(patch(api, path, {}, if_none_match="*"), 412, "Precondition failed")
    assert patch(api, path, {"costName": "last"}).status_code == 200


def test_what_is_known_is_not_sent_again(world):
    api = Api(world.ada)
    tag = api.get("/chargers/QUAY-1").headers["ETag"]
    for known in (tag, f'"x", W/{tag}', "*"):
        response = api.get("/chargers/QUAY-1", if_none_match=known)
        assert (response.status_code, response.body, response.headers["ETag"]) == (304, b"", tag)
    assert api.get("/chargers/QUAY-1", if_none_match='"x"').status_code == 200
    # A report is news to readers and nothing to editors.
    Charger._base_manager.filter(pk=world.quay_1.pk).update(status="Error")
    assert api.get("/chargers/QUAY-1", if_none_match=tag).data["chargerStatus"] == "Error"
    assert patch(api, "/chargers/QUAY-1", {"city": "Delft"}, if_match=tag).status_code == 200
    assert patch(api, "/chargers/QUAY-1", {"city": "Gouda"}, if_match=tag).status_code == 412


def test_a_tie_is_made_only_when_it_is_not_there(world):
    api = Api(world.ada)
    path = f"/drivers/{world.dirk.pk}/sites/{world.west.pk}"
    assert api.request("put", path, if_match="*").status_code == 412
    assert api.request("put", path, if_none_match="*").status_code == 201
    assert api.request("put", path, if_none_match="*").status_code == 412
    assert api.request("delete", path, if_match='"2"').status_code == 412
    assert api.request("delete", path, if_match='"1"').status_code == 204


@pytest.mark.django_db(transaction=True)
def test_of_two_writers_with_one_version_one_wins(world):
    apis = [Api(world.ada) for _writer in range(4)]
    path = f"/sites/{world.east.pk}"
    # The first use of a key is noted, which is a write of its own.
    assert {api.get(path).status_code for api in apis} == {200}
    writers = [
        lambda api=api, name=str(index): patch(api, path, {"costName": name}, if_match='"1"').status_code
        for index, api in enumerate(apis)
    ]
    assert sorted(at_once(*writers)) == [200, 412, 412, 412]
    # Without a version each is written, one after the other.
    writers = [
        lambda api=api, name=str(index): patch(api, path, {"costId": name}).status_code
        for index, api in enumerate(apis)
    ]
    assert at_once(*writers) == [200, 200, 200, 200]
    put = [
        lambda api=api: api.request("put", f"/drivers/{world.dirk.pk}/sites/{world.west.pk}").status_code
        for api in apis
    ]
    assert sorted(at_once(*put)) == [200, 200, 200, 201]


def test_a_change_reads_its_row_twice(world):
    """Once locked, to decide by and to compare with, and once for the answer."""
    api = Api(world.ada)
    assert api.get("/chargers/QUAY-1").status_code == 200
    with CaptureQueriesContext(connection) as queries:
        assert patch(api, "/chargers/QUAY-1", {"city": "Delft"}).status_code == 200
    named = [name_of(query["sql"]) for query in queries]
    assert {name: named.count(name) for name in named if name} == {
        "the key": 1,
        "the row": 2,  # locked; for the answer
        "its site": 5,  # itself, that it is there, whose it is; where it lies, twice
        "its customer": 1,
        "is it unique": 4,  # the charger id; the EVSE id; two checks of numbers
        "write the row": 1,
        "write the journal": 3,  # next number, read it, the entry
    }


def name_of(sql):
    names = {
        'SELECT "operators_apikey"': "the key",
        'SELECT "chargers_charger"': "the row",
        'SELECT 1 AS "a" FROM "chargers_charger"': "is it unique",
        'SELECT 1 AS "_check"': "is it unique",
        'SELECT "hierarchy_site"': "its site",
        'SELECT 1 AS "a" FROM "hierarchy_site"': "its site",
        'SELECT 1 AS "a" FROM "hierarchy_customer"': "its customer",
        'UPDATE "chargers_charger"': "write the row",
        'UPDATE "hierarchy_changecounter"': "write the journal",
        'SELECT "hierarchy_changecounter"': "write the journal",
        'INSERT INTO "hierarchy_change"': "write the journal",
    }
    found = [name for start, name in names.items() if sql.startswith(start)]
    if found or sql.startswith(("BEGIN", "SAVEPOINT", "RELEASE", "SET CONSTRAINTS")):
        return found[0] if found else ""
    return sql
