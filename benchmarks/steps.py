"""Empty supersteps in a row: what it costs to open and close one."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import pairwise, product
from typing import Any, TypedDict

from langgraph.graph import END, START

from benchmarks.graphs import GraphBenchmark
from benchmarks.sides import Side

STEPS = 500


class State(TypedDict):
    """A counter that every step raises."""

    count: int


async def step(state: State) -> State:
    """An empty step."""
    return {"count": state["count"] + 1}


def step_sync(state: State) -> State:
    """The same for threads."""
    return {"count": state["count"] + 1}


def chain(node: Any, side: Side, size: int) -> Any:
    """`size` nodes in a row."""
    builder = side.StateGraph(State)
    names = [f"step{place}" for place in range(size)]
    for name in names:
        builder.add_node(name, node)
    for source, target in pairwise([START, *names, END]):
        builder.add_edge(source, target)
    return builder.compile


def benchmarks() -> Iterator[GraphBenchmark]:
    """Sync and async, with and without checkpointer."""
    for sync, checkpointer in product((False, True), (False, True)):
        kind = f"{'sync' if sync else 'async'} steps in a row{', a checkpoint each' if checkpointer else ''}"
        yield GraphBenchmark(
            name=f"steps_{STEPS}{'_sync' if sync else ''}{'_checkpoint' if checkpointer else ''}",
            group="steps",
            what=f"{STEPS} empty {kind}, time per step",
            build=partial(chain, step_sync if sync else step),
            input=lambda size: {"count": 0},
            size=STEPS,
            tiny=4,
            per=STEPS,
            sync=sync,
            checkpointer=checkpointer,
            budget=10.0,
        )
