"""Scratch databases: one with the product's tables, and copies of it for other processes to write to."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from django.apps import apps
from django.db import connection, models

_PATIENCE = 60


@contextmanager
def scratch() -> Iterator[None]:
    """Connect to a new database with the product's tables, which is removed afterwards."""
    connection.creation.create_test_db(verbosity=0, autoclobber=True)
    try:
        yield
    finally:
        connection.creation.destroy_test_db("", verbosity=0)


@contextmanager
def copy(name: str) -> Iterator[str]:
    """Connect to a copy of the database, and go back to it afterwards. Gives the copy's address."""
    source = connection.settings_dict["NAME"]
    # What SQLite has in its log comes into the file that is copied; PostgreSQL copies what nobody is connected to.
    connection.close()
    copied = connection.creation.get_test_db_clone_settings(name)["NAME"]
    connection.creation.clone_test_db(name, verbosity=0)
    connection.settings_dict["NAME"] = copied
    try:
        yield url()
    finally:
        connection.creation.destroy_test_db(source, verbosity=0)


def url() -> str:
    """The address of the connected database, which is TEST_DATABASE_URL for another process."""
    name = connection.settings_dict["NAME"]
    if connection.vendor == "sqlite":
        return f"sqlite:///{name}"
    return urlsplit(os.environ["TEST_DATABASE_URL"])._replace(path=f"/{name}").geturl()


def title() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT sqlite_version()" if connection.vendor == "sqlite" else "SHOW server_version")
        return f"{connection.display_name} {cursor.fetchone()[0].split()[0]}"


def gather_statistics() -> None:
    """What autovacuum does a minute later on PostgreSQL, where it could fall into a measurement."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")


def wait_until_alone() -> None:
    """Until the server of PostgreSQL has noticed that a process which was killed is gone."""
    if connection.vendor != "postgresql":
        return
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
                "AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
            )
            if not cursor.fetchone()[0]:
                return
        time.sleep(0.02)
    raise TimeoutError(f"The server still works for a process that was killed {_PATIENCE} seconds ago.")


def checksum(*, with_moments: bool = False) -> str:
    """The content of all tables. Of two imports alike it is the same when it leaves out when they were."""
    found = hashlib.sha256()
    for row in _rows(with_moments):
        found.update(row.encode())
    return found.hexdigest()


def _rows(with_moments: bool) -> Iterator[str]:
    for model in apps.get_models(include_auto_created=True):
        fields = [
            field
            for field in model._meta.concrete_fields
            if with_moments or not isinstance(field, models.DateTimeField)
        ]
        for row in model._base_manager.order_by("pk").values_list(*(field.attname for field in fields)).iterator():
            yield f"{model._meta.label} {row!r}\n"
