"""What the database writes for the wire is what the serializers' own path writes."""

import datetime

import pytest

from chargers.models import Charger
from chargers.serializers import ChargerSerializer
from hierarchy.column_types import TimestampText
from hierarchy.timestamps import format_timestamp

UTC = datetime.UTC
EAST = datetime.timezone(datetime.timedelta(hours=5, minutes=45))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (datetime.datetime(2026, 6, 1, 12, 0, 0, tzinfo=UTC), "2026-06-01T12:00:00Z"),
        (datetime.datetime(2026, 6, 1, 12, 0, 0, 120_000, tzinfo=UTC), "2026-06-01T12:00:00.120Z"),
        (datetime.datetime(2026, 6, 1, 12, 0, 0, 1_000, tzinfo=UTC), "2026-06-01T12:00:00.001Z"),
        (datetime.datetime(2026, 6, 1, 12, 0, 0, 999_999, tzinfo=UTC), "2026-06-01T12:00:00.999Z"),
        (datetime.datetime(2026, 6, 1, 12, 0, 0, 999, tzinfo=UTC), "2026-06-01T12:00:00Z"),
        (datetime.datetime(2026, 6, 1, 0, 30, tzinfo=EAST), "2026-05-31T18:45:00Z"),
        (datetime.datetime(1, 1, 2, tzinfo=UTC), "0001-01-02T00:00:00Z"),
        (datetime.datetime(1969, 12, 31, 23, 59, 59, 7_000, tzinfo=UTC), "1969-12-31T23:59:59.007Z"),
        (datetime.datetime(9999, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC), "9999-12-31T23:59:59.999Z"),
    ],
)
def test_a_moment_is_the_same_text_by_either_way(world, value, text):
    rows = Charger._base_manager.filter(pk=world.quay_1.pk)
    rows.update(last_seen=value)
    assert rows.values_list(TimestampText("last_seen"), flat=True).get() == text
    assert format_timestamp(rows.get().last_seen) == text


def test_no_moment_stays_none(world):
    rows = Charger._base_manager.filter(pk=world.quay_1.pk)
    rows.update(last_seen=None)
    assert rows.values_list(TimestampText("last_seen"), flat=True).get() is None


@pytest.mark.parametrize(
    ("name", "stored"),
    [
        ("capabilities", ["ß", '"', "\\u0041"]),
        ("integration_relays", []),
        ("custom_properties", {"b": 'Zoë "é" \\ \u2028', "a": "東京", "": "1e400"}),
    ],
)
def test_a_json_column_is_the_same_value_by_either_way(world, name, stored):
    rows = Charger._base_manager.filter(pk=world.quay_1.pk)
    rows.update(**{name: stored})
    (field,) = (field for field in ChargerSerializer().fields.values() if field.source == name)
    decoded = field.decode(rows.values_list(field.column(name), flat=True).get())
    assert decoded == field.to_representation(stored)
    assert list(decoded) == list(field.to_representation(stored))
