"""Cursors: signed, and good for the list that they are of."""

from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from django.core import signing

from drivers.models import SiteRight
from tests.client import BAD_ROUTE, Api, assert_problem
from tests.conftest import made

LISTS = ["/chargers", "/sites", "/tags", "/drivers/{dora}/sites", "/drivers/{dirk}/sites", "/drivers/{dora}/reach"]


@pytest.fixture
def api(world):
    return Api(world.ada)


def cursor_of(api, path):
    return parse_qs(urlsplit(api.get(f"{path}?limit=1").data["next"]).query)["cursor"][0]


def code_of(response):
    assert_problem(response, 400, BAD_ROUTE)
    [error] = response.data["errors"]
    return error["pointer"], error["code"]


def test_it_works(api):
    first = api.get("/chargers?limit=3&ordering=-city").data
    rest = api.get(first["next"].partition("/api/v1")[2]).data
    assert first["items"] + rest["items"] == api.get("/chargers?ordering=-city").data["items"]
    assert rest["next"] is None


def test_a_cursor_is_good_for_its_list_alone(world, api):
    for driver in (world.dora, world.dirk):
        for site in (world.airport, world.west):
            made(SiteRight, driver=driver, site=site)
    paths = [path.format(dora=world.dora.pk, dirk=world.dirk.pk) for path in LISTS]
    cursors = {path: cursor_of(api, path) for path in paths}
    for path in paths:
        for source, cursor in cursors.items():
            response = api.get(f"{path}?{urlencode({'cursor': cursor})}")
            if source == path:
                assert response.status_code == 200, path
            else:
                assert code_of(response) == ("cursor", "other_list"), (path, source)
                assert f"to another list, /api/v1{source}." in response.data["detail"]


def test_lists_and_changes_do_not_take_one_anothers(api):
    since = api.get("/changes?since=latest").data["next"]
    assert code_of(api.get(f"/chargers?{urlencode({'cursor': since})}")) == ("cursor", "other_list")
    cursor = cursor_of(api, "/chargers")
    assert code_of(api.get(f"/changes?{urlencode({'since': cursor})}")) == ("since", "other_list")


def test_a_cursor_belongs_to_its_order(api):
    cursor = urlencode({"cursor": cursor_of(api, "/chargers")})
    assert code_of(api.get(f"/chargers?ordering=city&{cursor}")) == ("cursor", "other_order")
    assert api.get(f"/chargers?city=Utrecht&{cursor}").status_code == 200


@pytest.mark.parametrize("path", ["/chargers?cursor", "/drivers/{dora}/reach?cursor", "/changes?since"])
@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "x",
        "a:b:c",
        "é",
        signing.dumps(["pk", [1]], salt="chargetree.cursor"),
        signing.dumps(["/api/v1/chargers", 1]),
    ],
    # Signatures hold the time, which differs from one process to the next.
    ids=["empty", "letter", "parts", "not ascii", "another salt", "no salt"],
)
def test_what_nobody_signed_is_refused(world, api, path, cursor):
    response = api.get(f"{path.format(dora=world.dora.pk)}={cursor}")
    assert code_of(response) == (path.rpartition("?")[2], "not_a_cursor")


def test_all_that_is_wrong_is_named_at_once(api):
    response = api.get("/chargers?limit=0&cursor=x&fields=colour&ordering=colour&siteTree=x&id=x&latitude__gte=x")
    assert_problem(response, 400, BAD_ROUTE)
    assert {(error["pointer"], error["code"]) for error in response.data["errors"]} == {
        ("limit", "out_of_range"),
        ("cursor", "not_a_cursor"),
        ("fields", "unknown"),
        ("ordering", "unknown"),
        ("siteTree", "not_an_id"),
        ("id", "invalid"),
        ("latitude__gte", "invalid"),
    }
