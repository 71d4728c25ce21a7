"""Tells one run's engine what happens, and carries out what it answers: starts early runs, adopts them, throws them away."""

from __future__ import annotations

import itertools
import threading
import warnings
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from langgraph.types import PregelExecutableTask

from alto_langgraph.adapters.langgraph.facts import Telling
from alto_langgraph.adapters.langgraph.fragments import Fragments
from alto_langgraph.adapters.langgraph.glimpses import glimpsing
from alto_langgraph.adapters.langgraph.naming import Naming
from alto_langgraph.adapters.langgraph.prepare import prepare_pulled, prepare_sent, renaming
from alto_langgraph.adapters.langgraph.producers import Producers
from alto_langgraph.adapters.langgraph.provisional import Provisional
from alto_langgraph.adapters.langgraph.replaying import Stopping
from alto_langgraph.adapters.langgraph.reports import Reports
from alto_langgraph.adapters.langgraph.shadow import Shadow, UnforeseenError, value_of
from alto_langgraph.adapters.langgraph.staging import NOTHING, UNASKED, Issuing, Staging
from alto_langgraph.driver.early import CURRENT, Early
from alto_langgraph.engine.engine import Engine
from alto_langgraph.engine.events import Adopt, Cancel, Event, Instruction, Pass, Retreated, RouteReached, Start
from alto_langgraph.exceptions import AltoWarning
from alto_langgraph.tags import Tag

if TYPE_CHECKING:
    from alto_langgraph.adapters.langgraph.loop import Committing
    from alto_langgraph.options import AltoOptions

MARK = "__alto_run"
"""Key under which a task's config carries what the runner should do instead of running it; taken out before anything sees it."""


class Marked(NamedTuple):
    """What the runner should do for a task: adopt `early`, or run it and tell the observer.

    It is `placed` if it mustn't take a place of `max_concurrency` besides: LangGraph has taken one, or needs none as nothing else is in
    its superstep.
    """

    loop: Committing
    tag: Tag | None
    step: int
    early: Early | None
    placed: bool = False


