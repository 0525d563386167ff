"""What lies in subtrees is counted once, whatever overlaps."""

from hierarchy.subtree_counts import Spread


def test_what_lies_within_several_subtrees_counts_once():
    spread = Spread([(1, 1), (2, 10), (3, 100), (8, 1000)])  # 1 … 10 holds 2 … 5, which holds 3 … 4; and 8 … 9
    assert spread.total == 1111
    assert spread.within([]) == 0
    assert spread.within([(3, 4), (2, 5)], [3, 8]) == 111
    assert spread.within([(1, 10), (8, 9)], [1]) == 1111
    assert Spread([]).within([(1, 10)]) == 0
