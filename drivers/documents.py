"""Drivers and the groups of their home sites as they stand in nested answers."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from operator import attrgetter, itemgetter
from typing import Any

from django.db.models import Exists, OuterRef, Q

from api.rendering import Document, Piece, Slice, array, dumps, joined
from chargers.documents import RenderedChargers, render_chargers
from chargers.models import Charger
from drivers.access import drivers_reaching_site
from drivers.evidence import ReachedCharger, ShownRight, explained_drivers
from drivers.models import ChargerRight, Driver, IntegratedExternalId, SiteRight, Tag
from drivers.serializers import (
    AuthorisedUsersSerializer,
    DriverSerializer,
    ExplainedDriverSerializer,
    IntegratedExternalIdSerializer,
    ReachedChargerSerializer,
    RightSerializer,
    TagSerializer,
    UserGroupSerializer,
    UserTreeSerializer,
)
from hierarchy.db import FEW, id_filter
from hierarchy.documents import SITE, SiteDocuments, SitePlace, VisibleSites, nest
from hierarchy.entity import EntityQuerySet
from hierarchy.models import Site
from hierarchy.scoping import Scope, below

DRIVER = Document(DriverSerializer, given=("ordered_tags", "ordered_external_ids"))
TAG = Document(TagSerializer)
EXTERNAL_ID = Document(IntegratedExternalIdSerializer)
USER_GROUP = Document(UserGroupSerializer, given=("is_spare",))
USER_TREE = Document(UserTreeSerializer)
AUTHORISED_USERS = Document(AuthorisedUsersSerializer)
RIGHT = Document(RightSerializer, given=("path",))
EXPLAINED_DRIVER = Document(ExplainedDriverSerializer, given=("rights",))
REACHED_CHARGER = Document(ReachedChargerSerializer, given=("path", "right"))

# The group of those without a home site (contract section 4): id 0, its name, no type, no external id.
SPARE_GROUP = (0, "SpareGroup", None, "")


class DriverRows:
    """Drivers with their tags, external ids and rights, read in five statements."""

    def __init__(self, drivers: EntityQuerySet) -> None:
        columns = ("pk", "home_site_id", *DRIVER.columns)
        self.rows = list(drivers.order_by("name_key", "pk").values_list(*columns))
        ids = id_filter([row[0] for row in self.rows], drivers)
        self.tags = _by_driver(Tag, TAG, ids, "token_name", "id_tag", "pk")
        self.external_ids = _by_driver(IntegratedExternalId, EXTERNAL_ID, ids, "reference_type", "reference_id")
        self.site_rights: dict[int, list[SitePlace]] = defaultdict(list)
        place = ("site_id", "site__tree_id", "site__lft", "site__rght")
        for driver_id, *values in SiteRight.objects.filter(driver__in=ids).values_list("driver_id", *place):
            self.site_rights[driver_id].append(SitePlace(*values))
        self.charger_rights: dict[int, list[int]] = defaultdict(list)
        rights = ChargerRight.objects.filter(driver__in=ids)
        for driver_id, charger_id in rights.values_list("driver_id", "charger_id"):
            self.charger_rights[driver_id].append(charger_id)

    @property
    def granted_sites(self) -> frozenset[int]:
        """The sites on which somebody here has a right, visible or not."""
        return frozenset(place.site_id for places in self.site_rights.values() for place in places)

    @property
    def single_chargers(self) -> set[int]:
        """The chargers on which somebody here has a right of one's own, visible or not."""
        return {charger_id for ids in self.charger_rights.values() for charger_id in ids}


class DriverDocuments:
    """The documents of drivers, each rendered once. `at_home` has those of each home site, None for spare ones."""

    def __init__(self, drivers: DriverRows, sites: VisibleSites, chargers: RenderedChargers) -> None:
        site_documents = SiteDocuments(sites, chargers)
        self.all: list[Slice] = []
        self.at_home: dict[int | None, list[Slice]] = defaultdict(list)
        self._rights: list[tuple[list[SitePlace], Slice]] = []
        for pk, home_site_id, *row in drivers.rows:
            head, between, tail = DRIVER.pieces(row, drivers.tags[pk], drivers.external_ids[pk])
            rights = drivers.charger_rights[pk]
            single = sorted(chargers.single[charger_id] for charger_id in rights if charger_id in chargers.single)
            pieces = [
                head,
                *joined(site_documents[site_id] for site_id in sites.shown(drivers.site_rights[pk])),
                between,
                *joined(document for _key, document in single),
                tail,
            ]
            document = Slice(pieces, 0, len(pieces))
            self.all.append(document)
            self.at_home[home_site_id].append(document)
            self._rights.append((drivers.site_rights[pk], document))

    def with_right_at(self, site: SitePlace) -> list[Slice]:
        """The drivers with a right on a site or on one above it."""
        return [document for rights, document in self._rights if any(right.holds(site) for right in rights)]


