"""Reading from one snapshot: everything inside the block sees the database at one moment."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection as default_connection
from django.db import transaction

# Only SQLite's connections have a transaction mode.
connection: Any = default_connection


@contextmanager
def snapshot() -> Iterator[None]:
    """A read-only transaction: REPEATABLE READ on PostgreSQL, DEFERRED on SQLite, where it locks no writer out.

    Inside another transaction it joins that one.
    """
    if connection.in_atomic_block:
        yield
        return
    if connection.vendor == "postgresql":
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            yield
        return
    connection.ensure_connection()
    mode = connection.transaction_mode
    connection.transaction_mode = "DEFERRED"
    try:
        with transaction.atomic():
            yield
    finally:
        connection.transaction_mode = mode
