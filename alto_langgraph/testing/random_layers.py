"""Draws graphs in layers, rich in Sends: each node leads to nodes of the next layer, by edges, routers and commands."""

from __future__ import annotations

from dataclasses import replace

from alto_langgraph.testing.graph_specs import Choice, Graph, Node, Out
from alto_langgraph.testing.random_wires import Dice, Names


def layers(dice: Dice, names: Names, depth: int, *, loops: bool, boxes: bool, join: bool) -> Graph:
    """A graph of `depth` layers.

    Args:
        dice: Where chance comes from.
        names: Names for its nodes.
        depth: Number of layers.
        loops: Whether ways out may skip layers and go back.
        boxes: Whether payloads may share one mutable object.
        join: Whether two nodes of a layer join, if there are two.
    """
    rows = [[next(names) for _ in range(dice.choice((1, 1, 2, 2, 3)))] for _ in range(depth)]
    nodes = []
    for place, row in enumerate(rows):
        beyond = rows[place + 1 :] if loops else rows[place + 1 : place + 2]
        after = [name for names_ in beyond for name in names_]
        behind = [name for names_ in rows[: place + 1] for name in names_] if loops else []
        nodes += [_node(dice, name, after, behind, boxes) for name in row]
    first = rows[0]
    if dice.chance(0.35):
        graph = Graph(tuple(nodes), choice=Choice((tuple(_out(dice, name, boxes) for name in first),)))
    else:
        graph = Graph(tuple(nodes), entry=tuple(first))
    return _joined(dice, graph, rows) if join else graph


def _node(dice: Dice, name: str, after: list[str], behind: list[str], boxes: bool) -> Node:
    back = behind if dice.chance(0.3) else []
    choices = [_choice(dice, after, back, boxes)] if back or (after and dice.chance(0.6)) else []
    if after and dice.chance(0.15):
        choices.append(_choice(dice, after, [], boxes))
    edges = tuple(dice.sample(after, min(len(after), dice.choice((1, 1, 2))))) if after and (not choices or dice.chance(0.25)) else ()
    command = choices.pop() if choices and dice.chance(0.35) else None
    return Node(name, writes=("turn",) if back else (), edges=edges, routes=tuple(choices), command=command)


def _choice(dice: Dice, after: list[str], behind: list[str], boxes: bool) -> Choice:
    options = [
        tuple(_out(dice, name, boxes) for name in dice.sample(after, dice.randint(0 if place else 1, min(2, len(after)))))
        for place in range(dice.choice((1, 1, 2, 3)) if after else 1)
        if after
    ] or [()]
    if behind:
        options[0] += (Out(dice.choice(behind), turns=dice.choice((2, 3))),)
    return Choice(tuple(options))


def _out(dice: Dice, name: str, boxes: bool) -> Out:
    if dice.chance(0.35):
        return Out(name)
    return Out(name, dice.choice((0, 0, 1, 2)), dice.choice((0, 1, 2, 4)), box=boxes and dice.chance(0.9))


def _joined(dice: Dice, graph: Graph, rows: list[list[str]]) -> Graph:
    wide = [place for place, row in enumerate(rows[:-1]) if len(row) > 1]
    if not wide:
        return graph
    place = dice.choice(wide)
    sources, to = tuple(sorted(dice.sample(rows[place], 2))), dice.choice(rows[place + 1])
    without = tuple(replace(node, edges=tuple(e for e in node.edges if e != to)) if node.name in sources else node for node in graph.nodes)
    return replace(graph, nodes=without, joins=((sources, to),))
