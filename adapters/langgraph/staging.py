"""What is worked out once per compiled graph: its plan, and its nodes made ready to run ahead."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from langchain_core.runnables import Runnable, RunnableConfig

from alto_langgraph.adapters.langgraph.seam import BinaryOperatorAggregate, LastValue, Pregel, RunnableSeq
from alto_langgraph.driver.early import CURRENT
from alto_langgraph.plan.beside import beside
from alto_langgraph.plan.model import Effects, Plan

if TYPE_CHECKING:
    from alto_langgraph.options import AltoOptions


class Gated(Runnable[Any, Any]):
    """A conditional edge that waits, in an early run, until nothing unfinished can change what it reads."""

    def __init__(self, edge: Runnable[Any, Any]) -> None:
        self.edge = edge

    def invoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        if early := CURRENT.get():
            early.reach_route()
            early.wait()
        return self.edge.invoke(input, config)

    async def ainvoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        if early := CURRENT.get():
            early.reach_route()
            await early.passage()
        return await self.edge.ainvoke(input, config)


class Staging:
    """A compiled graph, seen by the issue stage.

    Args:
        graph: Stays unchanged.
    """

    def __init__(self, graph: Pregel[Any, Any, Any, Any]) -> None:
        self.nodes = graph.nodes
        self.channels = graph.channels
        self.step_timeout = graph.step_timeout
        self._graph = graph
        self._gated: dict[str, Runnable[Any, Any] | None] = {}

    @cached_property
    def plan(self) -> Plan:
        """What is known of the graph before it runs."""
        # Reading code takes modules that a graph which never runs ahead doesn't need.
        from alto_langgraph.adapters.langgraph.lowering import lower

        return lower(self._graph)

    @cached_property
    def keys(self) -> frozenset[str]:
        """All state keys."""
        return frozenset(self.channels)

    @cached_property
    def steady(self) -> frozenset[str]:
        """State keys whose value changes only when a task writes them."""
        return frozenset(k for k, c in self.channels.items() if type(c) in (LastValue, BinaryOperatorAggregate))

    @cached_property
    def last_values(self) -> frozenset[str]:
        """State keys that keep only the last value written."""
        return frozenset(k for k, c in self.channels.items() if type(c) is LastValue)

    @cached_property
    def _beside(self) -> Mapping[str, frozenset[str]]:
        return beside(self.plan)

    @cached_property
    def ordered(self) -> frozenset[str]:
        """Nodes that use an object outside the state which tasks of their own superstep use too: its order shows in them."""
        nodes = self.plan.nodes
        if not any(node.shares for node in nodes.values()):
            return frozenset()
        return frozenset(n for n in nodes if any(_shared(self.plan, n, other) for other in self._beside.get(n, ())))

    @cached_property
    def wary(self) -> frozenset[str]:
        """Nodes that may change their operands in place, and nodes beside which a task of their own superstep may.

        Until that superstep is there, others look at these operands: checkpoints, events, reducers and path functions.
        """
        nodes = self.plan.nodes
        if not any(node.mutates for node in nodes.values()):
            return frozenset()
        return frozenset(n for n in nodes if nodes[n].function.mutates or any(nodes[o].mutates for o in self._beside.get(n, ())))

    def ahead(self, options: AltoOptions, *, saves: bool, limited: bool) -> frozenset[str]:
        """Nodes that may be started ahead.

        Args:
            options: The run's options.
            saves: Whether the run has a checkpointer.
            limited: Whether the run has a `max_concurrency`, under which a run that waits at its edges would hold a place.
        """
        if "send" not in options.issue or not options.window or self.step_timeout is not None or self.plan.fences:
            return frozenset()
        strongest = Effects[options.effects.upper()]
        return frozenset(
            name
            for name, node in self.plan.nodes.items()
            if not node.fences
            and node.function.effects <= strongest
            and not node.may_interrupt
            and name not in self.ordered
            and not (saves and node.subgraph)
            and not (limited and node.routes)
            and self.gated(name) is not None
        )

    def gated(self, name: str) -> Runnable[Any, Any] | None:
        """The node's runnable with its conditional edges gated; None if it can't be."""
        if name not in self._gated:
            self._gated[name] = _gate(self.nodes, name)
        return self._gated[name]


def _shared(plan: Plan, one: str, other: str) -> bool:
    reasons = (plan.conflict(one, other), plan.conflict(other, one))
    return any(reason is not None and reason.code == "shared" for reason in reasons)


def _gate(nodes: Mapping[str, Any], name: str) -> Runnable[Any, Any] | None:
    proc = nodes[name].node
    if not isinstance(proc, RunnableSeq):
        return proc if not nodes[name].writers else None
    edges = {id(w) for w in nodes[name].flat_writers if not hasattr(w, "writes")}
    if not edges:
        return proc
    twin = copy.copy(proc)
    twin.steps = [Gated(step) if id(step) in edges else step for step in proc.steps]
    return twin
