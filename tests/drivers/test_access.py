"""Who may charge where, and why: as a naive reading has it, on random networks, to the very moment."""

import datetime
import random

import pytest

from drivers.access import AccessStep, Code, charger_rights_reaching, decide, drivers_reaching
from drivers.models import ChargerRight, Driver, SiteRight, Tag
from hierarchy.models import Site
from tests.conftest import NOON, made
from tests.naive import NaiveReader
from tests.networks import EPOCH, RandomNetwork, share

pytestmark = pytest.mark.django_db

NETWORKS, AT_ONCE = 100, 10
MOMENT = datetime.timedelta(milliseconds=1)


def steps_of(naive, driver, charger):
    """The steps from a driver to a charger: the rights on the charger, then those on the sites above, nearest first."""
    direct = [right for right in driver.charger_rights.all() if right.charger_id == charger.pk]
    steps = [
        AccessStep(Code.RIGHT_ON_CHARGER, "chargerright", right.pk) for right in sorted(direct, key=lambda r: r.pk)
    ]
    for levels, site_id in enumerate(naive.above(charger.site_id)):
        for right in driver.site_rights.all():
            if right.site_id == site_id:
                code = Code.RIGHT_ABOVE if levels else Code.RIGHT_ON_SITE
                steps.append(AccessStep(code, "siteright", right.pk, levels))
    return [AccessStep(Code.DRIVER, "driver", driver.pk), *(steps or [AccessStep(Code.NO_RIGHT, "driver", driver.pk)])]


def tag_steps_of(tag, at):
    code = Code.TAG_VALID
    if tag.starts_at is not None and at < tag.starts_at:
        code = Code.TAG_NOT_YET_VALID
    elif tag.expires_at is not None and not at < tag.expires_at:
        code = Code.TAG_EXPIRED
    return [AccessStep(Code.TAG_FOUND, "tag", tag.pk), AccessStep(code, "tag", tag.pk)]


def moments_of(tag, rng):
    """The edges of a tag's validity, the moments beside them, and one somewhere."""
    edges = [edge for edge in (tag.starts_at, tag.expires_at) if edge is not None]
    near = [moment for edge in edges for moment in (edge - MOMENT, edge, edge + MOMENT)]
    return [*near, EPOCH + datetime.timedelta(seconds=rng.randint(-(10**6), 2 * 10**7))]


@pytest.mark.parametrize("first", share(range(0, NETWORKS, AT_ONCE)))
def test_decisions_on_random_networks_are_the_naive_ones(first):
    allowed = refused = 0
    for seed in range(first, first + AT_ONCE):
        rng = random.Random(seed)
        network = RandomNetwork(seed)
        # The first operator is an admin, and sees every driver.
        naive = NaiveReader(network.operators[0])
        for charger in naive.chargers[:2]:
            reaching = set(Driver.objects.filter(drivers_reaching(charger)).values_list("pk", flat=True))
            assert reaching == {driver.pk for driver in naive.drivers if naive.may_charge(driver, charger)}
            for driver in naive.drivers:
                expected = naive.may_charge(driver, charger)
                decision = decide(charger, EPOCH, driver=driver)
                steps = steps_of(naive, driver, charger)
                assert (decision.is_allowed, list(decision.steps)) == (expected, steps)
                assert decision.reason == steps[1].code
                for tag in driver.tags.all()[:1]:
                    at = rng.choice(moments_of(tag, rng))
                    decision = decide(charger, at, id_tag=rng.choice([tag.id_tag, tag.id_tag.swapcase()]))
                    tag_steps = tag_steps_of(tag, at)
                    assert list(decision.steps) == [*tag_steps, *steps]
                    is_valid = tag_steps[1].code == Code.TAG_VALID
                    assert decision.is_allowed == (is_valid and expected)
                    assert decision.reason == (steps[1].code if is_valid else tag_steps[1].code)
                    allowed += decision.is_allowed
                    refused += not decision.is_allowed
    assert allowed and refused


@pytest.mark.parametrize(
    ("at", "code"),
    [
        (NOON - MOMENT, Code.TAG_NOT_YET_VALID),
        (NOON, Code.TAG_VALID),
        (NOON + datetime.timedelta(days=30) - MOMENT, Code.TAG_VALID),
        (NOON + datetime.timedelta(days=30), Code.TAG_EXPIRED),
    ],
)
def test_a_tag_is_valid_from_its_start_and_not_at_its_end(world, at, code):
    decision = decide(world.quay_1, at, id_tag="04FFEE01")
    assert decision.is_allowed == (code == Code.TAG_VALID)
    assert decision.steps[:3] == (
        AccessStep(Code.TAG_FOUND, "tag", world.dora_fob.pk),
        AccessStep(code, "tag", world.dora_fob.pk),
        AccessStep(Code.DRIVER, "driver", world.dora.pk),
    )


