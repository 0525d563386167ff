"""Forests: order, numbers and paths as a naive recursion has them; depth is no limit; circles do not hang."""

import random

import pytest

from hierarchy.forest import Forest, Numbers

DEEP = 20_000


def drawn(seed):
    """A random forest of up to 30 nodes: each one's parent is an earlier one or none."""
    rng = random.Random(seed)
    nodes = rng.sample(range(1000), rng.randint(0, 30))
    return {node: rng.choice([None, *nodes[:index]]) for index, node in enumerate(nodes)}


def children_of(parents, node):
    return sorted(child for child, parent in parents.items() if parent == node)


def preorder(parents, node):
    return [node, *(below for child in children_of(parents, node) for below in preorder(parents, child))]


def above(parents, node):
    return [] if node is None else [*above(parents, parents[node]), node]


@pytest.mark.parametrize("seed", range(30))
def test_a_forest_is_what_a_recursion_says(seed):
    parents = drawn(seed)
    forest = Forest.assemble(parents, lambda node: node)
    assert forest.roots == children_of(parents, None)
    assert [node for node, entering in forest.walk() if entering] == [
        node for root in forest.roots for node in preorder(parents, root)
    ]
    for node in parents:
        assert forest.children.get(node, []) == children_of(parents, node)
        assert list(forest.subtree(node)) == preorder(parents, node)
        assert forest.path(node) == above(parents, node)
    assert forest.unreachable() == set()


@pytest.mark.parametrize("seed", range(30))
def test_numbers_enclose_what_lies_below(seed):
    parents = drawn(seed)
    forest = Forest.assemble(parents, lambda node: node)
    tree_ids = {root: 100 + root for root in forest.roots}
    numbers = forest.number(tree_ids)
    assert numbers.keys() == parents.keys()
    for node, place in numbers.items():
        assert place.tree_id == tree_ids[above(parents, node)[0]]
        assert place.level == len(above(parents, node)) - 1
        assert place.rght - place.lft == 2 * len(preorder(parents, node)) - 1
        enclosed = {
            other
            for other, its in numbers.items()
            if its.tree_id == place.tree_id and place.lft <= its.lft and its.rght <= place.rght
        }
        assert enclosed == set(preorder(parents, node))
    for root in forest.roots:
        used = sorted(
            side for place in numbers.values() if place.tree_id == tree_ids[root] for side in (place.lft, place.rght)
        )
        assert used == list(range(1, len(used) + 1))


@pytest.mark.parametrize("seed", range(30))
def test_the_topmost_have_none_of_the_wanted_above(seed):
    parents = drawn(seed)
    rng = random.Random(seed)
    wanted = {node for node in parents if rng.random() < 0.4}
    expected = {node for node in wanted if not wanted & set(above(parents, node)[:-1])}
    assert Forest.assemble(parents, lambda node: node).topmost(wanted) == expected


def test_a_node_whose_parent_is_not_there_is_a_root():
    forest = Forest.assemble({2: 1, 3: 2}, lambda node: node)
    assert (forest.roots, forest.path(3)) == ([2], [2, 3])


def test_siblings_are_in_the_order_asked_for():
    forest = Forest.assemble({1: None, 2: None, 3: 1, 4: 1}, lambda node: -node)
    assert (forest.roots, forest.children[1]) == ([2, 1], [4, 3])


def test_depth_is_no_limit():
    forest = Forest.assemble({node: node - 1 or None for node in range(1, DEEP + 1)}, lambda node: node)
    assert forest.number({1: 7})[DEEP] == Numbers(7, DEEP, DEEP + 1, DEEP - 1)
    assert forest.topmost({DEEP, 5}) == {5}
    assert len(forest.path(DEEP)) == DEEP


def test_circles_are_found_and_hang_nothing():
    forest = Forest.assemble({1: None, 2: 3, 3: 2, 4: 3, 5: 5}, lambda node: node)
    assert forest.unreachable() == {2, 3, 4, 5}
    assert [node for node, entering in forest.walk() if entering] == [1]
