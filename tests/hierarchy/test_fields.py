"""Fields and texts: the forms in which values are compared and stored, the same on every database."""

import datetime
import math
import unicodedata

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from chargers.models import Charger, Socket
from chargers.vocabulary import validate_charger_id, validate_evse_id
from drivers.models import Driver, Tag
from hierarchy.fields import NEVER_EXPIRES, NEVER_HAPPENED, KeyField, NameField, validate_finite, validate_text
from hierarchy.models import Change, Site
from hierarchy.text import comparison_key
from hierarchy.timezones import validate_time_zone
from tests.conftest import NOON, made

MILLISECOND = datetime.timedelta(milliseconds=1)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("  Straße\u00a0 12\u2003", "strasse 12"),
        ("e\u0301", "é"),
        ("E\u0301", "é"),
        ("\u212bngstrom", "ångström".replace("ö", "o")),
        ("ΌΣΟΣ", "όσοσ"),
        ("İ", "i\u0307"),
        ("\ufb01n", "fin"),
        ("", ""),
        ("東京", "東京"),
    ],
)
def test_the_comparison_key(text, key):
    assert comparison_key(text) == key


@given(st.text())
def test_the_key_is_a_normal_form(text):
    key = comparison_key(text)
    assert unicodedata.is_normalized("NFC", key)
    assert key == " ".join(key.split())
    assert comparison_key(unicodedata.normalize("NFD", text)) == key
    assert comparison_key(f"\t {text} \u2003") == key


@given(st.text(max_size=255))
def test_the_key_of_the_longest_name_fits_its_column(text):
    assert len(comparison_key(text)) <= Site._meta.get_field("name_key").max_length


def test_keys_are_ordered_as_python_orders_text(world):
    names = ["zebra", "Ärger", "Zoë", "alpha", "Alpha 2", "ß", "東京", "_", "É", "🚗", "\ufb01"]
    for name in names:
        made(Driver, customer=world.southwind, name=name)
    stored = list(Driver.objects.filter(customer=world.southwind).order_by("name_key").values_list("name", flat=True))
    assert stored == sorted([*names, "Sid"], key=comparison_key)


def test_a_key_follows_its_column(world):
    world.west.name = "WESTERN  car park"
    world.west.save()
    assert Site.objects.get(name_key="western car park").pk == world.west.pk


def test_a_key_column_is_compared_by_code_points():
    field = KeyField(of="name")
    expected = "C" if connection.vendor == "postgresql" else None
    assert field.db_parameters(connection)["collation"] == expected


@pytest.mark.parametrize("text", ["\x00", "a\x07b", "\x7f", "\ud800", "\udfff"])
def test_what_cannot_be_stored_is_refused_with_its_place(text):
    with pytest.raises(ValidationError, match=r"U\+[0-9A-F]{4} at position [12]"):
        validate_text(text)


@pytest.mark.parametrize("text", ["a\nb", "a\tb", "\r", "a\u2028", "\x85"])
def test_a_name_is_one_line(text):
    with pytest.raises(ValidationError, match=r"line break or tab at position [12]"):
        NameField().clean(text, None)


@pytest.mark.parametrize("text", ["a\u202eb", "\u2066", "a\u2069"])
def test_a_name_turns_nothing_around(text):
    with pytest.raises(ValidationError, match=r"U\+20[26][0-9A-E] at position [12], which reverses text"):
        NameField().clean(text, None)


def test_names_from_right_to_left_are_names():
    for text in ("תחנה ראשית", "محطة 1\u200f", "a\u200eb"):
        assert NameField().clean(text, None) == text


@pytest.mark.parametrize("text", ["", " ", "\u00a0\u2003"])
def test_a_name_says_something(text):
    with pytest.raises(ValidationError):
        NameField().clean(text, None)


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_a_number_is_finite(number):
    with pytest.raises(ValidationError, match="ordinary number"):
        validate_finite(number)


