"""Runs a described case on one side and keeps what an app could see of it: events, outcomes, checkpoints, store."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from linecache import cache as lines
from typing import Any

import aiosqlite
from langgraph.cache.memory import InMemoryCache
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.graph.state import StateGraph as Stock
from langgraph.store.memory import InMemoryStore
from langgraph.types import Command

from alto_langgraph.protocols import Fact, TaskStarted, observed_by
from alto_langgraph.testing import jumping_clock
from alto_langgraph.testing.graph_source import source
from alto_langgraph.testing.graph_specs import Case, Graph
from alto_langgraph.testing.pause import GAUGE, Gauge
from alto_langgraph.testing.plain_values import Event, events_by_namespace, plain, plain_checkpoint, plain_snapshot

Build = Callable[[Any, Any], Any]


@dataclass
class Turn:
    """What one turn showed."""

    kind: str
    arrived: list[Event] = field(default_factory=list)
    events: dict[tuple[str, ...], Any] = field(default_factory=dict)
    value: Any = None
    error: tuple[str, str] | None = None


@dataclass
class Played:
    """What one side showed, and, besides, how it went about it."""

    turns: list[Turn] = field(default_factory=list)
    history: list[Any] = field(default_factory=list)
    checkpoints: list[Any] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    ahead: Counter[str] = field(default_factory=Counter)
    left_running: list[str] = field(default_factory=list)
    gauge: Gauge = field(default_factory=Gauge)

    @property
    def shown(self) -> dict[str, Any]:
        """Everything that must be equal on both sides."""
        shown: dict[str, Any] = {}
        for place, turn in enumerate(self.turns):
            shown[f"turn {place} ({turn.kind})"] = {"error": turn.error, "value": turn.value, "events": turn.events}
        return shown | {"history": self.history, "checkpoints": self.checkpoints, "store": self.notes}

    def observe(self, fact: Fact) -> None:
        """Counts what ran ahead."""
        if isinstance(fact, TaskStarted) and fact.ahead:
            self.ahead[fact.node] += 1


@lru_cache(maxsize=64)
def builder(graph: Graph) -> Build:
    """The `build` function of the graph's source; the source can be inspected."""
    text = source(graph)
    name = f"<random graph {hash(graph) & 0xFFFFFFFF:08x}>"
    lines[name] = (len(text), None, text.splitlines(keepends=True), name)
    module: dict[str, Any] = {"__name__": "random_graph"}
    exec(compile(text, name, "exec", dont_inherit=True), module)
    build: Build = module["build"]
    return build


def play(case: Case, side: Any, pace: Callable[[float], float] = float) -> Played:
    """Runs the case with `side` in place of `StateGraph`, and nodes' times changed by `pace`."""
    played = Played(gauge=Gauge(pace))
    token = GAUGE.set(played.gauge)
    try:
        with observed_by(played):
            if not case.coroutine:
                _play_sync(case, side, played)
            elif case.saver == "sqlite":
                asyncio.run(_play_async(case, side, played))
            else:
                jumping_clock.run(_play_async(case, side, played))
    finally:
        GAUGE.reset(token)
    return played


def _play_sync(case: Case, side: Any, played: Played) -> None:
    with _saver(case) as saver:
        session = _Session(case, side, saver, played)
        for kind in case.turns:
            turn = Turn(kind)
            played.turns.append(turn)
            try:
                state = session.graph.get_state(session.config) if saver and kind == "on" else None
                past = list(session.graph.get_state_history(session.config)) if saver and kind == "fork" else []
                if saver and kind == "update":
                    session.graph.update_state(session.config, UPDATE, as_node=case.graph.nodes[0].name)
                given, config = session.given(turn, state, past)
                if case.modes:
                    for chunk in session.graph.stream(given, config, **session.streaming):
                        session.keep(turn, chunk)
                else:
                    turn.value = plain(session.graph.invoke(given, config, **session.running))
            except Exception as error:
                turn.error = (type(error).__name__, str(plain(str(error))))
            session.end(turn, [f"{played.gauge.now} nodes"] if played.gauge.now else [])
        if saver:
            session.finish(list(session.graph.get_state_history(session.config)), list(saver.list(session.config)))
        session.read_store()


