"""Fan-out of empty tasks: what the engine itself costs per task, and how that grows with the width of a step."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from typing import Annotated, Any, TypedDict

from langgraph.graph import START
from langgraph.types import Command, Send

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


async def hand_on(payload: dict[str, int]) -> Command[Any]:
    """An empty task that sends its item on, as often as the payload says."""
    left = payload.get("left", 2)
    return Command(goto=Send("hand_on" if left > 1 else "work", {"item": payload["item"], "left": left - 1}))


def hand_on_sync(payload: dict[str, int]) -> Command[Any]:
    """The same for threads."""
    left = payload.get("left", 2)
    return Command(goto=Send("hand_on" if left > 1 else "work", {"item": payload["item"], "left": left - 1}))


def build_chains(first: Any, last: Any) -> Callable[[Side, int], Any]:
    """A graph of `Send`s through two stages of `first` to `last`: nothing in it is worth starting ahead."""

    def graph(side: Side, size: int) -> Any:
        builder = side.StateGraph(State)
        builder.add_node("hand_on", first, destinations=("hand_on", "work"))
        builder.add_node("work", last)
        builder.add_conditional_edges(START, lambda state: [Send("hand_on", send.arg) for send in split(state)], ["hand_on"])
        return builder.compile

    return graph


LIMITS = {100: 1.0, 1_000: 0.6, 10_000: 0.3}
"""Most of stock's time per task by width."""
BUDGETS = {100: 8.0, 1_000: 15.0, 10_000: 60.0}
CHAINS = (10, 100)
OWN_GROWTH = 1.3
"""Most that a task of the widest fan-out may cost of what a task of the narrowest costs."""


def benchmarks() -> Iterator[GraphBenchmark]:
    """Three widths, and chains of empty tasks at two, async and sync."""
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
        for width in CHAINS:
            yield GraphBenchmark(
                name=f"{prefix}_chains_{width}",
                group="fan_out",
                what=f"{width} items through three stages of empty {'sync' if sync else 'async'} tasks",
                build=build_chains(hand_on_sync, work_sync) if sync else build_chains(hand_on, work),
                input=lambda size: {"wanted": size, "done": 0},
                size=width,
                tiny=3,
                sync=sync,
                budget=BUDGETS[100],
                targets=(Target(1.0),),
            )
