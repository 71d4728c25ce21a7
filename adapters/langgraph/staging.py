"""What is worked out once per compiled graph: its plan, and its nodes made ready to run ahead."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from langchain_core.runnables import Runnable, RunnableConfig
from langgraph.channels import UntrackedValue
from langgraph.constants import START

from alto_langgraph.adapters.langgraph.observing import observing
from alto_langgraph.adapters.langgraph.payloads import Payloads
from alto_langgraph.adapters.langgraph.seam import (
    BinaryOperatorAggregate,
    EphemeralValue,
    LastValue,
    NamedBarrierValue,
    Pregel,
    RunnableSeq,
)
from alto_langgraph.code_reading import reading_code
from alto_langgraph.driver.early import CURRENT
from alto_langgraph.driver.hits import Hits
from alto_langgraph.driver.readings import Readings
from alto_langgraph.driver.tally import Tally
from alto_langgraph.driver.tempo import Tempo
from alto_langgraph.engine.habits import Habits
from alto_langgraph.plan.candidates import NOTHING_SEEN, Candidates, Kinds
from alto_langgraph.plan.model import Effects, Join, NodePlan, Plan
from alto_langgraph.plan.passing import Passing

if TYPE_CHECKING:
    from alto_langgraph.options import AltoOptions
    from alto_langgraph.plan.explain import SoFar


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


@dataclass(frozen=True)
class Issuing:
    """What may be started ahead in a run.

    Args:
        sent: Nodes that are sent to.
        passing: What nodes that edges trigger may pass.
        overtakes: Whether there is anything that one of these could pass.
        routers: Nodes whose decision something may be started before, with what that could be.
        observed: Nodes whose runs are watched: what runs them in order.
        repeatable: Nodes that may be started though it isn't certain that they will be needed.
        streaming: Nodes of which something may be sent on a part of what they are answered.
        relays: Nodes through which such a part may go on, by the node that asks.
        gathering: Nodes of which something may be sent on a part of what they reduce.
        kinds: Kinds of payloads with which some of `sent` may be started, where it isn't all.
        repeatable_kinds: The same for `repeatable`.
    """

    sent: frozenset[str]
    passing: Passing
    overtakes: bool = False
    routers: Mapping[str, frozenset[str]] = field(default_factory=dict)
    observed: Mapping[str, Runnable[Any, Any]] = field(default_factory=dict)
    repeatable: frozenset[str] = frozenset()
    streaming: frozenset[str] = frozenset()
    relays: Mapping[str, frozenset[str]] = field(default_factory=dict)
    gathering: frozenset[str] = frozenset()
    kinds: Kinds = field(default_factory=dict)
    repeatable_kinds: Kinds = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.sent or self.overtakes)


Seen = Mapping[str, frozenset[str]]
"""All state keys that the runs of some nodes have read."""

NOTHING = Issuing(frozenset(), Passing(Plan({}), {}))
UNASKED = Issuing(frozenset(), Passing(Plan({}), {}))


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
        self.tempo, self.habits, self.readings, self.hits, self.tally = Tempo(), Habits(), Readings(), Hits(), Tally()
        self.levels: dict[str, int] = {}
        """Of nodes that send on parts of reductions, by which split's tasks, where that isn't the outermost: its depth."""
        self.asks_its_place: set[str] = set()
        """Nodes that have asked for their tag, so that nothing is sent to them before their place is known."""
        self._gated: dict[str, Runnable[Any, Any] | None] = {}
        self._issuing: dict[Any, tuple[Seen, Issuing]] = {}

    @cached_property
    @reading_code
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
    def _state(self) -> frozenset[str]:
        """The app's own keys: of all, those that are no channels of LangGraph's."""
        graph: Any = self._graph
        return self.keys & frozenset(graph.builder.channels)

    @cached_property
    def steady(self) -> frozenset[str]:
        """State keys whose value changes only when a task writes them."""
        from alto_langgraph.adapters.langgraph.lowering import is_steady

        return frozenset(k for k, c in self.channels.items() if is_steady(c))

    @cached_property
    def last_values(self) -> frozenset[str]:
        """State keys that keep only the last value written."""
        return frozenset(k for k, c in self.channels.items() if type(c) is LastValue)

    @cached_property
    @reading_code
    def overwriting(self) -> frozenset[str]:
        """State keys of which a task that has written them sees what it has written, whatever was there before."""
        from alto_langgraph.plan.last_word import has_last_word

        words = (k for k, c in self.channels.items() if type(c) is BinaryOperatorAggregate and has_last_word(c.operator))
        return self.last_values | frozenset(words)

    @cached_property
    def candidates(self) -> Candidates:
        """Which nodes may run ahead at all."""
        return Candidates(self.plan)

    @cached_property
    @reading_code
    def payloads(self) -> Payloads:
        """What nodes can see of what they are sent."""
        return Payloads(self.nodes, lambda: self.candidates)

    @cached_property
    @reading_code
    def foldable(self) -> frozenset[str]:
        """State keys whose value after a write can be worked out ahead of the superstep: nobody can tell that it was."""
        from alto_langgraph.adapters.langgraph.describing import is_quiet

        reduced = ((k, c) for k, c in self.channels.items() if type(c) is BinaryOperatorAggregate)
        untracked = frozenset(k for k, c in self.channels.items() if type(c) is UntrackedValue)
        return self.last_values | untracked | frozenset(k for k, c in reduced if is_quiet(c.operator))

    @cached_property
    def loud(self) -> frozenset[str]:
        """State keys whose reducer may show that it has run: also where a conditional edge looks at what its node has written."""
        reduced = (k for k, c in self.channels.items() if hasattr(c, "operator") or hasattr(c, "reducer"))
        return frozenset(reduced) - self.foldable

    @cached_property
    def joins(self) -> Mapping[str, Join]:
        """Joins by the channel that counts who has come."""
        barriers = {key: channel for key, channel in self.channels.items() if type(channel) is NamedBarrierValue}
        ends = ((key, channel, self._graph.trigger_to_nodes.get(key, ())) for key, channel in barriers.items())
        return {key: Join(frozenset(channel.names), next(iter(nodes))) for key, channel, nodes in ends if len(nodes) == 1}

    @cached_property
    def deferred(self) -> Mapping[str, Sequence[str]]:
        """The channels by which nodes are triggered that run when nothing else does."""
        return {name: self.nodes[name].triggers for name, node in self.plan.nodes.items() if node.deferred}

    @cached_property
    def has_chains(self) -> bool:
        """Whether any node is certain to follow another."""
        builder = getattr(self._graph, "builder", None)
        return builder is not None and any(a in builder.nodes and b in builder.nodes for a, b in builder.edges)

    @cached_property
    def has_routers(self) -> bool:
        """Whether any node decides what follows it."""
        builder = getattr(self._graph, "builder", None)
        return builder is not None and (bool(builder.branches.keys() - {START}) or any(node.ends for node in builder.nodes.values()))

    def likely(self, router: str, options: AltoOptions, issuing: Issuing) -> Iterator[str]:
        """Nodes that `router` will probably lead to, and that may be started before it has decided."""
        return (node for node in self.habits.likely(router, options.evidence) if node in issuing.routers.get(router, ()))

    @reading_code
    def issuing(self, options: AltoOptions, *, saves: bool, limited: bool, threads: bool = False) -> Issuing:
        """What may be started ahead.

        Args:
            options: The run's options.
            saves: Whether the run has a checkpointer.
            limited: Whether the run has a `max_concurrency`, under which a run that waits at its edges would hold a place, and one that
                isn't needed would keep out others.
            threads: Whether its nodes run on threads, where one that isn't needed can't be stopped.
        """
        guessing = "route" in options.issue and not (limited or threads)
        key = (options.issue, options.effects, options.observe, bool(options.window), saves, limited, guessing)
        known = self._issuing.get(key)
        if known is not None and (not known[1].observed or known[0] == self._seen(known[1], options)):
            return known[1]
        issuing = self._worked_out(options, saves, limited, guessing)
        if seen := self._seen(issuing, options):
            issuing = self._worked_out(options, saves, limited, guessing, seen)
        self._issuing[key] = seen, issuing
        return issuing

    def _seen(self, issuing: Issuing, options: AltoOptions) -> Seen:
        """What the runs of watched nodes have read, where it is known."""
        found = ((name, self.readings.known(name, options.evidence)) for name in issuing.observed)
        return {name: keys for name, keys in found if keys is not None}

    def _worked_out(self, options: AltoOptions, saves: bool, limited: bool, guessing: bool, seen: Seen = NOTHING_SEEN) -> Issuing:
        if not options.window or self.step_timeout is not None or self.plan.fences:
            return NOTHING
        strongest = Effects[options.effects.upper()]

        def fits(node: NodePlan) -> bool:
            return not (saves and node.subgraph) and not (limited and node.routes)

        possible = frozenset(name for name, node in self.plan.nodes.items() if fits(node) and self.gated(name) is not None)
        kinds = {name: found for name, found in self.candidates.kinds(strongest, fits).items() if self.gated(name) is not None}
        may = (self.candidates.sent(strongest) & possible) | kinds.keys()
        reads = self.candidates.pulled(strongest, seen)
        pulled = {name: reads[name] for name in reads.keys() & possible} if "edge" in options.issue else {}
        passing = Passing(self.plan, pulled, unasked="chain" in options.issue)
        sent = may if "send" in options.issue else frozenset[str]()
        routers = {name: passing.guessable(name) for name in self.plan.nodes} if guessing and pulled else {}
        routers = {name: followers for name, followers in routers.items() if followers}
        overtakes = bool(pulled and (routers or passing.overtakes(self.candidates.beside)))
        watched = self.observed.keys() & possible & may if options.observe and "edge" in options.issue else ()
        again = {name: found for name, found in self.candidates.repeatable_kinds(strongest, fits).items() if name in sent}
        repeatable = (self.candidates.repeatable(strongest) & sent & possible) | again.keys()
        streaming = self._streaming(strongest) if repeatable and "stream" in options.issue else frozenset[str]()
        observed = {name: self.observed[name][0] for name in watched}
        relays = {name: frozenset(filter(self._may_replay, self.candidates.relays.behind(name))) for name in streaming}
        gathering = frozenset(name for name in streaming & pulled.keys() if self.candidates.gathers(self.plan.nodes[name]))
        return Issuing(sent, passing, overtakes, routers, observed, repeatable, streaming, relays, gathering, kinds, again)

    def _streaming(self, strongest: Effects) -> frozenset[str]:
        """Those whose code can be run again step by step, and whose edges may look at the state ahead of the superstep."""
        return frozenset(filter(self._may_replay, self.candidates.streaming(strongest)))

    def _may_replay(self, name: str) -> bool:
        return isinstance(self.nodes[name].node, RunnableSeq) and (not self.plan.nodes[name].routes or self._can_foresee(name))

    def _can_foresee(self, name: str) -> bool:
        written = self.plan.nodes[name].writes
        return all(
            key in self.foldable or type(self.channels[key]) is EphemeralValue for key in (self._state if written is None else written)
        )

    @cached_property
    @reading_code
    def observed(self) -> Mapping[str, tuple[Runnable[Any, Any], Runnable[Any, Any]]]:
        """Nodes whose runs tell what they read: what runs them in order, and what ahead."""
        found = {}
        for name, node in self.plan.nodes.items():
            if node.observed:
                note = partial(self.readings.note, name)
                in_order = observing(self.nodes[name].node, node.operands, note, ahead=False)
                early = observing(self.gated(name), node.operands, note, ahead=True)
                if in_order is not None and early is not None:
                    found[name] = in_order, early
        return found

    def so_far(self) -> SoFar:
        """What the graph's runs have shown, and those of the graphs that are its nodes."""
        from alto_langgraph.plan.explain import SoFar

        heard = self.hits.seen()
        graphs: dict[str, Any] = {name: node.bound for name, node in self.nodes.items()}
        inside = {name: graph.alto_staging.so_far() for name, graph in graphs.items() if "alto_staging" in getattr(graph, "__dict__", ())}
        return SoFar(self.tally.so_far(), heard, frozenset(node for node in heard if not self.hits.worth(node)), inside)

    def routes_read(self, name: str) -> frozenset[str]:
        """State keys that the conditional edges behind a node look at."""
        routes = self.plan.nodes[name].routes
        return self.keys & frozenset[str]().union(*(self.keys if route.reads is None else route.reads for route in routes))

    def gated(self, name: str) -> Runnable[Any, Any] | None:
        """The node's runnable with its conditional edges gated; None if it can't be."""
        if name not in self._gated:
            self._gated[name] = _gate(self.nodes, name)
        return self._gated[name]


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
