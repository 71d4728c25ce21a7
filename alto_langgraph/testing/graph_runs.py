"""Runs a described case on one side and keeps what an app could see of it: events, outcomes, checkpoints, store."""

from __future__ import annotations

import asyncio
import gc
from collections import Counter
from collections.abc import Callable
from contextlib import aclosing, closing, nullcontext
from dataclasses import dataclass, field
from typing import Any

from langgraph.graph.state import StateGraph as Stock

from alto_langgraph.protocols import Fact, TaskStarted, observed_by
from alto_langgraph.testing import jumping_clock
from alto_langgraph.testing.chroma import deleted_collections
from alto_langgraph.testing.graph_session import AsyncSaver, Session, builder, joins_saved_as_they_were, saver_for
from alto_langgraph.testing.graph_specs import Case, TurnKind
from alto_langgraph.testing.pause import GAUGE, Gauge
from alto_langgraph.testing.plain_values import Event, events_by_namespace, plain, plain_checkpoint, plain_event, plain_snapshot
from alto_langgraph.testing.supersteps import outs_of
from alto_langgraph.testing.traces import recorded

__all__ = ["Played", "Turn", "builder", "play"]

PATIENCE = 1000
"""Seconds, on the jumping clock, after which all is done that can be while one node hangs."""

UNWINDING = 20
"""Turns of the event loop in which what has been cancelled, and nobody waits for, has ended."""

CUT_OFF = ("cancel", "leave", "crash", "loses")
"""Turns that end while tasks started ahead may be at work."""

ORDERLY = ("CancelledError", "GraphRecursionError")
"""Errors that end a run at a moment that is the same on both sides; of a subgraph, the second may come at any moment."""


@dataclass
class Turn:
    """What one turn showed; `cut_off` if it may have ended while tasks started ahead were at work."""

    kind: TurnKind
    arrived: list[Event] = field(default_factory=list)
    events: dict[tuple[str, ...], Any] = field(default_factory=dict)
    value: Any = None
    error: tuple[str, str] | None = None
    runs: Counter[str] = field(default_factory=Counter)
    cut_off: bool = False
    orderly: tuple[str, ...] = ORDERLY

    @property
    def failed(self) -> bool:
        """Whether an error has ended it wherever it was."""
        return self.error is not None and self.error[0] not in self.orderly

    def put(self, outcomes: list[Any]) -> None:
        """Keeps what several runs came to."""
        self.value = plain(outcomes)
        self.cut_off = any(isinstance(outcome, BaseException) for outcome in outcomes)

    def closed(self) -> int:
        """How many supersteps are known to be complete."""
        closing = [event.mode for event in self.arrived if event.closes and not event.namespace]
        return max(Counter(closing).values(), default=0)


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
    named: set[str] = field(default_factory=set)
    told: set[str] = field(default_factory=set)
    hung: str = ""
    spans: list[Any] = field(default_factory=list)

    @property
    def unknown(self) -> set[str]:
        """Ids of tasks in namespaces of events that no event about tasks has told of."""
        return self.named - self.told if self.told else set()

    @property
    def shown(self) -> dict[str, Any]:
        """Everything that must be equal on both sides."""
        shown: dict[str, Any] = {}
        for place, turn in enumerate(self.turns):
            shown[f"turn {place} ({turn.kind})"] = {"error": turn.error, "value": turn.value, "events": turn.events}
        return shown | {"history": self.history, "checkpoints": self.checkpoints, "store": self.notes}

    @property
    def failed(self) -> bool:
        """Whether a turn has."""
        return any(turn.failed for turn in self.turns)

    def observe(self, fact: Fact) -> None:
        """Counts what ran ahead."""
        if isinstance(fact, TaskStarted) and fact.ahead:
            self.ahead[fact.node] += 1

    def begin(self, kind: TurnKind, case: Case) -> Turn:
        """Notes that a turn begins."""
        orderly: tuple[str, ...] = ORDERLY[:1] if any(node.child for node in case.graph.nodes) else ORDERLY
        if any(node.ask and any(out.payload not in ("text", "dict") for out in outs_of(node.choices)) for node in case.graph.all_nodes()):
            orderly = orderly[1:]  # what a task on a part with mutable objects says waits for its end, which a cancelled one has not
        turn = Turn(kind, cut_off=kind in CUT_OFF, orderly=orderly)
        turn.runs.subtract(self.gauge.runs + Counter(self.gauge.tally))
        self.turns.append(turn)
        return turn

    def keep(self, turn: Turn, chunk: Any, subgraphs: bool) -> None:
        """Keeps the event as it looks now, before a node changes it in place.

        After a failed turn, checkpoints are without their tasks: which of them the failed superstep had finished is chance.
        """
        namespace, mode, data = chunk if subgraphs else ((), *chunk)
        event = Event(namespace, mode, plain_event(data))
        self.named |= {part.rpartition(":")[2] for part in namespace if ":" in part}
        told = data if mode == "tasks" else data["payload"] if mode == "debug" else {}
        self.told |= {told["id"]} if "id" in told else set()
        turn.arrived.append(event.without_tasks() if self.failed else event)

    def end(self, turn: Turn, still_running: list[str]) -> None:
        """Notes what the turn has left behind."""
        self.left_running += still_running
        turn.runs.update(self.gauge.runs + Counter(self.gauge.tally))
        turn.events = events_by_namespace(turn.arrived, failed=turn.failed)

    def finish(self, case: Case, history: list[Any], checkpoints: list[Any]) -> None:
        """Keeps the checkpoints; what a failed step's tasks had done by then is chance on either side.

        So is, with few at a time, which of its graphs had begun, and so saved something.
        """
        self.history = [plain_snapshot(snapshot, self.failed) for snapshot in history]
        if self.failed and case.concurrency:
            checkpoints = [c for c in checkpoints if not c.config["configurable"].get("checkpoint_ns")]
        self.checkpoints = sorted((plain_checkpoint(c, self.failed) for c in checkpoints), key=repr)


