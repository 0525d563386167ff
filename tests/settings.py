"""The product's settings with what tests need: fixed secrets, a quick password hasher, and the database to test on.

TEST_DATABASE_URL names a PostgreSQL server; without it, SQLite in a file, as in use.
"""

import os
from pathlib import Path

_STATE_DIR = Path(__file__).resolve().parent.parent / ".chargetree"
(_STATE_DIR / "tmp").mkdir(parents=True, exist_ok=True)

os.environ["CHARGETREE_ENVIRONMENT"] = "test"
os.environ["SECRET_KEY"] = "test-secret-key-" * 4
os.environ["API_KEY_PEPPER"] = "test-pepper-" * 5
os.environ["DATABASE_URL"] = os.environ.get("TEST_DATABASE_URL") or f"sqlite:///{_STATE_DIR / 'unused.sqlite3'}"
os.environ["LOG_LEVEL"] = "ERROR"

from config.settings import *  # noqa: E402, F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

# Every run has databases of its own, so that two runs do not meet.
_run = os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid()))
if "TEST_DATABASE_URL" in os.environ:
    DATABASES["default"]["TEST"] = {"NAME": f"test_chargetree_{_run}"}  # noqa: F405
    DATABASES["default"]["CONN_MAX_AGE"] = 0  # noqa: F405
else:
    DATABASES["default"]["TEST"] = {"NAME": str(_STATE_DIR / "tmp" / f"test-{_run}.sqlite3")}  # noqa: F405
