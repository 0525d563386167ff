"""The rows of the tree page: which sites are shown, in which order, with counts per subtree."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db.models import Case, Count, F, Q, Value, When, Window
from django.db.models.functions import RowNumber

from chargers.models import Charger, Socket
from chargers.rollup import ERROR, OFFLINE, Health, socket_states
from drivers.models import Driver
from hierarchy.forest import Forest
from hierarchy.models import GroupType, Site
from hierarchy.scoping import Scope
from hierarchy.selectors import lines_above
from hierarchy.subtree_counts import Spread

# Subsites of one site per page.
PAGE_ROWS = 100
# Limits how many branches are expanded, so that the page loads fast.
MOST_LINES = 300
MOST_FOUND = 100


class TreeSite(NamedTuple):
    """A site in the tree, at position `rank` of its `siblings`."""

    pk: int
    parent_id: int | None
    name: str
    group_type: int | None
    customer: str
    tree_id: int
    lft: int
    rght: int
    rank: int = 1
    siblings: int = 1

    @property
    def subsites(self) -> int:
        """The number of descendants."""
        return (self.rght - self.lft - 1) // 2


COLUMNS = ("pk", "parent_id", "name", "group_type", "customer__name", "tree_id", "lft", "rght")


@dataclass(frozen=True, slots=True)
class Content:
    """Counts for a subtree. Drivers count at their home site."""

    chargers: int
    drivers: int
    health: Health


@dataclass(slots=True)
class Line:
    """A row of the tree: a site, or the link to the `more` subsites of `parent_id` that begin on page `page`.

    `ends` is the number of branches that end with this row.
    """

    place: TreeSite | None = None
    content: Content | None = None
    is_open: bool = False
    is_found: bool = False
    may_move: bool = False
    customer: str = ""
    parent_id: int | None = None
    more: int = 0
    page: int = 0
    ends: int = 0

    @property
    def ended(self) -> range:
        return range(self.ends)

    @property
    def kind(self) -> str:
        """The type of the site, unless its position in the tree implies it."""
        own = self.place.group_type if self.place else None
        return "" if own in (None, GroupType.SITE, GroupType.SUB_SITE) else str(GroupType(own).label)


class TreeBranches:
    """The sites of a page by parent id. The topmost have None; with `at`, they are the subsites of that site."""

    def __init__(self, scope: Scope, at: Site | None = None, page: int = 1) -> None:
        self._scope, self._at, self._page = scope, at, page
        self._sites = Site.objects.visible_to(scope).order_by()
        self._below: dict[int | None, list[TreeSite]] = defaultdict(list)

    def read(self, opened: Collection[int]) -> TreeBranches:
        """One page of the topmost sites, and the subsites of each of `opened`. Two statements.

        The first page also includes all opened sites, whatever their position.
        """
        first = (self._page - 1) * PAGE_ROWS
        also = Q(pk__in=opened)
        page = Q(rank__gt=first, rank__lte=first + PAGE_ROWS)
        self._below[None] = _ranked(self._topmost(), None, page | also if self._page == 1 else page)
        inner = self._sites.filter(parent__in=opened)
        for place in _ranked(inner, F("parent_id"), Q(rank__lte=PAGE_ROWS) | also):
            self._below[place.parent_id].append(place)
        return self

    def search(self, matching: Any) -> tuple[set[int], bool]:
        """Matching sites and their ancestors. Returns the matches, and whether there are more. Two statements."""
        ids = list(matching.order_by("name_key", "pk").values_list("pk", flat=True)[: MOST_FOUND + 1])
        found = set(ids[:MOST_FOUND])
        above = lines_above(found).visible_to(self._scope).order_by("name_key", "pk")
        known = {place.pk: place for place in (TreeSite(*row) for row in above.values_list(*COLUMNS))}
        order = {pk: number for number, pk in enumerate(known)}
        forest = Forest.assemble({place.pk: place.parent_id for place in known.values()}, order.__getitem__)
        # Ancestors of the site that is searched are not shown.
        top = self._at.pk if self._at else None
        shown: set[int] = set()
        for pk in found:
            line = forest.path(pk)
            shown.update(line[line.index(top) + 1 :] if top in line else line)
        for pk in sorted(shown, key=order.__getitem__):
            above_it = known[pk].parent_id
            self._below[above_it if above_it in shown else None].append(known[pk])
        return found, len(ids) > MOST_FOUND

    @property
    def inner(self) -> set[int]:
        """The sites with loaded subsites."""
        return {pk for pk in self._below if pk is not None}

    def lines(self, opened: Collection[int], found: Collection[int] = ()) -> list[Line]:
        """The rows of all sites in expanded branches, with their counts. Three statements."""
        opened = self._within_limit(opened)
        lines: list[Line] = []
        walk: list[tuple[int | None, Iterator[TreeSite]]] = [(None, iter(self._below[None]))]
        while walk:
            parent_id, siblings = walk[-1]
            is_topmost = len(walk) == 1 and self._at is None
            place = next(siblings, None)
            if place is None:
                self._add_more_link(lines, parent_id)
                walk.pop()
                if walk:
                    lines[-1].ends += 1
                continue
            line = Line(place, is_open=place.pk in opened, is_found=place.pk in found)
            # Restricted operators cannot move their topmost sites, because they have no access to the parent.
            line.may_move = not (self._scope.is_restricted and is_topmost)
            line.customer = place.customer if self._scope.is_platform and is_topmost else ""
            lines.append(line)
            if line.is_open:
                walk.append((place.pk, iter(self._below[place.pk])))
        content = contents(self._scope, [line.place for line in lines if line.place])
        for line in lines:
            line.content = content[line.place.pk] if line.place else None
        return lines

    def _topmost(self) -> Any:
        if self._at is not None:
            return self._sites.filter(parent=self._at)
        if self._scope.is_restricted:
            return self._sites.filter(pk__in=self._scope.root_ids).exclude(parent__in=self._sites.values("pk"))
        return self._sites.filter(parent=None)

    def _within_limit(self, opened: Collection[int]) -> set[int]:
        """Those of `opened` to show expanded: from the top, up to the limit of rows."""
        shown: set[int] = set()
        level = self._below[None]
        room = MOST_LINES - len(level)
        while level:
            following: list[TreeSite] = []
            for place in level:
                branch = self._below.get(place.pk, []) if place.pk in opened else []
                if branch and len(branch) <= room:
                    room -= len(branch)
                    shown.add(place.pk)
                    following += branch
            level = following
        return shown

    def _add_more_link(self, lines: list[Line], parent_id: int | None) -> None:
        """Add a link to the remaining siblings, if any."""
        branch = self._below[parent_id]
        page = self._page if parent_id is None else 1
        more = branch[0].siblings - page * PAGE_ROWS if branch else 0
        if more > 0:
            above = self._at.pk if parent_id is None and self._at else parent_id
            lines.append(Line(parent_id=above, more=more, page=page + 1))


def _ranked(sites: Any, branch: F | None, which: Q) -> list[TreeSite]:
    """The `sites`, numbered by `rank` within each `branch` in sibling order, filtered by `which`."""
    order = ["name_key", "pk"] if branch else ["customer__name_key", "name_key", "pk"]
    ranked = sites.annotate(
        rank=Window(RowNumber(), partition_by=branch, order_by=order),
        siblings=Window(Count("pk"), partition_by=branch),
    )
    rows = ranked.filter(which).order_by("rank").values_list(*COLUMNS, "rank", "siblings")
    return [TreeSite(*row) for row in rows]


def contents(scope: Scope, shown: Iterable[TreeSite]) -> dict[int, Content]:
    """The counts of each of the `shown` subtrees, by site id. Three statements, over their trees."""
    shown = list(shown)
    read = _Contents(scope, shown)
    chargers = read.spreads(Charger, "site__")
    drivers = read.spreads(Driver, "home_site__")
    online, offline, error = read.health()
    return {
        place.pk: Content(
            _within(chargers, place),
            _within(drivers, place),
            Health(_within(online, place), _within(offline, place), _within(error, place)),
        )
        for place in shown
    }


class _Contents:
    """Counts per site, no finer than shown: for a tree of which only the root is shown, one number."""

    def __init__(self, scope: Scope, shown: list[TreeSite]) -> None:
        self._scope = scope
        self._trees = {place.tree_id for place in shown}
        self._branched = {place.tree_id for place in shown if place.lft > 1}
        self._left = min((place.lft for place in shown), default=0)
        self._right = max((place.rght for place in shown), default=0)

    def _rows(self, model: Any, site: str) -> Any:
        rows = model.objects.visible_to(self._scope).order_by().filter(**{f"{site}tree_id__in": self._trees})
        if len(self._trees) == 1:
            rows = rows.filter(**{f"{site}lft__gte": self._left, f"{site}lft__lt": self._right})
        branched = When(**{f"{site}tree_id__in": self._branched}, then=F(f"{site}lft"))
        return rows.annotate(tree=F(f"{site}tree_id"), left=Case(branched, default=Value(1)))

    def spreads(self, model: Any, site: str) -> dict[int, Spread]:
        return _spreads(self._rows(model, site).values_list("tree", "left").annotate(Count("pk")))

    def health(self) -> tuple[dict[int, Spread], ...]:
        """Counts of sockets: online, offline and in error."""
        sockets = self._rows(Socket, "charger__site__").annotate(state=socket_states())
        counted = list(sockets.values_list("tree", "left", "state").annotate(Count("pk")))
        by_state: dict[int, list[tuple[int, int, int]]] = {OFFLINE: [], ERROR: []}
        online: list[tuple[int, int, int]] = []
        for tree_id, left, state, count in counted:
            by_state.get(state, online).append((tree_id, left, count))
        return tuple(_spreads(rows) for rows in (online, by_state[OFFLINE], by_state[ERROR]))


def _spreads(rows: Iterable[tuple[int, int, int]]) -> dict[int, Spread]:
    by_tree: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for tree_id, left, count in rows:
        by_tree[tree_id].append((left, count))
    return {tree_id: Spread(amounts) for tree_id, amounts in by_tree.items()}


def _within(spreads: dict[int, Spread], place: TreeSite) -> int:
    spread = spreads.get(place.tree_id)
    return spread.within([(place.lft, place.rght)]) if spread else 0
