"""The two questions for whoever keeps the server running."""

import pytest
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client

from config.schema_check import schema_differences


def test_it_works(db, client):
    assert client.get("/healthz").json() == {"status": "ok"}
    assert client.get("/readyz").json() == {"status": "ok"}
    assert schema_differences() == []


def test_a_missing_migration(db, client):
    MigrationRecorder.Migration.objects.filter(app="chargers").order_by("-id").first().delete()
    response = client.get("/readyz")
    assert response.status_code == 503
    assert "run `manage.py migrate`" in response.json()["reason"]


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("ALTER TABLE chargers_charger DROP COLUMN physical_reference", "the column physical_reference is missing"),
        ("ALTER TABLE hierarchy_site RENAME TO hierarchy_old", "hierarchy_site: the table is missing"),
        ("DROP INDEX change_at", "change_at is missing"),
        ("ALTER TABLE drivers_tag RENAME COLUMN token_name TO note", "the column token_name is missing"),
        ("ALTER TABLE drivers_tag RENAME COLUMN token_name TO note", "the column note must be filled"),
    ],
)
def test_tables_that_differ(db, statement, named):
    with connection.cursor() as cursor:
        cursor.execute(statement)
    response = Client().get("/readyz")
    assert response.status_code == 503
    assert any(named in str(one) for one in schema_differences()), schema_differences()
    assert "the tables and the migrations" in response.json()["reason"]


def test_a_column_that_only_a_newer_version_knows(db):
    """An older server beside a newer one works on, as long as its inserts do."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE drivers_tag ADD COLUMN colour varchar(8) NULL")
    assert schema_differences() == []
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE drivers_tag ADD COLUMN weight integer NOT NULL DEFAULT 0")
    assert schema_differences() == []


def test_a_database_that_is_away(db, monkeypatch):
    def away(*args):
        from django.db import OperationalError

        raise OperationalError

    monkeypatch.setattr("config.health.MigrationExecutor", away)
    response = Client().get("/readyz")
    assert (response.status_code, response.json()["reason"]) == (503, "The database does not answer.")
