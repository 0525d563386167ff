"""What every address of the API does when something is wrong with the request, whatever it is about."""

import logging

import pytest
from django.db import OperationalError

from api import errors
from api.errors import Problem
from api.problem_pages import PAGES
from hierarchy import documents
from tests.client import NO_CUSTOMER, Api, assert_problem

PATHS = [
    "/sites/tree",
    "/operators/tree",
    "/sites/1/home-drivers",
    "/chargers/X/authorised-drivers",
    "/drivers/1",
]


@pytest.mark.parametrize("path", PATHS)
def test_nobody_is_let_in_without_a_key(db, path):
    response = Api().get(path)
    assert_problem(response, 401, NO_CUSTOMER)
    assert "X-API-Key" not in str(response.data)
    assert response.headers["WWW-Authenticate"].startswith("ApiKey")


@pytest.mark.parametrize("path", PATHS)
def test_plain_text_errors(db, path):
    assert Api().get(path, accept="text/plain").body == NO_CUSTOMER.encode()


@pytest.mark.parametrize("path", PATHS)
def test_what_is_not_offered(world, path):
    assert_problem(Api(world.ada).get(path, accept="image/png"), 406, "Only application/json is offered")


@pytest.mark.parametrize("path", PATHS[:-1])
@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_reads_are_not_written_to(world, path, method):
    assert_problem(Api(world.ada).request(method, path), 405, "Method not allowed")


@pytest.mark.parametrize("path", PATHS[:2])
def test_head_and_options(world, path):
    api = Api(world.ada)
    head = api.request("head", path)
    assert (head.status_code, head.body) == (200, b"")
    assert api.request("options", path).status_code == 200


@pytest.mark.parametrize("path", ["", "/", "/nothing", "/sites/tree/", "/chargers/A/B/authorised-drivers"])
def test_an_unknown_path(world, path):
    for method in ("get", "post", "delete"):
        assert_problem(Api(world.ada).request(method, path), 404, "Not found")


def test_the_request_id_comes_back(world):
    api = Api(world.ada)
    assert api.get("/sites/tree", x_request_id="abc-1.2").headers["X-Request-ID"] == "abc-1.2"
    for harmful in ("a b", "x" * 65, "<b>", ""):
        assert api.get("/sites/tree", x_request_id=harmful).headers["X-Request-ID"] not in (harmful, "")


def test_a_database_that_is_away_is_503(world, monkeypatch):
    def away(*args):
        raise OperationalError("gone")

    monkeypatch.setattr(documents.VisibleSites, "read", away)
    response = Api(world.ada).get("/sites/tree")
    assert_problem(response, 503, "Temporarily unavailable")
    assert response.headers["Retry-After"] == "5"


def test_a_defect_says_nothing_but_its_request_id(world, monkeypatch, caplog):
    def broken(*args):
        raise RuntimeError("secret detail")

    monkeypatch.setattr(documents.VisibleSites, "read", broken)
    with caplog.at_level(logging.CRITICAL):
        response = Api(world.ada).get("/sites/tree")
    assert_problem(response, 500, "Internal error")
    assert b"secret" not in response.body


def codes(kind=Problem):
    """The codes of all problems there are."""
    own = {kind.code} if kind not in (Problem, errors._Other) else set()
    return own.union(*(codes(inner) for inner in kind.__subclasses__()))


def test_every_problem_has_its_page(client):
    framework = {code for code, _title in errors._FRAMEWORK.values()}
    domain = {code for _status, code, _title in errors._DOMAIN.values()}
    assert codes() | framework | domain | {"internal-error"} == set(PAGES)
    for code in PAGES:
        page = client.get(f"/problems/{code}")
        assert page.status_code == 200
        assert code in page.content.decode()
    assert client.get("/problems/nothing").status_code == 404


def test_answers_may_not_be_shared(world):
    response = Api(world.ada).get("/sites/tree")
    assert response.headers["Cache-Control"] == "private, no-cache"
    assert "X-API-Key" in response.headers["Vary"]
