"""POST requests with an `Idempotency-Key`: done once, answered alike, however often and however they come."""

import datetime
import json
from contextlib import contextmanager
from types import SimpleNamespace

import pytest
from django.db import OperationalError
from django.utils import timezone

from api.errors import Unavailable
from api.idempotency import Idempotency
from chargers.models import Charger
from drivers.models import Driver
from drivers.resources import DriverCollection
from hierarchy import journal, services
from hierarchy.models import Change
from operators import idempotency
from operators.idempotency import IdempotentRequest
from tests.client import BAD_BODY, BAD_ROUTE, Api, assert_problem
from tests.conftest import NOON
from tests.threads import at_once

BODY = {"name": "Nora"}
REPORT = {"chargerId": "QUAY-1", "status": "Charging", "at": "2026-06-01T13:00:00Z"}


def posted(api, body=BODY, key="k-1", path="/drivers"):
    return api.post(path, body, idempotency_key=key)


def noras():
    return Driver.objects.filter(name="Nora").count()


def test_it_works(world):
    api = Api(world.ada)
    first, again = posted(api), posted(api)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.body == first.body
    assert again.headers["Idempotency-Replayed"] == "true" and "Idempotency-Replayed" not in first.headers
    for header in ("Location", "ETag", "Content-Type", "Cache-Control"):
        assert again.headers[header] == first.headers[header]
    assert again.headers["X-Request-ID"] != first.headers["X-Request-ID"]
    assert noras() == 1
    assert api.post("/drivers", BODY).status_code == 201, "Without a key it is another request."
    assert noras() == 2


def test_a_key_stands_for_one_request_of_one_sender(world):
    api = Api(world.ada)
    posted(api)
    for body, path in (({"name": "Nils"}, "/drivers"), (BODY, "/sites"), ([BODY], "/drivers"), (b"{", "/drivers")):
        other = posted(api, body, path=path)
        assert_problem(other, 422, "The Idempotency-Key belongs to another request")
    assert posted(Api(world.ada)).headers.get("Idempotency-Replayed") is None
    assert posted(Api(world.sue), {"name": "Nora", "homeGroupId": world.depot.pk}).status_code == 201
    assert (noras(), IdempotentRequest.objects.count()) == (3, 3)


def test_errors_of_the_sender_are_kept_as_well(world):
    api = Api(world.ada)
    first = posted(api, {"name": ""})
    assert_problem(first, 400, BAD_BODY)
    again = posted(api, {"name": ""})
    assert (again.body, again.headers["Idempotency-Replayed"]) == (first.body, "true")
    assert again.headers["Content-Type"] == "application/problem+json"
    assert_problem(posted(api, b"{", key="not json"), 400, BAD_BODY)
    assert posted(api, b"{", key="not json").headers["Idempotency-Replayed"] == "true"
    assert_problem(posted(Api(world.ada, is_read_only=True)), 403, "Not permitted")
    assert noras() == 0


def test_what_may_be_answered_otherwise_is_not_kept(world, monkeypatch):
    api = Api(world.ada)
    for error, status in ((OperationalError("gone"), 503), (Unavailable(), 503), (RuntimeError("broken"), 500)):

        def fail(*args, error=error):
            raise error

        with monkeypatch.context() as broken:
            broken.setattr(services, "save", fail)
            assert posted(api).status_code == status
        assert not IdempotentRequest.objects.exists()
    taken = {"chargerId": "quay-1", "groupId": world.west.pk}
    conflict = posted(api, taken, path="/chargers")
    assert conflict.status_code in (400, 409)
    assert posted(api, key="other").status_code == 201
    assert posted(Api(), key="k").status_code == 401


def test_keys_that_are_none(world):
    api = Api(world.ada)
    for key in ("", "x" * 256, "ümlaut", "a\tb"):
        wrong = posted(api, key=key)
        assert_problem(wrong, 400, BAD_ROUTE)
        assert wrong.data["errors"][0]["pointer"] == "Idempotency-Key"
    assert posted(api, key="x" * 255).status_code == 201
    assert api.get("/me", idempotency_key="").status_code == 200, "Reads take no notice."
    assert posted(api, path="/me").status_code == 405
    assert noras() == 1


def begun(world, ago):
    """As when a process died half way: the row that says so is there."""
    owner = world.ada.api_keys.get()
    return IdempotentRequest.objects.create(owner=f"key {owner.pk}", name="k-1", started_at=timezone.now() - ago)


def test_while_it_is_being_answered(world):
    api = Api(world.ada)
    begun(world, datetime.timedelta(seconds=5))
    wait = posted(api)
    assert_problem(wait, 409, "Conflict with the current state")
    assert wait.headers["Retry-After"] == "1"
    assert noras() == 0


def test_what_a_dead_process_began_is_done_again_where_it_wrote_nothing(world):
    api = Api(world.ada)
    begun(world, idempotency.LONGEST * 2)
    done = posted(api)
    assert (done.status_code, noras()) == (201, 1)
    assert posted(api).headers["Idempotency-Replayed"] == "true"


def test_where_that_is_not_known_somebody_has_to_look(world):
    api = Api(world.ada)
    begun(world, idempotency.LONGEST * 2)
    broken_off = api.post("/imports", b"groupName\r\n", idempotency_key="k-1", content_type="text/csv")
    assert_problem(broken_off, 409, "Conflict with the current state")
    assert "Check whether it took effect" in broken_off.data["detail"]
    assert "Retry-After" not in broken_off.headers


