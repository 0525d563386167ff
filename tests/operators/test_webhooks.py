"""Webhooks: what is told to whom, signed how, in which order, and what happens when nobody listens."""

import base64
import datetime
import ipaddress
import json
import os
import signal
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import standardwebhooks
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.urls import reverse
from django.utils import timezone

from chargers.models import Socket
from chargers.status import StatusReport, apply_reports
from drivers.models import ChargerRight, Driver, SiteRight
from hierarchy import journal, services
from hierarchy.models import Change, Customer, Site
from hierarchy.scoping import Caller, Scope
from operators.models import Operator, SiteGrant
from operators.webhooks import dispatch
from operators.webhooks import services as webhooks
from operators.webhooks.delivery import DeliveryAnswer
from operators.webhooks.models import EVENTS, ToldStatus, Webhook
from tests.client import BAD_BODY, Api, assert_problem
from tests.conftest import made
from tests.threads import at_once

PLATFORM = Caller(Scope.platform(), "tests", journal.COMMAND)
HOUR = datetime.timedelta(hours=1)
OK, BROKEN, UNREACHABLE = (
    DeliveryAnswer(200),
    DeliveryAnswer(500, "Answered 500."),
    DeliveryAnswer(None, "No connection."),
)


class Receiver:
    """Takes the place of the network, and of the clock: `answers` says what becomes of a message, by its object."""

    def __init__(self):
        self.now = timezone.now()
        self.messages, self.headers = [], []
        self.answers = {}
        self.meanwhile = lambda: None

    def __call__(self, url, headers, body):
        message = json.loads(body)
        self.messages.append(message)
        self.headers.append((headers, body))
        self.meanwhile()
        return self.answers.get(message["data"].get("objectId"), OK)

    def serve(self, webhook, later=None):
        """What is sent when the webhook has its turn."""
        self.now += later or datetime.timedelta()
        self.messages.clear()
        self.headers.clear()
        if webhook.pk in dispatch.due(self.now):
            dispatch.serve(webhook.pk, self, lambda: self.now)
        webhook.refresh_from_db()
        return [told(message) for message in self.messages]


def told(message):
    return message["type"], message["data"]["objectId"]


def hook(operator, *events, **values):
    values = {"name": "ERP", "url": "https://erp.example/hooks", "events": list(events or EVENTS[:-1])} | values
    return made(Webhook, operator=operator, **values)


def save(row, **values):
    for name, value in values.items():
        setattr(row, name, value)
    row.save()
    return row


@pytest.fixture
def receiver():
    return Receiver()


def signed_with(secret, headers, body):
    """The signature that a receiver expects, by the library that receivers use."""
    at = datetime.datetime.fromtimestamp(int(headers["webhook-timestamp"]), tz=datetime.UTC)
    return standardwebhooks.Webhook(secret).sign(headers["webhook-id"], at, body.decode())


def test_what_happens_is_told(world, receiver):
    webhook = hook(world.ada)
    site = made(Site, parent=world.west, name="Level 1")
    save(site, name="Level 2")
    save(site, parent=world.airport)
    right = made(SiteRight, driver=world.dirk, site=site)
    site_id, right_id = site.pk, right.pk
    right.delete()
    site.delete()
    made(Site, parent=world.depot, name="Southwind's")
    assert receiver.serve(webhook) == [
        ("site.created", site_id),
        ("site.changed", site_id),
        ("site.moved", site_id),
        ("siteRight.created", right_id),
        ("siteRight.deleted", right_id),
        ("site.deleted", site_id),
    ]
    changed = receiver.messages[1]
    line = Change.objects.get(object_type="site", object_id=site_id, action="changed")
    assert changed["timestamp"].endswith("Z")
    assert changed["data"] == {
        "sequence": line.sequence,
        "at": changed["timestamp"],
        "action": "changed",
        "objectType": "site",
        "objectId": site_id,
        "key": "Level 2",
        "fields": {"groupName": ["Level 1", "Level 2"]},
        "actor": "Chargetree",
        "requestId": "",
    }
    headers, body = receiver.headers[1]
    assert headers["webhook-id"] == f"msg_{webhook.pk}_{line.sequence}"
    assert abs(int(headers["webhook-timestamp"]) - receiver.now.timestamp()) <= 1
    assert headers["webhook-signature"] == signed_with(webhooks.secret(webhook), headers, body)
    assert receiver.serve(webhook) == []
    assert (webhook.cursor, webhook.waiting, webhook.lease) == (webhook.latest(), [], "")


