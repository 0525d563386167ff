"""An import that is killed leaves nothing behind. `make test-kill` kills it at any moment of its course."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from hierarchy import tree
from tests.bench import commands, databases

REGISTER = Path(__file__).parent.parent / "data" / "irve-statique.csv"

# Imports in processes that die: the first instead of committing, others so many statements before that.
PROGRAM = """
import os, signal, sys
import django
django.setup()
from django.core.management import call_command
from django.db import connection

file, *places = sys.argv[1:]
COMMAND = ("import_network", file, "--format", "irve", "--customer", "Northwind")

class Countdown:
    statements = 0

    def __init__(self, last):
        self.last = last

    def __call__(self, execute, *arguments):
        result = execute(*arguments)
        Countdown.statements += 1
        if Countdown.statements == self.last:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

def die_at_commit():
    os.write(counted, str(Countdown.statements).encode())
    os.kill(os.getpid(), signal.SIGKILL)

def killed(last):
    child = os.fork()
    if not child:
        if last is None:
            connection.commit = die_at_commit
        with connection.execute_wrapper(Countdown(last)):
            call_command(*COMMAND)
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)

count, counted = os.pipe()
killed(None)
total = int(os.read(count, 10))
for place in places:
    killed(total - int(place))
"""


@pytest.mark.django_db(transaction=True)
def test_a_killed_import_has_done_nothing(world):
    before = databases.checksum(with_moments=True)
    places = ["3", "6"]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(REGISTER), *places],
        env=commands.environment(databases.url()),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout.split() == [str(-signal.SIGKILL)] * 3, done.stderr
    databases.wait_until_alone()
    assert databases.checksum(with_moments=True) == before
    assert not tree.check()
