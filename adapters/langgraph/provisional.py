"""What a run's tasks would send on parts of their answers, or of what they reduce: offers it to the engine, as far as it may start."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from functools import partial
from typing import TYPE_CHECKING, Any

from langgraph.types import PregelExecutableTask, Send

from alto_langgraph.adapters.langgraph.callbacks import hears_inputs
from alto_langgraph.adapters.langgraph.fragments import Fragments
from alto_langgraph.adapters.langgraph.gathering import Gathered, Gathering, Part
from alto_langgraph.adapters.langgraph.prepare import prepare_unseen
from alto_langgraph.adapters.langgraph.replaying import Stopping, Writes
from alto_langgraph.adapters.langgraph.reports import Reports
from alto_langgraph.adapters.langgraph.shadow import Shadow, UnforeseenError, Written, by_key
from alto_langgraph.adapters.langgraph.staging import NOTHING, Issuing, Staging
from alto_langgraph.ancestry import OUTERMOST
from alto_langgraph.engine.closing import ancestor_of
from alto_langgraph.engine.engine import Engine
from alto_langgraph.engine.events import Event, Relayed, Streamed, Withdrawn
from alto_langgraph.engine.task import Phase, Task
from alto_langgraph.tags import Tag

if TYPE_CHECKING:
    from alto_langgraph.adapters.langgraph.loop import Committing


class Provisional:
    """Of one run of one graph.

    Args:
        loop: The run.
        staging: The graph.
        fragments: What tasks would send.
        reports: Makes the engine's offers.
        stopping: Stops replays.
        lock: Held while the engine is told or asked.
        tell: Tells the engine.
        has_news: Whether something has happened that the engine hasn't been told.
        give_up: Called with an error of alto's own.
    """

    def __init__(
        self,
        loop: Committing,
        staging: Staging,
        fragments: Fragments,
        reports: Reports,
        stopping: Stopping,
        *,
        lock: AbstractContextManager[object],
        tell: Callable[[Event], None],
        has_news: Callable[[], bool],
        give_up: Callable[[Exception], None],
    ) -> None:
        self._loop, self._staging, self._fragments, self._reports = loop, staging, fragments, reports
        self._lock, self._tell, self._has_news, self._give_up = lock, tell, has_news, give_up
        self._gathering = Gathering(stopping)
        self._engine: Engine | None = None
        self._shadow: Shadow | None = None
        self._issuing: Issuing = NOTHING
        self._relayed: dict[Tag, Tag] = {}

    def begin(self, engine: Engine, shadow: Shadow, issuing: Issuing) -> None:
        """There is an engine to offer to from now on."""
        self._engine, self._shadow, self._issuing = engine, shadow, issuing

    def end(self) -> None:
        """There is none any more."""
        self._engine = self._shadow = None
        self._relayed.clear()

    def stop(self) -> None:
        """The run is over: lets go of it."""
        self._gathering.stop()
        self._tell = self._give_up = _nothing
        self._has_news = bool

    # ---- on parts of answers

    def stream(self, tag: Tag, sends: Sequence[Send]) -> bool:
        """A running task would send these; answers whether it may go on."""
        return self._offer(tag, self._fragments.add(tag, sends, self._may_try))

    def relay(self, tag: Tag, nodes: tuple[str, ...], sends: Sequence[Send]) -> bool:
        """The last of `nodes`, one behind the other behind a running task, would send these; answers whether that may go on."""
        self._tell(Relayed(tag, nodes))
        if self._engine is None:
            return False
        last = self._behind(self._engine.tasks[tag], nodes)[-1]
        if self._engine.tasks[last].phase is Phase.COMPLETED:
            return False  # it has really sent what it sends
        self._relayed[last] = tag
        return self.stream(last, sends)

    def opened(self) -> None:
        """A superstep has begun: what nodes would have sent that never came was in vain."""
        for tag in [tag for tag in self._relayed if self._engine is None or tag not in self._engine.tasks]:
            del self._relayed[tag]
            self._fragments.forget(tag)

    def onward(self, tag: Tag, nodes: tuple[str, ...], path: Sequence[Writes]) -> tuple[PregelExecutableTask, Any] | None:
        """The task behind the last of those, with what they would write; None if it isn't one that may be run on that."""
        engine, shadow = self._engine, self._shadow
        if engine is None or shadow is None or (asking := engine.tasks.get(tag)) is None or asking.phase is not Phase.RUNNING:
            return None
        triggered = self._reports.pulled_by(path[-1]) & self._issuing.relays.get(asking.node, frozenset())
        if len(triggered) != 1:
            return None
        *before, last = tag, *self._behind(asking, (*nodes, *triggered))
        (node, step), known = last.path[-1], engine.tasks.get(last)
        if last in engine.guesses or (known is not None and not self._is_free(known, tag)):
            return None
        reads = self._staging.plan.nodes[node].operands | self._staging.routes_read(node)
        if engine.may_write(reads, step, but=before):
            return None
        written = [Written(asking.step + place, one, by_key(writes)) for place, (one, writes) in enumerate(zip(before, path, strict=True))]
        try:
            return prepare_unseen(self._loop, last, node, step, shadow.beyond(step, reads, written))
        except UnforeseenError:
            return None

    def _behind(self, asking: Task, nodes: Sequence[str]) -> list[Tag]:
        return [Tag(((node, asking.step + distance),)) for distance, node in enumerate(nodes, start=1)]

    def _is_free(self, task: Task, tag: Tag) -> bool:
        """Whether it has sent nothing, nor would but by answers to `tag`. One that needs nothing of these may be ahead already."""
        fine = task.phase in (Phase.WAITING, Phase.READY, Phase.RUNNING, Phase.COMPLETED)
        return fine and (not task.children or self._relayed.get(task.tag) == tag)

    def _offer(self, tag: Tag, new: list[tuple[Tag, Send]] | None) -> bool:
        if new is None:
            self._fragments.forget(tag)
            self._tell(Withdrawn(tag))
        elif new:
            self._tell(Streamed(tag, tuple(self._reports.offer(child, send.node, send.arg) for child, send in new)))
        return new is not None

    def _may_try(self, send: Send, placed: bool = True) -> bool:
        """Whether something may start on a payload that isn't certain: of a state that comes along the last part isn't there yet."""
        node, payload, payloads = send.node, send.arg, self._staging.payloads
        if not placed and node in self._staging.asks_its_place:
            return False
        kinds = self._issuing.repeatable_kinds.get(node)
        if kinds is not None and not payloads.among(kinds, node, payload):
            return False
        if payloads.kinds(node, payload) is None:
            return True
        return payloads.settled(node, payload) is not None and (
            payloads.seen(node, payload) is payload or not hears_inputs(self._loop.manager)
        )

    # ---- on parts of reductions

    def look(self) -> None:
        """More of the reductions that tasks wait for may be closed."""
        if self._engine is not None and self._issuing.gathering:
            with self._lock:
                if (engine := self._engine) is not None:
                    self._gathering.look(engine.roster.gathered, engine.roster.ancestry.closings, self._gather)

    def _gather(self, task: Task) -> Gathered:
        hits, levels = self._staging.hits, self._staging.levels
        known = hits.proven(task.node)
        level = levels.get(task.node, OUTERMOST) if known else OUTERMOST
        learnt = partial(levels.__setitem__, task.node)
        return Gathered(
            self._loop, task, known=known, level=level, part=self._part, tell=self._told, agree=self._fragments.agree, learnt=learnt
        )

    def _part(self, tag: Tag, level: int | None, smaller: bool) -> Part | None:
        """The part of the reduction that is closed, or one `smaller` by one ancestor of several; by the innermost split if no `level`."""
        with self._lock:
            engine, shadow = self._engine, self._shadow
            if engine is None or shadow is None or (task := engine.roster.gathering(tag)) is None:
                return None
            if self._has_news():
                self._gathering.look_again()
                return None
            level = engine.roster.deepest(task) if level is None else level
            if level < OUTERMOST:
                return None
            closed, first = engine.closed(task, holes=not self._loop.announces, level=level)  # what is told there has its place
            if smaller:
                last = _one_of_several([ancestor_of(other.tag, level) for other in closed])
                closed = [other for other in closed if ancestor_of(other.tag, level) != last]
            reads = self._issuing.passing.reads[task.node] | self._staging.routes_read(task.node)
            try:
                state = shadow.part(task.step, reads, frozenset(other.tag for other in closed))
            except UnforeseenError:
                return None
            before = frozenset(ancestor_of(other.tag, level) for other in closed if other.step == task.step - 1)
            return Part(state, sum(other.step == task.step - 1 for other in closed), first, level, before)

    def _told(self, tag: Tag, sends: Sequence[Send], placed: bool) -> bool:
        """A task that waits would send these on the part of what it waits for that is closed; answers whether it may go on."""
        with self._lock:
            try:
                if self._engine is None or self._engine.roster.gathering(tag) is None or not are_repeatable(sends, self._issuing):
                    return False
                return self._offer(tag, self._fragments.insert(tag, sends, self._may_try, placed=placed))
            except Exception as error:
                self._give_up(error)
                return False


def are_repeatable(sends: Sequence[Send], issuing: Issuing) -> bool:
    """Whether all of them may be thrown away again."""
    return all(send.node in issuing.repeatable for send in sends)


def _one_of_several(ancestors: Sequence[Tag]) -> Tag | None:
    """The last of them that isn't the only one of its parent's; None if there is none."""
    several = Counter(ancestor.parent for ancestor in set(ancestors))
    return next((ancestor for ancestor in reversed(ancestors) if several[ancestor.parent] > 1), None)


def _nothing(what: object) -> None:
    """Who is told when the run is over."""
