"""Remembers how often what was sent on parts of answers turned out right."""

from __future__ import annotations

from collections.abc import Mapping

ENOUGH = 10
"""Fragments of a node after which it is judged."""
MEMORY = 200
"""Fragments after which older ones count half."""
WORTH = 0.8
"""Share of them that must have been right."""


class Hits:
    """Of each node of a graph."""

    def __init__(self) -> None:
        self._counts: dict[str, tuple[float, float]] = {}

    def note(self, node: str, started: int, right: int) -> None:
        """Some fragments of a run of `node` were right, the others in vain."""
        before, hit = self._counts.get(node, (0.0, 0.0))
        if before > MEMORY:
            before, hit = before / 2, hit / 2
        self._counts[node] = before + started, hit + right

    def proven(self, node: str) -> bool:
        """Whether `node` has sent on parts before, and it was worth it."""
        return node in self._counts and self.worth(node)

    def seen(self) -> Mapping[str, tuple[int, int]]:
        """Of each node that was listened to, how many there were lately and how many of them were right."""
        return {node: (round(started), round(right)) for node, (started, right) in self._counts.items()}

    def worth(self, node: str) -> bool:
        """Whether it is worth sending on parts of what `node` is answered."""
        started, right = self._counts.get(node, (0.0, 0.0))
        return started < ENOUGH or right >= WORTH * started
