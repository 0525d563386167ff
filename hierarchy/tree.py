"""Writing to the tree of sites: the lock, the manager that insists on it, the check and the repair.

All trees of all customers are numbered in one table, so one lock guards them all. It is taken before the tree
columns of a node and its new parent are read again, and kept until the transaction ends.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import connection, models
from mptt.managers import TreeManager

from hierarchy import journal
from hierarchy.entity import EntityQuerySet
from hierarchy.forest import Forest, Numbers
from hierarchy.scoping import Caller, below

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
        raise RuntimeError("The tree is written only by Site.save(), Site.move(), Site.delete() and the bulk road.")


class SiteQuerySet(EntityQuerySet):
    deletion_order = "-level"

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
        raise TypeError("The numbers of the tree are mended by `check_tree --fix`, and written by the bulk road.")

    rebuild = partial_rebuild = build_tree_nodes = disable_mptt_updates = delay_mptt_updates = _refuse


def write_numbers(numbers: Iterable[tuple[int, Numbers]]) -> None:
    """Write the numbers of many sites at once. The tree must be locked."""
    insist_on_lock()
    from hierarchy.models import Site

    rows = [(place.tree_id, place.lft, place.rght, place.level, site_id) for site_id, place in numbers]
    if not rows:
        return
    table = connection.ops.quote_name(Site._meta.db_table)
    update = f"UPDATE {table} SET tree_id = %s, lft = %s, rght = %s, level = %s WHERE id = %s"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.executemany(update, rows)


# What holds of every site. `check` reports the sites of which it does not.
ORPHAN = "its parent does not exist"
FOREIGN = "its parent belongs to another customer"
CYCLE = "its ancestors form a circle"
NUMBERS = "its tree numbers do not fit its parents"


@dataclass(frozen=True, slots=True)
class Damage:
    site_id: int
    what: str

    def __str__(self) -> str:
        return f"Site {self.site_id}: {self.what}."


@dataclass(slots=True)
class _Row:
    parent_id: int | None
    customer_id: int
    numbers: Numbers


def _rows() -> dict[int, _Row]:
    from hierarchy.models import Site

    columns = ("pk", "parent_id", "customer_id", "tree_id", "lft", "rght", "level")
    rows = Site._base_manager.order_by("tree_id", "lft", "pk").values_list(*columns)
    return {pk: _Row(parent, customer, Numbers(*numbers)) for pk, parent, customer, *numbers in rows.iterator()}


def check() -> list[Damage]:
    """Compare every site's parent and tree numbers; the list is empty when the trees are sound."""
    rows = _rows()
    damage: list[Damage] = []
    for site_id, row in rows.items():
        if row.parent_id is None:
            continue
        parent = rows.get(row.parent_id)
        if parent is None:
            damage.append(Damage(site_id, ORPHAN))
        elif parent.customer_id != row.customer_id:
            damage.append(Damage(site_id, FOREIGN))
    forest = _forest(rows)
    damage += [Damage(site_id, CYCLE) for site_id in sorted(forest.unreachable())]
    damage += [Damage(site_id, NUMBERS) for site_id, _place in _misnumbered(rows, forest)]
    return damage


def _forest(rows: dict[int, _Row]) -> Forest:
    """The forest of the parents, siblings in the order in which the table numbers them."""
    position = {site_id: index for index, site_id in enumerate(rows)}
    return Forest.assemble({site_id: row.parent_id for site_id, row in rows.items()}, position.__getitem__)


def _misnumbered(rows: dict[int, _Row], forest: Forest) -> list[tuple[int, Numbers]]:
    """The sites whose numbers are wrong, each with the right ones. Every root keeps its tree unless it is taken."""
    tree_ids: dict[int, int] = {}
    taken: set[int] = set()
    highest = max((row.numbers.tree_id for row in rows.values()), default=0)
    for root in forest.roots:
        tree_id = rows[root].numbers.tree_id
        if tree_id in taken or tree_id < 1:
            highest += 1
            tree_id = highest
        taken.add(tree_id)
        tree_ids[root] = tree_id
    right = forest.number(tree_ids)
    return [(site_id, place) for site_id, place in right.items() if rows[site_id].numbers != place]


def repair(caller: Caller) -> list[Damage]:
    """Mend what `check` finds, and return it: a site without a sound parent becomes a root, then trees are numbered.

    Where a root of that name exists, the site's id is added to its name.
    """
    from hierarchy import revision
    from hierarchy.models import Site

    with journal.recording(caller), lock():
        damage = check()
        for finding in damage:
            if finding.what in (ORPHAN, FOREIGN, CYCLE):
                _make_root(Site._base_manager.get(pk=finding.site_id), only_if_on_cycle=finding.what == CYCLE)
        rows = _rows()
        write_numbers(_misnumbered(rows, _forest(rows)))
        for customer_id in Site._base_manager.order_by("customer_id").values_list("customer_id", flat=True).distinct():
            revision.leave_mark(customer_id)
        return damage


def _make_root(site: "Site", only_if_on_cycle: bool) -> None:
    from hierarchy.models import Site

    if only_if_on_cycle:
        seen = {site.pk}
        parent_id = site.parent_id
        while parent_id is not None and parent_id not in seen:
            seen.add(parent_id)
            parent_id = Site._base_manager.values_list("parent_id", flat=True).get(pk=parent_id)
        if parent_id != site.pk:
            return
    taken = Site._base_manager.filter(customer_id=site.customer_id, parent=None, name_key=site.name_key).exists()
    values: dict[str, Any] = {"parent": None, "version": site.version + 1}
    changes: dict[str, list[Any]] = {"parent": [site.parent_id, None]}
    if taken:
        name = f"{site.name[:230]} ({site.pk})"
        changes["name"] = [site.name, name]
        values |= {"name": name, "name_key": Site._meta.get_field("name_key").key(name)}
    with journal.recording() as recorder:
        Site._base_manager.filter(pk=site.pk).update(**values)
        recorder.entries.append(
            journal.Entry(
                customer_id=site.customer_id,
                action=journal.MOVED,
                object_type="site",
                object_id=site.pk,
                natural_key=values.get("name", site.name),
                fields=changes,
                site_path=journal.join_path([site.pk]),
                from_path=journal.join_path([site.parent_id, site.pk]),
            )
        )
