"""The least that an import could take: its file parsed, and the rows that it wrote written again, nothing else."""

from __future__ import annotations

import csv
import time
from pathlib import Path
from typing import Any

from django.db import connection, transaction
from django.db.models import Max, Model

from chargers.models import Charger, Socket
from hierarchy.models import Change, Site

# What an import of sites, chargers and sockets writes many rows of, in an order in which they can be written.
MODELS: tuple[type[Model], ...] = (Site, Charger, Socket, Change)

Rows = dict[type[Model], list[tuple[Any, ...]]]


def last_ids() -> dict[type[Model], int]:
    return {model: model._base_manager.aggregate(last=Max("pk"))["last"] or 0 for model in MODELS}


def rows_after(last: dict[type[Model], int]) -> Rows:
    """The rows with higher ids than these, as the driver takes them."""
    # PostgreSQL is given texts: a value of its own type would have to be turned into one first.
    cast = "::text" if connection.vendor == "postgresql" else ""
    rows: Rows = {}
    for model in MODELS:
        columns = ", ".join(f"{column}{cast}" for column in _columns(model))
        with connection.cursor() as cursor:
            # The raw cursor: Django's turns what SQLite stores into values of Python.
            cursor.execute(f"SELECT {columns} FROM {model._meta.db_table} WHERE id > %s ORDER BY id", [last[model]])
            rows[model] = cursor.fetchall()
    return rows


def seconds(path: Path, rows: Rows) -> float:
    """Parse the file and write the rows, in one transaction."""
    connection.ensure_connection()
    start = time.perf_counter()
    with path.open(encoding="utf-8-sig", newline="") as file:
        for _row in csv.reader(file):
            pass
    with transaction.atomic():
        for model, values in rows.items():
            _write(model, values)
    return time.perf_counter() - start


def _write(model: type[Model], rows: list[tuple[Any, ...]]) -> None:
    table, columns = model._meta.db_table, _columns(model)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor, cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
    else:
        places = ", ".join("?" * len(columns))
        statement = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places})"
        connection.connection.cursor().executemany(statement, rows)


def _columns(model: type[Model]) -> list[str]:
    return [connection.ops.quote_name(field.column) for field in model._meta.concrete_fields]
