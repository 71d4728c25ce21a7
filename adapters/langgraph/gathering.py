"""Nodes behind a reduction, run again and again on the part of it that is closed, to see what they would send on that."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from langgraph.types import PregelExecutableTask, Send

from alto_langgraph.adapters.langgraph.prepare import prepare_pulled, read_ahead
from alto_langgraph.adapters.langgraph.replaying import Replays, Stopping
from alto_langgraph.adapters.langgraph.seam import CONF, CONFIG_KEY_READ
from alto_langgraph.driver.early import Early
from alto_langgraph.driver.matching import places
from alto_langgraph.driver.producing import Producer
from alto_langgraph.engine.task import Task
from alto_langgraph.tags import Tag

if TYPE_CHECKING:
    from alto_langgraph.adapters.langgraph.loop import Committing

Agree = Callable[[Send, Send], bool]
Tell = Callable[[Tag, Sequence[Send], bool], bool]


class Part(NamedTuple):
    """Of a reduction.

    Args:
        state: The state with only that.
        size: How many tasks right before it that is.
        first: Whether whatever is to come comes behind it.
    """

    state: dict[str, Any]
    size: int
    first: bool


Look = Callable[[Tag, bool], Part | None]


class Gathered:
    """A task that waits for a reduction, on its parts so far.

    What it sends is told once two parts have shown that more only adds to it; at once if its node is known for it.

    Args:
        task: The task.
        known: Whether its node is known for it.
        part: What is closed of the reduction, or a little less; None if that can't be told.
        tell: Told of what it would send, and whether whatever else it will send comes behind that; answers whether it goes on.
        agree: Whether something that it would send could stand for something else.
    """

    def __init__(self, loop: Committing, task: Task, *, known: bool, part: Look, tell: Tell, agree: Agree) -> None:
        self._loop, self._tag, self._node, self._step = loop, task.tag, task.node, task.step
        self._known, self._part, self._tell, self._agree = known, part, tell, agree
        self._size, self._first, self._looks, self._smaller = 0, True, False, not known
        self._sends: Sequence[Send] = ()
        self.replays = Replays(loop, task.node, self._ready, self._show)
        self._producer = Producer(self.replays)

    def look(self) -> None:
        """More of the reduction may be closed."""
        if not self._looks:
            self._looks = True
            self._loop.aside(self._look)

    def _look(self) -> None:
        self._looks = False
        self.replays(self._producer)

    def _ready(self) -> tuple[PregelExecutableTask, Any] | None:
        part = self._part(self._tag, self._smaller)
        if self._smaller and part is not None and part.size <= self._size:
            self._smaller = False
            part = self._part(self._tag, False)
        if part is None or part.size <= self._size:
            return None
        state, self._size, self._first = part
        early = Early(self._tag, self._node, self._step, outer=None, live=False, on_route=lambda early: None)
        task = prepare_pulled(self._loop, state, early, self._loop.nodes[self._node].node)
        if task is None:
            return None
        early.view.over = state
        return task, read_ahead(task.config[CONF][CONFIG_KEY_READ])

    def _show(self, replays: Replays, sends: Sequence[Send]) -> None:
        before, self._sends = self._sends, sends
        if not self._known and before:
            self._known = places(before, sends, self._agree) is not None
            replays.over |= not self._known
        if self._known and not replays.over:
            replays.over |= not self._tell(self._tag, sends, self._first)
        if self._smaller:
            self._smaller = False
            self.look()


class Gathering:
    """Those of one run of one graph.

    Args:
        stopping: Stops their replays.
    """

    def __init__(self, stopping: Stopping) -> None:
        self._stopping = stopping
        self._tasks: dict[Tag, Gathered] = {}
        self._seen: object = None

    def look(self, tasks: Iterable[Task], closings: int, make: Callable[[Task], Gathered]) -> None:
        """Has those that wait now look at what is closed, if anything was since the last time; others are forgotten."""
        now = {task.tag: self._tasks.get(task.tag) or make(task) for task in tasks}
        for tag in self._tasks.keys() - now.keys():
            self._stopping.stop(self._tasks[tag].replays)
        self._tasks = now
        if (seen := (closings, *now)) != self._seen:
            self._seen = seen
            for gathered in now.values():
                gathered.look()

    def look_again(self) -> None:
        """What is closed couldn't be told."""
        self._seen = None

    def stop(self) -> None:
        """The run of the graph is over."""
        for gathered in self._tasks.values():
            self._stopping.stop(gathered.replays)
        self._tasks = {}
