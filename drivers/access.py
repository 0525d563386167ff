"""Who may charge where, and why: the one decision, for a driver or tag, a charger and a moment.

`drivers_reaching` finds everybody whose rights reach a charger, `Reach` every charger that somebody's rights reach;
`decide` says of one driver and charger whether and why.
"""

import datetime
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Q, Subquery

from chargers.models import Charger
from drivers.models import ChargerRight, Driver, SiteRight, Tag
from hierarchy.db import id_filter
from hierarchy.fields import validate_text
from hierarchy.models import Site
from hierarchy.scoping import below
from hierarchy.text import comparison_key


class Code(StrEnum):
    """What a step of a decision found; the last three are for those who are shown it."""

    TAG_FOUND = "tag_found"
    TAG_UNKNOWN = "tag_unknown"
    TAG_NOT_YET_VALID = "tag_not_yet_valid"
    TAG_EXPIRED = "tag_expired"
    TAG_VALID = "tag_valid"
    DRIVER = "driver"
    RIGHT_ON_CHARGER = "right_on_charger"
    RIGHT_ON_SITE = "right_on_site"
    RIGHT_ABOVE = "right_on_site_above"
    NO_RIGHT = "no_right"
    OUT_OF_SIGHT = "out_of_sight"
    SIMILAR_TAG = "similar_tag"
    NEAREST_RIGHT = "nearest_right"


REFUSALS = frozenset({Code.TAG_UNKNOWN, Code.TAG_NOT_YET_VALID, Code.TAG_EXPIRED, Code.NO_RIGHT})


@dataclass(frozen=True, slots=True)
class AccessStep:
    """One step of a decision: what it found, and the row it found it in, as its model's name and id.

    `levels` is how many levels above the charger's site a right lies: 0 on the site itself, None on the charger.
    """

    code: Code
    kind: str = ""
    row_id: int | None = None
    levels: int | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether charging is allowed, the step that decided it, and all steps in order.

    A refusal is decided by the first step that refuses; a permission by the right that lies nearest to the charger.
    """

    is_allowed: bool
    reason: Code
    steps: tuple[AccessStep, ...]


def at_or_above(site_id: int) -> Q:
    """The condition on what was granted on a `site` that it was on this one or above, wherever that stands now."""
    site = Site.objects.order_by().filter(pk=site_id)
    return Q(
        customer_id__in=site.values("customer_id"),
        site__tree_id__in=site.values("tree_id"),
        site__lft__lte=Subquery(site.values("lft")),
        site__rght__gte=Subquery(site.values("rght")),
    )


def site_rights_reaching(site_id: int) -> Any:
    """The rights on a site and on every site above it, wherever it stands at that moment, nearest first."""
    return SiteRight.objects.filter(at_or_above(site_id)).order_by("-site__level", "pk")


def charger_rights_reaching(charger: Charger) -> Any:
    """The rights on the charger itself."""
    return ChargerRight.objects.filter(customer_id=charger.customer_id, charger=charger).order_by("pk")


def drivers_reaching(charger: Charger) -> Q:
    """The condition on drivers that a right of theirs reaches the charger (page 003). Tags do not matter here."""
    directly = charger_rights_reaching(charger).order_by().values("driver_id")
    return drivers_reaching_site(charger.site_id) | Q(customer_id=charger.customer_id, pk__in=directly)


def drivers_reaching_site(site_id: int) -> Q:
    """The condition on drivers that they have a right on the site or on one above it."""
    return Q(pk__in=site_rights_reaching(site_id).order_by().values("driver_id"))


def rights_reaching(charger: Charger, drivers: Any) -> dict[int, list[AccessStep]]:
    """By the ids of `drivers`, the rights of each that reach the charger, nearest first. Three statements."""
    steps: dict[int, list[AccessStep]] = defaultdict(list)
    directly = charger_rights_reaching(charger).filter(driver__in=drivers)
    for pk, driver_id in directly.values_list("pk", "driver_id"):
        steps[driver_id].append(AccessStep(Code.RIGHT_ON_CHARGER, "chargerright", pk))
    level = Site.objects.values_list("level", flat=True).get(pk=charger.site_id)
    through = site_rights_reaching(charger.site_id).filter(driver__in=drivers)
    for pk, driver_id, site_level in through.values_list("pk", "driver_id", "site__level"):
        steps[driver_id].append(_site_step(pk, level - site_level))
    return steps


def _site_step(right_id: int, levels: int) -> AccessStep:
    return AccessStep(Code.RIGHT_ABOVE if levels else Code.RIGHT_ON_SITE, "siteright", right_id, levels)


class Reach:
    """A driver's rights by what they were granted on, read in two statements: what they reach, and by which."""

    def __init__(self, driver: Driver) -> None:
        self._customer_id = driver.customer_id
        self._site_rights = SiteRight.objects.filter(driver=driver)
        self._charger_rights = ChargerRight.objects.filter(driver=driver)
        self._on_site = dict(self._site_rights.values_list("site_id", "pk"))
        self._on_charger = dict(self._charger_rights.values_list("charger_id", "pk"))

    def chargers(self) -> Q:
        """The condition on chargers that one of the rights reaches them."""
        granted = id_filter(self._on_site, Site.objects.filter(pk__in=self._site_rights.values("site_id")))
        sites = Site.objects.order_by().filter(below(Site, granted, self._customer_id))
        single = id_filter(self._on_charger, Charger.objects.filter(pk__in=self._charger_rights.values("charger_id")))
        return Q(site__in=sites.values("pk")) | Q(pk__in=single)

    def nearest(self, charger_id: int, above: Collection[int]) -> AccessStep:
        """The right that lies nearest to a charger of `chargers`; `above` is what `sites_above` says of its site."""
        if charger_id in self._on_charger:
            return AccessStep(Code.RIGHT_ON_CHARGER, "chargerright", self._on_charger[charger_id])
        levels, site_id = next((levels, site_id) for levels, site_id in enumerate(above) if site_id in self._on_site)
        return _site_step(self._on_site[site_id], levels)


