"""Tells an observer what a run does. Nothing of this exists in a run that nobody observes."""

from __future__ import annotations

import asyncio
import concurrent.futures
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import AbstractContextManager, suppress
from contextvars import ContextVar
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, Any

from langgraph.errors import GraphBubbleUp
from langgraph.types import PregelExecutableTask

from alto_langgraph.adapters.langgraph.seam import PUSH, EphemeralValue, NamedBarrierValue
from alto_langgraph.adapters.langgraph.shadow import Shadow
from alto_langgraph.adapters.langgraph.staging import Staging
from alto_langgraph.driver.early import Early
from alto_langgraph.protocols import (
    OBSERVER,
    AskedInVain,
    Fact,
    Observer,
    Outcome,
    RunFinished,
    StepOpened,
    TaskCached,
    TaskCommitted,
    TaskFinished,
    TaskSquashed,
    TaskStarted,
    is_traced,
)
from alto_langgraph.tags import Tag

if TYPE_CHECKING:
    from alto_langgraph.adapters.langgraph.loop import Committing
    from alto_langgraph.options import AltoOptions

FAILURES: ContextVar[list[tuple[BaseException, float]] | None] = ContextVar("alto_failures", default=None)
"""Where attempts that a retry policy lets go by are noted, in a run that is traced."""


KEPT = 1000
"""Writers of earlier supersteps that are remembered of a reducer's channel."""


def _nobody(channel: str) -> Iterable[Tag]:
    return ()