def test_only_what_was_asked_for(world, receiver):
    moves, rights = hook(world.ada, "moved"), hook(world.ada, "rights")
    save(world.garage, name="Basement")
    save(world.garage, parent=world.west)
    made(SiteGrant, operator=world.nell, site=world.west)
    made(ChargerRight, driver=world.dora, charger=world.quay_1).delete()
    assert [kind for kind, _id in receiver.serve(moves)] == ["site.moved"]
    assert [kind for kind, _id in receiver.serve(rights)] == [
        "grant.created",
        "chargerRight.created",
        "chargerRight.deleted",
    ]


def test_later_messages_of_an_object_wait_for_its_earlier_ones(world, receiver):
    webhook = hook(world.ada)
    receiver.answers[world.east.pk] = BROKEN
    save(world.east, name="East 1")
    save(world.west, name="West 1")
    save(world.east, name="East 2")
    east, west = ("site.changed", world.east.pk), ("site.changed", world.west.pk)
    assert receiver.serve(webhook) == [east, west]
    save(world.west, name="West 2")
    assert receiver.serve(webhook) == [west]
    assert (webhook.failing_since, webhook.last_failure) == (None, "Answered 500.")
    assert receiver.serve(webhook, later=dispatch.BACK_OFF[0] * 0.99) == []
    receiver.answers.clear()
    first_id = receiver.serve(webhook, later=dispatch.BACK_OFF[0] * 0.3) and receiver.headers[0][0]["webhook-id"]
    assert [message["data"]["fields"]["groupName"][1] for message in receiver.messages] == ["East 1", "East 2"]
    first = Change.objects.filter(object_id=world.east.pk, object_type="site", action="changed").earliest("sequence")
    assert first_id == f"msg_{webhook.pk}_{first.sequence}"
    assert webhook.waiting == []


def test_it_is_tried_ever_more_rarely_and_then_given_up(world, receiver, caplog):
    webhook = hook(world.ada)
    caplog.set_level("WARNING")
    receiver.answers[world.east.pk] = BROKEN
    save(world.east, name="East 1")
    save(world.east, name="East 2")
    for wait in dispatch.BACK_OFF:
        assert len(receiver.serve(webhook)) == 1
        assert receiver.serve(webhook, later=wait * 0.99) == []
        # Others do arrive, and so it is not disabled.
        save(world.west, name=f"West {wait}")
        receiver.serve(webhook)
        receiver.now += wait * 0.3
    assert receiver.serve(webhook) == [("site.changed", world.east.pk)] * 2
    assert [message["data"]["key"] for message in receiver.messages] == ["East 1", "East 2"]
    assert (webhook.given_up, len(webhook.waiting), webhook.is_active) == (1, 1, True)
    assert "gave up message" in caplog.text


def test_a_receiver_that_is_away_is_left_alone(world, receiver):
    webhook = hook(world.ada)
    receiver.answers = dict.fromkeys([world.east.pk, world.west.pk], UNREACHABLE)
    save(world.east, name="East 1")
    save(world.west, name="West 1")
    assert len(receiver.serve(webhook)) == 1
    assert receiver.serve(webhook) == []
    receiver.answers.clear()
    assert [pk for _kind, pk in receiver.serve(webhook, later=HOUR)] == [world.east.pk, world.west.pk]
    # It says itself for how long; not for ever.
    receiver.answers[world.east.pk] = DeliveryAnswer(429, "Answered 429.", retry_after_s=10.0**9)
    save(world.east, name="East 2")
    save(world.west, name="West 2")
    assert len(receiver.serve(webhook)) == 1
    receiver.answers.clear()
    assert receiver.serve(webhook, later=HOUR * 0.99) == []
    assert len(receiver.serve(webhook, later=HOUR * 0.02)) == 2


def test_so_many_wait_and_no_more(world, receiver, monkeypatch):
    monkeypatch.setattr(dispatch, "MOST_WAITING", 2)
    webhook = hook(world.ada)
    sites = [world.east, world.west, world.garage, world.airport]
    receiver.answers = dict.fromkeys([site.pk for site in sites], BROKEN)
    for site in sites:
        save(site, public_name="new")
    assert len(receiver.serve(webhook)) == 2
    assert len(webhook.waiting) == 2 and webhook.cursor < webhook.latest()
    receiver.answers.clear()
    assert [pk for _kind, pk in receiver.serve(webhook, later=HOUR)] == [site.pk for site in sites]


