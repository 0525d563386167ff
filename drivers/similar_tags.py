"""How an id tag may have been misread or mistyped: the keys under which the one that was meant may be stored."""

import re
from collections.abc import Iterator
from enum import StrEnum

_SEPARATORS = re.compile("[:\\- ]")
_BYTES = re.compile("(?:[0-9a-f]{2}){2,}")
# Country, provider, instance and check digit of a contract id (eMI3, ISO 15118).
_CONTRACT_ID = re.compile("([a-z]{2})([a-z0-9]{3})(c[a-z0-9]{8})([a-z0-9]?)")
# In characters: what readers give for 4, 7, 8 and 10 bytes, and for 4 bytes as a decimal number.
_USUAL_LENGTHS = (8, 10, 14, 16, 20)
# OCPP carries 36 characters: what is much longer was not misread, and every form of it takes time.
_LONGEST = 64


class TagDifference(StrEnum):
    """In what a stored tag differs from the one that was asked about."""

    SEPARATORS = "separators"
    LEADING_ZEROS = "leading_zeros"
    BYTE_ORDER = "byte_order"


def similar_keys(key: str) -> dict[str, tuple[TagDifference, ...]]:
    """The comparison keys of tags that are like the one of `key`, with what differs. Some hundreds at most.

    They have `:`, `-`, a space or nothing between their bytes, or `-` between the parts of a contract id; other zeros
    in front; the bytes in the opposite order; or any of these together. `key` itself is not among them.
    """
    bare = _SEPARATORS.sub("", key)
    if len(key) > _LONGEST:
        return {}
    found: dict[str, tuple[TagDifference, ...]] = {key: ()}
    for form, differences in sorted(_forms(bare).items(), key=lambda item: len(item[1])):
        for style, spelled in _spellings(form).items():
            differently = () if _spellings(bare).get(style) == key else (TagDifference.SEPARATORS,)
            found.setdefault(spelled, (*differently, *differences))
    del found[key]
    return found


def _forms(bare: str) -> dict[str, tuple[TagDifference, ...]]:
    forms: dict[str, tuple[TagDifference, ...]] = {bare: ()}
    # Zeros come first because without them there may be no whole bytes; then again, in front of reversed ones.
    for difference, change in (
        (TagDifference.LEADING_ZEROS, _other_zeros),
        (TagDifference.BYTE_ORDER, _reversed_bytes),
        (TagDifference.LEADING_ZEROS, _other_zeros),
    ):
        for form, differences in list(forms.items()):
            if difference not in differences:
                for other in change(form):
                    forms.setdefault(other, (*differences, difference))
    return forms


def _other_zeros(text: str) -> Iterator[str]:
    bare = text.lstrip("0")
    if bare:
        yield bare
        for length in (*range(len(text) - 2, len(text) + 3), *_USUAL_LENGTHS):
            yield bare.zfill(length)


def _reversed_bytes(text: str) -> Iterator[str]:
    if _BYTES.fullmatch(text):
        yield "".join(reversed(re.findall("..", text)))


def _spellings(text: str) -> dict[str, str]:
    """The text by how its parts are separated."""
    spellings = {"": text}
    if _BYTES.fullmatch(text):
        spellings |= {separator: separator.join(re.findall("..", text)) for separator in ":- "}
    if contract_id := _CONTRACT_ID.fullmatch(text):
        spellings["contract"] = "-".join(filter(None, contract_id.groups()))
    return spellings
