"""What the documented nested reads answer, kept byte for byte: `python -m tests.stored_answers` writes it again.

The answers are those of a small demo at a fixed moment, in a database whose ids begin at 1. Everything goes through
commands and HTTP, so that nothing here depends on how the product is built inside.
"""

import datetime
import gzip
import io
import json
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch
from urllib.parse import quote

FILE = Path(__file__).resolve().parent / "data" / "stored-answers.jsonl.gz"

MOMENT = datetime.datetime(2026, 6, 1, 12, 0, tzinfo=datetime.UTC)
SIZE = {"customers": 2, "sites": 36, "chargers": 40, "drivers": 40, "operators": 12}

ADMIN, RESTRICTED, SCATTERED = "admin", "restricted", "scattered"
# RESTRICTED has no grant in the demo and gets one on a city, which lies below a region and has car parks below it.
# SCATTERED has three grants in the demo, one of them below another.
EMAILS = {
    ADMIN: "admin@polderstroom.example",
    RESTRICTED: "maud.van.der.meer@polderstroom.example",
    SCATTERED: "eva.de.boer@polderstroom.example",
}
CITY = "Amsterdam"
NOBODY, STRANGER = "nobody", "stranger"

# Sent with every request, so that problems have the same requestId each time.
REQUEST_ID = "stored-answers"

PLAIN = "text/plain"

# Reads that find the same things in another way are asked for so many of them.
_SOME = 6


class Asked(NamedTuple):
    """A request: by whom, and for what; `sent` is the JSON of its body."""

    caller: str
    path: str
    method: str = "GET"
    accept: str = ""
    sent: Any = None

    def __str__(self) -> str:
        accept = f", Accept: {self.accept}" if self.accept else ""
        sent = "" if self.sent is None else f" {json.dumps(self.sent)}"
        return f"{self.method} /api/v1{self.path}{sent} ({self.caller}{accept})"


class Answer(NamedTuple):
    status: int
    content_type: str
    body: bytes


Ask = Callable[[Asked], Answer]


@contextmanager
def demo() -> Iterator[Ask]:
    """Fill the empty database; gives who asks it. All of this happens at one moment."""
    from django.core.management import call_command

    with patch("django.utils.timezone.now", return_value=MOMENT):
        call_command("seed_demo", verbosity=0, **SIZE)
        keys = {STRANGER: "not-a-key"}
        for caller, email in EMAILS.items():
            out = io.StringIO()
            call_command("create_api_key", email, name="stored answers", stdout=out, stderr=io.StringIO())
            keys[caller] = out.getvalue().strip()
        ask = _asking(keys)
        _grant(ask)
        yield ask


def _asking(keys: dict[str, str]) -> Ask:
    from django.test import Client

    client = Client(raise_request_exception=False)

    def ask(asked: Asked) -> Answer:
        headers = {"X-Request-ID": REQUEST_ID}
        if asked.caller in keys:
            headers["X-API-Key"] = keys[asked.caller]
        if asked.accept:
            headers["Accept"] = asked.accept
        sent = (
            {} if asked.sent is None else {"data": json.dumps(asked.sent).encode(), "content_type": "application/json"}
        )
        response: Any = client.generic(asked.method, f"/api/v1{asked.path}", headers=headers, **sent)
        return Answer(response.status_code, response.headers.get("Content-Type", ""), response.getvalue())

    return ask


def _grant(ask: Ask) -> None:
    """Let the restricted operator see the city."""
    (operator,) = _items(ask, f"/operators?emailAddress={EMAILS[RESTRICTED]}")
    (city,) = _items(ask, f"/sites?groupName={CITY}")
    answer = ask(Asked(ADMIN, f"/operators/{operator['id']}/sites/{city['id']}", "PUT"))
    assert answer.status == 201, answer


def _items(ask: Ask, path: str) -> list[dict[str, Any]]:
    return json.loads(ask(Asked(ADMIN, path)).body)["items"]


def read() -> list[tuple[Asked, Answer]]:
    """What is stored."""
    found: list[tuple[Asked, Answer]] = []
    for line in gzip.decompress(FILE.read_bytes()).splitlines():
        asked, (status, content_type, body) = json.loads(line)
        known = found[body][1].body if isinstance(body, int) else body.encode()
        found.append((Asked(*asked), Answer(status, content_type, known)))
    return found


