"""Benchmarks that time a graph: how one is declared, and how one of its lanes is run once."""

from __future__ import annotations

import asyncio
import gc
import time
import warnings
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Literal

from langgraph.checkpoint.memory import InMemorySaver

from benchmarks.declare import Sample, Target
from benchmarks.sides import Side, side

Build = Callable[[Side, Any], Any]
RECURSION_LIMIT = 1_000_000


@dataclass(frozen=True, slots=True)
class Lane:
    """One of the things that a benchmark runs in turn: the builder that `build(side, size)` gives on one side."""

    name: str
    side: str
    build: Build


@dataclass(frozen=True, slots=True)
class GraphBenchmark:
    """A graph run on both sides and timed; its metrics are wall and processor seconds per run.

    Args:
        name: Unique; `group` is the file it is declared in.
        what: One sentence for the report.
        build: `build(side, size)` gives a function that compiles the graph: `compile(checkpointer=...)`.
        input: `input(size)` gives the graph's input.
        size: What is measured.
        tiny: A small size of the same shape, for the test that both sides answer alike.
        per: Tasks in one run; the report divides times by it.
        sync: Runs `stream` in threads rather than `astream`.
        checkpointer: Compiles with an in-memory checkpointer; every run gets its own thread.
        durability: LangGraph's durability mode, where there is a checkpointer.
        concurrency: LangGraph's `max_concurrency`; sync nodes get that many threads.
        budget: Seconds of measuring in a full run.
        least: Rounds run even if the budget is spent.
        warm: Every lane runs once before it counts.
        quick: Part of `--quick`.
        more_lanes: Lanes beside stock and alto.
        targets: Judged in the report.
        compute_bounds: `compute_bounds(size)` gives seconds by name that are computed, not measured.
    """

    name: str
    group: str
    what: str
    build: Build
    input: Callable[[Any], Any]
    size: Any
    tiny: Any
    per: int = 1
    sync: bool = False
    checkpointer: bool = False
    durability: Literal["sync", "async", "exit"] = "async"
    concurrency: int | None = None
    budget: float = 5.0
    least: int = 5
    warm: bool = True
    quick: bool = True
    more_lanes: tuple[Lane, ...] = ()
    targets: tuple[Target, ...] = (Target(1.0),)
    compute_bounds: Callable[[Any], Mapping[str, float]] = field(default=lambda size: {})
    unit: str = "s"

    @property
    def lanes(self) -> tuple[Lane, ...]:
        """Stock first, alto second, then what else is compared."""
        return (Lane("stock", "stock", self.build), Lane("alto", "alto", self.build), *self.more_lanes)

    @property
    def bounds(self) -> Mapping[str, float]:
        """Computed seconds by name."""
        return self.compute_bounds(self.size)

    @contextmanager
    def open(self, alto: str) -> Iterator[Mapping[str, Callable[[], Sample]]]:
        """Compiles every lane's graph and gives a callable per lane that takes one sample."""
        with asyncio.Runner() as runner, warnings.catch_warnings():
            warnings.simplefilter("error")  # alto that stepped back to stock mustn't pass for alto that is as fast
            apps = {lane.name: self.app(lane, alto) for lane in self.lanes}
            yield {name: app.timed(runner) for name, app in apps.items()}

    def app(self, lane: Lane, alto: str = "alto", size: Any = None) -> App:
        """One lane's graph, compiled and ready to run; `alto` names the side that stands in alto's place."""
        size = self.size if size is None else size
        saver = InMemorySaver() if self.checkpointer else None
        graph = lane.build(side(alto if lane.side == "alto" else lane.side), size)(checkpointer=saver)
        return App(graph, self.input(size), self.sync, saver, self.durability, self.concurrency)


@dataclass(slots=True)
class App:
    """A compiled graph with its input, run over and over, each time on a new thread id."""

    graph: Any
    input: Any
    sync: bool = False
    saver: InMemorySaver | None = None
    durability: str = "async"
    concurrency: int | None = None
    _threads: Iterator[int] = field(default_factory=count)

    def timed(self, runner: asyncio.Runner) -> Callable[[], Sample]:
        """A callable that runs once and gives wall and processor seconds."""

        def take() -> Sample:
            thread = str(next(self._threads))
            gc.collect()  # each run starts from the same heap; inside it the collector works as it does for users
            cpu, wall = time.process_time(), time.perf_counter()
            self.run(runner, thread)
            sample = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
            self.forget(thread)
            return sample

        return take

    def run(self, runner: asyncio.Runner, thread: str, stream_mode: str = "updates") -> list[Any]:
        """Runs once and gives the events."""
        config: dict[str, Any] = {"configurable": {"thread_id": thread}, "recursion_limit": RECURSION_LIMIT}
        if self.concurrency:
            config["max_concurrency"] = self.concurrency
        durability = {"durability": self.durability} if self.saver else {}
        if self.sync:
            return list(self.graph.stream(self.input, config, stream_mode=stream_mode, **durability))
        return runner.run(_collected(self.graph.astream(self.input, config, stream_mode=stream_mode, **durability)))

    def forget(self, thread: str) -> None:
        """Drops a run's checkpoints, so that the hundredth run finds no fuller memory than the first."""
        if self.saver:
            self.saver.delete_thread(thread)


def _collected(stream: Any) -> Coroutine[Any, Any, list[Any]]:
    async def collect() -> list[Any]:
        return [event async for event in stream]

    return collect()
