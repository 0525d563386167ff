"""Telling the parts of French and German addresses apart."""

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

# A street has no digits but those of an ordinal (17. Juni), and its number stands at the end. "bei 2" is no number.
_GERMAN_NUMBERED = re.compile(
    r"(?P<street>(?:\D|\d{1,4}\.(?=\s))*[^\W\d]{2}\.?)(?<!\bbei)(?<!\bggü\.)(?<!\bgegenüber)(?:\s|(?<=\.))"
    r"(?P<number>\d{1,4}(?:\s?[-–/]\s?\d{1,4})?)\s?(?P<letter>[a-z])?",
    re.IGNORECASE,
)


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


def german_address(text: str) -> dict[str, str]:
    """The parts of `[street] [number]` that can be told apart; else all of it is the street."""
    whole = " ".join(text.split())
    numbered = _GERMAN_NUMBERED.fullmatch(whole)
    if not numbered:
        return {"streetAddress": whole}
    values = {"streetAddress": numbered["street"], "streetNumber": "".join(numbered["number"].split())}
    if numbered["letter"]:
        values["houseLetter"] = numbered["letter"]
    return values
