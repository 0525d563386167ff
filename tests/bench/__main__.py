"""`python -m tests.bench`: the nested reads against their idiomatic version, in one run, on one database.

Prints a table and exits 1 where a target is missed. Under `python -m tests.postgres` the database is PostgreSQL.
"""

from __future__ import annotations

import gc
import os
import platform
import statistics
import sys
import time

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
django.setup()

from django.test import Client, override_settings  # noqa: E402

from tests.bench import databases  # noqa: E402
from tests.bench.memory import footprint, is_measurable  # noqa: E402
from tests.bench.network import Size, fill  # noqa: E402

SITES, OPERATORS = "sites/tree", "operators/tree"
SPREAD = Size()
SHARED = Size(trees=1, operators=50)
LARGE = Size(chargers_per_site=60, drivers_per_leaf=0)
MEGABYTE = 1_000_000


def main() -> int:
    """Measure on a scratch database, which is removed afterwards; the answer is the exit status."""
    with databases.scratch(), override_settings(ROOT_URLCONF="tests.bench.urls"):
        return 0 if _measure() else 1


def _measure() -> bool:
    """Print the tables; whether every target is met."""
    print(f"{databases.title()}, Python {platform.python_version()}, {os.cpu_count()} cores")
    spread, shared = fill("Spread", SPREAD), fill("Shared", SHARED)
    databases.gather_statistics()
    _print("", "ours", "idiomatic", "ratio", "target")
    met = [
        _race("000  1,000 sites, 10,000 chargers, 20,000 sockets", SITES, spread, rounds=5, target=8),
        _race("002  50 operators see the same 100 sites", OPERATORS, shared, rounds=3, target=100),
        _race("002  50 operators see 100 of 1,000 sites each", OPERATORS, spread, rounds=3),
    ]
    if not is_measurable():
        print("The memory of a worker is measured on Linux only.")
        return all(met)
    _print("", "streamed", "memory", "", "target")
    met.append(_weigh("002  50 operators see 100 of 1,000 sites each", OPERATORS, spread, 100 * MEGABYTE))
    large = fill("Large", LARGE)
    databases.gather_statistics()
    met.append(_weigh("000  1,000 sites, 60,000 chargers, 120,000 sockets", SITES, large))
    return all(met)


def _race(title: str, path: str, key: str, rounds: int, target: int = 0) -> bool:
    """Ask for `path` in turns, ours and the idiomatic version; whether ours is `target` times as quick."""
    times: dict[str, list[float]] = {"/api/v1": [], "/idiomatic": []}
    for _round in range(rounds):
        sizes = set()
        for version, measured in times.items():
            duration, size = _timed(f"{version}/{path}", key)
            measured.append(duration)
            sizes.add(size)
        if len(sizes) != 1:
            raise AssertionError(f"The two versions of {path} answer {sorted(sizes)} bytes: they must be equal.")
    ours, idiomatic = (statistics.median(measured) for measured in times.values())
    ratio = idiomatic / ours
    wanted = f"≥ {target}×" if target else ""
    _print(title, f"{ours:.3f} s", f"{idiomatic:.2f} s", f"{ratio:.1f}×", wanted, ratio >= target)
    return ratio >= target


def _timed(path: str, key: str) -> tuple[float, int]:
    """Seconds from the request to the last byte of the answer, and the number of bytes."""
    client = Client(headers={"X-API-Key": key})
    gc.collect()
    start = time.perf_counter()
    response = client.get(path)
    size = sum(map(len, response))
    duration = time.perf_counter() - start
    if response.status_code != 200:
        raise RuntimeError(f"{path} answered {response.status_code}.")
    return duration, size


def _weigh(title: str, path: str, key: str, most: int = 0) -> bool:
    """Whether a worker that answers `path` grows by less than `most` bytes, or than three times the answer's."""
    measured = footprint(databases.url(), f"/api/v1/{path}", key)
    limit = most or 3 * measured.size
    streamed, growth, allowed = (f"{size / MEGABYTE:.0f} MB" for size in (measured.size, measured.growth, limit))
    _print(title, streamed, growth, f"{measured.growth / measured.size:.2f}×", f"< {allowed}", measured.growth < limit)
    return measured.growth < limit


def _print(title: str, first: str, second: str, ratio: str, target: str, is_met: bool = True) -> None:
    print(f"{title:<52}{first:>10}{second:>11}{ratio:>9}{target:>10}{'' if is_met else '  missed'}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
