"""What replays may take of a run's processor time, and whose turn it is: one budget for all that a run listens to."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from functools import partial
from inspect import iscoroutinefunction
from time import perf_counter, thread_time
from types import coroutine
from typing import Any

from alto_langgraph.driver.collecting import COLLECTING

SHARE = 0.03
"""Largest share of one core that the replays of a run may take."""
GRACE = 0.005
"""Seconds that they may take in any case."""


class Budget:
    """Of one run, graphs inside it included; any thread may ask.

    Whoever has waited longest comes first. What a replay takes is known only afterwards, so a run may owe something for a while.

    Args:
        clock: Seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float] = perf_counter) -> None:
        self._clock, self._begun, self.spent = clock, clock(), 0.0
        self._waiting: list[object] = []
        self._lock = threading.Lock()

    def spend(self, seconds: float) -> None:
        """Somebody has taken so much."""
        with self._lock:
            self.spent += seconds

    def turn(self, who: object) -> float:
        """Whether it is the turn of `who`: seconds after which to ask again; 0 if it is."""
        with self._lock:
            place = self._waiting.index(who) if who in self._waiting else len(self._waiting)
            owed = (self.spent - GRACE) / SHARE - (self._clock() - self._begun)
            if owed <= 0 and not place:
                self._leave(who)
                return 0
            if place == len(self._waiting):
                self._waiting.append(who)
            return max(owed, 0) + place * BESIDE

    def leave(self, who: object) -> None:
        """`who` doesn't wait any more."""
        with self._lock:
            self._leave(who)

    def _leave(self, who: object) -> None:
        if who in self._waiting:
            self._waiting.remove(who)


BESIDE = 0.001
"""Seconds that whoever waits is given to begin before the next one asks."""


class Meter:
    """What somebody has taken of a budget."""

    def __init__(self, budget: Budget) -> None:
        self._budget, self.spent = budget, 0.0
        COLLECTING.watch()

    def spend(self, seconds: float) -> None:
        """It has taken so much more."""
        self.spent += seconds
        self._budget.spend(seconds)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Around code that doesn't wait for anything but its own thread. What the garbage collector takes isn't the code's."""
        began = time_of_its_own()
        try:
            yield
        finally:
            self.spend(max(time_of_its_own() - began, 0.0))


def time_of_its_own() -> float:
    """Processor seconds of this thread, without those of the garbage collector."""
    return thread_time() - COLLECTING.seconds


METER: ContextVar[Meter | None] = ContextVar("alto_meter", default=None)
"""What counts the code that is running, where somebody wants to know."""


async def metered(begin: Callable[[], Coroutine[Any, Any, Any]], meter: Meter) -> Any:
    """Work, of which counts what it takes itself, tasks that it starts included: not what others do while it waits.

    While it waits for a task that it hasn't started all that the event loop does counts, as part of that may be its own; unless that has
    been counted itself. The work is begun here, so that none is left that nobody has awaited if this is cancelled before its first turn.
    """
    return await _driven(begin(), meter)


@coroutine
def _driven(work: Coroutine[Any, Any, Any], meter: Meter) -> Generator[Any, Any, Any]:
    resume: Callable[[], Any] = lambda: work.send(None)  # noqa: E731 - it is another one each time
    while True:
        try:
            with meter.running(), _counting_tasks(meter):
                waits_for = resume()
        except StopIteration as stop:
            return stop.value
        before, spent = time_of_its_own(), meter.spent
        try:
            value = yield waits_for
            resume = _sending(work, value)
        except BaseException as error:
            resume = _throwing(work, error)
        if waits_for is not None and type(waits_for) is not asyncio.Future and meter.spent == spent:
            meter.spend(max(time_of_its_own() - before, 0.0))


@contextmanager
def _counting_tasks(meter: Meter) -> Iterator[None]:
    """Around a step of some work: the tasks that it starts count, too."""
    loop = asyncio.get_running_loop()
    factory = loop.get_task_factory()
    loop.set_task_factory(partial(_counted_task, factory, meter))
    try:
        yield
    finally:
        loop.set_task_factory(factory)


def _counted_task(factory: Any, meter: Meter, loop: asyncio.AbstractEventLoop, work: Any, **how: Any) -> Any:
    if not asyncio.iscoroutine(work):
        return factory(loop, work, **how) if factory else asyncio.Task(work, loop=loop, **how)
    driven = _awaiting(work, meter)
    task = factory(loop, driven, **how) if factory else asyncio.Task(driven, loop=loop, **how)
    task.add_done_callback(lambda _: work.close())  # which nobody has awaited if it is cancelled before its first turn
    return task


async def _awaiting(work: Coroutine[Any, Any, Any], meter: Meter) -> Any:
    return await _driven(work, meter)


def _sending(work: Coroutine[Any, Any, Any], value: Any) -> Callable[[], Any]:
    return lambda: work.send(value)


def _throwing(work: Coroutine[Any, Any, Any], error: BaseException) -> Callable[[], Any]:
    return lambda: work.throw(error)


def counted(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function`, counted by what the context names; on threads too."""

    def counting(*args: Any, **kwargs: Any) -> Any:
        with _meter():
            return function(*args, **kwargs)

    async def acounting(*args: Any, **kwargs: Any) -> Any:
        meter = METER.get()
        return await (function(*args, **kwargs) if meter is None else metered(partial(function, *args, **kwargs), meter))

    return acounting if iscoroutinefunction(function) else counting


def _meter() -> AbstractContextManager[None]:
    return nullcontext() if (meter := METER.get()) is None else meter.running()
