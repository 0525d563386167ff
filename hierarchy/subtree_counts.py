"""What lies where in the trees of sites: how much of it below which of them, and which rows."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from itertools import accumulate

from hierarchy.selectors import sites_above


class Spread:
    """What lies in a tree: how much of it at each site, by the sites' left numbers."""

    def __init__(self, amounts: Iterable[tuple[int, int]]) -> None:
        ordered = sorted(amounts)
        self._places = [place for place, _amount in ordered]
        self._sums = [0, *accumulate(amount for _place, amount in ordered)]
        self.total = self._sums[-1]

    def within(self, subtrees: Iterable[tuple[int, int]], single: Iterable[int] = ()) -> int:
        """How much of it lies in any of `subtrees`, given by left and right number, with one at each place `single`."""
        found, end = 0, 0
        topmost: list[tuple[int, int]] = []
        for left, right in sorted(subtrees):
            if left > end:
                topmost.append((left, right))
                end = right
                found += self._sums[bisect_left(self._places, right)] - self._sums[bisect_left(self._places, left)]
        return found + sum(not any(left <= place <= right for left, right in topmost) for place in single)


class Placed:
    """Rows that each stand at a site, and which of them lie where. One statement.

    Many people want and have the same: what that leaves is found once.
    """

    def __init__(self, places: Mapping[int, int]) -> None:
        self.rows = frozenset(places)
        self._below = rows_below(places, sites_above(set(places.values())))
        self._within: dict[frozenset[int], frozenset[int]] = {}
        self._outside: dict[tuple[frozenset[int], frozenset[int]], frozenset[int]] = {}

    def within(self, sites: frozenset[int]) -> frozenset[int]:
        """The rows at or below any of `sites`."""
        if sites not in self._within:
            self._within[sites] = frozenset().union(*(self._below[one] for one in sites if one in self._below))
        return self._within[sites]

    def outside(self, rows: frozenset[int], sites: frozenset[int]) -> frozenset[int]:
        """Those of `rows` at or below none of `sites`."""
        if (rows, sites) not in self._outside:
            self._outside[rows, sites] = rows - self.within(sites)
        return self._outside[rows, sites]


def rows_below(places: Mapping[int, int], above: Mapping[int, Collection[int]]) -> dict[int, set[int]]:
    """By site, the rows at and below it: `places` has the site of each, `above` these and the sites above."""
    found: dict[int, set[int]] = defaultdict(set)
    for row, site_id in places.items():
        for one in above[site_id]:
            found[one].add(row)
    return found
