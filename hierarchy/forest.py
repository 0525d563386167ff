"""Trees as plain data: assembling, ordering and numbering them, without a database."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple


class Numbers(NamedTuple):
    """A node's place in its tree, as nested sets number it."""

    tree_id: int
    lft: int
    rght: int
    level: int


@dataclass(slots=True)
class Forest:
    """Nodes with a parent each. A node whose parent is not among them is a root.

    `parents` maps a node to its parent or None; `roots` and each list in `children` are in sibling order.
    """

    parents: dict[int, int | None]
    roots: list[int] = field(default_factory=list)
    children: dict[int, list[int]] = field(default_factory=dict)

    @classmethod
    def assemble(cls, parents: Mapping[int, int | None], order: Callable[[int], Any]) -> "Forest":
        """Build the forest; `order` gives a node's sort key among its siblings."""
        forest = cls(dict(parents))
        for node in sorted(forest.parents, key=order):
            parent = forest.parents[node]
            if parent in forest.parents:
                forest.children.setdefault(parent, []).append(node)
            else:
                forest.roots.append(node)
        return forest

    def walk(self, roots: Iterable[int] | None = None) -> Iterator[tuple[int, bool]]:
        """Every node twice: `(node, True)` before its subtree and `(node, False)` after it. Depth is no limit."""
        stack: list[tuple[int, bool]] = [
            (node, True) for node in reversed(list(self.roots if roots is None else roots))
        ]
        while stack:
            node, entering = stack.pop()
            yield node, entering
            if entering:
                stack.append((node, False))
                stack.extend((child, True) for child in reversed(self.children.get(node, ())))

    def subtree(self, node: int) -> Iterator[int]:
        """The node and everything below it."""
        return (found for found, entering in self.walk([node]) if entering)

    def path(self, node: int | None) -> list[int]:
        """The ids from the root down to the node."""
        path: list[int] = []
        while node is not None and node in self.parents:
            path.append(node)
            node = self.parents[node]
        return path[::-1]

    def topmost(self, wanted: Iterable[int]) -> set[int]:
        """Those of `wanted` that have none of `wanted` above them."""
        chosen = set(wanted)
        found: set[int] = set()
        inside: int | None = None
        for node, entering in self.walk():
            if entering and inside is None and node in chosen:
                found.add(node)
                inside = node
            elif not entering and node == inside:
                inside = None
        return found

    def number(self, tree_ids: Mapping[int, int]) -> dict[int, Numbers]:
        """Nested-set numbers for every node; `tree_ids` gives the tree number of each root."""
        numbers: dict[int, Numbers] = {}
        left: dict[int, int] = {}
        tree_id = level = counter = 0
        for node, entering in self.walk():
            if entering:
                if level == 0:
                    tree_id, counter = tree_ids[node], 0
                counter += 1
                left[node] = counter
                level += 1
            else:
                counter += 1
                level -= 1
                numbers[node] = Numbers(tree_id, left.pop(node), counter, level)
        return numbers

    def unreachable(self) -> set[int]:
        """Nodes that no root leads to: they lie on a cycle or hang below one."""
        reached = {node for node, entering in self.walk() if entering}
        return self.parents.keys() - reached
