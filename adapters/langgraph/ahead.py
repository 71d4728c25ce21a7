"""One run's issue stage: tells the engine what LangGraph's loop does, and carries out what it answers."""

from __future__ import annotations

import itertools
import threading
import warnings
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from langgraph.types import PregelExecutableTask, Send

from alto_langgraph.adapters.langgraph.facts import Telling
from alto_langgraph.adapters.langgraph.prepare import prepare, renaming
from alto_langgraph.adapters.langgraph.seam import CONFIG_KEY_RESUMING, ERROR, PUSH, TASKS
from alto_langgraph.adapters.langgraph.staging import Staging
from alto_langgraph.driver.early import CURRENT, Early
from alto_langgraph.driver.operands import operands
from alto_langgraph.engine.engine import Engine
from alto_langgraph.engine.events import (
    Adopt,
    Cancel,
    Closed,
    Ended,
    Event,
    Failed,
    Finished,
    Instruction,
    Offer,
    Opened,
    Pass,
    Retreated,
    RouteReached,
    Start,
)
from alto_langgraph.exceptions import AltoWarning
from alto_langgraph.plan.hops import hops
from alto_langgraph.tags import Tag

if TYPE_CHECKING:
    from alto_langgraph.adapters.langgraph.loop import Committing
    from alto_langgraph.options import AltoOptions

MARK = "__alto_run"
"""Key under which a task's config carries what the runner should do instead of running it; taken out before anything sees it."""


@dataclass(frozen=True, slots=True)
class Marked:
    """What the runner should do for a task: adopt `early`, or run it and tell the observer."""

    loop: Committing
    tag: Tag
    step: int
    early: Early | None