def decide(
    charger: Charger, at: datetime.datetime, *, driver: Driver | None = None, id_tag: str | None = None
) -> Decision:
    """Whether `driver`, or whoever presents `id_tag`, may charge at `charger` at the moment `at`.

    Give one of the two. An `id_tag` is looked up at the charger's customer, ignoring case. A tag is valid from its
    start, and up to but not at its end. At most five statements.
    """
    if (driver is None) == (id_tag is None):
        raise TypeError("decide() takes either a driver or an id tag.")
    steps: list[AccessStep] = []
    if id_tag is not None:
        tag = _tag(charger, id_tag)
        steps += _tag_steps(tag, at)
        if tag is None:
            return _decision(steps)
        driver = tag.driver
    assert driver is not None
    steps.append(AccessStep(Code.DRIVER, "driver", driver.pk))
    steps += _right_steps(charger, driver)
    return _decision(steps)


def _tag(charger: Charger, id_tag: str) -> Tag | None:
    try:
        validate_text(id_tag)
    except ValidationError:
        # No tag has it, and not every database could even be asked.
        return None
    return (
        Tag.objects.select_related("driver")
        .filter(customer_id=charger.customer_id, id_tag_key=comparison_key(id_tag))
        .first()
    )


def _tag_steps(tag: Tag | None, at: datetime.datetime) -> list[AccessStep]:
    if tag is None:
        return [AccessStep(Code.TAG_UNKNOWN)]
    steps = [AccessStep(Code.TAG_FOUND, "tag", tag.pk)]
    if tag.starts_at is not None and at < tag.starts_at:
        steps.append(AccessStep(Code.TAG_NOT_YET_VALID, "tag", tag.pk))
    elif tag.expires_at is not None and at >= tag.expires_at:
        steps.append(AccessStep(Code.TAG_EXPIRED, "tag", tag.pk))
    else:
        steps.append(AccessStep(Code.TAG_VALID, "tag", tag.pk))
    return steps


def _right_steps(charger: Charger, driver: Driver) -> list[AccessStep]:
    return rights_reaching(charger, [driver.pk])[driver.pk] or [AccessStep(Code.NO_RIGHT, "driver", driver.pk)]


def _decision(steps: list[AccessStep]) -> Decision:
    refusal = next((step.code for step in steps if step.code in REFUSALS), None)
    if refusal is not None:
        return Decision(False, refusal, tuple(steps))
    right = next(step.code for step in steps if step.code.startswith("right_"))
    return Decision(True, right, tuple(steps))
