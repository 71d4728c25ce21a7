"""Runs a node's own code again on the part of an answer that is there, to see what it would send on it."""

from __future__ import annotations

import asyncio
import contextvars
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from time import perf_counter, thread_time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from langchain_core.runnables.config import var_child_runnable_config
from langgraph.types import PregelExecutableTask, Send
from langsmith.run_helpers import tracing_context

from alto_langgraph.adapters.langgraph.configuring import replaced
from alto_langgraph.adapters.langgraph.naming import sends_of
from alto_langgraph.adapters.langgraph.seam import (
    CONF,
    CONFIG_KEY_CALL,
    CONFIG_KEY_READ,
    CONFIG_KEY_RUNTIME,
    CONFIG_KEY_SEND,
    CONFIG_KEY_STREAM,
)
from alto_langgraph.driver.early import Early
from alto_langgraph.driver.producing import ANSWERS, Answers, Producer, UnansweredError

if TYPE_CHECKING:
    from alto_langgraph.adapters.langgraph.loop import Committing

SHARE = 0.03
"""Largest share of one core that replays of a node may take while it is being answered."""
GRACE = 0.005
"""Seconds that they may take in any case."""

Tell = Callable[["Replays", Sequence[Send]], None]


@dataclass
class _Trial:
    """One replay: what it was answered, what it has written, and whether it came to its end."""

    answers: Answers
    writes: deque[tuple[str, Any]] = field(default_factory=deque)
    done: bool = False


class Replays:
    """The replays of one run of a node.

    Args:
        loop: The run.
        task: The node's task.
        early: Its early run, if it is one.
        tell: Told of what the node would send, on the run's own thread.
    """

    def __init__(self, loop: Committing, task: PregelExecutableTask, early: Early | None, tell: Tell) -> None:
        self._loop, self._task, self._early, self._tell = loop, task, early, tell
        proc: Any = loop.nodes[task.name].node
        self._steps = proc.steps
        self._begun, self._spent, self.over = perf_counter(), 0.0, False
        self._running: asyncio.Task[None] | None = None
        self._later: asyncio.TimerHandle | None = None
        self._again = False

    def __call__(self, producer: Producer) -> None:
        """A part of an answer is finished."""
        wait = (self._spent - GRACE) / SHARE - (perf_counter() - self._begun)
        if self.over:
            return
        try:
            running = asyncio.get_running_loop()
        except RuntimeError:
            if wait <= 0:
                contextvars.copy_context().run(self._replay, producer)
            return
        if wait > 0:
            self._later = self._later or running.call_later(wait, self._at_last, producer)
        elif self._running is not None and not self._running.done():
            self._again = True
        else:
            self._running = asyncio.create_task(self._areplay(producer), context=contextvars.copy_context())

    def _at_last(self, producer: Producer) -> None:
        self._later = None
        self(producer)

    def stop(self) -> asyncio.Task[None] | None:
        """The node's run is over; returns what is just ending."""
        self.over = True
        if self._later is not None:
            self._later.cancel()
        if self._running is None or self._running.done():
            return None
        self._running.cancel()
        return self._running

    def _replay(self, producer: Producer) -> None:
        with self._trial(producer) as (config, trial):
            value = self._task.input
            for step in self._steps:
                value = step.invoke(value, config)
            trial.done = True
        self._show(trial)

    async def _areplay(self, producer: Producer) -> None:
        self._again = True
        while self._again and not self.over:
            self._again = False
            with self._trial(producer) as (config, trial):
                value = self._task.input
                for step in self._steps:
                    value = await step.ainvoke(value, config)
                trial.done = True
            self._show(trial)

    @contextmanager
    def _trial(self, producer: Producer) -> Iterator[tuple[Any, _Trial]]:
        """Around one replay: nobody hears what it says, it writes to nobody, and what it raises counts for nothing."""
        trial = _Trial(producer.answers())
        config = self._config(trial.writes)
        ANSWERS.set(trial.answers)
        var_child_runnable_config.set(config)
        before = thread_time()
        try:
            with tracing_context(enabled=False):
                yield config, trial
        except (Exception, UnansweredError):
            pass
        finally:
            self._spent += thread_time() - before

    def _config(self, writes: deque[tuple[str, Any]]) -> Any:
        given = self._task.config[CONF]
        conf = {
            **given,
            CONFIG_KEY_SEND: writes.extend,
            CONFIG_KEY_READ: self._reading(given[CONFIG_KEY_READ], writes),
            CONFIG_KEY_CALL: _unread,
            CONFIG_KEY_STREAM: None,
        }
        if (runtime := given.get(CONFIG_KEY_RUNTIME)) is not None:
            conf[CONFIG_KEY_RUNTIME] = replaced(runtime, stream_writer=_unheard)
        return {**self._task.config, "callbacks": None, CONF: conf}

    def _reading(self, read: Any, writes: deque[tuple[str, Any]]) -> Any:
        if self._early is not None:
            if not self._early.adopted:
                return _unread
            return partial(read.func.read, *read.args[:3], SimpleNamespace(writes=writes))
        return partial(read.func, *read.args[:3], SimpleNamespace(writes=writes))

    def _show(self, trial: _Trial) -> None:
        if self.over or not trial.done:
            return
        sends = sends_of(trial.writes)
        self._loop.in_turn(partial(self._tell, self, finished(sends) if trial.answers.tentative else sends))


def finished(sends: Sequence[Send]) -> Sequence[Send]:
    """Those before the last one to any node: that one may be for a part that isn't finished."""
    last = {send.node: place for place, send in enumerate(sends)}
    return sends[: min(last.values(), default=0)]


def _unheard(chunk: Any) -> None:
    """Where a replay's own events go."""


def _unread(select: Any, fresh: bool = False) -> Any:
    """Where the state can't be told yet."""
    raise UnansweredError