class Carrying:
    """Of one run of one graph.

    Args:
        loop: LangGraph's loop, which stays the commit stage.
        staging: The graph.
        options: The run's options.
        launch: Starts an early run; sets its future.
    """

    def __init__(self, loop: Committing, staging: Staging, options: AltoOptions, launch: Callable[[Early], None]) -> None:
        self.loop, self.staging, self.options = loop, staging, options
        self.telling = Telling.of(loop, staging, options)
        self.outer = CURRENT.get()
        self._launch = launch
        self._news: list[PregelExecutableTask | Early] = []
        self._lock = threading.RLock()
        self._engine: Engine | None = None
        self._issuing: Issuing = UNASKED
        self._open: set[str] = set()
        self._alone = False
        self._unfinished: dict[str, int] = {}
        self._naming = Naming()
        if self.telling is not None:
            self.telling.real = self._naming.real
        self._shadow = Shadow({}, frozenset(), self._naming.place)
        self._earlies: dict[Tag, Early] = {}
        self._fragments = Fragments(self._naming, self._earlies, staging.hits, staging.payloads.seen)
        self._reports = Reports(loop, staging, self._naming, self._fragments)
        self._stopping = Stopping(staging.tally.replayed)
        self.producers = Producers(loop, options.stream_models, self._stopping)
        self._provisional = Provisional(
            loop,
            staging,
            self._fragments,
            self._reports,
            self._stopping,
            lock=self._lock,
            tell=self._tell,
            has_news=lambda: bool(self._news),
            give_up=self._give_up,
        )
        self._abandoned: list[Early] = []
        self._adopted: list[Early] = []
        self._adopting: dict[Tag, PregelExecutableTask] = {}
        self._numbers = itertools.count(1)

    # ---- telling the engine

    def _tell(self, *events: Event) -> None:
        if self._engine is None:
            return
        try:
            self._carry_out(self._engine.handle(*events))
        except Exception as error:  # whatever alto gets wrong, LangGraph's loop still gets right (I8)
            self._give_up(error)

    def _give_up(self, error: Exception) -> None:
        self._sleep()
        self._issuing = NOTHING
        for tag in list(self._earlies):
            self._abandon(tag, "alto gave up")
        warnings.warn(f"alto runs the rest of this run in order, after an error of its own: {error!r}", AltoWarning, stacklevel=2)

    def _sleep(self) -> None:
        self._engine = None
        self._reports.end()
        self._provisional.end()

    def _carry_out(self, instructions: list[Instruction]) -> None:
        for instruction in instructions:
            match instruction:
                case Start():
                    self._start(instruction)
                case Adopt(tag):
                    self._adopt(tag)
                case Pass(tag):
                    self._let_pass(self._earlies[tag])
                case Cancel(tag, reason):
                    self._abandon(tag, reason)

    # ---- early runs

    def _start(self, start: Start) -> None:
        tag, node = start.tag, start.node
        live = self.options.events == "live" and not (start.guessed or self.loop.announces)
        early = Early(tag, node, start.step, outer=self.outer, live=live, on_route=self._route_reached)
        early.real = self._naming.real
        self._earlies[tag] = early
        if (spare := self.loop.spare) is not None:
            early.leave = partial(spare.leave, early)
        try:
            early.task = None if self._reports.draining else self._prepare(early, start.pulled)
        except UnforeseenError as error:
            self._tell(Retreated(tag, f"{error}"))
            return
        if early.task is None:
            self._tell(Retreated(tag, "LangGraph wouldn't run it"))
            return
        self.staging.tally.started()
        if self.telling is not None:
            self.telling.issued(early, self._shadow)
        self._launch(early)

    def _prepare(self, early: Early, pulled: bool) -> PregelExecutableTask | None:
        proc = self.staging.gated(early.node)
        if not pulled:
            send, uncertain = self._naming.sends[early.tag], self.is_uncertain(early.tag)
            send = glimpsing(send, early, self.staging.payloads, self.staging.keys, self._foresee, uncertain=uncertain)
            return prepare_sent(self.loop, send, early, next(self._numbers), proc)
        early.reads = self._issuing.passing.reads[early.node]
        if early.node in self._issuing.observed:
            if not self._read_so_far(early.node) <= early.reads:
                raise UnforeseenError("it has read something else since")
            proc = self.staging.observed[early.node][1]
        state = self._foresee(early, early.reads)
        try:
            return prepare_pulled(self.loop, state, early, proc)
        except Exception as error:  # the app's own state class, say, which raises it again in its superstep
            raise UnforeseenError(f"making its input raises {error!r}") from error

    def _read_so_far(self, node: str) -> frozenset[str]:
        operands, read = self.staging.plan.nodes[node].operands, self.staging.readings.known(node, 1)
        return operands if read is None else operands & read

    def _foresee(self, early: Early, keys: Iterable[str]) -> dict[str, Any]:
        """The channels of `keys` at the start of an early run's superstep; from now on the run rests on what they hold."""
        state = self._shadow.channels(early.step, keys)
        early.assumed |= {key: value_of(channel) for key, channel in state.items()}
        return state

    def _let_pass(self, early: Early) -> None:
        """Shows an early run's conditional edges the state of its own superstep."""
        reads = self.staging.routes_read(early.node) - self._overwritten(early)
        with suppress(UnforeseenError):  # then they wait for that
            early.view.over = self._foresee(early, reads)
            early.let_pass()

    def _route_reached(self, early: Early) -> None:
        if any(channel in self.staging.loud for channel, _ in early.task.writes):
            return  # its edges wait for their superstep, where LangGraph runs reducers for them
        with self._lock:
            if not (early.adopted or early.abandoned or self._engine is None):
                self._tell(RouteReached(early.tag, self._overwritten(early)))

    def _overwritten(self, early: Early) -> frozenset[str]:
        return self.staging.overwriting.intersection(channel for channel, _ in early.task.writes)

    def is_uncertain(self, tag: Tag) -> bool:
        """Whether an early run may turn out not to be wanted, as it is a guess or rests on a part of an answer."""
        if (engine := self._engine) is None:
            return False
        task = engine.tasks.get(tag)
        return tag in engine.guesses if task is None else task.provisional

    # ---- the loop comes for them, or nobody does

    def _adopt(self, tag: Tag) -> None:
        early, real = self._earlies.pop(tag), self._adopting[tag]
        early.known_as = self._naming.real(tag)
        self._mark(real, early)
        if early.told:
            self._close(real)
        early.view.over = {}
        early.adopt(renaming(early.task, real))
        if not early.borrowed:
            self.loop.release(early)
        self._adopted.append(early)

    def _mark(self, task: PregelExecutableTask, early: Early | None, *, placed: bool = False) -> None:
        tag, placed = self._naming.tags.get(task.id), placed or self._alone
        task.config["configurable"][MARK] = Marked(self.loop, tag, self.loop.step, early, placed)

    def _close(self, task: PregelExecutableTask) -> None:
        self._open.discard(task.id)
        self._unfinished[task.name] -= 1
        if not self._unfinished[task.name]:
            del self._unfinished[task.name]

    def _abandon(self, tag: Tag, reason: str) -> None:
        early = self._earlies.pop(tag)
        early.close(reason)
        self._fragments.forget(tag)
        if early.task is not None:
            self._answered(early.task)
            self.loop.thrown_away(early.task)
        if early.told:  # what it came to doesn't count
            self._shadow.withdrawn(early.step, tag)
            self._naming.disown(tag)
        if early.future is not None:
            early.future.cancel()
            self._abandoned.append(early)
        self.in_vain(early, reason)

    def _answered(self, task: PregelExecutableTask) -> None:
        if self.producers:
            with self._lock:
                self.producers.over(task)

    def in_vain(self, early: Early, reason: str) -> None:
        """What an early run comes to isn't used."""
        if self.telling is not None:
            self.telling.squashed(early.tag, reason)
        if early.future is None:
            return
        self.staging.tally.squashed(reason)
        if early.future.done():
            self._ended_in_vain(early)
        else:
            early.future.add_done_callback(partial(self._ended_in_vain, early))

    def _ended_in_vain(self, early: Early, future: Any = None) -> None:
        if early.asked:
            self.staging.tally.in_vain(early.asked)
            if self.telling is not None:
                self.telling.asked_in_vain(early.tag, len(early.asked), sum(call.tokens for call in early.asked))
