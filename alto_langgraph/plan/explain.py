"""Explains a plan: what may run ahead of its superstep, and what may not and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from alto_langgraph.plan.beside import beside
from alto_langgraph.plan.model import CallablePlan, Effects, NodePlan, Plan, Reason, Sources

START, END = "__start__", "__end__"

Kind = Literal["send", "edge"]


@dataclass(frozen=True, slots=True)
class RouteExplained:
    """The path function of one conditional edge.

    Args:
        reads: State keys it looks at; None if that can't be told.
        targets: Where it leads; None if anywhere.
        effects: How far its work reaches, in one word.
        sources: Where these answers come from.
        evidence: What the code told.
    """

    reads: tuple[str, ...] | None
    targets: tuple[str, ...] | None
    effects: str
    sources: Sources
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NodeExplained:
    """One node.

    Args:
        name: Node name.
        ahead: A task of it may start before its superstep.
        reasons: If not, why.
        waits: If so, what it waits for nevertheless.
        effects: How far its work reaches, in one word.
        reads: State keys it looks at; None if that can't be told.
        writes: State keys it may write; None if that can't be told.
        evidence: What the code told.
        managed: Managed values it may look at, by key.
        sources: Where reads, writes, goals and effects come from.
        routes: The path functions of its conditional edges.
    """

    name: str
    ahead: bool
    reasons: tuple[Reason, ...]
    waits: tuple[Reason, ...]
    effects: str
    reads: tuple[str, ...] | None
    writes: tuple[str, ...] | None
    evidence: tuple[str, ...]
    managed: tuple[str, ...]
    sources: Sources
    routes: tuple[RouteExplained, ...]


@dataclass(frozen=True, slots=True)
class EdgeExplained:
    """One way from a node to another: by a `Send`, or by an edge of any other kind."""

    source: str
    target: str
    kind: Kind
    ahead: bool
    reasons: tuple[Reason, ...]


@dataclass(frozen=True)
class Explanation:
    """What may run ahead in a graph, and for everything that may not, the reason and the name that is to blame.

    Args:
        nodes: In the order of the graph.
        edges: From START and every node.
        fences: Reasons why nothing in the graph runs ahead.
        subgraphs: The same of nodes that are graphs, by node name.
    """

    nodes: tuple[NodeExplained, ...]
    edges: tuple[EdgeExplained, ...]
    fences: tuple[Reason, ...] = ()
    subgraphs: Mapping[str, Explanation] = field(default_factory=dict)

    def node(self, name: str) -> NodeExplained:
        """The node called `name`.

        Raises:
            KeyError: there is none.
        """
        for node in self.nodes:
            if node.name == name:
                return node
        raise KeyError(name)

    def to_dict(self) -> dict[str, Any]:
        """The same as JSON-ready dicts and lists."""
        return {
            "nodes": [_plain(asdict(node)) for node in self.nodes],
            "edges": [_plain(asdict(edge)) for edge in self.edges],
            "fences": [asdict(fence) for fence in self.fences],
            "subgraphs": {name: inner.to_dict() for name, inner in self.subgraphs.items()},
        }

    def __str__(self) -> str:
        return "\n".join(_lines(self))

    def __rich__(self) -> Any:
        from alto_langgraph.plan.drawing import as_tree

        return as_tree(self)

    def mermaid(self) -> str:
        """A Mermaid flowchart that colours what may run ahead."""
        from alto_langgraph.plan.drawing import as_mermaid

        return as_mermaid(self)


def explain(plan: Plan, *, effects: Effects = Effects.UNKNOWN) -> Explanation:
    """What may run ahead in `plan`, and what may not and why.

    Args:
        plan: Of a compiled graph.
        effects: Strongest effect class that may run ahead (`AltoOptions.effects`).
    """
    reader = _Explaining(plan, effects)
    nodes = tuple(reader.node(node) for node in plan.nodes.values())
    inner = {name: explain(sub, effects=effects) for name, sub in plan.subgraphs.items()}
    return Explanation(nodes, tuple(reader.edges()), plan.fences, inner)


class _Explaining:
    def __init__(self, plan: Plan, effects: Effects) -> None:
        self._plan, self._effects = plan, effects
        self._beside = beside(plan)
        self._senders = {name: [n for n in plan.nodes.values() if n.sends is None or name in n.sends] for name in plan.nodes}

    def node(self, node: NodePlan) -> NodeExplained:
        reasons = tuple(self._reasons(node))
        function = node.function
        return NodeExplained(
            name=node.name,
            ahead=not reasons,
            reasons=reasons,
            waits=() if reasons else tuple(self._waits(node)),
            effects=function.effects.name.lower(),
            reads=_sorted(function.reads),
            writes=_sorted(function.writes),
            evidence=function.evidence,
            managed=tuple(sorted(function.managed)),
            sources=function.sources,
            routes=tuple(map(_route, node.routes)),
        )

    def edges(self) -> Iterator[EdgeExplained]:
        plan = self._plan
        yield from self._edges_of(START, plan.entry, plan.entry_sends)
        for node in plan.nodes.values():
            yield from self._edges_of(node.name, node.targets, node.sends)

    def _edges_of(self, source: str, targets: frozenset[str] | None, sends: frozenset[str] | None) -> Iterator[EdgeExplained]:
        everyone = frozenset(self._plan.nodes)
        for target in sorted(everyone if targets is None else targets & everyone):
            sent = sends is None or target in sends
            reasons = tuple(self._reasons_along(source, target) if sent else (_by_edge(target),))
            yield EdgeExplained(source, target, "send" if sent else "edge", not reasons, reasons)

    def _reasons_along(self, source: str, target: str) -> Iterator[Reason]:
        """Why a Send from `source` doesn't start `target` ahead."""
        yield from self._own(self._plan.nodes[target])
        if source == START:
            yield _first(target)
        elif not self._passable(target, source):
            yield self._held_up(target, source)

    def _reasons(self, node: NodePlan) -> Iterator[Reason]:
        """Why a node never runs ahead; empty if it may."""
        senders = self._senders[node.name]
        yield from self._own(node)
        if not senders:
            by_start = self._plan.entry_sends is None or node.name in self._plan.entry_sends
            yield _first(node.name) if by_start else _by_edge(node.name)
        elif not any(self._passable(node.name, sender.name) for sender in senders):
            yield self._held_up(node.name, senders[0].name)

    def _own(self, node: NodePlan) -> Iterator[Reason]:
        """What forbids a node to run ahead, whoever triggers it."""
        name, function = node.name, node.function
        yield from self._plan.fences
        yield from node.fences
        if node.may_interrupt:
            yield Reason("interrupt", name, f"`{name}` may call interrupt(), which may pause the run only in its own superstep.")
        if self._effects < function.effects < Effects.EXTERNAL:
            why = next((e for e in function.evidence if e.startswith("calls ")), "its effects can't be told from its code")
            word = self._effects.name.lower()
            yield Reason("effects", name, f"`{name}` {why}, and only work that is known to be {word} may run ahead.")

    def _passable(self, name: str, sender: str) -> bool:
        """Whether there may be an unfinished sibling of `sender` that `name` may pass."""
        return any(self._plan.conflict(name, other) is None for other in self._beside[sender])

    def _held_up(self, name: str, sender: str) -> Reason:
        siblings = sorted(self._beside[sender])
        if not siblings:
            sentence = f"`{sender}`, which sends to `{name}`, is always alone in its superstep, so there is no barrier to get ahead of."
            return Reason("alone", sender, sentence)
        conflict = self._plan.conflict(name, siblings[0])
        assert conflict is not None
        return conflict

    def _waits(self, node: NodePlan) -> Iterator[Reason]:
        found: dict[Reason, None] = {}
        for sender in self._senders[node.name]:
            for other in sorted(self._beside[sender.name]):
                conflict = self._plan.conflict(node.name, other)
                if conflict is not None:
                    found[conflict] = None
        yield from found
        if node.mutates:
            sentence = f"`{node.name}` may change its operands in place, so it waits for unfinished tasks that hold the same objects."
            yield Reason("mutates", node.name, sentence)
        if node.subgraph:
            sentence = (
                f"`{node.name}` runs a compiled graph, whose checkpoints carry ids, so with a checkpointer it waits for its superstep."
            )
            yield Reason("subgraph", node.name, sentence)


