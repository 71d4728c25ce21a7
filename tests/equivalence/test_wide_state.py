"""In graphs of many state keys nothing looks at all of them in every superstep, and nobody can tell."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import aiosqlite
import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.graph.state import StateGraph as Stock
from langgraph.types import Command

from alto_langgraph.adapters.langgraph import checkpoints, incremental
from alto_langgraph.graph import StateGraph as Alto
from tests.equivalence.wide_state import DELTA, GIVEN, STATE, build

SCHEMAS = pytest.mark.parametrize("schema", [STATE, DELTA], ids=["plain", "delta"])
ROOT: Any = {"configurable": {"thread_id": "t", "checkpoint_ns": ""}}
CONFIG: dict[str, Any] = {"configurable": {"thread_id": "t"}, "recursion_limit": 60}

MADE_UP = re.compile(r"(\d{32})\.[\de.-]+|[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}|\d{4}-\d\d-\d\dT[0-9:.+]+")
"""Ids, times, and the random part of versions."""


def picture(value: Any) -> str:
    """All of a value, down to the order of a dict's keys, but for what LangGraph makes up."""
    return MADE_UP.sub(lambda found: found[1] or "", repr(_ordered(value)))


def _ordered(value: Any) -> Any:
    match value:
        case set() | frozenset():
            return sorted(value)
        case dict():
            return {key: _ordered(item) for key, item in value.items()}
        case tuple() | list():
            return [*map(_ordered, value)]
    return value


def another_value(graph: Any, saved: Sequence[Any]) -> Any:
    return graph.update_state(CONFIG, {"key04": "updated", "key11": "late after all", "rounds": 1}, as_node="begin")


