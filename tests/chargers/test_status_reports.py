"""POST /status-reports."""

import datetime

import pytest
from django.utils import timezone

from chargers.models import Charger, Socket
from chargers.status import StatusReport, apply_reports
from hierarchy.models import Change
from hierarchy.scoping import Caller, Scope
from tests.client import BAD_BODY, Api, assert_problem
from tests.conftest import NOON, made

LATER = "2026-06-01T13:00:00Z"
EARLIER = "2026-06-01T11:00:00Z"


@pytest.fixture
def ada(world):
    api = Api(world.ada)
    api.get("/sites/tree")  # The key's use is noted; it is not again within a minute.
    return api


def report(**values):
    return {"chargerId": "QUAY-1", "status": "Available", "at": LATER} | values


def outcomes(response):
    assert response.status_code == 200, response.body
    return [item["outcome"] for item in response.data]


def state(row):
    row = type(row).objects.get(pk=row.pk)
    return row.status, row.reported_at and row.reported_at.isoformat()


def test_it_works(world, ada, django_assert_num_queries):
    # 1 the key; 2 begin, 3 chargers, 4 sockets, 5 the chargers' new state, 6 the sockets', 7 the mark, 8 end
    with django_assert_num_queries(8):
        response = ada.post(
            "/status-reports",
            [
                report(socketId=1, status="Finishing", message="Bye", activeConnection=True, firmwareVersion="7.0"),
                report(chargerId="gar-1", status="Booting", activeConnection=True),
            ],
        )
    assert response.data == [
        {"index": 0, "chargerId": "QUAY-1", "socketId": 1, "outcome": "applied"},
        {"index": 1, "chargerId": "gar-1", "socketId": 0, "outcome": "applied"},
    ]
    charger = ada.get("/sites/tree").data[1]["chargers"][0]
    assert {key: charger[key] for key in ("lastSeen", "lastMessage", "firmwareVersion", "chargerStatus")} == {
        "lastSeen": LATER,
        "lastMessage": "Bye",
        "firmwareVersion": "7.0",
        "chargerStatus": "Available",
    }
    assert [(socket["status"], socket["lastUpdated"]) for socket in charger["sockets"]] == [
        ("Finishing", LATER),
        ("Error", "2026-06-01T12:00:00Z"),
    ]
    garage = Charger.objects.get(charger_id="GAR-1")
    assert (garage.status, garage.has_active_connection, garage.last_message) == ("Booting", True, None)


def test_one_report_may_come_alone(ada):
    assert outcomes(ada.post("/status-reports", report())) == ["applied"]


def test_late_and_repeated_reports_undo_nothing(world, ada):
    first, second = report(socketId=1, status="Charging"), report(socketId=1, status="Finishing", at=LATER[:-1] + ".5Z")
    late = report(socketId=1, status="Error", at=EARLIER, activeConnection=False, message="Old")
    assert outcomes(ada.post("/status-reports", [second, first, late])) == ["applied", "outdated", "outdated"]
    before = Charger.objects.get(pk=world.quay_1.pk)
    assert outcomes(ada.post("/status-reports", [first, second, late])) == ["outdated"] * 3
    assert state(world.quay_1.sockets.get(number=1)) == ("Finishing", "2026-06-01T13:00:00.500000+00:00")
    after = Charger.objects.get(pk=world.quay_1.pk)
    assert (after.last_message, after.has_active_connection) == (None, True)
    assert after.status_version == before.status_version


def test_of_two_of_one_moment_the_second_is_newer(world, ada):
    pair = [report(socketId=1, status="Preparing"), report(socketId=1, status="Charging")]
    assert outcomes(ada.post("/status-reports", pair)) == ["applied", "applied"]
    assert outcomes(ada.post("/status-reports", pair)) == ["outdated", "outdated"]
    assert state(world.quay_1.sockets.get(number=1))[0] == "Charging"


def test_each_socket_and_the_charger_have_clocks_of_their_own(world, ada):
    ada.post("/status-reports", report(socketId=2, status="Available", message="New"))
    early = report(socketId=1, status="Reserved", at="2026-06-01T12:30:00Z", message="Old", activeConnection=False)
    assert outcomes(ada.post("/status-reports", [early, report(at="2026-06-01T12:30:00Z", status="Info")])) == [
        "applied",
        "applied",
    ]
    charger = Charger.objects.get(pk=world.quay_1.pk)
    assert (charger.status, charger.last_message, charger.has_active_connection) == ("Info", "New", True)
    assert charger.last_seen == NOON + datetime.timedelta(hours=1)


