"""Puts what LangGraph's loop and early runs do into the engine's events."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from langgraph.types import PregelExecutableTask

from alto_langgraph.adapters.langgraph.fragments import Fragments, borrows
from alto_langgraph.adapters.langgraph.naming import Naming
from alto_langgraph.adapters.langgraph.seam import CONFIG_KEY_RESUMING, ERROR, MISSING, EphemeralValue
from alto_langgraph.adapters.langgraph.shadow import Shadow, value_of
from alto_langgraph.adapters.langgraph.staging import Staging
from alto_langgraph.driver.early import Early
from alto_langgraph.driver.operands import operands
from alto_langgraph.engine.events import Event, Failed, Finished, Offer, Opened, Retreated
from alto_langgraph.engine.ledger import Ledger
from alto_langgraph.plan.candidates import Kinds
from alto_langgraph.plan.hops import hops
from alto_langgraph.plan.model import Join
from alto_langgraph.tags import Tag

if TYPE_CHECKING:
    from alto_langgraph.adapters.langgraph.loop import Committing

BORROWED = "what it has written holds an object of a payload that stood for another"


class Reports:
    """Of one run of one graph.

    Args:
        loop: The run.
        staging: The graph.
        naming: Names its tasks.
        fragments: What tasks would send before they have.
    """

    def __init__(self, loop: Committing, staging: Staging, naming: Naming, fragments: Fragments) -> None:
        self._loop, self._staging, self._naming, self._fragments = loop, staging, naming, fragments
        self._ledger: Ledger | None = None
        self._shadow: Shadow | None = None
        self._kinds: Kinds = {}

    def begin(self, ledger: Ledger, shadow: Shadow, kinds: Kinds) -> None:
        """There is an engine to report to from now on; of nodes in `kinds` only payloads of those may start ahead."""
        self._ledger, self._shadow, self._kinds = ledger, shadow, kinds

    def end(self) -> None:
        """There is none any more."""
        self._ledger = self._shadow = None

    @property
    def draining(self) -> bool:
        """Whether the run was asked to stop after this superstep."""
        return self._loop.control is not None and self._loop.control.drain_requested

    def opening(self, tasks: Sequence[PregelExecutableTask] | Any) -> Opened:
        offers = tuple(self.offer(self._naming.tags[t.id], t.name, t.input) for t in tasks)
        return Opened(self._loop.step, offers, self._limit(), tuple(self.arrived()), frozenset(self._deferred()))

    def arrived(self) -> Iterator[tuple[Join, frozenset[str]]]:
        """Who has come to joins that not all have come to."""
        for key, join in self._staging.joins.items():
            seen: set[str] = self._loop.channels[key].seen  # type: ignore[attr-defined]
            if seen and seen != join.starts:
                yield join, frozenset(seen)

    def _deferred(self) -> Iterator[str]:
        """Nodes that something has led to, and that wait until nothing else runs."""
        for name, triggers in self._staging.deferred.items():
            channels: list[Any] = [self._loop.channels[key] for key in triggers]
            if any(getattr(c, "seen", None) or getattr(c, "value", MISSING) is not MISSING for c in channels):
                yield name

    def _limit(self) -> int:
        """The last superstep that is certain to come without a breakpoint before it."""
        loop = self._loop
        if self.draining or loop.config["configurable"].get(CONFIG_KEY_RESUMING):
            return loop.step
        limit = loop.stop
        here = [task.name for task in loop.tasks.values()]
        for names, reach in ((loop.interrupt_before, -1), (loop.interrupt_after, 0)):
            if names:
                far = hops(self._staging.plan, here, names)
                limit = limit if far is None else min(limit, loop.step + far + reach)
        return max(limit, loop.step)

    def offer(self, tag: Tag, node: str, operand: Any) -> Offer:
        payloads = self._staging.payloads
        if payloads.waits(node, operand) or (node in self._kinds and not payloads.among(self._kinds[node], node, operand)):
            return Offer(tag, node, None, alone=False)
        if self._ledger is None:
            return Offer(tag, node)
        stays = bool(self._staging.loud) and self._may_grow(operand)
        if not self._ledger.holding:
            return Offer(tag, node, alone=not stays)
        held = operands(payloads.seen(node, operand))
        alone = held == frozenset() or not self._staging.candidates.is_wary(node, payloads.kinds(node, operand))
        return Offer(tag, node, held, alone=not stays and alone)

    def _may_grow(self, operand: Any) -> bool:
        """Whether what is sent holds something of the state that a reducer may change in place when its superstep is committed."""
        held = operands(operand)
        if held is None:
            return True
        values = [value_of(self._loop.channels[key]) for key in self._staging.loud] if held else []
        reduced = operands(values) if values else frozenset()
        return reduced is None or not held.isdisjoint(reduced - {id(values)})

    def finishing(self, item: PregelExecutableTask | Early) -> Event:
        if isinstance(item, Early):
            if borrows(item):
                return Retreated(item.tag, BORROWED)
            failed = item.future.exception() is not None
            return self._failed(item.tag) if failed else self._finished_with(item.tag, item.step, item.task.writes)
        tag = self._naming.tags[item.id]
        failed = any(channel == ERROR for channel, _ in item.writes)
        return self._failed(tag) if failed else self._finished_with(tag, self._loop.step, item.writes)

    def _failed(self, tag: Tag) -> Failed:
        self._fragments.forget(tag)
        return Failed(tag)

    def _finished_with(self, tag: Tag, step: int, writes: Any) -> Finished:
        edges, joins = self._loop.trigger_to_nodes, self._staging.joins
        goes = frozenset(node for channel, _ in writes if channel not in joins for node in edges.get(channel, ()))
        arrives = frozenset(joins[channel] for channel, _ in writes if channel in joins)
        if self._shadow is not None:
            self._shadow.finished(step, tag, writes)
        confirmed = self._fragments.confirm(tag, writes)
        return Finished(tag, self._offers(tag, writes), goes, self.pulled_by(writes), arrives, confirmed)

    def pulled_by(self, writes: Any) -> frozenset[str]:
        """Nodes that a task's writes are certain to trigger: those behind edges of their own, not joins or deferred ones."""
        loop = self._loop
        edges = (channel for channel, _ in writes if type(loop.channels.get(channel)) is EphemeralValue)
        return frozenset(node for channel in edges for node in loop.trigger_to_nodes.get(channel, ()))

    def _offers(self, tag: Tag, writes: Any) -> tuple[Offer, ...]:
        children = list(self._naming.children(tag, writes))
        return tuple(self.offer(child, send.node, send.arg) for child, send in children) if self._ledger is not None else ()
