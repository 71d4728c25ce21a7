"""Makes a case that shows a difference as small as it gets while it still shows one."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import MISSING, fields, is_dataclass, replace
from typing import Any

from alto_langgraph.testing.graph_specs import Case, Choice, Graph, Node
from alto_langgraph.testing.supersteps import followers


def shrink(case: Case, differs: Callable[[Case], bool], seconds: float = 30) -> Case:
    """The smallest case found within this time for which `differs` is still true."""
    end = time.monotonic() + seconds
    tried = {case}
    place = 0
    while time.monotonic() < end:
        for index, smaller in enumerate(_smaller(case)):
            if time.monotonic() > end:
                return case
            if index < place or smaller in tried:
                continue
            tried.add(smaller)
            if _runs_and(differs, smaller):
                case, place = smaller, index  # what didn't help before will hardly do now
                break
        else:
            if place == 0:
                return case
            place = 0
    return case


def _runs_and(differs: Callable[[Case], bool], case: Case) -> bool:
    """Whether the case differs; one that can't be built any more doesn't."""
    try:
        return differs(case)
    except Exception:
        return False


def _smaller(case: Case) -> Iterator[Case]:
    """Cases with one thing less, the biggest things first."""
    for graph in _fewer_nodes(case.graph):
        names = {n.name for n in graph.nodes}
        yield replace(case, graph=graph, before=tuple(names & {*case.before}), after=tuple(names & {*case.after}))
    for item in fields(Node):
        if item.default is not MISSING:
            nodes = tuple(replace(node, **{item.name: item.default}) for node in case.graph.nodes)
            yield replace(case, graph=replace(case.graph, nodes=nodes))
    yield from _variants(case)


def _fewer_nodes(graph: Graph) -> Iterator[Graph]:
    for node in graph.nodes:
        started = replace(graph, entry=(node.name,), choice=None)
        for name in {n.name for n in graph.nodes} - reached(started):
            started = without(started, name)
        if len(started.nodes) < len(graph.nodes):
            yield started
    for node in graph.nodes if len(graph.nodes) > 1 else ():
        yield without(graph, node.name)
        if node.edges:
            yield bypassed(graph, node)


def reached(graph: Graph) -> set[str]:
    """Nodes to which a way leads from the entry."""
    ways = followers(graph)
    found, ahead = set[str](), list(graph.entry)
    while ahead:
        name = ahead.pop()
        if name in ways and name not in found:
            found.add(name)
            ahead += ways[name]
    return found


def without(graph: Graph, name: str) -> Graph:
    """The graph without this node, and without what leads to it."""

    def kept(choice: Choice | None) -> Choice | None:
        return choice and replace(choice, options=tuple(tuple(o for o in option if o.to != name) for option in choice.options))

    def pruned(node: Node) -> Node:
        routes = tuple(route for choice in node.routes if (route := kept(choice)))
        return replace(node, edges=tuple(e for e in node.edges if e != name), routes=routes, command=kept(node.command))

    return replace(
        graph,
        nodes=tuple(pruned(node) for node in graph.nodes if node.name != name),
        entry=tuple(e for e in graph.entry if e != name),
        choice=kept(graph.choice),
        joins=tuple(join for join in graph.joins if name not in join[0] and name != join[1]),
    )


def bypassed(graph: Graph, gone: Node) -> Graph:
    """The graph without this node, whose place in edges those that follow it by an edge take."""

    def edges(names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(after for name in names for after in (gone.edges if name == gone.name else (name,))))

    nodes = tuple(replace(node, edges=edges(node.edges)) for node in graph.nodes)
    return without(replace(graph, nodes=nodes, entry=edges(graph.entry)), gone.name)


def _variants(value: Any) -> Iterator[Any]:
    """Copies of a described thing in which one field is simpler."""
    if isinstance(value, Graph):
        yield from _fewer_nodes(value)
    for item in fields(value):
        current = getattr(value, item.name)
        if item.default is not MISSING and current != item.default:
            yield replace(value, **{item.name: item.default})
        for simpler in _simpler(current):
            if simpler or not isinstance(value, Choice):  # a router has at least one option
                yield replace(value, **{item.name: simpler})


def _simpler(current: Any) -> Iterator[Any]:
    if is_dataclass(current) and not isinstance(current, type):
        yield from _variants(current)
    elif isinstance(current, tuple):
        for place, item in enumerate(current):
            if not isinstance(item, Node):
                yield current[:place] + current[place + 1 :]
            for simpler in _simpler(item):
                yield (*current[:place], simpler, *current[place + 1 :])
    elif isinstance(current, int) and not isinstance(current, bool) and current > 1:
        yield current // 2
