"""Lets a test's node take time, and counts how many nodes are at it."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Lock

from alto_langgraph.driver.producing import ANSWERS

FOR_EVER = 1e6
"""Seconds."""


class Gauge:
    """How many nodes take their time now, and how many did at most.

    `runs` counts by node how often each took its time, `tally` has the name of a node for each time it noted that; the node that
    `hangs` does so until it is cancelled.

    Args:
        pace: Another time for each time asked for, ms, to see whether what a run shows depends on it.
    """

    def __init__(self, pace: Callable[[float], float] = float) -> None:
        self.pace = pace
        self.now = self.most = 0
        self.runs: Counter[str] = Counter()
        self.tally: list[str] = []
        self.hangs = ""
        self._lock = Lock()

    @contextmanager
    def held(self, node: str = "") -> Iterator[None]:
        """Counts one node more inside the block; what is run again on a part of an answer asks nobody, and is no node at work."""
        at_work = ANSWERS.get() is None
        with self._lock:
            self.now += at_work
            self.runs[node] += 1
            self.most = max(self.most, self.now)
        try:
            yield
        finally:
            with self._lock:
                self.now -= at_work


GAUGE: ContextVar[Gauge | None] = ContextVar("pause_gauge", default=None)
"""The gauge of the run in progress."""


async def apause(milliseconds: float, node: str = "") -> None:
    """Takes this long on the event loop's clock; for ever, if this node hangs."""
    gauge = GAUGE.get() or Gauge()
    with gauge.held(node):
        await asyncio.sleep(gauge.pace(milliseconds) / 1000 if not node or node != gauge.hangs else FOR_EVER)


def pause(milliseconds: float, node: str = "") -> None:
    """Takes this long in a thread; a third of it, so that many cases fit in a second."""
    gauge = GAUGE.get() or Gauge()
    with gauge.held(node):
        time.sleep(gauge.pace(milliseconds) / 3000)
