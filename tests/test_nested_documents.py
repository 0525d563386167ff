"""The documented reads and their kin on random networks: as the contract has them, and as the slow way has them."""

import json

import pytest

from api.rendering import array, stream
from chargers.models import Charger
from drivers.access import drivers_reaching
from drivers.documents import authorised_users, driver_tree, home_drivers, render_drivers, spare_drivers
from drivers.models import Driver
from hierarchy.documents import single_site, site_outline, site_tree
from operators.documents import home_operators, operator_tree
from tests import contract
from tests.naive import NaiveReader
from tests.networks import RandomNetwork, share
from tests.slow import all_but_first_slow

pytestmark = pytest.mark.django_db

NETWORKS = 200
AT_ONCE = 20


def parsed(pieces):
    return json.loads(b"".join(stream(pieces)))


def asked_of(seeds):
    """Random networks, each as an operator sees it: the scope, and the slow twin that answers for it."""
    for seed in seeds:
        network = RandomNetwork(seed)
        # An admin operator is always the first; the second is restricted more often than not.
        operator = network.operators[seed % 2 if len(network.operators) > 1 else 0]
        yield operator.scope(), NaiveReader(operator, network.random)


def same(kind, pieces, slow, seen=None):
    """The rendered document is the slow one, key order included, and as documented."""
    fast = parsed(pieces)
    assert json.dumps(fast) == json.dumps(json.loads(json.dumps(slow)))
    contract.check(kind, fast, seen=seen)


@pytest.mark.parametrize("first", all_but_first_slow(share(range(0, NETWORKS, AT_ONCE))))
def test_the_five_pages_are_exact_whatever_the_scope(first):
    seen = set()
    for scope, naive in asked_of(range(first, first + AT_ONCE)):
        same("[site]", site_tree(scope), naive.site_tree(), seen)
        same("[outline]", site_outline(scope), naive.site_outline(), seen)
        same("userGroup", spare_drivers(scope), naive.spare_drivers(), seen)
        for site in naive.some(naive.sites.values()):
            same("userGroup", home_drivers(scope, site), naive.home_drivers(site.pk), seen)
        for driver in naive.some(naive.drivers):
            documents = render_drivers(scope, Driver.objects.visible_to(scope).filter(pk=driver.pk)).all
            same("driver", documents, naive.driver(driver), seen)
        for charger in naive.some(naive.chargers):
            row = Charger.objects.visible_to(scope).get(pk=charger.pk)
            drivers = Driver.objects.visible_to(scope).filter(drivers_reaching(row))
            slow = naive.authorised_drivers(charger)
            same("[driver]", array(render_drivers(scope, drivers).all), slow, seen)
        same("operatorTree", operator_tree(scope, True), naive.operator_tree(True), seen)
        same("operatorTree", operator_tree(scope, False), naive.operator_tree(False), seen)
    nullable = {
        f"{kind}.{key}" for kind, keys in contract.OBJECTS.items() for key, inner in keys.items() if inner.endswith("?")
    }
    # The spare groups' type is null always; counts are numbers always.
    for field in nullable - {"site.onlineSocket", "site.offlineSocket", "site.errorSocket"}:
        assert {(field, "empty"), (field, "filled")} <= seen, f"{field} was not seen both null and set"


@pytest.mark.parametrize("first", all_but_first_slow(share(range(NETWORKS, NETWORKS + NETWORKS // 4, AT_ONCE))))
def test_their_kin_are_exact_whatever_the_scope(first):
    for scope, naive in asked_of(range(first, first + AT_ONCE)):
        for site in naive.some(naive.sites.values()):
            same("operatorGroup", home_operators(scope, site.pk), naive.home_operators(site.pk))
            for bare in (True, False):
                same("site", single_site(scope, site, bare), naive.single_site(site.pk, bare))
        asked = list(naive.sites.values())[::-1]
        slow = naive.authorised_users([site.pk for site in asked])
        same("[authorisedUsers]", authorised_users(scope, asked), slow)
        same("userTree", driver_tree(scope), naive.driver_tree())