def test_who_wants_no_more_and_who_is_away_for_days_is_disabled(world, receiver):
    webhook = hook(world.ada)
    receiver.answers[world.east.pk] = DeliveryAnswer(410, "Answered 410.")
    save(world.east, name="East 1")
    save(world.west, name="West 1")
    assert len(receiver.serve(webhook)) == 1
    assert (webhook.is_active, "410" in webhook.disabled_reason) == (False, True)
    line = Change.objects.filter(object_type="webhook").latest("id")
    assert (line.source, line.fields["is_active"]) == ("system", [True, False])
    receiver.answers.clear()
    assert receiver.serve(webhook, later=HOUR) == []
    # Switched on, it goes on where it was.
    services.save(PLATFORM, save(webhook, is_active=True))
    assert len(receiver.serve(webhook)) == 2 and webhook.disabled_reason == ""

    receiver.answers = dict.fromkeys([world.east.pk, world.west.pk], UNREACHABLE)
    save(world.east, name="East 2")
    receiver.serve(webhook)
    receiver.serve(webhook, later=4.9 * 24 * HOUR)
    assert webhook.is_active
    receiver.serve(webhook, later=3 * 24 * HOUR)
    assert not webhook.is_active and webhook.disabled_reason.startswith("Nothing could be delivered for 5 days")
    save(webhook, is_active=True)
    receiver.serve(webhook)
    assert webhook.is_active


def test_a_restricted_operator_is_told_what_lies_in_scope(world, receiver):
    webhook = hook(world.rob)
    inside = save(world.gar_1, name="Garage 1")
    save(world.air_1, name="Gate B")
    save(world.spike, name="Spiky")
    made(ChargerRight, driver=world.dirk, charger=world.gar_2)
    right = made(SiteRight, driver=world.dora, site=world.east)
    save(world.gar_2, site=world.airport, name="Secret")
    save(world.air_1, site=world.garage)
    save(world.east, parent=world.airport)
    assert receiver.serve(webhook) == [
        ("charger.changed", inside.pk),
        ("siteRight.created", right.pk),
        ("charger.moved", world.gar_2.pk),
        ("charger.moved", world.air_1.pk),
        ("site.moved", world.east.pk),
    ]
    assert [(message["data"]["key"], message["data"]["fields"]) for message in receiver.messages[2:]] == [
        # One that left: where to, and what else became of it, is out of sight.
        ("", {"groupId": [world.garage.pk, None]}),
        ("AIR-1", {"groupId": [None, world.garage.pk]}),
        # What lies over the granted site is out of sight before and after.
        ("East car park", {}),
    ]
    # What is withdrawn stops at once: between two messages, and for one that waits.
    save(world.gar_1, name="Garage 2")
    save(world.dora, name="Theodora")
    receiver.meanwhile = lambda: SiteGrant.objects.filter(operator=world.rob).delete()
    receiver.answers[inside.pk] = BROKEN
    assert receiver.serve(webhook) == [("charger.changed", inside.pk)]
    assert receiver.serve(webhook, later=HOUR) == [] and webhook.waiting == []
    # Who is locked out is told nothing; what happened meanwhile comes with the way back in.
    of_admin = hook(world.ada, "created")
    site = made(Site, parent=world.west, name="Level 1")
    save(world.ada, is_active=False)
    assert receiver.serve(of_admin) == []
    save(world.ada, is_active=True)
    assert receiver.serve(of_admin) == [("site.created", site.pk)]


def test_nothing_secret_is_told(world, receiver):
    webhook = hook(world.ada)
    Api(world.ada)
    other = hook(world.ada, name="Other")
    webhooks.rotate(PLATFORM, other)
    operator = made(Operator, customer=world.northwind, email="new@northwind.example", name="New")
    save(operator, password="pbkdf2$hash")
    made(Driver, customer=world.northwind, name="Last")
    assert [kind for kind, _id in receiver.serve(webhook)] == ["operator.created", "operator.changed", "driver.created"]
    text = b"".join(body for _headers, body in receiver.headers).decode()
    for word in ("password", "hash", "digest", "seed", "***", other.seed, webhooks.secret(other)):
        assert word not in text


