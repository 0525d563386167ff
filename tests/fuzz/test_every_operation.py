"""Every operation of the API as schemathesis tests it: nothing is answered with 500, and nothing otherwise than the
document says.

All its checks are made, two of them not as they come: more statuses refuse what is wrong, and what is as the document
says may be refused for what schemas do not say (`UNSAYABLE`). Lists are not asked for some of their keys only, and
several texts in one parameter are taken for one: whatever stands there is a text.
Calls are made in this process, by an admin operator and a restricted one in turn, and each is undone before the next.
`make test-slow` sends a sample of the cases that follow from the document; `make fuzz` all of them, and random ones.
"""

import logging
import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle, islice
from typing import Any, NamedTuple

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, transaction
from django.test import RequestFactory
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.config import SchemathesisConfig
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import positive_data_acceptance

from api.cursors import cursor_for
from api.uploads import MEDIA_TYPES
from tests.client import new_key
from tests.openapi import described, resolved


class Profile(NamedTuple):
    """Of the cases that follow from the document one in `one_in`, `until` so many; and so many random ones, of each
    kind and operation; `at_least` cases altogether."""

    one_in: int
    until: int | None
    random: int
    at_least: int


PROFILE = {"short": Profile(11, 50, 0, 200), "long": Profile(1, None, 15, 10_000)}[os.environ.get("FUZZ", "short")]

CHECKS = {
    "max_response_time": 10.0,
    # Preconditions are looked at before the body is; the others are the usual ones.
    "negative_data_rejection": {"expected-statuses": [400, 401, 403, 404, 405, 406, 409, 410, 412, 413, 415, 422]},
    # In its place: `is_refused_for_a_reason`.
    "positive_data_acceptance": {"enabled": False},
}
# The codes of what schemas do not say: which ids, cursors and time zones there are, which characters a text may have,
# how ids are made up, when time begins.
UNSAYABLE = {
    "blank",
    "charger_id",
    "direction",
    "evse_id",
    "line_break",
    "not_a_cursor",
    "not_a_key",
    "not_an_id",
    "not_unique",
    "null_characters_not_allowed",
    "other_list",
    "other_order",
    "repeated",
    "time_zone",
    "too_early",
    "unknown",
    "unprintable",
    "url",
}
# Of what is just invalid: values that are taken, addresses that a format lets pass, and 1.0, a whole number in schemas.
UNSAYABLY_INVALID = ("already", "valid URL", "valid email", "a whole number.", "valid integer")

# Files are bytes, whatever kind they are of.
FILES = [kind for kind in MEDIA_TYPES.values() if kind not in ("application/json", "application/octet-stream")]
schemathesis.serializer.alias(FILES, "application/octet-stream")


def is_unsayable(error, case) -> bool:
    """Whether what is wrong is nothing that the document says."""
    if error["code"] != "invalid":
        return error["code"] in UNSAYABLE or (error["pointer"], error["code"]) == ("table", "required")
    is_whole = ".0" in str((case.query or {}).get(error["pointer"], ""))
    return is_whole or case.path.endswith("/imports") or any(words in error["detail"] for words in UNSAYABLY_INVALID)


def is_refused_for_a_reason(context, response, case):
    """A request that is as the document says is refused only for what it does not say."""
    if response.status_code in (410, 412):
        return None
    if response.status_code == 400:
        errors = response.json().get("errors", [])
        if errors and all(is_unsayable(error, case) for error in errors):
            return None
    return positive_data_acceptance(context, response, case)


def ids(world) -> dict[str, list[Any]]:
    """Values of the test world by the names of parameters and keys: of random ones none would lead anywhere."""
    sites = [site.pk for site in (world.harbour, world.east, world.garage, world.depot)]
    drivers = [driver.pk for driver in (world.dora, world.dirk, world.spike, world.sid)]
    return {
        **dict.fromkeys(("siteId", "site", "siteTree", "groupId", "parentId", "homeGroupId"), sites),
        **dict.fromkeys(("userId", "driverId"), drivers),
        "chargerId": ["QUAY-1", "GAR-1", "DEP-1"],
        "configName": ["HeartbeatInterval"],
        "externalId": ["N-1", "D/1"],
        "id": [world.ada.pk, world.rob.pk],
        "idTag": ["04A1B2C3"],
        "socketId": [1, 2],
        "since": ["latest"],
        "If-Match": ["*"],
        "If-None-Match": ['"0"'],
        "tagId": [world.dora_card.pk, world.sid_card.pk],
    }


def cursor(path) -> str:
    """A cursor of the list at `path`."""
    return cursor_for(RequestFactory().get(path), "" if path.endswith("/reach") else ["pk", [0]])