def test_what_is_unknown_or_ahead_is_told_item_by_item(world, ada):
    now = timezone.now()
    ahead = (now + datetime.timedelta(minutes=6)).isoformat()
    just = (now + datetime.timedelta(minutes=4)).isoformat()
    items = [
        report(chargerId="NOBODY"),
        report(chargerId="DEP-1"),
        report(socketId=9),
        report(at=ahead),
        report(at=just),
    ]
    expected = ["unknown_charger", "unknown_charger", "unknown_socket", "ahead", "applied"]
    assert outcomes(ada.post("/status-reports", items)) == expected
    assert Charger.objects.get(pk=world.dep_1.pk).last_seen is None


def test_a_charger_out_of_scope_is_unknown(world):
    rob = Api(world.rob)
    items = [report(), report(chargerId="GAR-1")]
    assert outcomes(rob.post("/status-reports", items)) == ["unknown_charger", "applied"]


def test_a_read_only_key_may_not(world):
    response = Api(world.ada, is_read_only=True).post("/status-reports", report())
    assert_problem(response, 403, "Not permitted")


def test_reports_are_no_edits(world, ada):
    lines = Change.objects.count()
    version = world.quay_1.version
    ada.post("/status-reports", [report(), report(socketId=1)])
    charger = Charger.objects.get(pk=world.quay_1.pk)
    assert (charger.version, charger.status_version, Change.objects.count()) == (version, 1, lines)
    # Who read the charger before the report saves an edit after it, and leaves the report as it is.
    world.quay_1.name = "Renamed"
    world.quay_1.save()
    assert state(world.quay_1)[0] == "Available"


@pytest.mark.parametrize(
    ("values", "pointer"),
    [
        ({"status": "SuspendedEV"}, "/0/status"),
        ({"status": None}, "/0/status"),
        ({"at": "2026-06-01T12:00:00"}, "/0/at"),
        ({"at": "yesterday"}, "/0/at"),
        ({"at": 1780315200}, "/0/at"),
        ({"at": "0001-01-01T00:00:00Z"}, "/0/at"),
        ({"at": "9999-12-31T23:59:59-14:00"}, "/0/at"),
        ({"socketId": -1}, "/0/socketId"),
        ({"socketId": "1"}, "/0/socketId"),
        ({"socketId": 1.0}, "/0/socketId"),
        ({"socketId": 10**30}, "/0/socketId"),
        ({"chargerId": 7}, "/0/chargerId"),
        ({"chargerId": ""}, "/0/chargerId"),
        ({"chargerId": "x" * 49}, "/0/chargerId"),
        ({"chargerId": "a\u0000b"}, "/0/chargerId"),
        ({"activeConnection": "true"}, "/0/activeConnection"),
        ({"message": "two\nlines"}, "/0/message"),
        ({"message": "x" * 1001}, "/0/message"),
        ({"statuss": "Error"}, "/0/statuss"),
        ({"a/b~c": 1}, "/0/a~1b~0c"),
    ],
)
def test_wrong_values_are_named_and_nothing_is_taken_in(world, ada, values, pointer):
    before = state(world.gar_1)
    response = ada.post("/status-reports", [report(**values), report(chargerId="GAR-1")])
    assert_problem(response, 400, BAD_BODY)
    assert [error["pointer"] for error in response.data["errors"]] == [pointer]
    assert state(world.gar_1) == before


def test_all_wrong_values_are_named_at_once(ada):
    response = ada.post("/status-reports", {"status": "x", "socketId": "y"})
    found = {error["pointer"] for error in response.data["errors"]}
    assert found == {"/status", "/socketId", "/chargerId", "/at"}


@pytest.mark.parametrize("body", [1, "x", None, [1], [[]], [None], [report()] * 1001])
def test_bodies_of_another_shape(ada, body):
    assert_problem(ada.post("/status-reports", body), 400, BAD_BODY)


def test_no_reports_are_no_error(ada):
    assert outcomes(ada.post("/status-reports", [])) == []


def test_the_number_of_statements_does_not_grow(world, django_assert_max_num_queries):
    chargers = [made(Charger, site=world.west, charger_id=f"W-{number}") for number in range(20)]
    for charger in chargers:
        made(Socket, charger=charger, number=1)
    at = timezone.now().replace(microsecond=0)
    reports = [StatusReport(f"W-{number % 20}", "Charging", at, socket_number=1) for number in range(1000)]
    caller = Caller(Scope.whole_customer(world.northwind.pk), "tests", "api")
    # begin, chargers, sockets, two updates (each one statement for many rows), end
    with django_assert_max_num_queries(7):
        assert set(apply_reports(caller, reports)) == {"applied"}
    assert Socket.objects.filter(charger__in=chargers, status="Charging").count() == 20
