"""Writing to the tree of sites: the lock, and the manager that insists on it.

All trees of all customers are numbered in one table, so one lock guards them all. It is taken before the tree
columns of a node and its new parent are read again, and kept until the transaction ends.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from django.db import connection, models
from mptt.managers import TreeManager

from hierarchy import journal
from hierarchy.entity import EntityQuerySet
from hierarchy.forest import Numbers
from hierarchy.scoping import below

if TYPE_CHECKING:
    from hierarchy.models import Site

# Any number that nothing else locks by; it only has to stay the same while servers of two versions run.
_LOCK_ID = 4_201_337_001
_TREE_COLUMNS = frozenset({"tree_id", "lft", "rght", "level"})

_held: ContextVar[int] = ContextVar("tree_lock_depth", default=0)


@contextmanager
def lock() -> Iterator[None]:
    """Keep every other writer out of the trees until the transaction ends.

    On PostgreSQL this is an advisory lock; on SQLite the transaction has held the write lock since it began.
    Raises RuntimeError outside a transaction, where there is nothing to hold it.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("The tree is locked for the length of a transaction: open one first.")
    if connection.vendor == "postgresql" and not _held.get():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK_ID])
    token = _held.set(_held.get() + 1)
    try:
        yield
    finally:
        _held.reset(token)


def insist_on_lock() -> None:
    if not _held.get():
        raise RuntimeError("The tree is written only by Site.save(), Site.move(), Site.delete() and bulk imports.")


class SiteQuerySet(EntityQuerySet):
    def update(self, **values: Any) -> int:
        """What django-mptt writes while the lock is held; everything else is refused."""
        if values.keys() <= _TREE_COLUMNS:
            insist_on_lock()
            return models.QuerySet.update(self, **values)
        return super().update(**values)

    def at_or_below(self, site: "Site") -> "SiteQuerySet":
        """The site and everything below it, wherever it was when it was read."""
        return self.filter(below(self.model, frozenset({site.pk}), site.customer_id))


class SiteManager(TreeManager.from_queryset(SiteQuerySet)):  # type: ignore[misc]
    """django-mptt's manager, which here writes only while the tree is locked."""

    def insert_node(self, *args: Any, **kwargs: Any) -> Any:
        insist_on_lock()
        return super().insert_node(*args, **kwargs)

    def _move_node(self, *args: Any, **kwargs: Any) -> Any:
        insist_on_lock()
        return super()._move_node(*args, **kwargs)

    def _close_gap(self, *args: Any, **kwargs: Any) -> Any:
        insist_on_lock()
        return super()._close_gap(*args, **kwargs)

    def _refuse(self, *args: Any, **kwargs: Any) -> Any:
        raise TypeError("The numbers of the tree are repaired by `check_tree --fix`, and written by bulk imports.")

    def write_numbers(self, numbers: Iterable[tuple[int, Numbers]]) -> None:
        """Write the numbers of many sites at once. The tree must be locked."""
        insist_on_lock()
        rows = [(place.tree_id, place.lft, place.rght, place.level, site_id) for site_id, place in numbers]
        if not rows:
            return
        table = connection.ops.quote_name(self.model._meta.db_table)
        update = f"UPDATE {table} SET tree_id = %s, lft = %s, rght = %s, level = %s WHERE id = %s"  # noqa: S608
        with connection.cursor() as cursor:
            cursor.executemany(update, rows)

    def path_of(self, site_id: int) -> str:
        """The ids from the root down to a site, as `/1/7/12/`. Two statements."""
        site = self.get(pk=site_id)
        return journal.join_path(site.get_ancestors(include_self=True).values_list("pk", flat=True))

    rebuild = partial_rebuild = build_tree_nodes = disable_mptt_updates = delay_mptt_updates = _refuse