def document(world) -> dict[str, Any]:
    """What the API says of itself, with the ids beside what it says of parameters and of what comes in."""
    api = described()
    known = ids(world)
    for path, operations in api["paths"].items():
        known["cursor"] = [cursor(path.replace("{userId}", str(world.dora.pk)))]
        for operation in operations.values():
            parameters = operation.get("parameters", [])
            parameters[:] = [dict(resolved(api, parameter)) for parameter in parameters]
            # Who chooses keys does not get the others, which the document says are there.
            parameters[:] = [parameter for parameter in parameters if parameter["name"] != "fields"]
            for parameter in parameters:
                if parameter["name"] in known:
                    parameter["schema"] = {"anyOf": [{"enum": known[parameter["name"]]}, parameter["schema"]]}
                elif parameter["schema"].get("items", {}).keys() <= {"type", "maxLength"}:
                    parameter["schema"] = parameter["schema"].get("items", parameter["schema"])
    for name, component in api["components"]["schemas"].items():
        if name.startswith("Flat") and ("Creation" in name or "Change" in name):
            properties = component.get("properties", {})
            for key, value in properties.items():
                if value.get("readOnly"):
                    # What was read may be sent back, and is not looked at.
                    properties[key] = {}
                elif key in known:
                    properties[key] = {"anyOf": [{"enum": known[key]}, value]}
    return api


@contextmanager
def one_connection() -> Iterator[None]:
    """The application server's calls leave the connection as it is, which the test's transaction needs."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    try:
        yield
    finally:
        for signal in signals:
            signal.connect(close_old_connections)


def closing(application):
    """The application, with the end of an answer that a server makes and schemathesis does not."""

    def call(environ, start_response):
        answer = application(environ, start_response)
        try:
            return [b"".join(answer)]
        finally:
            answer.close()

    return call


class Calls:
    """Sends cases, one operator after the other, and undoes what they did."""

    def __init__(self, world) -> None:
        self.answers: Counter[int] = Counter()
        self._headers = cycle(
            {"X-API-Key": new_key(operator), "Accept-Encoding": "identity"} for operator in (world.ada, world.rob)
        )

    def send(self, case) -> None:
        """Raises AssertionError when a check fails."""
        headers = next(self._headers)
        try:
            with transaction.atomic():
                try:
                    response = case.call_and_validate(headers=headers, additional_checks=[is_refused_for_a_reason])
                finally:
                    transaction.set_rollback(True)
        except FailureGroup as failures:
            raise AssertionError(f"{case.operation.label}: {failures}") from None
        self.answers[response.status_code] += 1


@pytest.mark.slow
def test_nothing_is_found(world, caplog):
    calls = Calls(world)
    config = SchemathesisConfig.from_dict({"checks": CHECKS})
    api = schemathesis.openapi.from_dict(document(world), config=config)
    api.app = closing(get_wsgi_application())
    # Of thousands that are refused, none is worth a line.
    caplog.set_level(logging.ERROR, "django.request")
    found = []
    with one_connection():
        for place, operation in enumerate(result.ok() for result in api.get_all_operations()):
            cases = api.iter_coverage_cases(
                operation, generation_modes=list(GenerationMode), generation_config=api.config.generation
            )
            for case in islice(cases, place % PROFILE.one_in, PROFILE.until, PROFILE.one_in):
                try:
                    calls.send(case)
                except AssertionError as failure:
                    found.append(str(failure))
            if PROFILE.random:
                found += random_failures(operation, calls)
    print(f"{calls.answers.total()} cases, by status: {dict(sorted(calls.answers.items()))}")
    assert not found, "\n\n".join([f"{len(found)} failures, of which the first:", *found[:20]])
    assert calls.answers.total() >= PROFILE.at_least
    assert {200, 201, 204, 400, 403, 404, 405, 415} <= set(calls.answers) or PROFILE.one_in > 1


_RANDOM = settings(deadline=None, database=None, report_multiple_bugs=False, suppress_health_check=list(HealthCheck))


def random_failures(operation, calls) -> Iterator[str]:
    """Random cases as the document says and otherwise; a failure is made as small as can be."""
    for mode in GenerationMode:

        @settings(_RANDOM, max_examples=PROFILE.random)
        @given(operation.as_strategy(generation_mode=mode))
        def send(case):
            calls.send(case)

        try:
            send()
        except Unsatisfiable:
            # An operation that takes any text, or nothing, cannot be asked otherwise than it says.
            continue
        except AssertionError as failure:
            yield str(failure)
