"""What a caller is shown of a decision: the steps that led to it, and near misses, as far as they are visible.

The decision itself knows no scope and is always the true one. Of what a caller may not see, nothing is told but that
it lets somebody charge.
"""

import datetime
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, NamedTuple

from django.core.exceptions import ValidationError
from django.db.models import Count, F, OuterRef, Subquery, Window

from chargers.models import Charger
from drivers.access import AccessStep, Code, Reach, decide, drivers_reaching, rights_reaching
from drivers.models import ChargerRight, Driver, SiteRight, Tag
from drivers.similar_tags import TagDifference, similar_keys
from hierarchy.db import id_filter
from hierarchy.fields import validate_text
from hierarchy.models import Site
from hierarchy.scoping import Scope
from hierarchy.selectors import lines_above, site_paths, sites_above
from hierarchy.text import comparison_key

# How many tags like an unknown one are named.
_MOST_SIMILAR = 5


class Statuses(NamedTuple):
    """A reason in the words of OCPP 1.6 (AuthorizationStatus, 7.2), OCPP 2.0.1 (AuthorizationStatusEnumType) and
    OCPI 2.2.1 (AllowedType, 12.4.1)."""

    ocpp16: str
    ocpp201: str
    ocpi: str


_ACCEPTED = Statuses("Accepted", "Accepted", "ALLOWED")

STATUSES: dict[Code, Statuses] = {
    Code.RIGHT_ON_CHARGER: _ACCEPTED,
    Code.RIGHT_ON_SITE: _ACCEPTED,
    Code.RIGHT_ABOVE: _ACCEPTED,
    Code.OUT_OF_SIGHT: _ACCEPTED,
    # OCPP 1.6 calls an unknown tag invalid. OCPI has no word for it: there the answer to give is status 2004.
    Code.TAG_UNKNOWN: Statuses("Invalid", "Unknown", "NOT_ALLOWED"),
    # OCPP 1.6 knows neither times nor places: a tag that it knows and must not accept is blocked.
    Code.TAG_NOT_YET_VALID: Statuses("Blocked", "NotAtThisTime", "BLOCKED"),
    Code.TAG_EXPIRED: Statuses("Expired", "Expired", "EXPIRED"),
    Code.NO_RIGHT: Statuses("Blocked", "NotAtThisLocation", "NOT_ALLOWED"),
}


@dataclass(frozen=True, slots=True)
class ShownRight:
    """A right as a caller sees it.

    `path` has the names from the topmost visible site down to the one with the right, or with the charger that has it;
    `levels` says how many levels above the charger that was asked about it lies, None for a right on a charger, or on
    a site that is not above. A right on a site above the caller's scope appears on the topmost visible site, `hidden`
    and without its id.
    """

    kind: str
    right_id: int | None
    charger_id: str | None
    site_id: int
    path: tuple[str, ...]
    levels: int | None
    is_hidden: bool = False

    @property
    def site_name(self) -> str:
        return self.path[-1]

    @property
    def code(self) -> Code:
        """What a step that found it is called."""
        if self.kind == "charger":
            return Code.RIGHT_ON_CHARGER
        return Code.RIGHT_ABOVE if self.levels or self.is_hidden else Code.RIGHT_ON_SITE


@dataclass(frozen=True, slots=True)
class Evidence:
    """One step that led to an answer, with the rows in which it was found."""

    code: Code
    tag: Tag | None = None
    differences: tuple[TagDifference, ...] = ()
    driver: Driver | None = None
    right: ShownRight | None = None
    other_rights: int | None = None


@dataclass(frozen=True, slots=True)
class AccessAnswer:
    """Whether charging is allowed, why, and the evidence in order."""

    is_allowed: bool
    reason: Code
    evidence: tuple[Evidence, ...]

    @property
    def statuses(self) -> Statuses:
        return STATUSES[self.reason]


