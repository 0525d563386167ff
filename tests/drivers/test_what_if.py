"""What a change would do, told before it is made, is what it does: on random networks, whatever the scope."""

import random
from collections import Counter
from functools import partial
from itertools import product

import pytest
from django.core.exceptions import ValidationError

import operators.what_if
from chargers.models import Charger
from drivers import what_if
from drivers.models import ChargerRight, Driver, SiteRight
from hierarchy.effects import MOST_NAMED, NOBODY, Affected, Side
from hierarchy.entity import Entity
from hierarchy.models import Site
from hierarchy.scoping import Scope
from operators.models import Operator, SiteGrant
from tests.conftest import made
from tests.drivers.test_access_questions import narrow
from tests.networks import RandomNetwork

NETWORKS = 8


class Network:
    """What `operator` sees, read plainly: parents followed one by one, rights in lists."""

    def __init__(self, operator):
        mine = {"customer_id": operator.customer_id}
        self.parents = dict(Site._base_manager.filter(**mine).values_list("pk", "parent_id"))
        grants = set(operator.grants.values_list("site_id", flat=True))
        self.sites = {pk for pk in self.parents if operator.is_admin_operator or grants.intersection(self.above(pk))}
        homes = {*self.sites, None} if operator.is_admin_operator else self.sites
        self.chargers = {c for c in Charger._base_manager.filter(**mine) if c.site_id in self.sites}
        self.drivers = {d.pk for d in Driver._base_manager.filter(**mine) if d.home_site_id in homes}
        self.operators = {o for o in Operator._base_manager.filter(**mine) if o.home_site_id in homes}

    def above(self, site_id):
        """The site and those above it."""
        while site_id is not None:
            yield site_id
            site_id = self.parents[site_id]


def who_charges(operator):
    """Each visible driver at each visible charger."""
    network = Network(operator)
    rights = set(SiteRight._base_manager.values_list("driver_id", "site_id"))
    direct = set(ChargerRight._base_manager.values_list("driver_id", "charger_id"))
    return {
        (driver, charger.pk)
        for driver in network.drivers
        for charger in network.chargers
        if (driver, charger.pk) in direct or any((driver, one) in rights for one in network.above(charger.site_id))
    }


def who_sees(operator):
    """Each visible operator and each visible site that grants show."""
    network = Network(operator)
    grants = set(SiteGrant._base_manager.values_list("operator_id", "site_id"))
    return {
        (one.pk, site_id)
        for one in network.operators
        for site_id in network.sites
        if not one.is_admin_operator and any((one.pk, above) in grants for above in network.above(site_id))
    }


def assert_side(side, pairs):
    """The side is that of whom `pairs` name first."""
    counts = Counter(pk for pk, _other in pairs)
    assert {(one.row_id, one.count) for one in side.named} == set(counts.items())
    assert (side.people, side.total) == (len(counts), len(pairs))
    assert [one.count for one in side.named] == sorted(counts.values(), reverse=True)


def hold(operator, change, *asked):
    """What is told of a change is what it does. `asked` are pairs: what tells it, and what it is told of."""
    before = [state(operator) for _tell, state in asked]
    effects = [tell() for tell, _state in asked]
    change()
    for effect, then, (_tell, state) in zip(effects, before, asked, strict=True):
        now = state(operator)
        assert_side(effect.gains, now - then)
        assert_side(effect.losses, then - now)
    return sum(effect.gains.people for effect in effects), sum(effect.losses.people for effect in effects)


@pytest.mark.django_db
def test_what_is_told_is_what_happens():
    gains, losses = Counter(), Counter()
    for seed in range(NETWORKS):
        network = RandomNetwork(seed)
        operator = narrow(network) if seed % 2 else network.operators[0]
        for kind, change, *asked in changes(operator, random.Random(seed)):
            gained, lost = hold(operator, change, *asked)
            gains[kind] += gained
            losses[kind] += lost
    kinds = {"site", "chargers", SiteRight, ChargerRight, SiteGrant}
    assert {kind for kind in kinds if gains[kind] and losses[kind]} == kinds, (gains, losses)


def changes(operator, rng):
    """A change of each kind: its name, how to make it, and what is to be held against it."""
    scope, network = operator.scope(), Network(operator)

    def some(rows, most=1):
        return rng.sample(rows, min(most, len(rows)))

    def visible(model):
        return list(model.objects.visible_to(scope).order_by("pk"))

    for site in some(visible(Site)):
        above = [one for one in visible(Site) if site.pk not in network.above(one.pk)] + [None] * scope.is_admin
        for parent in some(above):
            yield (
                "site",
                lambda site=site, parent=parent: Site.objects.get(pk=site.pk).move(parent),
                (lambda site=site, parent=parent: what_if.site_move(scope, site, parent), who_charges),
                (lambda site=site, parent=parent: operators.what_if.site_move(scope, site, parent), who_sees),
            )
    chargers = visible(Charger)[:3]
    for site in some(visible(Site)):
        asked = (lambda site=site: what_if.charger_move(scope, chargers, site), who_charges)
        yield "chargers", lambda site=site: put(chargers, site), asked
    for model, give, take, who, where, state in (
        (SiteRight, partial(what_if.grant, scope, SiteRight), partial(what_if.revocation, scope, SiteRight), *AT_SITES),
        (
            ChargerRight,
            partial(what_if.grant, scope, ChargerRight),
            partial(what_if.revocation, scope, ChargerRight),
            *AT_CHARGERS,
        ),
        (SiteGrant, partial(operators.what_if.grant, scope), partial(operators.what_if.withdrawal, scope), *SIGHT),
    ):
        # The operator's own grants stay: what is seen of it all must not change meanwhile.
        rows = some([row for row in visible(model) if getattr(row, "operator", None) != operator], 3)
        yield model, partial(each, rows, Entity.delete), (partial(take, [row.pk for row in rows]), state)
        people = some([person for person in visible(who) if person != operator], 2)
        targets = some(visible(where), 2)
        names = "driver" if who is Driver else "operator", "charger" if where is Charger else "site"
        pairs = [dict(zip(names, pair, strict=True)) for pair in product(people, targets)]
        missing = [pair for pair in pairs if not model.objects.filter(**pair).exists()]
        asked = (partial(give, [one.pk for one in people], [one.pk for one in targets]), state)
        yield model, partial(each, missing, partial(link, model)), asked


