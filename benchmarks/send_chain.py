"""Items that go through stages of `Send`s, each taking its own time: what waiting at every superstep costs."""

from __future__ import annotations

import asyncio
import operator
import random
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Annotated, Any, TypedDict

from langgraph.graph import START
from langgraph.types import Command, Send

from benchmarks.declare import Target
from benchmarks.graphs import EXPERT, EXPERT_ON_ALTO, GraphBenchmark, Lane
from benchmarks.sides import Side

MU, SIGMA, SEED = -2.2, 0.8, 1
"""Parameters of the log-normal task times: mean about 0.15 s, and the longest ten times the median."""


@dataclass(frozen=True, slots=True)
class Load:
    """So many items through so many stages; `pace` scales the drawn times."""

    items: int = 32
    stages: int = 3
    pace: float = 1.0

    def seconds(self, item: int, stage: int) -> float:
        """How long one task takes."""
        return self.pace * _times(self.items, self.stages)[item][stage]


@cache
def _times(items: int, stages: int) -> list[list[float]]:
    drawn = random.Random(SEED)
    return [[drawn.lognormvariate(MU, SIGMA) for _ in range(stages)] for _ in range(items)]


def bounds(load: Load) -> Mapping[str, float]:
    """The longest item's own time, and the sum of each stage's slowest: what steps with barriers can't beat."""
    times = [[load.seconds(item, stage) for stage in range(load.stages)] for item in range(load.items)]
    return {"critical path": max(map(sum, times)), "superstep bound": sum(map(max, zip(*times, strict=True)))}


class Item(TypedDict):
    """What one chain carries."""

    item: int
    value: int


def newest(old: Item | None, new: Item) -> Item:
    """Reducer: the last word wins."""
    return new


class State(TypedDict):
    """The run's state; `current` is where a stage leaves its item for the edge that follows it."""

    items: int
    current: Annotated[Item | None, newest]
    out: Annotated[list[tuple[int, int]], operator.add]


class Outcome(TypedDict):
    """What a chain gives back."""

    out: list[tuple[int, int]]


class Chain(Item, Outcome):
    """State of one item's subgraph in the hand-wrapped version."""


Finish = Callable[[Item], Any]


def stage_node(load: Load, stage: int, finish: Finish, sync: bool) -> Any:
    """A task that takes its time, adds its stage to the value, and hands on."""

    def worked(payload: Item) -> Any:
        return finish({"item": payload["item"], "value": payload["value"] * 10 + stage})

    async def work(payload: Item) -> Any:
        await asyncio.sleep(load.seconds(payload["item"], stage))
        return worked(payload)

    def work_sync(payload: Item) -> Any:
        time.sleep(load.seconds(payload["item"], stage))
        return worked(payload)

    return work_sync if sync else work


def result(item: Item) -> dict[str, Any]:
    """What a chain ends with."""
    return {"out": [(item["item"], item["value"])]}


def split(first: str) -> Callable[[State], list[Send]]:
    """Sends every item to its first stage."""
    return lambda state: [Send(first, {"item": item, "value": 1}) for item in range(state["items"])]


def total(state: State) -> dict[str, Any]:
    """Joins what all chains gave."""
    return {"out": [(-1, sum(value for _, value in state["out"]))]}


def frame(side: Side, first: str, last: str) -> Any:
    """The graph without its stages: split in front, join behind."""
    builder = side.StateGraph(State)
    builder.add_node("join", total)
    builder.add_conditional_edges(START, split(first), [first])
    builder.add_edge(last, "join")
    return builder


def by_command(sync: bool) -> Callable[[Side, Load], Any]:
    """Every stage sends its item on with `Command(goto=Send(...))`."""

    def build(side: Side, load: Load) -> Any:
        names = [f"stage{stage}" for stage in range(load.stages)]
        builder = frame(side, names[0], names[-1])
        for stage, name in enumerate(names):
            after = names[stage + 1 : stage + 2]
            finish = _sends_to(after[0]) if after else result
            builder.add_node(name, stage_node(load, stage, finish, sync), destinations=tuple(after) or None)
        return builder.compile

    return build


def _sends_to(name: str) -> Finish:
    return lambda item: Command(goto=Send(name, item))


def by_edges(side: Side, load: Load) -> Any:
    """Every stage writes its item to the state, and the conditional edge behind it sends it on."""
    names = [f"stage{stage}" for stage in range(load.stages)]
    builder = frame(side, names[0], names[-1])
    for stage, name in enumerate(names):
        finish: Finish = result if name == names[-1] else lambda item: {"current": item}
        builder.add_node(name, stage_node(load, stage, finish, sync=False))
    for source, target in pairwise(names):
        builder.add_conditional_edges(source, lambda state, target=target: [Send(target, state["current"])], [target])
    return builder.compile


def by_hand(sync: bool) -> Callable[[Side, Load], Any]:
    """What an expert writes to dodge the barrier: each item's chain is a subgraph of its own."""

    def build(side: Side, load: Load) -> Any:
        inner = side.StateGraph(Chain, input_schema=Item, output_schema=Outcome)
        names = [f"stage{stage}" for stage in range(load.stages)]
        for stage, name in enumerate(names):
            inner.add_node(name, stage_node(load, stage, result if name == names[-1] else _kept, sync))
        for source, target in pairwise([START, *names]):
            inner.add_edge(source, target)
        builder = frame(side, "chain", "chain")
        builder.add_node("chain", inner.compile())
        return builder.compile

    return build


def _kept(item: Item) -> Item:
    return item


def benchmarks() -> Iterator[GraphBenchmark]:
    """Sends from commands (async and sync) and from conditional edges, each beside the hand-wrapped version."""
    for name, what, build, sync in (
        ("send_chain_command", "`Command(goto=Send)`, async", by_command(False), False),
        ("send_chain_edges", "conditional edges, async", by_edges, False),
        ("send_chain_command_sync", "`Command(goto=Send)`, sync", by_command(True), True),
    ):
        load = Load()
        yield GraphBenchmark(
            name=name,
            group="send_chain",
            what=f"{load.items} items through {load.stages} stages of {what}, log-normal times",
            build=build,
            input=lambda load: {"items": load.items, "current": None, "out": []},
            size=load,
            tiny=Load(items=4, pace=0.02),
            sync=sync,
            concurrency=load.items if sync else None,
            budget=30.0,
            quick=not sync,
            apart=frozenset({"current"}),
            more_lanes=(Lane(EXPERT, "stock", by_hand(sync)), Lane(EXPERT_ON_ALTO, "alto", by_hand(sync))),
            targets=(
                Target(1.05, against="critical path"),
                Target(1.0, against=EXPERT),
                Target(1.0, of=EXPERT_ON_ALTO, against=EXPERT),
            ),
            compute_bounds=bounds,
        )
