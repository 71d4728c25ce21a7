"""One run's issue stage: tells the engine what LangGraph's loop does, and carries out what it answers."""

from __future__ import annotations

import itertools
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from langgraph.types import PregelExecutableTask, Send

from alto_langgraph.adapters.langgraph.facts import Telling
from alto_langgraph.adapters.langgraph.fragments import Fragments
from alto_langgraph.adapters.langgraph.glimpses import glimpsing
from alto_langgraph.adapters.langgraph.naming import Naming
from alto_langgraph.adapters.langgraph.prepare import prepare_pulled, prepare_sent, renaming
from alto_langgraph.adapters.langgraph.producers import Producers
from alto_langgraph.adapters.langgraph.provisional import Provisional, are_repeatable
from alto_langgraph.adapters.langgraph.replaying import Replays, Stopping
from alto_langgraph.adapters.langgraph.reports import Reports
from alto_langgraph.adapters.langgraph.seam import CONFIG_KEY_RESUMING, ERROR, PULL, TASKS
from alto_langgraph.adapters.langgraph.shadow import Shadow, UnforeseenError, value_of
from alto_langgraph.adapters.langgraph.staging import NOTHING, UNASKED, Issuing, Staging
from alto_langgraph.driver.early import CURRENT, UNPLACED, Early
from alto_langgraph.driver.producing import Producer
from alto_langgraph.driver.watch import Watch
from alto_langgraph.engine.engine import Engine
from alto_langgraph.engine.events import (
    Adopt,
    Cancel,
    Closed,
    Ended,
    Event,
    Instruction,
    Pass,
    Retreated,
    RouteReached,
    Start,
    Waited,
)
from alto_langgraph.exceptions import AltoWarning
from alto_langgraph.tags import Tag

if TYPE_CHECKING:
    from alto_langgraph.adapters.langgraph.loop import Committing
    from alto_langgraph.options import AltoOptions

MARK = "__alto_run"
"""Key under which a task's config carries what the runner should do instead of running it; taken out before anything sees it."""


LEFT = "the run ended before"


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


