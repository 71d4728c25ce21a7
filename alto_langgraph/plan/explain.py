"""Explains a plan: what may run ahead of its superstep, and what may not and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from alto_langgraph.options import AltoOptions
from alto_langgraph.plan.levels import Levels, ReductionExplained, SplitExplained, told
from alto_langgraph.plan.model import CallablePlan, NodePlan, Plan, Reason, Sources
from alto_langgraph.plan.ways import START, Issue, Ways
from alto_langgraph.protocols import RanAhead

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
        streams: What it sends on the finished part of an answer may start while a model still writes the rest.
        unstreamed: If it sends anything and may not, or not all of it, why.
        gathers: What it sends on the part of a reduction that is closed may start while others still write the rest.
        heard: Of what it was taken to send on parts of answers lately, how many there were, and how many were right; None if nothing.
        deaf: Too few of them were right: it isn't listened to any more.
        idle: Nothing was sent on parts of its answers for long: only some of them are listened to.
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
    streams: bool = False
    unstreamed: tuple[Reason, ...] = ()
    gathers: bool = False
    heard: tuple[int, int] | None = None
    deaf: bool = False
    idle: bool = False


@dataclass(frozen=True, slots=True)
class EdgeExplained:
    """One way from a node to another.

    Args:
        source: Where it begins: a node, or START.
        target: The node it leads to.
        kind: By a `Send`, or by an edge of any other kind.
        ahead: A task of `target` may start before its superstep along this way.
        reasons: If not, why.
        issue: If so, the class of `AltoOptions.issue` that it belongs to.
    """

    source: str
    target: str
    kind: Kind
    ahead: bool
    reasons: tuple[Reason, ...]
    issue: Issue | None = None


@dataclass(frozen=True)
class Explanation:
    """What may run ahead in a graph, and for everything that may not, the reason and the name that is to blame.

    Args:
        nodes: In the order of the graph.
        edges: From START and every node.
        fences: Reasons why nothing in the graph runs ahead.
        subgraphs: The same of nodes that are graphs, by node name.
        splits: The levels that tags have, by the app's own words for what is split.
        reductions: Where what was split comes together again.
        ahead: What running ahead has come to so far; None where its runs aren't known.
    """

    nodes: tuple[NodeExplained, ...]
    edges: tuple[EdgeExplained, ...]
    fences: tuple[Reason, ...] = ()
    subgraphs: Mapping[str, Explanation] = field(default_factory=dict)
    splits: tuple[SplitExplained, ...] = ()
    reductions: tuple[ReductionExplained, ...] = ()
    ahead: RanAhead | None = None

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
            "splits": [asdict(split) for split in self.splits],
            "reductions": [asdict(reduction) for reduction in self.reductions],
            "ahead": asdict(self.ahead) if self.ahead else None,
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


@dataclass(frozen=True)
class SoFar:
    """What the runs of a graph have shown.

    Args:
        ahead: What running ahead came to.
        heard: As in `NodeExplained`, by node.
        deaf: Nodes that aren't listened to any more.
        idle: Nodes of which only some answers are listened to.
        inside: The same of nodes that are graphs.
    """

    ahead: RanAhead
    heard: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    deaf: frozenset[str] = frozenset()
    idle: frozenset[str] = frozenset()
    inside: Mapping[str, SoFar] = field(default_factory=dict)


def explain(plan: Plan, options: AltoOptions | None = None, so_far: SoFar | None = None) -> Explanation:
    """What may run ahead in `plan`, and what may not and why.

    Args:
        plan: Of a compiled graph.
        options: What the user allows; None takes `ALTO_*` variables and the defaults.
        so_far: What its runs have shown, if it has run.
    """
    options = options or AltoOptions()
    ways = Ways(plan, options)
    edges = tuple(_edges(plan, ways))
    nodes = tuple(_node(node, ways, [edge for edge in edges if edge.target == node.name]) for node in plan.nodes.values())
    inside = so_far.inside if so_far else {}
    inner = {name: explain(sub, options, inside.get(name)) for name, sub in plan.subgraphs.items()}
    levels = Levels(plan)
    if so_far:
        nodes = tuple(
            replace(node, heard=so_far.heard.get(node.name), deaf=node.name in so_far.deaf, idle=node.name in so_far.idle) for node in nodes
        )
    return Explanation(nodes, edges, ways.fences, inner, levels.splits, levels.reductions, so_far.ahead if so_far else None)


def _edges(plan: Plan, ways: Ways) -> Iterator[EdgeExplained]:
    everyone = frozenset(plan.nodes)
    for source, targets in [(START, plan.entry), *((node.name, node.targets) for node in plan.nodes.values())]:
        for target in sorted(everyone if targets is None else targets & everyone):
            issue = ways.issue(source, target)
            reasons = () if issue else ways.reasons(source, target)
            kind: Kind = "send" if ways.sends(source, target) else "edge"
            yield EdgeExplained(source, target, kind, issue is not None, reasons, issue)


def _node(node: NodePlan, ways: Ways, edges: Sequence[EdgeExplained]) -> NodeExplained:
    function, ahead = node.function, any(edge.ahead for edge in edges)
    unstreamed = tuple(ways.unstreamed(node)) if ways.streams(node) else ()
    streams = ways.streams(node) and not unstreamed
    return NodeExplained(
        name=node.name,
        ahead=ahead,
        reasons=() if ahead else _why_not(node, edges),
        waits=tuple(dict.fromkeys(_waits(node, ways, edges))) if ahead else (),
        effects=function.effects.name.lower(),
        reads=_sorted(function.reads),
        writes=_sorted(function.writes),
        evidence=function.evidence,
        managed=tuple(sorted(function.managed)),
        sources=function.sources,
        routes=tuple(map(_route, node.routes)),
        streams=streams,
        unstreamed=tuple(ways.exceptions(node)) if streams else unstreamed,
        gathers=ways.gathers(node),
    )


def _why_not(node: NodePlan, edges: Sequence[EdgeExplained]) -> tuple[Reason, ...]:
    """Of what the ways to a node have against it, the first of each kind; that START leads there, too, says the least."""
    found: dict[str, Reason] = {}
    for edge in sorted(edges, key=lambda edge: edge.source == START):
        for reason in edge.reasons:
            found.setdefault(reason.code, reason)
    return tuple(found.values()) or (Reason("unreached", node.name, f"Nothing in the graph leads to `{node.name}`."),)


def _waits(node: NodePlan, ways: Ways, edges: Sequence[EdgeExplained]) -> Iterator[Reason]:
    for edge in edges:
        yield from ways.waits(edge.source, edge.target)
    yield from ways.of_kinds(node)
    yield from ways.in_place(node)
    if node.subgraph:
        sentence = f"`{node.name}` runs a compiled graph, whose checkpoints carry ids, so with a checkpointer it waits for its superstep."
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


def streaming(node: NodeExplained) -> Iterator[str]:
    """Whether a model's answers to a node are worked on while it writes."""
    if node.streams:
        yield "~ what it sends starts on the finished part of an answer"
    if node.gathers:
        yield "~ what it sends starts on the part of what it reads that is closed"
    if node.heard:
        yield "~ of what it was taken to send on parts of answers lately, {1} of {0} were right".format(*node.heard)
    if node.deaf:
        yield "~ that is too few: its answers aren't listened to any more"
    if node.idle:
        yield "~ nothing was sent on parts of its answers for long: only some of them are listened to"
    before = "but for some of it" if node.streams else "nothing starts on a part of an answer"
    yield from (f"~ {before}: {reason.sentence}" for reason in node.unstreamed)


