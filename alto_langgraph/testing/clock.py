"""The time that a double spends: real, or only counted."""

from __future__ import annotations

import asyncio
import threading
import time


class Clock:
    """Real time. Subclass it to replace time in tests."""

    def now(self) -> float:
        """Seconds since some fixed moment."""
        return time.perf_counter()

    def sleep(self, seconds: float) -> None:
        """Blocks the calling thread so long."""
        time.sleep(seconds)

    async def asleep(self, seconds: float) -> None:
        """Lets other tasks of the event loop run for so long."""
        await asyncio.sleep(seconds)


class CountingClock(Clock):
    """Sleeps not at all and adds up what it should have slept: tests with it are exact and take no time."""

    def __init__(self) -> None:
        """Starts at 0."""
        self.slept = 0.0
        """Seconds asked for by all callers together."""
        self._lock = threading.Lock()

    def now(self) -> float:
        """The seconds slept so far."""
        return self.slept

    def sleep(self, seconds: float) -> None:
        """Adds to `slept`."""
        with self._lock:
            self.slept += seconds

    async def asleep(self, seconds: float) -> None:
        """Adds to `slept` and lets other tasks run once."""
        self.sleep(seconds)
        await asyncio.sleep(0)