def an_old_checkpoint(graph: Any, saved: Sequence[Any]) -> Any:
    return saved[len(saved) // 2].config


Turn = tuple[Any, Callable[[Any, Any], Any] | None]
"""An input, and what is done to the thread before it, which returns the config to run with."""

TURNS: list[Turn] = [
    (GIVEN, None),
    (Command(resume="yes"), None),
    ({"key12": "second input", "rounds": 2}, None),
    (None, another_value),
    (None, an_old_checkpoint),
    ({"key10": "on an old checkpoint", "rounds": 1}, an_old_checkpoint),
    (Command(resume="again"), None),
]
HOW: dict[str, Any] = {"stream_mode": ["values", "updates", "checkpoints"], "subgraphs": True}


def played(graph: Any, **how: Any) -> list[str]:
    """All that can be seen of the turns on one thread, and in the end of what was saved."""
    seen = []
    for given, before in TURNS:
        config = before(graph, list(graph.checkpointer.list(ROOT))) if before else CONFIG
        seen += told(graph.stream(given, {**CONFIG, **config}, **HOW, **how))
    return seen + saved(graph.checkpointer.list({"configurable": {"thread_id": "t"}}))


async def aplayed(graph: Any, **how: Any) -> list[str]:
    """`played`, async."""
    seen = []
    for given, before in TURNS:
        rows = [row async for row in graph.checkpointer.alist(ROOT)]
        config = await asyncio.to_thread(before, graph, rows) if before else CONFIG
        seen += told([event async for event in graph.astream(given, {**CONFIG, **config}, **HOW, **how)])
    return seen + saved([row async for row in graph.checkpointer.alist({"configurable": {"thread_id": "t"}})])


def told(events: Iterable[Any]) -> list[str]:
    """What was streamed, with tasks that end in any order in a certain one."""
    events = list(events)
    assert events
    one_by_one = [picture(event) for event in events if event[1] != "updates"]
    return one_by_one + sorted(picture(event) for event in events if event[1] == "updates")


def saved(rows: Iterable[Any]) -> list[str]:
    """What a saver holds."""
    return sorted(picture([row.config, row.checkpoint, row.metadata, sorted(picture(w[1:]) for w in row.pending_writes)]) for row in rows)


@pytest.fixture(autouse=True)
def subgraphs_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(incremental, "MANY", 0)


class Keeper(InMemorySaver):
    """Keeps the very objects it is given, and pictures of them as they were then."""

    def __init__(self) -> None:
        super().__init__()
        self.given: list[Any] = []
        self.pictures: list[str] = []

    def put(self, config: Any, checkpoint: Any, metadata: Any, new_versions: Any) -> Any:
        self.given.append((checkpoint, metadata, new_versions))
        self.pictures.append(lasting(*self.given[-1]))
        return super().put(config, checkpoint, metadata, new_versions)


CHANGES = re.compile(r"join:.*|all_said")
"""Channels that LangGraph itself changes in place after a saver was given what they hold."""


def lasting(checkpoint: Any, metadata: Any, new_versions: Any) -> str:
    """What a saver was given, and the app doesn't change."""
    values = {key: None if CHANGES.fullmatch(key) else value for key, value in checkpoint["channel_values"].items()}
    return picture([{**checkpoint, "channel_values": values}, metadata, new_versions])


@pytest.mark.parametrize("durability", ["sync", "async", "exit"])
@SCHEMAS
def test_sync(schema: Any, durability: str) -> None:
    stock, alto = (build(side, Stock, schema=schema, checkpointer=InMemorySaver()) for side in (Stock, Alto))
    assert played(alto, durability=durability) == played(stock, durability=durability)


@pytest.mark.parametrize("durability", ["sync", "async", "exit"])
@SCHEMAS
async def test_async(schema: Any, durability: str) -> None:
    stock, alto = (build(side, Stock, True, schema, checkpointer=InMemorySaver()) for side in (Stock, Alto))
    assert await aplayed(alto, durability=durability) == await aplayed(stock, durability=durability)


# With durability "async" a database is written while LangGraph already changes, in place, what a join has seen.
@SCHEMAS
def test_sync_in_a_database(schema: Any) -> None:
    def seen(side: Any) -> list[str]:
        with SqliteSaver.from_conn_string(":memory:") as saver:
            return played(build(side, Stock, schema=schema, checkpointer=saver), durability="sync")

    assert seen(Alto) == seen(Stock)


@SCHEMAS
async def test_async_in_a_database(schema: Any) -> None:
    async def seen(side: Any) -> list[str]:
        async with aiosqlite.connect(":memory:") as connection:
            return await aplayed(build(side, Stock, True, schema, checkpointer=AsyncSqliteSaver(connection)), durability="sync")

    assert await seen(Alto) == await seen(Stock)


@SCHEMAS
def test_without_a_checkpointer(schema: Any) -> None:
    stock, alto = (build(side, Stock, schema=schema) for side in (Stock, Alto))
    assert told(alto.stream({**GIVEN, "rounds": 2}, CONFIG, **HOW)) == told(stock.stream({**GIVEN, "rounds": 2}, CONFIG, **HOW))


@pytest.fixture(params=[False, True], ids=["keeping", "writing"])
def trusted(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether savers are taken for ones that keep nothing."""
    monkeypatch.setattr(checkpoints, "writes_down", lambda saver: request.param)
    return bool(request.param)


@SCHEMAS
@pytest.mark.parametrize("durability", ["sync", "exit"])
def test_a_saver_is_given_the_same(schema: Any, durability: str, trusted: bool) -> None:
    stock, alto = Keeper(), Keeper()
    for side, saver in ((Stock, stock), (Alto, alto)):
        played(build(side, Stock, schema=schema, checkpointer=saver), durability=durability)
    assert len(stock.pictures) >= len(TURNS)
    assert alto.pictures == stock.pictures


@SCHEMAS
async def test_nothing_that_a_saver_was_given_changes_afterwards(schema: Any, trusted: bool) -> None:
    for side in (Stock, Alto):
        saver = Keeper()
        await aplayed(build(side, Stock, True, schema, checkpointer=saver), durability="sync")
        assert [lasting(*given) for given in saver.given] == saver.pictures


class Hoarder(Keeper):
    """Gives back the very objects it was given, as savers do that write nothing down."""

    def get_tuple(self, config: Any) -> Any:
        row = super().get_tuple(config)
        if row is None:
            return None
        kept = [checkpoint for checkpoint, *_ in self.given if checkpoint["id"] == row.checkpoint["id"]]
        return row._replace(checkpoint=kept[0]) if kept else row


@SCHEMAS
def test_runs_that_go_on_from_what_a_saver_has_kept_change_only_that(schema: Any) -> None:
    stock, alto = Hoarder(), Hoarder()
    for side, saver in ((Stock, stock), (Alto, alto)):
        played(build(side, Stock, schema=schema, checkpointer=saver), durability="sync")
    assert [lasting(*given) for given in stock.given] != stock.pictures, "stock itself must change what was kept"
    assert [lasting(*given) for given in alto.given] == [lasting(*given) for given in stock.given]
