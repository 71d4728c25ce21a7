"""Two branches that have nothing to do with each other until they are joined: what it costs that each stage waits for both."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, TypedDict

from langgraph.graph import END, START

from benchmarks.declare import Target
from benchmarks.graphs import EXPERT, HINTED, GraphBenchmark, Lane
from benchmarks.sides import Side

TEXT = (0.30, 0.04, 0.25)
FIGURES = (0.05, 0.45, 0.09)
"""Seconds of each branch's three nodes. Each branch takes 0.59 s, and the slower of each pair of stages together 1 s."""
LIMIT = 1.03
"""Most of the critical path."""
BRANCHES = {"text": ("search", "read", "note"), "figures": ("query", "average", "draw")}


class State(TypedDict):
    """A report's topic, and what each node makes of it."""

    topic: str
    pages: str
    passages: str
    notes: str
    rows: str
    averages: str
    chart: str
    report: str


class Text(TypedDict):
    """What the branch of text gives back, where it is a subgraph."""

    pages: str
    passages: str
    notes: str


class Figures(TypedDict):
    """What the branch of figures gives back, where it is a subgraph."""

    rows: str
    averages: str
    chart: str


USES = {
    "search": (["topic"], ["pages"]),
    "read": (["pages"], ["passages"]),
    "note": (["passages"], ["notes"]),
    "query": (["topic"], ["rows"]),
    "average": (["rows"], ["averages"]),
    "draw": (["averages"], ["chart"]),
    "write": (["notes", "chart"], ["report"]),
}
"""State keys that each node reads and writes, as hints say it."""
Nodes = Callable[[float], dict[str, Any]]


def nodes(pace: float) -> dict[str, Any]:
    """The app's functions; each sleeps where an app asks a model, a search or a database. `pace` scales the times."""

    async def search(state: State) -> dict[str, str]:
        await asyncio.sleep(pace * TEXT[0])
        return {"pages": f"pages on {state['topic']}"}

    async def read(state: State) -> dict[str, str]:
        await asyncio.sleep(pace * TEXT[1])
        return {"passages": f"passages of {state['pages']}"}

    async def note(state: State) -> dict[str, str]:
        await asyncio.sleep(pace * TEXT[2])
        return {"notes": f"notes on {state['passages']}"}

    async def query(state: State) -> dict[str, str]:
        await asyncio.sleep(pace * FIGURES[0])
        return {"rows": f"rows on {state['topic']}"}

    async def average(state: State) -> dict[str, str]:
        await asyncio.sleep(pace * FIGURES[1])
        return {"averages": f"averages of {state['rows']}"}

    async def draw(state: State) -> dict[str, str]:
        await asyncio.sleep(pace * FIGURES[2])
        return {"chart": f"chart of {state['averages']}"}

    async def write(state: State) -> dict[str, str]:
        return {"report": f"{state['notes']}\n\n{state['chart']}"}

    return {f.__name__: f for f in (search, read, note, query, average, draw, write)}


def nodes_sync(pace: float) -> dict[str, Any]:
    """The same for threads."""

    def search(state: State) -> dict[str, str]:
        time.sleep(pace * TEXT[0])
        return {"pages": f"pages on {state['topic']}"}

    def read(state: State) -> dict[str, str]:
        time.sleep(pace * TEXT[1])
        return {"passages": f"passages of {state['pages']}"}

    def note(state: State) -> dict[str, str]:
        time.sleep(pace * TEXT[2])
        return {"notes": f"notes on {state['passages']}"}

    def query(state: State) -> dict[str, str]:
        time.sleep(pace * FIGURES[0])
        return {"rows": f"rows on {state['topic']}"}

    def average(state: State) -> dict[str, str]:
        time.sleep(pace * FIGURES[1])
        return {"averages": f"averages of {state['rows']}"}

    def draw(state: State) -> dict[str, str]:
        time.sleep(pace * FIGURES[2])
        return {"chart": f"chart of {state['averages']}"}

    def write(state: State) -> dict[str, str]:
        return {"report": f"{state['notes']}\n\n{state['chart']}"}

    return {f.__name__: f for f in (search, read, note, query, average, draw, write)}


def as_written(nodes: Nodes, hinted: bool, side: Side, pace: float) -> Any:
    """The branches as most people write them: edges from node to node, and one join."""
    builder = side.StateGraph(State)
    for name, function in nodes(pace).items():
        reads, writes = USES[name]
        builder.add_node(name, function, metadata={"effects": "idempotent", "reads": reads, "writes": writes} if hinted else None)
    for first, second, third in BRANCHES.values():
        builder.add_edge(START, first)
        builder.add_edge(first, second)
        builder.add_edge(second, third)
    builder.add_edge([stages[-1] for stages in BRANCHES.values()], "write")
    builder.add_edge("write", END)
    return builder.compile


def by_hand(nodes: Nodes, side: Side, pace: float) -> Any:
    """What an expert writes so that the branches don't wait for each other: each is a subgraph."""
    functions, builder = nodes(pace), side.StateGraph(State)
    for name, stages, output in (("text", BRANCHES["text"], Text), ("figures", BRANCHES["figures"], Figures)):
        inner = side.StateGraph(State, output_schema=output)
        inner.add_sequence([(stage, functions[stage]) for stage in stages])
        inner.add_edge(START, stages[0])
        builder.add_node(name, inner.compile())
        builder.add_edge(START, name)
    builder.add_node("write", functions["write"])
    builder.add_edge(list(BRANCHES), "write")
    builder.add_edge("write", END)
    return builder.compile


def bounds(pace: float) -> Mapping[str, float]:
    """The longer branch, and the sum of the slower of each pair of stages: what steps with barriers can't beat."""
    return {"critical path": pace * max(sum(TEXT), sum(FIGURES)), "superstep bound": pace * sum(map(max, TEXT, FIGURES))}


def benchmarks() -> Iterator[GraphBenchmark]:
    """Async and sync, each also with hints and beside the hand-wrapped version."""
    for sync in (False, True):
        given = nodes_sync if sync else nodes
        yield GraphBenchmark(
            name=f"branches_2x3{'_sync' if sync else ''}",
            group="branches",
            what=f"two branches of three unequal {'sync' if sync else 'async'} nodes each, then a join",
            build=partial(as_written, given, False),
            input=lambda pace: {"topic": "rivers"},
            size=1.0,
            tiny=0.02,
            sync=sync,
            budget=25.0,
            quick=not sync,
            more_lanes=(Lane(HINTED, "alto", partial(as_written, given, True)), Lane(EXPERT, "stock", partial(by_hand, given))),
            targets=(Target(LIMIT, against="critical path"), Target(LIMIT, of=HINTED, against="critical path")),
            compute_bounds=bounds,
        )
