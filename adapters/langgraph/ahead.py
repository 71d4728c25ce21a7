"""One run's issue stage, as LangGraph's loop and its early runs see it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from langgraph.types import PregelExecutableTask

from alto_langgraph.adapters.langgraph.seam import ERROR, PULL, TASKS
from alto_langgraph.adapters.langgraph.shadow import value_of
from alto_langgraph.adapters.langgraph.staging import UNASKED
from alto_langgraph.adapters.langgraph.waking import Waking
from alto_langgraph.driver.early import UNPLACED, Early
from alto_langgraph.engine.events import Closed, Ended, Retreated
from alto_langgraph.tags import Tag

LEFT = "the run ended before"


class Ahead(Waking):
    """Issues and adopts early runs for one run of one graph.

    It sleeps, at next to no cost, until a task has finished with Sends while others of its superstep still run, or until a
    superstep has taken a while.
    """

    # ---- what LangGraph's loop does

    @property
    def ending(self) -> Sequence[Any]:
        """What is cancelled and not over yet, besides early runs."""
        return self._stopping.ending

    def opened(self) -> None:
        """The loop has prepared a superstep's tasks."""
        with self._lock:  # early runs that end on threads name what they send
            try:
                self._opened()
            except Exception as error:
                self._give_up(error)

    def _opened(self) -> None:
        if self._news or self._engine is not None:
            self._catch_up()
        if self._issuing.observed:
            self._observe()
        tasks = self.loop.tasks
        self._open = {id for id, task in tasks.items() if not task.writes}
        unfinished: dict[str, int] = {}
        for id in self._open:
            name = tasks[id].name
            unfinished[name] = unfinished.get(name, 0) + 1
        self._unfinished = unfinished
        if self._engine is not None and self._engine.idle:
            self._sleep()
        if self._engine is not None or self.telling is not None:
            self._name(tasks.values())
        if self.telling is not None:
            self.telling.opened(self.loop.step, self._naming.tags, self.loop.checkpoint["id"] if self.loop.checkpointer else None)
        self._alone = len(tasks) == 1
        if self.telling is not None or (self.loop.places is not None and not self._alone):
            for task in tasks.values():
                self._mark(task, None)
        if self._engine is not None:
            self._go_on(tasks)
        if "route" in self.options.issue:
            self._permitted()  # what routers decide is noted from the beginning
        if self._unfinished and (self._issuing is UNASKED or self._issuing.overtakes):
            self._watch.open(self._unfinished)

    def _observe(self) -> None:
        """Has the runs of nodes watched whose code doesn't tell what they read, and heeds what earlier ones have told."""
        if self._engine is None or self._engine.idle:
            self._issuing = self._allowed(self.loop.config.get("max_concurrency"))
        tasks: Any = self.loop.tasks
        for id, task in [*tasks.items()]:
            if task.path[0] == PULL and not task.writes and (proc := self._issuing.observed.get(task.name)) is not None:
                tasks[id] = replace(task, proc=proc)

    def _go_on(self, tasks: Mapping[str, PregelExecutableTask]) -> None:
        """The superstep that early runs were started for is here."""
        self._shadow.opened(self.loop.step)
        self._adopting = {self._naming.tags[id]: task for id, task in tasks.items()}
        for tag in self._adopting:
            self._check(tag)
        self._tell(self._reports.opening(tasks.values()))
        self._adopting = {}
        self._provisional.opened()
        self._tell(*(self._reports.finishing(task) for task in tasks.values() if task.writes))

    def _check(self, tag: Tag) -> None:
        """Squashes an early run that looked at a value which isn't the one after all."""
        early = self._earlies.get(tag)
        if early is None:
            return
        for key, value in early.assumed.items():
            if value_of(self.loop.channels[key]) is not value:
                self._tell(Retreated(tag, f"`{key}` was written by a task that it wasn't expected of"))
                return

    def joined(self, failed: PregelExecutableTask, handler: PregelExecutableTask) -> None:
        """A task that handles another one's error is in the superstep, too: only who is told of tasks wants to know."""
        if self.telling is not None and (tag := self._naming.tags.get(failed.id)) is not None:
            self._naming.tags[handler.id] = tag.child(handler.name, 0)
            self.telling.joined(handler.id, self._naming.tags[handler.id])
            self._mark(handler, None, placed=True)

    def cached(self, task: PregelExecutableTask) -> None:
        """A task needn't run, as the cache has what it comes to."""
        if self.telling is not None and task.id in self._naming.tags:
            self.telling.cached(self._naming.tags[task.id], task, self.loop.step)
        self.finished(task, failed=False)

    def finished(self, task: PregelExecutableTask, failed: bool) -> None:
        """The runner has committed `task`'s writes, or its error."""
        if task.name in self._issuing.routers and not failed:
            self.staging.habits.note(task.name, self._reports.pulled_by(task.writes))
        self._answered(task)
        if not self._open and self.telling is None:
            return
        with self._lock:
            if self.telling is not None and task.id in self._naming.tags:
                self.telling.committed(self._naming.tags[task.id], task, self.loop.step)
            if task.id not in self._open:
                return
            if failed and not any(channel == ERROR for channel, _ in task.writes):
                return  # an interrupt, or a command to the parent: the run ends with this superstep
            self._close(task)
            if self._engine is not None or self._leads_ahead(task):
                self._news.append(task)
                self._soon(self.catch_up)

    def _leads_ahead(self, task: PregelExecutableTask) -> bool:
        """Whether something that follows a finished task may be worth starting while others of its superstep still run."""
        if not self._unfinished:
            return False
        if any(channel == TASKS for channel, _ in task.writes):
            return True
        return self._watch.passed and self._permitted() and self._pulls_ahead(task)

    @property
    def has_adopted(self) -> bool:
        """Whether the open superstep has taken early runs."""
        return bool(self._adopted)

    def closing(self, step: int) -> None:
        """The loop is about to commit superstep `step`: from now until the next one opens nothing starts or looks at the state."""
        with self._lock:  # an alarm that rings in this moment, on its thread, looks at the state until it is through
            self._watch.close()
        if self._news or self._engine is not None:
            self._catch_up()
        if self._engine is not None:
            with self._lock:
                self._adopted.clear()
                self._tell(Closed(step))

    def closed(self) -> None:
        """The loop has committed the superstep."""
        if self.telling is not None:
            self.telling.closed(self.loop.tasks.values())

    def end(self) -> list[Early]:
        """The run is over: cancels what nobody will adopt; returns the runs to be waited for."""
        self._watch.stop()
        with self._lock:
            if self._engine is not None:
                self._naming.clear()
                self._tell(Ended())
                self._sleep()
            self._open, self._news = set(), []
            self.producers.stop()
            self._provisional.stop()
            for early in self._adopted:  # the run was left before LangGraph's runner came to it
                if not early.awaited:
                    self.in_vain(early, LEFT)
                    if not early.future.done():
                        early.future.cancel()
                        self._abandoned.append(early)
            abandoned, self._abandoned = self._abandoned, []
            return abandoned

    # ---- what early runs do

    def early_finished(self, early: Early, error: BaseException | None) -> None:
        """An early run that nobody has adopted yet is over."""
        self._answered(early.task)
        with self._lock:
            if early.adopted or early.abandoned or self._engine is None:
                return
            early.told = True
            if error is None:
                self.loop.completed(early.task, early.task.writes)
            self._news.append(early)
            self._soon(self.catch_up, early=True)

    def early_retreated(self, early: Early, reason: str) -> None:
        """An early run has met a fence."""
        with self._lock:
            if reason == UNPLACED:
                self.staging.asks_its_place.update(split for split, index in early.tag.path if index < 0)
                self.staging.asks_its_place.add(early.node)
            if not (early.adopted or early.abandoned or self._engine is None):
                self._tell(Retreated(early.tag, reason))

    # ---- what those want to know whom tasks ask

    @property
    def unfinished(self) -> int:
        """How many tasks that it knows haven't finished."""
        if (engine := self._engine) is None:
            return sum(self._unfinished.values())
        return sum(task.unfinished for task in [*engine.tasks.values()])  # at once: other threads go on
