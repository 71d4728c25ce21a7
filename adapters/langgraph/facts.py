"""Tells an observer what a run does. Nothing of this exists in a run that nobody observes."""

from __future__ import annotations

import asyncio
import concurrent.futures
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from time import perf_counter
from typing import TYPE_CHECKING

from langgraph.errors import GraphBubbleUp
from langgraph.types import PregelExecutableTask

from alto_langgraph.adapters.langgraph.seam import PUSH
from alto_langgraph.adapters.langgraph.staging import Staging
from alto_langgraph.protocols import (
    OBSERVER,
    AskedInVain,
    Fact,
    Observer,
    Outcome,
    StepOpened,
    TaskCommitted,
    TaskFinished,
    TaskSquashed,
    TaskStarted,
)
from alto_langgraph.tags import Tag

if TYPE_CHECKING:
    from alto_langgraph.adapters.langgraph.loop import Committing


class Telling:
    """Turns what happens in one run of one graph into facts, with each task's dependencies.

    Args:
        observer: Who hears them; what it raises is ignored.
        loop: The run's loop.
        staging: The graph.
    """

    def __init__(self, observer: Observer, loop: Committing, staging: Staging) -> None:
        self._observer, self._staging = observer, staging
        self._namespace = tuple(part.split(":")[0] for part in loop.checkpoint_ns)
        self._writers: dict[str, tuple[Tag, ...]] = {}
        self._tags: Mapping[str, Tag] = {}
        self.real: Callable[[Tag], Tag | None] = lambda tag: tag
        """What the app calls a task; None as long as its place isn't known. Until then what happens to it isn't told."""
        self._unplaced: dict[Tag, list[Fact]] = {}

    @classmethod
    def of(cls, loop: Committing, staging: Staging) -> Telling | None:
        """None unless somebody observes (`protocols.observed_by`)."""
        observer = OBSERVER.get()
        return None if observer is None else cls(observer, loop, staging)

    def opened(self, step: int, tags: Mapping[str, Tag]) -> None:
        """The loop has prepared superstep `step`; `tags` by task id."""
        self._tags = {id: self.real(tag) or tag for id, tag in tags.items()}
        self._tell_placed()
        self._tell(StepOpened(self._namespace, step, tuple(self._tags.values()), perf_counter()))

    def closed(self, tasks: Iterable[PregelExecutableTask]) -> None:
        """The loop has committed `tasks`: remembers who wrote what."""
        written: dict[str, list[Tag]] = {}
        for task in tasks:
            if (tag := self._tags.get(task.id)) is not None:
                for channel in {channel for channel, _ in task.writes}:
                    written.setdefault(channel, []).append(tag)
        for channel, tags in written.items():
            earlier = self._writers.get(channel, ()) if channel not in self._staging.last_values else ()
            self._writers[channel] = (*earlier, *tags)

    @contextmanager
    def running(self, tag: Tag, task: PregelExecutableTask, step: int, *, ahead: bool) -> Iterator[None]:
        """Around the run of a task's node."""
        self._tell(TaskStarted(self._namespace, tag, task.name, step, ahead, self._parents(tag, task), perf_counter()))
        error: BaseException | None = None
        try:
            yield
        except BaseException as raised:
            error = raised
            raise
        finally:
            self._tell(TaskFinished(self._namespace, tag, _outcome(error), perf_counter()))

    def committed(self, tag: Tag, step: int) -> None:
        """The loop has a task's writes."""
        self._tell(TaskCommitted(self._namespace, tag, step, perf_counter()))

    def squashed(self, tag: Tag, reason: str) -> None:
        """An early run was thrown away; one whose place was never known keeps the name that it had."""
        self._tell_placed(also=tag)
        self._tell(TaskSquashed(self._namespace, tag, reason, perf_counter()), anyhow=True)

    def asked_in_vain(self, tag: Tag, calls: int, tokens: int) -> None:
        """An early run that was thrown away has ended."""
        self._tell(AskedInVain(self._namespace, tag, calls, tokens, perf_counter()), anyhow=True)

    def _parents(self, tag: Tag, task: PregelExecutableTask) -> tuple[Tag, ...]:
        if task.path[0] == PUSH:
            return (tag.parent,) if tag.parent is not None and len(tag.path) > 1 and tag.path[-1][0] != "send" else ()
        plan = self._staging.plan.nodes.get(task.name)
        process = self._staging.nodes[task.name]
        channels = [process.channels] if isinstance(process.channels, str) else list(process.channels)
        reads = plan.function.reads if plan and plan.function.reads is not None else channels
        return tuple(dict.fromkeys(tag for channel in (*process.triggers, *reads) for tag in self._writers.get(channel, ())))

    def _tell_placed(self, also: Tag | None = None) -> None:
        """Tells what was kept back of tasks whose place is known by now, and of those below `also`."""
        for tag in [*self._unplaced] if self._unplaced else ():
            if self.real(tag) is not None or (also is not None and tag in also):
                for fact in self._unplaced.pop(tag, ()):
                    self._tell(fact, anyhow=True)

    def _tell(self, fact: Fact, *, anyhow: bool = False) -> None:
        if not isinstance(fact, StepOpened) and not fact.tag.is_placed:
            real = self.real(fact.tag)
            if real is None and not anyhow and (isinstance(fact, TaskStarted) or fact.tag in self._unplaced):
                self._unplaced.setdefault(fact.tag, []).append(fact)
                return
            fact = replace(fact, tag=real or fact.tag)
        if isinstance(fact, TaskStarted):
            fact = replace(fact, parents=tuple(self.real(tag) or tag for tag in fact.parents))
        with suppress(Exception):  # a bad observer never stops a run
            self._observer.observe(fact)


def _outcome(error: BaseException | None) -> Outcome:
    if error is None:
        return "completed"
    if isinstance(error, (asyncio.CancelledError, concurrent.futures.CancelledError)):
        return "cancelled"
    return "interrupted" if isinstance(error, GraphBubbleUp) else "failed"
