"""Operators, their authorised sites and the groups of their home sites as they stand in nested answers."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

from api.rendering import Document, Piece, Slice, joined
from chargers.documents import RenderedChargers, render_chargers
from chargers.models import Charger
from drivers.documents import SPARE_GROUP, DriverDocuments, DriverRows
from drivers.models import Driver
from hierarchy.documents import SITE, SitePlace, VisibleSites, nest
from hierarchy.models import Site
from hierarchy.scoping import Scope
from operators.models import Operator, SiteGrant
from operators.serializers import (
    AuthorisedSiteSerializer,
    ColleagueSerializer,
    OperatorGroupSerializer,
    OperatorSerializer,
    OperatorTreeSerializer,
)

OPERATOR = Document(OperatorSerializer)
COLLEAGUE = Document(ColleagueSerializer)
AUTHORISED_SITE = Document(AuthorisedSiteSerializer)
OPERATOR_GROUP = Document(OperatorGroupSerializer, given=("is_spare",))
OPERATOR_TREE = Document(OperatorTreeSerializer)

# Both kinds of group of a site read the same columns; the site's own come first.
_GROUP_WIDTH = len(OPERATOR_GROUP.columns)


class OperatorDocuments:
    """All visible operators by home site, None for the spare ones, each rendered once. With the hierarchy eleven
    statements, without it two."""

    def __init__(self, scope: Scope, with_hierarchy: bool) -> None:
        columns = ("pk", "home_site_id", "is_admin_operator", *OPERATOR.columns)
        operators = list(Operator.objects.visible_to(scope).order_by("name_key", "pk").values_list(*columns))
        site_columns = (*OPERATOR_GROUP.columns, *AUTHORISED_SITE.columns, *SITE.columns)
        self.sites = VisibleSites.read(
            Site.objects.visible_to(scope), site_columns if with_hierarchy else OPERATOR_GROUP.columns
        )
        groups_of = _authorised_sites(scope, self.sites, operators) if with_hierarchy else _no_groups
        self.at_home: dict[int | None, list[Piece]] = defaultdict(list)
        for pk, home_site_id, is_admin, *row in operators:
            head, tail = OPERATOR.pieces(row)
            pieces = [head, *groups_of(pk, is_admin), tail]
            self.at_home[home_site_id].append(Slice(pieces, 0, len(pieces)))

    @property
    def spare(self) -> list[Piece]:
        return self.at_home.get(None, [])

    def groups(self, roots: Iterable[int]) -> list[Slice]:
        """The operator group of each of `roots`, with all its subsites."""

        def group(site_id: int) -> tuple[bytes, list[Piece]]:
            head, between, tail = OPERATOR_GROUP.pieces(self.sites.rows[site_id][:_GROUP_WIDTH], False)
            return head, [between, *joined(self.at_home.get(site_id, ())), tail]

        roots = list(roots)
        laid_out, spans = nest(self.sites.forest, roots, group, [])
        return [Slice(laid_out, *spans[root]) for root in roots]

    def spare_group(self) -> Slice:
        head, between, tail = OPERATOR_GROUP.pieces(SPARE_GROUP, True)
        pieces = [head, between, *joined(self.spare), tail]
        return Slice(pieces, 0, len(pieces))


def operator_tree(scope: Scope, with_hierarchy: bool) -> list[Piece]:
    """Page 002."""
    operators = OperatorDocuments(scope, with_hierarchy)
    groups: list[Piece] = list(operators.groups(operators.sites.topmost(operators.at_home)))
    if operators.spare:
        groups.append(operators.spare_group())
    head, between, tail = OPERATOR_TREE.pieces(())
    return [head, *joined(groups), between, *joined(operators.spare), tail]


def home_operators(scope: Scope, site_id: int) -> list[Piece]:
    """The operators at home at a site, which the caller must see, and at its subsites. Eleven statements."""
    return list(OperatorDocuments(scope, with_hierarchy=True).groups([site_id]))


def spare_operators(scope: Scope) -> list[Piece]:
    """The operators without a home site, for who may see them. Eleven statements."""
    return [OperatorDocuments(scope, with_hierarchy=True).spare_group()]


def _no_groups(operator_id: int, is_admin: bool) -> list[Piece]:
    return []


def _authorised_sites(scope: Scope, sites: VisibleSites, operators: list[Any]) -> Callable[[int, bool], list[Piece]]:
    """The authorised sites of an operator, by id; those of an admin operator are the caller's roots."""
    granted: dict[int, list[SitePlace]] = defaultdict(list)
    place = ("site_id", "site__tree_id", "site__lft", "site__rght")
    ids = Operator.objects.visible_to(scope).order_by().values("pk")
    for operator_id, *values in SiteGrant.objects.filter(operator__in=ids).values_list("operator_id", *place):
        granted[operator_id].append(SitePlace(*values))

    rows = DriverRows(Driver.objects.visible_to(scope))
    chargers = render_chargers(Charger.objects.visible_to(scope), rows.single_chargers)
    documents = _AuthorisedSites(sites, operators, rows, chargers)

    def groups_of(operator_id: int, is_admin: bool) -> list[Piece]:
        shown = sites.forest.roots if is_admin else sites.shown(granted[operator_id])
        return joined(documents[site_id] for site_id in shown)

    return groups_of


class _AuthorisedSites:
    """The authorised sites of everybody, each rendered once, each a slice of one list."""

    def __init__(self, sites: VisibleSites, operators: list[Any], rows: DriverRows, chargers: RenderedChargers) -> None:
        start = _GROUP_WIDTH + len(AUTHORISED_SITE.columns)
        whole = VisibleSites(
            {site_id: row[start:] for site_id, row in sites.rows.items()}, sites.places, sites.keys, sites.forest
        )
        drivers = DriverDocuments(rows, whole, chargers)
        colleagues: dict[int | None, list[bytes]] = defaultdict(list)
        for _pk, home_site_id, _is_admin, *row in operators:
            colleagues[home_site_id].append(COLLEAGUE.pieces(row)[0])

        def pieces(site_id: int) -> tuple[bytes, list[Piece]]:
            row = sites.rows[site_id][_GROUP_WIDTH:start]
            head, to_operators, to_users, to_chargers, tail = AUTHORISED_SITE.pieces(row)
            return head, [
                to_operators,
                b",".join(colleagues.get(site_id, ())),
                to_users,
                *joined(drivers.at_home.get(site_id, ())),
                to_chargers,
                chargers.of_site.get(site_id, b""),
                tail,
            ]

        self._pieces, self._spans = nest(sites.forest, sites.forest.roots, pieces, [])

    def __getitem__(self, site_id: int) -> Slice:
        return Slice(self._pieces, *self._spans[site_id])
