"""How many verification-shaped runs a second one real engine takes, as they come by chance: stock as written, by hand, and alto.

A run asks once, then eight times, each of these once more, and once at the end; each call is told something of what was answered before
it, so that none of them can begin sooner. Lengths of answers are log-normal, and the same on all sides. The highest rate at which the
95th percentile of runs stays within three times of what a run takes alone is read off the curve, straight between its points.

    .venv-vllm/bin/python -m benchmarks.serving_verification
    .venv-vllm/bin/python -m benchmarks.serving_verification --rate 0.6 --rate 0.8 --rate 0.9 --runs 150 --lane stock --lane alto

Each lane keeps its app for all rates, as a service does, and lanes are played in alternating order. A lane `limited` may be added: alto
with a `max_concurrency`, so that less is computed at a time.
"""

from __future__ import annotations

import asyncio
import operator
from collections.abc import Sequence
from itertools import count
from typing import Annotated, Any, TypedDict

import typer
from langgraph.graph import END, START
from langgraph.types import Command, Send

from alto_langgraph.adapters.vllm import ChatVLLM
from alto_langgraph.adapters.vllm.policy import ByAncestry, Policy, Untold
from benchmarks.measure import reached
from benchmarks.serving_engine import ask, curve, mean, p95, play, say_where, served, table
from benchmarks.serving_simulation import Arrival, Ran, verification
from benchmarks.sides import side

WIDTH = 8
WITHIN = 3.0
"""Times a run's time alone in which 95 % have to be done."""


SAID = 24
"""Letters of an answer that go into the next question."""


class Item(TypedDict):
    """One of the eight: what is said to it, and the lengths of its two answers."""

    run: int
    place: int
    said: str
    first: int
    second: int


class State(TypedDict):
    """The run, the lengths of all its answers, the plan, what came of its parts, and what is concluded from that."""

    run: int
    lengths: list[int]
    plan: str
    found: Annotated[list[str], operator.add]
    conclusion: str


class Found(TypedDict):
    """What an item comes to."""

    found: Annotated[list[str], operator.add]


def items(state: State) -> list[Item]:
    """The eight, each with its part of the plan, which only the whole plan tells."""
    lengths, plan = state["lengths"], state["plan"]
    size = len(plan) // WIDTH
    return [
        Item(
            run=state["run"],
            place=place,
            said=plan[place * size :][:SAID],
            first=lengths[1 + place],
            second=lengths[1 + WIDTH + place],
        )
        for place in range(WIDTH)
    ]


def app(lane: str, llm: ChatVLLM) -> Any:
    """The graph of a lane."""
    graph = side("alto" if POLICIES[lane] is ByAncestry else "stock").StateGraph

    async def plan(state: State) -> dict[str, str]:
        return {"plan": await ask(llm, f"Plan {state['run']}", state["lengths"][0])}

    async def look(item: Item) -> Any:
        answer = await ask(llm, f"Look {item['run']} {item['place']} {item['said']}", item["first"])
        said = answer[-SAID:]
        return Command(goto=Send("weigh", {**item, "said": said})) if lane != "by hand" else {"said": said}

    async def weigh(item: Item) -> dict[str, list[str]]:
        answer = await ask(llm, f"Weigh {item['run']} {item['place']} {item['said']}", item["second"])
        return {"found": [answer[-SAID:]]}

    async def conclude(state: State) -> dict[str, str]:
        return {"conclusion": await ask(llm, f"Conclude {state['run']} {' '.join(state['found'])}", state["lengths"][-1])}

    builder = graph(State)
    builder.add_node("plan", plan)
    builder.add_node("conclude", conclude)
    builder.add_edge(START, "plan")
    builder.add_edge("conclude", END)
    if lane == "by hand":
        inner = graph(Item, output_schema=Found)
        inner.add_node("look", look)
        inner.add_node("weigh", weigh)
        inner.add_edge(START, "look")
        inner.add_edge("look", "weigh")
        builder.add_node("item", inner.compile())
        builder.add_conditional_edges("plan", lambda state: [Send("item", item) for item in items(state)], ["item"])
        builder.add_edge("item", "conclude")
    else:
        builder.add_node("look", look, destinations=("weigh",))
        builder.add_node("weigh", weigh)
        builder.add_conditional_edges("plan", lambda state: [Send("look", item) for item in items(state)], ["look"])
        builder.add_edge("weigh", "conclude")
    return builder.compile()


