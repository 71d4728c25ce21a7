"""Words for what a random case has in it, so that one sees what a fuzz run has covered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import fields

from alto_langgraph.testing.graph_specs import Case, Graph, Node
from alto_langgraph.testing.supersteps import outs_of, routers, supersteps


def features(case: Case) -> Iterator[str]:
    """Words for what the case has in it, each once."""
    yield "async" if case.coroutine else "sync"
    yield f"saver {case.saver}"
    if case.saver != "none":
        yield f"durability {case.durability}"
    yield from sorted({f"turn {kind}" for kind in (case.turns[1:] if case.turns[0] == "input" else case.turns)})
    yield from (f.name for f in fields(Case) if f.name in ("concurrency", "before", "after", "window", "guesses") and getattr(case, f.name))
    if case.limit < 25:
        yield "recursion limit"
    yield from sorted(set(_graph_features(case.graph)))
    yield from sorted({word for node in case.graph.all_nodes() for word in _node_features(node)})
    if not any(out.spread is not None for node in case.graph.all_nodes() for out in outs_of(node.choices)):
        yield "no sends"


def _graph_features(graph: Graph) -> Iterator[str]:
    if graph.joins:
        yield "join"
    loops = any(out.turns for out in outs_of(routers(graph)))
    edges = Counter(edge for node in graph.nodes for edge in node.edges)
    if any(count > 1 for count in edges.values()):
        yield "fan-in of edges"
    if not loops and not any(node.defer for node in graph.nodes) and any(len(steps) > 1 for steps in supersteps(graph).values()):
        yield "node at several depths"
    if graph.state != "typed":
        yield f"state {graph.state}"
    if any(node.shared for node in graph.nodes) and graph.hides != "list":
        yield f"shared {graph.hides}"
    if graph.box != "list":
        yield f"box {graph.box}"
    if graph.ordered:
        yield "order of changes"
    for key in graph.keys:
        yield f"key {key.kind}"
        if key.private:
            yield "key private"


def _node_features(node: Node) -> Iterator[str]:
    flags = ("defer", "error", "handler", "asks", "cached", "timeout", "says", "store", "shared", "box", "parent", "stock", "child")
    yield from (name for name in (*flags, "maybe", "resets", "edits") if getattr(node, name))
    if node.tries > 1:
        yield "retry"
    if node.child and node.child.checkpointer is not None:
        yield "child with a checkpointer" if node.child.checkpointer else "child without checkpoints"
    if node.style != "get":
        yield f"reads {node.style}"
    if node.returns != "literal":
        yield f"returns {node.returns}"
    if node.form != "function":
        yield f"form {node.form}"
    if node.declared:
        yield f"declared {node.declared}"
    yield from (f"looks {look}" for look in node.looks)
    yield from _ask_features(node)
    for choices, kind in ((node.routes, "route"), ((node.command,) if node.command else (), "command")):
        for out in outs_of(choices):
            yield f"send by {kind}" if out.spread is not None else "loop" if out.turns else f"{kind} to node"


def _ask_features(node: Node) -> Iterator[str]:
    """Words for what the node asks a model, and what it sends of the answer."""
    if node.takes:
        yield f"takes {node.takes}"
    if not (ask := node.ask):
        return
    yield from ("asks a model", f"answer {ask.form}", f"asked by {ask.by}", f"answers {ask.times}", *(f"trap {trap}" for trap in ask.traps))
    yield from ("parts in the state",) if ask.key else ()
    yield from (f"streams {ask.streams}",) if ask.streams else ()
    for choices, kind in ((node.routes, "route"), ((node.command,) if node.command else (), "command")):
        for out in outs_of(choices):
            if out.of:
                yield from (f"parts by {kind}", f"payload {out.payload}", *(["last part elsewhere"] if out.which == "last" else []))
