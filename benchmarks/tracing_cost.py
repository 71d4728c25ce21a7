"""What tracing costs, and whether anything is lost: `python -m benchmarks.tracing_cost [--endpoint URL]`.

Processor time is that of all threads of the process, exporting included. Without an endpoint spans go to files, as by default.
"""

from __future__ import annotations

import asyncio
import gc
import operator
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import Annotated, Any, TypedDict

import typer
from langgraph.types import Send

from alto_langgraph.graph import START, StateGraph
from alto_langgraph.protocols import NodeTold, Run, RunFinished, StepOpened, TaskCommitted, TaskFinished, TaskStarted, is_traced
from alto_langgraph.tags import Tag
from alto_langgraph.tracing import Tracing, begin, configure

WIDTH, ROUNDS = 2_000, 9


class State(TypedDict, total=False):
    n: int
    done: Annotated[list[int], operator.add]


async def work(item: int) -> dict[str, list[int]]:
    return {"done": [item]}


def fan_out(traced: bool) -> Any:
    builder: Any = StateGraph(State)
    builder = builder.add_node("work", work).add_conditional_edges(
        START, lambda state: [Send("work", item) for item in range(state["n"])], ["work"]
    )
    return builder.compile(alto={"trace": traced})


def of_runs(tracing: Tracing) -> tuple[float, float]:
    """Microseconds per fragment of a fan-out of empty nodes: untraced, and what tracing adds to that. In turn, in one process."""

    def cost(graph: Any) -> float:
        gc.collect()
        before = time.process_time()
        asyncio.run(graph.ainvoke({"n": WIDTH}))
        tracing.flush()
        return (time.process_time() - before) / WIDTH * 1e6

    off, on = fan_out(False), fan_out(True)
    pairs = [(cost(off), cost(on)) for _ in range(ROUNDS + 1)][1:]
    return statistics.median(a for a, _ in pairs), statistics.median(b - a for a, b in pairs)


class Told:
    """One run that is told to the recorder without any engine, fragment by fragment."""

    def __init__(self) -> None:
        node = NodeTold("unknown", "it is triggered by START")
        self.run = Run("bench", (), "thread", False, perf_counter(), 256, None, lambda name: node, lambda tag: tag, lambda: ())
        observer: Any = begin(self.run, True)
        self._observe = observer.observe
        self._top = Tag((("__start__", 0),))
        self._number = 0
        self._fragment(self._top, ())

    def fragments(self, number: int) -> None:
        tags = tuple(self._top.child("work", self._number + place) for place in range(number))
        self._number += number
        self._observe(StepOpened((), 1, tags, perf_counter()))
        for tag in tags:
            self._fragment(tag, (self._top,))

    def _fragment(self, tag: Tag, parents: tuple[Tag, ...]) -> None:
        self._observe(TaskStarted((), tag, "work", 1, False, parents, perf_counter()))
        self._observe(TaskFinished((), tag, "completed", perf_counter()))
        self._observe(TaskCommitted((), tag, 1, perf_counter(), parents))

    def end(self) -> None:
        self._observe(RunFinished((), "completed", None, perf_counter()))


def of_recording(tracing: Tracing, fragments: int = 20_000) -> float:
    """Microseconds per fragment of what happens from the facts on: recording, encoding, exporting."""

    def cost() -> float:
        gc.collect()
        told, before = Told(), time.process_time()
        for _ in range(fragments // 1_000):
            told.fragments(1_000)
        told.end()
        tracing.flush()
        return (time.process_time() - before) / fragments * 1e6

    return statistics.median([cost() for _ in range(5)])


def steady(tracing: Tracing, rate: int, seconds: int) -> int:
    """So many fragments a second for so long; returns how many there were."""
    told, began = Told(), perf_counter()
    for tick in range(seconds * 100):
        told.fragments(rate // 100)
        if (wait := began + (tick + 1) / 100 - perf_counter()) > 0:
            time.sleep(wait)
    told.end()
    tracing.flush(120)
    return rate * seconds + 1


def burst(tracing: Tracing, number: int) -> int:
    """So many at once."""
    told = Told()
    told.fragments(number)
    told.end()
    tracing.flush(120)
    return number + 1


@contextmanager
def arriving(directory: Path | None) -> Iterator[Callable[[], int]]:
    """Counts fragments that have arrived in files since it was asked last."""
    seen = 0

    def arrived() -> int:
        nonlocal seen
        total = sum(file.read_bytes().count(b'"name":"fragment ') for file in directory.glob("*.jsonl")) if directory else 0
        seen, new = total, total - seen
        return new

    yield arrived


def main(endpoint: str | None = None, seconds: int = 20) -> None:
    """Prints the figures."""
    calls = 200_000
    before = time.process_time()
    for _ in range(calls):
        is_traced(None)
    print(f"off: {(time.process_time() - before) / calls * 1e6:.2f} µs per run of a graph, nothing per task")
    with tempfile.TemporaryDirectory() as folder:
        directory = None if endpoint else Path(folder)
        tracing = configure(endpoint, directory=directory)
        with arriving(directory) as arrived:
            off, on = of_runs(tracing)
            print(f"on: {on:.1f} µs per fragment of a fan-out of {WIDTH:,} empty nodes, which takes {off:.1f} µs without")
            print(f"    {of_recording(tracing):.1f} µs of it to record, encode and export")
            arrived()
            loads: dict[str, Callable[[], int]] = {
                f"5,000 a second for {seconds} s": lambda: steady(tracing, 5_000, seconds),
                "a burst of 20,000": lambda: burst(tracing, 20_000),
            }
            for what, made in loads.items():
                began, number = perf_counter(), made()
                there = f"{number - arrived():,} lost" if directory else "counted by whoever receives them"
                print(f"{what}: {number:,} fragments, {there}, {perf_counter() - began:.1f} s")
        tracing.shutdown()


if __name__ == "__main__":
    typer.run(main)
