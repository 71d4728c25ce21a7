"""Runs a graph and keeps everything an app could have seen of it."""

from __future__ import annotations

import asyncio
import contextvars
import copy
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from alto_langgraph.comparison.events import Recorder
from alto_langgraph.comparison.observation import Observation, Turn
from alto_langgraph.comparison.plain import Thing, bag, exception, plain

MODES = ("values", "updates", "tasks", "checkpoints", "debug", "messages", "custom")
"""Every stream mode that shows what a run does."""

T = TypeVar("T")


def record(graph: Any, input: Any, *, then: Sequence[Any] = (), sync: bool = False, **how: Any) -> Observation:
    """Runs `graph` on `input`, then on each of `then` in the same thread, and returns all that could be seen.

    Args:
        graph: A compiled graph.
        input: Input of the first turn. It is copied, so a node that changes it leaves no trace.
        then: Inputs of further turns, which need a checkpointer: an input, a `Command(resume=...)`, None, or a function from
            the interrupts that the turn before it waits for to one of these.
        sync: Whether to use `stream` (threads) instead of `astream`.
        how: `config`, `stream_mode` (default: all), `subgraphs` (default: True), and whatever else `stream` takes:
            `context`, `durability`, `interrupt_before`, `interrupt_after`, ...

    Returns:
        Values only; equal runs compare equal by `difference`. Without `debug` among the stream modes supersteps are told apart
        only as far as the modes show them.
    """
    if sync:
        return Recording(graph, **how).sync(input, then)
    return in_plain_thread(lambda: asyncio.run(arecord(graph, input, then=then, **how)))


async def arecord(graph: Any, input: Any, *, then: Sequence[Any] = (), **how: Any) -> Observation:
    """As `record`, for callers that are coroutines themselves."""
    return await Recording(graph, **how).asynchronous(input, then)


class Recording:
    """One thread of one graph, while it is recorded."""

    def __init__(
        self, graph: Any, *, config: dict[str, Any] | None = None, stream_mode: Any = MODES, subgraphs: bool = True, **how: Any
    ) -> None:
        self.graph, self.modes = graph, stream_mode if isinstance(stream_mode, str) else list(stream_mode)
        self.config = with_thread(config)
        self.subgraphs = subgraphs
        self.how = {"stream_mode": self.modes, "subgraphs": subgraphs, **how}
        self.saver = graph.checkpointer if hasattr(graph.checkpointer, "alist") else None
        self.turns: list[Turn] = []
        self.waiting: tuple[Any, ...] = ()

    def sync(self, input: Any, then: Sequence[Any]) -> Observation:
        """Runs every turn with `stream`."""
        for given in (input, *then):
            recorder = Recorder(self.modes, self.subgraphs)
            with keeping(recorder):
                for chunk in self.graph.stream(self._input(given), self.config, **self.how):
                    recorder.add(chunk)
            with keeping(seen := Seen()):
                seen.value = self.graph.get_state(self.config, subgraphs=True) if self.saver else None
            self._close(recorder, seen)
        rows = list(self.saver.list(_of_thread(self.config))) if self.saver else []
        with keeping(history := Seen()):
            history.value = list(self.graph.get_state_history(self.config)) if self.saver else []
        return self._observation(history, rows)

    async def asynchronous(self, input: Any, then: Sequence[Any]) -> Observation:
        """Runs every turn with `astream`."""
        for given in (input, *then):
            recorder = Recorder(self.modes, self.subgraphs)
            with keeping(recorder):
                async for chunk in self.graph.astream(self._input(given), self.config, **self.how):
                    recorder.add(chunk)
            with keeping(seen := Seen()):
                seen.value = await self.graph.aget_state(self.config, subgraphs=True) if self.saver else None
            self._close(recorder, seen)
        rows = [row async for row in self.saver.alist(_of_thread(self.config))] if self.saver else []
        with keeping(history := Seen()):
            history.value = [snapshot async for snapshot in self.graph.aget_state_history(self.config)] if self.saver else []
        return self._observation(history, rows)

    def _input(self, given: Any) -> Any:
        return copied(given(self.waiting) if callable(given) else given)

    def _close(self, recorder: Recorder, state: Seen) -> None:
        self.waiting = tuple(state.value.interrupts if state.value is not None else recorder.interrupts)
        self.turns.append(
            Turn(
                events=recorder.finish(),
                output=recorder.output,
                interrupts=bag(self.waiting),
                error=exception(recorder.error) if recorder.error else None,
                state=state.plain,
                raced=recorder.error is not None and recorder.raced,
                caught=frozenset(map("|".join, recorder.caught)),
            )
        )

    def _observation(self, history: Seen, rows: Iterable[Any]) -> Observation:
        stored: dict[str, list[Thing]] = {}
        for row in rows:
            stored.setdefault(row.config["configurable"].get("checkpoint_ns", ""), []).append(_stored(row))
        snapshots = history.plain
        return Observation(tuple(self.turns), tuple(snapshots if isinstance(snapshots, list) else [snapshots]), _frozen(stored))


class Failing(Protocol):
    """What keeps an exception instead of letting it through."""

    error: Exception | None


@dataclass
class Seen:
    """What a call returned, or the exception it ended by: an app sees either."""

    value: Any = None
    error: Exception | None = None

    @property
    def plain(self) -> Any:
        """The value or the exception, plain."""
        return exception(self.error) if self.error else plain(self.value)


@contextmanager
def keeping(place: Failing) -> Iterator[None]:
    """Keeps in `place` the exception that the block ends by."""
    try:
        yield
    except Exception as error:
        place.error = error


def with_thread(config: dict[str, Any] | None) -> dict[str, Any]:
    """`config` with a thread of its own, unless it names one."""
    config = dict(config or {})
    return {**config, "configurable": {"thread_id": str(uuid.uuid4()), **config.get("configurable", {})}}


def copied(value: Any) -> Any:
    """A deep copy where one can be made, else the value."""
    try:
        return copy.deepcopy(value)
    except Exception:
        return value


def in_plain_thread(function: Callable[[], T]) -> T:
    """What the function returns; it runs in a thread of its own if this one runs an event loop (a notebook, an async test)."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return function()
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(contextvars.copy_context().run, function).result()


def _of_thread(config: dict[str, Any]) -> Any:
    return {"configurable": {"thread_id": config["configurable"]["thread_id"]}}


def _stored(row: Any) -> Thing:
    """A stored checkpoint, its pending writes per task, because tasks of one superstep write in any order."""
    writes: dict[str, list[Any]] = {}
    for task, channel, value in row.pending_writes or ():
        writes.setdefault(task, []).append((channel, plain(value)))
    made: Thing = plain(row._replace(pending_writes=None))
    made.parts["pending_writes"] = bag(writes.items())
    return made


def _frozen(stored: dict[str, list[Thing]]) -> dict[str, tuple[Any, ...]]:
    return {namespace: tuple(rows) for namespace, rows in stored.items()}
