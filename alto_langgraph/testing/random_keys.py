"""Draws what the nodes of a random graph read and write, and the many ways in which people write that down."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar, get_args

from alto_langgraph.testing.graph_specs import Choice, Declared, Form, Graph, Key, Kind, Look, Node, Returns, StateClass, Style
from alto_langgraph.testing.plain_values import IN_PLACE
from alto_langgraph.testing.random_wires import Dice
from alto_langgraph.testing.supersteps import apart, followers, several, supersteps

BASE_WRITES = (("log", 0.9), ("total", 0.4), ("mix", 0.5), ("last", 0.06))
BASE_READS = (("seed", 0.9), ("total", 0.3), ("mix", 0.3), ("last", 0.1), ("log", 0.2))
ROUTER_READS = (("seed", 0.7), ("total", 0.5), ("mix", 0.4), ("log", 0.2))
KINDS: tuple[tuple[Kind, int], ...] = (
    ("last", 40),
    ("list", 10),
    ("fold", 10),
    ("sum", 5),
    ("merge", 8),
    ("messages", 10),
    ("extend", 5),
    ("any", 5),
    ("once", 5),
    ("topic", 4),
    ("untracked", 3),
    ("delta", 2),
)
DECLARED: tuple[tuple[Declared, int], ...] = (("idempotent", 9), ("effects", 4), ("pure", 4), ("keys", 2), ("external", 1))
ALONE: tuple[Kind, ...] = ("last", "once", "untracked")
"""Kinds that take one value a superstep."""


T = TypeVar("T")
Reads = Callable[[Node], tuple[str, ...]]


def some(dice: Dice, weighted: tuple[tuple[str, float], ...]) -> tuple[str, ...]:
    """Each of these with its probability."""
    return tuple(key for key, p in weighted if dice.chance(p))


def with_every_graphs_keys(dice: Dice, graph: Graph) -> Graph:
    """The graph with reads and writes of the keys that every graph has."""
    return _with_reads_and_writes(graph, dice, lambda node: some(dice, BASE_READS), lambda node: some(dice, BASE_WRITES))


def with_own_keys(dice: Dice, graph: Graph, alias: bool) -> Graph:
    """The graph with a key for each node, which some others read: mostly nodes behind it, the last node most of them."""
    multiple, ways = several(graph), followers(graph)
    names = [node.name for node in graph.nodes]
    kinds = {name: _kind(dice, ("list", "fold", "merge", "messages") if name in multiple else (), alias) for name in names}
    keys = [_key(dice, f"of_{name}", kinds[name], private=dice.chance(0.06)) for name in names]
    named = {name: key.name for name, key in zip(names, keys, strict=True)}
    before: dict[str, list[str]] = {name: [n for n, ends in ways.items() if name in ends] for name in ways}
    independent = dice.chance(0.35)

    def reads(node: Node) -> tuple[str, ...]:
        if not ways[node.name] and dice.chance(0.8):
            return tuple(key for key in named.values() if dice.chance(0.8))
        near, far = (0.1, 0.05) if independent else (0.5, 0.12)
        read = [named[n] for n in named if dice.chance(near if n in before[node.name] else far)]
        return (*(("seed",) if not read or dice.chance(0.3) else ()), *read, *some(dice, (("log", 0.05), ("mix", 0.1))))

    def writes(node: Node) -> tuple[str, ...]:
        return (named[node.name], *some(dice, (("log", 0.3), ("mix", 0.15), ("total", 0.1))))

    return _with_reads_and_writes(replace(graph, keys=tuple(keys)), dice, reads, writes)


def with_common_keys(dice: Dice, graph: Graph, keys: tuple[Key, ...]) -> Graph:
    """The graph with a few keys that any node may read and write."""
    names = [key.name for key in keys]

    def reads(node: Node) -> tuple[str, ...]:
        return (
            *some(dice, (("seed", 0.4), ("mix", 0.1), ("log", 0.1))),
            *dice.sample(names, min(len(names), dice.choice((0, 1, 1, 2, 3)))),
        )

    def writes(node: Node) -> tuple[str, ...]:
        return (*dice.sample(names, min(len(names), dice.choice((1, 1, 2)))), *some(dice, (("log", 0.3), ("mix", 0.2))))

    return _with_reads_and_writes(replace(graph, keys=keys), dice, reads, writes)


def common_keys(dice: Dice, alias: bool) -> tuple[Key, ...]:
    """A few keys; with `alias`, there may be one whose reducer changes its value in place."""
    names = "vwxyz"[: dice.randint(2, 5)]
    return tuple(_key(dice, name, _kind(dice, (), alias), private=dice.chance(0.08)) for name in names)


def written_down(dice: Dice, graph: Graph, typed: bool, declares: float | None = None) -> Graph:
    """The graph with each node written down in one of the ways people do it; with `typed`, its state is a TypedDict.

    `declares` is the share of nodes that say in their metadata what is true of them; drawn if None.
    """
    drawn, odd = dice.choice((0.0, 0.4, 1.0, 1.0)), dice.choice((0.0, 0.15, 0.4))
    declares = drawn if declares is None else declares
    classes: tuple[StateClass, ...] = ("typed", "dataclass", "pydantic")
    state = "typed" if typed else dice.choices(classes, (7, 1, 1))[0]
    edited = {dice.choice(graph.nodes).name} if any(key.kind == "messages" for key in graph.keys) and dice.chance(0.7) else set()
    graph = replace(graph, state=state)
    style: Style | None = "computed" if dice.chance(0.06) else None
    graph = replace(graph, nodes=tuple(_written_down(dice, node, declares, odd, node.name in edited, style) for node in graph.nodes))
    return graph if not graph.choice else replace(graph, choice=_styled(dice, graph.choice, odd))


def _written_down(dice: Dice, node: Node, declares: float, odd: float, edits: bool, style: Style | None) -> Node:
    drawn: Style = dice.choice(get_args(Style)) if dice.chance(max(odd, 0.1)) else dice.choice(("get", "item"))
    style = style or drawn
    declared: Declared = _drawn(dice, DECLARED) if dice.chance(declares) else ""
    return replace(
        node,
        declared="effects" if style == "computed" and dice.chance(0.8) else declared,
        maybe=tuple(key for key in node.writes if key != "turn" and dice.chance(0.12)),
        resets=tuple(key for key in node.writes if key != "turn" and dice.chance(0.02)),
        style=style,
        returns=dice.choice(get_args(Returns)) if dice.chance(odd) else "literal",
        form=dice.choice(get_args(Form)) if dice.chance(odd / 2) else "function",
        looks=tuple(look for look in get_args(Look) if dice.chance(odd / 7)),
        asking=dice.choice(("runtime", "parameter", "call")),
        edits=edits,
        routes=tuple(_styled(dice, choice, odd) for choice in node.routes),
    )


def _styled(dice: Dice, choice: Choice, odd: float) -> Choice:
    styles: tuple[Style, ...] = ("item", "unpack", "spread", "helper", "copy", "whole")
    return replace(choice, style=dice.choice(styles)) if dice.chance(odd) else choice


def _kind(dice: Dice, among: tuple[Kind, ...], alias: bool) -> Kind:
    return _drawn(dice, [(kind, weight) for kind, weight in KINDS if (not among or kind in among) and (alias or kind != "extend")])


def _drawn(dice: Dice, weighted: Sequence[tuple[T, int]]) -> T:
    return dice.choices([item for item, _ in weighted], [weight for _, weight in weighted])[0]


def _key(dice: Dice, name: str, kind: Kind, private: bool) -> Key:
    name = f"{name}{IN_PLACE}" if kind == "extend" else name
    return Key(name, kind, given=not private and kind in ("last", "messages") and dice.chance(0.7), private=private)


def _with_reads_and_writes(graph: Graph, dice: Dice, reads: Reads, writes: Reads) -> Graph:
    """Each node with what it reads and writes; its routers read what some node does."""
    names = [key.name for key in graph.keys if not key.private]

    def routed(choice: Choice) -> Choice:
        return replace(choice, reads=(*dice.sample(names, min(len(names), dice.choice((0, 1, 1, 2)))), *some(dice, ROUTER_READS)))

    nodes = [
        replace(
            node,
            reads=reads(node),
            writes=(*writes(node), *node.writes),
            routes=tuple(map(routed, node.routes)),
            command=node.command and routed(node.command),
        )
        for node in graph.nodes
    ]
    graph = replace(graph, nodes=tuple(nodes), choice=graph.choice and routed(graph.choice))
    return _one_at_a_time(graph, dice)


def _one_at_a_time(graph: Graph, dice: Dice) -> Graph:
    """The graph without second writers, in one superstep, of a key that takes one value; most of the time."""
    steps, multiple = supersteps(graph), several(graph)
    alone = {key.name for key in graph.keys if key.kind in ALONE}
    writers: dict[str, list[str]] = {}
    nodes = []
    for node in graph.nodes:
        kept = []
        for key in node.writes:
            taken = [name for name in writers.get(key, []) if not apart(steps[name], steps[node.name])]
            if key not in alone or dice.chance(0.03) or not (taken or node.name in multiple):
                kept.append(key)
                writers.setdefault(key, []).append(node.name)
        nodes.append(replace(node, writes=tuple(kept)))
    return replace(graph, nodes=tuple(nodes))
