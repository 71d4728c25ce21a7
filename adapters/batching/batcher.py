"""Gathers what threads and event loops ask at the same time into one call."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable, Hashable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from math import ceil
from threading import Condition, get_ident
from typing import Any
from weakref import WeakValueDictionary

from alto_langgraph.adapters.batching.asks import Answered, Ask, failed, on_loop, on_thread, tell
from alto_langgraph.adapters.batching.options import Batching, cores
from alto_langgraph.protocols import Operation, asker, served

Call = Callable[[Any, list[Any]], Sequence[Any]]
About = tuple[Operation, str]
"""What is done, and by which model or data source."""

_THREADS = min(32, cores() + 4)
"""Most calls of one batcher that are under way at a time: as many as on the threads where LangChain would make them one by one."""
_LEAST = 8
"""Fewer aren't worth a call of their own beside another."""


class Batcher:
    """One call for all that is asked with the same key.

    A call is made on a thread: that of the one who asks, where nothing is under way, else on one of the batcher's own. Who waits on
    an event loop holds no thread. A call that fails for several is made again for each half of them, so that an error reaches only
    the one that has caused it. A batch runs in the context (`contextvars`) of the first that is in it.

    Args:
        call: Gets a key and what was asked with it, and returns as many answers in the same order.
        batching: When a batch goes.
        is_everyones: Which errors aren't the fault of one of the batch, so that halves needn't be tried.
        about: What traces call it; None of what isn't traced.
    """

    def __init__(
        self, call: Call, batching: Batching, is_everyones: Callable[[Exception], bool] = lambda error: False, *, about: About | None = None
    ) -> None:
        self._call, self._batching, self._is_everyones, self._about = call, batching, is_everyones, about
        self._waiting: dict[Hashable, deque[Ask]] = {}
        self._running: dict[object, int] = {}
        self._gathering = False
        self._changed = Condition()
        self._threads: ThreadPoolExecutor | None = None
        self._process = os.getpid()
        self.asked = 0
        """How many things were asked."""
        self.called = 0
        """In how many calls."""

    def ask(self, key: Hashable, item: Any, weight: float = 1.0) -> Any:
        """The answer to `item`; waits for it on this thread. Raises what the call raises."""
        with self._changed:
            alone = not self._waiting and len(self._running) < self._batching.calls
            ask = None if alone else self._put(key, on_thread(item, weight, time.monotonic()))
            run = self._begin() if alone else None
            self.asked, self.called = self.asked + alone, self.called + alone
        if ask is not None:
            return ask.future.result()
        with self._ending(run), traced(self._about, [asker()]):
            return self._call(key, [item])[0]

    async def aask(self, key: Hashable, item: Any, weight: float = 1.0) -> Any:
        """The same on an event loop. Who is cancelled while waiting takes nothing from the others."""
        ask = on_loop(item, weight, time.monotonic())
        with self._changed:
            self._put(key, ask)
        return await ask.future

    def flush(self) -> None:
        """Answers on this thread what waits, and returns when nothing is under way that was asked before."""
        with self._changed:
            batches = [(key, list(asks)) for key, asks in self._waiting.items()]
            self._waiting.clear()
            before = {run for run, thread in self._running.items() if thread != get_ident()}
            run = self._begin()
        with self._ending(run):
            for key, asks in batches:
                self._answer(key, asks)
        with self._changed:
            self._changed.wait_for(lambda: before.isdisjoint(self._running))

    # ---- with the lock held

    def _put(self, key: Hashable, ask: Ask) -> Ask:
        if self._process != os.getpid():  # forked: the threads that were at work have stayed behind
            self._process, self._threads, self._gathering = os.getpid(), None, False
            self._waiting.clear()
            self._running.clear()
        self.asked += 1
        self._waiting.setdefault(key, deque()).append(ask)
        if not self._gathering:
            self._gather()
        elif self._is_full(key):
            self._changed.notify_all()
        return ask

    def _gather(self) -> None:
        """Has a thread take the next batch."""
        if self._threads is None:
            self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="batch")
        self._threads.submit(self._work)
        self._gathering = True

    def _begin(self) -> object:
        self._running[run := object()] = get_ident()
        return run

    def _is_full(self, key: Hashable) -> bool:
        return len(self._waiting[key]) >= self._batching.size

    def _may_go(self) -> bool:
        return not self._waiting or len(self._running) < self._batching.calls or any(map(self._is_full, self._waiting))

    def _take(self) -> tuple[Hashable, list[Ask]]:
        """The batch of those who have waited longest, shared out among the calls that may be made now."""
        key = next(iter(self._waiting))
        asks = self._waiting.pop(key)
        share = max(ceil(len(asks) / max(self._batching.calls - len(self._running), 1)), _LEAST)
        taken: list[Ask] = []
        weight = 0.0
        while asks and len(taken) < share and (not taken or weight + asks[0].weight <= self._batching.size):
            weight += asks[0].weight
            taken.append(asks.popleft())
        if asks:
            self._waiting[key] = asks
        return key, taken

    # ---- on threads

    def _work(self) -> None:
        with self._changed:
            if self._waiting:
                oldest = next(iter(self._waiting.values()))[0].at
                self._changed.wait_for(self._may_go, oldest + self._batching.patience - time.monotonic())
            self._gathering = False
            if not self._waiting:
                return
            key, asks = self._take()
            run = self._begin()
            if self._waiting:
                self._gather()
        with self._ending(run):
            self._answer(key, asks)

    @contextmanager
    def _ending(self, run: object) -> Iterator[None]:
        try:
            yield
        finally:
            with self._changed:
                self._running.pop(run, None)
                self._changed.notify_all()

    def _answer(self, key: Hashable, asks: list[Ask]) -> None:
        asks = [ask for ask in asks if ask.wanted]
        if asks:
            self._try(key, asks)

    def _try(self, key: Hashable, asks: list[Ask]) -> None:
        with self._changed:
            self.called += 1
        try:
            answers = asks[0].context.copy().run(self._traced, key, asks)
            told: list[Answered] = [(ask, answer, None) for ask, answer in zip(asks, answers, strict=True)]
        except BaseException as error:
            if len(asks) > 1 and isinstance(error, Exception) and not self._is_everyones(error):
                for half in halves(asks):
                    self._try(key, half)
                return
            told = failed(asks, error)
        tell(told)

    def _traced(self, key: Hashable, asks: list[Ask]) -> Sequence[Any]:
        with traced(self._about, [ask.asker for ask in asks]):
            return self._call(key, [ask.item for ask in asks])


def traced(about: About | None, askers: list[Any]) -> AbstractContextManager[None]:
    """Around a call for all of these."""
    return served(*about, askers) if about is not None else nullcontext()


def halves(asks: list[Any]) -> tuple[list[Any], list[Any]]:
    """The first half, and the second."""
    middle = len(asks) // 2
    return asks[:middle], asks[middle:]


_SHARED: WeakValueDictionary[Hashable, Any] = WeakValueDictionary()


def shared(key: Hashable, make: Callable[[], Any]) -> Any:
    """What was made for `key` and somebody still has, so that several share it; `key` names by id what the made thing itself holds."""
    found = _SHARED.get(key)
    return _SHARED.setdefault(key, make()) if found is None else found
