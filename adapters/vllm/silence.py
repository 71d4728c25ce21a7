"""Ends the waiting for a server that has been silent for too long."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from time import perf_counter
from types import TracebackType


class Silence:
    """A timeout whose time begins anew whenever the server says something.

    Args:
        heard: When it last did, to anybody; `time.perf_counter()` seconds.
        most: Seconds that it may be silent.
        ask: Asks it how it is, before it is given up; answers whether it has said so.
    """

    def __init__(self, heard: Callable[[], float], most: float, ask: Callable[[], Awaitable[bool]] | None = None) -> None:
        self._limit = asyncio.timeout(None)
        self._heard, self._most, self._ask = heard, most, ask
        self._timer: asyncio.TimerHandle | None = None
        self._asking: asyncio.Future[bool] | None = None

    @property
    def expired(self) -> bool:
        """Whether it has ended the waiting."""
        return self._limit.expired()

    async def __aenter__(self) -> Silence:
        await self._limit.__aenter__()
        self._look()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._asking is not None:
            self._asking.remove_done_callback(self._asked)
            self._asking.cancel()
        await self._limit.__aexit__(kind, error, trace)

    def _look(self) -> None:
        loop = asyncio.get_running_loop()
        left = self._heard() + self._most - perf_counter()
        if left > 0:
            self._timer = loop.call_later(left, self._look)
        elif self._ask is None:
            self._limit.reschedule(loop.time())
        else:
            self._asking = asyncio.ensure_future(self._ask())
            self._asking.add_done_callback(self._asked)

    def _asked(self, answer: asyncio.Future[bool]) -> None:
        if answer.cancelled() or not answer.result():
            self._ask = None  # it isn't asked a second time
        self._look()
