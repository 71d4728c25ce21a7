"""Long and short runs at a time on one real engine: stock, where requests are served as they come, beside alto and its policy.

A quarter of the runs makes 20 calls in a row, the others 2, of 64 tokens each, and they arrive by chance. Both sides are the same
LangGraph app on the same engine in this process; the same arrivals are played to each side, stock first. The simulation is given the
measured batch curve and told the same arrivals.

    .venv-vllm/bin/python -m benchmarks.serving_mixed              # loads 0.8, 1.5 and 2.5 of the engine's best throughput
    .venv-vllm/bin/python -m benchmarks.serving_mixed --load 1.5 --runs 800
"""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, TypedDict

import typer
from langgraph.graph import END, START

from alto_langgraph.adapters.vllm import ChatVLLM
from alto_langgraph.adapters.vllm.policy import ByAncestry, Policy, Untold
from benchmarks.serving_engine import ask, curve, engine_of, mean, p95, play, say_where, served, slowdown, table
from benchmarks.serving_simulation import Arrival, Ran, mixed, simulate
from benchmarks.sides import side

TOKENS = 64


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


async def played(name: str, policy: Policy, arrivals: list[Arrival], offset: int) -> list[Ran]:
    """The arrivals, on one side."""
    graph = app(name, served(policy))

    async def run(number: int, arrival: Arrival) -> None:
        await graph.ainvoke({"run": offset + number, "left": len(arrival.calls)}, {"recursion_limit": 50})

    return await play(arrivals, run)


async def measure(loads: list[float], runs: int, seed: int) -> None:
    say_where()
    llm = served(Untold())
    measured = await curve(llm, tokens=TOKENS)
    alone = {}
    for kind, calls in (("short", 2), ("long", 20)):
        lone = [Arrival(float(n) * 0.01, kind, mixed(1.0, 1, short=calls, share=0.0)[0].calls) for n in range(1)]
        alone[kind] = min([mean(await played("stock", Untold(), lone, 10**6 + n)) for n in range(3)])
    engine = engine_of(measured, alone["short"] / 2, TOKENS)
    table("Batch curve", ["at a time", "tokens/s"], measured)
    policies: dict[str, Any] = {"stock": Untold, "alto": ByAncestry}
    for load in loads:
        arrivals = mixed(load, runs, engine, seed=seed, tokens=TOKENS)
        rows, found = [], {}
        for offset, (name, policy) in enumerate(policies.items()):
            rans = found[name] = await played(name, policy(), arrivals, (offset + 1) * 10**5 + int(load * 10) * 10**7)
            foretold = simulate(arrivals, policy(), engine)
            rows.append(
                [
                    name,
                    mean(rans),
                    slowdown(rans, alone),
                    p95(rans, "short"),
                    p95(rans, "long"),
                    mean(foretold),
                    mean(rans) / mean(foretold),
                ]
            )
        stock, ours = found["stock"], found["alto"]
        better = [
            mean(ours) / mean(stock),
            slowdown(stock, alone) / slowdown(ours, alone),
            p95(stock, "short") / p95(ours, "short"),
            p95(ours, "long") / p95(stock, "long"),
        ]
        rows.append(["", f"{better[0]:.2f} ×", f"{better[1]:.2f} × better", f"{better[2]:.2f} × better", f"{better[3]:.2f} ×", "", ""])
        columns = ["", "mean s", "slowdown", "short p95 s", "long p95 s", "mean, simulated", "measured / simulated"]
        table(f"Load {load:g}, {runs} runs", columns, rows)


def main(
    load: Annotated[list[float] | None, typer.Option(help="Offered load over the engine's best throughput; may be repeated.")] = None,
    runs: Annotated[int, typer.Option(help="Runs of each load.")] = 400,
    seed: Annotated[int, typer.Option(help="Draws the arrivals.")] = 0,
) -> None:
    asyncio.run(measure(load or [0.8, 1.5, 2.5], runs, seed))


if __name__ == "__main__":
    typer.run(main)
