"""What people see when something goes wrong: the status, what to do, the request's id, and nothing of the inside."""

import logging
import re

import pytest
from django.core.exceptions import BadRequest, PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.test import Client

from api.errors import Problem, Unavailable
from backoffice import exports
from config.error_pages import PAGES
from hierarchy.errors import Conflict
from hierarchy.models import Site
from tests.backoffice.admin_pages import address

SECRET = "swordfish"


class TooMany(Problem):
    status = 429
    code = "too-many-requests"


@pytest.fixture
def visitor():
    """A browser that shows what the server answers, whatever its page raised."""
    logging.disable(logging.CRITICAL)
    yield Client(raise_request_exception=False)
    logging.disable(logging.NOTSET)


def failing(monkeypatch, error):
    def raising(*args, **kwargs):
        raise error

    monkeypatch.setattr(exports, "scope_of", raising)


def assert_page(answer, status, is_framed):
    text = answer.content.decode()
    assert answer.status_code == status
    assert answer["Content-Type"] == "text/html; charset=utf-8"
    assert answer["X-Request-ID"] in text
    assert SECRET not in text
    assert "Traceback" not in text
    assert ('id="user-tools"' in text) == is_framed
    assert len(re.findall("<h1", text)) == 1
    assert 'href="/admin/"' in text
    return text


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (BadRequest(SECRET), 400),
        (SuspiciousOperation(SECRET), 400),
        (PermissionDenied(SECRET), 403),
        (Conflict("Somebody moved the site."), 409),
        (RequestDataTooBig(SECRET), 413),
        (TooMany("Wait a little."), 429),
    ],
)
def test_within_the_admin(visitor, world, monkeypatch, error, status):
    failing(monkeypatch, error)
    visitor.force_login(world.ada)
    text = assert_page(visitor.get("/admin/export/"), status, is_framed=True)
    detail = getattr(error, "detail", "")
    assert (detail or str(PAGES[status].meaning)) in text
    assert str(PAGES[status].advice) in text


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (RuntimeError(SECRET), 500),
        (OperationalError(SECRET), 503),
        (InterfaceError(SECRET), 503),
        (Unavailable(), 503),
    ],
)
def test_when_the_server_fails(visitor, world, monkeypatch, error, status):
    """Without a frame: it would need what may have failed."""
    failing(monkeypatch, error)
    visitor.force_login(world.ada)
    answer = visitor.get("/admin/export/")
    text = assert_page(answer, status, is_framed=False)
    assert str(PAGES[status].title) in text
    assert ("Retry-After" in answer) == (status == 503)


def test_a_mistake_before_anything_else(visitor, monkeypatch):
    """Not a session was read, and no database is open to this test."""
    monkeypatch.setattr("api.problem_pages.PAGES", None)
    assert_page(visitor.get("/problems/conflict"), 500, is_framed=False)


def test_a_mistake_in_the_page_of_mistakes(visitor, monkeypatch):
    monkeypatch.setattr("api.problem_pages.PAGES", None)
    monkeypatch.setattr("config.error_pages.render_to_string", None)
    answer = visitor.get("/problems/conflict")
    assert answer.status_code == 500
    assert answer["X-Request-ID"] in answer.content.decode()


def test_what_is_not_there(visitor, world):
    foreign = address(Site, "change", world.depot.pk)
    missing = address(Site, "change", 9_999_999)
    for path in (foreign, missing, "/admin/nowhere/at/all/", "/nowhere/<b>", "/problems/nothing"):
        visitor.force_login(world.ada)
        text = assert_page(visitor.get(path), 404, is_framed=True)
        assert "nowhere" not in text
        assert "Depot" not in text
    visitor.logout()
    assert_page(visitor.get("/nowhere"), 404, is_framed=False)


def test_a_window_on_top_keeps_its_shape(visitor, world):
    visitor.force_login(world.ada)
    text = visitor.get(address(Site, "change", 9_999_999), {"_popup": 1}).content.decode()
    assert 'class="popup' in text


def test_a_form_without_its_token(world):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(world.ada)
    answer = strict.post(address(Site, "add"), {"name": "Pier"})
    assert "reload the page" in assert_page(answer, 403, is_framed=True)
    assert not Site.objects.filter(name="Pier").exists()
    anonymous = Client(enforce_csrf_checks=True).post("/admin/login/", {"username": "a", "password": "b"})
    assert_page(anonymous, 403, is_framed=False)


def test_an_unknown_host(visitor, settings):
    settings.ALLOWED_HOSTS = ["chargetree.example"]
    assert_page(visitor.get("/admin/login/", headers={"host": "evil.example"}), 400, is_framed=False)


def test_the_api_answers_as_before(visitor, world):
    for path, status in (("/api/v1/nowhere", 404), ("/api/v1/sites", 401)):
        answer = visitor.get(path)
        assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json")
