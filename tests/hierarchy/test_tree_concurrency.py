"""Many writers at once: the trees stay sound, the journal complete and in the order of commits, the first one wins."""

import random
import time
from functools import partial

import pytest
from django.core.exceptions import ValidationError

from chargers.models import Charger
from drivers.models import Driver, SiteRight, Tag
from hierarchy import services, tree_check
from hierarchy.errors import Conflict, NotFound
from hierarchy.models import Change, Customer, Site
from hierarchy.scoping import Caller, Scope
from operators.models import Operator
from tests.conftest import made
from tests.threads import at_once, outcome

pytestmark = pytest.mark.django_db(transaction=True)

WRITERS = 8
# What a writer is told when somebody else was quicker. Anything else is a defect.
REFUSALS = (Conflict, NotFound, ValidationError)


def command(customer):
    return Caller(Scope.whole_customer(customer.pk), "test", "command")


def sequences(customer):
    return list(Change.objects.filter(customer=customer).order_by("sequence").values_list("sequence", flat=True))


def replayed(customer):
    """The parent of every site of a customer, as the journal alone tells it."""
    parents = {}
    for change in Change.objects.filter(customer=customer, object_type="site").order_by("sequence"):
        if change.action == "deleted":
            del parents[change.object_id]
        elif change.action == "created" or "parent" in change.fields:
            parents[change.object_id] = change.fields.get("parent", [None, None])[1]
    return parents


