"""The trees of sites: sound after any sequence of writes, whatever was read before; wrong moves refused."""

import random

import pytest
from django.core.exceptions import ValidationError
from django.db import transaction

from hierarchy import journal, services, tree, tree_check
from hierarchy.errors import Conflict, Gone
from hierarchy.models import Change, Site
from hierarchy.scoping import Caller, Scope
from tests.conftest import made

pytestmark = pytest.mark.django_db


def command(customer):
    return Caller(Scope.whole_customer(customer.pk), "test", "command")


class NaiveTree:
    """What the trees should be: a parent for each site, and nothing else."""

    def __init__(self):
        self.parents = {}

    def above(self, site_id):
        """The ids of the site and all above it."""
        path = []
        while site_id is not None:
            path.append(site_id)
            site_id = self.parents[site_id]
        return path

    def below(self, site_id):
        return {other for other in self.parents if site_id in self.above(other)}

    def compare(self):
        assert tree_check.check() == []
        sites = {site.pk: site for site in Site.objects.all()}
        assert {pk: site.parent_id for pk, site in sites.items()} == self.parents
        for pk, site in sites.items():
            assert site.level == len(self.above(pk)) - 1
            assert set(site.get_descendants(include_self=True).values_list("pk", flat=True)) == self.below(pk)
            assert list(site.get_ancestors(include_self=True).values_list("pk", flat=True)) == self.above(pk)[::-1]
            assert set(Site.objects.at_or_below(site).values_list("pk", flat=True)) == self.below(pk)


@pytest.mark.parametrize("seed", range(12))
def test_any_sequence_of_writes_with_stale_sites_leaves_sound_trees(world, seed):
    rng = random.Random(seed)
    naive = NaiveTree()
    customers = {site.pk: site.customer_id for site in Site.objects.all()}
    naive.parents = dict(Site.objects.values_list("pk", "parent_id"))
    # Every instance that was ever read stays in use.
    known = list(Site.objects.all())
    for step in range(40):
        site, other = rng.choice(known), rng.choice([None, *known])
        other_id = other.pk if other is not None else None
        way = rng.choice(["create", "create", "move", "move", "service", "save", "rename", "delete", "read"])
        exists = site.pk in naive.parents
        legal = exists and (
            other is None
            or (
                other_id in naive.parents
                and customers[other_id] == customers[site.pk]
                and site.pk not in naive.above(other_id)
            )
        )
        occupied = {world.harbour.pk, world.garage.pk, world.airport.pk, world.depot.pk, world.east.pk}
        try:
            with journal.recording():
                if way == "create":
                    parent = other if other_id in naive.parents else None
                    customer = parent.customer_id if parent else world.northwind.pk
                    new = made(Site, customer_id=customer, parent=parent, name=f"New {step}")
                    naive.parents[new.pk], customers[new.pk] = new.parent_id, customer
                    known.append(new)
                elif way == "move":
                    site.move(other)
                    assert legal
                    naive.parents[site.pk] = other_id
                elif way == "service":
                    owner = Caller(Scope.platform(), "test", "command")
                    services.site_move(owner, site, other)
                    assert legal
                    naive.parents[site.pk] = other_id
                elif way == "save":
                    site.parent = other
                    site.save()
                    assert legal
                    naive.parents[site.pk] = other_id
                elif way == "rename":
                    site.name = f"Renamed {step}"
                    site.save(update_fields=["name"])
                elif way == "delete":
                    pk = site.pk
                    site.delete()
                    assert exists and naive.below(pk) == {pk} and pk not in occupied
                    del naive.parents[pk]
                elif exists:
                    known.append(Site.objects.get(pk=site.pk))
        except (Conflict, ValidationError) as error:
            if way in ("move", "service"):
                assert not legal, f"{way} of {site.pk} to {other_id} was refused: {error}"
    naive.compare()