def test_rotation_signs_with_both_secrets_for_a_day(world, receiver):
    webhook = hook(world.ada)
    old = webhooks.secret(webhook)
    new = webhooks.rotate(PLATFORM, webhook)
    assert old != new and new == webhooks.secret(Webhook.objects.get())
    assert len(base64.b64decode(new.removeprefix("whsec_"))) == 32
    for later, secrets in ((0 * HOUR, [new, old]), (23 * HOUR, [new, old]), (2 * HOUR, [new])):
        save(world.west, public_name=str(later))
        receiver.serve(webhook, later=later)
        headers, body = receiver.headers[0]
        assert headers["webhook-signature"].split() == [signed_with(secret, headers, body) for secret in secrets]
    # Nothing that is stored is a secret, or enough to make one.
    assert "whsec" not in str(Webhook.objects.values().get())
    line = Change.objects.filter(object_type="webhook").latest("id")
    assert line.fields == {name: line.fields[name] for name in ("seed", "previous_seed", "previous_until")}
    assert {value for values in line.fields.values() for value in values} == {"***", None}


def report(charger, status, number=0, minute=0, **values):
    at = timezone.now().replace(microsecond=0) - HOUR + datetime.timedelta(minutes=minute)
    apply_reports(PLATFORM, [StatusReport(charger.charger_id, status, at, socket_number=number, **values)])


def test_statuses_are_told_to_who_asked_as_they_are_now(world, receiver):
    report(world.gar_1, "Charging", 1)
    webhook, other = hook(world.rob, "status"), hook(world.rob)
    assert receiver.serve(webhook) == []
    report(world.gar_1, "Finishing", 1, minute=1, is_connected=True)
    report(world.gar_1, "Available", 1, minute=2)
    report(world.air_1, "Error", 1, minute=2)
    assert receiver.serve(webhook) == [("charger.status", world.gar_1.pk)]
    data = receiver.messages[0]["data"]
    socket = Socket.objects.get(charger=world.gar_1)
    reported_at = receiver.messages[0]["timestamp"]
    assert data == {
        "objectType": "charger",
        "objectId": world.gar_1.pk,
        "chargerId": "GAR-1",
        "groupId": world.garage.pk,
        "chargerStatus": "Offline",
        "activeConnection": True,
        "lastSeen": reported_at,
        "lastMessage": None,
        "firmwareVersion": None,
        "sockets": [{"id": socket.number, "status": "Available", "lastUpdated": reported_at}],
    }
    assert receiver.serve(other) == []
    # The same again is no news. What fails is tried again, with the state as it is by then.
    report(world.gar_1, "Available", 1, minute=3)
    assert receiver.serve(webhook) == []
    receiver.answers[world.gar_1.pk] = BROKEN
    report(world.gar_1, "Preparing", 1, minute=4)
    assert len(receiver.serve(webhook)) == 1
    report(world.gar_1, "Charging", 1, minute=5)
    assert receiver.serve(webhook) == []
    receiver.answers.clear()
    assert len(receiver.serve(webhook, later=HOUR)) == 1
    assert receiver.messages[0]["data"]["sockets"][0]["status"] == "Charging"
    assert receiver.serve(webhook, later=HOUR) == [] and webhook.waiting == []
    # A charger that comes into sight is told.
    save(world.air_1, site=world.garage)
    report(world.air_1, "Available", 1, minute=5)
    assert receiver.serve(webhook) == [("charger.status", world.air_1.pk)]
    world.gar_1.delete()
    dispatch.forget_what_is_gone()
    assert set(ToldStatus.objects.values_list("charger_id", flat=True)) == {world.gar_2.pk, world.air_1.pk}
    webhook.delete()
    dispatch.forget_what_is_gone()
    assert not ToldStatus.objects.exists()


def test_statuses_are_told_from_the_moment_on_in_which_they_are_asked_for(world, receiver):
    """That counts in which a report is applied, not the one that it names, nor that in which somebody delivers."""
    report(world.quay_1, "Available", 1, minute=1)
    webhook, late = hook(world.ada, "status"), hook(world.ada)
    assert receiver.serve(late) == []
    years_ago = -3 * 365 * 24 * 60
    report(world.gar_1, "Charging", 1, minute=years_ago)
    save(late, events=["status", "moved"])
    report(world.air_1, "Charging", 1, minute=years_ago)
    gar_1, air_1 = ("charger.status", world.gar_1.pk), ("charger.status", world.air_1.pk)
    assert receiver.serve(webhook) == [gar_1, air_1]
    assert receiver.messages[0]["data"]["sockets"][0]["status"] == "Charging"
    assert receiver.serve(late) == [air_1]
    # Not asked for meanwhile: as before the first time.
    save(webhook, events=["moved"])
    report(world.gar_1, "Error", 1)
    save(webhook, events=["status"])
    assert receiver.serve(webhook) == []
    report(world.gar_1, "Available", 1, minute=1)
    assert receiver.serve(webhook) == [gar_1]


