"""The networks that are measured: regular, the same every time, and written in bulk."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Any

from chargers.models import Charger, ChargerConfiguration, Socket
from chargers.vocabulary import Status
from drivers.models import Driver, IntegratedExternalId, SiteRight, Tag
from hierarchy.forest import Forest, Numbers
from hierarchy.models import Customer, GroupType, Site
from operators import keys
from operators.models import ApiKey, Operator, SiteGrant

_MOMENT = datetime.datetime(2026, 6, 1, 12, 0, 0, 123_000, tzinfo=datetime.UTC)
_BRANCHES = 10
_BATCH = 1000


@dataclass(frozen=True, slots=True)
class Size:
    """So many trees, and in each so many of everything else."""

    trees: int = 10
    sites: int = 100
    chargers_per_site: int = 10
    sockets_per_charger: int = 2
    drivers_per_leaf: int = 1
    operators: int = 5


def fill(name: str, size: Size) -> str:
    """Write the customer `name` with a network of `size`; the answer is the key of its admin operator.

    Drivers are at home, and may charge, at the sites without subsites. An operator sees one tree, all of it.
    """
    customer = Customer(name=name)
    customer.save()
    sites = _sites(customer, size)
    chargers = _write(
        Charger,
        (_charger(site, number) for site in sites for number in range(size.chargers_per_site)),
    )
    _write(
        Socket,
        (_socket(charger, number) for charger in chargers for number in range(1, size.sockets_per_charger + 1)),
    )
    _write(
        ChargerConfiguration,
        (ChargerConfiguration(charger=charger, name="HeartbeatInterval", value="300") for charger in chargers),
    )
    leaves = [site for site in sites if site.rght == site.lft + 1]
    _drivers([site for site in leaves for _number in range(size.drivers_per_leaf)])
    return _operators(customer, [site for site in sites if site.parent_id is None], size.operators)


def _write(model: Any, rows: Iterable[Any]) -> list[Any]:
    """Insert `rows` a batch at a time, past the services and the journal."""
    rows = iter(rows)
    written: list[Any] = []
    while batch := list(islice(rows, _BATCH)):
        written += model._base_manager.bulk_create(batch)
    return written


def _sites(customer: Customer, size: Size) -> list[Site]:
    """Trees in which every site has up to ten subsites."""
    parents: dict[int, int | None] = {
        tree * size.sites + number: tree * size.sites + (number - 1) // _BRANCHES if number else None
        for tree in range(size.trees)
        for number in range(size.sites)
    }
    forest = Forest.assemble(parents, int)
    highest = Site._base_manager.order_by("-tree_id").values_list("tree_id", flat=True).first() or 0
    numbers = forest.number({root: highest + place for place, root in enumerate(forest.roots, start=1)})
    sites: dict[int | None, Site] = {}
    for level in range(max(place.level for place in numbers.values()) + 1):
        here = [node for node in parents if numbers[node].level == level]
        rows = _write(Site, [_site(customer, sites.get(parents[node]), node, numbers[node]) for node in here])
        sites.update(zip(here, rows, strict=True))
    return [sites[node] for node in parents]


def _site(customer: Customer, parent: Site | None, node: int, place: Numbers) -> Site:
    site = Site(
        customer=customer,
        parent=parent,
        name=f"Location {node}",
        public_name=f"Car park {node}",
        external_id=f"L/{node}",
        group_type=GroupType.SUB_SITE if parent else GroupType.SITE,
        cost_id=f"K-{node}",
        payer_id=node,
    )
    site.tree_id, site.lft, site.rght, site.level = place
    return site


def _charger(site: Site, number: int) -> Charger:
    return Charger(
        customer_id=site.customer_id,
        site=site,
        charger_id=f"NL-NWD-{site.pk}-{number}",
        name=f"Charger {number}",
        manufacturer="Alfen",
        model="Eve Double Pro-line",
        serial_number=f"ACE{site.pk:07}{number}",
        latitude=52.0 + site.pk / 10_000,
        longitude=4.3 + number / 1000,
        street_address="Kade",
        street_number=str(number),
        postal_number="3511 AB",
        city="Utrecht",
        area="Utrecht",
        country="Netherlands",
        evse_id=f"NL*NWD*E{site.pk:06}*{number:04}",
        capabilities=["REMOTE_START_STOP_CAPABLE", "RFID_READER"],
        iccid=f"8931{site.pk:08}{number:06}",
        meter_type="Eastron SDM630",
        custom_properties={"assetNumber": f"A-{site.pk}-{number}", "gridConnection": "3x80 A"},
        status=Status.values[number % len(Status.values)],
        has_active_connection=number % 10 != 7,
        last_seen=_MOMENT,
        firmware_version="6.5.1-4223",
    )


def _socket(charger: Charger, number: int) -> Socket:
    return Socket(
        charger=charger,
        number=number,
        name=f"Socket {number}",
        type="IEC_62196_T2",
        format="SOCKET",
        power_type="AC_3_PHASE",
        max_power="22 kW",
        max_power_w=22_000,
        max_voltage_v=230,
        max_current_a=32,
        phase_rotation="RST",
        device_evse_id=number,
        device_connector_id=1,
        status=Status.values[(charger.pk + number) % len(Status.values)],
        reported_at=_MOMENT - datetime.timedelta(seconds=charger.pk % 100_000),
    )


def _drivers(homes: list[Site]) -> None:
    drivers = _write(
        Driver,
        (
            Driver(customer_id=home.customer_id, home_site=home, name=f"Driver {number}", external_id=f"D/{number}")
            for number, home in enumerate(homes)
        ),
    )
    _write(
        Tag,
        (
            Tag(customer_id=driver.customer_id, driver=driver, id_tag=f"04{driver.pk:08X}", token_name="Card")
            for driver in drivers
        ),
    )
    _write(
        SiteRight,
        (SiteRight(customer_id=driver.customer_id, driver=driver, site_id=driver.home_site_id) for driver in drivers),
    )
    _write(
        IntegratedExternalId,
        (IntegratedExternalId(driver=driver, reference_id="fleet", external_id=f"F-{driver.pk}") for driver in drivers),
    )


def _operators(customer: Customer, roots: list[Site], per_tree: int) -> str:
    admin = Operator(customer=customer, name="Admin", email=f"admin@c{customer.pk}.example", is_admin_operator=True)
    admin.save()
    operators = _write(
        Operator,
        (
            Operator(
                customer=customer,
                home_site=root,
                name=f"Operator {root.pk} {number}",
                email=f"o{number}@s{root.pk}.example",
            )
            for root in roots
            for number in range(per_tree)
        ),
    )
    _write(
        SiteGrant,
        (SiteGrant(customer=customer, operator=operator, site_id=operator.home_site_id) for operator in operators),
    )
    key = keys.new_key()
    ApiKey(operator=admin, name="Benchmark", hint=keys.hint(key), digest=keys.digest(key)).save()
    return key
