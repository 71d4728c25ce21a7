"""Remembers how often something was sent on parts of answers, and how often that turned out right."""

from __future__ import annotations

from collections.abc import Mapping

ENOUGH = 10
"""Fragments of a node after which it is judged."""
MEMORY = 200
"""Fragments after which older ones count half."""
WORTH = 0.8
"""Share of them that must have been right."""
IDLE = 32
"""Runs of a node in a row that were listened to and sent nothing early, after which only some are: a streamed answer costs more."""
EACH = 8
"""Of how many runs one is listened to then."""


class Hits:
    """Of each node of a graph."""

    def __init__(self) -> None:
        self._counts: dict[str, tuple[float, float]] = {}
        self._idle: dict[str, int] = {}
        self._passed: dict[str, int] = {}

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

    def listened(self, node: str, *, useful: bool) -> None:
        """A run of `node` that was listened to is over; it was `useful` if something was sent on a part of an answer."""
        self._idle[node] = 0 if useful else self._idle.get(node, 0) + 1

    def idle(self, node: str) -> bool:
        """Whether the answers to `node` have long been nothing that something could be sent on early."""
        return self._idle.get(node, 0) >= IDLE

    def listen(self, node: str) -> bool:
        """Whether to listen to what a run of `node` is answered."""
        if not self.worth(node):
            return False
        if self.idle(node):
            self._passed[node] = (self._passed.get(node, 0) + 1) % EACH
            return not self._passed[node]
        return True