class Ahead:
    """Issues and adopts early runs for one run of one graph.

    It sleeps, at next to no cost, until a task has finished with Sends while others of its superstep still run.

    Args:
        loop: LangGraph's loop, which stays the commit stage.
        staging: The graph.
        options: The run's options.
        launch: Starts an early run; sets its future.
        soon: Calls something once what has happened together is known, or at once.
    """

    def __init__(
        self,
        loop: Committing,
        staging: Staging,
        options: AltoOptions,
        launch: Callable[[Early], None],
        soon: Callable[..., object],
    ) -> None:
        self.loop, self.staging, self.options = loop, staging, options
        self.telling = Telling.of(loop, staging)
        self.outer = CURRENT.get()
        self._launch, self._soon = launch, soon
        self._news: list[PregelExecutableTask | Early] = []
        self._lock = threading.RLock()
        self._engine: Engine | None = None
        self._ahead: frozenset[str] | None = None
        self._open: set[str] = set()
        self._tags: dict[str, Tag] = {}
        self._sends: dict[Tag, Send] = {}
        self._sent: dict[int, deque[Tag]] = {}
        self._earlies: dict[Tag, Early] = {}
        self._abandoned: list[Early] = []
        self._adopted: list[Early] = []
        self._adopting: dict[Tag, PregelExecutableTask] = {}
        self._numbers = itertools.count(1)

    # ---- what LangGraph's loop does

    def opened(self) -> None:
        """The loop has prepared a superstep's tasks."""
        try:
            self._opened()
        except Exception as error:
            self._give_up(error)

    def _opened(self) -> None:
        self.catch_up()
        tasks = self.loop.tasks
        if self._engine is None and self.telling is None:
            self._open = {id for id, task in tasks.items() if not task.writes} if len(tasks) > 1 else set()
            return
        self._open = {id for id, task in tasks.items() if not task.writes}
        self._name(tasks.values())
        if self.telling is not None:
            self.telling.opened(self.loop.step, self._tags)
            for task in tasks.values():
                self._mark(task, None)
        if self._engine is None:
            return
        if self._engine.idle:
            self._engine = None
            self._sent.clear()
            self._sends.clear()
            return
        with self._lock:
            self._adopting = {self._tags[id]: task for id, task in tasks.items()}
            self._tell(self._opening(tasks.values()))
            self._adopting = {}
            self._tell(*(self._finishing(task) for task in tasks.values() if task.writes))

    def finished(self, task: PregelExecutableTask, failed: bool) -> None:
        """The runner has committed `task`'s writes, or its error."""
        if not self._open and self.telling is None:
            return
        with self._lock:
            if self.telling is not None and task.id in self._tags:
                self.telling.committed(self._tags[task.id], self.loop.step)
            if task.id not in self._open:
                return
            self._open.discard(task.id)
            if failed and not any(channel == ERROR for channel, _ in task.writes):
                return  # an interrupt, or a command to the parent: the run ends with this superstep
            if self._engine is not None or self.telling is not None or any(channel == TASKS for channel, _ in task.writes):
                self._news.append(task)
                self._soon(self.catch_up)

    @property
    def has_news(self) -> bool:
        """Whether something has happened that the engine hasn't been told."""
        return bool(self._news)

    def catch_up(self) -> None:
        """Tells the engine what has finished since the last time, all at once.

        Tasks that finish together mostly finish their superstep together, and then the loop comes for the next one at once:
        nothing of it is worth starting ahead.
        """
        with self._lock:
            news, self._news = self._news, []
            try:
                self._digest(news)
            except Exception as error:
                self._give_up(error)

    def _digest(self, news: list[PregelExecutableTask | Early]) -> None:
        if self._engine is not None:
            self._tell(*[self._finishing(item) for item in news])
        elif news and self._open and self._permitted():
            self._wake()
        elif self.telling is not None:
            for item in news:
                self._finishing(item)

    def closed(self, step: int) -> None:
        """The loop has committed superstep `step`."""
        self.catch_up()
        if self.telling is not None:
            self.telling.closed(self.loop.tasks.values())
        if self._engine is not None:
            with self._lock:
                self._adopted.clear()
                self._tell(Closed(step))

    def end(self) -> list[Early]:
        """The run is over: cancels what nobody will adopt; returns the runs to be waited for."""
        with self._lock:
            if self._engine is not None:
                self._tell(Ended())
                self._engine = None
            self._open, self._news = set(), []
            for early in self._adopted:  # the run was left before LangGraph's runner came to it
                if not (early.awaited or early.future.done()):
                    early.future.cancel()
                    self._abandoned.append(early)
            abandoned, self._abandoned = self._abandoned, []
            return abandoned

    # ---- what early runs do

    def early_finished(self, early: Early, error: BaseException | None) -> None:
        """An early run that nobody has adopted yet is over."""
        with self._lock:
            if early.adopted or early.abandoned or self._engine is None:
                return
            early.told = True
            self._news.append(early)
            self._soon(self.catch_up, early=True)

    def early_retreated(self, early: Early, reason: str) -> None:
        """An early run has met a fence."""
        with self._lock:
            if not (early.adopted or early.abandoned or self._engine is None):
                self._tell(Retreated(early.tag, reason))

    def _route_reached(self, early: Early) -> None:
        with self._lock:
            if not (early.adopted or early.abandoned or self._engine is None):
                self._tell(RouteReached(early.tag))

    # ---- telling the engine

    def _permitted(self) -> bool:
        """Whether anything may start ahead in this run, now."""
        loop = self.loop
        if self._ahead is None:
            self._ahead = self._allowed(loop.config.get("max_concurrency"))
        return bool(self._ahead) and not loop.config["configurable"].get(CONFIG_KEY_RESUMING) and not self._draining()

    def _allowed(self, most: int | None) -> frozenset[str]:
        if most == 1 or (most is not None and self.loop.gate is None):
            return frozenset()  # one place is kept busy in order anyway; and threads of ours would be beyond the limit
        return self.staging.ahead(self.options, saves=self.loop.checkpointer is not None, limited=most is not None)

    def _draining(self) -> bool:
        return self.loop.control is not None and self.loop.control.drain_requested

    def _wake(self) -> None:
        self._engine = Engine(
            self.staging.plan,
            window=self.options.window,
            ahead=self._ahead or frozenset(),
            keys=self.staging.keys,
            steady=self.staging.steady,
        )
        tasks = [task for task in self.loop.tasks.values() if _prepared(task)]
        if self.telling is None:
            self._name(tasks)
        self._tell(self._opening(tasks))
        self._tell(*(self._finishing(task) for task in tasks if task.id not in self._open and task.writes))

    def _opening(self, tasks: Sequence[PregelExecutableTask] | Any) -> Opened:
        offers = tuple(self._offer(self._tags[t.id], t.name, t.input) for t in tasks)
        return Opened(self.loop.step, offers, self._limit())

    def _limit(self) -> int:
        """The last superstep that is certain to come without a breakpoint before it."""
        loop = self.loop
        if self._draining() or loop.config["configurable"].get(CONFIG_KEY_RESUMING):
            return loop.step
        limit = loop.stop
        here = [task.name for task in loop.tasks.values()]
        for names, reach in ((loop.interrupt_before, -1), (loop.interrupt_after, 0)):
            if names:
                far = hops(self.staging.plan, here, names)
                limit = limit if far is None else min(limit, loop.step + far + reach)
        return max(limit, loop.step)

    def _offer(self, tag: Tag, node: str, operand: Any) -> Offer:
        if self._engine is None or not self._engine.ledger.holding:
            return Offer(tag, node)
        held = operands(operand)
        return Offer(tag, node, held, alone=node not in self.staging.wary or held in (frozenset(), {id(operand)}))

    def _finishing(self, item: PregelExecutableTask | Early) -> Event:
        if isinstance(item, Early):
            failed = item.future.exception() is not None
            return Failed(item.tag) if failed else self._finished_with(item.tag, item.task.writes)
        failed = any(channel == ERROR for channel, _ in item.writes)
        return Failed(self._tags[item.id]) if failed else self._finished_with(self._tags[item.id], item.writes)

    def _finished_with(self, tag: Tag, writes: Any) -> Finished:
        edges = self.loop.trigger_to_nodes
        goes = frozenset(node for channel, _ in writes for node in edges.get(channel, ()))
        return Finished(tag, self._offers(tag, writes), goes)

    def _offers(self, tag: Tag, writes: Any) -> tuple[Offer, ...]:
        sends = [value for channel, value in writes if channel == TASKS and isinstance(value, Send)]
        offers = []
        for index, send in enumerate(sends):
            child = tag.child(send.node, index)
            if child not in self._sends:
                self._sends[child] = send
                self._sent.setdefault(id(send), deque()).append(child)
            if self._engine is not None:
                offers.append(self._offer(child, send.node, send.arg))
        return tuple(offers)

    def _name(self, tasks: Any) -> None:
        """Gives this superstep's tasks their tags: a Send is known by its packet, which is the very object its producer wrote."""
        row = self.loop.channels[TASKS].get() if self.loop.channels[TASKS].is_available() else ()
        self._tags = {task.id: self._tag(task, row) for task in tasks}
        if self._engine is None:
            # Whatever is left was sent to nodes that LangGraph doesn't know.
            self._sent.clear()
            self._sends.clear()

    def _tag(self, task: PregelExecutableTask, row: Sequence[Send]) -> Tag:
        if task.path[0] != PUSH:
            return Tag(((task.name, self.loop.step),))
        index = task.path[1]
        packet = id(row[index])  # type: ignore[index]
        if not (tags := self._sent.get(packet)):
            return Tag(((task.name, self.loop.step), ("send", index)))  # type: ignore[arg-type]
        tag = tags.popleft()
        self._sends.pop(tag, None)
        if not tags:
            del self._sent[packet]
        return tag

    # ---- carrying out what the engine answers

    def _tell(self, *events: Event) -> None:
        if self._engine is None:
            return
        try:
            self._carry_out(self._engine.handle(*events))
        except Exception as error:  # whatever alto gets wrong, LangGraph's loop still gets right (I8)
            self._give_up(error)

    def _give_up(self, error: Exception) -> None:
        self._engine, self._ahead = None, frozenset()
        for tag in list(self._earlies):
            self._abandon(tag, "alto gave up")
        warnings.warn(f"alto runs the rest of this run in order, after an error of its own: {error!r}", AltoWarning, stacklevel=2)

    def _carry_out(self, instructions: list[Instruction]) -> None:
        for instruction in instructions:
            match instruction:
                case Start(tag, node, step):
                    self._start(tag, node, step)
                case Adopt(tag):
                    self._adopt(tag)
                case Pass(tag):
                    self._earlies[tag].let_pass()
                case Cancel(tag, reason):
                    self._abandon(tag, reason)

    def _start(self, tag: Tag, node: str, step: int) -> None:
        early = Early(tag, node, step, outer=self.outer, live=self.options.events == "live", on_route=self._route_reached)
        self._earlies[tag] = early
        task = None if self._draining() else prepare(self.loop, self._sends[tag], early, next(self._numbers), self.staging.gated(node))
        if task is None:
            self._tell(Retreated(tag, "LangGraph wouldn't run it"))
            return
        early.task = task
        self._launch(early)

    def _adopt(self, tag: Tag) -> None:
        early, real = self._earlies.pop(tag), self._adopting[tag]
        self._mark(real, early)
        if early.told:
            self._open.discard(real.id)
        early.adopt(renaming(early.task, real))
        self._adopted.append(early)

    def _mark(self, task: PregelExecutableTask, early: Early | None) -> None:
        task.config["configurable"][MARK] = Marked(self.loop, self._tags[task.id], self.loop.step, early)

    def _abandon(self, tag: Tag, reason: str) -> None:
        early = self._earlies.pop(tag)
        early.close(reason)
        if early.future is not None:
            early.future.cancel()
            self._abandoned.append(early)
        if self.telling is not None:
            self.telling.squashed(tag, reason)


def _prepared(task: PregelExecutableTask) -> bool:
    """Whether the loop prepared the task for the superstep; a running task may add others, for `@task` calls and error handlers."""
    return len(task.path) <= 3
