"""Two real servers and prompts that begin alike: placed by what each replica holds, beside round-robin.

Families of prompts share a long beginning; each replica's cache holds about half of all beginnings. Both placements are given the same
prompts in the same order, a few at a time, under salts of their own, so that neither finds what the other has left.

    .venv-vllm/bin/python -m benchmarks.serving_replicas
"""

from __future__ import annotations

import asyncio
import random
import statistics
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Annotated, Any

import typer

from alto_langgraph.adapters.vllm.placing import Placing
from alto_langgraph.adapters.vllm.pool import Pool
from alto_langgraph.adapters.vllm.ports import Request
from alto_langgraph.adapters.vllm.remote import Remote
from alto_langgraph.testing import build_tiny_model
from benchmarks.serving_engine import say_where, table
from benchmarks.serving_servers import Replica

WORDS = ("old", "river", "spring", "mill", "town", "traders", "grain", "weigh", "rises", "below", "great", "where", "meet", "turns")
BLOCK = 32
"""Tokens of a block of the engine's cache."""


class RoundRobin(Placing):
    """Each replica in turn."""

    def __init__(self) -> None:
        super().__init__()
        self._turn = count()

    def choose(self, prompt: tuple[bytes, ...], among: Mapping[str, int]) -> str:
        names = sorted(among)
        return names[next(self._turn) % len(names)]


@dataclass(frozen=True, slots=True)
class Heard:
    """One answer: tokens of its prompt, those of them that were cached, seconds to its first token and to its end."""

    prompt: int
    cached: int
    first: float
    whole: float


def prompts(families: int, each: int, words: int, seed: int) -> list[str]:
    """Prompts of so many families, in the order of a shuffled pack."""
    drawn = random.Random(seed)
    heads = [f"Family {number}: {' '.join(drawn.choices(WORDS, k=words))}" for number in range(families)]
    made = [f"{head} Question {turn}." for turn in range(each) for head in heads]
    drawn.shuffle(made)
    return made


async def played(pool: Pool, said: list[str], salt: str, tokens: int, at_once: int) -> tuple[list[Heard], float]:
    """All prompts, so many at a time."""
    slots = asyncio.Semaphore(at_once)

    async def one(prompt: str) -> Heard:
        body: dict[str, Any] = {"model": "tiny", "messages": [{"role": "user", "content": prompt}], "cache_salt": salt}
        body |= {"max_tokens": tokens, "ignore_eos": True, "temperature": 0}
        async with slots:
            begun, first = time.perf_counter(), 0.0
            usage: Mapping[str, Any] = {}
            async for chunk in pool.chat(Request(body)):
                if not first and any(choice["delta"].get("content") for choice in chunk["choices"]):
                    first = time.perf_counter() - begun
                usage = chunk.get("usage") or usage
            cached = (usage.get("prompt_tokens_details") or {}).get("cached_tokens") or 0
            return Heard(usage["prompt_tokens"], cached, first, time.perf_counter() - begun)

    begun = time.perf_counter()
    heard = await asyncio.gather(*(one(prompt) for prompt in said))
    return heard, time.perf_counter() - begun


async def measure(families: int, each: int, words: int, tokens: int, at_once: int, seed: int) -> None:
    say_where()
    with tempfile.TemporaryDirectory() as folder:
        model = build_tiny_model(Path(folder) / "tiny")
        # half of the beginnings (about 1.3 tokens a word), and room for what is being computed
        blocks = families * int(words * 1.3) // BLOCK // 2 + at_once * (int(words * 1.3) + tokens) // BLOCK
        replicas = [
            Replica(model, Path(folder) / f"{name}.log", dtype="bfloat16", num_gpu_blocks_override=blocks) for name in ("one", "other")
        ]
        try:
            for replica in replicas:
                replica.start()
            for replica in replicas:
                await asyncio.to_thread(replica.ready)
            await compare(replicas, prompts(families, each, words, seed), tokens, at_once)
        finally:
            for replica in replicas:
                replica.kill()


async def compare(replicas: list[Replica], said: list[str], tokens: int, at_once: int) -> None:
    rows = []
    for name, placing in {"warm-up": RoundRobin(), "round-robin": RoundRobin(), "by prefix": Placing()}.items():
        pool = Pool([Remote(replica.url) for replica in replicas], placing=placing)
        heard, took = await played(pool, said if name != "warm-up" else said[:20], name, tokens, at_once)
        await pool.close()
        if name != "warm-up":
            hits = [one for one in heard if one.cached > one.prompt / 2]
            share = sum(one.cached for one in heard) / sum(one.prompt for one in heard)
            of_hits = statistics.median(one.first for one in hits) if hits else float("nan")
            rows.append([name, share, len(hits), of_hits, statistics.median(one.first for one in heard), took])
    columns = ["placement", "cached share of prompts", "hits", "first token of hits, s", "first token, s", "all, s"]
    table(f"{len(said)} prompts, {at_once} at a time", columns, rows)


def main(
    families: Annotated[int, typer.Option(help="Beginnings.")] = 32,
    each: Annotated[int, typer.Option(help="Prompts with each of them.")] = 8,
    words: Annotated[int, typer.Option(help="Words of a beginning.")] = 600,
    tokens: Annotated[int, typer.Option(help="Tokens of an answer.")] = 16,
    at_once: Annotated[int, typer.Option(help="Prompts at a time.")] = 8,
    seed: Annotated[int, typer.Option(help="Draws words and order.")] = 0,
) -> None:
    asyncio.run(measure(families, each, words, tokens, at_once, seed))


if __name__ == "__main__":
    typer.run(main)
