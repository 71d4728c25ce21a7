"""A real engine in this process for the serving benchmarks: a tiny model, its best throughput, and loads of runs that are played on it."""

from __future__ import annotations

import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from alto_langgraph.adapters.vllm import ChatVLLM
from alto_langgraph.adapters.vllm.policy import Policy
from alto_langgraph.testing import build_tiny_model
from benchmarks.machine import machine
from benchmarks.serving_servers import ARGUMENTS, ENVIRONMENT
from benchmarks.serving_simulation import Arrival, Engine, Ran

SLOTS = 64
"""Most requests that the engine computes at a time."""
console = Console()


def served(policy: Policy, *, slots: int = SLOTS, max_concurrency: int | None = None) -> ChatVLLM:
    """A model on the engine in this process, whose requests are ordered by a policy. All policies share the engine."""
    os.environ.update({key: value for key, value in ENVIRONMENT.items() if "OMP" not in key})  # one engine may have all cores
    path = Path(tempfile.gettempdir()) / f"alto-tiny-model-{os.getuid()}"
    if not (path / "config.json").exists():
        build_tiny_model(path)
    arguments = {**ARGUMENTS, "dtype": "bfloat16", "max_num_seqs": slots, "served_model_name": "tiny", "enable_prefix_caching": True}
    return ChatVLLM(model=str(path), engine=arguments, temperature=0, policy=policy, max_concurrency=max_concurrency)


async def ask(llm: ChatVLLM, prompt: str, tokens: int) -> str:
    """One call with an answer of so many tokens."""
    return (await llm.ainvoke(prompt, max_tokens=tokens, ignore_eos=True)).text


async def curve(
    in_turn: Callable[[int, int], Awaitable[Any]], *, tokens: int, sizes: Sequence[int] = (1, 4, 8, 16, 32, 48, 64)
) -> tuple[tuple[int, float], ...]:
    """Tokens a second at so many calls at a time: the better of two rounds, as what else the machine does only takes away from it.

    Args:
        in_turn: Makes calls one after the other: told a number of its own, and how many.
        tokens: What a call is answered.
        sizes: Calls at a time, each of them measured for a second or two in a round.
    """
    await asyncio.gather(*(in_turn(-1 - number, 1) for number in range(max(sizes))))
    found = dict.fromkeys(sizes, 0.0)
    for turn, size in product(range(2), sizes):
        calls = max(3, 40 // (size + 3))
        begun = time.perf_counter()
        await asyncio.gather(*(in_turn(10_000 * turn + 100 * size + number, calls) for number in range(size)))
        found[size] = max(found[size], size * calls * tokens / (time.perf_counter() - begun))
    return tuple(found.items())


async def play(arrivals: Sequence[Arrival], run: Callable[[int, Arrival], Awaitable[Any]]) -> list[Ran]:
    """Begins each run when it arrives, and tells what each took."""
    begun = time.perf_counter()

    async def one(number: int, arrival: Arrival) -> Ran:
        await asyncio.sleep(max(0.0, arrival.at - (time.perf_counter() - begun)))
        await run(number, arrival)
        return Ran(arrival.kind, arrival.at, time.perf_counter() - begun - arrival.at)

    return await asyncio.gather(*(one(number, arrival) for number, arrival in enumerate(arrivals)))


def mean(rans: Sequence[Ran], kind: str | None = None) -> float:
    """Mean seconds of runs, of one kind or of all."""
    return statistics.mean(ran.took for ran in rans if kind in (None, ran.kind))


def p95(rans: Sequence[Ran], kind: str | None = None) -> float:
    """The 95th percentile of their seconds."""
    took = [ran.took for ran in rans if kind in (None, ran.kind)]
    return statistics.quantiles(took, n=20, method="inclusive")[-1] if len(took) > 1 else took[0]


def slowdown(rans: Sequence[Ran], unloaded: Mapping[str, float]) -> float:
    """Mean of each run's time over what it takes where nothing else runs."""
    return statistics.mean(ran.took / unloaded[ran.kind] for ran in rans)


def engine_of(measured: Sequence[tuple[int, float]], unloaded: float, tokens: int) -> Engine:
    """The simulated engine with a measured batch curve; what a call takes beyond its tokens goes to the overhead."""
    rising = [measured[0]]
    for size, speed in measured[1:]:
        rising.append((size, max(speed, rising[-1][1])))
    overhead = max(0.0, unloaded - tokens * measured[0][0] / measured[0][1])
    return Engine(curve=tuple(rising), slots=SLOTS, overhead=overhead)


def say_where() -> None:
    """Says on what machine figures were taken."""
    about = machine()
    console.print(f"{about['processor']}, {about['cores']} cores, load {about['load']} before, Python {about['python']}", style="dim")


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Prints rows of text and numbers."""
    shown = Table(*columns, title=title, title_justify="left")
    for row in rows:
        shown.add_row(*(f"{cell:.3g}" if isinstance(cell, float) else str(cell) for cell in row))
    console.print(shown)