def test_switched_on_again_it_is_tried_at_once(world, receiver):
    webhook = hook(world.ada)
    receiver.answers = dict.fromkeys([world.east.pk, world.west.pk], BROKEN)
    save(world.east, name="East 1")
    save(world.west, name="West 1")
    receiver.serve(webhook)
    receiver.answers[world.west.pk] = DeliveryAnswer(503, "Answered 503.", retry_after_s=3600.0)
    assert len(receiver.serve(webhook, later=dispatch.BACK_OFF[0] * 1.2)) == 2
    # Switched off for a week by hand, which is no week of failures.
    save(webhook, is_active=False)
    Webhook._base_manager.filter(pk=webhook.pk).update(failing_since=receiver.now - 7 * 24 * HOUR)
    assert receiver.serve(webhook) == []
    save(webhook, is_active=True)
    receiver.now = timezone.now()
    east, west = ("site.changed", world.east.pk), ("site.changed", world.west.pk)
    assert receiver.serve(webhook) == [east, west]
    assert webhook.is_active and [one["attempts"] for one in webhook.waiting] == [1, 1]
    # Another change does not hurry it.
    receiver.now += HOUR
    receiver.serve(webhook)
    save(webhook, name="Other")
    assert receiver.serve(webhook) == []


def test_telling_again(world, receiver):
    webhook = hook(world.ada)
    since = webhook.latest()
    receiver.answers[world.west.pk] = BROKEN
    for site in (world.east, world.west, world.garage):
        save(site, public_name="new")
    receiver.serve(webhook)
    ids = [headers["webhook-id"] for headers, _body in receiver.headers]
    webhooks.replay(PLATFORM, webhook, since + 1)
    receiver.answers.clear()
    receiver.serve(webhook)
    assert [headers["webhook-id"] for headers, _body in receiver.headers] == ids[1:]
    # While a message is on its way: whoever sent it does not put the cursor back.
    save(world.east, public_name="newer")
    receiver.meanwhile = lambda: webhooks.replay(PLATFORM, webhook, webhook.latest() - 1)
    assert len(receiver.serve(webhook)) == 1
    receiver.meanwhile = lambda: None
    assert len(receiver.serve(webhook)) == 1
    webhooks.replay(PLATFORM, webhook, webhook.latest())
    assert receiver.serve(webhook) == []
    for number in (-1, webhook.latest() + 1, 10**30):
        with pytest.raises(ValidationError, match=f"from 0 to {webhook.latest()}"):
            webhooks.replay(PLATFORM, webhook, number)


def test_one_at_a_time_serves_a_webhook(world, receiver):
    webhook = hook(world.ada)
    save(world.east, name="East 1")
    turns = []

    def meanwhile():
        turns.append((webhook.pk in dispatch.due(receiver.now), dispatch.serve(webhook.pk, receiver)))

    receiver.meanwhile = meanwhile
    assert len(receiver.serve(webhook)) == 1
    assert turns == [(False, 0)]
    # One who died in the middle is followed by another, after a while.
    save(world.east, name="East 2")
    receiver.meanwhile = lambda: 1 / 0
    with pytest.raises(ZeroDivisionError):
        receiver.serve(webhook)
    receiver.meanwhile = lambda: None
    assert receiver.serve(webhook) == []
    assert len(receiver.serve(webhook, later=dispatch.LEASE)) == 1


