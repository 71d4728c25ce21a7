"""Wakes one run's engine when something may be worth starting ahead, and tells it the news."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from langgraph.types import PregelExecutableTask, Send

from alto_langgraph.adapters.langgraph.carrying import Carrying
from alto_langgraph.adapters.langgraph.provisional import are_repeatable
from alto_langgraph.adapters.langgraph.replaying import Replays, Writes
from alto_langgraph.adapters.langgraph.seam import CONFIG_KEY_RESUMING
from alto_langgraph.adapters.langgraph.shadow import Shadow
from alto_langgraph.adapters.langgraph.staging import NOTHING, UNASKED, Issuing, Staging
from alto_langgraph.driver.early import Early
from alto_langgraph.driver.producing import Producer
from alto_langgraph.driver.watch import Watch
from alto_langgraph.engine.engine import Engine
from alto_langgraph.engine.events import Waited
from alto_langgraph.tags import Tag

if TYPE_CHECKING:
    from alto_langgraph.adapters.langgraph.loop import Committing
    from alto_langgraph.options import AltoOptions


class Waking(Carrying):
    """Of one run of one graph. It sleeps, at next to no cost, as long as nothing is known that could be started.

    Args:
        loop: LangGraph's loop.
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
        super().__init__(loop, staging, options, launch)
        self._soon = soon
        self._watch = Watch(
            staging.tempo,
            alarm=alarm,
            soon=partial(soon, early=True),
            lock=self._lock,
            call=self._has_waited,
            seconds=loop.a_while,
            grace=loop.grace,
        )

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

    # ---- news

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

    # ---- a superstep that takes a while

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

    # ---- what tasks are answered

    def producer(self, task: PregelExecutableTask, early: Early | None, attempt: Any) -> Producer | None:
        """Listens to what a running task is answered; None if nothing may start on a part of that."""
        with self._lock:
            if not (self._permitted() and task.name in self._issuing.streaming):
                return None
            relays = self._issuing.relays.get(task.name, frozenset())
            if not all(map(self.staging.hits.worth, (task.name, *relays))):
                return None
            return self.producers.of(task, early, attempt, self._streamed, self._onward if relays else None)

    def _streamed(
        self, task: PregelExecutableTask, early: Early | None, replays: Replays, sends: Sequence[Send], nodes: tuple[str, ...]
    ) -> None:
        """A running task, or the last of `nodes` behind it, would send these, as its replays show."""
        with self._lock:
            if replays.over:  # it has returned meanwhile
                return
            try:
                replays.over |= not self._stream(task, early, sends, nodes)
            except Exception as error:
                self._give_up(error)

    def _stream(self, task: PregelExecutableTask, early: Early | None, sends: Sequence[Send], nodes: tuple[str, ...]) -> bool:
        """Starts what is new of that; answers whether it may go on."""
        if not are_repeatable(sends, self._issuing):
            return False
        if nodes and not sends:
            return True
        if (tag := self._running(task, early)) is None:
            return False
        return self._provisional.relay(tag, nodes, sends) if nodes else self._provisional.stream(tag, sends)

    def _onward(self, task: PregelExecutableTask, early: Early | None, nodes: tuple[str, ...], path: Sequence[Writes]) -> Any:
        """What is behind a running task, and behind `nodes`, with what replays of them have written; see `replaying.Onward`."""
        with self._lock:
            try:
                tag = self._running(task, early)
                return None if tag is None else self._provisional.onward(tag, nodes, path)
            except Exception as error:
                self._give_up(error)
                return None

    def _running(self, task: PregelExecutableTask, early: Early | None) -> Tag | None:
        """What the engine calls a running task; None if it isn't to hear of it any more."""
        if early is not None and (early.abandoned or early.told):
            return None
        if self._engine is None:
            self._wake()
        tag = early.tag if early is not None else self._naming.tags.get(task.id)
        if self._news:
            self._catch_up()
        return None if self._engine is None else tag


def _prepared(task: PregelExecutableTask) -> bool:
    """Whether the loop prepared the task for the superstep; a running task may add others, for `@task` calls and error handlers."""
    return len(task.path) <= 3
