"""Checking the trees of sites and repairing what is damaged."""

from dataclasses import dataclass
from typing import Any

from hierarchy import journal, revision, tree
from hierarchy.forest import Forest, Numbers
from hierarchy.models import Site
from hierarchy.scoping import Caller

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
class _TreeRow:
    parent_id: int | None
    customer_id: int
    numbers: Numbers


def _rows() -> dict[int, _TreeRow]:
    columns = ("pk", "parent_id", "customer_id", "tree_id", "lft", "rght", "level")
    rows = Site.unscoped.order_by("tree_id", "lft", "pk").values_list(*columns)
    return {pk: _TreeRow(parent, customer, Numbers(*numbers)) for pk, parent, customer, *numbers in rows.iterator()}


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


def _forest(rows: dict[int, _TreeRow]) -> Forest:
    """The forest of the parents, siblings in the order in which the table numbers them."""
    position = {site_id: index for index, site_id in enumerate(rows)}
    return Forest.assemble({site_id: row.parent_id for site_id, row in rows.items()}, position.__getitem__)


def _misnumbered(rows: dict[int, _TreeRow], forest: Forest) -> list[tuple[int, Numbers]]:
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
    with journal.recording(caller), tree.lock():
        damage = check()
        for finding in damage:
            if finding.what in (ORPHAN, FOREIGN, CYCLE):
                _make_root(Site.unscoped.get(pk=finding.site_id), only_if_on_cycle=finding.what == CYCLE)
        rows = _rows()
        Site.objects.write_numbers(_misnumbered(rows, _forest(rows)))
        for customer_id in Site.unscoped.order_by("customer_id").values_list("customer_id", flat=True).distinct():
            revision.leave_mark(customer_id)
        return damage


def _make_root(site: Site, only_if_on_cycle: bool) -> None:
    if only_if_on_cycle:
        seen = {site.pk}
        parent_id = site.parent_id
        while parent_id is not None and parent_id not in seen:
            seen.add(parent_id)
            parent_id = Site.unscoped.values_list("parent_id", flat=True).get(pk=parent_id)
        if parent_id != site.pk:
            return
    taken = Site.unscoped.filter(customer_id=site.customer_id, parent=None, name_key=site.name_key).exists()
    values: dict[str, Any] = {"parent": None, "version": site.version + 1}
    changes: dict[str, list[Any]] = {"parent": [site.parent_id, None]}
    if taken:
        name = f"{site.name[:230]} ({site.pk})"
        changes["name"] = [site.name, name]
        values |= {"name": name, "name_key": Site._meta.get_field("name_key").key(name)}
    with journal.recording() as recorder:
        Site.unscoped.filter(pk=site.pk).update(**values)
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
