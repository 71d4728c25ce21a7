"""Tells in which supersteps the nodes of a described graph may run, whatever its routers decide."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from alto_langgraph.testing.graph_specs import Choice, Graph, Node, Out

LAST = 24
"""Supersteps looked at; a loop goes on for ever, as far as its wiring tells."""
WIDEST = 40
"""Most tasks of one node in one superstep."""


def routers(graph: Graph) -> list[Choice]:
    """Every router of the graph."""
    return [choice for node in graph.nodes for choice in node.choices] + ([graph.choice] if graph.choice else [])


def outs_of(choices: Iterable[Choice]) -> list[Out]:
    """Every way out of these routers."""
    return [out for choice in choices for option in choice.options for out in option]


def followers(graph: Graph) -> dict[str, set[str]]:
    """Who may come after each node."""
    ways = {node.name: {*node.edges, *(out.to for out in outs_of(node.choices))} for node in graph.nodes}
    for sources, to in graph.joins:
        for source in sources:
            ways[source].add(to)
    return {name: ends & ways.keys() for name, ends in ways.items()}


def supersteps(graph: Graph) -> dict[str, frozenset[int]]:
    """The supersteps in which each node may run, the first one being 0. A deferred node may run in any later one, too."""
    ways = followers(graph)
    deferred = {node.name for node in graph.nodes if node.defer}
    found: dict[str, set[int]] = {name: set() for name in ways}
    here = ({*graph.entry} | {out.to for out in outs_of([graph.choice] if graph.choice else [])}) & ways.keys()
    for step in range(LAST):
        here |= {name for name in deferred if found[name]}
        for name in here:
            found[name].add(step)
        here = {after for name in here for after in ways[name]}
    return {name: frozenset(steps) for name, steps in found.items()}


def apart(one: frozenset[int], other: frozenset[int]) -> bool:
    """Whether two nodes that may run in these supersteps never run in the same one."""
    return not one & other


def overtaking(graph: Graph) -> list[tuple[str, str]]:
    """Pairs of nodes that never run in the same superstep, of which the second may run in the one after the first, not led to by it."""
    steps, ways = supersteps(graph), followers(graph)
    return [
        (late, early)
        for late in sorted(steps)
        for early in sorted(steps)
        if steps[late] and min(steps[late]) + 1 in steps[early] and apart(steps[late], steps[early]) and early not in ways[late]
    ]


def several(graph: Graph) -> set[str]:
    """Nodes that may have several tasks in one superstep."""
    found = {out.to for out in outs_of(routers(graph)) if out.spread is not None}
    return found | {node.name for node in graph.nodes if node.handler}


def narrowed(graph: Graph) -> Graph:
    """The graph with fan-outs cut down to one `Send` where a node would have too many tasks."""
    width = dict.fromkeys((node.name for node in graph.nodes), 1)
    nodes: list[Node] = []
    for node in graph.nodes:

        def cut(choice: Choice, tasks: int = width[node.name]) -> Choice:
            return replace(choice, options=tuple(tuple(limit(out, tasks) for out in option) for option in choice.options))

        def limit(out: Out, tasks: int) -> Out:
            if out.spread is not None:
                if tasks * (out.least + out.spread) > WIDEST:
                    out = replace(out, least=1, spread=0)
                width[out.to] = width.get(out.to, 1) + tasks * (out.least + (out.spread or 0))
            return out

        nodes.append(replace(node, routes=tuple(map(cut, node.routes)), command=cut(node.command) if node.command else None))
    return replace(graph, nodes=tuple(nodes))