def wrong_parents(world):
    return {
        "itself": (world.harbour, world.harbour, "below itself"),
        "a subsite": (world.harbour, world.east, "below itself"),
        "a subsite of a subsite": (world.harbour, world.garage, "below itself"),
        "another customer's": (world.harbour, world.depot, "Not found"),
        "one never saved": (world.harbour, Site(name="New", customer=world.northwind), "No longer exists"),
    }


WAYS = {
    "move": lambda w, site, parent: site.move(parent),
    "save": lambda w, site, parent: (setattr(site, "parent", parent), site.save()),
    "service": lambda w, site, parent: services.site_move(command(w.northwind), site, parent),
    "service of the platform": lambda w, site, parent: services.site_move(
        Caller(Scope.platform(), "test", "admin"), site, parent
    ),
}


@pytest.mark.parametrize("way", WAYS)
def test_wrong_parents_are_refused_with_the_reason(world, way):
    for case, (stored, parent, reason) in wrong_parents(world).items():
        site = Site.objects.get(pk=stored.pk)
        with pytest.raises(ValidationError) as error:
            WAYS[way](world, site, parent)
        assert list(error.value.message_dict) == ["parent"], case
        assert reason in error.value.message_dict["parent"][0], case
    assert tree_check.check() == []
    assert Site.objects.get(pk=world.harbour.pk).parent_id is None
    assert not Change.objects.exclude(action="created").exists()


def test_a_circle_is_refused_however_stale_the_sites_are(world):
    """Each was read when the other still lay beside it."""
    west, garage = (Site.objects.get(pk=site.pk) for site in (world.west, world.garage))
    Site.objects.get(pk=world.west.pk).move(world.garage)
    with pytest.raises(ValidationError, match="below itself"):
        garage.move(west)
    garage.parent = west
    with pytest.raises(ValidationError, match="below itself"):
        garage.save()
    assert tree_check.check() == []


def test_a_parent_that_was_deleted_is_refused(world):
    west = Site.objects.get(pk=world.west.pk)
    world.west.delete()
    for parent in (west, world.west):
        with pytest.raises(ValidationError) as error:
            Site.objects.get(pk=world.garage.pk).move(parent)
        assert error.value.message_dict == {"parent": ["No longer exists."]}
    assert Site.objects.get(pk=world.garage.pk).parent_id == world.east.pk
    with pytest.raises(Gone):
        west.move(None)


def test_a_whole_subtree_moves(world):
    world.east.move(world.airport)
    garage = Site.objects.get(pk=world.garage.pk)
    assert [site.name for site in garage.get_ancestors()] == ["Airport", "East car park"]
    world.east.move(None)
    assert [site.name for site in Site.objects.get(pk=world.garage.pk).get_ancestors()] == ["East car park"]
    assert tree_check.check() == []


def test_a_move_to_where_the_site_is_changes_nothing(world):
    before = Site.objects.values().get(pk=world.east.pk)
    world.east.move(world.harbour)
    assert Site.objects.values().get(pk=world.east.pk) == before
    assert not Change.objects.filter(action="moved").exists()


def test_only_the_named_columns_are_written(world):
    """A parent changed in memory alone moves nothing, in the table, in the tree, or in the journal."""
    east = Site.objects.get(pk=world.east.pk)
    east.parent, east.cost_id, east.name = None, "K", "East"
    east.save(update_fields=["name"])
    stored = Site.objects.get(pk=east.pk)
    assert (stored.name, stored.cost_id, stored.parent_id) == ("East", "", world.harbour.pk)
    assert (east.parent_id, east.cost_id) == (world.harbour.pk, "")
    assert tree_check.check() == []
    change = Change.objects.first()
    assert (change.action, change.fields) == ("changed", {"name": ["East car park", "East"]})