def test_eight_writers_with_stale_sites_leave_sound_trees_and_a_complete_journal():
    customers = [made(Customer, name=name) for name in ("One", "Two")]
    for customer in customers:
        sites = []
        for number in range(12):
            parent = sites[number // 2 - 1] if number > 1 else None
            sites.append(made(Site, customer=customer, name=f"Site {number}", parent=parent))

    def write(seed):
        rng = random.Random(seed)
        customer = customers[seed % 2]
        # Read before anybody writes, and never read again.
        known = list(Site.objects.filter(customer=customer))
        stale = list(known)
        done = 0
        for step in range(15):
            choice = rng.random()
            site, other = rng.choice(known), rng.choice([None, *known])
            try:
                if choice < 0.35:
                    known.append(made(Site, customer=customer, name=f"By {seed} in {step}", parent=other))
                elif choice < 0.6:
                    site.move(other)
                elif choice < 0.75:
                    services.site_move(command(customer), rng.choice(stale), other)
                elif choice < 0.85:
                    site.parent = other
                    site.save()
                else:
                    services.delete(command(customer), rng.choice(known))
            except REFUSALS:
                continue
            done += 1
        return done

    done = at_once(*(partial(write, seed) for seed in range(WRITERS)))
    assert tree_check.check() == []
    assert sum(done) > WRITERS * 4, "Hardly anything was written, so hardly anything was tried."
    for customer in customers:
        assert replayed(customer) == dict(Site.objects.filter(customer=customer).values_list("pk", "parent_id"))
        numbers = sequences(customer)
        assert numbers == list(range(1, len(numbers) + 1))


def test_a_follower_misses_nothing_while_some_change_the_rows_to_which_others_refer():
    """Renaming a site locks the key to which a new charger there refers: no two may wait for one another."""
    customer = made(Customer, name="One")
    site = made(Site, customer=customer, name="Busy")
    caller = command(customer)
    writing = set(range(WRITERS))

    def rename(writer):
        for step in range(12):
            row = Site.objects.get(pk=site.pk)
            row.name = f"Busy {writer} {step}"
            result = outcome(partial(services.save, caller, row))
            assert result is row or isinstance(result, Conflict), repr(result)

    def add(writer):
        for step in range(12):
            if step % 2:
                services.save(caller, Driver(name=f"Driver {writer} {step}", home_site_id=site.pk))
            else:
                services.save(caller, Charger(charger_id=f"C-{writer}-{step}", site_id=site.pk))

    def write(writer):
        try:
            (rename if writer % 2 else add)(writer)
        finally:
            writing.discard(writer)

    def follow():
        followed, ended = [], False
        while not ended:
            ended = not writing
            since = followed[-1] if followed else 0
            later = Change.objects.filter(customer=customer, sequence__gt=since).order_by("sequence")
            followed += later.values_list("sequence", flat=True)
            time.sleep(0.002)
        return followed

    started = time.monotonic()
    *_writers, followed = at_once(*(partial(write, writer) for writer in range(WRITERS)), follow)
    assert followed == sequences(customer) == list(range(1, len(followed) + 1))
    assert len(followed) >= 2 + WRITERS // 2 * 12
    assert time.monotonic() - started < 30
    times = list(Change.objects.filter(customer=customer).order_by("sequence").values_list("at", flat=True))
    assert times == sorted(times)


@pytest.mark.parametrize("model", [Site, Charger, Driver, Operator])
def test_of_those_who_change_the_same_version_one_wins(world, model):
    pk = model.objects.filter(customer=world.northwind).first().pk

    def change(number):
        row = model.objects.get(pk=pk)

        def save():
            row.name = f"Name {number}"
            return services.save(command(world.northwind), row)

        return save

    results = at_once(*(partial(outcome, change(number)) for number in range(4)))
    losers = [result for result in results if isinstance(result, Exception)]
    assert [type(loser) for loser in losers] == [Conflict] * 3
    assert {loser.reason for loser in losers} == {"stale"}
    (winner,) = (result for result in results if isinstance(result, model))
    stored = model.objects.get(pk=pk)
    assert (stored.name, stored.version) == (winner.name, winner.version)
    assert Change.objects.filter(object_type=model._meta.model_name, object_id=pk, action="changed").count() == 1


TAKEN = {
    "charger_id": lambda w: Charger(site_id=w.east.pk, charger_id="SAME"),
    "evse_id": lambda w: Charger(site_id=w.east.pk, charger_id=f"C-{random.random()}", evse_id="NL*ABC*E1"),
    "id_tag": lambda w: Tag(driver_id=w.dora.pk, id_tag="SAME"),
    "name": lambda w: Site(parent_id=w.east.pk, name="Same"),
    "external_id": lambda w: Driver(home_site_id=w.east.pk, name="New", external_id="SAME"),
    "email": lambda w: Operator(home_site_id=w.east.pk, name="New", email="same@new.example", password="!"),
    "site": lambda w: SiteRight(driver_id=w.dirk.pk, site_id=w.east.pk),
}


@pytest.mark.parametrize("field", TAKEN)
def test_of_those_who_take_the_same_place_one_wins(world, field):
    """The others are told which value is in use, as if they had come later."""
    rows = [TAKEN[field](world) for _writer in range(4)]
    results = at_once(*(partial(outcome, partial(services.save, command(world.northwind), row)) for row in rows))
    losers = [result for result in results if isinstance(result, Exception)]
    assert len(losers) == 3
    for loser in losers:
        assert isinstance(loser, ValidationError), repr(loser)
        assert list(loser.message_dict) == [field]


def test_what_is_added_to_a_row_that_is_being_deleted_is_refused_or_goes_with_it(world):
    """No row without the one it belongs to, and a line in the journal for each that came and each that went."""
    caller = command(world.northwind)
    for round_ in range(6):
        site = made(Site, parent=world.west, name=f"Short-lived {round_}")
        driver = made(Driver, home_site=world.west, name=f"Short-lived {round_}")
        right = made(SiteRight, driver=driver, site=site)
        results = at_once(
            partial(outcome, partial(services.delete, caller, Site.objects.get(pk=site.pk))),
            partial(outcome, partial(services.save, caller, Charger(charger_id=f"R-{round_}", site_id=site.pk))),
            partial(outcome, partial(services.delete, caller, Driver.objects.get(pk=driver.pk))),
            partial(outcome, partial(services.save, caller, Tag(id_tag=f"R-{round_}", driver_id=driver.pk))),
        )
        for result in results:
            assert not isinstance(result, Exception) or isinstance(result, REFUSALS), repr(result)
        assert Site.objects.filter(pk=site.pk).exists() == Charger.objects.filter(site=site.pk).exists()
        assert not Driver.objects.filter(pk=driver.pk).exists()
        tags = Change.objects.filter(object_type="tag", natural_key=f"R-{round_}")
        assert sorted(tags.values_list("action", flat=True)) in ([], ["created", "deleted"])
        lines = Change.objects.filter(object_type="siteright", object_id=right.pk).values_list("action", flat=True)
        assert sorted(lines) == ["created", "deleted"]