def write(ask: Ask) -> int:
    """Store what is answered now; how many answers there are."""
    lines: list[str] = []
    lines_of: dict[bytes, int] = {}
    for asked in _requests(ask):
        status, content_type, body = ask(asked)
        # A body that was there before is the number of its line, counted from 0.
        kept = lines_of.get(body, body.decode())
        lines_of.setdefault(body, len(lines))
        lines.append(json.dumps([asked, [status, content_type, kept]], ensure_ascii=False, separators=(",", ":")))
    # Without a time, so that the same answers make the same file.
    FILE.write_bytes(gzip.compress("".join(f"{line}\n" for line in lines).encode(), 9, mtime=0))
    return len(lines)


def _requests(ask: Ask) -> Iterator[Asked]:
    for caller in EMAILS:
        yield from _reads(ask, caller)
    yield from _errors()


def _reads(ask: Ask, caller: str) -> Iterator[Asked]:
    """Every documented nested read of everything that the caller sees."""

    def get(path: str) -> Asked:
        return Asked(caller, path)

    for end in ("", "?excludeDetails=true", "?excludeDetails=false"):
        yield get(f"/sites/tree{end}")
    for end in ("", "?excludeHierarchy=true", "?excludeHierarchy=false"):
        yield get(f"/operators/tree{end}")
    yield get("/drivers/tree")

    sites = list(_with_subsites(json.loads(ask(get("/sites/tree")).body)))
    ids = [site["id"] for site in sites]
    # 0 stands for those without a home site.
    for end in ("home-drivers", "home-operators"):
        for pk in (0, *ids):
            yield get(f"/sites/{pk}/{end}")
    for end in ("authorised-drivers", "tree", "tree?excludeDetails=true"):
        for pk in ids:
            yield get(f"/sites/{pk}/{end}")
    for external_id in _filled(site["externalId"] for site in sites)[:_SOME]:
        yield get(f"/sites/by-external-id/{quote(external_id)}")
        yield get(f"/sites/by-external-id/{quote(external_id.lower())}?excludeSubgroups=true")
    for asked in ([], ids, [*ids[::-1], *ids[:2]]):
        yield Asked(caller, "/sites/authorised-drivers", "POST", sent={"groupIds": asked})

    charger_ids = [charger["chargerId"] for site in sites for charger in site["chargers"]]
    for charger_id in charger_ids:
        yield get(f"/chargers/{quote(charger_id)}/authorised-drivers")
    for charger_id in charger_ids[:_SOME]:
        yield get(f"/chargers/{quote(charger_id.lower())}/authorised-drivers?explain=true")

    groups = json.loads(ask(get("/drivers/tree")).body)["userGroups"]
    drivers = [driver for group in _with_subsites(groups) for driver in group["users"]]
    for driver in drivers:
        yield get(f"/drivers/{driver['id']}")
    for external_id in _filled(driver["externalId"] for driver in drivers)[:_SOME]:
        yield get(f"/drivers/by-external-id/{quote(external_id)}")
    for id_tag in _filled(tag["idTag"] for driver in drivers for tag in driver["tags"])[:_SOME]:
        yield get(f"/drivers/by-tag/{quote(id_tag.lower())}")


def _errors() -> Iterator[Asked]:
    # The last site and driver are the other customer's, as is DE-HLD-00001. The first site and driver are out of sight
    # of those who are restricted, as is NL-PLS-00007.
    hidden = {ADMIN: [SIZE["sites"]], RESTRICTED: [1, SIZE["sites"]], SCATTERED: [1, SIZE["sites"]]}
    ends = ("home-drivers", "home-operators", "authorised-drivers", "tree")
    paths = {
        (NOBODY, STRANGER): (
            "/sites/tree",
            "/sites/1/home-drivers",
            "/operators/tree",
            "/chargers/x/authorised-drivers",
            "/drivers/1",
        ),
        (ADMIN,): (
            "/sites/tree?excludeDetails=perhaps",
            "/sites/tree?excludeDetails=true&excludeDetails=true",
            "/sites/tree?excludeDetial=true",
            "/sites/12345678901234567890/home-drivers",
            *(f"/sites/x/{end}" for end in ends),
            "/sites/1/tree?excludeDetails=1",
            "/sites/by-external-id/x?excludeSubgroups=yes",
            f"/sites/by-external-id/{256 * 'x'}",
            "/operators/tree?excludeHierarchy=perhaps",
            "/operators/tree?limit=1",
            f"/chargers/{256 * 'x'}/authorised-drivers",
            "/chargers/x/authorised-drivers?explain=2",
            "/drivers/x",
            "/drivers/tree?x=1",
            f"/drivers/by-external-id/{256 * 'x'}",
            "/drivers/by-tag/%00",
        ),
        (ADMIN, RESTRICTED): (
            f"/sites/{2**62}/tree",
            "/sites/by-external-id/DE/00000",
            "/chargers/DE-HLD-00001/authorised-drivers",
            f"/drivers/{SIZE['drivers']}",
            "/drivers/by-external-id/nobodys/at-all",
            "/drivers/by-tag/nobodys",
            "/nothing/here",
        ),
        (RESTRICTED, SCATTERED): (
            "/sites/by-external-id/NL/00000",
            "/chargers/NL-PLS-00007/authorised-drivers",
            "/drivers/1",
        ),
    }
    for accept in ("", PLAIN):
        for callers, their_paths in paths.items():
            for caller in callers:
                for path in their_paths:
                    yield Asked(caller, path, accept=accept)
        for caller, ids in hidden.items():
            for pk in ids:
                for end in ends:
                    yield Asked(caller, f"/sites/{pk}/{end}", accept=accept)
                yield Asked(caller, "/sites/authorised-drivers", "POST", accept, {"groupIds": [pk, 2**62]})
        for sent in ({}, [1], {"groupIds": 1}, {"groupIds": [1, "2", None]}, {"groupIds": list(range(1, 22))}):
            yield Asked(ADMIN, "/sites/authorised-drivers", "POST", accept, sent)
        yield Asked(ADMIN, "/sites/tree", "POST", accept, {})
    # Who accepts plain text gets JSON all the same, unless it is an error.
    yield Asked(ADMIN, "/drivers/1", accept=PLAIN)
    yield Asked(ADMIN, "/drivers/1", accept="image/png")


