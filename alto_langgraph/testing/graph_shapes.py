"""Named graph shapes, each with how it is run; the tests run each of them on both sides."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

from langgraph.types import Command

from alto_langgraph.testing.graph_specs import Choice, Graph, Node, Out


def to(*outs: Out | str, reads: tuple[str, ...] = ()) -> Choice:
    """A router with one option."""
    return Choice((tuple(Out(out) if isinstance(out, str) else out for out in outs),), reads)


def send(name: str, least: int = 3, spread: int = 0, box: bool = False) -> Out:
    """So many `Send`s to a node."""
    return Out(name, least, spread, box)


def node(name: str, **its: Any) -> Node:
    """A node that takes some time and writes to channels in which order shows."""
    return Node(name, **{"writes": ("log", "mix"), "pause": 4, **its})


def graph(*nodes: Node, entry: tuple[str, ...] = ("a",), **its: Any) -> Graph:
    """A graph that starts at `a`, if nothing else is said."""
    return Graph(nodes, entry, **its)


def resumed(interrupts: tuple[Any, ...]) -> Any:
    """Answers every interrupt that waits."""
    return Command(resume={i.id: f"yes, {i.value}" for i in interrupts}) if interrupts else None


@dataclass(frozen=True)
class Shape:
    """A graph and how it is run.

    Args:
        graph: The graph.
        then: Further turns; they need a checkpointer, so without one the shape is run for the first turn only.
        how: Arguments of `stream`.
        config: Fields of the run's config.
        ahead: Whether something must have run ahead in an async run without a checkpointer.
    """

    graph: Graph
    then: tuple[Any, ...] = ()
    how: dict[str, Any] = field(default_factory=dict)
    config: dict[str, Any] = field(default_factory=dict)
    ahead: bool = False


def as_coroutines(graph: Graph, coroutine: bool) -> Graph:
    """The graph with all its functions `async def`, or none."""
    return replace(
        graph,
        nodes=tuple(
            replace(
                node, coroutine=coroutine, timeout=node.timeout and coroutine, child=node.child and as_coroutines(node.child, coroutine)
            )
            for node in graph.nodes
        ),
    )


def chain(*names: str, by: Callable[[Node, Choice], Node], width: int = 3) -> Graph:
    """A fan-out whose items each go through every stage."""
    first, *stages = [by(node(name), to(send(after, width if name == names[0] else 1))) for name, after in pairwise(names)]
    return graph(first, *stages, node(names[-1]), entry=(names[0],))


def by_route(node: Node, choice: Choice) -> Node:
    """The node with a conditional edge."""
    return replace(node, routes=(choice,))


def by_command(node: Node, choice: Choice) -> Node:
    """The node with a `Command` to return."""
    return replace(node, command=choice)


STAGES = chain("a", "b", "c", by=by_route)
"""Three items through two stages, with uneven times."""

SHAPES: dict[str, Shape] = {
    "one node": Shape(graph(node("a"))),
    "sequence": Shape(graph(node("a", edges=("b",)), node("b", edges=("c",)), node("c"))),
    "sends from a conditional edge": Shape(graph(node("a", routes=(to(send("b")),)), node("b", edges=("c",)), node("c"))),
    "sends from a command": Shape(graph(node("a", command=to(send("b"))), node("b", edges=("c",)), node("c"))),
    "sends from the start": Shape(graph(node("a", routes=(to(send("b", 1)),)), node("b"), entry=(), choice=to(send("a", 4))), ahead=True),
    "chain of sends": Shape(STAGES, ahead=True),
    "long chain of sends by command": Shape(chain("a", "b", "c", "d", "e", by=by_command, width=5), ahead=True),
    "chain ends in a reduction": Shape(
        graph(
            node("a", routes=(to(send("b", 4)),)), node("b", routes=(to(send("c", 1)),)), node("c", edges=("d",)), node("d", reads=("log",))
        ),
        ahead=True,
    ),
    "sends and edges in one command": Shape(
        graph(
            node("a", command=to("c", send("b", 4))),
            node("b", command=to("d", send("d", 0, 2), reads=("seed",))),
            node("c", edges=("d",)),
            node("d"),
        ),
        ahead=True,
    ),
    "uneven fan-outs, some empty": Shape(
        graph(
            node("a", routes=(to(send("b", 6)),)),
            node("b", command=to(send("c", 0, 3))),
            node("c", routes=(to(send("d", 0, 1), reads=("seed",)),)),
            node("d"),
        ),
        ahead=True,
    ),
    "a route that reads what a slow sibling writes": Shape(
        graph(
            node("a", pause=0, routes=(to(send("c", 2)),)),
            node("b", pause=20, writes=("log", "total", "turn")),
            node("c", writes=("log", "turn"), routes=(Choice(((Out("d", turns=2),),), ("total", "turn")),)),
            node("d"),
            entry=("a", "b"),
        )
    ),
    "a route that reads what is still to be started writes": Shape(
        graph(
            node("a", pause=0, routes=(to(send("c", 1)),)),
            node("b", pause=0, reads=(), child=graph(node("x", pause=30, writes=("log",)), entry=("x",)), called=True, edges=("e",)),
            node("c", pause=0, routes=(to(send("d", 1)),)),
            node("d", pause=0, writes=("log",), routes=(Choice(((Out("f", turns=1),),), ("turn",)),)),
            node("e", pause=30, writes=("log", "turn")),
            node("f"),
            entry=("a", "b"),
        )
    ),
    "fast and slow producers": Shape(
        graph(
            node("a", pause=0, routes=(to(send("c", 2)),)),
            node("b", pause=20, command=to(send("c", 2), send("d", 2))),
            node("c", routes=(to(send("d", 1)),)),
            node("d", edges=("e",)),
            node("e", reads=("log",)),
            entry=("a", "b"),
        ),
        ahead=True,
    ),
    "join": Shape(
        graph(node("a", edges=("b", "c")), node("b"), node("c"), node("d", reads=("log",)), joins=((("b", "c"), "d"),)),
    ),
    "join beside sends": Shape(
        graph(
            node("a", edges=("b", "c"), routes=(to(send("e", 3)),)),
            node("b", pause=6),
            node("c"),
            node("d"),
            node("e", command=to(send("d", 1))),
            joins=((("b", "c"), "d"),),
        ),
        ahead=True,
    ),
    "deferred collector": Shape(
        graph(
            node("a", command=to("z", send("b", 4))),
            node("b", command=to(send("c", 0, 2))),
            node("c"),
            node("z", defer=True, reads=("log", "mix")),
        ),
        ahead=True,
    ),
    "loop of sends": Shape(
        graph(
            node("a", writes=("log", "turn"), routes=(to(send("b", 3)),)),
            node("b", routes=(to(send("c", 1)),)),
            node("c", edges=("d",)),
            node("d", writes=("log", "turn"), reads=("log",), routes=(to(Out("a", turns=6), reads=("mix",)),)),
        ),
        ahead=True,
    ),
    "router among nodes and sends": Shape(
        graph(
            node("a", routes=(to(send("b", 5)),)),
            node("b", command=Choice(((Out("c"), send("d", 1)), (send("c", 2), send("d", 1)), ()))),
            node("c", reads=("log",)),
            node("d", routes=(Choice(((Out("END"),), (send("c", 1),)), ("seed",)),)),
        ),
        ahead=True,
    ),
    "subgraph with a chain": Shape(
        graph(node("a", edges=("s",)), node("s", child=STAGES, edges=("z",)), node("z", reads=("log",))), ahead=True
    ),
    "stock subgraph": Shape(graph(node("a", edges=("s",)), node("s", child=STAGES, stock=True, edges=("z",)), node("z", reads=("log",)))),
    "subgraph in a subgraph": Shape(
        graph(node("a", edges=("s",)), node("s", child=graph(node("t", child=STAGES), entry=("t",)))), ahead=True
    ),
    "sends to a subgraph": Shape(graph(node("a", routes=(to(send("s", 3)),)), node("s", child=STAGES))),
    "chain into a subgraph": Shape(
        graph(node("a", routes=(to(send("b", 3)),)), node("b", command=to(send("s", 1))), node("s", child=STAGES))
    ),
    "subgraph called in a node": Shape(graph(node("a", routes=(to(send("s", 3)),)), node("s", child=STAGES, called=True)), ahead=True),
    "subgraph called in a node twice, once ahead": Shape(
        graph(
            node("c", command=to("e", "d")),
            node("d", pause=0, command=to(send("e", 1))),
            node(
                "e", child=graph(node("f", pause=12), node("g", pause=0, edges=("h",)), node("h", pause=6), entry=("f", "g")), called=True
            ),
            entry=("c",),
        )
    ),
    "subgraph with a checkpointer of its own": Shape(
        graph(node("a", edges=("s",)), node("s", child=replace(STAGES, checkpointer=True))), then=({"seed": 8, "box": []},)
    ),
    "subgraph without checkpoints": Shape(graph(node("a", edges=("s",)), node("s", child=replace(STAGES, checkpointer=False)))),
    "command to the parent": Shape(
        graph(
            node("a", edges=("s",)),
            node("s", child=graph(node("t", parent="z"), entry=("t",))),
            node("z", routes=(to(send("b", 2)),)),
            node("b"),
        )
    ),
    "commands to the parent from sends": Shape(
        graph(node("a", routes=(to(send("s", 3)),)), node("s", child=graph(node("t", parent="z"), entry=("t",))), node("z"))
    ),
    "two values for a channel that takes one": Shape(
        graph(node("a", routes=(to(send("b", 3)),)), node("b", routes=(to(send("c", 1)),)), node("c", writes=("last",)))
    ),
    "error in a late stage": Shape(
        graph(node("a", routes=(to(send("b", 1)),)), node("b", routes=(to(send("c", 1)),)), node("c", error=1)), then=(None,), ahead=False
    ),
    "error beside early work": Shape(
        graph(
            node("a", pause=0, routes=(to(send("c", 3)),)),
            node("b", pause=20, error=1),
            node("c", command=to(send("d", 1))),
            node("d"),
            entry=("a", "b"),
        ),
        then=(None,),
        ahead=True,
    ),
    "retries in a chain": Shape(
        graph(node("a", routes=(to(send("b", 4)),)), node("b", error=2, tries=3, command=to(send("c", 1))), node("c", error=2, tries=3))
    ),
    "handled error in a chain": Shape(
        graph(node("a", routes=(to(send("b", 2)),)), node("b", command=to(send("c", 1))), node("c", error=2, handler="-")),
    ),
    "error handler goes elsewhere": Shape(
        graph(node("a", edges=("b",)), node("b", error=1, handler="c"), node("c", routes=(to(send("d", 2)),)), node("d"))
    ),
    "cached nodes": Shape(
        graph(node("a", routes=(to(send("b", 3)),)), node("b", cached=True, command=to(send("c", 1))), node("c", cached=True)),
        then=({"seed": 5, "box": []},),
    ),
    "store written in a chain": Shape(
        graph(node("a", routes=(to(send("b", 3)),)), node("b", store="change", command=to(send("c", 1))), node("c", store="read"))
    ),
    "custom events in a chain": Shape(
        graph(node("a", says=True, routes=(to(send("b", 4)),)), node("b", says=True, command=to(send("c", 1))), node("c", says=True)),
        ahead=True,
    ),
    "interrupts in a chain": Shape(
        graph(
            node("a", routes=(to(send("b", 4)),)),
            node("b", command=to(send("c", 1))),
            node("c", asks=2, edges=("d",)),
            node("d", reads=("log",)),
        ),
        then=(resumed, resumed),
    ),
    "interrupts in the first stage": Shape(
        graph(node("a", routes=(to(send("b", 4)),)), node("b", asks=2, command=to(send("c", 1))), node("c")), then=(resumed, resumed)
    ),
    "interrupt in a subgraph": Shape(
        graph(
            node("a", edges=("s",)),
            node("s", child=graph(node("t", routes=(to(send("u", 3)),)), node("u", asks=2), entry=("t",))),
            node("z"),
        ),
        then=(resumed, resumed),
    ),
    "interrupt before a stage": Shape(STAGES, then=(None, None), how={"interrupt_before": ["c"]}, ahead=False),
    "interrupt after a stage": Shape(STAGES, then=(None, None), how={"interrupt_after": ["b"]}, ahead=False),
    "recursion limit in a chain": Shape(chain("a", "b", "c", "d", "e", by=by_route), then=(None,), config={"recursion_limit": 3}),
    "two nodes at a time": Shape(chain("a", "b", "c", "d", by=by_command, width=6), config={"max_concurrency": 2}, ahead=True),
    "timeouts that don't fire": Shape(
        graph(node("a", routes=(to(send("b", 3)),)), node("b", timeout=True, command=to(send("c", 1))), node("c", timeout=True))
    ),
    "nodes share a list past the state": Shape(
        graph(
            node("a", pause=0, routes=(to(send("c", 2)),)),
            node("b", pause=20, shared="change"),
            node("c", shared="read", routes=(to(send("d", 1)),)),
            node("d", shared="read"),
            entry=("a", "b"),
        )
    ),
    "nodes still to be started share a list past the state": Shape(
        graph(
            node("b", pause=0, routes=(to(send("d", 1)),)),
            node("c", pause=20, edges=("e",)),
            node("d", pause=0, routes=(to(send("f", 2)),)),
            node("e", pause=20, shared="read"),
            node("f", pause=0, shared="change"),
            entry=("b", "c"),
        )
    ),
}