AT_SITES = (Driver, Site, who_charges)
AT_CHARGERS = (Driver, Charger, who_charges)
SIGHT = (Operator, Site, who_sees)


def each(rows, do):
    for row in rows:
        do(row)


def link(model, pair):
    made(model, **pair)


def put(chargers, site):
    for charger in chargers:
        moved = type(charger).objects.get(pk=charger.pk)
        moved.site = site
        moved.save()


def test_nothing_is_written_and_statements_are_few(world, django_assert_num_queries):
    scope = Scope.whole_customer(world.northwind.pk)
    made(SiteRight, driver=world.dirk, site=world.airport)
    right = SiteRight.objects.select_related("site").get(driver=world.dora)
    site = Site.objects.get(pk=world.east.pk)
    site.parent = world.airport  # As a form has written it already.
    # 1 and 2 that it is no circle, 3 the site above as it is, 4 chargers by site; of each side: rights on sites, rights
    # on chargers, drivers
    with django_assert_num_queries(10):
        effect = what_if.site_move(scope, site, world.airport)
    assert effect.gains == Side((Affected(world.dirk.pk, "Dirk", 1),), 1, 1)
    assert effect.losses == Side((Affected(world.dora.pk, "Dora", 2),), 1, 2)
    # 1 the chargers, 2 the sites above, 3 rights on sites, 4 rights on chargers
    with django_assert_num_queries(4):
        effect = what_if.charger_move(scope, [world.gar_1, world.gar_2], world.airport)
    assert effect.gains == Side((Affected(world.dirk.pk, "Dirk", 1),), 1, 1)
    assert effect.losses == Side((Affected(world.dora.pk, "Dora", 2),), 1, 2)
    # 1 the rights, 2 the chargers, 3 the sites above, 4 rights on sites, 5 rights on chargers, 6 drivers
    with django_assert_num_queries(6):
        assert what_if.revocation(scope, SiteRight, [right.pk]).losses.total == 3
    both = [world.dirk.pk, world.dora.pk]
    with django_assert_num_queries(5):
        effect = what_if.grant(scope, SiteRight, both, [world.harbour.pk, world.airport.pk])
    assert effect.gains == Side((Affected(world.dirk.pk, "Dirk", 2), Affected(world.dora.pk, "Dora", 1)), 2, 3)
    with django_assert_num_queries(5):
        assert what_if.grant(scope, ChargerRight, [world.dirk.pk], [world.gar_1.pk]) == what_if.Effect()
    # 1 the site above as it is; of those who gain, who are nobody, the sites; of the others sites, grants, operators
    with django_assert_num_queries(5):
        effect = operators.what_if.site_move(scope, world.garage, None)
    assert effect.losses == Side((Affected(world.rob.pk, "Rob", 1),), 1, 1)
    assert Site.objects.get(pk=world.east.pk).parent_id == world.harbour.pk


def test_a_site_cannot_be_asked_to_lie_below_itself(world):
    scope = Scope.whole_customer(world.northwind.pk)
    for ask in (what_if.site_move, operators.what_if.site_move):
        for parent in (world.harbour, world.garage):
            with pytest.raises(ValidationError, match="below itself"):
                ask(scope, world.harbour, parent)


def test_what_the_caller_does_not_see_is_not_told(world):
    """Dirk, whom Rob does not see, gains and loses nothing that Rob could read of."""
    made(SiteRight, driver=world.dirk, site=world.east)
    right = SiteRight.objects.get(driver=world.dirk)
    assert what_if.revocation(world.rob.scope(), SiteRight, [right.pk]).losses == NOBODY
    assert what_if.grant(world.rob.scope(), ChargerRight, [world.dora.pk], [world.air_1.pk]).gains == NOBODY
    assert what_if.revocation(world.sue.scope(), SiteRight, [right.pk]).losses == NOBODY
    world.rob.is_active = False
    world.rob.save()
    assert operators.what_if.grant(world.ada.scope(), [world.rob.pk], [world.airport.pk]).gains == NOBODY


def test_totals_are_exact_and_names_are_few():
    side = Side.of(Affected(pk, f"Driver {pk}", pk % 50) for pk in range(100))
    assert (len(side.named), side.people, side.total) == (MOST_NAMED, 98, 2 * sum(range(50)))
    assert [one.row_id for one in side.named[:3]] == [49, 99, 48]
