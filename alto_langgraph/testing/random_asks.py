"""Draws which nodes of a random graph ask a model that streams, in what form it answers, and what they send of the answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import get_args

from alto_langgraph.testing.ask_specs import AnswerForm, Ask, AskedBy, Asks, Payload, Streams, Trap
from alto_langgraph.testing.asked_model import MOST
from alto_langgraph.testing.graph_specs import Choice, Graph, Key, Node, Out
from alto_langgraph.testing.plain_values import IN_PLACE
from alto_langgraph.testing.random_wires import Dice, Names
from alto_langgraph.testing.state_source import KEPT
from alto_langgraph.testing.supersteps import followers, outs_of, several

BY: tuple[AskedBy, ...] = get_args(AskedBy)
STREAMS: tuple[Streams, ...] = get_args(Streams)
TIMES: tuple[Asks, ...] = get_args(Asks)
PAYLOADS: tuple[Payload, ...] = ("text", "dict", "state", "nested", "dataclass", "pydantic")
TRAPS: tuple[tuple[Trap, float], ...] = (
    ("sorted", 0.08),
    ("reversed", 0.06),
    ("distinct", 0.12),
    ("halved", 0.06),
    ("numbered", 0.1),
    ("marker", 0.1),
    ("raises", 0.08),
    ("breaks", 0.08),
    ("silent", 0.05),
    ("mutates", 0.08),
    ("whole", 0.25),
    ("counts first", 0.08),
    ("counts last", 0.12),
)
"""Each with its own probability."""

ASKING_MODES: tuple[tuple[str, ...], ...] = (
    ("messages",),
    ("values", "messages"),
    ("messages", "custom"),
    ("values", "updates", "messages", "custom"),
)


def stages(dice: Dice, names: Names) -> Graph:
    """Nodes that each send to the next one: parts, parts of these, and so on; maybe beside a slow branch, maybe with one that collects."""
    chain = [next(names) for _ in range(dice.choice((2, 3, 3, 4)))]
    ends = [next(names)] if dice.chance(0.6) else []
    nodes = []
    for name, after in pairwise(chain):
        way = Choice(((Out(after, 0, MOST), *((Out(ends[0]),) if ends and dice.chance(0.15) else ())),))
        nodes.append(Node(name, writes=(), command=way) if dice.chance(0.5) else Node(name, writes=(), routes=(way,)))
    nodes.append(Node(chain[-1], writes=(), edges=tuple(ends)))
    nodes += [Node(name, writes=(), defer=dice.chance(0.3)) for name in ends]
    beside = [next(names)] if dice.chance(0.3) else []
    nodes += [Node(name, writes=(), edges=tuple(ends)) for name in beside]
    return Graph(tuple(nodes), (chain[0], *beside))


def sending(dice: Dice, graph: Graph) -> Graph:
    """The graph; one in which nobody sends anything gets a `Send` in place of an edge."""
    if any(out.spread is not None for node in graph.nodes for out in outs_of(node.choices)):
        return graph
    leading = [node.name for node in graph.nodes if node.edges and not node.command]
    if not leading:
        return graph
    name = dice.choice(leading)

    def sends(node: Node) -> Node:
        first, *others = node.edges
        choice = Choice(((Out(first, 0, 4), *map(Out, others)),))
        return replace(node, edges=(), command=choice) if dice.chance(0.5) else replace(node, edges=(), routes=(*node.routes, choice))

    return replace(graph, nodes=tuple(sends(node) if node.name == name else node for node in graph.nodes))


def with_asks(dice: Dice, graph: Graph, alias: bool, lasting: bool) -> Graph:
    """The graph with nodes that ask, if possible those that send; its subgraphs may have some, too.

    Args:
        dice: Where chance comes from.
        graph: The graph, with everything else.
        alias: Whether what is sent may be changed in place.
        lasting: Whether nodes may ask back, write to the store, and fail at their first try.
    """
    able = [node.name for node in graph.nodes if not (node.child or node.parent or (graph.ordered and "change" in (node.shared, node.box)))]
    senders = [name for name in able if any(out.spread is not None for out in _sends(graph, name))]
    chosen = {name for name in able if dice.chance(0.7 if name in senders else 0.12)}
    chosen |= {dice.choice(senders or able)} if senders or able else set()
    for name in sorted(chosen):
        graph = _with_ask(dice, graph, name, alias)
        if lasting:
            graph = _with(graph, name, **_lasting(dice, graph, name))
    # What becomes of a part shows only where it is looked at.
    sent = {out.to for node in graph.nodes for out in outs_of(node.choices) if out.of}
    looking = (
        replace(node, reads=("seed", *node.reads)) if node.name in sent and "seed" not in node.reads else node for node in graph.nodes
    )
    return replace(graph, nodes=tuple(looking))


def _with_ask(dice: Dice, graph: Graph, name: str, alias: bool) -> Graph:
    """The graph in which this node asks, and sends of the answer what it has sent before."""
    node = _node(graph, name)
    sends = [out for out in outs_of(node.choices) if out.spread is not None]
    children = {other.name for other in graph.nodes if other.child}
    alone = name not in several(graph)
    # What is changed in place must be in one hand only, so that stock's answer is no accident.
    single = alias and alone and len(sends) == 1
    kind: Payload = "alias" if single and dice.chance(0.3) else dice.choice(PAYLOADS)
    if kind not in ("dict", "state") and children & {out.to for out in sends}:
        kind = "dict"
    routed = any(out.spread is not None for out in outs_of(node.routes))
    key = f"parts_{name}{IN_PLACE if kind == 'alias' else ''}" if routed or kind == "alias" or dice.chance(0.4) else ""
    if key:
        graph = replace(graph, keys=(*graph.keys, Key(key, "parts" if alone and dice.chance(0.85) else "list")))
    # An error ends the others at a chance moment, which an object that outlives it would show.
    fails = not any(other.shared or other.box or other.store for other in graph.all_nodes())
    may = {"mutates": alias and graph.state == "typed", "raises": fails, "breaks": fails}
    ask = Ask(
        form=dice.choice(get_args(AnswerForm)),
        by=dice.choices(BY, (6, 2, 2, 2, 3))[0],
        times=dice.choices(TIMES, (7, 1, 1, 1))[0],
        bound=dice.chance(0.4),
        key=key,
        alias=kind == "alias",
        streams=dice.choices(STREAMS, (16, 3, 1))[0],
        traps=tuple(trap for trap, p in TRAPS if dice.chance(p) and may.get(trap, True)),
    )
    ways = sorted(followers(graph)[name] - ({*children} if kind not in ("dict", "state") else set()))
    elsewhere = dice.choice(ways) if ways and dice.chance(0.15) else ""

    def parts(choice: Choice, of: str) -> Choice:
        return replace(choice, options=tuple(tuple(one for out in option for one in its(out, of)) for option in choice.options))

    def its(out: Out, of: str) -> Sequence[Out]:
        if out.spread is None:
            return (out,)
        each = replace(out, least=0, spread=MOST * (2 if ask.times in ("in a row", "at once") else 1), of=of, payload=kind, box=False)
        if elsewhere in ("", out.to):
            return (each,)
        return (replace(each, which="all but the last"), replace(each, to=elsewhere, which="last"))

    routes = tuple(parts(choice, key) for choice in node.routes)
    command = node.command and parts(node.command, "answer")
    writes = (*node.writes, *([key] if key else []))
    says, pause = node.says or dice.chance(0.08), node.pause if dice.chance(0.15) else 0  # the model takes the time
    graph = _with(graph, name, ask=ask, routes=routes, command=command, writes=writes, says=says, pause=pause)
    return _taken(dice, graph, name) if kind == "alias" else graph


def with_relays(dice: Dice, graph: Graph) -> Graph:
    """The graph in which nodes of their own, behind some that ask, send the parts of their answers, where these are in the state.

    Not behind nodes of which several may share a superstep: what they have sent each for itself would be sent for all together.
    """
    together = several(graph)
    able = [node for node in graph.nodes if node.name not in together and node.routes and not node.command]
    asking = [node for node in able if node.ask and node.ask.key]
    for node in asking:
        if dice.chance(0.3):
            graph = _relayed(dice, graph, node, node.ask.key if node.ask else "")
    return graph


def _relayed(dice: Dice, graph: Graph, node: Node, key: str) -> Graph:
    name = node.name
    behind = [f"{name}_{place}" for place in range(1, dice.choice((2, 2, 3)))]
    relays = [
        Node(
            relay,
            reads=dice.choice((("seed",), ("seed", key), (key,))),
            writes=dice.choice(((), ("log",))),
            edges=tuple(behind[place : place + 1]),
            routes=() if behind[place:] else node.routes,
            coroutine=dice.chance(0.5),
        )
        for place, relay in enumerate(behind, start=1)
    ]
    asking = _with(graph, name, edges=(*node.edges, behind[0]), routes=())
    return replace(asking, nodes=(*asking.nodes, *relays))


def _taken(dice: Dice, graph: Graph, name: str) -> Graph:
    """The graph in which nodes that this one sends to change what they get in place, or return it."""
    for to in sorted({out.to for out in _sends(graph, name) if out.of}):
        node = _node(graph, to)
        if node.child or node.takes:
            continue
        takes = dice.choice(("change", "change", "return", "return", ""))
        if takes == "return" and KEPT not in {key.name for key in graph.keys}:
            graph = replace(graph, keys=(*graph.keys, Key(KEPT, "list")))
        graph = _with(graph, to, takes=takes, writes=(*node.writes, KEPT) if takes == "return" else node.writes)
    return graph


def _lasting(dice: Dice, graph: Graph, name: str) -> dict[str, object]:
    """What the node does after it has the answer that a second run of it must not do again unseen."""
    node = _node(graph, name)
    changes: dict[str, object] = {}
    if dice.chance(0.08) and not node.error:
        changes |= {"error": dice.randint(1, 2), "tries": 3}
    if dice.chance(0.08) and not any(other.store == "read" for other in graph.all_nodes()):
        changes |= {"store": "change"}
    if dice.chance(0.08):
        changes |= {"asks": dice.randint(1, 3)}
    return changes


def _sends(graph: Graph, name: str) -> list[Out]:
    return [out for out in outs_of(_node(graph, name).choices) if out.spread is not None]


def _node(graph: Graph, name: str) -> Node:
    return next(node for node in graph.nodes if node.name == name)


def _with(graph: Graph, name: str, **changes: object) -> Graph:
    return replace(graph, nodes=tuple(replace(node, **changes) if node.name == name else node for node in graph.nodes))  # type: ignore[arg-type]
