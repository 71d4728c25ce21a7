"""What reading the constant beginning of a node's prompts ahead of the node would save: time to the first token, real engine.

A prompt with a long beginning is asked when nobody has asked one that begins so; when somebody has, as each run of the same node has;
and when the beginning alone was read shortly before. The second is what an app has without any reading ahead, but for its first run.
Each beginning is used for one of the three only, in turn.

    .venv-vllm/bin/python -m benchmarks.serving_prefix
"""

from __future__ import annotations

import asyncio
import random
import statistics
import time
from typing import Annotated, Any

import typer
from langchain_core.messages import HumanMessage, SystemMessage

from alto_langgraph.adapters.vllm import ChatVLLM
from alto_langgraph.adapters.vllm.policy import Untold
from benchmarks.serving_engine import say_where, served, table
from benchmarks.serving_replicas import WORDS


async def first_token(llm: ChatVLLM, head: str, question: str) -> tuple[float, int]:
    """Seconds to the first token, and the tokens of the prompt that were in the cache."""
    begun = time.perf_counter()
    took, cached = 0.0, 0
    async for piece in llm.astream([SystemMessage(head), HumanMessage(question)], max_tokens=2, ignore_eos=True):
        took = took or time.perf_counter() - begun
        usage: Any = getattr(piece, "usage_metadata", None) or {}
        cached = usage.get("input_token_details", {}).get("cache_read", cached)
    return took, cached


async def measure(rounds: int, words: int, seed: int) -> None:
    say_where()
    llm, drawn = served(Untold()), random.Random(seed)
    await first_token(llm, "Hello", "hello")
    found: dict[str, list[tuple[float, int]]] = {"nobody has asked": [], "another run has asked": [], "read ahead": []}
    for turn in range(rounds):
        for way, took in found.items():
            head = f"{turn} {way} {' '.join(drawn.choices(WORDS, k=words))}"
            if way == "another run has asked":
                await first_token(llm, head, f"What did the traders weigh, {turn}?")
            elif way == "read ahead":
                await llm.ainvoke([SystemMessage(head)], max_tokens=1)
            took.append(await first_token(llm, head, f"Where do they meet, {turn}?"))
    rows = [
        [way, statistics.median(took for took, _ in rows) * 1e3, statistics.median(hit for _, hit in rows)] for way, rows in found.items()
    ]
    table(f"Medians of {rounds} prompts that begin with {words} words", ["when", "first token, ms", "tokens from the cache"], rows)


def main(
    rounds: Annotated[int, typer.Option(help="Prompts of each kind.")] = 30,
    words: Annotated[int, typer.Option(help="Length of the beginning.")] = 500,
    seed: Annotated[int, typer.Option(help="Draws the beginnings.")] = 0,
) -> None:
    asyncio.run(measure(rounds, words, seed))


if __name__ == "__main__":
    typer.run(main)
