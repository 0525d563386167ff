"""Saving the demo: all customers in one transaction, by bulk statements, with a line in the journal for each row."""

from __future__ import annotations

import datetime
import itertools
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from hierarchy import journal, tree
from hierarchy.entity import Entity
from hierarchy.forest import Forest
from hierarchy.models import Customer, Site
from hierarchy.scoping import Caller
from hierarchy.text import comparison_key
from operators.demo.chargers import add_chargers
from operators.demo.drivers import add_drivers
from operators.demo.network import Network, Plot, customer_name
from operators.demo.operators import STAFF, add_operators, staff
from operators.demo.sites import add_sites
from operators.models import Operator

_BATCH = 1000


@dataclass(frozen=True, slots=True)
class Size:
    """How many of each there are over all customers, who share them evenly."""

    customers: int = 2
    sites: int = 60
    chargers: int = 400
    drivers: int = 250
    operators: int = 12


def seed(
    caller: Caller, size: Size, moment: datetime.datetime, secrets: Mapping[str, str]
) -> tuple[list[Customer], Counter[str]]:
    """Add the demo to the database; the answer is the customers and the number of rows by kind.

    Its customers take the first names that are free, and everything else follows from these: the same database gets
    the same demo. `secrets` holds what `operators.demo.operators` asks for.
    """
    counts: Counter[str] = Counter()
    networks = []
    with journal.recording(caller) as recorder, tree.lock():
        ordinals = list(itertools.islice(_free_ordinals(), size.customers))
        for position, ordinal in enumerate(ordinals):
            network = Network(ordinal, moment)
            add_sites(network, _share(size.sites, size.customers, position))
            add_chargers(network, _share(size.chargers, size.customers, position))
            add_drivers(network, _share(size.drivers, size.customers, position))
            add_operators(network, _share(size.operators, size.customers, position), secrets)
            _save(recorder, network, counts)
            networks.append(network)
        if not Operator.unscoped.filter(email_key=comparison_key(STAFF.email)).exists():
            _insert(recorder, [staff(secrets)], counts)
    return [network.customer for network in networks], counts


def _free_ordinals() -> Iterable[int]:
    taken = set(Customer.unscoped.values_list("name_key", flat=True))
    return (ordinal for ordinal in itertools.count() if comparison_key(customer_name(ordinal)) not in taken)


def _share(total: int, parts: int, position: int) -> int:
    return total // parts + (position < total % parts)


def _save(recorder: journal.Recorder, network: Network, counts: Counter[str]) -> None:
    _insert(recorder, [network.customer], counts)
    _save_sites(recorder, network.plots, counts)
    for rows in network.rows():
        _insert(recorder, rows, counts)


def _save_sites(recorder: journal.Recorder, plots: Sequence[Plot], counts: Counter[str]) -> None:
    forest = Forest.assemble({plot.index: plot.parent.index if plot.parent else None for plot in plots}, int)
    highest = Site.unscoped.order_by("-tree_id").values_list("tree_id", flat=True).first() or 0
    numbers = forest.number({root: highest + position for position, root in enumerate(forest.roots, start=1)})
    levels: dict[int, list[Plot]] = {}
    for plot in plots:
        place = numbers[plot.index]
        for column, value in place._asdict().items():
            setattr(plot.site, column, value)
        levels.setdefault(place.level, []).append(plot)
    # A level at a time, so that the ids of the sites above are known.
    for _level, level_plots in sorted(levels.items()):
        _insert(recorder, [plot.site for plot in level_plots], counts)
        for plot in level_plots:
            recorder.paths[plot.site.pk] = journal.join_path(plots[index].site.pk for index in forest.path(plot.index))


def _insert(recorder: journal.Recorder, rows: Sequence[Entity], counts: Counter[str]) -> None:
    if not rows:
        return
    model = type(rows[0])
    model.unscoped.bulk_create(rows, batch_size=_BATCH)
    for row in rows:
        recorder.entries.append(row.journal_entry(recorder, None, row))
    counts[model.__name__] += len(rows)
