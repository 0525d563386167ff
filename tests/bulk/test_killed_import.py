"""An import that is killed leaves nothing behind. `make test-kill` kills it at any moment of its course."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from hierarchy import tree_check
from tests.bench import commands, databases

REGISTER = Path(__file__).parent.parent / "data" / "irve-statique.csv"

# One process for each import, killed by itself: the first where it would commit, the others so many statements before.
PROGRAM = """
import os, signal, sys
import django
django.setup()
from django.core.management import call_command
from django.db import connection

file, *places = sys.argv[1:]
told, tell = os.pipe()
executed = 0

def die():
    os.write(tell, b"%d" % executed)
    os.kill(os.getpid(), signal.SIGKILL)

def import_until(last):
    def counted(execute, *arguments):
        global executed
        result = execute(*arguments)
        executed += 1
        if executed == last:
            die()
        return result

    child = os.fork()
    if not child:
        connection.commit = die
        with connection.execute_wrapper(counted):
            call_command("import_network", file, "--format", "irve", "--customer", "Northwind")
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
    return int(os.read(told, 10))

total = import_until(0)
for place in places:
    assert import_until(total - int(place)) == total - int(place)
"""


@pytest.mark.django_db(transaction=True)
def test_a_killed_import_has_done_nothing(world):
    before = databases.checksum(with_moments=True)
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(REGISTER), "3", "6"],
        env=commands.environment(databases.url()),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout.split() == [str(-signal.SIGKILL)] * 3, done.stderr
    assert not done.returncode, done.stderr
    databases.wait_until_alone()
    assert databases.checksum(with_moments=True) == before
    assert not tree_check.check()
