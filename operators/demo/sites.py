"""The sites of the demo: regions, their cities, locations there, and levels and circuits below some of them."""

import itertools
import string
from collections.abc import Iterator

from hierarchy.models import GroupType, Site
from operators.demo.network import Network, Plot
from operators.demo.places import City


def add_sites(network: Network, count: int) -> None:
    """Make `count` sites. Each comes after the one above it, so that any count makes a sound tree."""
    for _plot in itertools.islice(_plots(network), count):
        pass


def _plots(network: Network) -> Iterator[Plot]:
    country = network.country
    regions: dict[str, Plot] = {}
    cities: dict[str, Plot] = {}
    main_region, (main_city, *_others) = next(iter(country.regions.items()))
    yield _location(network, None, main_region, main_city, f"{country.head_office} {network.customer.name}")
    for turn in itertools.count():
        for region, region_cities in country.regions.items():
            if region not in regions:
                regions[region] = _region(network, region)
                yield regions[region]
            city = region_cities[turn % len(region_cities)]
            if city.name not in cities:
                cities[city.name] = _city(network, regions[region], city)
                yield cities[city.name]
            pattern = country.locations[turn % len(country.locations)]
            place = _location(network, cities[city.name], region, city, pattern)
            yield place
            # The first locations all have levels, so that a small network is deep as well.
            for level in range(network.rng.choice((0, 0, 1, 2, 3)) if turn else 2):
                deck = _part(network, place, country.level.format(level + 1), GroupType.SUB_SITE)
                yield deck
                for letter in string.ascii_uppercase[: network.rng.choice((0, 0, 1, 2)) if turn or level else 1]:
                    yield _part(network, deck, country.circuit.format(letter), GroupType.CIRCUIT)


def _region(network: Network, name: str) -> Plot:
    site = Site(
        customer=network.customer,
        name=name,
        group_type=GroupType.SUB_CPO,
        external_id=f"REG-{name[:2].upper()}{len(network.plots)}",
        payment_recipient_id=network.rng.randrange(100, 1000),
        time_zone=network.country.time_zone,
    )
    return _added(network, site, None, region=name)


def _city(network: Network, above: Plot, city: City) -> Plot:
    site = Site(customer=network.customer, parent=above.site, name=city.name, group_type=GroupType.OTHER)
    return _added(network, site, above, region=above.region, city=city)


def _location(network: Network, above: Plot | None, region: str, city: City, pattern: str) -> Plot:
    rng = network.rng
    street = rng.choice(city.streets)
    name = _free_name(network, above, pattern.format(street))
    site = Site(
        customer=network.customer,
        parent=above.site if above else None,
        name=name,
        public_name=f"{name}, {city.name}" if network.chance(0.6) else None,
        group_type=GroupType.SITE,
        external_id=f"{network.country.code}/{len(network.plots):05d}" if network.chance(0.8) else "",
        payer_id=rng.randrange(10_000, 99_999) if network.chance(0.4) else None,
        payment_recipient_id=rng.randrange(100, 1000) if network.chance(0.3) else None,
    )
    if network.chance(0.5):
        site.cost_id = f"K-{rng.randrange(1000, 9999)}"
        site.cost_name = f"{city.name} {rng.choice(('fleet', 'visitors', 'residents'))}"
    return _added(
        network,
        site,
        above,
        region=region,
        city=city,
        street=street,
        street_number=str(rng.randrange(1, 240)),
        latitude=city.latitude + rng.uniform(-0.02, 0.02),
        longitude=city.longitude + rng.uniform(-0.03, 0.03),
    )


def _part(network: Network, above: Plot, name: str, group_type: GroupType) -> Plot:
    site = Site(
        customer=network.customer,
        parent=above.site,
        name=name,
        group_type=None if network.chance(0.08) else group_type,
    )
    return _added(
        network,
        site,
        above,
        region=above.region,
        city=above.city,
        street=above.street,
        street_number=above.street_number,
        latitude=above.latitude,
        longitude=above.longitude,
    )


def _free_name(network: Network, above: Plot | None, name: str) -> str:
    siblings = {plot.site.name for plot in (above.children if above else network.plots)}
    numbered = itertools.chain([name], (f"{name} {number}" for number in itertools.count(2)))
    return next(candidate for candidate in numbered if candidate not in siblings)


def _added(network: Network, site: Site, above: Plot | None, **place: object) -> Plot:
    plot = Plot(site, len(network.plots), above, **place)  # type: ignore[arg-type]
    network.plots.append(plot)
    if above:
        above.children.append(plot)
    return plot
