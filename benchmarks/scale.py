"""How cost grows: with fragments, depth, width, state keys, runs at a time, and the size of the state; fitted, and plotted.

`python -m benchmarks.scale grow` measures, each size in a process of its own; `--json FILE --plot FILE` keep it, names choose.
"""

from __future__ import annotations

import asyncio
import json
import operator
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, TypedDict

import numpy as np
import typer
from langgraph.graph import START
from langgraph.types import Command, Send
from rich.console import Console
from rich.table import Table

from benchmarks import sides
from benchmarks.probes import ROOT
from benchmarks.sides import Side

MEGABYTE = 2**20
LINEAR = 1.15
"""Largest exponent that counts as linear: what a fit over two decades of a noisy machine can't tell from 1."""
CONFIG: Any = {"recursion_limit": 1_000_000}


class State(TypedDict, total=False):
    items: int
    out: Annotated[int, operator.add]
    text: str


# ---- what grows; each gives how many tasks it was


async def fragments(side: Side, size: int) -> int:
    """Half of them send the other half, which may start while the first of them waits for all others."""
    started = 0
    last = asyncio.Event()

    async def first(item: int) -> Command[Any]:
        nonlocal started
        started += 1
        if started == size // 2:
            last.set()
        if item == 0:
            await last.wait()
        return Command(goto=Send("second", item))

    async def second(item: int) -> State:
        return {"out": 1}

    builder = side.StateGraph(State).add_node("first", first, destinations=("second",)).add_node("second", second)
    builder.add_conditional_edges(START, lambda state: [Send("first", item) for item in range(state["items"])], ["first"])
    answer = await builder.compile().ainvoke({"items": size // 2}, CONFIG)
    assert answer["out"] == size // 2
    return size


async def depth(side: Side, size: int) -> int:
    """A loop of so many supersteps."""

    async def turn(state: State) -> State:
        return {"out": 1}

    builder = side.StateGraph(State).add_node("turn", turn).add_edge(START, "turn")
    builder.add_conditional_edges("turn", lambda state: "turn" if state["out"] < size else "__end__", ["turn", "__end__"])
    assert (await builder.compile().ainvoke({"items": 0}, CONFIG))["out"] == size
    return size


async def width(side: Side, size: int) -> int:
    """One superstep of so many tasks."""

    async def task(item: int) -> State:
        return {"out": 1}

    builder = side.StateGraph(State).add_node("task", task)
    builder.add_conditional_edges(START, lambda state: [Send("task", item) for item in range(state["items"])], ["task"])
    assert (await builder.compile().ainvoke({"items": size}, CONFIG))["out"] == size
    return size


async def keys(side: Side, size: int) -> int:
    """Ten nodes in a row in a state of so many keys, of which each reads and writes one."""
    state: Any = TypedDict("Wide", {f"key{number}": int for number in range(size)})  # type: ignore[misc]
    builder = side.StateGraph(state)
    nodes = [f"node{number}" for number in range(10)]
    for number, name in enumerate(nodes):

        async def node(state: Any, key: str = f"key{number}") -> Any:
            return {key: state[key] + 1}

        builder.add_node(name, node)
    for before, after in pairwise([START, *nodes]):
        builder.add_edge(before, after)
    await builder.compile().ainvoke({f"key{number}": 0 for number in range(size)}, CONFIG)
    return size


async def runs(side: Side, size: int) -> int:
    """So many runs at a time of a graph of three tasks and a join, each of which takes a moment."""

    async def task(item: int) -> State:
        await asyncio.sleep(0.01)
        return {"out": 1}

    async def join(state: State) -> State:
        return {"items": state["out"]}

    builder = side.StateGraph(State).add_node("task", task).add_node("join", join).add_edge("task", "join")
    graph = builder.add_conditional_edges(START, lambda state: [Send("task", item) for item in range(3)], ["task"]).compile()
    answers = await asyncio.gather(*(graph.ainvoke({"items": 0}, CONFIG) for _ in range(size)))
    assert [answer["items"] for answer in answers] == [3] * size
    return size


async def state(side: Side, size: int) -> int:
    """So many megabytes go through ten nodes that add to another key."""

    async def node(state: State) -> State:
        return {"out": len(state["text"]) // MEGABYTE}

    builder = side.StateGraph(State)
    nodes = [f"node{number}" for number in range(10)]
    for name in nodes:
        builder.add_node(name, node)
    for before, after in pairwise([START, *nodes]):
        builder.add_edge(before, after)
    assert (await builder.compile().ainvoke({"text": "x" * (size * MEGABYTE)}, CONFIG))["out"] == 10 * size
    return size


Shape = Callable[[Side, int], Any]
SHAPES: dict[str, tuple[Shape, tuple[int, ...]]] = {
    "fragments": (fragments, (1_000, 3_000, 10_000, 30_000, 100_000)),
    "depth": (depth, (100, 300, 1_000, 3_000, 10_000)),
    "width": (width, (100, 1_000, 10_000, 50_000)),
    "keys": (keys, (10, 100, 1_000, 3_000)),
    "runs": (runs, (10, 100, 300, 1_000)),
    "state": (state, (1, 10, 100)),
}
"""What grows, and how far."""


# ---- measuring


@dataclass(frozen=True, slots=True)
class Point:
    """One size: processor seconds, and bytes that the process grew by."""

    shape: str
    side: str
    size: int
    cpu: float
    memory: float

    @property
    def each(self) -> float:
        """Processor seconds for each of what grows."""
        return self.cpu / self.size


def measure(shape: str, name: str, size: int) -> Point:
    """Measures one size in this process, after a small one."""
    run, sizes = SHAPES[shape]
    chosen = sides.side(name)
    asyncio.run(run(chosen, min(sizes)))
    before, began = _peak(), time.process_time()
    asyncio.run(run(chosen, size))
    return Point(shape, name, size, time.process_time() - began, _peak() - before)


def _peak() -> float:
    pages = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return float(pages if sys.platform == "darwin" else pages * 1024)


def apart(shape: str, name: str, size: int, least: int = 3) -> Point:
    """The same in a process of its own; of a few tries the one that took the least processor time.

    Raises:
        subprocess.CalledProcessError: a run failed.
    """
    command = [sys.executable, "-m", "benchmarks.scale", "one", shape, name, str(size)]
    tries = [subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout for _ in range(least)]
    return min((Point(**json.loads(text)) for text in tries), key=lambda point: point.cpu)


def exponent(points: Sequence[Point], of: Callable[[Point], float]) -> float:
    """How `of` grows with the size, as its power, fitted where it is more than it is at the smallest."""
    base = min(of(point) for point in points) * 0.5
    grown = [(point.size, of(point)) for point in points if of(point) > base]
    slope, _ = np.polyfit(np.log([size for size, _ in grown]), np.log([value for _, value in grown]), 1)
    return float(slope)


def each_byte(points: Sequence[Point]) -> float:
    """Bytes for each of what grows, by the two largest sizes."""
    *_, one, other = sorted(points, key=lambda point: point.size)
    return (other.memory - one.memory) / (other.size - one.size)


# ---- telling


app = typer.Typer(add_completion=False, help=__doc__, pretty_exceptions_enable=False)


@app.command()
def one(shape: str, name: str, size: int) -> None:
    """Prints one point as JSON."""
    print(json.dumps(asdict(measure(shape, name, size))))


@app.command()
def grow(
    shapes: Annotated[list[str] | None, typer.Argument(help="What grows; all when left out.")] = None,
    json_to: Annotated[Path | None, typer.Option("--json", help="File to keep every point in.")] = None,
    plot_to: Annotated[Path | None, typer.Option("--plot", help="Picture.")] = None,
    most: Annotated[int, typer.Option(help="Largest size.")] = 100_000,
    tries: Annotated[int, typer.Option(help="Processes for each size; the least counts.")] = 3,
    side: Annotated[str, typer.Option(help="stock or alto, or both with a comma.")] = "alto",
) -> None:
    """Measures, tells exponents, and what each costs at the smallest and the largest size."""
    points = []
    for shape in shapes or SHAPES:
        for name in side.split(","):
            points += [apart(shape, name, size, tries) for size in SHAPES[shape][1] if size <= most]
    if json_to:
        json_to.write_text(json.dumps([asdict(point) for point in points], indent=1) + "\n")
    if plot_to:
        plot(points, plot_to)
    Console(width=120).print(table(points))


def series(points: Sequence[Point]) -> dict[tuple[str, str], list[Point]]:
    """Points by what grows and side."""
    found: dict[tuple[str, str], list[Point]] = {}
    for point in points:
        found.setdefault((point.shape, point.side), []).append(point)
    return found


def table(points: Sequence[Point]) -> Table:
    """A row for each thing that grows."""
    shown = Table("grows", "side", "sizes", "time ~ n^", "µs each, first", "last", "last / first", "bytes each", box=None)
    for (shape, name), line in series(points).items():
        power, first, last = exponent(line, lambda point: point.cpu), line[0].each, line[-1].each
        sizes = f"{line[0].size:,} to {line[-1].size:,}"
        shown.add_row(
            shape, name, sizes, f"{power:.2f}{'' if power <= LINEAR else ' !'}", f"{first * 1e6:.1f}", f"{last * 1e6:.1f}",
            f"{last / first:.2f}", f"{each_byte(line):,.0f}",
        )  # fmt: skip
    return shown


def plot(points: Sequence[Point], file: Path) -> None:
    """One picture: for each thing that grows, what each costs over how many there are."""
    from matplotlib.figure import Figure

    lines = series(points)
    names = list(dict.fromkeys(shape for shape, _ in lines))
    figure = Figure(figsize=(4 * len(names), 3))
    for axes, shape in zip(np.atleast_1d(figure.subplots(1, len(names))), names, strict=True):
        for (other, name), line in lines.items():
            if other == shape:
                axes.loglog([point.size for point in line], [point.each * 1e6 for point in line], marker="o", label=name)
        axes.set(title=shape, xlabel="how many", ylabel="µs of processor time each")
        axes.legend(frameon=False)
    figure.tight_layout()
    figure.savefig(file)


if __name__ == "__main__":
    app()
