"""Runs of all kinds, one after another, for as long as asked: memory stays flat, nothing is left, and the engine's time stays what it was.

`python -m benchmarks.soak --minutes 30`: runs that go ahead, fail, are cancelled, stream, save and use threads, in one process.
"""

from __future__ import annotations

import asyncio
import gc
import json
import operator
import os
import threading
import time
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, TypedDict

import numpy as np
import typer
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command, Send

from alto_langgraph.graph import START, StateGraph

SHARED = {"alarm", "MainThread"}
GROWTH = 0.05
"""Largest share by which memory may grow over the second half."""
SLOWER = 1.5
"""Most that the last third's p99 of a run's processor time may be of the first's; the machine is in that, too."""


class State(TypedDict, total=False):
    fate: str
    out: Annotated[list[int], operator.add]
    a: int


async def first(item: int) -> Command[Any]:
    await asyncio.sleep(0.002 if item == 0 else 0)
    return Command(update={"out": [item]}, goto=Send("second", {"item": item, "fate": "well"}))


async def second(payload: Any) -> State:
    return {"out": [payload["item"]]}


async def beside(state: State) -> State:
    await asyncio.sleep(0.004)
    if state["fate"] == "fails":
        raise ValueError("as it should")
    if state["fate"] == "is cancelled":
        await asyncio.sleep(60)
    return {"a": 1}


async def after(state: State) -> State:
    return {"a": len(state["out"])}


def first_on_a_thread(item: int) -> Command[Any]:
    time.sleep(0.002 if item == 0 else 0)
    return Command(update={"out": [item]}, goto=Send("second", {"item": item}))


def second_on_a_thread(payload: Any) -> State:
    return {"out": [payload["item"]]}


def built(saver: Any = None) -> Any:
    """A fan-out of two stages, a node beside, one behind."""
    builder: Any = StateGraph(State)
    builder.add_node("first", first, destinations=("second",)).add_node("second", second)
    builder.add_node("beside", beside).add_node("after", after).add_edge("second", "after").add_edge(START, "beside")
    return builder.add_conditional_edges(START, lambda state: [Send("first", item) for item in range(8)], ["first"]).compile(saver)


def built_on_threads() -> Any:
    """The same two stages for sync runs."""
    builder: Any = StateGraph(State)
    builder.add_node("first", first_on_a_thread, destinations=("second",)).add_node("second", second_on_a_thread)
    return builder.add_conditional_edges(START, lambda state: [Send("first", item) for item in range(8)], ["first"]).compile()


class Kinds:
    """The kinds of runs, taken in turn."""

    def __init__(self) -> None:
        self.graph, self.threads = built(), built_on_threads()
        self.saver = InMemorySaver()
        self.saving = built(self.saver)
        self.all: Sequence[Callable[[], Coroutine[Any, Any, None]]] = (
            self.well, self.streams, self.well, self.fails, self.saves, self.is_cancelled, self.anew, self.sync,
        )  # fmt: skip

    async def well(self) -> None:
        assert (await self.graph.ainvoke({"fate": "well"}))["a"] == 16

    async def streams(self) -> None:
        assert [chunk async for chunk in self.graph.astream_fragments({"fate": "well"})]

    async def fails(self) -> None:
        with suppress(ValueError):
            await self.graph.ainvoke({"fate": "fails"})

    async def saves(self) -> None:
        await self.saving.ainvoke({"fate": "well"}, {"configurable": {"thread_id": "t"}})
        self.saver.delete_thread("t")

    async def is_cancelled(self) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self.graph.ainvoke({"fate": "is cancelled"}), 0.01)

    async def anew(self) -> None:
        await built().ainvoke({"fate": "well"})

    async def sync(self) -> None:
        await asyncio.to_thread(self.threads.invoke, {})


@dataclass(frozen=True, slots=True)
class Sample:
    """What a stretch of runs came to: how many, their processor milliseconds (p50, p99), and what the process holds then."""

    runs: int
    p50: float
    p99: float
    memory: int
    tasks: int
    threads: int
    files: int


def held() -> tuple[int, int, int, int]:
    """Resident bytes, tasks, threads, open files."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    threads = [t for t in threading.enumerate() if t.name not in SHARED and not t.name.startswith("asyncio_")]
    return pages * os.sysconf("SC_PAGE_SIZE"), len(asyncio.all_tasks()) - 1, len(threads), len(os.listdir("/proc/self/fd"))


async def stretch(kinds: Kinds, seconds: float) -> Sample:
    """Runs for so long."""
    taken, end = [], time.monotonic() + seconds
    while time.monotonic() < end:
        for kind in kinds.all:
            began = time.process_time()
            await kind()
            taken.append((time.process_time() - began) * 1000)
    p50, p99 = np.percentile(taken, [50, 99])
    return Sample(len(taken), float(p50), float(p99), *held())


async def soak(minutes: float, stretches: int) -> list[Sample]:
    """All stretches; one before warms up and doesn't count."""
    kinds = Kinds()
    seconds = minutes * 60 / stretches
    await stretch(kinds, min(seconds, 20))
    samples = []
    for _ in range(stretches):
        samples.append(await stretch(kinds, seconds))
        print(json.dumps(asdict(samples[-1])), flush=True)
    return samples


def faults(samples: Sequence[Sample]) -> list[str]:
    """What isn't as it should be."""
    found = []
    second = samples[len(samples) // 2 :]
    growth = second[-1].memory / second[0].memory - 1
    if growth > GROWTH:
        found.append(f"memory grew by {growth:.1%} over the second half")
    for what in ("tasks", "threads", "files"):
        if getattr(samples[-1], what) > getattr(samples[0], what):
            found.append(f"{what} were left: {getattr(samples[0], what)}, then {getattr(samples[-1], what)}")
    third = max(1, len(samples) // 3)
    early, late = (float(np.median([sample.p99 for sample in part])) for part in (samples[:third], samples[-third:]))
    if late > SLOWER * early:
        found.append(f"p99 of a run's processor time went from {early:.1f} ms to {late:.1f} ms")
    return found


def main(minutes: float = 30.0, stretches: int = 30, json_to: Annotated[Path | None, typer.Option("--json")] = None) -> None:
    """Prints a line for each stretch, and what isn't as it should be; exits with 1 then."""
    samples = asyncio.run(soak(minutes, stretches))
    if json_to:
        json_to.write_text(json.dumps([asdict(sample) for sample in samples], indent=1) + "\n")
    found = faults(samples)
    print("\n".join(found) or f"{sum(sample.runs for sample in samples):,} runs: memory flat, nothing left, as quick as in the beginning")
    raise typer.Exit(bool(found))


if __name__ == "__main__":
    typer.run(main)
