"""Filled databases of released versions, small and for both databases: `python -m tests.released VERSION` writes one.

A file has the migrations of its version and every row of its demo, by table. It is written once, when the version is
released, and never again: `tests/test_upgrade.py` migrates what is in it to the tables of today.
"""

from __future__ import annotations

import base64
import datetime
import gzip
import json
import sys
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "data" / "released"
# Tables that Django fills by itself when it migrates.
OWN = {"django_migrations", "django_content_type", "auth_permission", "django_session"}


def read(path: Path) -> dict[str, Any]:
    return json.loads(gzip.decompress(path.read_bytes()), object_hook=_decoded)


def tables(connection: Any) -> dict[str, dict[str, Any]]:
    """Every row of every table of the product, those first that others refer to: column names, and rows by them."""
    found = {}
    with connection.cursor() as cursor:
        names = set(connection.introspection.table_names(cursor)) - OWN
        for name in sorted(names):
            table = connection.ops.quote_name(name)
            cursor.execute(f"SELECT * FROM {table}")
            columns = [column.name if hasattr(column, "name") else column[0] for column in cursor.description]
            rows = sorted(cursor.fetchall(), key=repr)
            if rows:
                found[name] = {"columns": columns, "rows": [list(row) for row in rows]}
    return found


def fill(connection: Any, filled: dict[str, dict[str, Any]]) -> None:
    """Insert the rows of a file into the empty tables of its version."""
    from django.db import transaction

    is_sqlite = connection.vendor == "sqlite"
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        if is_sqlite:
            cursor.execute("PRAGMA defer_foreign_keys = ON")
        else:
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        for name, table in filled.items():
            types = _types(connection, cursor, name)
            quoted = ", ".join(map(connection.ops.quote_name, table["columns"]))
            places = ", ".join(["%s"] * len(table["columns"]))
            rows = [
                [_for(connection, types[column], value) for column, value in zip(table["columns"], row, strict=True)]
                for row in table["rows"]
            ]
            cursor.executemany(f"INSERT INTO {connection.ops.quote_name(name)} ({quoted}) VALUES ({places})", rows)
            if not is_sqlite and "id" in table["columns"]:
                cursor.execute(f"SELECT setval(pg_get_serial_sequence('{name}', 'id'), (SELECT max(id) FROM {name}))")


def _types(connection: Any, cursor: Any, name: str) -> dict[str, str]:
    if connection.vendor == "sqlite":
        return {row[1]: row[2] for row in cursor.execute(f"PRAGMA table_info({name})").fetchall()}
    cursor.execute("SELECT column_name, data_type FROM information_schema.columns WHERE table_name = %s", [name])
    return dict(cursor.fetchall())


def _for(connection: Any, kind: str, value: Any) -> Any:
    """A value as the database takes it."""
    if connection.vendor == "sqlite":
        return str(value) if isinstance(value, datetime.date) else value
    if kind.startswith("timestamp") and value is not None:
        return value.replace(tzinfo=datetime.UTC)
    return value


def _encoded(value: Any) -> Any:
    if isinstance(value, bytes):
        return {"base64": base64.b64encode(value).decode()}
    if isinstance(value, datetime.datetime):
        return {"timestamp": value.isoformat()}
    if isinstance(value, datetime.date):
        return {"date": value.isoformat()}
    raise TypeError(f"{value!r} has no place in the file.")


def _decoded(item: dict[str, Any]) -> Any:
    if len(item) == 1:
        ((kind, text),) = item.items()
        if kind in _DECODERS:
            return _DECODERS[kind](text)
    return item


_DECODERS = {
    "base64": base64.b64decode,
    "timestamp": datetime.datetime.fromisoformat,
    "date": datetime.date.fromisoformat,
}


def write(version: str) -> Path:
    """Fill an empty database with a small demo and what people did to it, and write it down."""
    import django
    from django.core.management import call_command
    from django.db import connection

    django.setup()
    assert connection.vendor == "sqlite", "Unset TEST_DATABASE_URL: the file is written on SQLite."
    connection.creation.create_test_db(verbosity=0, autoclobber=True)
    try:
        call_command("seed_demo", customers=2, sites=8, chargers=12, drivers=8, operators=6, verbosity=0)
        _work()
        with connection.cursor() as cursor:
            cursor.execute("SELECT app, name FROM django_migrations ORDER BY id")
            migrations = dict(cursor.fetchall())
        document = {"version": version, "migrations": migrations, "tables": tables(connection)}
        path = FOLDER / f"{version}.json.gz"
        path.parent.mkdir(exist_ok=True)
        # No name and no time in the header, so that the same rows are the same file.
        path.write_bytes(gzip.compress(json.dumps(document, default=_encoded).encode(), 9, mtime=0))
    finally:
        connection.creation.destroy_test_db("", verbosity=0)
    return path


def _work() -> None:
    """What the demo has none of: a planned and an applied import, a change, a move, a deletion, a webhook."""
    from bulk import imports
    from hierarchy import journal, services
    from hierarchy.models import Customer, Site
    from hierarchy.scoping import Caller
    from operators.models import Operator, Webhook

    customer = Customer.objects.order_by("pk").first()
    operator = Operator.objects.filter(customer=customer, is_admin_operator=True).order_by("pk").first()
    caller = Caller(operator.scope(), operator.email, journal.ADMIN, "released")
    head = Site.objects.filter(customer=customer, parent=None).order_by("pk").first()
    for name in ("Depot", "Yard"):
        services.save(caller, Site(customer=customer, parent=head, name=name))
    depot, yard = (Site.objects.get(customer=customer, name=name) for name in ("Depot", "Yard"))
    services.site_move(caller, yard, depot)
    services.delete(caller, Site.objects.get(pk=yard.pk))
    services.save(caller, Webhook(operator=operator, name="Mirror", url="https://hooks.example.com/chargetree"))
    for charger_id in ("REL-1", "REL-2"):
        content = f"chargerId,group\n{charger_id},{head.name} / Depot\n".encode()
        plan = imports.import_plan(caller, customer, content, imports.ImportRequest("chargers.csv", table="chargers"))
        if charger_id == "REL-1":
            imports.import_apply(caller, plan)


if __name__ == "__main__":
    import os

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    print(write(sys.argv[1]))