def _with_subsites(groups: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for group in groups:
        yield group
        yield from _with_subsites(group["subgroups"])


def _filled(texts: Iterator[str]) -> list[str]:
    return [text for text in dict.fromkeys(texts) if text]


def difference(stored: Answer, now: Answer) -> str:
    """Where two answers first differ, for a reader; empty where they are the same."""
    lines = [
        f"{name}: stored {before!r}, now {after!r}"
        for name, before, after in zip(("status", "content type"), stored[:2], now[:2], strict=True)
        if before != after
    ]
    if stored.body != now.body:
        lines += _different_bodies(stored.body, now.body)
    return "\n".join(lines)


def _different_bodies(stored: bytes, now: bytes) -> Iterator[str]:
    try:
        yield f"body: {_different_values(json.loads(stored), json.loads(now)) or 'the same JSON in other bytes'}"
    except ValueError:
        yield "body: other text"
    pairs = zip(stored, now, strict=False)
    shorter = min(len(stored), len(now))
    at = next((index for index, (before, after) in enumerate(pairs) if before != after), shorter)
    start = max(at - 60, 0)
    yield f"  at byte {at} of {len(stored)} stored and {len(now)} now; from byte {start} on:"
    for name, body in (("stored", stored), ("now   ", now)):
        part = body[start : at + 60].decode(errors="replace")
        yield f"  {name} {'…' if start else ''}{part}{'…' if at + 60 < len(body) else ''}"


def _different_values(stored: Any, now: Any, place: str = "") -> str:
    """The first place, as a path, in which two JSON values differ, and what stands there."""
    if isinstance(stored, dict) and isinstance(now, dict):
        if list(stored) != list(now):
            gone, new = [key for key in stored if key not in now], [key for key in now if key not in stored]
            before, after = next(
                ((one, other) for one, other in zip(stored, now, strict=False) if one != other), ("", "")
            )
            moved = "" if gone or new else f", and {after!r} stands where {before!r} stood"
            return f"{place or 'the whole'} lost the keys {gone}, got {new}{moved}"
        pairs = ((f"{place}.{key}", stored[key], now[key]) for key in stored)
    elif isinstance(stored, list) and isinstance(now, list):
        pairs = (
            (f"{place}[{index}]", before, after) for index, (before, after) in enumerate(zip(stored, now, strict=False))
        )
    elif type(stored) is type(now) and stored == now:
        return ""
    else:
        return f"{place or 'the whole'} was {_short(stored)}, is now {_short(now)}"
    found = next((text for key, *values in pairs if (text := _different_values(*values, key))), "")
    if not found and len(stored) != len(now):
        found = f"{place or 'the whole'} had {len(stored)} items, has now {len(now)}"
    return found


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 100 else f"{text[:100]}…"


def main() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    import django

    django.setup()

    from django.test.utils import setup_test_environment

    from tests.bench import databases

    setup_test_environment()
    logging.disable(logging.WARNING)
    with databases.scratch(), demo() as ask:
        print(f"{write(ask)} answers in {FILE.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