class Places:
    """Where sites that the caller sees stand: what is above them, and the visible part of their paths.

    Two statements, whatever the number of sites.
    """

    def __init__(self, scope: Scope, site_ids: Collection[int]) -> None:
        self.above = sites_above(site_ids)
        self._names: dict[int, str] = dict(lines_above(site_ids).visible_to(scope).values_list("pk", "name"))

    def visible_above(self, site_id: int) -> list[int]:
        """The site and those above it, as far as they are visible, nearest first."""
        return [one for one in self.above[site_id] if one in self._names]

    def path(self, site_id: int) -> tuple[str, ...]:
        """The names from the topmost visible site down to this one."""
        return tuple(self._names[one] for one in reversed(self.visible_above(site_id)))

    def right(self, step: AccessStep, charger_id: str, site_id: int) -> ShownRight:
        """The right of `step`, by which somebody whom the caller sees may charge at a charger of the site."""
        path = self.path(site_id)
        if step.levels is None:
            return ShownRight("charger", step.row_id, charger_id, site_id, path, None)
        levels = min(step.levels, len(path) - 1)
        return ShownRight(
            "site",
            step.row_id if levels == step.levels else None,
            None,
            self.above[site_id][levels],
            path[: len(path) - levels],
            levels,
            is_hidden=levels < step.levels,
        )

    def rights(self, steps: Iterable[AccessStep], charger: Charger) -> list[ShownRight]:
        """The rights that `steps` found, nearest first. All above the scope are one, so that nobody can count them."""
        shown = [self.right(step, charger.charger_id, charger.site_id) for step in steps]
        hidden = [right for right in shown if right.is_hidden]
        return [right for right in shown if not right.is_hidden] + hidden[:1]


def may_charge(scope: Scope, charger: Charger, id_tag: str, at: datetime.datetime) -> AccessAnswer:
    """The decision about who presents `id_tag`, as `scope` may know it, which must see the charger.

    A tag out of sight that is refused is unknown like any other; for one that is accepted, nothing else is told.
    At most twelve statements.
    """
    decision = decide(charger, at, id_tag=id_tag)
    visible = Tag.objects.visible_to(scope).select_related("driver")
    tag = visible.filter(pk=decision.steps[0].row_id).first()
    if tag is None and decision.is_allowed:
        return AccessAnswer(True, Code.OUT_OF_SIGHT, (Evidence(Code.OUT_OF_SIGHT),))
    if tag is None:
        similar = _similar_tags(visible.filter(customer_id=charger.customer_id), id_tag)
        return AccessAnswer(False, Code.TAG_UNKNOWN, (Evidence(Code.TAG_UNKNOWN), *similar))
    places = Places(scope, [charger.site_id])
    evidence = [
        Evidence(step.code, driver=tag.driver) if step.kind == "driver" else Evidence(step.code, tag=tag)
        for step in decision.steps
        if step.kind in ("tag", "driver") and step.code != Code.NO_RIGHT
    ]
    rights = [step for step in decision.steps if step.kind in ("chargerright", "siteright")]
    evidence += [Evidence(right.code, right=right) for right in places.rights(rights, charger)]
    if not rights:
        evidence += _no_right(scope, tag.driver, places.visible_above(charger.site_id))
    return AccessAnswer(decision.is_allowed, decision.reason, tuple(evidence))


def _similar_tags(tags: Any, id_tag: str) -> list[Evidence]:
    """Those of `tags` that may have been meant, the most similar first."""
    try:
        validate_text(id_tag)
    except ValidationError:
        return []
    keys = similar_keys(comparison_key(id_tag))
    found = sorted(tags.filter(id_tag_key__in=keys), key=lambda tag: (len(keys[tag.id_tag_key]), tag.id_tag_key))
    return [Evidence(Code.SIMILAR_TAG, tag=tag, differences=keys[tag.id_tag_key]) for tag in found[:_MOST_SIMILAR]]


