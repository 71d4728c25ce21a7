"""Runs a node's own code on the part of an answer, or of a state, that is there, to see what it would send on it."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from langchain_core.runnables.config import var_child_runnable_config
from langgraph.types import PregelExecutableTask, Send
from langsmith.run_helpers import tracing_context

from alto_langgraph.adapters.langgraph.metering import counted_steps
from alto_langgraph.adapters.langgraph.naming import sends_of
from alto_langgraph.adapters.langgraph.prepare import read_ahead
from alto_langgraph.adapters.langgraph.seam import CONF, CONFIG_KEY_READ
from alto_langgraph.adapters.langgraph.unheard import unheard
from alto_langgraph.driver.budget import METER, Meter, metered
from alto_langgraph.driver.early import Early
from alto_langgraph.driver.producing import ANSWERS, Answers, Producer, UnansweredError
from alto_langgraph.protocols import CALLS

if TYPE_CHECKING:
    from alto_langgraph.adapters.langgraph.loop import Committing

Writes = Sequence[tuple[str, Any]]
Tell = Callable[["Replays", Sequence[Send], tuple[str, ...]], None]
"""Told of what the node would send, or the last one of nodes behind it that the part has gone through."""
Onward = Callable[[tuple[str, ...], Sequence[Writes]], tuple[PregelExecutableTask, Any] | None]
"""The task behind, of what was run: the nodes behind the first one so far, and what each has written. None if there is none to run."""
Ready = Callable[[], tuple[PregelExecutableTask, Any] | None]
"""The task to run again now, and what reads the state for it (None if nothing does yet); None if there is nothing new."""


@dataclass
class _Trial:
    """One replay.

    Args:
        answers: What it is answered.
        config: What runs now runs with that.
        path: What the node has written, and each of those behind it.
        nodes: Those behind it.
        done: It came to its end.
        unanswered: It has asked what nobody has answered.
    """

    answers: Answers
    config: Any = None
    path: list[deque[tuple[str, Any]]] = field(default_factory=list)
    nodes: tuple[str, ...] = ()
    done: bool = False
    unanswered: bool = False


class Replays:
    """The replays of one run of a node, one at a time.

    Args:
        loop: The run.
        node: The node.
        ready: What is to be run again.
        tell: Told of what would be sent, on the run's own thread.
        onward: Finds what is behind the node, if anything may be run there.
    """

    def __init__(self, loop: Committing, node: str, ready: Ready, tell: Tell, onward: Onward | None = None) -> None:
        self._loop, self._ready, self._tell, self._onward = loop, ready, tell, onward
        self._steps, self._budget = counted_steps(loop.nodes[node].node), loop.budget
        self._meter, self.over = Meter(self._budget), False
        self._running: asyncio.Task[None] | None = None
        self._later: asyncio.TimerHandle | threading.Timer | None = None
        self._again, self._turn = False, threading.Lock()

    def __call__(self, producer: Producer) -> None:
        """A part of an answer is finished."""
        if self.over:
            return
        try:
            running = asyncio.get_running_loop()
        except RuntimeError:
            self._on_this_thread(producer)
            return
        if self._running is not None and not self._running.done():
            self._again = True
        elif self._later is None:
            if wait := self._budget.turn(self):
                self._later = running.call_later(wait, self._at_last, producer)
            else:
                self._running = asyncio.create_task(self._areplay(producer), context=contextvars.copy_context())

    def _on_this_thread(self, producer: Producer) -> None:
        if self._later is not None:
            return
        wait = self._budget.turn(self)
        if not wait:
            contextvars.copy_context().run(self._replay, producer)
        elif self._loop.can_cancel:
            self._budget.leave(self)
        else:  # on threads, which the run waits for
            self._later = threading.Timer(wait, self._at_last_aside, (producer,))
            self._later.daemon = True
            self._later.start()

    def _at_last_aside(self, producer: Producer) -> None:
        self._budget.leave(self)  # it may be long until a thread is free
        if not self.over:
            with suppress(RuntimeError):  # the run has ended just now
                self._loop.aside(partial(self._at_last, producer))

    def _at_last(self, producer: Producer) -> None:
        self._later = None
        self(producer)

    def stop(self) -> asyncio.Task[None] | None:
        """The node's run is over; returns what is just ending."""
        self.over = True
        if self._later is not None:
            self._later.cancel()
            self._budget.leave(self)
        if self._running is None or self._running.done():
            return None
        self._running.cancel()
        return self._running

    def _replay(self, producer: Producer) -> None:
        with self._turn:  # there may be several on their threads, and what an earlier one shows counts first
            with self._trial(producer) as trial, self._meter.running():
                if (task := self._begin(trial)) is not None:
                    self._all_steps(trial, task)
                    trial.done = True
            self._show(trial)

    async def _areplay(self, producer: Producer) -> None:
        METER.set(self._meter)
        while not self.over:
            self._again = False
            with self._trial(producer) as trial:
                with self._meter.running():
                    task = self._begin(trial)
                if task is not None:
                    await self._run_through(trial, task)
            self._show(trial)
            if not self._again or self.over:
                return
            if wait := self._budget.turn(self):
                self._later = asyncio.get_running_loop().call_later(wait, self._at_last, producer)
                return

    @property
    def spent(self) -> float:
        """Processor seconds that they have taken."""
        return self._meter.spent

    async def _run_through(self, trial: _Trial, task: PregelExecutableTask) -> None:
        steps = asyncio.ensure_future(metered(partial(self._aall_steps, trial, task), self._meter))
        trial.answers.begin(steps.cancel)
        try:
            await steps
        except asyncio.CancelledError:
            trial.unanswered = trial.answers.end()
            if not trial.unanswered:
                raise
        else:
            trial.unanswered = trial.answers.end()
            trial.done = not trial.unanswered

    def _all_steps(self, trial: _Trial, task: PregelExecutableTask) -> None:
        for steps, value in self._stages(trial, task):
            for step in steps:
                value = step.invoke(value, trial.config)

    async def _aall_steps(self, trial: _Trial, task: PregelExecutableTask) -> None:
        for steps, value in self._stages(trial, task):
            for step in steps:
                value = await step.ainvoke(value, trial.config)

    def _stages(self, trial: _Trial, task: PregelExecutableTask) -> Iterator[tuple[Sequence[Any], Any]]:
        """The steps of the node, and of those behind it as long as nothing is sent, each with its input."""
        yield self._steps, task.input
        while self._onward is not None and not sends_of(trial.path[-1]):
            if (behind := self._onward(trial.nodes, trial.path)) is None:
                return
            task, read = behind
            trial.nodes += (task.name,)
            self._enter(trial, task, read)
            yield counted_steps(self._loop.nodes[task.name].node), task.input

    @contextmanager
    def _trial(self, producer: Producer) -> Iterator[_Trial]:
        """Around one replay: nobody hears what it says, it writes to nobody, and what it raises counts for nothing."""
        trial = _Trial(producer.answers())
        with suppress(Exception), tracing_context(enabled=False):
            try:
                yield trial
            except UnansweredError:
                trial.unanswered = True

    def _begin(self, trial: _Trial) -> PregelExecutableTask | None:
        """The task to run again."""
        if (ready := self._ready()) is None:
            return None
        task, read = ready
        ANSWERS.set(trial.answers)
        CALLS.set(None)
        self._enter(trial, task, read)
        return task

    def _enter(self, trial: _Trial, task: PregelExecutableTask, read: Any) -> None:
        trial.path.append(deque())
        trial.config = unheard(task, read, trial.path[-1])
        var_child_runnable_config.set(trial.config)

    def _show(self, trial: _Trial) -> None:
        self.over |= trial.unanswered and bool(trial.nodes)  # who asks behind the node will ask again
        if self.over or not trial.done:
            return
        sends = sends_of(trial.path[-1])
        self._loop.in_turn(partial(self._tell, self, finished(sends) if trial.answers.tentative else sends, trial.nodes))


def finished(sends: Sequence[Send]) -> Sequence[Send]:
    """Those before the last one to any node: that one may be for a part that isn't finished."""
    last = {send.node: place for place, send in enumerate(sends)}
    return sends[: min(last.values(), default=0)]


class Stopping:
    """Stops replays, and keeps what is just ending of them.

    Args:
        spent: Told how many processor seconds the replays of a task took.
    """

    def __init__(self, spent: Callable[[float], None]) -> None:
        self._spent = spent
        self.ending: list[asyncio.Task[None]] = []
        """What is cancelled and not over yet."""

    def stop(self, replays: Replays) -> None:
        """Nobody needs them any more."""
        self._spent(replays.spent)
        self.ending = [task for task in self.ending if not task.done()]
        if (ending := replays.stop()) is not None:
            self.ending.append(ending)


def of_run(task: PregelExecutableTask, early: Early | None) -> Ready:
    """Runs again what is running: it reads the state as that does, unless its superstep isn't there."""

    def ready() -> tuple[PregelExecutableTask, Any]:
        read = task.config[CONF][CONFIG_KEY_READ]
        if early is not None:
            read = read_ahead(read) if early.adopted else None
        return task, read

    return ready