class Telling:
    """Turns what happens in one run of one graph into facts, with each task's dependencies.

    Args:
        observer: Who hears them; what it raises is ignored.
        loop: The run's loop.
        staging: The graph.
    """

    tracer: Observer | None = None
    """Who traces the run. It is told at once, also of tasks whose place isn't known, by the names that they have inside."""

    def __init__(self, observer: Observer | None, loop: Committing, staging: Staging) -> None:
        self._observer, self._staging = observer, staging
        self._namespace = tuple(part.split(":")[0] for part in loop.checkpoint_ns)
        self._writers: dict[str, tuple[Tag, ...]] = {}
        self._tags: dict[str, Tag] = {}
        self.real: Callable[[Tag], Tag | None] = lambda tag: tag
        """What the app calls a task; None as long as its place isn't known. Until then what happens to it isn't told."""
        self._unplaced: dict[Tag, list[Fact]] = {}
        self._producer: tuple[Tag] | None = None
        self._inputs: dict[str, tuple[Tag, ...]] = {}

    @classmethod
    def of(cls, loop: Committing, staging: Staging, options: AltoOptions) -> Telling | None:
        """None unless somebody observes (`protocols.observed_by`), or the run is traced."""
        observer, traced = OBSERVER.get(), is_traced(options.trace)
        if observer is None and not traced:
            return None
        telling = cls(observer, loop, staging)
        if traced:
            from alto_langgraph.adapters.langgraph.traced import tracer_of

            telling.tracer = tracer_of(loop, staging, options, telling)
        return telling if telling.tracer is not None or observer is not None else None

    def opened(self, step: int, tags: Mapping[str, Tag], checkpoint: str | None) -> None:
        """The loop has prepared superstep `step`; `tags` by task id."""
        self._tags = {id: self.real(tag) or tag for id, tag in tags.items()}
        self._inputs = {}
        self._tell_placed()
        self._tell(StepOpened(self._namespace, step, tuple(self._tags.values()), perf_counter(), checkpoint))

    def joined(self, id: str, tag: Tag) -> None:
        """A task has joined the open superstep."""
        self._tags[id] = tag

    def closed(self, tasks: Iterable[PregelExecutableTask]) -> None:
        """The loop has committed `tasks`: remembers who wrote what.

        Of those who wrote into a reducer's channel in earlier supersteps, those are forgotten whose results a later one of them has
        seen, and of the others all but the last thousand: so a run in a loop keeps no more and more of them.
        """
        written: dict[str, list[Tag]] = {}
        seen: set[Tag] = set()
        for task in tasks:
            if (tag := self._tags.get(task.id)) is not None:
                seen.update(self._inputs_of(tag, task))
                self._consumed(task)
                for channel in {channel for channel, _ in task.writes}:
                    written.setdefault(channel, []).append(tag)
        for channel, tags in written.items():
            earlier = self._writers.get(channel, ()) if channel not in self._staging.last_values else ()
            self._writers[channel] = (*[tag for tag in earlier if tag not in seen][-KEPT:], *tags)

    def _consumed(self, task: PregelExecutableTask) -> None:
        """An edge is over once its target has run."""
        if task.path[0] != PUSH:
            for channel in self._staging.nodes[task.name].triggers:
                if type(self._staging.channels.get(channel)) in (EphemeralValue, NamedBarrierValue):
                    self._writers.pop(channel, None)

    def named(self) -> Collection[Tag]:
        """Tasks of supersteps that are over, which may yet be named as parents."""
        return {tag for tags in self._writers.values() for tag in tags}

    def running(
        self, tag: Tag, task: PregelExecutableTask, step: int, early: Early | None = None, *, speculative: bool = False
    ) -> AbstractContextManager[None]:
        """Around the run of a task's node, which `early` is if it runs ahead; `speculative` if it may not be wanted."""
        return _Running(self, tag, task, step, early, speculative)

    def started(self, tag: Tag, task: PregelExecutableTask, step: int, early: Early | None, speculative: bool) -> None:
        """A task's node begins to run."""
        issued, parents = early.issued if early is not None and early.issued is not None else (None, self._parents(tag, task))
        self._tell(TaskStarted(self._namespace, tag, task.name, step, early is not None, parents, perf_counter(), speculative, issued))

    def finished(self, tag: Tag, error: BaseException | None, failures: Iterable[tuple[BaseException, float]]) -> None:
        """A task's node has returned or raised."""
        self._tell(TaskFinished(self._namespace, tag, _outcome(error), perf_counter(), error, tuple(failures)))

    def committed(self, tag: Tag, task: PregelExecutableTask, step: int) -> None:
        """The loop has a task's writes."""
        self._tell(TaskCommitted(self._namespace, tag, step, perf_counter(), self._inputs_of(tag, task)))

    def cached(self, tag: Tag, task: PregelExecutableTask, step: int) -> None:
        """A task needn't run."""
        self._tell(TaskCached(self._namespace, tag, task.name, step, perf_counter()))

    def run_finished(self, _: Any, error: BaseException | None, __: Any) -> None:
        """The run is over; `error` is what it ended by."""
        self._trace(RunFinished(self._namespace, _outcome(error), error, perf_counter()))

    def squashed(self, tag: Tag, reason: str) -> None:
        """An early run was thrown away; one whose place was never known keeps the name that it had."""
        self._tell_placed(also=tag)
        self._tell(TaskSquashed(self._namespace, tag, reason, perf_counter()), anyhow=True)

    def asked_in_vain(self, tag: Tag, calls: int, tokens: int) -> None:
        """An early run that was thrown away has ended."""
        self._tell(AskedInVain(self._namespace, tag, calls, tokens, perf_counter()), anyhow=True)

    def issued(self, early: Early, shadow: Shadow) -> None:
        """An early run could begin now."""
        early.issued = perf_counter(), self._parents(early.tag, early.task, partial(shadow.writers, early.step))

    def _inputs_of(self, tag: Tag, task: PregelExecutableTask) -> tuple[Tag, ...]:
        """A task's parents, in its superstep: all of them are known then."""
        if (known := self._inputs.get(task.id)) is None:
            known = self._inputs[task.id] = self._parents(tag, task)
        return known

    def _parents(self, tag: Tag, task: PregelExecutableTask, foreseen: Callable[[str], Iterable[Tag]] = _nobody) -> tuple[Tag, ...]:
        """The tasks whose results a task needs; `foreseen` have written to a channel in supersteps that aren't committed."""
        if task.path[0] == PUSH or len(tag.path) > 1:  # sent, or it handles an error
            return self._sent_by(tag.path[:-1]) if len(tag.path) > 1 and tag.path[-1][0] != "send" else ()
        plan = self._staging.plan.nodes.get(task.name)
        process = self._staging.nodes[task.name]
        channels = [process.channels] if isinstance(process.channels, str) else list(process.channels)
        reads = plan.function.reads if plan and plan.function.reads is not None else channels
        return tuple(dict.fromkeys(tag for channel in (*process.triggers, *reads) for tag in self._wrote(channel, foreseen)))

    def _sent_by(self, path: tuple[tuple[str, int], ...]) -> tuple[Tag, ...]:
        """The producer that is there in the tag of what it has sent: the same object for all of that."""
        if self._producer is None or self._producer[0].path != path:
            self._producer = (Tag(path),)
        return self._producer

    def _wrote(self, channel: str, foreseen: Callable[[str], Iterable[Tag]]) -> tuple[Tag, ...]:
        wrote, committed = tuple(foreseen(channel)), self._writers.get(channel, ())
        return wrote if wrote and channel in self._staging.last_values else (*committed, *wrote)

    def _tell_placed(self, also: Tag | None = None) -> None:
        """Tells what was kept back of tasks whose place is known by now, and of those below `also`."""
        for tag in [*self._unplaced] if self._unplaced else ():
            if self.real(tag) is not None or (also is not None and tag in also):
                for fact in self._unplaced.pop(tag, ()):
                    self._tell_again(fact)

    def _tell_again(self, fact: Fact) -> None:
        if self._observer is not None:
            self._tell_observer(self._observer, fact, anyhow=True)

    def _trace(self, fact: Fact) -> None:
        if self.tracer is not None:
            try:  # noqa: SIM105 - thrice for every task
                self.tracer.observe(fact)
            except Exception:
                pass

    def _tell(self, fact: Fact, *, anyhow: bool = False) -> None:
        self._trace(fact)
        if self._observer is not None:
            self._tell_observer(self._observer, fact, anyhow)

    def _tell_observer(self, observer: Observer, fact: Any, anyhow: bool) -> None:
        if not isinstance(fact, StepOpened) and not fact.tag.is_placed:
            real = self.real(fact.tag)
            if real is None and not anyhow and (isinstance(fact, TaskStarted) or fact.tag in self._unplaced):
                self._unplaced.setdefault(fact.tag, []).append(fact)
                return
            fact = fact._replace(tag=real or fact.tag)
        if isinstance(fact, TaskStarted):
            fact = fact._replace(parents=tuple(self.real(tag) or tag for tag in fact.parents))
        with suppress(Exception):  # a bad observer never stops a run
            observer.observe(fact)


