"""The benchmark compares like with like: the idiomatic version answers the same, in few statements; and a stream of
repeats takes no more memory than what it repeats."""

import tracemalloc

import orjson
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from api.rendering import stream
from hierarchy.scoping import Scope
from operators import keys
from operators.documents import operator_tree
from operators.models import ApiKey, Operator, SiteGrant
from tests.bench.network import Size, fill
from tests.networks import RandomNetwork

SMALL = Size(trees=2, sites=12, chargers_per_site=2, operators=3)
PAGES = ("sites/tree", "operators/tree")


@pytest.fixture(autouse=True)
def both_versions(settings):
    settings.ROOT_URLCONF = "tests.bench.urls"


def key_of(operator):
    key = keys.new_key()
    ApiKey(operator=operator, name="Test", hint=keys.hint(key), digest=keys.digest(key)).save()
    return key


def answer(path, key):
    response = Client(headers={"X-API-Key": key}).get(path)
    assert response.status_code == 200
    return response.getvalue()


@pytest.mark.parametrize("page", PAGES)
def test_both_versions_answer_the_same_in_the_story_world(world, page):
    key = key_of(world.ada)
    ours = answer(f"/api/v1/{page}", key)
    assert b"Quay one" in ours and b"Southwind" not in ours
    assert orjson.loads(answer(f"/idiomatic/{page}", key)) == orjson.loads(ours)


@pytest.mark.parametrize("seed", range(12))
def test_both_versions_answer_the_same_on_random_networks(db, seed):
    key = key_of(RandomNetwork(seed).operators[0])
    for page in PAGES:
        assert orjson.loads(answer(f"/idiomatic/{page}", key)) == orjson.loads(answer(f"/api/v1/{page}", key))


@pytest.mark.parametrize("page", PAGES)
def test_both_versions_answer_the_same_bytes_on_the_measured_network(db, page):
    key = fill("Small", SMALL)
    ours = answer(f"/api/v1/{page}", key)
    assert answer(f"/idiomatic/{page}", key) == ours
    assert ours.count(b'"chargerId":"NL-NWD-') >= 2 * 12 * 2


def test_the_measured_network_has_the_size_that_is_claimed(db):
    tree = orjson.loads(answer("/api/v1/sites/tree", fill("Small", SMALL)))
    assert len(tree) == SMALL.trees
    sites = list(tree)
    for site in sites:
        sites.extend(site["subgroups"])
    assert len(sites) == SMALL.trees * SMALL.sites
    assert {len(site["chargers"]) for site in sites} == {SMALL.chargers_per_site}
    sockets = sum(site[count] for site in tree for count in ("onlineSocket", "offlineSocket", "errorSocket"))
    assert sockets == SMALL.trees * SMALL.sites * SMALL.chargers_per_site * SMALL.sockets_per_charger


@pytest.mark.parametrize(
    ("page", "statements"),
    [
        # the key with its operator and customer; sites, chargers, sockets, configurations
        ("sites/tree", 5),
        # the same; operators, grants; drivers, tags, external ids, rights on sites, rights on chargers
        ("operators/tree", 12),
    ],
)
def test_the_idiomatic_version_takes_few_statements(db, page, statements):
    key = fill("Small", SMALL)
    answer(f"/idiomatic/{page}", key)
    with CaptureQueriesContext(connection) as captured:
        answer(f"/idiomatic/{page}", key)
    assert len(captured) == statements


def test_repeats_take_no_memory(db):
    """Twenty more operators who see everything: a longer answer, from pieces that are there already."""
    fill("Small", SMALL)
    operator = Operator._base_manager.get(is_admin_operator=True)
    scope = Scope.whole_customer(operator.customer_id)
    size, peak = streamed(scope)
    roots = SiteGrant._base_manager.values_list("site_id", flat=True).distinct()
    for number in range(20):
        colleague = Operator(customer_id=operator.customer_id, name="Colleague", email=f"c{number}@example.org")
        colleague.save()
        for site_id in roots:
            SiteGrant(customer_id=operator.customer_id, operator=colleague, site_id=site_id).save()
    more, higher = streamed(scope)
    assert more > 5 * size
    assert higher - peak < (more - size) / 10


def streamed(scope):
    """The size of page 002 and the most memory that Python held while it was made and sent."""
    tracemalloc.start()
    try:
        size = sum(map(len, stream(operator_tree(scope, with_hierarchy=True))))
        return size, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
