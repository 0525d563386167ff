"""Writing many rows with few statements, where the ORM's own would take several times as long."""

from __future__ import annotations

import itertools
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache, partial
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections, models, transaction

_MAX_ROWS = 500
# From so many rows on, COPY is worth its longer way to and fro.
_MANY = 50


def insert(model: type[models.Model], rows: Iterable[models.Model]) -> None:
    """Insert new rows as they come, and give them their ids."""
    connection = connections[DEFAULT_DB_ALIAS]
    fields: list[Any] = [field for field in model._meta.concrete_fields if not field.primary_key]
    columns = [field.column for field in fields]
    prepared = [(field.pre_save, _preparation(field, connection)) for field in fields]
    remaining = iter(rows)
    while batch := list(itertools.islice(remaining, _MAX_ROWS)):
        values = [
            [prepare(value(row, True)) if prepare else value(row, True) for value, prepare in prepared] for row in batch
        ]
        for row, pk in zip(batch, _write(connection, model, columns, values), strict=True):
            row.pk = pk
            row._state.adding, row._state.db = False, connection.alias


def insert_values(model: type[models.Model], columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Insert rows of values that are the database's already, in the order of the columns."""
    connection = connections[DEFAULT_DB_ALIAS]
    remaining = iter(rows)
    while batch := list(itertools.islice(remaining, _MAX_ROWS)):
        _write(connection, model, columns, batch)


def _write(
    connection: Any, model: type[models.Model], columns: Sequence[str], rows: Sequence[Sequence[Any]]
) -> list[int]:
    """The ids of the rows that were written."""
    table = connection.ops.quote_name(model._meta.db_table)
    names = ", ".join(map(connection.ops.quote_name, columns))
    write = _copy if connection.vendor == "postgresql" and len(rows) >= _MANY else _insert
    with connection.cursor() as cursor:
        return write(connection, cursor, table, names, rows)


def _insert(connection: Any, cursor: Any, table: str, columns: str, rows: Sequence[Sequence[Any]]) -> list[int]:
    one = f"({', '.join(['%s'] * len(rows[0]))})"
    size = len(rows)
    if connection.vendor == "sqlite":
        size = connection.connection.getlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER) // len(rows[0])
    ids: list[int] = []
    for begin in range(0, len(rows), size):
        batch = rows[begin : begin + size]
        cursor.execute(
            f"INSERT INTO {table} ({columns}) VALUES {', '.join([one] * len(batch))} RETURNING id",  # noqa: S608
            list(itertools.chain.from_iterable(batch)),
        )
        ids += [pk for (pk,) in cursor.fetchall()]
    return ids


def _copy(connection: Any, cursor: Any, table: str, columns: str, rows: Sequence[Sequence[Any]]) -> list[int]:
    """PostgreSQL's COPY takes half the time of INSERT, and tells no ids: they are drawn before."""
    cursor.execute("SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)", [table, len(rows)])
    ids = [pk for (pk,) in cursor.fetchall()]
    with connection.wrap_database_errors, cursor.copy(f"COPY {table} (id, {columns}) FROM STDIN") as copy:
        for pk, values in zip(ids, rows, strict=True):
            copy.write_row((pk, *values))
    return ids


# What the database takes of these as it is, when a row holds what its fields made of it.
_PLAIN = (
    models.CharField,
    models.TextField,
    models.IntegerField,
    models.FloatField,
    models.BooleanField,
    models.ForeignKey,
)


def _preparation(field: Any, connection: Any) -> Callable[[Any], Any] | None:
    """What makes a value of a row one of the database's; None where it is that already."""
    if isinstance(field, _PLAIN):
        return None
    prepare = partial(field.get_db_prep_save, connection=connection)
    # Rows that are written together say the same moment, or none.
    return lru_cache(maxsize=8)(prepare) if isinstance(field, models.DateTimeField) else prepare


def update(rows: Iterable[tuple[models.Model, Sequence[str]]]) -> None:
    """Write the named fields of each row."""
    connection = connections[DEFAULT_DB_ALIAS]
    quote = connection.ops.quote_name
    statements: dict[str, list[list[Any]]] = defaultdict(list)
    for row, names in rows:
        fields: list[Any] = [row._meta.get_field(name) for name in names]
        columns = ", ".join(f"{quote(field.column)} = %s" for field in fields)
        statements[f"UPDATE {quote(row._meta.db_table)} SET {columns} WHERE id = %s"].append(  # noqa: S608
            [*(field.get_db_prep_save(field.pre_save(row, False), connection) for field in fields), row.pk]
        )
    with connection.cursor() as cursor:
        for statement, values in statements.items():
            cursor.executemany(statement, values)


def delete(model: type[models.Model], ids: Sequence[int]) -> None:
    """Delete rows that nothing refers to any more."""
    connection = connections[DEFAULT_DB_ALIAS]
    table = connection.ops.quote_name(model._meta.db_table)
    places = ", ".join(["%s"] * len(ids))
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {table} WHERE id IN ({places})", list(ids))  # noqa: S608


def analyze_on_commit(tables: Iterable[type[models.Model]]) -> None:
    """Have PostgreSQL count rows when they are committed: until it does by itself, it takes large tables for small."""
    connection = connections[DEFAULT_DB_ALIAS]
    if connection.vendor != "postgresql":
        return
    names = ", ".join(connection.ops.quote_name(model._meta.db_table) for model in tables)

    def analyze() -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"ANALYZE {names}")

    transaction.on_commit(analyze, robust=True)
