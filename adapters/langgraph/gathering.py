"""Nodes behind a reduction, run again and again on the part of it that is closed, to see what they would send on that."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from langgraph.types import PregelExecutableTask, Send

from alto_langgraph.adapters.langgraph.prepare import prepare_unseen
from alto_langgraph.adapters.langgraph.replaying import Replays, Stopping
from alto_langgraph.ancestry import OUTERMOST
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
        level: Depth of the split's tasks that are closed.
        ancestors: Which of these there are.
    """

    state: dict[str, Any]
    size: int
    first: bool
    level: int
    ancestors: frozenset[Tag]

    def shows_more_than(self, smaller: Part) -> bool:
        """Whether more of what one task had split off is there: whoever needs all of that sends something else now."""
        parents = {ancestor.parent for ancestor in smaller.ancestors}
        return any(ancestor.parent in parents for ancestor in self.ancestors - smaller.ancestors)


Look = Callable[[Tag, int | None, bool], Part | None]


class Gathered:
    """A task that waits for a reduction, on its parts so far.

    What it sends is told once two parts have shown that more only adds to it; at once if its node is known for it. Parts are those of the
    outermost split. In between it is tried whether those of a split further down would do, from the innermost on.

    Args:
        task: The task.
        known: Whether its node is known for it.
        level: Depth of the split's tasks whose parts do.
        part: What is closed of the reduction, or a little less; None if that can't be told.
        tell: Told of what it would send, and whether whatever else it will send comes behind that; answers whether it goes on.
        agree: Whether something that it would send could stand for something else.
        learnt: Told of the level that does.
    """

    def __init__(
        self, loop: Committing, task: Task, *, known: bool, level: int, part: Look, tell: Tell, agree: Agree, learnt: Callable[[int], None]
    ) -> None:
        self._loop, self._tag, self._node, self._step = loop, task.tag, task.node, task.step
        self._known, self._level, self._part, self._tell, self._agree, self._learnt = known, level, part, tell, agree, learnt
        self._size, self._first, self._looks, self._smaller = 0, True, False, not known
        self._sends: Sequence[Send] = ()
        self._trial, self._trying = _Trial(level), False
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
        part = self._part(self._tag, self._level, self._smaller)
        if self._smaller and part is not None and 0 < part.size <= self._size:
            self._smaller = False
            part = self._part(self._tag, self._level, False)
        self._trying = part is None or part.size <= self._size
        if self._trying:
            part = self._tried() if self._trial.goes_on else None
        elif part is not None:
            self._size, self._first = part.size, part.first
        return None if part is None else prepare_unseen(self._loop, self._tag, self._node, self._step, part.state)

    def _tried(self) -> Part | None:
        """What there is to try; of a part that is the first of its level a smaller one comes before it."""
        while (whole := self._part(self._tag, self._trial.level, False)) is not None and self._trial.goes_on:
            if not self._trial.begins(whole):
                return self._trial.take(whole)
            smaller = self._part(self._tag, self._trial.level, True)
            if smaller is not None and smaller.ancestors < whole.ancestors:
                return self._trial.take(smaller)
            if len(whole.ancestors) < 2:
                return None
            self._trial.level = whole.level - 1  # each is the only one of its parent's
        return None

    def _show(self, replays: Replays, sends: Sequence[Send], nodes: tuple[str, ...]) -> None:
        if self._trying:
            part = self._trial.show(sends, self._agree)
            if part is None:
                self.look()
                return
            self._known, self._smaller, self._level, self._size, self._first = True, False, part.level, part.size, part.first
            self._learnt(part.level)
        else:
            before, self._sends = self._sends, sends
            if not self._known and before:
                self._known = places(before, sends, self._agree) is not None
                replays.over |= not self._known
        if self._known and not replays.over:
            replays.over |= not self._tell(self._tag, sends, self._first)
            if replays.over:
                self._learnt(OUTERMOST)
        if self._smaller:
            self._smaller = False
            self.look()


class _Trial:
    """Tries whether parts by a split further down do: whether more of what one task split off only adds to what is sent.

    Args:
        known: Depth of the split's tasks whose parts do.
    """

    def __init__(self, known: int) -> None:
        self._known = known
        self._before: tuple[Part, Sequence[Send]] | None = None
        self._now: Part | None = None
        self.level: int | None = None
        """Depth of those that are tried; None for the innermost."""

    @property
    def goes_on(self) -> bool:
        """Whether there is anything to try."""
        return self.level is None or self.level > self._known

    def begins(self, part: Part) -> bool:
        """Whether none of its level has been tried."""
        return self._before is None or self._before[0].level != part.level

    def take(self, part: Part | None) -> Part | None:
        """The next part to run the task on; None if there is nothing new in it."""
        if part is None or part.level <= self._known or not part.ancestors:
            return None
        if not self.begins(part) and self._before is not None and not part.ancestors > self._before[0].ancestors:
            return None
        self._now = part
        return part

    def show(self, sends: Sequence[Send], agree: Agree) -> Part | None:
        """What is sent on the last one; returns that if such parts do.

        Each task more has to have sent more: one that adds nothing, as it came to nothing, is no evidence that others will only add.
        """
        now, before = self._now, self._before
        if now is None:
            return None
        if before is None or self.begins(now):
            self._before = now, sends
        elif places(before[1], sends, agree) is None:
            self.level, self._before = now.level - 1, None
        elif now.shows_more_than(before[0]) and len(sends) - len(before[1]) >= len(now.ancestors - before[0].ancestors) and before[1]:
            self.level = self._known = now.level
            return now
        else:
            self._before = now, sends
        return None


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
