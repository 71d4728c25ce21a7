"""Remembers which nodes take a while, so that nothing waits to see it again."""

from __future__ import annotations

from collections.abc import Collection

WHILE = 0.003
"""Seconds that a superstep has to take before work is started ahead of it that doesn't come by a `Send`: it costs something too."""

WHILE_ON_THREADS = 0.01
"""The same where nodes run on threads: handing over to another costs more, and a busy machine may well let one wait that long."""

ENOUGH = 3
"""Times in a row that a node has to be quick before it is taken to be."""
SURE = 2
"""Times that a node has to take a while before it is taken to: once may be chance."""
AGAIN = 32
"""Every so many times it has to show it again: what is started beside it takes time, too, and would hide that it is quick."""


class Tempo:
    """What is known of the nodes of a graph from all of its runs. Node names are given as a collection of those in one superstep."""

    def __init__(self) -> None:
        self._slow: dict[str, int] = {}
        self._quick: dict[str, int] = {}

    def slow(self, nodes: Collection[str]) -> bool:
        """Whether one of the nodes is taken to take a while, and needn't show it this time."""
        if not self._slow:
            return False
        sure = {node: times + 1 for node in nodes if (times := self._slow.get(node, 0)) >= SURE}
        self._slow.update(sure)
        return any(times % AGAIN for times in sure.values())

    def quick(self, nodes: Collection[str]) -> bool:
        """Whether all of the nodes have been quick often enough."""
        return all(self._quick.get(node, 0) >= ENOUGH for node in nodes)

    def was_quick(self, nodes: Collection[str]) -> None:
        """Their superstep was over before a while had passed."""
        for node in nodes:
            self._slow.pop(node, None)
            if (times := self._quick.get(node, 0)) < ENOUGH:
                self._quick[node] = times + 1

    def was_slow(self, nodes: Collection[str]) -> None:
        """They were unfinished when a while had passed. Of one that was quick the last time that may be chance."""
        for node in nodes:
            if not self._quick.pop(node, 0):
                self._slow[node] = self._slow.get(node, 0) + 1

    def surprised(self, nodes: Collection[str]) -> None:
        """One of the nodes, nobody saw which, took a while."""
        for node in nodes:
            if times := self._quick.get(node, 0):
                self._quick[node] = times - 1
