"""The drivers of the demo: people and vehicles with tags, mostly small rights, and ids in other systems."""

import itertools
import string
from collections.abc import Iterator

from drivers.models import ChargerRight, Driver, IntegratedExternalId, ReferenceType, SiteRight, Tag
from operators.demo.network import Network, Plot

_TOKEN_NAMES = ("Charge card", "Key fob", "Fleet card", "Phone", "")


def add_drivers(network: Network, count: int) -> None:
    """Make `count` drivers.

    Nested answers repeat a driver's site trees wherever the driver stands, so few have rights on large ones.
    """
    tags = _id_tags(network)
    # Nobody is at home at every third place.
    placed = [plot for plot in network.plots if plot.city]
    homes = [plot for index, plot in enumerate(placed) if index % 3] or placed
    small = [plot for plot in network.plots if plot.has_chargers and not plot.children]
    large = [plot for plot in network.plots if not plot.has_chargers]
    for number in range(1, count + 1):
        driver = _driver(network, homes, number)
        network.drivers.append(driver)
        for _tag in range(network.rng.choice((0, 1, 1, 1, 2, 2, 3))):
            network.tags.append(_tag_of(network, driver, next(tags)))
        _entitle(network, driver, small, large)
        _integrate(network, driver)


def _driver(network: Network, homes: list[Plot], number: int) -> Driver:
    rng, country = network.rng, network.country
    if network.chance(0.8):
        name = f"{rng.choice(country.first_names)} {rng.choice(country.last_names)}"
        external_id = f"HR/{number:05d}"
    else:
        letters = "".join(rng.choices(string.ascii_uppercase.replace("O", ""), k=2))
        name = country.vehicle.format(number=rng.randrange(100, 1000), letters=letters)
        external_id = f"FLEET-{number:05d}"
    return Driver(
        customer=network.customer,
        name=name,
        home_site=None if network.chance(0.05) else rng.choice(homes).site,
        external_id=external_id if network.chance(0.7) else "",
        payer_id=rng.randrange(10_000, 99_999) if network.chance(0.3) else None,
    )


def _id_tags(network: Network) -> Iterator[str]:
    """Tags that differ: serial numbers of cards with four or seven bytes, and contract ids."""
    country, taken = network.country, set()
    for number in itertools.count(1):
        kind = network.rng.random()
        if kind < 0.15:
            id_tag = f"{country.code}-{country.operator_code}-C{number:08d}-{number % 10}"
        else:
            size = 4 if kind < 0.5 else 7
            id_tag = network.rng.randbytes(size).hex().upper()
        if id_tag not in taken:
            taken.add(id_tag)
            yield id_tag


def _tag_of(network: Network, driver: Driver, id_tag: str) -> Tag:
    rng = network.rng
    tag = Tag(
        customer=network.customer,
        driver=driver,
        id_tag=id_tag,
        token_name=rng.choice(_TOKEN_NAMES),
        is_invoicable=network.chance(0.3),
        last_updated=network.days(-200, -1) if network.chance(0.4) else None,
    )
    kind = rng.random()
    if kind < 0.12:  # expired
        tag.starts_at = network.days(-900, -400)
        tag.expires_at = network.days(-300, -1)
    elif kind < 0.2:  # not yet valid
        tag.starts_at = network.days(1, 60)
    elif kind < 0.3:  # about to expire
        tag.expires_at = network.days(1, 30)
    elif kind < 0.6:  # valid for a while
        tag.starts_at = network.days(-400, -1)
        tag.expires_at = network.days(60, 900)
    return tag


def _entitle(network: Network, driver: Driver, small: list[Plot], large: list[Plot]) -> None:
    rng = network.rng
    kind = rng.random()
    plots: list[Plot] = []
    chargers = 0
    if kind < 0.05:
        pass
    elif kind < 0.6:
        plots = rng.sample(small, min(len(small), rng.choice((1, 1, 1, 2))))
        chargers = rng.choice((0, 0, 0, 1))
    elif kind < 0.97 or not large:
        chargers = rng.randrange(1, 4)
    else:
        plots = [rng.choice(large)]
    network.site_rights += [SiteRight(customer=network.customer, driver=driver, site=plot.site) for plot in plots]
    network.charger_rights += [
        ChargerRight(customer=network.customer, driver=driver, charger=charger)
        for charger in rng.sample(network.chargers, min(len(network.chargers), chargers))
    ]


def _integrate(network: Network, driver: Driver) -> None:
    rng = network.rng
    for kind in rng.sample(list(ReferenceType), rng.choice((0, 0, 0, 1, 2))):
        network.external_ids.append(
            IntegratedExternalId(
                driver=driver,
                reference_type=kind,
                reference_id=rng.choice(("fleet-portal", "roaming", "payroll")),
                external_id=f"X{rng.randrange(10**5, 10**6)}",
                effective_from=network.days(-300, 30) if network.chance(0.6) else None,
            )
        )
