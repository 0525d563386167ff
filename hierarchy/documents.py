"""Trees of sites as they stand in nested answers."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from api.rendering import Document, Flat, Piece, Slice, array
from chargers.documents import RenderedChargers, render_chargers
from chargers.models import Charger
from chargers.rollup import roll_up
from hierarchy.db import id_filter
from hierarchy.forest import Forest
from hierarchy.models import Site
from hierarchy.scoping import Scope
from hierarchy.serializers import SiteOutlineSerializer, SiteSerializer
from hierarchy.tree import SiteQuerySet

SITE = Document(SiteSerializer, given=("online_sockets", "offline_sockets", "error_sockets"))
OUTLINE = Document(SiteOutlineSerializer)

_PLACE = ("pk", "parent_id", "name_key", "tree_id", "lft", "rght")


class SitePlace(NamedTuple):
    """Where a site stands, whether or not the caller may see it."""

    site_id: int
    tree_id: int
    lft: int
    rght: int

    def holds(self, other: "SitePlace") -> bool:
        """Whether the other site is this one or lies below it."""
        return self.tree_id == other.tree_id and self.lft <= other.lft and other.rght <= self.rght


@dataclass(slots=True)
class VisibleSites:
    """Sites that the caller sees, as a forest: `rows` has what `documents` asked for, by id."""

    rows: dict[int, Any] = field(default_factory=dict)
    places: dict[int, SitePlace] = field(default_factory=dict)
    keys: dict[int, tuple[str, int]] = field(default_factory=dict)
    forest: Forest = field(default_factory=lambda: Forest({}))

    @classmethod
    def read(cls, sites: SiteQuerySet, columns: Collection[Any]) -> "VisibleSites":
        """Read `sites`, which must be filtered by scope already, with `columns`. One statement."""
        found = cls()
        parents: dict[int, int | None] = {}
        width = len(_PLACE)
        for row in sites.order_by().values_list(*_PLACE, *columns):
            pk, parent_id, name_key, tree_id, lft, rght = row[:width]
            parents[pk] = parent_id
            found.keys[pk] = (name_key, pk)
            found.places[pk] = SitePlace(pk, tree_id, lft, rght)
            found.rows[pk] = row[width:]
        found.forest = Forest.assemble(parents, found.keys.__getitem__)
        return found

    def topmost(self, site_ids: Iterable[int | None]) -> list[int]:
        """Those sites that have none of the others above them, in order."""
        return sorted(self.forest.topmost(one for one in site_ids if one is not None), key=self.keys.__getitem__)

    def shown(self, granted: Iterable[SitePlace]) -> list[int]:
        """The sites that stand for `granted` ones, in order: each itself, or, above the caller's scope, its topmost
        visible sites."""
        shown: set[int] = set()
        for place in granted:
            if place.site_id in self.rows:
                shown.add(place.site_id)
                continue
            for root in self.forest.roots:
                candidate = self.places[root]
                if place.holds(candidate):
                    shown.add(root)
        return sorted(shown, key=self.keys.__getitem__)


class SiteDocuments:
    """The documents of a forest of sites with their chargers: each rendered once, each a slice of one list."""

    # How many pieces of a site stand after its subsites; one stands before them.
    _AFTER = 3

    def __init__(self, sites: VisibleSites, chargers: RenderedChargers) -> None:
        health = roll_up(sites.forest, chargers.health)

        def pieces(site_id: int) -> tuple[bytes, list[bytes]]:
            head, between, tail = SITE.pieces(sites.rows[site_id], *health[site_id])
            return head, [between, chargers.of_site.get(site_id, b""), tail]

        self._pieces, self._spans = nest(sites.forest, sites.forest.roots, pieces, Flat())

    def __getitem__(self, site_id: int) -> Slice:
        return Slice(self._pieces, *self._spans[site_id])

    def alone(self, site_id: int) -> list[Piece]:
        """The document without its subsites; the counts still take them in."""
        start, stop = self._spans[site_id]
        return [self._pieces[start], *self._pieces[stop - self._AFTER : stop]]


def nest(
    forest: Forest,
    roots: Iterable[int],
    pieces: Callable[[int], tuple[Any, list[Any]]],
    into: list[Any],
) -> tuple[list[Any], dict[int, tuple[int, int]]]:
    """Lay out the documents below `roots` in one list, and say where each begins and ends.

    `pieces` gives what stands before a site's subsites and what after them.
    """
    spans: dict[int, tuple[int, int]] = {}
    afterwards: dict[int, list[Any]] = {}
    starts: dict[int, int] = {}
    first = True
    for site_id, entering in forest.walk(roots):
        if entering:
            if not first:
                into.append(b",")
            starts[site_id] = len(into)
            before, afterwards[site_id] = pieces(site_id)
            into.append(before)
            first = True
        else:
            into.extend(afterwards.pop(site_id))
            spans[site_id] = (starts.pop(site_id), len(into))
            first = False
    return into, spans


def site_tree(scope: Scope) -> list[Piece]:
    """Page 000: all visible sites with their chargers. Four statements."""
    sites = VisibleSites.read(Site.objects.visible_to(scope), SITE.columns)
    documents = SiteDocuments(sites, render_chargers(Charger.objects.visible_to(scope)))
    return array(documents[root] for root in sites.forest.roots)


def single_site(scope: Scope, site: Site, without_subsites: bool) -> list[Piece]:
    """One site, which the caller must see, with its chargers and, unless said, all below. Four statements."""
    subtree = Site.objects.visible_to(scope).at_or_below(site)
    sites = VisibleSites.read(subtree, SITE.columns)
    chargers = Charger.objects.visible_to(scope).filter(site__in=id_filter(sites.rows, subtree))
    documents = SiteDocuments(sites, render_chargers(chargers))
    return documents.alone(site.pk) if without_subsites else [documents[site.pk]]


def site_outline(scope: Scope) -> list[Piece]:
    """Page 000 with excludeDetails=true. One statement."""
    return array(_outlines(Site.objects.visible_to(scope)))


def single_outline(scope: Scope, site: Site) -> list[Piece]:
    """One site, which the caller must see, with all below, in outline. One statement."""
    return _outlines(Site.objects.visible_to(scope).at_or_below(site))


def _outlines(wanted: SiteQuerySet) -> list[Piece]:
    """The topmost of the sites, each with those below it."""
    sites = VisibleSites.read(wanted, OUTLINE.columns)

    def pieces(site_id: int) -> tuple[bytes, list[bytes]]:
        head, tail = OUTLINE.pieces(sites.rows[site_id])
        return head, [tail]

    laid_out, spans = nest(sites.forest, sites.forest.roots, pieces, Flat())
    return [Slice(laid_out, *spans[root]) for root in sites.forest.roots]
