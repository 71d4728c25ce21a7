"""How many verification-shaped runs a second one real engine takes, as they come by chance: stock as written, by hand, and alto.

A run asks once, then eight times, each of these once more, and once at the end; lengths of answers are log-normal, and the same on all
sides. The highest rate at which the 95th percentile of runs stays within three times of what a run takes alone is read off the curve,
straight between its points.

    .venv-vllm/bin/python -m benchmarks.serving_verification
    .venv-vllm/bin/python -m benchmarks.serving_verification --rate 0.6 --rate 0.8 --runs 100 --lane stock --lane alto
"""

from __future__ import annotations

import asyncio
import operator
from collections.abc import Sequence
from typing import Annotated, Any, TypedDict

import typer
from langgraph.graph import END, START
from langgraph.types import Command, Send

from alto_langgraph.adapters.vllm import ChatVLLM
from alto_langgraph.adapters.vllm.policy import ByAncestry, Policy, Untold
from benchmarks.measure import reached
from benchmarks.serving_engine import ask, curve, mean, p95, play, say_where, served, table
from benchmarks.serving_simulation import Arrival, verification
from benchmarks.sides import side

WIDTH = 8
WITHIN = 3.0
"""Times a run's time alone in which 95 % have to be done."""


class Item(TypedDict):
    """One of the eight, and the lengths of its two answers."""

    run: int
    place: int
    first: int
    second: int


class State(TypedDict):
    """The run, the lengths of all its answers, and how many of the eight are done."""

    run: int
    lengths: list[int]
    done: Annotated[int, operator.add]


class Done(TypedDict):
    """What an item comes to."""

    done: Annotated[int, operator.add]


def items(state: State) -> list[Item]:
    """The eight."""
    lengths = state["lengths"]
    return [Item(run=state["run"], place=place, first=lengths[1 + place], second=lengths[1 + WIDTH + place]) for place in range(WIDTH)]


def app(lane: str, llm: ChatVLLM) -> Any:
    """The graph of a lane."""
    graph = side("alto" if lane == "alto" else "stock").StateGraph

    async def plan(state: State) -> None:
        await ask(llm, f"Plan {state['run']}", state["lengths"][0])

    async def look(item: Item) -> Any:
        await ask(llm, f"Look {item['run']} {item['place']}", item["first"])
        return Command(goto=Send("weigh", item)) if lane != "by hand" else {}

    async def weigh(item: Item) -> dict[str, int]:
        await ask(llm, f"Weigh {item['run']} {item['place']}", item["second"])
        return {"done": 1}

    async def conclude(state: State) -> None:
        await ask(llm, f"Conclude {state['run']}", state["lengths"][-1])

    builder = graph(State)
    builder.add_node("plan", plan)
    builder.add_node("conclude", conclude)
    builder.add_edge(START, "plan")
    builder.add_edge("conclude", END)
    if lane == "by hand":
        inner = graph(Item, output_schema=Done)
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


POLICIES: dict[str, type[Policy]] = {"stock": Untold, "by hand": Untold, "alto": ByAncestry}


async def played(lane: str, arrivals: Sequence[Arrival], offset: int) -> list[Any]:
    """The arrivals, in a lane."""
    graph = app(lane, served(POLICIES[lane]()))

    async def run(number: int, arrival: Arrival) -> None:
        lengths = [call.tokens for call in arrival.calls]
        state = await graph.ainvoke({"run": offset + number, "lengths": lengths, "done": 0})
        assert state["done"] == WIDTH

    return await play(arrivals, run)


async def measure(rates: list[float], runs: int, lanes: list[str], seed: int) -> None:
    say_where()
    measured = await curve(served(Untold()))
    capacity = max(speed for _, speed in measured)
    table("Batch curve", ["at a time", "tokens/s"], measured)
    shape = verification(1.0, runs, seed=seed)
    most = capacity / (sum(call.tokens for arrival in shape for call in arrival.calls) / runs)
    offset, alone = 10**6, {}
    for lane in lanes:
        took = []
        for arrival in shape[:6]:
            took += await played(lane, [Arrival(0.0, arrival.kind, arrival.calls)], offset)
            offset += 10**6
        alone[lane] = mean(took)
    limit = WITHIN * alone[lanes[0]]
    rows, curves = [], {lane: list[tuple[float, float]]() for lane in lanes}
    for rate in rates:
        arrivals = verification(rate * most, runs, seed=seed)
        for lane in lanes:
            rans = await played(lane, arrivals, offset)
            offset += 10**6
            curves[lane].append((rate * most, p95(rans)))
            rows.append([rate, rate * most, lane, mean(rans), p95(rans)])
    table(
        f"{runs} runs each; alone {', '.join(f'{lane} {took:.2f} s' for lane, took in alone.items())}",
        ["of capacity", "runs/s", "lane", "mean s", "p95 s"],
        rows,
    )
    table(
        f"Highest rate with p95 within {limit:.2f} s", ["lane", "runs/s"], [[lane, reached(found, limit)] for lane, found in curves.items()]
    )


def main(
    rate: Annotated[list[float] | None, typer.Option(help="Runs a second over the engine's capacity, rising; may be repeated.")] = None,
    runs: Annotated[int, typer.Option(help="Runs of each point.")] = 60,
    lane: Annotated[list[str] | None, typer.Option(help="stock, alto, by hand; may be repeated.")] = None,
    seed: Annotated[int, typer.Option(help="Draws arrivals and lengths.")] = 0,
) -> None:
    asyncio.run(measure(rate or [0.4, 0.6, 0.8, 1.0, 1.3], runs, lane or ["stock", "by hand", "alto"], seed))


if __name__ == "__main__":
    typer.run(main)
