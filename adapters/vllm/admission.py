"""Keeps requests waiting in front of a server, in the order of a policy, so that it works on few of them at a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from heapq import heappop, heappush
from itertools import count


class Admission:
    """Lets so many in at a time. Of those that wait the smallest priority comes first, and of equal ones who came first.

    All that ask live on one event loop.

    Args:
        most: How many; None for all.
    """

    def __init__(self, most: int | None) -> None:
        self._free = most
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self._order = count()

    @asynccontextmanager
    async def place(self, priority: int) -> AsyncGenerator[None]:
        """Around a request: waits for its turn."""
        if self._free is None:
            yield
            return
        await self._enter(priority)
        try:
            yield
        finally:
            self._leave()

    async def _enter(self, priority: int) -> None:
        if self._free:
            self._free -= 1
            return
        turn = asyncio.get_running_loop().create_future()
        heappush(self._waiting, (priority, next(self._order), turn))
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():  # its turn had come just before
                self._leave()
            raise

    def _leave(self) -> None:
        assert self._free is not None
        while self._waiting:
            turn = heappop(self._waiting)[-1]
            if not turn.done():  # who has given up is still there
                turn.set_result(None)
                return
        self._free += 1
