"""Filled databases of every released version are migrated to the tables of today."""

import json
import os
import subprocess
import sys
import uuid
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests import released

ROOT = Path(__file__).resolve().parent.parent
RELEASED = sorted(released.FOLDER.glob("*.json.gz"))

# Makes the tables of a released version and fills them.
FILL = """
import sys, django
from pathlib import Path
django.setup()
from django.core.management import call_command
from django.db import connection
from tests import released
document = released.read(Path(sys.argv[1]))
for app, name in document["migrations"].items():
    call_command("migrate", app, name, verbosity=0)
released.fill(connection, document["tables"])
"""
# Migrates, and says what must be the same in a migrated and in a new database, and what is in it.
MIGRATE = """
import json, django
django.setup()
from django.apps import apps
from django.core.management import call_command
from django.db import connection
from django.test import Client
from hierarchy import tree_check
call_command("migrate", verbosity=0)
with connection.cursor() as cursor:
    if connection.vendor == "sqlite":
        cursor.execute("SELECT name, sql FROM sqlite_master ORDER BY name")
        tables = dict(cursor.fetchall())
    else:
        tables = {}
        for name in connection.introspection.table_names(cursor):
            columns = connection.introspection.get_table_description(cursor, name)
            tables[name] = [
                sorted((one.name, str(one.type_code), one.null_ok, str(one.default)) for one in columns),
                sorted(connection.introspection.get_constraints(cursor, name).items()),
            ]
rows = {model._meta.label: model._base_manager.count() for model in apps.get_models()}
ready = Client().get("/readyz", headers={"host": "localhost"}).json()
damage = [str(one) for one in tree_check.check()]
call_command("create_customer", "Afterwards", verbosity=0, stdout=open("/dev/null", "w"))
print(json.dumps({"tables": tables, "rows": rows, "ready": ready, "damage": damage}))
"""


@pytest.fixture
def database(tmp_path):
    """Makes databases that go with the test; the answer runs Python code on one."""
    server = os.environ.get("TEST_DATABASE_URL")
    made = []

    def make():
        if not server:
            return f"sqlite:///{tmp_path / uuid.uuid4().hex}.sqlite3"
        name = f"upgrade_{uuid.uuid4().hex[:12]}"
        _on_server(server, f'CREATE DATABASE "{name}"')
        made.append(name)
        return urlsplit(server)._replace(path=f"/{name}").geturl()

    yield make
    for name in made:
        _on_server(server, f'DROP DATABASE "{name}" WITH (FORCE)')


def _on_server(server, statement):
    import psycopg

    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(statement)


def run(url, code, *arguments):
    """What the code prints, with the database at `url`."""
    environment = {
        **os.environ,
        "DATABASE_URL": url,
        "CHARGETREE_ENVIRONMENT": "test",
        "SECRET_KEY": "test-secret-key-" * 4,
        "API_KEY_PEPPER": "test-pepper-" * 5,
        "DJANGO_SETTINGS_MODULE": "config.settings",
    }
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("path", RELEASED, ids=lambda path: path.name.removesuffix(".json.gz"))
def test_a_filled_database_is_migrated(path, database):
    document = released.read(path)
    old, new = database(), database()
    run(old, FILL, str(path))
    # A customer more at the end: the sequences of ids and of the journal go on where they were.
    migrated, fresh = (json.loads(run(url, MIGRATE)) for url in (old, new))
    assert migrated["tables"] == fresh["tables"]
    assert migrated["ready"] == fresh["ready"] == {"status": "ok"}
    assert migrated["damage"] == []
    held = {name: len(table["rows"]) for name, table in document["tables"].items()}
    for model in ("hierarchy.Site", "chargers.Charger", "drivers.Tag", "operators.Operator", "hierarchy.Change"):
        assert migrated["rows"][model] == held[model.lower().replace(".", "_")] > 1


def test_every_released_version_has_its_database():
    """What the changelog says was released since migrations are only added."""
    changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")
    versions = {line.split("]")[0].removeprefix("## [") for line in changelog.splitlines() if line.startswith("## [")}
    assert {path.name.removesuffix(".json.gz") for path in RELEASED} == versions - {"Unreleased"}
