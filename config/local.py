"""What the local demo needs before settings can load: its secrets in `.chargetree/local.env`, and a free port.

`python -m config.local` makes what is missing and keeps what is there.
"""

import os
import re
import secrets
import socket
import sys
from collections.abc import Callable
from pathlib import Path

from operators.keys import new_key

STATE_DIR = Path(__file__).resolve().parent.parent / ".chargetree"


def _secret() -> str:
    return secrets.token_urlsafe(48)


def _password() -> str:
    return secrets.token_hex(10)


VARIABLES: dict[str, Callable[[], str]] = {
    "CHARGETREE_ENVIRONMENT": lambda: "demo",
    "SECRET_KEY": _secret,
    "API_KEY_PEPPER": _secret,
    "DEMO_STAFF_PASSWORD": _password,
    "DEMO_ADMIN_PASSWORD": _password,
    "DEMO_OPERATOR_PASSWORD": _password,
    "DEMO_API_KEY": new_key,
}


def write_secrets(state_dir: Path) -> None:
    """Complete `local.env` in `state_dir`: readable for its owner only, from the first moment on, or not at all."""
    state_dir.mkdir(mode=0o700, exist_ok=True)
    path = state_dir / "local.env"
    lines = path.read_text().splitlines() if path.exists() else []
    # A name without a value would hide the one below it.
    kept = [line for line in lines if line.rstrip("= ") not in VARIABLES]
    missing = VARIABLES.keys() - {line.partition("=")[0] for line in kept}
    if not missing:
        path.chmod(0o600)
        return
    added = [f"{name}={make()}" for name, make in VARIABLES.items() if name in missing]
    draft = path.with_name("local.env.new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write("\n".join([*kept, *added]) + "\n")
    draft.replace(path)


def check_port(host: str, port: str) -> None:
    """Exit with a message unless a server can listen there."""
    if not re.fullmatch(r"[0-9]{1,5}", port) or not 0 < int(port) < 65_536:
        sys.exit(f"PORT is {port!r}; it must be a number from 1 to 65535, as in `make run PORT=8001`.")
    try:
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            # As the server does: a port that was closed a moment ago is free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, int(port)))
    except OSError as error:
        sys.exit(
            f"Cannot listen on {host} port {port} ({error.strerror}): stop what runs there, or choose another port, as "
            "in `make run PORT=8001`."
        )


if __name__ == "__main__":
    check_port(os.environ.get("BIND") or "127.0.0.1", os.environ.get("PORT") or "8000")
    write_secrets(STATE_DIR)
