"""Lowers a compiled LangGraph graph to a `Plan`: what each node touches, where it may go, what fences it."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import Any

from langgraph.channels import BinaryOperatorAggregate, LastValue
from langgraph.constants import END, START

from alto_langgraph.adapters.langgraph.agents import runs_tools
from alto_langgraph.adapters.langgraph.collector import PER_NODE, eased
from alto_langgraph.adapters.langgraph.combining import returning
from alto_langgraph.adapters.langgraph.combining import together as merged
from alto_langgraph.adapters.langgraph.containing import tool_kinds
from alto_langgraph.adapters.langgraph.describing import describe
from alto_langgraph.adapters.langgraph.hints import declared
from alto_langgraph.adapters.langgraph.inputs import Input, Inputs
from alto_langgraph.adapters.langgraph.seam_graph import Pregel, RunnableCallable, functions_of, is_a
from alto_langgraph.plan.access import analyse
from alto_langgraph.plan.iterating import iterated
from alto_langgraph.plan.model import NOBODY, CallablePlan, Effects, Join, NodePlan, Plan, Reason
from alto_langgraph.plan.session import together
from alto_langgraph.plan.values import names_of

Names = frozenset[str] | None


def lower(compiled: Pregel[Any, Any, Any, Any]) -> Plan:
    """What is known of a compiled graph before it runs. Never raises; what it can't read it leaves as "all".

    Args:
        compiled: A graph as `StateGraph.compile()` returns it. Of one built otherwise nothing runs ahead.
    """
    try:
        builder = getattr(compiled, "builder", None)
        if builder is None:
            return _opaque(
                compiled, Reason("not_state_graph", "graph", "The graph isn't built with StateGraph, so its edges aren't known.")
            )
        return _lower(compiled, builder)
    except Exception as error:
        return _opaque(compiled, Reason("unreadable", "graph", f"Reading the graph failed with {type(error).__name__}."))


def _opaque(compiled: Any, fence: Reason) -> Plan:
    names = [name for name in getattr(compiled, "nodes", {}) if name != START]
    return Plan({name: NodePlan(name, CallablePlan(), subgraph=True) for name in names}, fences=(fence,))


def _lower(compiled: Any, builder: Any) -> Plan:
    with together(), eased(PER_NODE * len(builder.nodes)):
        edges = _edges(builder)
        plain = _plain(builder)
        led = _followers(edge for edge in builder.edges if edge[1] in builder.nodes)
        inputs = Inputs(builder)
        nodes = {name: _node(name, compiled, builder, inputs, edges[name], led[name], plain[name]) for name in builder.nodes}
        starts = tuple(_route(branch, None) for branch in builder.branches.get(START, {}).values())
        entry_sends = _among(builder, _union(route.sends for route in starts))
        return Plan(
            nodes=_sent(nodes, entry_sends),
            entry=_union([edges[START], *_ends(builder.branches.get(START, {}), starts)]),
            fences=tuple(_graph_fences(compiled)),
            subgraphs={name: lower(node.bound) for name, node in compiled.nodes.items() if isinstance(node.bound, Pregel)},
            entry_sends=entry_sends,
            entry_certain=plain[START],
            joins=_joins(builder),
            entry_iterates=_iterated(entry_sends, *_paths(builder.branches.get(START, {}))),
            reduced=frozenset(key for key, channel in compiled.channels.items() if isinstance(channel, BinaryOperatorAggregate)),
        )


def _edges(builder: Any) -> Mapping[str, frozenset[str]]:
    """Who follows whom by plain edges and joins."""
    joined = ((start, end) for starts, end in builder.waiting_edges for start in starts)
    return _followers((*builder.edges, *joined))


def _plain(builder: Any) -> Mapping[str, frozenset[str]]:
    """Who follows whom for certain, and at once: by plain edges, to nodes that aren't deferred."""
    return _followers((start, end) for start, end in builder.edges if end in builder.nodes and not builder.nodes[end].defer)


def _followers(edges: Iterable[tuple[str, str]]) -> Mapping[str, frozenset[str]]:
    followers: defaultdict[str, set[str]] = defaultdict(set)
    for start, end in edges:
        followers[start].add(end)
    return defaultdict(frozenset, {start: frozenset(ends - {END}) for start, ends in followers.items()})


