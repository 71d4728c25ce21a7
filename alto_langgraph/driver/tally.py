"""Counts what running ahead came to in all runs of a graph."""

from __future__ import annotations

import threading
from collections import Counter

from alto_langgraph.driver.asked import Asked
from alto_langgraph.protocols import RanAhead


class Tally:
    """Of one graph; any thread may count."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._started = self._used = self._calls = self._tokens = self._answered = 0
        self._replayed = 0.0
        self._squashed: Counter[str] = Counter()

    def started(self) -> None:
        """A task was started before its superstep."""
        with self._lock:
            self._started += 1

    def used(self, calls: list[Asked]) -> None:
        """Its superstep has taken what it came to; `calls` is what it has asked models."""
        with self._lock:
            self._used += 1
            self._answered += sum(call.tokens for call in calls)

    def squashed(self, reason: str) -> None:
        """It was thrown away."""
        with self._lock:
            self._squashed[reason] += 1

    def in_vain(self, calls: list[Asked]) -> None:
        """What one that was thrown away had asked models until it ended."""
        with self._lock:
            self._calls += len(calls)
            self._tokens += sum(call.tokens for call in calls)

    def replayed(self, seconds: float) -> None:
        """The code of a node's run was run again on parts of answers for so long."""
        with self._lock:
            self._replayed += seconds

    def so_far(self) -> RanAhead:
        """What has been counted."""
        with self._lock:
            squashed = dict(self._squashed)
            return RanAhead(self._started, self._used, squashed, self._calls, self._tokens, self._replayed, self._answered)