def _sorted(names: frozenset[str] | None) -> tuple[str, ...] | None:
    return None if names is None else tuple(sorted(names))


def _route(route: CallablePlan) -> RouteExplained:
    targets = None if route.returns is None or route.sends is None else route.returns | route.sends
    return RouteExplained(_sorted(route.reads), _sorted(targets), route.effects.name.lower(), route.sources, route.evidence)


def _plain(value: Any) -> Any:
    """Tuples as lists, all the way down."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, tuple | list) else value


def _by_edge(name: str) -> Reason:
    sentence = f"`{name}` is triggered by an edge and reads the state, which an unfinished task of the same superstep may still change."
    return Reason("edge", name, sentence)


def _first(name: str) -> Reason:
    return Reason("first", name, f"`{name}` is sent to by START, so it starts in the first superstep and has nothing to get ahead of.")


def _lines(explanation: Explanation, indent: str = "") -> Iterator[str]:
    for fence in explanation.fences:
        yield f"{indent}nothing runs ahead: {fence.sentence}"
    width = max([len(node.name) for node in explanation.nodes], default=0)
    for node in explanation.nodes:
        yield f"{indent}{node.name:<{width}}  {'may run ahead' if node.ahead else 'in its superstep'}"
        for reason in node.reasons + node.waits:
            yield f"{indent}{'':<{width}}  - {reason.sentence}"
    for edge in explanation.edges:
        yield f"{indent}{edge.source} -> {edge.target}  ({edge.kind}){' ahead' if edge.ahead else ''}"
    for name, inner in explanation.subgraphs.items():
        yield f"{indent}inside {name}:"
        yield from _lines(inner, indent + "  ")
