"""Counts edges: how soon a node of some set can be reached."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from alto_langgraph.plan.model import Plan


def hops(plan: Plan, start: Iterable[str], targets: Collection[str]) -> int | None:
    """Fewest edges from any node of `start` to a node of `targets`.

    Args:
        plan: The graph. Where it doesn't know who may follow a node, anybody may.
        start: Node names; one that is itself a target counts 0.
        targets: Node names, or "*" (alone or as an item) for every node.

    Returns:
        Number of edges, or None if no target can be reached.
    """
    wanted = set(plan.nodes) if "*" in targets else set(targets) & set(plan.nodes)
    frontier, seen, distance = set(start), set[str](), 0
    while wanted and frontier:
        if frontier & wanted:
            return distance
        seen |= frontier
        following: set[str] = set()
        for name in frontier:
            node = plan.nodes.get(name)
            if node is None or node.targets is None:
                return distance + 1
            following |= node.targets
        frontier, distance = following - seen, distance + 1
    return None
