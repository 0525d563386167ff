"""Telling the parts of a French address apart."""

import re

_STREET_KINDS = (
    "rue|r\\.|avenue|av\\.?|boulevard|bd|bvd|blvd|chemin|chem\\.?|route|rte|place|pl\\.?|allée|allee|impasse|imp\\.?|quai|"
    "square|cours|cr|passage|zone|za|zac|zi|esplanade|promenade|faubourg|parvis|rond-point|villa|sentier|ruelle"
)
_NUMBERED = re.compile(
    rf"(?P<number>\d{{1,4}})\s*(?P<letter>bis|ter|quater|[a-z])?[\s,]+(?P<street>(?:{_STREET_KINDS})\s.*)",
    re.IGNORECASE,
)
_POSTAL = re.compile(r"(?:(?P<street>.*?)[\s,]+)?(?P<postal>\d{5})[\s,]+(?P<city>[^\d,()]{2,})(?:[,(].*)?")


def french_address(text: str) -> dict[str, str]:
    """The parts of `[number] [street] [postal code] [town]` that can be told apart; else all of it is the street."""
    whole = " ".join(text.split())
    values = {"streetAddress": whole}
    located = _POSTAL.fullmatch(whole)
    if located and located["street"]:
        city = re.sub(r"\s+france$", "", located["city"].strip(), flags=re.IGNORECASE)
        values = {"streetAddress": located["street"], "postalNumber": located["postal"], "city": city}
    numbered = _NUMBERED.fullmatch(values["streetAddress"])
    if numbered:
        values |= {"streetAddress": numbered["street"], "streetNumber": numbered["number"]}
        if numbered["letter"]:
            values["houseLetter"] = numbered["letter"]
    return values
