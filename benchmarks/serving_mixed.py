"""Long and short runs at a time on one real engine: stock, where requests are served as they come, beside alto and its policy.

A quarter of the runs makes 20 calls in a row, the others 2, of 64 tokens each, and they arrive by chance. All lanes are the same
LangGraph app on the same engine in this process, and are given the same arrivals, in alternating order. Beside stock and alto there may
be `least`, where the run that was served least goes first, and `limited`: alto with a `max_concurrency`, so that less is computed at once.

The load is told over the most that the engine computes for the stock app, measured in the beginning. Above 1 the backlog grows for as
long as runs arrive, and all ratios with it: 800 runs, a minute of work, take stock about as far as the trial from which the targets were
taken. Below 1 lanes differ by less than two minutes of one machine do, so several rounds are played. The simulation is given the measured
batch curve and told the same arrivals.

    .venv-vllm/bin/python -m benchmarks.serving_mixed --load 0.8 --runs 250 --rounds 2
    .venv-vllm/bin/python -m benchmarks.serving_mixed --load 1.5
    .venv-vllm/bin/python -m benchmarks.serving_mixed --load 2.5 --lane stock --lane alto --lane least
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any, TypedDict

import typer
from langgraph.graph import END, START

from alto_langgraph.adapters.vllm import ChatVLLM
from alto_langgraph.adapters.vllm.policy import ByAncestry, Policy, Untold
from benchmarks.serving_engine import ask, curve, engine_of, mean, p95, play, say_where, served, slowdown, table
from benchmarks.serving_simulation import Arrival, Engine, LeastServed, Ran, chain, mixed, simulate
from benchmarks.sides import side

TOKENS = 64
CALLS = {"short": 2, "long": 20}
LANES: dict[str, tuple[str, type[Policy]]] = {
    "stock": ("stock", Untold),
    "alto": ("alto", ByAncestry),
    "least": ("alto", LeastServed),
    "limited": ("alto", ByAncestry),
}
"""The side of each lane, and its policy: under stock's own loop a request doesn't know its run."""


class State(TypedDict):
    """Which run it is, and how many calls are left."""

    run: int
    left: int


def app(name: str, llm: ChatVLLM) -> Any:
    """A loop of model calls."""

    async def call(state: State) -> dict[str, int]:
        await ask(llm, f"Run {state['run']}, call {state['left']}", TOKENS)
        return {"left": state["left"] - 1}

    builder = side(name).StateGraph(State)
    builder.add_node("call", call)
    builder.add_edge(START, "call")
    builder.add_conditional_edges("call", lambda state: "call" if state["left"] else END, ["call", END])
    return builder.compile()


async def in_turn(graph: Any, run: int, calls: int) -> None:
    """One run."""
    await graph.ainvoke({"run": run, "left": calls}, {"recursion_limit": calls + 10})


async def measured(graph: Any) -> tuple[Engine, dict[str, float]]:
    """The engine as the stock app finds it, and what a run of each kind takes alone."""
    found = await curve(lambda number, calls: in_turn(graph, 10**7 + number, calls), tokens=TOKENS)
    table("Batch curve", ["at a time", "tokens/s"], found)
    alone = {}
    for kind, calls in CALLS.items():
        lone = [Arrival(0.0, kind, chain([TOKENS] * calls))]
        alone[kind] = min([mean(await played(graph, lone, 2 * 10**7 + 10 * calls + n)) for n in range(3)])
    return engine_of(found, alone["short"] / 2, TOKENS), alone


async def played(graph: Any, arrivals: Sequence[Arrival], offset: int) -> list[Ran]:
    """The arrivals, on one side."""
    return await play(arrivals, lambda number, arrival: in_turn(graph, offset + number, len(arrival.calls)))


async def measure(load: float, runs: int, rounds: int, lanes: Sequence[str], limit: int, seed: int) -> None:
    say_where()
    engine, alone = await measured(app("stock", served(Untold())))
    found: dict[str, list[Ran]] = {lane: [] for lane in lanes}
    foretold: dict[str, list[Ran]] = {lane: [] for lane in lanes}
    limits = {lane: limit if lane == "limited" else None for lane in lanes}
    graphs = {lane: app(LANES[lane][0], served(LANES[lane][1](), max_concurrency=limits[lane])) for lane in lanes}
    offset = 0
    for turn in range(rounds):
        arrivals = mixed(load, runs, engine, seed=seed + turn, tokens=TOKENS)
        for lane in lanes if turn % 2 == 0 else lanes[::-1]:
            offset += 10**4
            found[lane] += await played(graphs[lane], arrivals, offset)
            foretold[lane] += simulate(arrivals, LANES[lane][1](), replace(engine, slots=limits[lane] or engine.slots))
    rows = [
        [lane, mean(of), slowdown(of, alone), p95(of, "short"), p95(of, "long"), mean(foretold[lane]), mean(of) / mean(foretold[lane])]
        for lane, of in found.items()
    ]
    columns = ["", "mean s", "slowdown", "short p95 s", "long p95 s", "mean, simulated", "measured / simulated"]
    table(f"Load {load:g}, {runs} runs, {rounds} rounds", columns, rows)
    if "stock" in found:
        against(found, alone, "Beside stock, measured")
        against(
            foretold, {kind: engine.unloaded(Arrival(0.0, kind, chain([TOKENS] * n))) for kind, n in CALLS.items()}, "The same, simulated"
        )


def against(found: dict[str, list[Ran]], alone: dict[str, float], title: str) -> None:
    """Prints what each lane comes to beside stock."""
    stock = found["stock"]
    rows = [
        [
            lane,
            f"{mean(of) / mean(stock):.2f} ×",
            f"{slowdown(stock, alone) / slowdown(of, alone):.2f} × better",
            f"{p95(stock, 'short') / p95(of, 'short'):.2f} × better",
            f"{p95(of, 'long') / p95(stock, 'long'):.2f} ×",
        ]
        for lane, of in found.items()
        if lane != "stock"
    ]
    table(title, ["", "mean", "slowdown", "short runs' p95", "long runs' p95"], rows)


def main(
    load: Annotated[float, typer.Option(help="Offered load over the engine's best throughput.")] = 1.5,
    runs: Annotated[int, typer.Option(help="Runs of each round.")] = 800,
    rounds: Annotated[int, typer.Option(help="Rounds, each with arrivals of its own.")] = 1,
    lane: Annotated[list[str] | None, typer.Option(help="stock, alto, least, limited; may be repeated.")] = None,
    limit: Annotated[int, typer.Option(help="Calls at a time of the limited lane.")] = 32,
    seed: Annotated[int, typer.Option(help="Draws the arrivals.")] = 0,
) -> None:
    asyncio.run(measure(load, runs, rounds, lane or ["stock", "alto"], limit, seed))


if __name__ == "__main__":
    typer.run(main)