def _no_right(scope: Scope, driver: Driver, above: list[int]) -> list[Evidence]:
    """How many rights the driver has elsewhere, and the one that shares the lowest of the sites `above` a charger."""
    on_sites = _nearest(SiteRight.objects.visible_to(scope).filter(driver=driver), "site", above)
    on_chargers = _nearest(ChargerRight.objects.visible_to(scope).filter(driver=driver), "charger__site", above)
    found = [right for right in (on_sites, on_chargers) if right is not None]
    evidence = [Evidence(Code.NO_RIGHT, driver=driver, other_rights=sum(right.total for right in found))]
    near = [right for right in found if right.shared is not None]
    if near:
        evidence.append(Evidence(Code.NEAREST_RIGHT, right=_elsewhere(scope, max(near, key=attrgetter("shared")))))
    return evidence


def _nearest(rights: Any, site: str, above: list[int]) -> Any:
    """The nearest of `rights`, whose sites are at the path `site`, with the level of what is `shared` and `total`."""
    shared = Site.objects.order_by("-level").filter(
        pk__in=above,
        customer_id=OuterRef("customer_id"),
        tree_id=OuterRef(f"{site}__tree_id"),
        lft__lte=OuterRef(f"{site}__lft"),
        rght__gte=OuterRef(f"{site}__rght"),
    )
    counted = rights.annotate(shared=Subquery(shared.values("level")[:1]), total=Window(Count("pk")))
    order = (F("shared").desc(nulls_last=True), f"{site}__level", "pk")
    return counted.select_related(site).order_by(*order).first()


def _elsewhere(scope: Scope, right: SiteRight | ChargerRight) -> ShownRight:
    if isinstance(right, SiteRight):
        kind, charger_id, site_id = "site", None, right.site_id
    else:
        kind, charger_id, site_id = "charger", right.charger.charger_id, right.charger.site_id
    return ShownRight(kind, right.pk, charger_id, site_id, site_paths([site_id], scope)[site_id], None)


@dataclass(frozen=True, slots=True)
class ExplainedDriver:
    """A driver who may charge at a charger, and the rights that say so."""

    pk: int
    name: str
    rights: list[ShownRight]


def explained_drivers(scope: Scope, charger: Charger) -> list[ExplainedDriver]:
    """Page 003 with the reasons: the visible drivers whose rights reach the charger. Six statements."""
    drivers = Driver.objects.visible_to(scope).filter(drivers_reaching(charger))
    rows = list(drivers.order_by("name_key", "pk").values_list("pk", "name"))
    steps = rights_reaching(charger, id_filter([pk for pk, _name in rows], drivers))
    places = Places(scope, [charger.site_id])
    return [ExplainedDriver(pk, name, places.rights(steps[pk], charger)) for pk, name in rows]


@dataclass(frozen=True, slots=True)
class ReachedCharger:
    """A charger at which a driver may charge, and the nearest right that says so."""

    charger_id: str
    name: str
    site_id: int
    path: tuple[str, ...]
    right: ShownRight

    @property
    def site_name(self) -> str:
        return self.path[-1]


def reached_chargers(scope: Scope, driver: Driver, after: str, limit: int) -> list[ReachedCharger]:
    """The visible chargers that the driver's rights reach, by charger id, from behind the key `after`. Five statements.

    The driver must be visible.
    """
    reach = Reach(driver)
    chargers = Charger.objects.visible_to(scope).filter(reach.chargers(), charger_id_key__gt=after)
    columns = ("pk", "charger_id", "name", "site_id")
    rows = list(chargers.order_by("charger_id_key").values_list(*columns)[:limit])
    places = Places(scope, {site_id for *_row, site_id in rows})
    return [
        ReachedCharger(
            charger_id,
            name,
            site_id,
            places.path(site_id),
            places.right(reach.nearest(pk, places.above[site_id]), charger_id, site_id),
        )
        for pk, charger_id, name, site_id in rows
    ]