def _joins(builder: Any) -> frozenset[Join]:
    joins = (Join(frozenset(starts), end) for starts, end in builder.waiting_edges)
    return frozenset(join for join in joins if join.end in builder.nodes and not builder.nodes[join.end].defer)


def _node(
    name: str, compiled: Any, builder: Any, inputs: Inputs, edges: frozenset[str], plain: frozenset[str], certain: frozenset[str]
) -> NodePlan:
    node, spec, branches = compiled.nodes[name], builder.nodes[name], builder.branches.get(name, {})
    given = inputs.of(spec.input_schema)
    function = declared(given.bound(_written(_callable(node.bound, given), builder)), node.metadata, given)
    if function.named and not (given.is_dict and type(node.bound) is RunnableCallable and node.mapper is None):
        function = dataclasses.replace(function, named=False)
    routes = tuple(_route(branch, inputs.of(branch.input_schema or spec.input_schema)) for branch in branches.values())
    handler = frozenset({node.error_handler_node} if getattr(node, "error_handler_node", None) else ())
    commands = None if function.goes is None and not spec.ends else frozenset(spec.ends or ()) | (function.goes or frozenset())
    if function.goes is None and spec.ends:
        function = dataclasses.replace(function, sources=dataclasses.replace(function.sources, goes="annotation"))
    ends = _ends(branches, routes)
    operands = _operands(node, function, given)
    sends = _among(builder, _union([function.sends, *(route.sends for route in routes)]))
    targets = _union([edges, handler, commands, sends, *ends])
    named = commands if commands is None else commands - (function.sends or frozenset())
    plan = NodePlan(
        name=name,
        function=function,
        routes=routes,
        targets=_among(builder, targets),
        fences=tuple(_fences(name, node, spec, function, routes)),
        sends=sends,
        subgraph=function.subgraph or bool(node.subgraphs),
        handler=getattr(node, "error_handler_node", None),
        pulls=_union([plain, named, *_named(branches, routes)]),
        operands=operands,
        unsteady=frozenset(key for key in operands if not is_steady(compiled.channels[key])),
        certain=certain,
        whole=given.whole,
        iterates=_iterated(sends, node.bound, *_paths(branches)),
    )
    return dataclasses.replace(plan, kinds=tuple(_kinds(plan, node, spec, given, builder)))


def _kinds(plan: NodePlan, node: Any, spec: Any, given: Input, builder: Any) -> Iterator[tuple[str, NodePlan]]:
    """What a node that runs tools is for calls of each of them."""
    if runs_tools(node.bound):
        for kind, found in tool_kinds(node.bound, describe).items():
            found = found if given.is_dict else dataclasses.replace(found, reads=None)
            function = declared(given.bound(_written(found, builder)), node.metadata, given)
            fences = tuple(_fences(kind or plan.name, node, spec, function, plan.routes))
            yield kind, dataclasses.replace(plan, name=kind or plan.name, function=function, fences=fences, subgraph=function.subgraph)


def _among(builder: Any, names: Names) -> Names:
    """Those that are nodes of the graph: code that runs another graph may name that one's."""
    return names if names is None else names & frozenset(builder.nodes)


def _paths(branches: Mapping[str, Any]) -> list[Any]:
    return [branch.path for branch in branches.values()]


def _iterated(sends: Names, *runnables: Any) -> tuple[tuple[str, str], ...]:
    """What there is one Send for; nothing is read of what never sends."""
    if sends == frozenset():
        return ()
    return iterated(function for runnable in runnables for function in functions_of(runnable) or [runnable])


def is_steady(channel: Any) -> bool:
    """Whether a channel's value changes only when a task writes it."""
    return type(channel) in (LastValue, BinaryOperatorAggregate)


def _operands(node: Any, function: CallablePlan, given: Input) -> frozenset[str]:
    """State keys that a node's input depends on; managed values, which follow from the superstep's number, aside."""
    channels = frozenset([node.channels] if isinstance(node.channels, str) else node.channels) - given.managed
    return channels if function.reads is None or given.whole else channels & (function.reads | given.required)