def test_what_is_taken_over_is_not_written_by_who_was_slow(world, monkeypatch):
    api = Api(world.ada)
    save = services.save

    def slow(*args):
        row = save(*args)
        IdempotentRequest.objects.update(started_at=timezone.now() + datetime.timedelta(minutes=1))
        return row

    with monkeypatch.context() as late:
        late.setattr(services, "save", slow)
        assert_problem(posted(api), 409, "Conflict with the current state")
    assert noras() == 0


def test_after_a_day_a_key_is_new(world):
    api = Api(world.ada)
    posted(api)
    IdempotentRequest.objects.update(started_at=timezone.now() - idempotency.KEPT_FOR - datetime.timedelta(seconds=1))
    assert "Idempotency-Replayed" not in posted(api, {"name": "Other"}).headers
    assert IdempotentRequest.objects.count() == 1


def test_reads_by_post_are_answered_anew(world):
    api = Api(world.ada)
    asked = {"groupIds": [world.harbour.pk]}
    first = posted(api, asked, path="/sites/authorised-drivers")
    Driver.objects.get(pk=world.dora.pk).delete()
    again = posted(api, asked, path="/sites/authorised-drivers")
    assert (first.status_code, again.status_code) == (200, 200)
    assert b"Dora" in first.body and b"Dora" not in again.body


def test_uploads(world):
    api = Api(world.ada)
    text = b"groupName,externalId\r\nNew,N-9\r\n"
    sent = {"idempotency_key": "file", "content_type": "text/csv"}
    first, again = (api.post("/imports?table=sites", text, **sent) for _ in range(2))
    assert (first.status_code, again.body) == (201, first.body)
    assert api.get("/imports").data["items"][1:] == []
    other = api.post("/imports?table=sites", text.replace(b"New", b"Now"), **sent)
    assert other.status_code == 422


def test_answers_that_are_secret_or_too_large_are_not_kept(world, monkeypatch):
    api = Api(world.ada)
    with monkeypatch.context() as secret:
        secret.setattr(DriverCollection, "idempotency", Idempotency(is_one_transaction=True, keeps_answers=False))
        assert posted(api, key="secret").status_code == 201
    monkeypatch.setattr(idempotency, "LARGEST", 10)
    assert posted(api, key="large").status_code == 201
    for again in (posted(api, key="secret"), posted(api, key="large")):
        assert_problem(again, 409, "Conflict with the current state")
        assert "Already processed, with status 201" in again.data["detail"]
    assert {row.body for row in IdempotentRequest.objects.all()} == {None}
    assert noras() == 2


def test_status_reports(world):
    api = Api(world.ada)
    first, again = (posted(api, REPORT, path="/status-reports") for _ in range(2))
    assert json.loads(again.body) == first.data and first.data[0]["outcome"] == "applied"
    assert Charger.objects.get(pk=world.quay_1.pk).last_seen == NOON + datetime.timedelta(hours=1)


def test_the_session_of_the_admin(world, client):
    client.force_login(world.ada)
    client.handler.enforce_csrf_checks = False
    headers = {"Idempotency-Key": "k-1"}
    answers = [
        client.post("/api/v1/drivers", json.dumps(BODY), content_type="application/json", headers=headers)
        for _ in range(2)
    ]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert noras() == 1


@pytest.mark.django_db(transaction=True)
def test_eight_at_the_same_moment_make_one(world):
    api = Api(world.ada)
    before = Change.objects.count()

    def post():
        # A client of its own, which is not shared between threads.
        one = Api()
        one.headers = api.headers
        return posted(one)

    answers = at_once(*[post] * 8)
    made = [answer for answer in answers if answer.status_code == 201]
    waiting = [answer for answer in answers if answer.status_code == 409]
    assert len(made) + len(waiting) == 8 and made
    assert len({answer.body for answer in made}) == 1
    assert sum("Idempotency-Replayed" not in answer.headers for answer in made) == 1
    assert all(answer.headers["Retry-After"] == "1" for answer in waiting)
    assert (noras(), Change.objects.count()) == (1, before + 1)
    assert posted(api).body == made[0].body


@pytest.mark.django_db(transaction=True)
def test_the_write_and_its_answer_are_committed_together(world, monkeypatch):
    """Whoever dies after the one has not done the other."""
    api = Api(world.ada)

    class Killed(BaseException):
        """As a signal ends a process: nothing is tidied up."""

    def die(*args):
        raise Killed

    with monkeypatch.context() as killed, pytest.raises(Killed):
        killed.setattr(journal, "_write", die)
        posted(api)
    assert noras() == 0
    assert posted(api).status_code == 409
    IdempotentRequest.objects.update(started_at=timezone.now() - idempotency.LONGEST * 2)
    assert posted(api).status_code == 201
    assert noras() == 1


def test_a_commit_whose_news_is_lost_is_not_repeated(world, monkeypatch):
    api = Api(world.ada)

    @contextmanager
    def cut_off(*args):
        with journal.recording(*args):
            yield
        raise OperationalError("The connection is gone.")

    with monkeypatch.context() as gone:
        gone.setattr(idempotency, "journal", SimpleNamespace(recording=cut_off))
        assert posted(api).status_code == 503
    assert noras() == 1
    again = posted(api)
    assert (again.status_code, again.headers["Idempotency-Replayed"]) == (201, "true")
    assert noras() == 1
