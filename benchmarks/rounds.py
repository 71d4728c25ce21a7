"""A loop of rounds, each two branches of log-normal times and a join: what waiting at each stage of each round costs."""

from __future__ import annotations

import asyncio
import operator
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, TypedDict

from langgraph.graph import END, START

from benchmarks.declare import Target
from benchmarks.graphs import EXPERT, GraphBenchmark, Lane
from benchmarks.sides import Side

MU, SIGMA, SEED = -3.0, 0.8, 1
"""Parameters of the log-normal task times: mean about 0.07 s, and the longest several times the median."""
MOST = 10
LIMIT = 1.05
"""Most of the critical path."""


def drawn() -> tuple[tuple[float, ...], ...]:
    """Seconds of the six nodes, round by round."""
    times = random.Random(SEED)
    return tuple(tuple(times.lognormvariate(MU, SIGMA) for _ in range(6)) for _ in range(MOST))


TIMES = drawn()


@dataclass(frozen=True, slots=True)
class Load:
    """So many rounds, of ten at most; `pace` scales the drawn times."""

    rounds: int = MOST
    pace: float = 1.0


class State(TypedDict):
    """What a round has found so far, and what all rounds have come to."""

    topic: str
    round: int
    pages: str
    passages: str
    notes: str
    rows: str
    averages: str
    chart: str
    report: Annotated[list[str], operator.add]


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


def nodes(load: Load) -> dict[str, Any]:
    """The app's functions; each sleeps where an app asks a model, a search or a database."""
    pace = load.pace

    async def search(state: State) -> dict[str, str]:
        await asyncio.sleep(pace * TIMES[state["round"]][0])
        return {"pages": f"pages {state['round']} on {state['topic']}"}

    async def read(state: State) -> dict[str, str]:
        await asyncio.sleep(pace * TIMES[state["round"]][1])
        return {"passages": f"passages of {state['pages']}"}

    async def note(state: State) -> dict[str, str]:
        await asyncio.sleep(pace * TIMES[state["round"]][2])
        return {"notes": f"notes on {state['passages']}"}

    async def query(state: State) -> dict[str, str]:
        await asyncio.sleep(pace * TIMES[state["round"]][3])
        return {"rows": f"rows {state['round']} on {state['topic']}"}

    async def average(state: State) -> dict[str, str]:
        await asyncio.sleep(pace * TIMES[state["round"]][4])
        return {"averages": f"averages of {state['rows']}"}

    async def draw(state: State) -> dict[str, str]:
        await asyncio.sleep(pace * TIMES[state["round"]][5])
        return {"chart": f"chart of {state['averages']}"}

    async def write(state: State) -> dict[str, Any]:
        return {"report": [f"{state['notes']}; {state['chart']}"], "round": state["round"] + 1}

    return {f.__name__: f for f in (search, read, note, query, average, draw, write)}


def as_written(side: Side, load: Load) -> Any:
    """The loop as most people write it: edges from node to node, a join, a conditional edge back to both branches."""
    functions, rounds = nodes(load), load.rounds

    def enough(state: State) -> str | list[str]:
        if state["round"] >= rounds:
            return END
        return ["search", "query"]

    builder = side.StateGraph(State)
    for name, function in functions.items():
        builder.add_node(name, function)
    builder.add_edge(START, "search")
    builder.add_edge("search", "read")
    builder.add_edge("read", "note")
    builder.add_edge(START, "query")
    builder.add_edge("query", "average")
    builder.add_edge("average", "draw")
    builder.add_edge(["note", "draw"], "write")
    builder.add_conditional_edges("write", enough, ["search", "query", END])
    return builder.compile


def by_hand(side: Side, load: Load) -> Any:
    """What an expert writes so that the branches don't wait for each other: each is a subgraph."""
    functions, rounds = nodes(load), load.rounds

    def enough(state: State) -> str | list[str]:
        if state["round"] >= rounds:
            return END
        return ["text", "figures"]

    builder = side.StateGraph(State)
    for name, stages, output in (("text", ("search", "read", "note"), Text), ("figures", ("query", "average", "draw"), Figures)):
        inner = side.StateGraph(State, output_schema=output)
        inner.add_sequence([(stage, functions[stage]) for stage in stages])
        inner.add_edge(START, stages[0])
        builder.add_node(name, inner.compile())
        builder.add_edge(START, name)
    builder.add_node("write", functions["write"])
    builder.add_edge(["text", "figures"], "write")
    builder.add_conditional_edges("write", enough, ["text", "figures", END])
    return builder.compile


def bounds(load: Load) -> Mapping[str, float]:
    """The sum of each round's longer branch, and of the slower of each pair of stages: what steps with barriers can't beat."""
    rounds = [[load.pace * seconds for seconds in times] for times in TIMES[: load.rounds]]
    return {
        "critical path": sum(max(sum(times[:3]), sum(times[3:])) for times in rounds),
        "superstep bound": sum(sum(map(max, times[:3], times[3:])) for times in rounds),
    }


def benchmarks() -> Iterator[GraphBenchmark]:
    """One, beside the hand-wrapped version."""
    yield GraphBenchmark(
        name=f"rounds_{MOST}",
        group="rounds",
        what=f"{MOST} rounds of a loop, each two branches of three nodes with log-normal times and a join; a router goes on or ends",
        build=as_written,
        input=lambda load: {"topic": "rivers", "round": 0, "report": []},
        size=Load(),
        tiny=Load(rounds=2, pace=0.02),
        budget=45.0,
        more_lanes=(Lane(EXPERT, "stock", by_hand),),
        targets=(Target(LIMIT, against="critical path"),),
        compute_bounds=bounds,
    )
