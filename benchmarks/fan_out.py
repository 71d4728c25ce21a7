"""Fan-out of empty tasks: what the engine itself costs per task, and how that grows with the width of a step."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from typing import Annotated, Any, TypedDict

from langgraph.graph import START
from langgraph.types import Send

from benchmarks.declare import Target
from benchmarks.graphs import GraphBenchmark
from benchmarks.sides import Side


class State(TypedDict):
    """How many tasks there shall be, and how many there were."""

    wanted: int
    done: Annotated[int, operator.add]


def split(state: State) -> list[Send]:
    """One `Send` per task."""
    return [Send("work", {"item": item}) for item in range(state["wanted"])]


async def work(payload: dict[str, int]) -> dict[str, int]:
    """An empty task."""
    return {"done": 1}


def work_sync(payload: dict[str, int]) -> dict[str, int]:
    """The same for threads."""
    return {"done": 1}


def build(node: Any) -> Callable[[Side, int], Any]:
    """A graph of `Send`s to `node`."""

    def graph(side: Side, size: int) -> Any:
        builder = side.StateGraph(State)
        builder.add_node("work", node)
        builder.add_conditional_edges(START, split, ["work"])
        return builder.compile

    return graph


LIMITS = {100: 1.0, 1_000: 0.8, 10_000: 0.3}
"""Most of stock's time per task by width."""
BUDGETS = {100: 8.0, 1_000: 15.0, 10_000: 60.0}
OWN_GROWTH = 1.3
"""Most that a task of the widest fan-out may cost of what a task of the narrowest costs."""


def benchmarks() -> Iterator[GraphBenchmark]:
    """Three widths, async and sync."""
    for sync in (False, True):
        prefix = "fan_out_sync" if sync else "fan_out"
        for width, limit in LIMITS.items():
            growth = (Target(OWN_GROWTH, against=f"{prefix}_100/alto"),) if width == max(LIMITS) else ()
            yield GraphBenchmark(
                name=f"{prefix}_{width}",
                group="fan_out",
                what=f"{width:,} empty {'sync' if sync else 'async'} tasks in one superstep, time per task",
                build=build(work_sync if sync else work),
                input=lambda size: {"wanted": size, "done": 0},
                size=width,
                tiny=5,
                per=width,
                sync=sync,
                budget=BUDGETS[width],
                quick=not sync or width < max(LIMITS),
                targets=(Target(limit), *growth),
            )
