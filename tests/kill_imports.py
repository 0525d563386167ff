"""`python -m tests.kill_imports`: an import that is killed at any moment has done everything or nothing.

A file of some 3,000 rows is imported by `manage.py import_network` in a process of its own, which is killed with
SIGKILL, each time at another moment of its course and on a fresh copy of the same network. After that every table,
the journal and its counters included, must be as it was before, or as after a whole import. Exits 1 where one is not.
Under `python -m tests.postgres` the database is PostgreSQL.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
django.setup()

from hierarchy import tree_check  # noqa: E402
from hierarchy.models import Customer  # noqa: E402
from tests.bench import commands, databases, files  # noqa: E402

ROWS = 3_000
# What is there before: a part of the same file, so that the import also finds rows, and the journal goes on.
_ROWS_BEFORE = 500

BEFORE, AFTER, PARTIAL = "as before", "complete", "PARTIAL"


def main() -> int:
    """Kill on scratch databases, which are removed afterwards; the answer is the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.kill_imports")
    parser.add_argument("--times", type=int, default=50, help="how often to kill (default 50)")
    parser.add_argument("--seed", type=int, default=0, help="another one kills at other moments (default 0)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="chargetree-kill-") as folder, databases.scratch():
        print(f"{databases.title()}, {ROWS:,} rows, seed {arguments.seed}")
        earlier, path = Path(folder) / "earlier.csv", Path(folder) / "register.csv"
        files.write_register(earlier, _ROWS_BEFORE)
        files.write_register(path, ROWS)
        Customer(name="Northwind").save()
        commands.run(databases.url(), *_import(earlier))
        found = _kill_often(path, arguments.times, random.Random(arguments.seed))
    print(", ".join(f"{count} {outcome}" for outcome, count in found.items()))
    return 0 if set(found) <= {BEFORE, AFTER} else 1


def _import(path: Path) -> list[str]:
    return ["import_network", str(path), "--format", "irve", "--customer", "Northwind", "--no-input"]


def _kill_often(path: Path, times: int, dice: random.Random) -> Counter[str]:
    before, before_to_the_moment = databases.checksum(), databases.checksum(with_moments=True)
    durations = []
    for _run in range(3):
        with databases.copy("whole") as url:
            durations.append(commands.run(url, *_import(path)).seconds)
            after = databases.checksum()
    # The quickest: a kill that comes too late says nothing.
    duration = min(durations)
    assert before != after
    print(f"A whole import takes {duration:.1f} s.")
    found: Counter[str] = Counter()
    for number in range(times):
        # One in each part of the course, so that all of it is covered.
        moment = duration * (number + dice.random()) / times
        with databases.copy("killed") as url:
            was_running = _killed(url, path, moment)
            databases.wait_until_alone()
            outcome = {before: BEFORE, after: AFTER}.get(databases.checksum(), PARTIAL)
            if outcome == BEFORE and databases.checksum(with_moments=True) != before_to_the_moment:
                outcome = PARTIAL
            damage = tree_check.check()
            place = f"{number + 1:3}  killed after {moment:5.2f} s{'' if was_running else ', too late'}"
            print(f"{place}: {outcome}", *damage, sep="\n     ", flush=True)
            found[PARTIAL if damage else outcome] += 1
            if number == times - 1:
                _finish(url, path)
    return found


def _killed(url: str, path: Path, moment: float) -> bool:
    """Import, and kill the process after so many seconds; whether it was still running then."""
    process = subprocess.Popen(
        [sys.executable, "manage.py", *_import(path)],
        env=commands.environment(url),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    time.sleep(moment)
    was_running = process.poll() is None
    process.kill()
    process.wait()
    return was_running


def _finish(url: str, path: Path) -> None:
    """A later import does what the killed one did not, and then nothing is left to do."""
    commands.run(url, *_import(path))
    again = commands.run(url, *_import(path))
    if "Nothing to do" not in again.output or tree_check.check():
        raise AssertionError(f"The import after the last kill did not do everything:\n{again.output}")
    print("     the next import runs through")


if __name__ == "__main__":
    sys.exit(main())
