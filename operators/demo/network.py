"""One customer's network of the demo while it is made up: rows in memory, not yet saved."""

from __future__ import annotations

import datetime
import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from chargers.models import Charger, ChargerConfiguration, Socket
from drivers.models import ChargerRight, Driver, IntegratedExternalId, SiteRight, Tag
from hierarchy.entity import Entity
from hierarchy.models import Customer, Site
from operators.demo.places import COUNTRIES, City, Country
from operators.models import ApiKey, Operator, SiteGrant


@dataclass(slots=True, eq=False)
class Plot:
    """A site and the place where it lies; a region has no city, a city no street."""

    site: Site
    index: int
    parent: Plot | None
    region: str = ""
    city: City | None = None
    street: str = ""
    street_number: str = ""
    latitude: float = 0.0
    longitude: float = 0.0
    children: list[Plot] = field(default_factory=list)

    @property
    def has_chargers(self) -> bool:
        return bool(self.street)


@dataclass(slots=True)
class Network:
    """Everything of one customer. `ordinal` counts the customers of the demo from 0 and decides what they are like.

    `moment` is the present of the demo: statuses are from just before it, tags are valid around it.
    """

    ordinal: int
    moment: datetime.datetime
    rng: random.Random = field(init=False)
    customer: Customer = field(init=False)
    plots: list[Plot] = field(default_factory=list)
    chargers: list[Charger] = field(default_factory=list)
    sockets: list[Socket] = field(default_factory=list)
    configurations: list[ChargerConfiguration] = field(default_factory=list)
    drivers: list[Driver] = field(default_factory=list)
    tags: list[Tag] = field(default_factory=list)
    site_rights: list[SiteRight] = field(default_factory=list)
    charger_rights: list[ChargerRight] = field(default_factory=list)
    external_ids: list[IntegratedExternalId] = field(default_factory=list)
    operators: list[Operator] = field(default_factory=list)
    grants: list[SiteGrant] = field(default_factory=list)
    api_keys: list[ApiKey] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rng = random.Random(f"Chargetree demo {self.ordinal}")  # noqa: S311 - the demo must come out the same
        self.customer = Customer(name=customer_name(self.ordinal), time_zone=self.country.time_zone)

    @property
    def country(self) -> Country:
        return COUNTRIES[self.ordinal % len(COUNTRIES)]

    @property
    def domain(self) -> str:
        return f"{self.customer.name.lower().replace(' ', '')}.example"

    @property
    def charger_prefix(self) -> str:
        """Charger ids are unique over all customers."""
        return f"{self.country.code}-{self.country.operator_code}{_turn(self.ordinal)}"

    def chance(self, probability: float) -> bool:
        return self.rng.random() < probability

    def days(self, first: float, last: float) -> datetime.datetime:
        """A moment between so many days from the present on, to the second."""
        seconds = round(self.rng.uniform(first, last) * 86_400)
        return self.moment + datetime.timedelta(seconds=seconds)

    def rows(self) -> list[Sequence[Entity]]:
        """All but the customer and the sites, in an order in which each refers to saved rows only."""
        return [
            self.chargers,
            self.sockets,
            self.configurations,
            self.drivers,
            self.tags,
            self.site_rights,
            self.charger_rights,
            self.external_ids,
            self.operators,
            self.grants,
            self.api_keys,
        ]


def customer_name(ordinal: int) -> str:
    """The name of a customer of the demo: a brand of a country, numbered from the second turn on."""
    return f"{COUNTRIES[ordinal % len(COUNTRIES)].brand} {_turn(ordinal)}".strip()


def _turn(ordinal: int) -> str:
    turn = ordinal // len(COUNTRIES)
    return str(turn + 1) if turn else ""