def test_the_api(world):
    ada, rob = Api(world.ada), Api(world.rob)
    made_by_rob = rob.post("/webhooks", {"name": "Rob's", "url": "https://rob.example/"})
    assert made_by_rob.status_code == 201, made_by_rob.body
    webhook = Webhook.objects.get()
    assert made_by_rob.data["secret"] == webhooks.secret(webhook)
    assert made_by_rob.data["events"] == list(EVENTS[:-1])
    assert made_by_rob.data["operatorId"] == world.rob.operator_id
    path = f"/webhooks/{webhook.pk}"
    assert (rob.get(path).data["secret"], rob.get("/webhooks").data["items"][0]["secret"]) == (None, None)
    changed = rob.request("patch", path, b'{"events": ["status"], "isActive": false}')
    assert (changed.data["events"], changed.data["isActive"], changed.data["secret"]) == (["status"], False, None)
    rotated = rob.request("post", f"{path}/rotate", **{"If-Match": changed.headers["ETag"]})
    webhook.refresh_from_db()
    assert rotated.data["secret"] == webhooks.secret(webhook) != made_by_rob.data["secret"]
    assert rob.request("post", f"{path}/rotate", **{"If-Match": changed.headers["ETag"]}).status_code == 412
    assert rob.post(f"{path}/replay", {"since": 0}).data["lastSequence"] == 0
    wrong = rob.post(f"{path}/replay", {"since": 10**9})
    assert_problem(wrong, 400, BAD_BODY)
    assert wrong.data["errors"][0]["pointer"] == "/since"
    Webhook._base_manager.update(url="https://[::1]/")
    tried = rob.request("post", f"{path}/try")
    assert tried.data == {"delivered": False, "status": None, "failure": "The host has no public address."}

    # Admin operators see and change everybody's, others only their own.
    of_ada = ada.post("/webhooks", [{"name": "Ada's", "url": "https://ada.example/", "events": ["moved"]}]).data[0]
    assert [item["name"] for item in ada.get("/webhooks").data["items"]] == ["Rob's", "Ada's"]
    assert ada.request("post", f"{path}/rotate").status_code == 200
    for request in (("get", ""), ("post", "/rotate"), ("post", "/try"), ("delete", "")):
        answer = rob.request(request[0], f"/webhooks/{of_ada['id']}{request[1]}")
        assert_problem(answer, 404, "Webhook not found for the customer")
    reader = Api(world.rob, is_read_only=True)
    assert reader.get(path).status_code == 200
    for action in ("rotate", "try"):
        assert_problem(reader.request("post", f"{path}/{action}"), 403, "Not permitted")
    assert_problem(reader.post(f"{path}/replay", {"since": 0}), 403, "Not permitted")
    assert rob.request("delete", path).status_code == 204
    assert Webhook.objects.count() == 1


def test_wrong_webhooks_are_refused(world):
    api = Api(world.ada)
    addresses = [
        "",
        "ftp://a.example/",
        "http://a.example/",
        "https://",
        "https://user:secret@a.example/",
        "https://a.example/#here",
        "https://a.example:99999/",
        "https://a..example/",
        "https://ä.example/",
        "https://a.example/a b",
        "https://a.example/\r\nX: 1",
        "https://[::1/",
    ]
    for url in addresses:
        answer = api.post("/webhooks", {"name": "ERP", "url": url})
        assert_problem(answer, 400, BAD_BODY)
        assert {error["pointer"] for error in answer.data["errors"]} == {"/url"}, url
    inside = ["127.0.0.1", "127.1", "10.1.2.3:8443", "169.254.169.254", "2130706433", "0x7f000001", "0177.0.0.1"]
    for host in (*inside, "[::1]", "[::ffff:10.0.0.1]", "[fd00::1]"):
        answer = api.post("/webhooks", {"name": "ERP", "url": f"https://{host}/"})
        assert_problem(answer, 400, BAD_BODY)
        assert [(one["pointer"], one["detail"]) for one in answer.data["errors"]] == [
            ("/url", "The host has no public address.")
        ], host
    for events in ([], ["all"], ["moved", "moved"], "moved", [[]], [{}]):
        answer = api.post("/webhooks", {"name": "ERP", "url": "https://a.example/", "events": events})
        assert_problem(answer, 400, BAD_BODY)
        assert answer.data["errors"][0]["pointer"] == "/events"
    with pytest.raises(ValidationError, match="have no webhooks"):
        services.save(PLATFORM, Webhook(operator=world.pat, name="ERP", url="https://a.example/"))
    assert not Webhook.objects.exists()


