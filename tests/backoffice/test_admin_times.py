"""Moments in the admin: shown and typed in the zone of their place, stored in UTC."""

import datetime
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from backoffice.times import site_zones
from chargers.models import Charger
from drivers.models import Driver, Tag
from hierarchy.models import Customer, Site
from operators.models import ApiKey, Operator
from tests.backoffice.admin_pages import address, errors_of, filled
from tests.conftest import NOON, made

# The clocks of Amsterdam are set forward at 01:00 UTC on the one day, and back at 01:00 UTC on the other.
SPRING, AUTUMN = "2026-03-29", "2026-10-25"


def utc(day, time):
    return datetime.datetime.fromisoformat(f"{day}T{time}Z")


@pytest.fixture
def ada(client, world):
    client.force_login(world.ada)
    return client


def times(response):
    """What the page shows of moments: UTC, what stands behind it, and the text."""
    found = re.findall(r'<time datetime="([^"]*)" title="([^"]*)">(.*?)</time>', response.content.decode())
    return [(exact, title, re.sub("<[^>]*>", "", text)) for exact, title, text in found]


def test_it_works(ada, world):
    shown = times(ada.get(address(Charger, "changelist")))
    assert shown == [
        ("2026-06-01T12:00:00+00:00", "2026-06-01 12:00:00 UTC, Europe/Amsterdam", "2026-06-01 14:00 CEST")
    ]
    path = address(Tag, "change", world.dora_fob.pk)
    page = ada.get(path)
    assert 'value="2026-06-01T14:00:00"' in page.content.decode()
    assert 'id="id_starts_at_zone">Europe/Amsterdam<' in page.content.decode()
    assert ada.post(path, filled(page, starts_at="2026-01-01T08:30")).status_code == 302
    assert Tag.objects.get(pk=world.dora_fob.pk).starts_at == utc("2026-01-01", "07:30:00")


def test_the_nearest_zone_counts(ada, world):
    """Garage takes Lisbon from the car park above; Airport has none and no site above: the customer's."""
    Site._base_manager.filter(pk=world.east.pk).update(time_zone="Europe/Lisbon")
    # Neither a neighbour's zone nor one of which this machine knows nothing.
    Site._base_manager.filter(pk=world.west.pk).update(time_zone="Asia/Tokyo")
    Site._base_manager.filter(pk=world.depot.pk).update(time_zone="Mars/Base")
    sites = [world.harbour, world.east, world.garage, world.west, world.airport, world.depot]
    with CaptureQueriesContext(connection) as queries:
        zones = site_zones(site.pk for site in sites)
    assert len(queries) == 1
    names = ["Europe/Amsterdam", "Europe/Lisbon", "Europe/Lisbon", "Asia/Tokyo", "Europe/Amsterdam", "UTC"]
    assert [str(zones[site.pk]) for site in sites] == names

    assert "2026-06-01 13:00 WEST" in [text for *_, text in times(ada.get(address(Tag, "changelist")))]
    lines = ada.get(address(Driver, "change", world.dora.pk)).content.decode()
    assert 'id="id_tags-1-starts_at_zone">Europe/Lisbon<' in lines
    assert 'value="2026-06-01T13:00:00"' in lines
    # One who does not see the site with the zone.
    ada.force_login(world.rob)
    assert "2026-06-01 13:00 WEST" in [text for *_, text in times(ada.get(address(Tag, "changelist")))]


def test_without_a_site_it_is_the_customers(ada, world):
    Tag._base_manager.filter(pk=world.dora_fob.pk).update(driver=world.spike)
    texts = [text for *_, text in times(ada.get(address(Tag, "changelist")))]
    assert "2026-06-01 14:00 CEST" in texts
    ada.force_login(world.pat)
    assert "2026-06-01 14:00 CEST" in [text for *_, text in times(ada.get(address(Tag, "changelist")))]
    for customer, zone in ((world.northwind, ", Europe/Amsterdam"), (world.southwind, "")):
        ((_exact, title, _text),) = times(ada.get(address(Customer, "history", customer.pk)))
        assert title.partition(" UTC")[2] == zone