@pytest.mark.parametrize("given", ["", None])
def test_an_optional_line_without_a_value_is_null(world, given):
    world.quay_1.manufacturer = given
    world.quay_1.save()
    assert world.quay_1.manufacturer is None
    assert Charger.objects.get(manufacturer__isnull=True, pk=world.quay_1.pk)
    Charger._base_manager.filter(pk=world.air_1.pk).update(manufacturer=given)
    assert Charger.objects.get(manufacturer__isnull=True, pk=world.air_1.pk)


def test_moments_are_stored_to_the_millisecond(world):
    odd = NOON + datetime.timedelta(microseconds=1999)
    tag = made(Tag, driver=world.dora, id_tag="NEW", starts_at=odd)
    assert tag.starts_at == NOON + MILLISECOND
    assert Tag.objects.get(pk=tag.pk).starts_at == NOON + MILLISECOND
    assert Tag.objects.filter(starts_at=odd, pk=tag.pk).exists()


def test_moments_in_other_zones_are_the_same_moments(world):
    there = NOON.astimezone(datetime.timezone(datetime.timedelta(hours=5, minutes=30)))
    tag = made(Tag, driver=world.dora, id_tag="NEW", starts_at=there)
    stored = Tag.objects.get(pk=tag.pk).starts_at
    assert stored == tag.starts_at == NOON
    assert stored.utcoffset() == tag.starts_at.utcoffset() == datetime.timedelta(0)
    assert Change.objects.first().fields["starts_at"] == [None, "2026-06-01T12:00:00Z"]


@pytest.mark.parametrize("sentinel", [NEVER_EXPIRES, NEVER_EXPIRES + 999 * MILLISECOND])
def test_what_never_expires_is_null(world, sentinel):
    assert made(Tag, driver=world.dora, id_tag="NEW", expires_at=sentinel).expires_at is None
    assert Tag.objects.get(id_tag="NEW").expires_at is None


def test_what_never_happened_is_null(world):
    charger = made(Charger, site=world.east, charger_id="NEW", last_seen=NEVER_HAPPENED)
    socket = made(Socket, charger=charger, number=1, reported_at=NEVER_HAPPENED)
    assert Charger.objects.get(pk=charger.pk).last_seen is None
    assert Socket.objects.get(pk=socket.pk).reported_at is None


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "yesterday", "2026-02-30"])
def test_a_moment_that_is_none_is_refused(text):
    with pytest.raises(ValidationError):
        Tag._meta.get_field("starts_at").clean(text, None)


@pytest.mark.parametrize("value", ["A", "a-B_9=:+|@.*", "x" * 48])
def test_charger_ids(value):
    Charger._meta.get_field("charger_id").clean(value, None)


@pytest.mark.parametrize("value", ["", " ", "a b", "a/b", "é", "a\n", "x" * 49, "٣"])
def test_wrong_charger_ids(value):
    with pytest.raises(ValidationError):
        Charger._meta.get_field("charger_id").clean(value, None)


@pytest.mark.parametrize("value", ["FR*A23*E45B*78C", "NLABCE1", "de*abc*e1", "NL*ABC*E" + "1" * 40])
def test_evse_ids(value):
    validate_evse_id(value)


@pytest.mark.parametrize(
    "value", ["FR*A23*45", "F*A23*E1", "FRA23", "NL*ABC*E", "NL*ABC*E*", "NL-ABC-E1", "ſK*ABC*E1", "NL*ABC*E1\n"]
)
def test_wrong_evse_ids(value):
    with pytest.raises(ValidationError):
        validate_evse_id(value)


def test_the_message_names_the_charger_id():
    with pytest.raises(ValidationError, match="a b is not a valid charger ID"):
        validate_charger_id("a b")


@pytest.mark.parametrize("value", ["Mars", "europe/paris", "../etc/passwd", "UTC "])
def test_wrong_time_zones(value):
    with pytest.raises(ValidationError, match="is not a time zone"):
        validate_time_zone(value)


@pytest.mark.parametrize("value", ["", "UTC", "Europe/Paris"])
def test_time_zones(value):
    validate_time_zone(value)
