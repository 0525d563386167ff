"""How much memory a worker of the production server takes to answer one request."""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_PATIENCE = 60


@dataclass(frozen=True, slots=True)
class Footprint:
    """`size`: bytes of the answer. `growth`: by how many bytes the worker's peak rose above its start."""

    size: int
    growth: int


def is_measurable() -> bool:
    """Whether this system tells a process's peak: Linux does."""
    return Path("/proc/self/status").exists()


def footprint(database_url: str, path: str, key: str) -> Footprint:
    """Let a fresh worker on the loopback interface answer `path` to a client that reads it at once."""
    with _server(database_url) as (port, master):
        (worker,) = Path(f"/proc/{master}/task/{master}/children").read_text().split()
        # A small answer first: it loads the rest of the program and connects to the database.
        _get(port, "/api/v1/sites/tree?excludeDetails=true", key)
        start = peak(worker)
        size = _get(port, path, key)
        return Footprint(size, peak(worker) - start)


def peak(pid: str) -> int:
    """The most memory that the process has had resident so far, in bytes."""
    status = Path(f"/proc/{pid}/status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024


@contextmanager
def _server(database_url: str) -> Iterator[tuple[int, int]]:
    """The port and process id of a server with one worker."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    # The worker class and threads of `make run`: threads have memory pools of their own.
    arguments = f"--bind 127.0.0.1:{port} --worker-class gthread --threads 4 --no-control-socket --timeout 120"
    master = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "config.wsgi", "--log-level", "error", *arguments.split()],
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings", "TEST_DATABASE_URL": database_url},
    )
    try:
        _wait_for(port)
        yield port, master.pid
    finally:
        master.terminate()
        master.wait(_PATIENCE)


def _wait_for(port: int) -> None:
    for _attempt in range(_PATIENCE * 10):
        try:
            _get(port, "/healthz")
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise TimeoutError(f"No server answered on port {port} within {_PATIENCE} seconds.")


def _get(port: int, path: str, key: str = "") -> int:
    """The size of the answer, which is read and thrown away."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    try:
        connection.request("GET", path, headers={"X-API-Key": key})
        response = connection.getresponse()
        if response.status != 200:
            raise RuntimeError(f"{path} answered {response.status}: {response.read(500)!r}")
        size = 0
        while block := response.read(1_000_000):
            size += len(block)
        return size
    finally:
        connection.close()