class Ahead:
    """Issues and adopts early runs for one run of one graph.

    It sleeps, at next to no cost, until a task has finished with Sends while others of its superstep still run, or until a
    superstep has taken a while.

    Args:
        loop: LangGraph's loop, which stays the commit stage.
        staging: The graph.
        options: The run's options.
        launch: Starts an early run; sets its future.
        soon: Calls something once what has happened together is known, or at once.
        alarm: Has something called when the superstep has taken a while.
    """

    def __init__(
        self,
        loop: Committing,
        staging: Staging,
        options: AltoOptions,
        launch: Callable[[Early], None],
        soon: Callable[..., object],
        alarm: Callable[[Callable[[], None]], Callable[[], object]],
    ) -> None:
        self.loop, self.staging, self.options = loop, staging, options
        self.telling = Telling.of(loop, staging, options)
        self.outer = CURRENT.get()
        self._launch, self._soon = launch, soon
        self._news: list[PregelExecutableTask | Early] = []
        self._lock = threading.RLock()
        self._watch = Watch(
            staging.tempo,
            alarm=alarm,
            soon=partial(soon, early=True),
            lock=self._lock,
            call=self._has_waited,
            seconds=loop.a_while,
            grace=loop.grace,
        )
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
            has_news=lambda: self.has_news,
            give_up=self._give_up,
        )
        self._abandoned: list[Early] = []
        self._adopted: list[Early] = []
        self._adopting: dict[Tag, PregelExecutableTask] = {}
        self._numbers = itertools.count(1)

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

    def _sleep(self) -> None:
        self._engine = None
        self._reports.end()
        self._provisional.end()

    def _has_waited(self) -> None:
        """The open superstep takes a while."""
        try:
            if self._engine is not None:
                self._tell(Waited())
            elif self._permitted() and self._is_worth_it():
                self._wake()
            self._provisional.look()
        except Exception as error:
            self._give_up(error)

    def _is_worth_it(self) -> bool:
        """Whether something that edges trigger may start now, in a superstep that goes on."""
        if any(self._issuing.passing.foreseen(node) or any(self._likely(node)) for node in self._unfinished):
            return True
        done = [task for id, task in self.loop.tasks.items() if id not in self._open and _prepared(task)]
        return any(map(self._pulls_ahead, done))

    def _likely(self, node: str) -> Iterator[str]:
        return self.staging.likely(node, self.options, self._issuing)

    def _go_on(self, tasks: Mapping[str, PregelExecutableTask]) -> None:
        """The superstep that early runs were started for is here."""
        self._shadow.opened(self.loop.step)
        self._adopting = {self._naming.tags[id]: task for id, task in tasks.items()}
        for tag in self._adopting:
            self._check(tag)
        self._tell(self._reports.opening(tasks.values()))
        self._adopting = {}
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

    def _close(self, task: PregelExecutableTask) -> None:
        self._open.discard(task.id)
        self._unfinished[task.name] -= 1
        if not self._unfinished[task.name]:
            del self._unfinished[task.name]

    def _leads_ahead(self, task: PregelExecutableTask) -> bool:
        """Whether something that follows a finished task may be worth starting while others of its superstep still run."""
        if not self._unfinished:
            return False
        if any(channel == TASKS for channel, _ in task.writes):
            return True
        return self._watch.passed and self._permitted() and self._pulls_ahead(task)

    def _pulls_ahead(self, task: PregelExecutableTask) -> bool:
        pulled = self._reports.pulled_by(task.writes).union(self._joined_by(task.writes)) & self._issuing.passing.reads.keys()
        return not pulled.isdisjoint(self._issuing.gathering) or any(
            all(self._issuing.passing.obstacle(node, other, 1) is None for other in self._unfinished) for node in pulled
        )

    def _joined_by(self, writes: Any) -> Iterator[str]:
        """Nodes that joins trigger once the superstep is over, by what its finished tasks have written."""
        for join in {self.staging.joins[channel] for channel, _ in writes if channel in self.staging.joins}:
            done = {task.name for id, task in self.loop.tasks.items() if id not in self._open}
            if join.starts <= done.union(*(names for other, names in self._reports.arrived() if other == join)):
                yield join.end

    @property
    def has_news(self) -> bool:
        """Whether something has happened that the engine hasn't been told."""
        return bool(self._news)

    def catch_up(self) -> None:
        """Tells the engine what has finished since the last time, all at once.

        Tasks that finish together mostly finish their superstep together, and then the loop comes for the next one at once:
        nothing of it is worth starting ahead.
        """
        self._catch_up()
        self._provisional.look()

    def _catch_up(self) -> None:
        with self._lock:
            news, self._news = self._news, []
            try:
                self._digest(news)
            except Exception as error:
                self._give_up(error)

    def _digest(self, news: list[PregelExecutableTask | Early]) -> None:
        if self._engine is not None:
            self._tell(*[self._reports.finishing(item) for item in news if not (isinstance(item, Early) and item.abandoned)])
        elif news and self._open and self._permitted():
            self._wake()

    @property
    def has_adopted(self) -> bool:
        """Whether the open superstep has taken early runs."""
        return bool(self._adopted)

    def closing(self, step: int) -> None:
        """The loop is about to commit superstep `step`: from now until the next one opens nothing starts or looks at the state."""
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

    # ---- what tasks are answered

    def producer(self, task: PregelExecutableTask, early: Early | None, attempt: Any) -> Producer | None:
        """Listens to what a running task is answered; None if nothing may start on a part of that."""
        with self._lock:
            if not (self._permitted() and task.name in self._issuing.streaming and self.staging.hits.worth(task.name)):
                return None
            return self.producers.of(task, early, attempt, self._streamed)

    def _streamed(self, task: PregelExecutableTask, early: Early | None, replays: Replays, sends: Sequence[Send]) -> None:
        """A running task would send these, as its replays show."""
        with self._lock:
            if replays.over:  # it has returned meanwhile
                return
            try:
                replays.over |= not self._stream(task, early, sends)
            except Exception as error:
                self._give_up(error)

    def _stream(self, task: PregelExecutableTask, early: Early | None, sends: Sequence[Send]) -> bool:
        """Starts what is new of that; answers whether it may go on."""
        if not are_repeatable(sends, self._issuing) or (early is not None and (early.abandoned or early.told)):
            return False
        if self._engine is None:
            self._wake()
        tag = early.tag if early is not None else self._naming.tags.get(task.id)
        if tag is None or self._engine is None:
            return False
        if self._news:
            self._catch_up()
        return self._provisional.stream(tag, sends)

    def _answered(self, task: PregelExecutableTask) -> None:
        if self.producers:
            with self._lock:
                self.producers.over(task)

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

    def _route_reached(self, early: Early) -> None:
        if any(channel in self.staging.loud for channel, _ in early.task.writes):
            return  # its edges wait for their superstep, where LangGraph runs reducers for them
        with self._lock:
            if not (early.adopted or early.abandoned or self._engine is None):
                self._tell(RouteReached(early.tag, self._overwritten(early)))

    def _overwritten(self, early: Early) -> frozenset[str]:
        return self.staging.overwriting.intersection(channel for channel, _ in early.task.writes)

    # ---- what those want to know whom tasks ask

    @property
    def unfinished(self) -> int:
        """How many tasks that it knows haven't finished."""
        if (engine := self._engine) is None:
            return sum(self._unfinished.values())
        return sum(task.unfinished for task in [*engine.tasks.values()])  # at once: other threads go on

    def is_uncertain(self, tag: Tag) -> bool:
        """Whether an early run may turn out not to be wanted, as it is a guess or rests on a part of an answer."""
        if (engine := self._engine) is None:
            return False
        task = engine.tasks.get(tag)
        return tag in engine.guesses if task is None else task.provisional

    # ---- telling the engine

    def _permitted(self) -> bool:
        """Whether anything may start ahead in this run, now."""
        loop = self.loop
        if self._issuing is UNASKED:
            self._issuing = self._allowed(loop.config.get("max_concurrency"))
        return bool(self._issuing) and not loop.config["configurable"].get(CONFIG_KEY_RESUMING) and not self._reports.draining

    def _allowed(self, most: int | None) -> Issuing:
        if most == 1:
            return NOTHING  # one place is kept busy in order anyway
        return self.staging.issuing(
            self.options, saves=self.loop.checkpointer is not None, limited=most is not None, threads=not self.loop.can_cancel
        )

    def _wake(self) -> None:
        self._engine = Engine(
            self.staging.plan,
            window=self.options.window,
            ahead=self._issuing.sent,
            passing=self._issuing.passing,
            keys=self.staging.keys,
            steady=self.staging.steady,
            likely=self._likely if self._issuing.routers else None,
            guesses=int(self.options.window * self.options.speculation),
            repeatable=self._issuing.repeatable,
            gathering=self._issuing.gathering,
        )
        self._shadow = Shadow(self.loop.channels, self.staging.foldable, self._naming.place)
        self._reports.begin(self._engine.ledger, self._shadow, self._issuing.kinds)
        self._provisional.begin(self._engine, self._shadow, self._issuing)
        self._news = []  # all that has finished is told now
        tasks = [task for task in self.loop.tasks.values() if _prepared(task)]
        if self.telling is None:
            self._name(tasks)
        self._tell(self._reports.opening(tasks))
        self._tell(*(self._reports.finishing(task) for task in tasks if task.id not in self._open and task.writes))
        if self._watch.passed:
            self._tell(Waited())

    def _name(self, tasks: Iterable[PregelExecutableTask]) -> None:
        self._naming.opened(tasks, self.loop.channels, self.loop.step, self.loop.lineage)
        if self._engine is None:
            self._naming.clear()

    # ---- carrying out what the engine answers

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


def _prepared(task: PregelExecutableTask) -> bool:
    """Whether the loop prepared the task for the superstep; a running task may add others, for `@task` calls and error handlers."""
    return len(task.path) <= 3
