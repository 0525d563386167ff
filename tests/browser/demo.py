"""The product as `make run` starts it, with the demo's network in a database of its own, for a browser."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from operators.keys import new_key

ROOT = Path(__file__).resolve().parent.parent.parent
PASSWORD = secrets.token_hex(10)
ADMIN = "admin@polderstroom.example"
OPERATOR = "operator@polderstroom.example"
STAFF = "staff@chargetree.example"

_PATIENCE = 60


@dataclass(frozen=True, slots=True)
class Demo:
    """`url` has no slash at its end; `environment` is that of the server's processes."""

    url: str
    environment: dict[str, str]

    def manage(self, *arguments: str) -> str:
        """What `manage.py ARGUMENTS …` says."""
        command = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(command, cwd=ROOT, env=self.environment, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
        return done.stdout


def chromium() -> str | None:
    """The installed Chromium, if there is one; CHROMIUM names another."""
    names = (os.environ.get("CHROMIUM"), "chromium", "chromium-browser", "google-chrome")
    return next((path for name in names if name and (path := shutil.which(name))), None)


@contextmanager
def running() -> Iterator[Demo]:
    """A server on the loopback interface, until the end of the block."""
    with tempfile.TemporaryDirectory(prefix="chargetree-browser-") as folder, socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        environment = {
            **{name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"},
            "CHARGETREE_ENVIRONMENT": "demo",
            "DATABASE_URL": f"sqlite:///{folder}/demo.sqlite3",
            "SECRET_KEY": secrets.token_urlsafe(48),
            "API_KEY_PEPPER": secrets.token_urlsafe(48),
            "DEMO_API_KEY": new_key(),
            # A mail server that is away: there are the pages of mail, and links are shown to be handed over.
            "EMAIL_URL": "smtp://127.0.0.1:9",
            "DEFAULT_FROM_EMAIL": "Chargetree <chargetree@polderstroom.example>",
            "PUBLIC_URL": f"http://127.0.0.1:{port}",
            **{f"DEMO_{who}_PASSWORD": PASSWORD for who in ("STAFF", "ADMIN", "OPERATOR")},
        }
        demo = Demo(f"http://127.0.0.1:{port}", environment)
        demo.manage("migrate", "--verbosity", "0")
        demo.manage("seed_demo", "--verbosity", "0")
        probe.close()
        arguments = f"--bind 127.0.0.1:{port} --worker-class gthread --threads 4 --no-control-socket --log-level error"
        command = [sys.executable, "-m", "gunicorn", "config.wsgi", *arguments.split()]
        server = subprocess.Popen(command, cwd=ROOT, env=environment)
        try:
            _wait_for(f"{demo.url}/healthz")
            yield demo
        finally:
            server.terminate()
            server.wait(_PATIENCE)


def _wait_for(url: str) -> None:
    for _attempt in range(_PATIENCE * 10):
        try:
            with urllib.request.urlopen(url):
                return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError(f"{url} did not answer within {_PATIENCE} seconds.")
