"""Remembers which state keys nodes have read, where only their runs tell."""

from __future__ import annotations

import threading
from collections.abc import Iterable

ENOUGH = 64
"""Most runs of a node that are counted."""


class Readings:
    """What the nodes of a graph have read, in all of its runs. Any thread may note and ask.

    It holds no more than the keys that are noted, which are the graph's.
    """

    def __init__(self) -> None:
        self._keys: dict[str, frozenset[str] | None] = {}
        self._runs: dict[str, int] = {}
        self._lock = threading.Lock()

    def note(self, node: str, keys: Iterable[str] | None) -> None:
        """Remembers a run.

        Args:
            node: Its node's name.
            keys: State keys that it has read; None if it has looked at the state in another way.
        """
        with self._lock:
            before = self._keys.get(node, frozenset())
            self._keys[node] = None if before is None or keys is None else before.union(keys)
            self._runs[node] = min(self._runs.get(node, 0) + 1, ENOUGH)

    def known(self, node: str, evidence: int) -> frozenset[str] | None:
        """All state keys that runs of the node have read; None before `evidence` runs, or if one looked at it in another way."""
        with self._lock:
            return self._keys[node] if self._runs.get(node, 0) >= min(evidence, ENOUGH) else None
