"""Reading from one snapshot: everything inside the block sees the database at one moment."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection as default_connection
from django.db import models, transaction

# Only SQLite's connections have a transaction mode.
connection: Any = default_connection


# Up to so many ids are named one by one, which is quicker than a question within a question.
FEW = 500


def id_filter(ids: Collection[int], rows: models.QuerySet[Any]) -> Any:
    """What to compare an id with: `ids`, which were read from `rows` in this snapshot, or `rows` when they are many."""
    return list(ids) if len(ids) <= FEW else rows.order_by().values("pk")


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
