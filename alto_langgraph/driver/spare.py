"""Keeps one place of a limited run free of what runs ahead, for what runs in order beside it."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future

from alto_langgraph.driver.early import Early


class Spare:
    """The places that early runs may take until they are adopted. One that is adopted is in order, and needs none of them.

    Args:
        places: How many.
    """

    def __init__(self, places: int) -> None:
        self._free = places
        self._holders: set[Early] = set()
        self._waiting: dict[Early, Future[None]] = {}
        self._lock = threading.Lock()

    def wait(self, early: Early) -> None:
        """Takes a place for an early run on a thread; waits for one if it must. `leave` follows."""
        if (place := self._take(early)) is not None:
            place.result()

    async def passage(self, early: Early) -> None:
        """The same on an event loop."""
        if (place := self._take(early)) is not None:
            await asyncio.wrap_future(place)

    def leave(self, early: Early) -> None:
        """The early run is adopted, or over, or nobody waits for it any more."""
        with self._lock:
            if early in self._holders:
                self._holders.discard(early)
                self._free += 1
            elif (place := self._waiting.pop(early, None)) is not None and not place.done():
                place.set_result(None)
            while self._free and self._waiting:
                first = next(iter(self._waiting))
                self._grant(first, self._waiting.pop(first))

    def _take(self, early: Early) -> Future[None] | None:
        with self._lock:
            if early.adopted or early.abandoned:
                return None
            if self._free:
                self._free -= 1
                self._holders.add(early)
                return None
            place = self._waiting[early] = Future()
            return place

    def _grant(self, early: Early, place: Future[None]) -> None:
        if not place.done():  # else its run was cancelled
            self._free -= 1
            self._holders.add(early)
            place.set_result(None)