def render_drivers(scope: Scope, drivers: EntityQuerySet) -> DriverDocuments:
    """Render `drivers`, which must be filtered by scope already, with what they may charge at. Nine statements."""
    rows = DriverRows(drivers)
    visible = Site.objects.visible_to(scope).filter(_below_granted(scope, rows, drivers))
    sites = VisibleSites.read(visible, SITE.columns)
    single = id_filter(rows.single_chargers, Charger.objects.filter(charger_rights__driver__in=drivers.values("pk")))
    chargers = Charger.objects.visible_to(scope).filter(
        Q(site__in=id_filter(sites.rows, visible)) | Q(pk__in=single),
    )
    return DriverDocuments(rows, sites, render_chargers(chargers, rows.single_chargers))


def _below_granted(scope: Scope, rows: DriverRows, drivers: EntityQuerySet) -> Exists:
    """The condition on sites that they lie at or below one on which one of the drivers has a right."""
    granted = rows.granted_sites
    if len(granted) <= FEW and scope.customer_id is not None:
        return below(Site, granted, scope.customer_id)
    return Exists(
        SiteRight.objects.filter(
            driver__in=drivers.order_by().values("pk"),
            site__tree_id=OuterRef("tree_id"),
            site__lft__lte=OuterRef("lft"),
            site__rght__gte=OuterRef("rght"),
        )
    )


def home_drivers(scope: Scope, site: Site) -> list[Piece]:
    """Page 001: the drivers at home at a site, which the caller must see, and at its subsites. Ten statements."""
    subtree = Site.objects.visible_to(scope).at_or_below(site)
    groups = VisibleSites.read(subtree, USER_GROUP.columns)
    drivers = Driver.objects.visible_to(scope).filter(home_site__in=id_filter(groups.rows, subtree))
    return list(user_groups(groups, [site.pk], render_drivers(scope, drivers)))


def spare_drivers(scope: Scope) -> list[Piece]:
    """Page 001 for site 0: the drivers without a home site, for who may see them. Nine statements."""
    drivers = Driver.objects.visible_to(scope).filter(home_site=None)
    return [spare_user_group(render_drivers(scope, drivers))]


def driver_tree(scope: Scope) -> list[Piece]:
    """All drivers and the tree of their home sites. Ten statements."""
    groups = VisibleSites.read(Site.objects.visible_to(scope), USER_GROUP.columns)
    drivers = render_drivers(scope, Driver.objects.visible_to(scope))
    spare = drivers.at_home.get(None, [])
    shown: list[Piece] = list(user_groups(groups, groups.topmost(drivers.at_home), drivers))
    if spare:
        shown.append(spare_user_group(drivers))
    head, between, tail = USER_TREE.pieces(())
    return [head, *joined(shown), between, *joined(spare), tail]


def authorised_users(scope: Scope, sites: Sequence[Site]) -> list[Piece]:
    """For each of `sites`, in this order, the visible drivers with a right on it or above. Ten statements."""
    reaching = Q(pk__in=[])
    for site in sites:
        reaching |= drivers_reaching_site(site.pk)
    drivers = render_drivers(scope, Driver.objects.visible_to(scope).filter(reaching))
    answers: list[Piece] = []
    for site in sites:
        head, tail = AUTHORISED_USERS.pieces((site.pk,))
        pieces = [head, *joined(drivers.with_right_at(SitePlace(site.pk, site.tree_id, site.lft, site.rght))), tail]
        answers.append(Slice(pieces, 0, len(pieces)))
    return array(answers)


def explained(scope: Scope, charger: Charger) -> list[Piece]:
    """Page 003 with explain=true: who may charge at a charger and why. Six statements."""
    return array(
        dumps(_built(EXPLAINED_DRIVER, driver, [_right(right) for right in driver.rights]))
        for driver in explained_drivers(scope, charger)
    )


def reached_charger(reached: ReachedCharger) -> dict[str, Any]:
    """One charger of a driver's reach."""
    return _built(REACHED_CHARGER, reached, reached.path, _right(reached.right))


def _right(right: ShownRight) -> dict[str, Any]:
    return _built(RIGHT, right, right.path)


def _built(document: Document, row: object, *given: Any) -> dict[str, Any]:
    """The document of a row that is an object, not columns."""
    return document.build(attrgetter(*map(str, document.columns))(row), *given)


def user_groups(groups: VisibleSites, roots: Collection[int], drivers: DriverDocuments) -> list[Slice]:
    """The user group of each of `roots`, with all its subsites."""

    def pieces(site_id: int) -> tuple[bytes, list[Piece]]:
        head, between, tail = USER_GROUP.pieces(groups.rows[site_id], False)
        return head, [between, *joined(drivers.at_home.get(site_id, ())), tail]

    laid_out, spans = nest(groups.forest, roots, pieces, [])
    return [Slice(laid_out, *spans[root]) for root in roots]


def spare_user_group(drivers: DriverDocuments) -> Slice:
    """The user group of the drivers without a home site."""
    head, between, tail = USER_GROUP.pieces(SPARE_GROUP, True)
    pieces = [head, between, *joined(drivers.at_home.get(None, ())), tail]
    return Slice(pieces, 0, len(pieces))


def _by_driver(model: Any, document: Document, ids: Any, *order: str) -> dict[int, list[dict[str, Any]]]:
    """The documents of each driver's rows in the order of these columns, compared here: databases collate texts."""
    rows = model.objects.filter(driver__in=ids).order_by().values_list(*document.columns, "driver_id")
    found: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in sorted(rows, key=itemgetter(*map(document.place, order))):
        found[row[-1]].append(document.build(row))
    return found
