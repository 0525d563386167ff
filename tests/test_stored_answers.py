"""Nested answers are byte for byte the stored ones; `python -m tests.stored_answers` stores them anew."""

import logging
import re

import pytest

from tests.stored_answers import ADMIN, RESTRICTED, Answer, demo, difference, read

_MOST_SHOWN = 10

NESTED = (
    r"/sites/tree",
    r"/sites/tree\?excludeDetails=true",
    r"/sites/tree\?excludeDetails=false",
    r"/sites/\d+/tree",
    r"/sites/\d+/tree\?excludeDetails=true",
    r"/sites/\d+/home-drivers",
    r"/sites/\d+/home-operators",
    r"/sites/\d+/authorised-drivers",
    r"/sites/authorised-drivers",
    r"/sites/by-external-id/[^?]+",
    r"/sites/by-external-id/.+\?excludeSubgroups=true",
    r"/operators/tree",
    r"/operators/tree\?excludeHierarchy=true",
    r"/operators/tree\?excludeHierarchy=false",
    r"/chargers/[^/]+/authorised-drivers",
    r"/chargers/[^/]+/authorised-drivers\?explain=true",
    r"/drivers/tree",
    r"/drivers/\d+",
    r"/drivers/by-external-id/.+",
    r"/drivers/by-tag/.+",
)


@pytest.mark.django_db(transaction=True, reset_sequences=True)
def test_every_answer_is_the_stored_one(caplog):
    # Errors that are asked for are no news.
    caplog.set_level(logging.ERROR, "django.request")
    with demo() as ask:
        found = [(asked, difference(stored, ask(asked))) for asked, stored in read()]
    different = [f"{asked}\n{text}" for asked, text in found if text]
    more = [f"… and {len(different) - _MOST_SHOWN} more"] if len(different) > _MOST_SHOWN else []
    assert not different, "\n\n".join(
        [f"{len(different)} of {len(found)} answers are not as stored:", *different[:_MOST_SHOWN], *more]
    )


@pytest.mark.parametrize("caller", [ADMIN, RESTRICTED])
def test_every_nested_read_is_stored(caller):
    stored = [asked.path for asked, answer in read() if asked.caller == caller and answer.status == 200]
    assert [pattern for pattern in NESTED if not any(re.fullmatch(pattern, path) for path in stored)] == []


def test_the_usual_errors_are_stored_as_problems_and_as_text():
    stored = {(answer.status, answer.content_type.partition(";")[0]) for _asked, answer in read()}
    assert stored >= {(code, kind) for code in (400, 401, 404) for kind in ("application/problem+json", "text/plain")}


BODY = b'{"name":"Quay","sockets":[{"id":1},{"id":2,"free":true}]}'


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ((b'"id":2', b'"id":3'), "body: .sockets[1].id was 2, is now 3"),
        ((b"true", b"1"), "body: .sockets[1].free was true, is now 1"),
        ((b'{"id":1},', b""), "body: .sockets[0] lost the keys [], got ['free']"),
        ((b',{"id":2,"free":true}', b""), "body: .sockets had 2 items, has now 1"),
        (
            (b'"id":2,"free":true', b'"free":true,"id":2'),
            "body: .sockets[1] lost the keys [], got [], and 'free' stands where 'id' stood",
        ),
        ((b":1", b": 1"), "body: the same JSON in other bytes"),
        ((b"{", b""), "body: other text"),
    ],
)
def test_a_difference_is_named_by_its_place(change, said):
    now = BODY.replace(*change)
    text = difference(Answer(200, "application/json", BODY), Answer(200, "application/json", now))
    assert text.startswith(said)
    at = int(re.search(r"at byte (\d+) of", text)[1])
    assert BODY[:at] == now[:at]
    assert BODY[at : at + 1] != now[at : at + 1]


def test_a_difference_in_status_or_type_is_one():
    stored = Answer(200, "application/json", BODY)
    assert difference(stored, stored) == ""
    assert difference(stored, stored._replace(status=404)) == "status: stored 200, now 404"
    assert "content type" in difference(stored, stored._replace(content_type="text/plain"))
