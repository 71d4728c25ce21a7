"""Draws how the nodes of a random graph are wired: in layers, branches, chains, loops, or any which way without a loop."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from random import Random

from alto_langgraph.testing.graph_specs import Choice, Graph, Node, Out


class Dice(Random):
    """A random generator that also tosses coins."""

    def chance(self, probability: float) -> bool:
        """Whether something of this probability happens."""
        return self.random() < probability


Names = Iterator[str]


def branches(dice: Dice, names: Names) -> Graph:
    """Unequal branches side by side that come together: in a join, by edges alone, or in a deferred node."""
    heads, nodes, ends = [], [], []
    for _ in range(dice.choice((2, 2, 3))):
        branch = _chain([next(names) for _ in range(dice.choice((1, 1, 2, 2, 3, 4)))])
        heads.append(branch[0].name)
        ends.append(branch[-1].name)
        nodes += branch
    after = _chain([next(names) for _ in range(dice.choice((1, 1, 2)))])
    way = dice.choices(("join", "edges", "defer", "nothing"), (10, 8, 2, 1))[0]
    if way == "defer":
        after[0] = replace(after[0], defer=True)
    graph = Graph((*nodes, *after), tuple(heads))
    graph = together(graph, ends, after[0].name, joined=way == "join") if way != "nothing" else Graph(tuple(nodes), tuple(heads))
    if dice.chance(0.6):
        head = next(names)
        graph = replace(graph, nodes=(Node(head, edges=graph.entry), *graph.nodes), entry=(head,))
    if dice.chance(0.2):
        start, end = sorted(dice.sample(range(len(graph.nodes)), 2))
        graph = led(graph, graph.nodes[start].name, graph.nodes[end].name)
    return graph


def chain(dice: Dice, names: Names) -> Graph:
    """Stages one after the other; the last one puts together what the others made."""
    nodes = _chain([next(names) for _ in range(dice.randint(3, 6))])
    graph = Graph(tuple(nodes), (nodes[0].name,))
    if dice.chance(0.25):
        graph = led(graph, dice.choice(nodes[:-2]).name, nodes[-1].name)
    if dice.chance(0.25):
        beside = next(names)
        graph = replace(graph, nodes=(Node(beside, edges=(nodes[-1].name,) if dice.chance(0.5) else ()), *graph.nodes))
        graph = replace(graph, entry=(*graph.entry, beside))
    return graph


def loop(dice: Dice, names: Names) -> Graph:
    """A router around branches of several nodes, from whose end another router leads back."""
    head, end = next(names), next(names)
    parts = [_chain([next(names) for _ in range(dice.choice((1, 2, 2, 3)))]) for _ in range(dice.choice((1, 2, 2)))]
    ways = [part[0].name for part in parts]
    options = [tuple(map(Out, ways)), *((Out(way),) for way in ways)]
    routed = dice.chance(0.6)
    first = Node(head, routes=(Choice(tuple(dice.sample(options, min(2, len(options))))),)) if routed else Node(head, edges=tuple(ways))
    after = [next(names)] if dice.chance(0.5) else []
    back = Choice(((*map(Out, after), Out(head, turns=dice.choice((2, 3, 4)))),))
    last = Node(end, routes=(back,)) if dice.chance(0.7) else Node(end, command=back)
    counts = dice.choice((head, end))
    nodes = [replace(node, writes=("turn",) if node.name == counts else ()) for node in (first, *(n for p in parts for n in p), last)]
    graph = Graph((*nodes, *map(_bare, after)), (head,))
    return together(graph, [part[-1].name for part in parts], end, joined=not routed and dice.chance(0.6))


def woven(dice: Dice, names: Names) -> Graph:
    """Nodes that each follow one or two earlier ones, however far back, so that some run several times, at several depths."""
    nodes = [_bare(next(names)) for _ in range(dice.randint(4, 7))]
    graph = Graph(tuple(nodes), tuple(node.name for node in nodes[: dice.choice((1, 1, 2))]))
    for place in range(len(graph.entry), len(nodes)):
        before = [node.name for node in nodes[:place]]
        sources = dice.sample(before[-4:], min(len(before), dice.choice((1, 1, 2, 2))))
        graph = together(graph, sources, nodes[place].name, joined=dice.chance(0.4))
    return graph


def rerouted(dice: Dice, graph: Graph) -> Graph:
    """The graph with some plain edges turned into conditional edges, commands and Sends."""
    return replace(graph, nodes=tuple(_rerouted(dice, node, graph) for node in graph.nodes))


def _rerouted(dice: Dice, node: Node, graph: Graph) -> Node:
    if not node.edges or not dice.chance(0.3):
        return node
    some = tuple(_out(dice, name) for name in node.edges)
    later = [other.name for other in graph.nodes[[n.name for n in graph.nodes].index(node.name) + 1 :]]
    others: list[tuple[Out, ...]] = [some[:1], (), (Out("END"),), *((Out(name),) for name in later)]
    choice = Choice(tuple(dice.sample([some, some, dice.choice(others)], dice.choice((1, 2, 3)))))
    if dice.chance(0.35) and not node.command:
        return replace(node, edges=(), command=choice)
    return replace(node, edges=(), routes=(*node.routes, choice))


def _out(dice: Dice, name: str) -> Out:
    return Out(name, dice.choice((0, 1, 2, 3)), dice.choice((0, 1, 2, 4))) if dice.chance(0.35) else Out(name)


def _bare(name: str) -> Node:
    return Node(name, writes=())


def _chain(names: list[str]) -> list[Node]:
    edges = dict(pairwise(names))
    return [Node(name, writes=(), edges=(edges[name],) if name in edges else ()) for name in names]


def led(graph: Graph, start: str, end: str) -> Graph:
    """The graph with one more edge."""
    return replace(
        graph,
        nodes=tuple(
            replace(n, edges=(*n.edges, end)) if n.name == start and end not in n.edges and end != start else n for n in graph.nodes
        ),
    )


def together(graph: Graph, sources: list[str], end: str, joined: bool) -> Graph:
    """The graph with these nodes leading to `end`, by a join or by edges."""
    if joined and len(sources) > 1:
        return replace(graph, joins=(*graph.joins, (tuple(sources), end)))
    for source in sources:
        graph = led(graph, source, end)
    return graph


SKELETONS: tuple[tuple[Callable[[Dice, Names], Graph], int], ...] = ((branches, 6), (chain, 3), (loop, 2), (woven, 3))
"""Ways to wire a graph, beside layers, and how often each is drawn."""
