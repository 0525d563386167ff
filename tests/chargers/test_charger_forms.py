"""Lists and properties as people type them come back as they were."""

import random

import pytest
from django.core.exceptions import ValidationError

from chargers.forms import LinesField, PropertiesField

ODD = [*'a"=\\ä𝔸#{', "a b", " a", "a ", '"a"', "a=b", "a\nb", "a\r\nb", "a\u2028b", "\x85"]


def odd_text(rng):
    return "".join(rng.choice(ODD) for _ in range(rng.randint(1, 3)))


@pytest.mark.parametrize("seed", range(50))
def test_what_is_shown_is_read_back(seed):
    rng = random.Random(seed)
    items = list({odd_text(rng): None for _ in range(rng.randint(0, 4))})
    lines = LinesField(required=False)
    assert lines.clean(lines.prepare_value(items)) == items
    assert not lines.has_changed(items, lines.prepare_value(items))

    texts = {odd_text(rng): rng.choice(["", odd_text(rng)]) for _ in range(rng.randint(0, 4))}
    properties = PropertiesField(required=False)
    assert properties.clean(properties.prepare_value(texts)) == texts
    assert not properties.has_changed(texts, properties.prepare_value(texts))


def test_plain_texts_are_shown_as_they_are():
    assert LinesField().prepare_value(["RFID_READER", "x = y"]) == "RFID_READER\nx = y"
    assert PropertiesField().prepare_value({"b": "https://example.org/?a=b", "a": ""}) == (
        "a =\nb = https://example.org/?a=b"
    )


def test_what_was_typed_wrongly_is_shown_again():
    assert PropertiesField().prepare_value("nothing") == "nothing"
    assert PropertiesField().has_changed({}, "nothing")


@pytest.mark.parametrize(
    ("typed", "line"),
    [
        ("a = b\nc", "Line 2 has no value"),
        ("a = b\n\na = c", "Line 3: duplicate name a"),
        ('"a = b', "Line 1 has an unclosed quotation mark"),
        ('a = "b" c', "Line 1 continues after the closing quotation mark"),
        ('"a" b = c', "Line 1 has no value"),
    ],
)
def test_errors_name_the_line(typed, line):
    with pytest.raises(ValidationError) as error:
        PropertiesField(required=False).clean(typed)
    assert error.value.messages[0].startswith(line)