def play(case: Case, side: Any, pace: Callable[[float], float] = float) -> Played:
    """Runs the case with `side` in place of `StateGraph`, and nodes' times changed by `pace`."""
    played = Played(gauge=Gauge(pace))
    token = GAUGE.set(played.gauge)
    try:
        traced = recorded(played.spans) if case.traced and side is not Stock else nullcontext()
        racing = case.saver == "sqlite" or not case.coroutine
        settled = joins_saved_as_they_were() if racing else nullcontext()
        with observed_by(played), deleted_collections(), settled, traced:
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
    with saver_for(case) as saver:
        session = Session(case, side, saver)
        for kind in case.turns:
            turn = played.begin(kind, case)
            try:
                _turn_sync(session, turn, played)
            except Exception as error:
                turn.error = (type(error).__name__, str(plain(str(error))))
            played.end(turn, [f"{played.gauge.now} nodes"] if played.gauge.now else [])
        if saver:
            played.finish(case, list(session.graph.get_state_history(session.config)), list(saver.list(session.config)))
        played.notes = session.notes()


def _turn_sync(session: Session, turn: Turn, played: Played) -> None:
    kind, config = turn.kind, session.config
    if kind == "fresh":
        session.compile()
    session.arm(kind)
    graph = session.graph
    if kind == "batch":
        inputs, configs = session.batch()
        turn.put(graph.batch(inputs, configs, return_exceptions=True, **session.running))
        return
    state = graph.get_state(config) if session.saver and kind in ("on", "fresh") else None
    past = list(graph.get_state_history(config)) if session.saver and kind in ("fork", "rewind", "edit") else []
    if session.saver and kind in ("update", "edit"):
        old = session.at(past[len(past) // 2]) if past else config
        edited = graph.update_state(old, session.update, as_node=session.as_node)
        config = config if kind == "update" else session.on(edited)
    given, config = session.given(kind, state, past, config)
    if not session.case.modes:
        turn.value = plain(graph.invoke(given, config, **session.running))
        return
    with closing(graph.stream(given, config, **session.streaming)) as stream:
        for chunk in stream:
            played.keep(turn, chunk, session.case.subgraphs)
            if kind == "leave" and turn.closed() >= session.case.nth:
                break


async def _play_async(case: Case, side: Any, played: Played) -> None:
    async with AsyncSaver(case) as saver:
        session = Session(case, side, saver)
        resting = asyncio.all_tasks()
        for kind in case.turns:
            turn = played.begin(kind, case)
            try:
                if kind == "cancel" and case.saver != "sqlite":
                    await _cancelled(session, turn, played)
                else:
                    await _turn_async(session, turn, played)
            except Exception as error:
                turn.error = (type(error).__name__, str(plain(str(error))))
            if any(node.timeout for node in case.graph.all_nodes()):
                await _unwound(resting)
            if asyncio.all_tasks() - resting:
                gc.collect()  # of a subgraph given up, stock leaves tasks that nothing can wake
            played.end(turn, [name for task in asyncio.all_tasks() - resting if "Saver" not in (name := str(task.get_coro()))])
        if saver:
            history = [s async for s in session.graph.aget_state_history(session.config)]
            played.finish(case, history, [c async for c in saver.alist(session.config)])
        played.notes = session.notes()


async def _unwound(resting: set[asyncio.Task[Any]]) -> None:
    """Lets end what has been cancelled: a node under a timeout runs in a task of its own, which LangGraph doesn't wait for then."""
    for _ in range(UNWINDING):
        if not asyncio.all_tasks() - resting:
            break
        await asyncio.sleep(0)


async def _cancelled(session: Session, turn: Turn, played: Played) -> None:
    """Cancels the turn once nothing is left to do but what the hanging node keeps waiting."""
    played.gauge.hangs = session.case.at
    run = asyncio.create_task(_turn_async(session, turn, played))
    try:
        await asyncio.wait({run}, timeout=PATIENCE)
        run.cancel()
        await asyncio.wait({run})
    finally:
        played.gauge.hangs = ""
    if run.cancelled():
        turn.error = ("CancelledError", "")
    else:
        run.result()


async def _turn_async(session: Session, turn: Turn, played: Played) -> None:
    kind, config = turn.kind, session.config
    if kind == "fresh":
        session.compile()
    session.arm(kind)
    graph = session.graph
    if kind == "batch":
        inputs, configs = session.batch()
        turn.put(await graph.abatch(inputs, configs, return_exceptions=True, **session.running))
        return
    state = await graph.aget_state(config) if session.saver and kind in ("on", "fresh") else None
    past = [s async for s in graph.aget_state_history(config)] if session.saver and kind in ("fork", "rewind", "edit") else []
    if session.saver and kind in ("update", "edit"):
        old = session.at(past[len(past) // 2]) if past else config
        edited = await graph.aupdate_state(old, session.update, as_node=session.as_node)
        config = config if kind == "update" else session.on(edited)
    given, config = session.given(kind, state, past, config)
    if not session.case.modes:
        turn.value = plain(await graph.ainvoke(given, config, **session.running))
        return
    async with aclosing(graph.astream(given, config, **session.streaming)) as stream:
        async for chunk in stream:
            played.keep(turn, chunk, session.case.subgraphs)
            if kind == "leave" and turn.closed() >= session.case.nth:
                break