def test_what_is_only_read(ada, world):
    """Of everything that shows a moment: none in words of another zone, and none without its zone."""
    key = made(ApiKey, operator=world.rob, name="Backend", hint="ctk_abcd", digest="d", last_used_at=NOON)
    charger = address(Charger, "change", world.quay_1.pk)
    Operator._base_manager.filter(pk=world.rob.pk).update(last_login=NOON)
    pages = [charger, address(ApiKey, "change", key.pk), address(ApiKey, "changelist")]
    pages += [address(Operator, "change", world.rob.pk), address(Operator, "changelist")]
    for page in pages:
        assert "2026-06-01 14:00 CEST" in str(times(ada.get(page))), page


def typed(client, tag, **values):
    path = address(Tag, "change", tag.pk)
    answer = client.post(path, filled(client.get(path), **values))
    return Tag.objects.get(pk=tag.pk) if answer.status_code == 302 else answer


def test_a_time_that_the_clocks_skip(ada, world):
    refused = typed(ada, world.dora_card, starts_at=f"{SPRING}T02:30")
    assert errors_of(refused) == [
        f"This time does not exist in Europe/Amsterdam: clocks go forward. Choose {SPRING} 01:30 or {SPRING} 03:30."
    ]
    assert f'value="{SPRING}T02:30:00"' in refused.content.decode()
    assert typed(ada, world.dora_card, starts_at=f"{SPRING}T03:00").starts_at == utc(SPRING, "01:00:00")


def test_a_time_that_the_clocks_show_twice(ada, world):
    refused = typed(ada, world.dora_card, starts_at=f"{AUTUMN}T02:30")
    assert "Choose the UTC offset" in errors_of(refused)[0]
    choices = re.findall(r'<option value="([+-][^"]*)">([^<]*)<', refused.content.decode())
    assert choices == [("+02:00", "02:30 CEST (UTC+02:00)"), ("+01:00", "02:30 CET (UTC+01:00)")]
    for offset, time in (("+02:00", "00:30:00"), ("+01:00", "01:30:00")):
        values = {"starts_at": f"{AUTUMN}T02:30", "starts_at_offset": offset}
        assert typed(ada, world.dora_card, **values).starts_at == utc(AUTUMN, time)
    # As it is stored, it is one of the two, and stays that one.
    page = ada.get(address(Tag, "change", world.dora_card.pk)).content.decode()
    assert '<option value="+01:00" selected>' in page
    assert typed(ada, world.dora_card, token_name="Blue").starts_at == utc(AUTUMN, "01:30:00")
    # The answer to another time's question.
    values = {"starts_at": "2026-07-01T02:30", "starts_at_offset": "+01:00"}
    assert typed(ada, world.dora_card, **values).starts_at == utc("2026-07-01", "00:30:00")


@pytest.mark.parametrize(
    "value", ["tomorrow", "2026-13-01T00:00", "\0", "0001-01-01T00:00", "9999-12-31T23:59:59-23:00", "2026-01-01T25:00"]
)
def test_what_is_no_moment(ada, world, value):
    refused = typed(ada, world.dora_card, starts_at=value, starts_at_offset="+99:99")
    assert refused.status_code == 200
    assert errors_of(refused)


def test_beyond_the_calendar(ada, world):
    """Typed over a moment that is there, by hand: in years 1 and 9999 not every zone has a time."""
    path = address(Tag, "change", world.dora_fob.pk)
    page = ada.get(path)
    for value in ("0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"):
        refused = ada.post(path, filled(page, expires_at=value))
        assert "This date is out of range." in errors_of(refused)


def test_an_untouched_moment_stays_as_it_is(ada, world):
    stored = {"starts_at": NOON.replace(microsecond=123_000), "expires_at": utc("9999-12-31", "23:30:00")}
    Tag._base_manager.filter(pk=world.dora_fob.pk).update(**stored)
    tag = typed(ada, world.dora_fob, token_name="Key fob")
    assert (tag.token_name, tag.starts_at, tag.expires_at) == ("Key fob", *stored.values())
    # As browsers send a time without seconds.
    tag = typed(ada, world.dora_fob, starts_at="2026-06-01T14:00", expires_at="")
    assert (tag.starts_at, tag.expires_at) == (stored["starts_at"], None)
    path = address(Driver, "change", world.dora.pk)
    assert ada.post(path, filled(ada.get(path), **{"tags-1-token_name": "Fob"})).status_code == 302
    assert Tag.objects.get(pk=world.dora_fob.pk).starts_at == stored["starts_at"]
