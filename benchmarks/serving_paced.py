"""The serving loads on an engine that does nothing but keep time: what alto's own loops and policy come to, on any machine.

The loops, the model class and the scheduling are real; the engine is the simulated one, in real time that may run slower, so that what
else the machine does counts less. What is measured should be what is simulated: the difference is what each side costs by itself. Its
times are told as if they had run at full speed.

    .venv/bin/python -m benchmarks.serving_paced --load 0.8 --runs 250     # minutes: 250 runs x 6.5 calls / 100 a second / 0.25
    .venv/bin/python -m benchmarks.serving_paced --load 1.5 --runs 400
    .venv/bin/python -m benchmarks.serving_paced --rate 0.75 --rate 0.9 --rate 1 --runs 60 --lane stock --lane alto --lane limited

With rates it is the verification-shaped load, at these parts of what the engine can do.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import replace
from itertools import count
from typing import Annotated, Any

import typer
from pydantic import PrivateAttr

from alto_langgraph.adapters.vllm import ChatVLLM
from alto_langgraph.adapters.vllm.admission import Admission
from alto_langgraph.adapters.vllm.policy import Policy
from alto_langgraph.adapters.vllm.ports import Load, Request, Server
from alto_langgraph.adapters.vllm.scheduling import Scheduled
from alto_langgraph.adapters.vllm.serving_loop import ServingLoop
from benchmarks import serving_verification
from benchmarks.measure import reached
from benchmarks.serving_engine import mean, p95, say_where, table
from benchmarks.serving_mixed import CALLS, LANES, TOKENS, against, app, played
from benchmarks.serving_simulation import Arrival, Engine, Ran, chain, mixed, simulate, verification


class Paced:
    """Answers when the simulated engine would have: its batch curve, its slots, the smallest priority first.

    Args:
        engine: The engine.
        speed: Its seconds in one of the clock's.
    """

    name = "paced"

    def __init__(self, engine: Engine, speed: float) -> None:
        self._engine, self._speed = engine, speed
        self._running: list[tuple[float, int, asyncio.Future[None]]] = []
        self._waiting: list[tuple[int, int, int, asyncio.Future[None]]] = []
        self._order = count()
        self._progress = self._at = 0.0
        self._timer: asyncio.TimerHandle | None = None

    async def chat(self, request: Request) -> AsyncGenerator[Mapping[str, Any]]:
        tokens, done = int(request.body["max_tokens"]), asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (request.priority, next(self._order), tokens, done))
        self._go_on()
        await done
        delta = {"role": "assistant", "content": "word " * tokens}
        usage = {"prompt_tokens": 8, "completion_tokens": tokens}
        yield {"choices": [{"index": 0, "delta": delta, "finish_reason": "length"}], "usage": usage}

    def _go_on(self) -> None:
        """Ends what is done by now, begins what has a slot, and comes back when the next one is done."""
        loop = asyncio.get_running_loop()
        self._progress += (loop.time() - self._at) * self._pace()
        self._at = loop.time()
        while self._running and self._running[0][0] <= self._progress + 1e-6:
            self._end(heapq.heappop(self._running)[-1])
        while self._waiting and len(self._running) < self._engine.slots:
            _, _, tokens, done = heapq.heappop(self._waiting)
            heapq.heappush(self._running, (self._progress + tokens, next(self._order), done))
        if self._timer is not None:
            self._timer.cancel()
        if self._running:
            self._timer = loop.call_later((self._running[0][0] - self._progress) / self._pace(), self._go_on)

    def _pace(self) -> float:
        return self._engine.speed(len(self._running)) * self._speed if self._running else 0.0

    @staticmethod
    def _end(done: asyncio.Future[None]) -> None:
        if not done.done():
            done.set_result(None)

    async def embed(self, request: Request) -> list[list[float]]:
        raise NotImplementedError

    async def load(self) -> Load:
        return Load(len(self._running), len(self._waiting))

    async def close(self) -> None:
        pass


class PacedChat(ChatVLLM):
    """The chat model on such an engine."""

    _scheduled: Scheduled = PrivateAttr()

    def _server(self, loop: ServingLoop) -> Server:
        return self._scheduled


def paced(engine: Engine, speed: float, policy: Policy, limit: int | None) -> ChatVLLM:
    """A model on an engine of its own."""
    server: Server = Paced(engine, speed)
    llm = PacedChat(model="paced", base_url="http://paced/v1")
    llm._scheduled = Scheduled(server if limit is None else Admission(server, limit), policy)
    return llm


async def measure(load: float, runs: int, lanes: Sequence[str], limit: int, speed: float, seed: int) -> None:
    say_where()
    engine = Engine(overhead=0.005)
    arrivals = mixed(load, runs, engine, seed=seed, tokens=TOKENS)
    later = [replace(arrival, at=arrival.at / speed) for arrival in arrivals]
    found: dict[str, list[Ran]] = {}
    foretold: dict[str, list[Ran]] = {}
    for number, lane in enumerate(lanes):
        name, policy = LANES[lane]
        most = limit if lane == "limited" else None
        rans = await played(app(name, paced(engine, speed, policy(), most)), later, number * 10**5)
        found[lane] = [replace(ran, took=ran.took * speed) for ran in rans]
        foretold[lane] = simulate(arrivals, policy(), replace(engine, slots=most or engine.slots))
    rows = [[lane, how, mean(of), p95(of, "short"), p95(of, "long")] for lane in lanes for how, of in _both(found, foretold, lane)]
    table(f"Load {load:g}, {runs} runs, seconds", ["", "", "mean", "short p95", "long p95"], rows)
    alone = {kind: engine.unloaded(Arrival(0.0, kind, chain([TOKENS] * calls))) for kind, calls in CALLS.items()}
    if "stock" in lanes:
        against(found, alone, "Beside stock, measured")
        against(foretold, alone, "The same, simulated")


async def measure_verification(rates: Sequence[float], runs: int, lanes: Sequence[str], limit: int, speed: float, seed: int) -> None:
    say_where()
    engine = Engine(overhead=0.005)
    shape = verification(1.0, runs, seed=seed)
    most = engine.capacity / (sum(call.tokens for arrival in shape for call in arrival.calls) / runs)
    numbers = count(10**6, 10**4)

    async def took(graph: Any, arrivals: Sequence[Arrival]) -> list[Ran]:
        later = [replace(arrival, at=arrival.at / speed) for arrival in arrivals]
        rans = await serving_verification.played(graph, later, next(numbers))
        return [replace(ran, took=ran.took * speed) for ran in rans]

    rows, points, within = [], {lane: list[tuple[float, float]]() for lane in lanes}, 0.0
    for lane in lanes:
        most_at_once = limit if lane == "limited" else None
        graph = serving_verification.app(lane, paced(engine, speed, serving_verification.POLICIES[lane](), most_at_once))
        alone = mean([(await took(graph, [one]))[0] for one in serving_verification.lone(shape)])
        within = within or serving_verification.WITHIN * alone
        for rate in rates:
            rans = await took(graph, verification(rate * most, runs, seed=seed))
            points[lane].append((rate, p95(rans)))
            rows.append([rate, lane, alone, mean(rans), p95(rans)])
    table(f"{runs} runs each, seconds", ["of capacity", "lane", "alone", "mean", "p95"], rows)
    found = [[lane, reached(of, within) or "off the curve"] for lane, of in points.items()]
    table(f"Highest rate with p95 within {within:.2f} s; 1 is all that the engine can do", ["lane", "of capacity"], found)


def _both(found: Mapping[str, list[Ran]], foretold: Mapping[str, list[Ran]], lane: str) -> list[tuple[str, list[Ran]]]:
    return [("measured", found[lane]), ("simulated", foretold[lane])]


def main(
    rate: Annotated[list[float] | None, typer.Option(help="Verification-shaped runs, over the engine's capacity; may be repeated.")] = None,
    load: Annotated[float, typer.Option(help="Offered load over the engine's best throughput.")] = 0.8,
    runs: Annotated[int, typer.Option(help="Runs of each lane.")] = 250,
    lane: Annotated[list[str] | None, typer.Option(help="stock, alto, least, limited; may be repeated.")] = None,
    limit: Annotated[int, typer.Option(help="Calls at a time of the limited lane.")] = 32,
    speed: Annotated[float, typer.Option(help="Seconds of the engine in one of the clock's.")] = 0.25,
    seed: Annotated[int, typer.Option(help="Draws the arrivals.")] = 0,
) -> None:
    if rate:
        asyncio.run(measure_verification(rate, runs, lane or ["stock", "alto"], limit, speed, seed))
        return
    asyncio.run(measure(load, runs, lane or ["stock", "alto"], limit, speed, seed))


if __name__ == "__main__":
    typer.run(main)