POLICIES: dict[str, type[Policy]] = {"stock": Untold, "by hand": Untold, "alto": ByAncestry, "limited": ByAncestry}


async def played(graph: Any, arrivals: Sequence[Arrival], offset: int) -> list[Ran]:
    """The arrivals, in a lane."""

    async def run(number: int, arrival: Arrival) -> None:
        lengths = [call.tokens for call in arrival.calls]
        state = await graph.ainvoke({"run": offset + number, "lengths": lengths, "plan": "", "found": [], "conclusion": ""})
        assert len(state["found"]) == WIDTH

    return await play(arrivals, run)


async def measure(rates: list[float], runs: int, lanes: list[str], limit: int, seed: int) -> None:
    say_where()
    llm = served(Untold())

    async def in_turn(number: int, calls: int) -> None:
        for call in range(calls):
            await ask(llm, f"Curve {number} {call}", 64)

    measured = await curve(in_turn, tokens=64)
    capacity = max(speed for _, speed in measured)
    table("Batch curve", ["at a time", "tokens/s"], measured)
    shape = verification(1.0, runs, seed=seed)
    most = capacity / (sum(call.tokens for arrival in shape for call in arrival.calls) / runs)
    limits = {lane: limit if lane == "limited" else None for lane in lanes}
    graphs = {lane: app(lane, served(POLICIES[lane](), max_concurrency=limits[lane])) for lane in lanes}
    numbers = count(10**6, 10**4)
    alone = {lane: mean([(await played(graph, [one], next(numbers)))[0] for one in lone(shape)]) for lane, graph in graphs.items()}
    within = WITHIN * alone[lanes[0]]
    rows, curves = [], {lane: list[tuple[float, float]]() for lane in lanes}
    for turn, rate in enumerate(rates):
        arrivals = verification(rate * most, runs, seed=seed)
        for lane in lanes if turn % 2 == 0 else lanes[::-1]:
            rans = await played(graphs[lane], arrivals, next(numbers))
            curves[lane].append((rate, p95(rans)))
            rows.append([rate, rate * most, lane, mean(rans), p95(rans)])
    table(
        f"{runs} runs each; alone {', '.join(f'{lane} {took:.2f} s' for lane, took in alone.items())}",
        ["of capacity", "runs/s", "lane", "mean s", "p95 s"],
        rows,
    )
    found = {lane: reached(points, within) for lane, points in curves.items()}
    shown = [[lane, *(("off the curve", "") if rate is None else (rate, rate * most))] for lane, rate in found.items()]
    table(f"Highest rate with p95 within {within:.2f} s; 1 is all that the engine can do", ["lane", "of capacity", "runs/s"], shown)


def lone(shape: Sequence[Arrival]) -> list[Arrival]:
    """Some of the runs, each to be played alone."""
    return [Arrival(0.0, arrival.kind, arrival.calls) for arrival in shape[:6]]


def main(
    rate: Annotated[list[float] | None, typer.Option(help="Runs a second over the engine's capacity, rising; may be repeated.")] = None,
    runs: Annotated[int, typer.Option(help="Runs of each point.")] = 80,
    lane: Annotated[list[str] | None, typer.Option(help="stock, by hand, alto, limited; may be repeated.")] = None,
    limit: Annotated[int, typer.Option(help="Calls at a time of the limited lane.")] = 32,
    seed: Annotated[int, typer.Option(help="Draws arrivals and lengths.")] = 0,
) -> None:
    asyncio.run(measure(rate or [0.5, 0.7, 0.8, 0.9, 1.1], runs, lane or ["stock", "by hand", "alto"], limit, seed))


if __name__ == "__main__":
    typer.run(main)
