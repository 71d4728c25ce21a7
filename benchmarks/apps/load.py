"""How many runs of the chatbot a second one process takes as they come by chance, all on one paced double with few slots.

Every run asks of other elements. Stock as written, by an expert and alto get the same runs at the same moments. The highest rate at
which the 95th percentile of runs stays within three times of what stock takes alone is read off the curve, straight between its points.

    python -m benchmarks.apps.load
    python -m benchmarks.apps.load --rate 0.6 --rate 0.8 --runs 100
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from alto_langgraph.examples.chatbot_verification import paced
from alto_langgraph.examples.chatbot_verification.elements import known
from benchmarks.answers import Answers
from benchmarks.apps.chatbot_verification import APPLICATION, foretold
from benchmarks.apps.metered import metered
from benchmarks.graphs import EXPERT
from benchmarks.machine import machine
from benchmarks.measure import reached
from benchmarks.sides import side

HERE = Path(__file__).parents[1]
WITHIN = 3.0
"""Times stock's time alone in which 95 % have to be done."""
LANES = ("stock", EXPERT, "alto")


@dataclass(frozen=True, slots=True)
class Arrival:
    """A run: seconds after the beginning at which it comes, and what is asked."""

    at: float
    question: str


def arrivals(rate: float, runs: int, elements: int, seed: int) -> list[Arrival]:
    """So many runs by chance, `rate` a second, each of so many elements; at another rate they are the same, closer together."""
    drawn, at, found = random.Random(seed), 0.0, []
    for _ in range(runs):
        at += drawn.expovariate(1.0)
        found.append(Arrival(at / rate, f"What should I know about {', '.join(drawn.sample(sorted(known()), elements))}?"))
    return found


class Lane:
    """A lane's graph on a server of its own, for all its runs."""

    def __init__(self, name: str, slots: int, answers: Answers) -> None:
        self.name, self._answers = name, answers
        self.model = metered(APPLICATION.double(), slots, 1.0)
        graph = (APPLICATION.expert if name == EXPERT else APPLICATION.as_written)(self.model)
        self._graph = side("alto").optimize(graph) if name == "alto" else graph

    async def play(self, runs: Sequence[Arrival]) -> list[float]:
        """Seconds that each run takes from when it comes to its answer.

        Raises:
            DifferentAnswersError: a run doesn't answer as in another lane.
        """
        began = time.perf_counter()

        async def run(arrival: Arrival) -> float:
            await asyncio.sleep(began + arrival.at - time.perf_counter())
            state = await self._graph.ainvoke(paced.text(arrival.question))
            took = time.perf_counter() - began - arrival.at
            self._answers.check(arrival.question, self.name, state.get("corrected"))
            return took

        return await asyncio.gather(*map(run, runs))


async def work(runs: Sequence[Arrival], slots: int) -> float:
    """Seconds of the server's time that a run takes, on average."""
    free, model = metered(APPLICATION.double(), slots, 0.0), APPLICATION.double()
    graph = APPLICATION.as_written(free)
    states = [await graph.ainvoke(paced.text(run.question)) for run in runs]
    return sum(call.seconds for state in states for call in foretold(model, state)) / len(runs)


async def measured(rates: Sequence[float], runs: int, elements: int, slots: int, seed: int) -> dict[str, Any]:
    """All lanes at all rates, which are shares of what the server could do at most."""
    answers = Answers("load")
    lanes = [Lane(name, slots, answers) for name in LANES]
    few = arrivals(1.0, 5, elements, seed)
    most = slots / await work(few, slots)
    alone: dict[str, float] = {}
    for lane in lanes:
        await lane.play(few[:1])  # imports, analysis, caches
        alone[lane.name] = float(np.mean([(await lane.play([Arrival(0.0, run.question)]))[0] for run in few]))
    points = []
    for rate in rates:
        coming = arrivals(rate * most, runs, elements, seed)
        for lane in lanes:
            cpu = time.process_time()
            took = await lane.play(coming)
            cpu = (time.process_time() - cpu) / runs
            points.append({"lane": lane.name, "share": rate, "rate": rate * most, "seconds": took, "cpu": cpu})
    return {"machine": machine(), "slots": slots, "elements": elements, "seed": seed, "most": most, "alone": alone, "points": points}


def curves(results: dict[str, Any]) -> dict[str, list[tuple[float, float]]]:
    """For each lane the rate and the 95th percentile of each point."""
    points = results["points"]
    return {lane: [(p["rate"], float(np.percentile(p["seconds"], 95))) for p in points if p["lane"] == lane] for lane in LANES}


def shown(results: dict[str, Any]) -> list[Table]:
    """The points, and what each lane reaches."""
    points = Table("lane", "of capacity", "runs/s", "median s", "p95 s", "cpu s a run", title=f"{results['slots']} slots")
    for p in results["points"]:
        low, high = np.percentile(p["seconds"], [50, 95])
        points.add_row(p["lane"], f"{p['share']:.2f}", f"{p['rate']:.3f}", f"{low:.2f}", f"{high:.2f}", f"{p['cpu']:.2f}")
    limit = WITHIN * results["alone"]["stock"]
    rates = Table("lane", "alone s", "runs/s", title=f"Highest rate with p95 within {limit:.2f} s")
    for lane, curve in curves(results).items():
        rates.add_row(lane, f"{results['alone'][lane]:.2f}", reached(curve, limit))
    return [points, rates]


def main(
    rate: Annotated[list[float] | None, typer.Option(help="Runs a second over the server's capacity, rising; may be repeated.")] = None,
    runs: Annotated[int, typer.Option(help="Runs of each point.")] = 40,
    elements: Annotated[int, typer.Option(help="Elements that each run asks about.")] = 2,
    slots: Annotated[int, typer.Option(help="Calls that the server takes at a time.")] = 16,
    seed: Annotated[int, typer.Option(help="Draws arrivals and questions.")] = 0,
    json_to: Annotated[Path, typer.Option("--json", help="File to keep the samples in.")] = HERE / "load.json",
    plot: Annotated[Path, typer.Option(help="Picture of the curves.")] = HERE / "plots" / "load_chatbot_verification.svg",
) -> None:
    """Poisson load at rising rates."""
    results = asyncio.run(measured(rate or [0.4, 0.6, 0.8, 0.95], runs, elements, slots, seed))
    json_to.write_text(json.dumps(results, indent=1) + "\n")
    from benchmarks.plots import load, save  # matplotlib would weigh on the garbage collector in a run

    save(load(curves(results), WITHIN * results["alone"]["stock"]), plot)
    for table in shown(results):
        Console(width=110).print(table)


if __name__ == "__main__":
    typer.run(main)
