"""What happens around a run: observers, exporters, clocks, event loops and thread pools that misbehave."""

from __future__ import annotations

import asyncio
import itertools
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from alto_langgraph.comparison import Observation, arecord, difference, record
from alto_langgraph.protocols import observed_by
from alto_langgraph.testing import jumping_clock
from alto_langgraph.testing.traces import recorded
from tests.adapters.signals import signals
from tests.faults.app import BOTH, INPUT, STALL, Fault, built, struck_by
from tests.faults.left import nothing_left, tasks

HOW: dict[str, Any] = {"config": {"configurable": {"thread_id": "t"}}}
EITHER_WAY = pytest.mark.parametrize("sync", [False, True], ids=["async", "sync"])
QUIET = Fault("nowhere", "raise")


def seen(side: str, *, sync: bool, run: Callable[[Any], Any] = jumping_clock.run, **config: Any) -> Observation:
    """What a run shows that no fault of its own strikes."""
    graph = built(side, QUIET, sync=sync)
    how = {"config": {**HOW["config"], **config}}

    async def observed() -> Observation:
        observation = await arecord(graph, INPUT, **how)
        assert tasks() == []
        return observation

    with struck_by(QUIET, side):
        found: Observation = record(graph, INPUT, sync=True, **how) if sync else run(observed())
    return found


def same(stock: Observation, alto: Observation) -> None:
    apart = difference(stock, alto)
    assert apart is None, str(apart)
    assert alto.error is None


# ---- who listens


class Bad:
    """An observer, or an exporter, that fails or takes its time at everything that it is told."""

    def __init__(self, kind: str) -> None:
        self.kind, self.heard = kind, 0

    def observe(self, fact: Any) -> None:
        self.heard += 1
        if self.kind == "raise":
            raise ValueError("who cares")
        time.sleep(STALL / 10)

    def append(self, span: Any) -> None:
        self.observe(span)


@EITHER_WAY
@pytest.mark.parametrize("kind", ["raise", "stall"])
def test_an_observer(kind: str, sync: bool) -> None:
    with signals():
        stock = seen("stock", sync=sync)
        with nothing_left(), observed_by(bad := Bad(kind)):
            alto = seen("alto", sync=sync)
    same(stock, alto)
    assert bad.heard > 10


@EITHER_WAY
@pytest.mark.parametrize("kind", ["raise", "stall"])
@pytest.mark.filterwarnings("ignore::alto_langgraph.exceptions.AltoWarning")  # it says that a trace was lost
def test_a_trace_exporter(kind: str, sync: bool) -> None:
    with signals() as told:
        stock = seen("stock", sync=sync)
        with nothing_left(), recorded(bad := Bad(kind)):
            alto = seen("alto", sync=sync)
    same(stock, alto)
    assert bad.heard
    assert told.ahead["second"] == 1


# ---- time


class Jumps:
    """A clock that somebody sets, forward and back by an hour, each time that it is looked at."""

    def __init__(self, clock: Callable[[], Any], hour: Any, ways: str) -> None:
        self.clock, self.hour = clock, hour
        self.way = itertools.cycle({"forward": (1, 2, 3), "back": (-1, -2, -3), "to and fro": (1, -1)}[ways])

    def __call__(self) -> Any:
        return self.clock() + self.hour * next(self.way)


@EITHER_WAY
@pytest.mark.parametrize("ways", ["forward", "back", "to and fro"])
def test_the_clock_jumps(ways: str, sync: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    with signals() as told:
        stock = seen("stock", sync=sync)
        with monkeypatch.context() as patched, nothing_left(), recorded():
            patched.setattr(time, "time", Jumps(time.time, 3600.0, ways))
            patched.setattr(time, "time_ns", Jumps(time.time_ns, 3600 * 10**9, ways))
            alto = seen("alto", sync=sync)
    same(stock, alto)
    assert told.ahead["second"] == 1


def real(main: Any) -> Any:
    return asyncio.run(main)


def stalled(main: Any) -> Any:
    """Runs on an event loop that something else holds up again and again."""
    stop = threading.Event()

    async def around() -> Any:
        loop = asyncio.get_running_loop()

        def stall() -> None:
            time.sleep(STALL / 4)
            if not stop.is_set():
                loop.call_later(STALL / 8, stall)

        loop.call_soon(stall)
        try:
            return await main
        finally:
            stop.set()

    return asyncio.run(around())


def test_the_event_loop_stalls() -> None:
    with signals() as told:
        stock = seen("stock", sync=False, run=real)
        with nothing_left():
            alto = seen("alto", sync=False, run=stalled)
    same(stock, alto)
    assert told.ahead["second"] == 1


# ---- threads


def one_thread(main: Any) -> Any:
    """Runs on an event loop whose pool has one thread."""

    async def around() -> Any:
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
        return await main

    return asyncio.run(around())


@pytest.mark.parametrize("limit", [None, 1, 2])
def test_an_event_loop_with_one_thread(limit: int | None) -> None:
    """Sync nodes of an async run share it with what is ahead."""
    config = {} if limit is None else {"max_concurrency": limit}
    with signals():
        stock = on_one_thread("stock", config)
        with nothing_left():
            alto = on_one_thread("alto", config)
    same(stock, alto)


def on_one_thread(side: str, config: dict[str, Any]) -> Observation:
    graph = built(side, QUIET, sync=True)

    async def observed() -> Observation:
        observation = await arecord(graph, INPUT, config={**HOW["config"], **config})
        assert tasks() == []
        return observation

    with struck_by(QUIET, "stock"):  # nobody waits for what is ahead: with one thread that can't come before
        found: Observation = one_thread(observed())
    return found


def test_a_thread_pool_of_one_for_a_sync_run() -> None:
    """With modes for which LangGraph doesn't take a thread itself: else one isn't enough for it."""
    how: dict[str, Any] = {"sync": True, "stream_mode": ("values", "updates", "checkpoints"), "subgraphs": False}
    how["config"] = {**HOW["config"], "max_concurrency": 1}
    with signals(), struck_by(QUIET, "stock"), nothing_left():
        stock, alto = (record(built(side, QUIET, sync=True), INPUT, **how) for side in BOTH)
    same(stock, alto)


def test_no_thread_can_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    """Under stock the run fails then, and so it does under alto; the next one is well."""

    def none(*args: Any, **kwargs: Any) -> Any:
        raise RuntimeError("can't start new thread")

    with signals(), monkeypatch.context() as patched:
        patched.setattr(ThreadPoolExecutor, "_adjust_thread_count", none)
        found = []
        for side in BOTH:
            with struck_by(QUIET, "stock"), pytest.raises(RuntimeError) as failed:
                built(side, QUIET, sync=True).invoke(INPUT, HOW["config"])
            found.append(str(failed.value))
    assert found[0] == found[1] == "can't start new thread"
    with signals():
        same(seen("stock", sync=True), seen("alto", sync=True))