def test_addresses_that_are_no_names(world, settings):
    """Public ones, and those that the settings allow; names are not looked up."""
    api = Api(world.ada)
    path = f"/webhooks/{hook(world.ada).pk}"

    def code(url):
        return api.request("patch", path, json.dumps({"url": url}).encode()).status_code

    assert [code(f"https://{host}/") for host in ("93.184.216.34", "[2606:4700::1111]", "1.example")] == [200] * 3
    assert [code("https://10.1.2.3/"), code("https://localhost/")] == [400, 200]
    settings.WEBHOOK_PRIVATE_NETWORKS = [ipaddress.ip_network("10.1.0.0/16")]
    assert [code(url) for url in ("https://10.1.2.3/", "http://10.1.2.3:8080/", "http://0xa010203/")] == [200] * 3
    assert [code(url) for url in ("https://10.2.0.1/", "http://93.184.216.34/")] == [400] * 2


def test_the_admin_shows_a_secret_once(world, client):
    client.force_login(world.ada)
    page = reverse("admin:operators_webhook_add")
    assert client.get(page).context["adminform"].form["events"].value() == list(EVENTS[:-1])
    data = {"operator": world.ada.pk, "name": "ERP", "url": "https://a.example/", "events": ["moved", "status"]}
    shown = client.post(page, data, follow=True)
    webhook = Webhook.objects.get()
    assert webhooks.secret(webhook) in shown.content.decode()
    assert webhook.events == ["moved", "status"] and webhook.cursor > 0
    change = client.get(reverse("admin:operators_webhook_change", args=[webhook.pk]))
    assert webhooks.secret(webhook) not in change.content.decode() and webhook.seed not in change.content.decode()
    rotate = reverse("admin:operators_webhook_rotate", args=[webhook.pk])
    rotated = client.post(rotate, follow=True).content.decode()
    assert webhooks.secret(Webhook.objects.get()) in rotated
    assert webhooks.secret(webhook) not in rotated


@pytest.fixture
def server(settings):
    """A real receiver on this machine, which the settings allow."""
    settings.WEBHOOK_PRIVATE_NETWORKS = [ipaddress.ip_network("127.0.0.0/8")]

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            server.received.append((self.headers, body))
            server.then()
            self.send_response(204)
            self.end_headers()

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.received, server.then = [], lambda: None
    server.url = f"http://127.0.0.1:{server.server_port}/hooks"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def test_the_command_once(world, server, capsys):
    webhook = hook(world.ada, url=server.url)
    save(world.east, name="East 1")
    save(world.west, name="West 1")
    call_command("deliver_webhooks", "--once")
    assert capsys.readouterr().out == "2 delivered, 0 failed.\n"
    headers, body = server.received[0]
    assert headers["webhook-signature"] == signed_with(webhooks.secret(webhook), headers, body)
    assert headers["Content-Type"] == "application/json" and json.loads(body)["type"] == "site.changed"
    call_command("deliver_webhooks", "--replay", webhook.pk, "--since", webhook.latest() - 1)
    call_command("deliver_webhooks", "--once")
    assert capsys.readouterr().out.endswith("1 delivered, 0 failed.\n")
    assert [one["webhook-id"] for one, _body in server.received[1:]] == [server.received[1][0]["webhook-id"]] * 2
    for arguments, message in (
        (["--replay", "1"], "give both"),
        (["--replay", "0", "--since", "1"], f"There is no webhook 0: there are {webhook.pk} \\(ERP\\)"),
        (["--replay", str(webhook.pk), "--since", "999999"], "since: Must be from 0 to"),
        (["--every", "0"], "whole number from 1"),
    ):
        with pytest.raises(CommandError, match=message):
            call_command("deliver_webhooks", *arguments)


@pytest.mark.django_db(transaction=True)
def test_loops_share_the_work_and_stop_when_asked(server):
    customer = made(Customer, name="Northwind")
    operator = made(Operator, customer=customer, email="ada@northwind.example", name="Ada", is_admin_operator=True)
    webhook = hook(operator, url=server.url)
    for number in range(10):
        made(Site, customer=customer, name=f"Site {number}")
    at_once(*[lambda: dispatch.serve(webhook.pk)] * 2)
    first = [headers["webhook-id"] for headers, _body in server.received]
    assert len(first) == len(set(first)) == 10
    assert [json.loads(body)["data"]["key"] for _headers, body in server.received] == [f"Site {n}" for n in range(10)]

    made(Site, customer=customer, name="One more")
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    server.then = lambda: os.kill(os.getpid(), signal.SIGTERM)
    try:
        call_command("deliver_webhooks", "--every", "1")
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    webhook.refresh_from_db()
    assert (len(server.received), webhook.cursor, webhook.lease) == (11, webhook.latest(), "")