async def _play_async(case: Case, side: Any, played: Played) -> None:
    async with _AsyncSaver(case) as saver:
        session = _Session(case, side, saver, played)
        resting = asyncio.all_tasks()
        for kind in case.turns:
            turn = Turn(kind)
            played.turns.append(turn)
            try:
                state = await session.graph.aget_state(session.config) if saver and kind == "on" else None
                past = [s async for s in session.graph.aget_state_history(session.config)] if saver and kind == "fork" else []
                if saver and kind == "update":
                    await session.graph.aupdate_state(session.config, UPDATE, as_node=case.graph.nodes[0].name)
                given, config = session.given(turn, state, past)
                if case.modes:
                    async for chunk in session.graph.astream(given, config, **session.streaming):
                        session.keep(turn, chunk)
                else:
                    turn.value = plain(await session.graph.ainvoke(given, config, **session.running))
            except Exception as error:
                turn.error = (type(error).__name__, str(plain(str(error))))
            session.end(turn, [name for task in asyncio.all_tasks() - resting if "Saver" not in (name := str(task.get_coro()))])
        if saver:
            session.finish(
                [s async for s in session.graph.aget_state_history(session.config)], [c async for c in saver.alist(session.config)]
            )
        session.read_store()


UPDATE = {"total": 5, "log": ["updated"]}


class _Session:
    """One compiled graph and its thread."""

    def __init__(self, case: Case, side: Any, saver: Any, played: Played) -> None:
        self.case, self.saver, self.played = case, saver, played
        self.store = InMemoryStore()
        options: dict[str, Any] = {"alto": {"window": case.window}} if case.window is not None and side is not Stock else {}
        self.graph = builder(case.graph)(side, Stock).compile(checkpointer=saver, cache=InMemoryCache(), store=self.store, **options)
        self.config: dict[str, Any] = {"recursion_limit": case.limit, "configurable": {"thread_id": "t"}}
        if case.concurrency:
            self.config["max_concurrency"] = case.concurrency
        self.running: dict[str, Any] = {"interrupt_before": list(case.before), "interrupt_after": list(case.after)}
        if saver:
            self.running["durability"] = case.durability
        self.streaming = self.running | {"stream_mode": list(case.modes), "subgraphs": case.subgraphs}

    def given(self, turn: Turn, state: Any, past: list[Any]) -> tuple[Any, dict[str, Any]]:
        """Input and config of this turn."""
        waiting = {i.id: f"yes, {i.value}" for task in state.tasks for i in task.interrupts} if state else {}
        if waiting:
            return Command(resume=waiting), self.config
        if self.saver and turn.kind in ("on", "update"):
            return None, self.config
        if past:
            return None, self.config | {"configurable": past[len(past) // 2].config["configurable"]}
        return {"seed": self.case.seed + len(self.played.turns), "box": []}, self.config

    def keep(self, turn: Turn, chunk: Any) -> None:
        """Keeps the event as it looks now, before a node changes it in place.

        After a failed turn, checkpoints are without their tasks: which of them the failed superstep had finished is chance.
        """
        namespace, mode, data = chunk if self.case.subgraphs else ((), *chunk)
        event = Event(namespace, mode, plain(data))
        failed = any(earlier.error for earlier in self.played.turns)
        turn.arrived.append(event.without_tasks() if failed else event)

    def end(self, turn: Turn, still_running: list[str]) -> None:
        """Notes what the turn has left behind."""
        self.played.left_running += still_running
        turn.events = events_by_namespace(turn.arrived, failed=turn.error is not None)

    def finish(self, history: list[Any], checkpoints: list[Any]) -> None:
        """Keeps the checkpoints; what a failed step's tasks had done by then is chance on either side."""
        failed = any(turn.error for turn in self.played.turns)
        self.played.history = [plain_snapshot(snapshot, failed) for snapshot in history]
        self.played.checkpoints = sorted((plain_checkpoint(c, failed) for c in checkpoints), key=repr)

    def read_store(self) -> None:
        """Keeps the store's keys."""
        self.played.notes = sorted(item.key for item in self.store.search(("notes",), limit=10_000))


@contextmanager
def _saver(case: Case) -> Iterator[Any]:
    if case.saver == "sqlite":
        with SqliteSaver.from_conn_string(":memory:") as saver:
            yield saver
    else:
        yield InMemorySaver() if case.saver == "memory" else None


class _AsyncSaver:
    def __init__(self, case: Case) -> None:
        self.kind = case.saver
        self.connection: aiosqlite.Connection | None = None

    async def __aenter__(self) -> Any:
        if self.kind != "sqlite":
            return InMemorySaver() if self.kind == "memory" else None
        self.connection = await aiosqlite.connect(":memory:")
        saver = AsyncSqliteSaver(self.connection)
        await saver.setup()
        return saver

    async def __aexit__(self, *_: object) -> None:
        if self.connection:
            await self.connection.close()
