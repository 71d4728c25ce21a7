"""Lets a test's node take time, and counts how many nodes are at it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Lock


class Gauge:
    """How many nodes take their time now, and how many did at most.

    Args:
        pace: Another time for each time asked for, ms, to see whether what a run shows depends on it.
    """

    def __init__(self, pace: Callable[[float], float] = float) -> None:
        self.pace = pace
        self.now = self.most = self.entered = 0
        self._lock = Lock()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Counts one node more inside the block."""
        with self._lock:
            self.now += 1
            self.entered += 1
            self.most = max(self.most, self.now)
        try:
            yield
        finally:
            with self._lock:
                self.now -= 1


GAUGE: ContextVar[Gauge | None] = ContextVar("pause_gauge", default=None)
"""The gauge of the run in progress."""


async def apause(milliseconds: float) -> None:
    """Takes this long on the event loop's clock."""
    gauge = GAUGE.get() or Gauge()
    with gauge.held():
        await asyncio.sleep(gauge.pace(milliseconds) / 1000)


def pause(milliseconds: float) -> None:
    """Takes this long in a thread; a third of it, so that many cases fit in a second."""
    gauge = GAUGE.get() or Gauge()
    with gauge.held():
        time.sleep(gauge.pace(milliseconds) / 3000)