def accounts(ahead: RanAhead | None) -> Iterator[str]:
    """What running ahead came to, if anything was started."""
    if ahead and ahead.started:
        why = f": {ahead.reasons}" if ahead.squashed else ""
        yield f"so far: {ahead.started} tasks started early, {ahead.used} used, {ahead.thrown_away} thrown away{why}"
    if ahead and ahead.calls:
        yield f"in vain: {ahead.calls} model calls, answered {ahead.tokens} tokens"


def _lines(explanation: Explanation, indent: str = "") -> Iterator[str]:
    for fence in explanation.fences:
        yield f"{indent}nothing runs ahead: {fence.sentence}"
    width = max([len(node.name) for node in explanation.nodes], default=0)
    for node in explanation.nodes:
        yield f"{indent}{node.name:<{width}}  {'may run ahead' if node.ahead else 'in its superstep'}"
        for reason in node.reasons + node.waits:
            yield f"{indent}{'':<{width}}  - {reason.sentence}"
        yield from (f"{indent}{'':<{width}}  {line}" for line in streaming(node))
    yield from (f"{indent}{line}" for line in accounts(explanation.ahead))
    for edge in explanation.edges:
        yield f"{indent}{edge.source} -> {edge.target}  ({edge.issue or edge.kind}){' ahead' if edge.ahead else ''}"
        if not edge.ahead and explanation.node(edge.target).ahead:
            yield from (f"{indent}  - {reason.sentence}" for reason in edge.reasons)
    yield from (f"{indent}{line}" for line in told(explanation.splits, explanation.reductions))
    for name, inner in explanation.subgraphs.items():
        yield f"{indent}inside {name}:"
        yield from _lines(inner, indent + "  ")
