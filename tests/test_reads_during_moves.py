"""Nobody sees half a move: every answer is that of one moment, whoever writes meanwhile, and readers stop no writer."""

import itertools
import json
import time

import pytest
from django.db import connection

from api.rendering import stream
from chargers.models import Charger
from hierarchy import journal
from hierarchy.db import snapshot
from hierarchy.documents import site_outline, site_tree
from hierarchy.models import Customer, Site
from hierarchy.scoping import Scope
from operators.documents import operator_tree
from operators.models import Operator, SiteGrant
from tests.conftest import made
from tests.networks import RandomNetwork
from tests.slow import all_but_first_slow
from tests.threads import at_once

pytestmark = pytest.mark.django_db(transaction=True)

MOVES = 30
READERS = 3


def document(read):
    """One answer, rendered in a snapshot and sent after it, as the views do."""
    with snapshot():
        pieces = read()
    return b"".join(stream(pieces))


def busiest(network):
    """The site below others with the most chargers, and two places for it: where it is, and a new root."""
    sites = [site for site in Site.objects.filter(customer=network.customer) if site.parent_id is not None]
    site = max(sites, key=lambda one: Charger.objects.all().within(Site.objects.at_or_below(one)).count())
    return site, Site.objects.get(pk=site.parent_id), made(Site, customer=network.customer, name="Beside")


@pytest.mark.parametrize(
    "read",
    all_but_first_slow(
        [
            pytest.param(lambda scope: site_tree(scope), id="the tree"),
            pytest.param(lambda scope: site_outline(scope), id="its outline"),
            pytest.param(lambda scope: operator_tree(scope, True), id="the operators"),
        ]
    ),
)
def test_every_answer_is_a_legal_state(read):
    network = RandomNetwork(5, sites=14, chargers=10)
    site, here, there = busiest(network)
    visitor = made(Operator, home_site=there, email="visitor@customer.example", name="Visitor")
    made(SiteGrant, operator=visitor, site=site)
    # Who sees one of the two places only: each statement asks anew what that is.
    scope = Scope(customer_id=network.customer.pk, root_ids=frozenset({there.pk}))
    legal = {}
    for place in (there, here):
        site.move(place)
        legal[document(lambda: read(scope))] = place.name
    assert len(legal) == 2, "The two states look alike, so the test would see nothing."
    ended = []

    def move():
        try:
            for place in itertools.islice(itertools.cycle([there, here]), MOVES):
                site.move(place)
                # Time for the readers, too.
                time.sleep(0.005)
        finally:
            ended.append(True)

    def follow():
        seen = []
        while not ended:
            seen.append(document(lambda: read(scope)))
        return seen

    _moved, *answers = at_once(move, *[follow] * READERS)
    seen = [answer for one in answers for answer in one]
    for answer in seen:
        assert answer in legal, json.loads(answer)
    assert {legal[answer] for answer in seen} == {here.name, there.name}


def test_two_reads_in_a_snapshot_are_of_one_moment():
    customer = made(Customer, name="One")
    site = made(Site, customer=customer, name="Before")
    with snapshot():
        first = Site.objects.get(pk=site.pk).name
        at_once(lambda: rename(site, "After"))
        assert Site.objects.get(pk=site.pk).name == first == "Before"
    assert Site.objects.get(pk=site.pk).name == "After"


def rename(site, name):
    row = Site.objects.get(pk=site.pk)
    row.name = name
    row.save()


def test_a_snapshot_stops_no_writer_and_no_reader():
    """The snapshot stays open while others write and read: on SQLite, too."""
    site = made(Site, customer=made(Customer, name="One"), name="Before")
    with snapshot():
        assert Site.objects.count() == 1
        started = time.monotonic()
        at_once(lambda: rename(site, "After"), lambda: document(list))
        assert time.monotonic() - started < 5
    # And the next transaction writes again.
    rename(site, "Later")


def test_a_snapshot_inside_a_transaction_joins_it(world):
    with journal.recording():
        made(Site, parent=world.west, name="Bay")
        with snapshot():
            assert Site.objects.filter(name="Bay").exists()


def test_a_snapshot_is_left_as_it_was_found():
    """After an error as well."""
    mode = getattr(connection, "transaction_mode", None)
    with pytest.raises(KeyError), snapshot():
        raise KeyError
    assert getattr(connection, "transaction_mode", None) == mode
    assert not connection.in_atomic_block
