"""check_tree: every kind of damage, done behind the product's back, is found, named and mended."""

import random

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from hierarchy import tree_check
from hierarchy.models import Change, Site
from hierarchy.tree import SiteManager


def write(site, **columns):
    """Change columns of a site by SQL, which no rule of the product sees; ties are checked at commit only."""
    assignments = ", ".join(f"{column} = %s" for column in columns)
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE hierarchy_site SET {assignments} WHERE id = %s", [*columns.values(), site.pk])


def found(capsys):
    """What check_tree says, and that it fails."""
    with pytest.raises(CommandError, match="check_tree --fix") as error:
        call_command("check_tree")
    assert error.value.returncode == 1
    return capsys.readouterr().out


def mended(capsys):
    call_command("check_tree", "--fix")
    assert capsys.readouterr().out.endswith("fixed; the trees are sound.\n")
    call_command("check_tree")
    assert capsys.readouterr().out == "The trees are sound.\n"


def descendants(site):
    return {child.name for child in Site.objects.get(pk=site.pk).get_descendants()}


def test_it_works(world, capsys):
    call_command("check_tree")
    call_command("check_tree", "--fix")
    assert capsys.readouterr().out == "The trees are sound.\n" * 2


def test_no_sites_are_sound(db, capsys):
    call_command("check_tree")
    assert capsys.readouterr().out == "The trees are sound.\n"


@pytest.mark.parametrize("column", ["lft", "rght", "level", "tree_id"])
@pytest.mark.parametrize("value", [0, 8, 77])
def test_each_wrong_number_is_found_and_mended(world, capsys, column, value):
    write(world.garage, **{column: value})
    assert f"Site {world.garage.pk}: its tree numbers do not fit its parents." in found(capsys)
    mended(capsys)
    assert descendants(world.harbour) == {"East car park", "Garage", "West car park"}


def test_two_trees_of_one_number_are_found_and_parted(world, capsys):
    """Of two customers, at that: one of them would see the other's sites as below its own."""
    write(world.depot, tree_id=Site.objects.get(pk=world.harbour.pk).tree_id)
    found(capsys)
    mended(capsys)
    assert Site.objects.get(pk=world.depot.pk).tree_id != Site.objects.get(pk=world.harbour.pk).tree_id


def test_a_moved_parent_is_found_and_its_numbers_follow(world, capsys):
    write(world.garage, parent_id=world.west.pk)
    found(capsys)
    mended(capsys)
    assert descendants(world.west) == {"Garage"}
    assert descendants(world.east) == set()


def test_an_orphan_is_found_and_becomes_a_root(world, capsys):
    write(world.east, parent_id=10**9)
    assert f"Site {world.east.pk}: its parent does not exist." in found(capsys)
    mended(capsys)
    east = Site.objects.get(pk=world.east.pk)
    assert (east.parent_id, east.level) == (None, 0)
    assert descendants(east) == {"Garage"}


def test_a_parent_of_another_customer_is_found_and_cut_off(world, capsys):
    write(world.east, parent_id=world.depot.pk)
    assert f"Site {world.east.pk}: its parent belongs to another customer." in found(capsys)
    mended(capsys)
    assert Site.objects.get(pk=world.east.pk).parent_id is None
    assert descendants(world.depot) == set()


def test_a_circle_is_found_and_opened(world, capsys):
    """Harbour lies below the Garage, which lies below Harbour; West hangs below the circle."""
    write(world.harbour, parent_id=world.garage.pk)
    out = found(capsys)
    for site in (world.harbour, world.east, world.garage, world.west):
        assert f"Site {site.pk}: its ancestors form a circle." in out
    mended(capsys)
    names = {"Harbour", "East car park", "Garage", "West car park"}
    (root,) = Site.objects.filter(customer=world.northwind, parent=None).exclude(pk=world.airport.pk)
    assert descendants(root) | {root.name} == names


def test_a_new_root_whose_name_is_taken_gets_its_id(world, capsys):
    write(world.airport, name="Garage", name_key="garage")
    write(world.garage, parent_id=10**9)
    mended(capsys)
    assert Site.objects.get(pk=world.garage.pk).name == f"Garage ({world.garage.pk})"


def test_the_journal_names_what_became_a_root(world, capsys):
    write(world.east, parent_id=10**9)
    mended(capsys)
    change = Change.objects.filter(object_type="site", object_id=world.east.pk).first()
    assert (change.action, change.fields) == ("moved", {"parent": [10**9, None]})


@pytest.mark.parametrize("seed", range(8))
def test_any_damage_is_mended_in_one_go(world, capsys, seed):
    rng = random.Random(seed)
    sites = list(Site.objects.all())
    ids = [site.pk for site in sites]
    for site in rng.sample(sites, rng.randrange(1, len(sites) + 1)):
        numbers = {column: rng.randrange(9) for column in ("lft", "rght", "level", "tree_id")}
        above = rng.choice([None, 10**9, *(other for other in ids if other != site.pk)])
        # Roots of the same name cannot be written even by SQL.
        write(site, **numbers, **({} if above is None else {"parent_id": above}))
    call_command("check_tree", "--fix")
    assert tree_check.check() == []
    assert set(Site.objects.values_list("pk", flat=True)) == set(ids)


def test_what_cannot_be_mended_is_an_error(world, capsys, monkeypatch):
    write(world.garage, lft=77)
    monkeypatch.setattr(SiteManager, "write_numbers", lambda self, numbers: None)
    with pytest.raises(CommandError, match=r"1 finding could not be fixed\."):
        call_command("check_tree", "--fix")
    monkeypatch.undo()
    mended(capsys)