def test_a_tag_is_one_of_the_chargers_customer(world):
    """Both customers have a tag of these letters."""
    here = decide(world.quay_1, NOON, id_tag="04A1B2C3")
    there = decide(world.dep_1, NOON, id_tag="04A1B2C3")
    assert here.steps[0].row_id == world.dora_card.pk
    assert there.steps[0].row_id == world.sid_card.pk
    assert here.is_allowed and there.is_allowed
    assert decide(world.dep_1, NOON, id_tag="04FFEE01").steps == (AccessStep(Code.TAG_UNKNOWN),)


def test_a_tag_is_found_however_it_is_written(world):
    for stored in ("é1", "Straße", "A  B"):
        made(Tag, driver=world.dora, id_tag=stored)
    for read in ("04a1b2c3", " 04A1B2C3 ", "\u00a004A1b2C3", "E\u03011", "STRASSE", "a b"):
        assert decide(world.quay_1, NOON, id_tag=read).is_allowed, read


def test_an_unknown_tag_is_refused_whatever_it_is(world):
    for id_tag in ("", " ", "04A1B2C", "%", "_" * 8, "\0", "04A1B2C3\0", "\ud800", "x" * 10_000):
        decision = decide(world.quay_1, NOON, id_tag=id_tag)
        assert (decision.is_allowed, decision.reason) == (False, Code.TAG_UNKNOWN), id_tag
        assert decision.steps == (AccessStep(Code.TAG_UNKNOWN),)


def test_a_right_reaches_all_that_lies_below_and_nothing_else(world):
    reached = {"quay_1", "gar_1", "gar_2"}
    for name in ("quay_1", "gar_1", "gar_2", "air_1", "dep_1"):
        assert decide(getattr(world, name), NOON, driver=world.dora).is_allowed == (name in reached)


def test_a_right_follows_a_move(world):
    assert not decide(world.air_1, NOON, driver=world.dora).is_allowed
    world.airport.move(world.west)
    decision = decide(world.air_1, NOON, driver=world.dora)
    assert decision.steps[1] == AccessStep(Code.RIGHT_ABOVE, "siteright", world.dora.site_rights.get().pk, 2)


def test_rights_are_told_nearest_first(world):
    on_garage = made(SiteRight, driver=world.dora, site=world.garage)
    on_east = made(SiteRight, driver=world.dora, site=world.east)
    on_charger = made(ChargerRight, driver=world.dora, charger=world.gar_1)
    on_harbour = world.dora.site_rights.get(site=world.harbour)
    decision = decide(world.gar_1, NOON, driver=world.dora)
    assert decision.reason == Code.RIGHT_ON_CHARGER
    assert decision.steps[1:] == (
        AccessStep(Code.RIGHT_ON_CHARGER, "chargerright", on_charger.pk),
        AccessStep(Code.RIGHT_ON_SITE, "siteright", on_garage.pk, 0),
        AccessStep(Code.RIGHT_ABOVE, "siteright", on_east.pk, 1),
        AccessStep(Code.RIGHT_ABOVE, "siteright", on_harbour.pk, 2),
    )


def test_a_home_site_grants_nothing(world):
    world.dora.site_rights.get().delete()
    decision = decide(world.gar_1, NOON, driver=world.dora)
    assert (decision.is_allowed, decision.reason) == (False, Code.NO_RIGHT)


def test_of_another_customers_driver_nothing_reaches(world):
    decision = decide(world.quay_1, NOON, driver=world.sid)
    assert decision.reason == Code.NO_RIGHT
    assert set(Driver.objects.filter(drivers_reaching(world.dep_1))) == {world.sid}


def test_page_003_does_not_ask_for_tags(world):
    assert set(Driver.objects.filter(drivers_reaching(world.gar_1))) == {world.dora, world.dirk}
    assert charger_rights_reaching(world.gar_1).get().driver == world.dirk


@pytest.mark.parametrize("arguments", [{}, {"driver": Driver(), "id_tag": "x"}])
def test_one_of_driver_and_tag_is_asked_about(world, arguments):
    with pytest.raises(TypeError, match="either a driver or an id tag"):
        decide(world.quay_1, NOON, **arguments)


@pytest.mark.parametrize("depth", [1, 12])
def test_the_number_of_statements_does_not_grow(world, django_assert_max_num_queries, depth):
    """The tag with its driver; the level of the site; the rights on the charger; those on the sites, for which
    django-mptt may read the site once more."""
    site = world.garage
    for level in range(depth):
        site = made(Site, parent=site, name=f"Level {level}")
        made(SiteRight, driver=world.dora, site=site)
    world.gar_1.site = site
    world.gar_1.save()
    charger = type(world.gar_1).objects.get(pk=world.gar_1.pk)
    with django_assert_max_num_queries(5):
        assert len(decide(charger, NOON, id_tag="04A1B2C3").steps) == 4 + depth
