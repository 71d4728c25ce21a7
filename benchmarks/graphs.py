"""Benchmarks that time a graph: how one is declared, and how one of its lanes is run once."""

from __future__ import annotations

import asyncio
import gc
import time
import warnings
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from typing import Any, Literal

from benchmarks.accounts import came_to, so_far
from benchmarks.answers import Answers
from benchmarks.declare import Sample, Target
from benchmarks.savers import Checkpointer, forget, opened
from benchmarks.sides import Side, side
from benchmarks.watch import Watch

Build = Callable[[Side, Any], Any]
RECURSION_LIMIT = 1_000_000
EXPERT, EXPERT_ON_ALTO, HINTED = "expert", "expert on alto", "alto with hints"
"""Names of lanes: the graph rebuilt by hand to dodge the barrier, on each side, and the graph as it is with hints in its metadata."""


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
        checkpointer: Compiles with this checkpointer; every run gets its own thread.
        modes: Stream modes of the timed runs.
        durability: LangGraph's durability mode, where there is a checkpointer.
        concurrency: LangGraph's `max_concurrency`; sync nodes get that many threads.
        budget: Seconds of measuring in a full run.
        least: Rounds run even if the budget is spent.
        warm: Every lane runs once more before it counts, though comparing the answers has run it already.
        quick: Part of `--quick`.
        apart: State keys in which lanes may differ.
        more_lanes: Lanes beside stock and alto.
        targets: Judged in the report.
        watch: What notes a moment inside every run, as a metric beside the others.
        compute_bounds: `compute_bounds(size)` gives seconds by name that are computed, not measured.
        accounts: Whether samples hold what running ahead came to, too.
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
    checkpointer: Checkpointer | None = None
    modes: tuple[str, ...] = ("updates",)
    durability: Literal["sync", "async", "exit"] = "async"
    concurrency: int | None = None
    budget: float = 5.0
    least: int = 5
    warm: bool = False
    quick: bool = True
    apart: frozenset[str] = frozenset()
    more_lanes: tuple[Lane, ...] = ()
    targets: tuple[Target, ...] = (Target(1.0),)
    compute_bounds: Callable[[Any], Mapping[str, float]] = field(default=lambda size: {})
    watch: Watch | None = None
    accounts: bool = False
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
        """Compiles every lane's graph and gives a callable per lane that takes one sample.

        Raises:
            DifferentAnswersError: lanes don't end in the same state, or later, two samples don't end with the same update.
        """
        answers = Answers(self.name, self.apart)
        with asyncio.Runner() as runner, ExitStack() as stack, warnings.catch_warnings():
            warnings.simplefilter("error")  # alto that stepped back to stock mustn't pass for alto that is as fast
            apps = {lane.name: stack.enter_context(self.app(lane, runner, alto)) for lane in self.lanes}
            for name, app in apps.items():
                answers.check("final state", name, app.run("values", "compared")[-1])
                app.forget("compared")
            yield {name: app.timed(partial(answers.check, "last update", name)) for name, app in apps.items()}

    @contextmanager
    def app(self, lane: Lane, runner: asyncio.Runner, alto: str = "alto") -> Iterator[App]:
        """One lane's graph, compiled and ready to run; `alto` names the side that stands in alto's place."""
        with opened(self.checkpointer, self.sync, runner) as saver:
            graph = lane.build(side(alto if lane.side == "alto" else lane.side), self.size)(checkpointer=saver)
            modes = self.modes[0] if len(self.modes) == 1 else list(self.modes)
            yield App(
                graph, self.input(self.size), runner, self.sync, saver, self.durability, self.concurrency, modes, self.watch, self.accounts
            )


@dataclass(slots=True)
class App:
    """A compiled graph with its input, run over and over, each time on a new thread id."""

    graph: Any
    input: Any
    runner: asyncio.Runner
    sync: bool = False
    saver: Any = None
    durability: str = "async"
    concurrency: int | None = None
    modes: str | list[str] = "updates"
    watch: Watch | None = None
    accounts: bool = False
    _threads: Iterator[int] = field(default_factory=count)

    def timed(self, heard: Callable[[Any], object] = lambda event: None) -> Callable[[], Sample]:
        """A callable that runs once and gives wall and processor seconds, and the watch's; `heard` is told the run's last event."""

        def take() -> Sample:
            thread = str(next(self._threads))
            gc.collect()  # each run starts from the same heap; inside it the collector works as it does for users
            if self.watch:
                self.watch.reset()
            before = so_far(self.graph)
            cpu, wall = time.process_time(), time.perf_counter()
            events = self.run(self.modes, thread)
            sample = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
            if self.watch:
                sample[self.watch.metric] = self.watch.seconds(wall)
            if self.accounts:
                sample |= came_to(before, so_far(self.graph))
            self.forget(thread)
            heard(events[-1])
            return sample

        return take

    def run(self, modes: str | list[str], thread: str) -> list[Any]:
        """Runs once and gives the events."""
        config: dict[str, Any] = {"configurable": {"thread_id": thread}, "recursion_limit": RECURSION_LIMIT}
        if self.concurrency:
            config["max_concurrency"] = self.concurrency
        durability = {"durability": self.durability} if self.saver is not None else {}
        if self.sync:
            return list(self.graph.stream(self.input, config, stream_mode=modes, **durability))
        # Not by the runner: what that does about Ctrl-C ends in a text of all events, which in a short run takes a twentieth of its time.
        loop = self.runner.get_loop()
        return loop.run_until_complete(_collected(self.graph.astream(self.input, config, stream_mode=modes, **durability)))

    def forget(self, thread: str) -> None:
        """Drops a run's checkpoints."""
        forget(self.saver, thread, self.sync, self.runner)


def _collected(stream: Any) -> Coroutine[Any, Any, list[Any]]:
    async def collect() -> list[Any]:
        return [event async for event in stream]

    return collect()
