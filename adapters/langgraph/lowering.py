"""Lowers a compiled LangGraph graph to a `Plan`: what each node touches, where it may go, what fences it."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from langgraph.channels import BinaryOperatorAggregate, LastValue
from langgraph.channels.base import BaseChannel
from langgraph.constants import END, START

from alto_langgraph.adapters.langgraph.describing import describe, together
from alto_langgraph.adapters.langgraph.seam_graph import Pregel, RunnableCallable, functions_of, is_a
from alto_langgraph.plan.access import analyse
from alto_langgraph.plan.model import CallablePlan, Effects, NodePlan, Plan, Reason

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
    edges = _edges(builder)
    nodes = {name: _node(name, compiled, builder, edges[name]) for name in builder.nodes}
    starts = _routes(builder.branches.get(START, {}))
    return Plan(
        nodes=nodes,
        entry=_union([edges[START], *_ends(builder.branches.get(START, {}), starts)]),
        fences=tuple(_graph_fences(compiled)),
        subgraphs={name: lower(node.bound) for name, node in compiled.nodes.items() if isinstance(node.bound, Pregel)},
        entry_sends=_union(route.sends for route in starts),
    )


def _edges(builder: Any) -> Mapping[str, frozenset[str]]:
    """Who follows whom by plain edges and joins."""
    followers: defaultdict[str, set[str]] = defaultdict(set)
    for start, end in builder.edges:
        followers[start].add(end)
    for starts, end in builder.waiting_edges:
        for start in starts:
            followers[start].add(end)
    return defaultdict(frozenset, {start: frozenset(ends - {END}) for start, ends in followers.items()})


def _plain(builder: Any, name: str) -> frozenset[str]:
    """Who is behind a plain edge of a node's own."""
    return frozenset(end for start, end in builder.edges if start == name and end in builder.nodes)


def _node(name: str, compiled: Any, builder: Any, edges: frozenset[str]) -> NodePlan:
    node, spec, branches = compiled.nodes[name], builder.nodes[name], builder.branches.get(name, {})
    function = _declared(_callable(node.bound, spec.input_schema), node.metadata)
    routes = _routes(branches)
    handler = frozenset({node.error_handler_node} if getattr(node, "error_handler_node", None) else ())
    commands = None if function.goes is None and not spec.ends else frozenset(spec.ends or ()) | (function.goes or frozenset())
    ends = _ends(branches, routes)
    operands = _operands(node, function, compiled.channels)
    sends = _union([function.sends, *(route.sends for route in routes)])
    targets = _union([edges, handler, commands, sends, *ends])
    plain = _plain(builder, name)
    named = commands if commands is None else commands - (function.sends or frozenset())
    return NodePlan(
        name=name,
        function=function,
        routes=routes,
        targets=targets - {END} if targets is not None else None,
        fences=tuple(_fences(name, node, spec, function, routes)),
        sends=sends,
        subgraph=function.subgraph or bool(node.subgraphs),
        handler=getattr(node, "error_handler_node", None),
        pulls=_union([plain, named, *_named(branches, routes)]),
        certain=frozenset(end for end in plain if not builder.nodes[end].defer),
        operands=operands,
        unsteady=frozenset(key for key in operands if not is_steady(compiled.channels[key])),
    )


def is_steady(channel: Any) -> bool:
    """Whether a channel's value changes only when a task writes it."""
    return type(channel) in (LastValue, BinaryOperatorAggregate)


def _operands(node: Any, function: CallablePlan, channels: Mapping[str, Any]) -> frozenset[str]:
    """State keys that a node's input depends on; managed values, which follow from the superstep's number, aside."""
    given = frozenset([node.channels] if isinstance(node.channels, str) else node.channels)
    state = frozenset(key for key in given if isinstance(channels.get(key), BaseChannel))
    # A state that isn't a dict is made by code of the app's, which may look at all of it.
    return state if function.reads is None or node.mapper is not None else state & function.reads


def _callable(bound: Any, schema: Any) -> CallablePlan:
    """What a node or a path function touches; the schema tells the types of the keys of a plain function's state."""
    if isinstance(bound, RunnableCallable) and not is_a(bound, "ToolNode"):
        return together(analyse(f, state=schema, describe=describe) for f in functions_of(bound))
    return describe(bound) or analyse(bound, state=schema, describe=describe)


def _routes(branches: Mapping[str, Any]) -> tuple[CallablePlan, ...]:
    return tuple(_callable(branch.path, branch.input_schema) for branch in branches.values())


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


def _declared(plan: CallablePlan, metadata: Mapping[str, Any] | None) -> CallablePlan:
    """The plan with the app's own hints (`add_node(..., metadata=...)`) in place of what was inferred."""
    hints: dict[str, Any] = {}
    for key in ("reads", "writes"):
        value = (metadata or {}).get(key)
        if isinstance(value, list | tuple | set | frozenset) and all(isinstance(item, str) for item in value):
            hints[key] = frozenset(value)
    effects = (metadata or {}).get("effects")
    if isinstance(effects, str) and effects.upper() in Effects.__members__:
        hints["effects"] = Effects[effects.upper()]
        if hints["effects"] <= Effects.IDEMPOTENT:
            hints |= {"mutates": False, "shares": ()}
    return dataclasses.replace(plan, evidence=("declared", *plan.evidence), **hints) if hints else plan


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