def _callable(bound: Any, given: Input | None) -> CallablePlan:
    """What a node or a path function touches; the schema tells the types of the keys of a plain function's state."""
    schema = given.schema if given is not None else None
    if isinstance(bound, RunnableCallable) and not is_a(bound, "ToolNode"):
        kwargs = bound.kwargs
        functions = (partial(f, **kwargs) if kwargs else f for f in functions_of(bound))
        return merged(describe(f) or analyse(f, state=schema, describe=describe) for f in functions)
    plan = describe(bound)
    if plan is None:
        return analyse(bound, state=schema, describe=describe)
    return plan if given is None or given.is_dict else dataclasses.replace(plan, reads=None)  # described as what gets a dict


def _route(branch: Any, given: Input | None) -> CallablePlan:
    """What a path function touches. It writes only in place."""
    plan = _callable(branch.path, given)
    plan = dataclasses.replace(plan, updates=NOBODY, writes=names_of(plan.changes, plan.pushes))
    return plan if given is None else given.bound(plan)


def _written(plan: CallablePlan, builder: Any) -> CallablePlan:
    """The plan with writes that are keys of the graph; LangGraph drops all others."""
    keys = frozenset((*builder.channels, *builder.managed))
    if keys == {"__root__"}:
        return dataclasses.replace(plan, writes=keys)
    return plan if plan.writes is None else dataclasses.replace(plan, writes=plan.writes & keys)


def _sent(nodes: dict[str, NodePlan], entry_sends: Names) -> dict[str, NodePlan]:
    """The nodes; one that may be sent something, and changes that in place, may change any part of the state that way."""
    sends = _union([entry_sends, *(node.sends for node in nodes.values())])
    return {name: _changing(node) if sends is None or name in sends else node for name, node in nodes.items()}


def _changing(node: NodePlan) -> NodePlan:
    function = node.function
    if not function.mutates:
        return node
    if function.sources.writes == "declared":
        return dataclasses.replace(node, function=dataclasses.replace(function, changes=None))
    return dataclasses.replace(node, function=returning(function, function.updates, changes=None))


def _ends(branches: Mapping[str, Any], routes: Iterable[CallablePlan]) -> list[Names]:
    """Where each conditional edge leads: its map if it has one, else what its function returns, and its Sends."""
    return [
        _union([frozenset(branch.ends.values()) if branch.ends else route.returns, route.sends])
        for branch, route in zip(branches.values(), routes, strict=True)
    ]


def _named(branches: Mapping[str, Any], routes: Iterable[CallablePlan]) -> list[Names]:
    """Where each conditional edge leads by name: not by a Send."""
    return [_behind(branch.ends or {}, route) for branch, route in zip(branches.values(), routes, strict=True)]


def _behind(ends: Mapping[Any, str], route: CallablePlan) -> Names:
    words = route.returns
    if words is None and not ends:
        return None
    spoken = frozenset(ends.get(word, word) for word in words or ())
    return spoken | (frozenset(ends.values()) - (route.sends or frozenset()))


def _union(sets: Iterable[Names]) -> Names:
    joined: frozenset[str] = frozenset()
    for names in sets:
        if names is None:
            return None
        joined |= names
    return joined - {END}


def _fences(name: str, node: Any, spec: Any, function: CallablePlan, routes: tuple[CallablePlan, ...]) -> Iterable[Reason]:
    if node.cache_policy is not None:
        yield Reason("cache_policy", name, f"`{name}` has a cache policy, and only the loop asks the cache.")
    if spec.defer:
        yield Reason("deferred", name, f"`{name}` is deferred: it waits until nothing else is left to run.")
    if getattr(spec, "is_error_handler", False):
        yield Reason("error_handler", name, f"`{name}` handles errors, so it starts only when a node has failed.")
    if function.effects is Effects.EXTERNAL:
        yield Reason("external", name, f"`{name}` is declared external: its effects can't be taken back.")
    if function.uses_store or any(route.uses_store for route in routes):
        yield Reason("store", name, f"`{name}` may use the store, where it could see or overtake what earlier tasks write.")
    if function.sees_identity or any(route.sees_identity for route in routes):
        yield Reason("identity", name, f"`{name}` may look at ids of its own task, which are known only in its superstep.")


def _graph_fences(compiled: Any) -> Iterable[Reason]:
    if compiled.step_timeout is not None:
        yield Reason("step_timeout", "step_timeout", "The graph limits the time of a superstep, which has no meaning for work ahead of it.")