@pytest.mark.parametrize(
    ("name", "named"),
    [
        ("harbour", ["2 sites (East car park, West car park)", "1 charger (QUAY-1)"]),
        ("east", ["1 site (Garage)", "1 operator (rob@northwind.example)"]),
        ("garage", ["2 chargers (GAR-1, GAR-2)", "1 driver (Dora)"]),
    ],
)
def test_a_site_is_not_deleted_while_it_has_something(world, name, named):
    site = getattr(world, name)
    for delete in (site.delete, lambda: services.delete(command(world.northwind), site)):
        with pytest.raises(Conflict) as error:
            delete()
        assert error.value.reason == "blocked"
        for blocker in named:
            assert blocker in error.value.detail
    assert Site.objects.filter(pk=site.pk).exists()


def test_many_blockers_are_counted_and_the_first_ones_named(world):
    for number in range(5):
        made(Site, parent=world.west, name=f"Bay {number}")
    with pytest.raises(Conflict, match=r"5 sites \(Bay 0, Bay 1, Bay 2, …\)"):
        world.west.delete()


def test_a_branch_is_deleted_from_the_leaves_whatever_their_age(world):
    """The site above is the younger one."""
    leaf = made(Site, parent=world.west, name="Leaf")
    branch = made(Site, parent=world.west, name="Branch")
    leaf.move(branch)
    Site.objects.filter(name__in=["Leaf", "Branch"]).delete()
    assert not Site.objects.filter(name__in=["Leaf", "Branch"]).exists()
    assert tree_check.check() == []


UNLOCKED = {
    "insert_node": lambda w: Site.objects.insert_node(Site(name="New", customer=w.northwind), w.harbour, save=True),
    "insert_at": lambda w: Site(name="New", customer=w.northwind).insert_at(w.harbour, save=True),
    "move_node": lambda w: Site.objects.move_node(w.west, w.airport),
    "move_to": lambda w: w.west.move_to(w.airport),
    "rebuild": lambda w: Site.objects.rebuild(),
    "partial_rebuild": lambda w: Site.objects.partial_rebuild(1),
    "build_tree_nodes": lambda w: Site.objects.build_tree_nodes({"name": "New"}),
    "delay_mptt_updates": lambda w: Site.objects.delay_mptt_updates().__enter__(),
    "disable_mptt_updates": lambda w: Site.objects.disable_mptt_updates().__enter__(),
    "tree columns": lambda w: Site.objects.filter(pk=w.west.pk).update(lft=1),
    "update": lambda w: Site.objects.filter(pk=w.west.pk).update(parent=w.airport),
    "update of all": lambda w: Site.objects.update(name="Same"),
    "bulk_create": lambda w: Site.objects.bulk_create([Site(name="New", customer=w.northwind)]),
    "bulk_update": lambda w: Site.objects.bulk_update([w.west], ["name"]),
    "through a relation": lambda w: w.harbour.subsites.update(parent=None),
    "write_numbers": lambda w: Site.objects.write_numbers([]),
}


def test_what_writes_the_tree_past_the_lock_is_refused(world):
    before = list(Site.objects.order_by("pk").values())
    for way, write in UNLOCKED.items():
        with pytest.raises((RuntimeError, TypeError), match=r"written|trace|mended|Site\.move"):
            write(world)
        assert list(Site.objects.order_by("pk").values()) == before, way


@pytest.mark.django_db(transaction=True)
def test_the_lock_needs_a_transaction():
    with pytest.raises(RuntimeError, match="open one first"), tree.lock():
        pass
    with transaction.atomic(), tree.lock():
        tree.insist_on_lock()


@pytest.mark.parametrize("given", [{}, {"group_type": None}, {"group_type": 3}])
def test_a_new_site_is_a_site_at_the_top_and_a_subsite_below_unless_said(world, given):
    root = made(Site, customer=world.northwind, name="Root", **given)
    below = made(Site, parent=root, name="Below", **given)
    expected = (given["group_type"],) * 2 if given else (1, 2)
    assert (root.group_type, below.group_type) == expected


def test_a_new_subsite_belongs_to_the_customer_of_the_site_above(world):
    assert made(Site, parent=world.depot, name="Bay").customer == world.southwind
