"""Small random networks, different for every seed: each nullable field now null, now set; rights and grants across
the tree; hostile names; statuses of every kind. Written past the services, which have tests of their own."""

import datetime
import random
from collections.abc import Sequence
from typing import Any

from django.db import connection

from chargers.models import Charger, ChargerConfiguration, Socket
from chargers.vocabulary import Status
from drivers.models import ChargerRight, Driver, IntegratedExternalId, SiteRight, Tag
from hierarchy.forest import Forest
from hierarchy.models import Customer, Site
from operators.models import Operator, SiteGrant

NAMES = [
    "Zoë",
    "Ärger",
    "zebra",
    "Alpha",
    "alpha 2",
    "ßtraße",
    "Ω",
    "<img onerror=x>",
    "=1+1",
    "東京",
    "e\u0301",
    '"\\',
]
EPOCH = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)


def share(seeds: Sequence[int]) -> Sequence[int]:
    """Every other of the seeds: the even ones on SQLite and the odd ones on PostgreSQL, each once in `make test`."""
    return seeds[connection.vendor == "postgresql" :: 2]


class RandomNetwork:
    """One customer with everything, drawn with `random.Random(seed)`."""

    def __init__(self, seed: int, sites: int = 9, chargers: int = 8, drivers: int = 7, operators: int = 6) -> None:
        self.random = random.Random(seed)
        self.seed = seed
        self.customer = Customer(name=f"Customer {seed}")
        self.customer.save()
        self.sites = self._sites(self.random.randint(1, sites))
        self.chargers = self._chargers(self.random.randint(0, chargers))
        self._children()
        self.drivers = self._drivers(self.random.randint(0, drivers))
        self.operators = self._operators(self.random.randint(1, operators))

    def maybe(self, *values: Any, nothing: Any = None) -> Any:
        """Nothing as often as something."""
        return self.random.choice(values) if self.random.random() < 0.5 else nothing

    def moment(self) -> datetime.datetime:
        """A moment; every third one without a fraction."""
        milliseconds = self.random.choice([0, self.random.randint(1, 999), self.random.randint(1, 999)])
        return EPOCH + datetime.timedelta(seconds=self.random.randint(0, 10**7), milliseconds=milliseconds)

    def coin(self) -> bool:
        return self.random.random() < 0.5

    def _save(self, model: Any, rows: list[Any]) -> list[Any]:
        return list(model._base_manager.bulk_create(rows))

    def _sites(self, count: int) -> list[Site]:
        parents: dict[int, int | None] = {}
        for number in range(count):
            parents[number] = None if not number or self.random.random() < 0.25 else self.random.randrange(number)
        forest = Forest.assemble(parents, lambda number: number)
        first_tree = (Site._base_manager.order_by("-tree_id").values_list("tree_id", flat=True).first() or 0) + 1
        numbers = forest.number({root: first_tree + index for index, root in enumerate(forest.roots)})
        sites: list[Site] = []
        for number in range(count):
            parent = parents[number]
            site = Site(
                customer=self.customer,
                parent=None if parent is None else sites[parent],
                name=f"{self.random.choice(NAMES)} {number}",
                public_name=self.maybe("Public"),
                group_type=self.maybe(*range(5)),
                external_id=self.maybe(f"X/{number}", nothing=""),
                payer_id=self.maybe(0, 2**40),
                cost_id=self.maybe("C", nothing=""),
                cost_name=self.maybe("0,5 EUR", nothing=""),
                payment_recipient_id=self.maybe(7),
            )
            site.tree_id, site.lft, site.rght, site.level = numbers[number]
            sites += self._save(Site, [site])
        return sites

    def _chargers(self, count: int) -> list[Charger]:
        make = self.maybe
        return self._save(
            Charger,
            [
                Charger(
                    customer=self.customer,
                    site=self.random.choice(self.sites),
                    charger_id=f"{self.random.choice('aZ*|@')}-{self.seed}-{number}",
                    name=make(*NAMES, nothing=""),
                    firmware_version=make("1.0"),
                    manufacturer=make("Alfen"),
                    serial_number=make("S"),
                    model=make("M"),
                    last_seen=make(self.moment()),
                    last_message=make("Hello"),
                    has_active_connection=self.random.random() < 0.8,
                    status=self.random.choice(Status.values),
                    **make({"latitude": -33.5, "longitude": 1e-7}, {"latitude": 52.0, "longitude": 4.25}, nothing={}),
                    street_address=make("Kade"),
                    street_number=make("1", nothing=""),
                    house_letter=make("b"),
                    postal_number=make("3511", nothing=""),
                    city=make("Utrecht"),
                    area=make("Utrecht"),
                    country=make("NL"),
                    is_push_integration_enabled=self.coin(),
                    has_specific_message_structure=self.coin(),
                    evse_id=make(f"NL*ABC*E{number}", nothing=""),
                    is_evse_split_by_socket=self.coin(),
                    capabilities=make(["A", "B"], nothing=[]),
                    physical_reference=make("P"),
                    integration_relays=make(["relay"], nothing=[]),
                    iccid=make("89"),
                    imsi=make("204"),
                    meter_serial_number=make("MS"),
                    meter_type=make("MT"),
                    custom_properties=make({"z": "1", "Ä": "2", "a": ""}, nothing={}),
                )
                for number in range(count)
            ],
        )

    def _children(self) -> None:
        make = self.maybe
        for charger in self.chargers:
            self._save(
                Socket,
                [
                    Socket(
                        charger=charger,
                        number=number,
                        name=make("S", nothing=""),
                        type=make("IEC_62196_T2"),
                        format=make("SOCKET"),
                        power_type=make("AC_3_PHASE"),
                        max_power=make("22 kW"),
                        max_power_w=make(0, 22000),
                        max_voltage_v=make(400),
                        max_current_a=make(32),
                        phase_rotation=make("RST"),
                        device_evse_id=make(1),
                        device_connector_id=make(0),
                        charging_station_evse_id=make(2),
                        terms_and_conditions=make("https://example.org/t?a=1&b=2"),
                        status=self.random.choice(Status.values),
                        reported_at=make(self.moment()),
                    )
                    for number in self.random.sample(range(1, 100), self.random.randint(0, 3))
                ],
            )
            self._save(
                ChargerConfiguration,
                [
                    ChargerConfiguration(
                        charger=charger, name=name, value=make("v", nothing=""), can_be_changed=self.coin()
                    )
                    for name in self.random.sample(["b", "A", "c"], self.random.randint(0, 3))
                ],
            )

    def _drivers(self, count: int) -> list[Driver]:
        make = self.maybe
        drivers = self._save(
            Driver,
            [
                Driver(
                    customer=self.customer,
                    name=self.random.choice(NAMES),
                    home_site=make(*self.sites),
                    external_id=make(f"E/{number}", nothing=""),
                    payer_id=make(3),
                )
                for number in range(count)
            ],
        )
        for driver in drivers:
            own = {"customer": self.customer, "driver": driver}
            tags = []
            for number in range(self.random.randint(0, 3)):
                start, end = sorted([self.moment(), self.moment() + datetime.timedelta(seconds=1)])
                tags.append(
                    Tag(
                        **own,
                        id_tag=f"{self.random.choice('aB')}{driver.pk}-{number}",
                        token_name=make("Card", "fob", nothing=""),
                        starts_at=make(start),
                        expires_at=make(end),
                        is_invoicable=self.coin(),
                        last_updated=make(self.moment()),
                    )
                )
            self._save(Tag, tags)
            sites = self.random.sample(self.sites, min(len(self.sites), self.random.randint(0, 3)))
            self._save(SiteRight, [SiteRight(**own, site=site) for site in sites])
            chargers = self.random.sample(self.chargers, min(len(self.chargers), self.random.randint(0, 2)))
            self._save(ChargerRight, [ChargerRight(**own, charger=charger) for charger in chargers])
            self._save(
                IntegratedExternalId,
                [
                    IntegratedExternalId(
                        driver=driver,
                        reference_type=self.random.randint(0, 1),
                        reference_id=f"{self.random.choice('bA')}{number}",
                        external_id="F",
                        effective_from=make(self.moment()),
                    )
                    for number in range(self.random.randint(0, 2))
                ],
            )
        return drivers

    def _operators(self, count: int) -> list[Operator]:
        operators = self._save(
            Operator,
            [
                Operator(
                    customer=self.customer,
                    email=f"o{number}@c{self.seed}.example",
                    name=self.random.choice(NAMES),
                    home_site=self.maybe(*self.sites),
                    is_admin_operator=number == 0 or self.random.random() < 0.2,
                )
                for number in range(count)
            ],
        )
        for operator in operators:
            sites = self.random.sample(self.sites, min(len(self.sites), self.random.randint(0, 2)))
            self._save(SiteGrant, [SiteGrant(customer=self.customer, operator=operator, site=site) for site in sites])
        return operators
