"""Empty supersteps in a row: what it costs to open and close one."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import pairwise, product
from typing import Any, TypedDict

from langgraph.graph import END, START

from benchmarks.declare import Target
from benchmarks.graphs import GraphBenchmark
from benchmarks.sides import Side

STEPS, KEYS = 500, 100
LIMIT = 0.6
"""Most of stock's time per step; with a checkpointer, which takes the same time on both sides, alto need only not be slower."""


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


def keys(size: int) -> dict[str, int]:
    """An input of `size` state keys."""
    return {f"key{place}": 0 for place in range(size)}


def counting(key: str, sync: bool) -> Any:
    """An empty step that raises one key of many."""

    async def step(state: dict[str, int]) -> dict[str, int]:
        return {key: state[key] + 1}

    def step_sync(state: dict[str, int]) -> dict[str, int]:
        return {key: state[key] + 1}

    return step_sync if sync else step


def wide_chain(sync: bool, side: Side, size: int) -> Any:
    """`size` nodes in a row over a state of as many keys, each raising its own."""
    builder = side.StateGraph(TypedDict("Wide", dict.fromkeys(keys(size), int)))  # type: ignore[operator]
    names = [f"step{place}" for place in range(size)]
    for name, key in zip(names, keys(size), strict=True):
        builder.add_node(name, counting(key, sync))
    for source, target in pairwise([START, *names, END]):
        builder.add_edge(source, target)
    return builder.compile


def benchmarks() -> Iterator[GraphBenchmark]:
    """One key and a hundred, sync and async, with and without checkpointer."""
    for sync, checkpointer in product((False, True), (False, True)):
        kind = "sync" if sync else "async"
        saved = ", a checkpoint each" if checkpointer else ""
        suffix = f"{'_sync' if sync else ''}{'_checkpoint' if checkpointer else ''}"
        declare = partial(
            GraphBenchmark,
            group="steps",
            tiny=4,
            sync=sync,
            checkpointer="memory" if checkpointer else None,
            budget=10.0,
            targets=(Target(1.0 if checkpointer else LIMIT),),
        )
        yield declare(
            name=f"steps_{STEPS}{suffix}",
            what=f"{STEPS} empty {kind} steps in a row{saved}, time per step",
            build=partial(chain, step_sync if sync else step),
            input=lambda size: {"count": 0},
            size=STEPS,
            per=STEPS,
        )
        yield declare(
            name=f"keys_{KEYS}{suffix}",
            what=f"{KEYS} empty {kind} steps in a row over a state of {KEYS} keys{saved}, time per step",
            build=partial(wide_chain, sync),
            input=keys,
            size=KEYS,
            per=KEYS,
        )
