"""Queries of the home page: counts, socket health, chargers that need attention, coordinates and imports."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db.models import Count, Q, Value

from chargers.models import Charger, Socket
from chargers.rollup import CHARGING, ERROR, OFFLINE, ONLINE, charger_states, socket_states
from chargers.selectors import unseen, without_chargers
from drivers.models import Driver, Tag
from drivers.selectors import expiring, without_rights
from hierarchy.entity import EntityQuerySet
from hierarchy.models import Customer, Import, Site
from hierarchy.scoping import Scope

# Limits of the groups, imports and chargers on the page, and of the chargers on its map.
GROUPS = 12
IMPORTS = 5
CHARGERS = 50
MAPPED = 20_000


class SocketNumbers(NamedTuple):
    """Numbers of sockets. Charging sockets are online too."""

    online: int = 0
    charging: int = 0
    offline: int = 0
    error: int = 0

    @property
    def total(self) -> int:
        return self.online + self.offline + self.error

    @classmethod
    def of(cls, rows: Iterable[tuple[Any, ...]]) -> SocketNumbers:
        """From rows that end with a state and its number of sockets."""
        states: Counter[int] = Counter()
        for *_key, state, count in rows:
            states[state] += count
        charging = states[CHARGING]
        return cls(states[ONLINE] + charging, charging, states[OFFLINE], states[ERROR])


class Group(NamedTuple):
    """A subtree or, for platform staff, a customer. `level` is 1 for subsites of the only top site."""

    pk: int
    name: str
    sockets: SocketNumbers
    level: int = 0


@dataclass(frozen=True, slots=True)
class Dashboard:
    """`groups` are the top sites by name; beyond the limit, those with the most sockets, and `more_groups` the rest.

    No groups means no accessible data yet. `chargers` have a `state`, the worst first.
    """

    sockets: SocketNumbers
    groups: list[Group]
    more_groups: int
    chargers_unseen: int
    tags_expiring: int
    drivers_without_rights: int
    sites_without_chargers: int
    imports: list[Import]
    chargers: list[Any]


def dashboard(scope: Scope) -> Dashboard:
    """All data of the page. Five statements."""
    sockets, groups = _customers(scope) if scope.is_platform else _top_sites(scope)
    largest = sorted(groups, key=lambda group: -group.sockets.total)[:GROUPS]
    counts = _counts(
        {
            "chargers_unseen": Charger.objects.visible_to(scope).filter(unseen()),
            "tags_expiring": Tag.objects.visible_to(scope).filter(expiring()),
            "drivers_without_rights": Driver.objects.visible_to(scope).filter(without_rights(scope)),
            "sites_without_chargers": Site.objects.visible_to(scope).filter(without_chargers()),
        }
    )
    return Dashboard(
        sockets=sockets,
        groups=[group for group in groups if group in largest],
        more_groups=max(len(groups) - GROUPS, 0),
        imports=list(Import.objects.visible_to(scope)[:IMPORTS]),
        chargers=list(worst_first(scope)[:CHARGERS]),
        **counts,
    )


def worst_first(scope: Scope) -> EntityQuerySet:
    """The chargers of `scope` with their `state`; those that need attention first."""
    rows: EntityQuerySet = Charger.objects.visible_to(scope).annotate(state=charger_states())
    return rows.order_by("-state", "name_key", "charger_id_key")


def on_map(scope: Scope) -> tuple[list[tuple[Any, ...]], int, int]:
    """The chargers with coordinates as `(pk, charger_id, name, latitude, longitude, city, state)`, the worst first and
    at most MAPPED; the number of chargers with coordinates, and of those without."""
    chargers = Charger.objects.visible_to(scope)
    located = Q(latitude__isnull=False)
    numbers = chargers.aggregate(located=Count("pk", filter=located), elsewhere=Count("pk", filter=~located))
    columns = ("pk", "charger_id", "name", "latitude", "longitude", "city", "state")
    rows = list(worst_first(scope).filter(located).values_list(*columns)[:MAPPED])
    return rows, numbers["located"], numbers["elsewhere"]


def _counts(questions: Mapping[str, Any]) -> dict[str, int]:
    """The number of rows of each queryset, in one statement."""
    first, *others = (
        rows.order_by().annotate(question=Value(name)).values_list("question").annotate(Count("pk"))
        for name, rows in questions.items()
    )
    return {**dict.fromkeys(questions, 0), **dict(first.union(*others, all=True))}


def _states(scope: Scope, *by: str) -> list[tuple[Any, ...]]:
    """Rows of these columns, a state, and its number of sockets. One statement."""
    sockets = Socket.objects.visible_to(scope).order_by().annotate(state=socket_states())
    return list(sockets.values_list(*by, "state").annotate(Count("pk")))


def _customers(scope: Scope) -> tuple[SocketNumbers, list[Group]]:
    """All sockets, and every customer. Two statements."""
    rows = _states(scope, "charger__customer_id")
    of_customer: dict[int, list[tuple[Any, ...]]] = defaultdict(list)
    for row in rows:
        of_customer[row[0]].append(row)
    customers = Customer.objects.visible_to(scope).values_list("pk", "name")
    return SocketNumbers.of(rows), [Group(pk, name, SocketNumbers.of(of_customer[pk])) for pk, name in customers]


class _DashboardSite(NamedTuple):
    """The position of a site in its tree; sorts in tree order, parents before children."""

    tree_id: int
    lft: int
    rght: int
    name_key: str
    pk: int
    name: str

    def holds(self, tree_id: int, lft: int) -> bool:
        return self.tree_id == tree_id and self.lft <= lft <= self.rght


def _top_sites(scope: Scope) -> tuple[SocketNumbers, list[Group]]:
    """All sockets, and the topmost sites; for a single one, also its subsites. Two statements."""
    rows = _states(scope, "charger__site__tree_id", "charger__site__lft")
    high = Q(level__lte=1)
    if scope.is_restricted:
        high = Q(pk__in=scope.root_ids) | Q(parent__in=scope.root_ids)
    sites = Site.objects.visible_to(scope).filter(high).order_by().values_list(*_DashboardSite._fields)
    places = sorted(_DashboardSite(*site) for site in sites)
    top = _outermost(places)
    groups = _groups(top, rows)
    if len(top) == 1:
        groups += _groups(_outermost(places[1:]), rows, level=1)
    return SocketNumbers.of(rows), groups


def _outermost(places: Iterable[_DashboardSite]) -> list[_DashboardSite]:
    found: list[_DashboardSite] = []
    for place in places:
        if not found or not found[-1].holds(place.tree_id, place.lft):
            found.append(place)
    return found


def _groups(places: Sequence[_DashboardSite], rows: Iterable[tuple[int, int, int, int]], level: int = 0) -> list[Group]:
    """The groups of disjoint subtrees, ordered by name."""
    starts = [(place.tree_id, place.lft) for place in places]
    within: list[list[tuple[int, int]]] = [[] for _place in places]
    for tree_id, lft, state, count in rows:
        index = bisect_right(starts, (tree_id, lft)) - 1
        if index >= 0 and places[index].holds(tree_id, lft):
            within[index].append((state, count))
    found = sorted(zip(places, within, strict=True), key=lambda pair: (pair[0].name_key, pair[0].pk))
    return [Group(place.pk, place.name, SocketNumbers.of(states), level) for place, states in found]
