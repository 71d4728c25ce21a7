"""The capacity of a model server: so many calls at a time, the others wait in line."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from concurrent.futures import Future

from alto_langgraph.testing.pace import SEQUENCES_AT_A_TIME


class Slots:
    """At most `size` holders at a time, first come first served: `with slots:` in threads, `async with slots:` in any event loop.

    Threads and several event loops may share one object. A waiter that is cancelled leaves the line; a slot handed to it goes to the next.
    """

    def __init__(self, size: int = SEQUENCES_AT_A_TIME) -> None:
        """`size`: number of slots, at least 1; else a ValueError."""
        if size < 1:
            raise ValueError(f"A server needs at least one slot, not {size}.")
        self.size = size
        self.in_use = 0
        self.peak = 0
        """Most slots that were held at one time."""
        self.served = 0
        """Slots given out so far."""
        self._line: deque[Future[None]] = deque()
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        """For the debugger: who holds and who waits."""
        return f"Slots({self.in_use} of {self.size} in use, {self.waiting} waiting)"

    @property
    def waiting(self) -> int:
        """Callers in line."""
        with self._lock:
            return sum(not place.cancelled() for place in self._line)

    def __enter__(self) -> Slots:
        """Waits, blocking the thread, for a slot."""
        place = self._place()
        try:
            place.result()
        except BaseException:
            self._leave(place)
            raise
        return self

    def __exit__(self, *raised: object) -> None:
        """Frees the slot."""
        self._release()

    async def __aenter__(self) -> Slots:
        """Waits, as a coroutine, for a slot."""
        place = self._place()
        try:
            if not place.done():
                await asyncio.wrap_future(place)
        except BaseException:
            self._leave(place)
            raise
        return self

    async def __aexit__(self, *raised: object) -> None:
        """Frees the slot."""
        self._release()

    def _place(self) -> Future[None]:
        """A place in the line; done at once where a slot is free."""
        place: Future[None] = Future()
        with self._lock:
            if self.in_use < self.size:
                self._give(place)
            else:
                self._line.append(place)
        return place

    def _give(self, place: Future[None]) -> bool:
        """Hands a slot over, unless the waiter has gone. The lock is held; waking a waiter takes no lock of ours."""
        if not place.set_running_or_notify_cancel():
            return False
        self.in_use += 1
        self.served += 1
        self.peak = max(self.peak, self.in_use)
        place.set_result(None)
        return True

    def _release(self) -> None:
        with self._lock:
            self.in_use -= 1
            while self._line and not self._give(self._line.popleft()):
                pass

    def _leave(self, place: Future[None]) -> None:
        """Gives up waiting. If the slot was handed over in the same moment it goes on to the next in line."""
        if not place.cancel():
            self._release()
