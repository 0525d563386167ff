"""How long a management command takes, and how much memory, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass

from tests.bench.memory import is_measurable, peak


@dataclass(frozen=True, slots=True)
class Run:
    """`seconds` from the start of the process to its end; `peak` in bytes, 0 where the system does not tell it."""

    seconds: float
    peak: int
    output: str


def environment(database_url: str) -> dict[str, str]:
    """That of a process which works on this database."""
    return {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings", "TEST_DATABASE_URL": database_url}


def run(database_url: str, *arguments: str) -> Run:
    """`manage.py ARGUMENTS …`. Raises RuntimeError with what it said when it fails."""
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.commands", *arguments],
        env=environment(database_url),
        capture_output=True,
        text=True,
    )
    seconds = time.perf_counter() - start
    if done.returncode:
        raise RuntimeError(f"manage.py {' '.join(arguments)} failed:\n{done.stdout}{done.stderr}")
    return Run(seconds, int(done.stderr.split()[-1]), done.stdout)


if __name__ == "__main__":
    from django.core.management import execute_from_command_line

    execute_from_command_line(["manage.py", *sys.argv[1:]])
    # The peak of the process itself; what its parent would be told of it includes the parent's own.
    print(peak("self") if is_measurable() else 0, file=sys.stderr)
