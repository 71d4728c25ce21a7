"""Remembers where routers have led, to tell which branch one will probably take."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator

REMEMBERED = 64
"""Most decisions of a router that count; older ones are forgotten, so that habits may change."""
LIKELY = 0.8
"""Least share of a router's decisions in which a node has followed, for it to be likely to follow next time."""


class Habits:
    """What the routers of a graph have decided, in all of its runs."""

    def __init__(self) -> None:
        self._decisions: dict[str, deque[frozenset[str]]] = {}
        self._counts: dict[str, Counter[str]] = {}

    def note(self, router: str, followers: frozenset[str]) -> None:
        """Remembers a decision.

        Args:
            router: Node name.
            followers: Names of the nodes that it has led to by edges.
        """
        decisions = self._decisions.setdefault(router, deque())
        counts = self._counts.setdefault(router, Counter())
        if len(decisions) == REMEMBERED:
            counts.subtract(decisions.popleft())
        decisions.append(followers)
        counts.update(followers)

    def likely(self, router: str, evidence: int) -> Iterator[str]:
        """Nodes that will probably follow `router`, in the order of their names; none before `evidence` decisions."""
        decisions = len(self._decisions.get(router, ()))
        if decisions and decisions >= min(evidence, REMEMBERED):
            yield from sorted(node for node, count in self._counts[router].items() if count >= LIKELY * decisions)
