"""An app can't tell alto from stock: every shape, sync and async, with each checkpointer, in each stream mode."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import aiosqlite
import pytest
from langgraph.cache.memory import InMemoryCache
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.graph.state import StateGraph as Stock
from langgraph.store.memory import InMemoryStore

from alto_langgraph.comparison import MODES, Observation, arecord, difference, record
from alto_langgraph.graph import StateGraph as Alto
from alto_langgraph.protocols import Fact, TaskStarted, observed_by
from alto_langgraph.testing import jumping_clock
from alto_langgraph.testing.graph_runs import builder
from alto_langgraph.testing.graph_shapes import SHAPES, Shape, as_coroutines

SAVERS = ("none", "memory", "sqlite")
STREAMS = (MODES, ("values",), ("updates", "debug"), ("custom", "messages", "debug"))
"""`debug` beside those that don't show where a superstep ends, so that the harness can tell the order between them."""
EVERY_MODE = pytest.mark.parametrize("modes", STREAMS, ids="+".join)


class Ahead:
    """Counts by node what ran ahead."""

    def __init__(self) -> None:
        self.nodes: Counter[str] = Counter()

    def observe(self, fact: Fact) -> None:
        if isinstance(fact, TaskStarted) and fact.ahead:
            self.nodes[fact.node] += 1


def compiled(side: Any, shape: Shape, coroutine: bool, saver: Any) -> Any:
    graph = builder(as_coroutines(shape.graph, coroutine))(side, Stock)
    return graph.compile(checkpointer=saver, cache=InMemoryCache(), store=InMemoryStore())


def arguments(shape: Shape, saver: str, modes: tuple[str, ...]) -> dict[str, Any]:
    then = shape.then if saver != "none" else ()
    how = {} if saver == "none" and "interrupt_before" in shape.how else shape.how
    return {"then": then, "stream_mode": modes, "config": {"configurable": {"thread_id": "t"}, **shape.config}, **how}


def recorded_sync(side: Any, shape: Shape, saver: str, modes: tuple[str, ...]) -> Observation:
    given = arguments(shape, saver, modes)
    if saver == "sqlite":
        with SqliteSaver.from_conn_string(":memory:") as sqlite:
            return record(compiled(side, shape, False, sqlite), {"seed": 7, "box": []}, sync=True, **given)
    return record(compiled(side, shape, False, InMemorySaver() if saver == "memory" else None), {"seed": 7, "box": []}, sync=True, **given)


async def recorded_async(side: Any, shape: Shape, saver: str, modes: tuple[str, ...]) -> Observation:
    given = arguments(shape, saver, modes)
    if saver == "sqlite":
        async with aiosqlite.connect(":memory:") as connection:
            return await arecord(compiled(side, shape, True, AsyncSqliteSaver(connection)), {"seed": 7, "box": []}, **given)
    return await arecord(compiled(side, shape, True, InMemorySaver() if saver == "memory" else None), {"seed": 7, "box": []}, **given)


@EVERY_MODE
@pytest.mark.parametrize("saver", SAVERS)
@pytest.mark.parametrize("name", SHAPES)
def test_sync(name: str, saver: str, modes: tuple[str, ...]) -> None:
    stock, alto = (recorded_sync(side, SHAPES[name], saver, modes) for side in (Stock, Alto))
    found = difference(stock, alto)
    assert found is None, str(found)


@EVERY_MODE
@pytest.mark.parametrize("saver", SAVERS)
@pytest.mark.parametrize("name", SHAPES)
async def test_async(name: str, saver: str, modes: tuple[str, ...]) -> None:
    stock = await recorded_async(Stock, SHAPES[name], saver, modes)
    before = asyncio.all_tasks()
    alto = await recorded_async(Alto, SHAPES[name], saver, modes)
    assert asyncio.all_tasks() == before, "tasks were left running"
    found = difference(stock, alto)
    assert found is None, str(found)


@pytest.mark.parametrize("name", [name for name, shape in SHAPES.items() if shape.ahead])
def test_something_ran_ahead(name: str) -> None:
    ahead = Ahead()
    with observed_by(ahead):
        jumping_clock.run(recorded_async(Alto, SHAPES[name], "none", ("values",)))
    assert ahead.nodes, f"nothing of {name!r} ran ahead"


@pytest.mark.parametrize("name", ["one node", "stock subgraph", "error in a late stage", "interrupts in a chain"])
async def test_the_harness_finds_stock_equal_to_itself(name: str) -> None:
    once, again = [await recorded_async(Stock, SHAPES[name], "memory", MODES) for _ in range(2)]
    assert difference(once, again) is None


async def test_the_harness_finds_a_different_answer() -> None:
    once, again = [
        await recorded_async(Stock, SHAPES[name], "memory", MODES) for name in ("chain of sends", "long chain of sends by command")
    ]
    assert difference(once, again) is not None
