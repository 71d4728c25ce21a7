"""Sends nested four deep: the reducer folds in the order of the tags, under stock as under alto, whatever finishes first."""

from __future__ import annotations

import asyncio
import operator
from contextvars import ContextVar
from random import Random
from typing import Annotated, Any

import pytest
from langgraph.graph import StateGraph as StockStateGraph
from langgraph.types import Command, Send
from typing_extensions import TypedDict

from alto_langgraph import current_tag
from alto_langgraph.driver.early import CURRENT
from alto_langgraph.graph import START, StateGraph
from alto_langgraph.tags import Tag

LEVELS = ("document", "paragraph", "sentence", "claim")
SAID: ContextVar[dict[str, tuple[Tag | None, bool]]] = ContextVar("said")
TURNS: ContextVar[Random] = ContextVar("turns")


class State(TypedDict, total=False):
    documents: list[Any]
    verdicts: Annotated[list[str], operator.add]


def text(sizes: Random, depth: int = 0) -> list[Any]:
    """Lists in lists, as deep as there are levels, some of them empty."""
    parts = range(sizes.choice([0, 1, 2, 3]) if depth else 3)
    return [text(sizes, depth + 1) if depth + 1 < len(LEVELS) else [] for _ in parts]


def addressed(parts: list[Any], above: str) -> list[tuple[str, list[Any]]]:
    return [(f"{above}.{place}", part) for place, part in enumerate(parts)]


async def say(name: str) -> None:
    """Notes who has come, after a random number of turns of the event loop."""
    SAID.get()[name] = (current_tag(), CURRENT.get() is not None)
    for _ in range(TURNS.get().choice([0, 1, 30])):
        await asyncio.sleep(0)


def stage(depth: int) -> Any:
    """A node that sends each of its parts to the next level, now to this and now to that one of its two nodes."""

    async def split(given: tuple[str, list[Any]]) -> Command[Any]:
        name, parts = given
        await say(name)
        if depth + 1 == len(LEVELS):
            return Command(update={"verdicts": [name]})
        goals = (LEVELS[depth + 1], f"other_{LEVELS[depth + 1]}")
        return Command(goto=[Send(goals[int(part[0][-1]) % 2], part) for part in addressed(parts, name)])

    return split


def build(graph: type[Any]) -> Any:
    builder = graph(State)
    for depth, level in enumerate(LEVELS):
        ends = () if depth + 1 == len(LEVELS) else (LEVELS[depth + 1], f"other_{LEVELS[depth + 1]}")
        builder.add_node(level, stage(depth), destinations=ends)
        builder.add_node(f"other_{level}", stage(depth), destinations=ends)
    return builder.add_conditional_edges(
        START, lambda state: [Send("document", part) for part in addressed(state["documents"], "")], ["document"]
    ).compile()


async def run(graph: type[Any], seed: int) -> tuple[list[str], dict[str, tuple[Tag | None, bool]]]:
    said: dict[str, tuple[Tag | None, bool]] = {}
    SAID.set(said)
    TURNS.set(Random(seed))
    answer = await build(graph).ainvoke({"documents": text(Random(seed))})
    return answer.get("verdicts", []), said


@pytest.mark.parametrize("seed", range(12))
async def test_the_reducer_folds_in_the_order_of_the_tags(seed: int) -> None:
    stock, _ = await run(StockStateGraph, seed)
    alto, said = await run(StateGraph, seed)
    assert alto == stock
    tags = {name: tag for name, (tag, _) in said.items() if tag is not None}
    assert len(tags) == len(said)
    assert sorted(stock, key=tags.__getitem__) == stock
    assert [str(tags[name]).count("/") for name in stock] == [len(LEVELS)] * len(stock)


async def test_much_of_that_has_run_ahead() -> None:
    ahead = [early for seed in range(12) for _, early in (await run(StateGraph, seed))[1].values()]
    assert sum(ahead) > len(ahead) / 4