class _Running:
    """Around the run of a task's node: every task of a run that is traced passes here, so it is no generator."""

    __slots__ = ("_begun", "_failures", "_tag", "_telling")

    def __init__(self, telling: Telling, tag: Tag, task: PregelExecutableTask, *begun: Any) -> None:
        self._telling, self._tag, self._begun = telling, tag, (task, *begun)
        self._failures: list[tuple[BaseException, float]] = []

    def __enter__(self) -> None:
        self._telling.started(self._tag, *self._begun)
        if self._telling.tracer is not None and self._begun[0].retry_policy:
            FAILURES.set(self._failures)

    def __exit__(self, _: Any, error: BaseException | None, __: Any) -> None:
        self._telling.finished(self._tag, error, self._failures)


def _outcome(error: BaseException | None) -> Outcome:
    if error is None:
        return "completed"
    if isinstance(error, (asyncio.CancelledError, concurrent.futures.CancelledError)):
        return "cancelled"
    if isinstance(error, GeneratorExit):  # whoever listened to the run has left it
        return "cancelled"
    return "interrupted" if isinstance(error, GraphBubbleUp) else "failed"


def noting(should_retry: Callable[[Any, Exception], bool]) -> Callable[[Any, Exception], bool]:
    """LangGraph's `_should_retry_on`, which notes what it lets go by."""

    def noted(policy: Any, error: Exception) -> bool:
        again = should_retry(policy, error)
        if again and (failures := FAILURES.get()) is not None:
            failures.append((error, perf_counter()))
        return again

    return noted
