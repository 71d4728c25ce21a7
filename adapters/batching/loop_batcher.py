"""Gathers what one event loop's code asks at the same time into one call of a coroutine function."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from weakref import WeakKeyDictionary

from alto_langgraph.adapters.batching.asks import Ask, failed, on_loop, settle
from alto_langgraph.adapters.batching.batcher import About, halves, traced
from alto_langgraph.adapters.batching.options import Batching

AsyncCall = Callable[[list[Any]], Awaitable[Sequence[Any]]]


class LoopBatcher:
    """As `Batcher`, for what has async code of its own.

    Clients are often bound to the event loop that uses them, so each loop has its own batches. What is asked in one turn of the loop
    goes together at once, even where nothing is under way.

    Args:
        call: Gets what was asked, and returns as many answers in the same order.
        batching: When a batch goes.
        about: What traces call it; None of what isn't traced.
    """

    def __init__(self, call: AsyncCall, batching: Batching, *, about: About | None = None) -> None:
        self._call, self._batching, self._about = call, batching, about
        self._of_loop: WeakKeyDictionary[asyncio.AbstractEventLoop, _Gathering] = WeakKeyDictionary()

    async def aask(self, item: Any, weight: float = 1.0) -> Any:
        """The answer to `item`; raises what the call raises."""
        loop = asyncio.get_running_loop()
        gathering = self._of_loop.get(loop)
        if gathering is None:
            gathering = self._of_loop[loop] = _Gathering(self._call, self._batching, self._about)
        ask = on_loop(item, weight, loop.time())
        gathering.put(ask)
        try:
            return await ask.future
        except asyncio.CancelledError:
            gathering.left(ask)
            raise


class _Gathering:
    """What waits on one event loop, and the calls that are under way there."""

    def __init__(self, call: AsyncCall, batching: Batching, about: About | None) -> None:
        self._call, self._batching, self._about = call, batching, about
        self._waiting: list[Ask] = []
        self._running: dict[asyncio.Task[None], list[Ask]] = {}
        self._timer: asyncio.Handle | None = None

    def put(self, ask: Ask) -> None:
        self._waiting.append(ask)
        if len(self._waiting) >= self._batching.size:
            self._go()
        elif self._timer is None:
            loop = asyncio.get_running_loop()
            busy = len(self._running) >= self._batching.calls
            self._timer = loop.call_later(self._batching.patience, self._go) if busy else loop.call_soon(self._go)

    def left(self, ask: Ask) -> None:
        """Whoever asked has been cancelled; a call that nobody waits for any more is, too."""
        for task, asks in list(self._running.items()):
            if ask in asks and not any(other.wanted for other in asks):
                task.cancel()

    def _go(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        waiting, self._waiting = [ask for ask in self._waiting if ask.wanted], []
        while waiting:
            weight, end = 0.0, 0
            while end < len(waiting) and (not end or weight + waiting[end].weight <= self._batching.size):
                weight, end = weight + waiting[end].weight, end + 1
            batch, waiting = waiting[:end], waiting[end:]
            task = asyncio.get_running_loop().create_task(self._answer(batch), context=batch[0].context.copy())
            self._running[task] = batch
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        del self._running[task]
        if self._waiting and len(self._running) < self._batching.calls:
            self._go()

    async def _answer(self, asks: list[Ask]) -> None:
        try:
            with traced(self._about, [ask.asker for ask in asks]):
                answers = await self._call([ask.item for ask in asks])
            settle([(ask, answer, None) for ask, answer in zip(asks, answers, strict=True)])
        except asyncio.CancelledError as error:
            settle(failed(asks, error))  # those who still wait are cancelled with the call, as if they had made it themselves
            raise
        except Exception as error:
            if len(asks) == 1:
                settle(failed(asks, error))
            else:
                for half in halves([ask for ask in asks if ask.wanted]):
                    if half:
                        await self._answer(half)
