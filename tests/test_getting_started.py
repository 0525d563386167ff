"""The lines of docs/getting-started.md, run as they stand there: the answers are those that the page shows."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.client import new_key

PAGE = Path(__file__).resolve().parent.parent / "docs" / "getting-started.md"


def is_whole(command):
    return not command.endswith("\\") and command.count("'") % 2 == 0


def steps():
    """Each command with the answer that stands below it."""
    for block in re.findall(r"^```console\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.M | re.S):
        for step in re.split(r"^\$ ", block, flags=re.M)[1:]:
            lines = step.splitlines()
            # A command goes on where its line or its quotation does.
            end = next(n for n in range(1, len(lines) + 1) if is_whole("\n".join(lines[:n])))
            yield "\n".join(lines[:end]), "\n".join(lines[end:])


# What is another number on every machine.
ID = r'"(?:id|objectId|parentId|groupId|homeGroupId|driverId)":([0-9]+)'


def pattern(shown: str) -> str:
    """What an answer must be like: `…` is anything, and an id any number."""
    parts = re.split(ID.replace("([0-9]+)", "[0-9]+"), shown)
    keys = [one.group().rpartition(":")[0] + ":[0-9]+" for one in re.finditer(ID, shown)]
    texts = [re.escape(part).replace("…", ".*") for part in parts]
    return "".join(text + key for text, key in zip(texts, [*keys, ""], strict=True))


class Shell:
    """Runs commands one by one with the variables that were set before."""

    def __init__(self, **variables: str) -> None:
        self.variables = variables
        # Of the ids on the page, those that were answered in their place.
        self.ids: dict[str, str] = {}

    def run(self, command: str, shown: str) -> None:
        name, assigns, value = command.partition("=")
        if assigns and name.isupper():
            if name not in self.variables:
                self.variables[name] = self.ids[value]
            return
        done = subprocess.run(
            ["/bin/sh", "-euc", command], env=self.variables, capture_output=True, text=True, timeout=30, check=True
        )
        answer = done.stdout.replace("\r\n", "\n").strip()
        assert re.fullmatch(pattern(shown), answer, re.S), f"$ {command}\n{shown}\n-- was answered:\n{answer}"
        for one, other in zip(re.findall(ID, shown), re.findall(ID, answer), strict=False):
            self.ids.setdefault(one, other)


@pytest.mark.django_db(transaction=True)
def test_the_page_does_what_it_says(world, live_server):
    if not shutil.which("curl"):
        pytest.skip("There is no curl here.")
    shell = Shell(KEY=new_key(world.ada), API=f"{live_server.url}/api/v1", PATH="/usr/bin:/bin", NO_PROXY="*")
    count = 0
    for command, shown in steps():
        shell.run(command, shown)
        count += command.startswith("curl")
    assert count > 15
