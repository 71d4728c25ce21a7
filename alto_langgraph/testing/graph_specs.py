"""Describes a LangGraph app as a printable value, and how it is to be run: what random graphs are drawn as and shrunk to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Mark = Literal["", "change", "read"]
"""What a node does with an object that others also hold."""


@dataclass(frozen=True)
class Out:
    """One way out of a node.

    Args:
        to: Name of the node that follows, or `END`.
        least: Fewest `Send`s, where `spread` isn't None.
        spread: None for a plain edge; else the number of `Send`s is `least` to `least + spread`, by the state.
        box: Whether the payloads of the `Send`s share one mutable list.
        turns: If not 0, taken only while the state's `turn` is lower: a loop with an end.
    """

    to: str
    least: int = 1
    spread: int | None = None
    box: bool = False
    turns: int = 0


@dataclass(frozen=True)
class Choice:
    """A router: one of its options is taken, by what it reads."""

    options: tuple[tuple[Out, ...], ...]
    reads: tuple[str, ...] = ()


@dataclass(frozen=True)
class Node:
    """A node whose output depends on its input alone.

    Args:
        name: Its name, a Python identifier.
        reads: Channels that its output depends on; a `Send`'s payload has only `seed` (and `box`).
        writes: Channels it updates.
        edges: Nodes that follow it by a plain edge.
        routes: Conditional edges.
        command: Where its returned `Command` goes.
        coroutine: Whether it is `async def`.
        pause: Longest time it takes, ms; the time depends on the input.
        defer: As in `add_node`.
        error: If not 0, it raises for one input in so many.
        tries: If more than 1, it has a retry policy, and what it raises is gone at this attempt.
        handler: Where its error handler goes; "" for no handler, "-" for one that only updates.
        asks: If not 0, it interrupts for one input in so many.
        cached: Whether it has a cache policy.
        timeout: Whether it has a timeout, which it never reaches.
        says: Whether it writes to the `custom` stream.
        store: Whether it writes to the store, or reads all of it.
        shared: Whether it changes or reads a list that the state doesn't hold.
        box: Whether it changes or reads the list in its operand in place.
        parent: If not "", it returns a `Command` to this node of the parent graph.
        child: The node is this subgraph.
        called: The subgraph is called from inside the node's function.
        stock: The subgraph is built with stock LangGraph on both sides.
    """

    name: str
    reads: tuple[str, ...] = ("seed",)
    writes: tuple[str, ...] = ("log",)
    edges: tuple[str, ...] = ()
    routes: tuple[Choice, ...] = ()
    command: Choice | None = None
    coroutine: bool = False
    pause: int = 0
    defer: bool = False
    error: int = 0
    tries: int = 1
    handler: str = ""
    asks: int = 0
    cached: bool = False
    timeout: bool = False
    says: bool = False
    store: Mark = ""
    shared: Mark = ""
    box: Mark = ""
    parent: str = ""
    child: Graph | None = None
    called: bool = False
    stock: bool = False

    @property
    def choices(self) -> tuple[Choice, ...]:
        """Every router this node has."""
        return self.routes + ((self.command,) if self.command else ())


@dataclass(frozen=True)
class Graph:
    """A graph: its nodes, what follows START, its joins (`add_edge([a, b], c)`), and, for a subgraph, its checkpointer."""

    nodes: tuple[Node, ...]
    entry: tuple[str, ...] = ()
    choice: Choice | None = None
    joins: tuple[tuple[tuple[str, ...], str], ...] = ()
    checkpointer: bool | None = None

    def all_nodes(self) -> Iterator[Node]:
        """Its nodes and those of its subgraphs."""
        for node in self.nodes:
            yield node
            if node.child:
                yield from node.child.all_nodes()


@dataclass(frozen=True)
class Case:
    """A graph and how it is run, on both sides alike.

    Args:
        graph: The graph.
        seed: The input of the first turn; each later one adds 1.
        coroutine: Whether it runs by `astream`.
        saver: Checkpointer.
        durability: As in `invoke`.
        modes: Stream modes.
        subgraphs: Whether events of subgraphs are streamed.
        turns: What is done one after the other: a new input, going on, a fork from an old checkpoint, an update of the state.
            Where interrupts wait, going on is a resume.
        concurrency: `max_concurrency`.
        limit: `recursion_limit`.
        before: `interrupt_before`.
        after: `interrupt_after`.
        window: Alto's own option: most tasks started ahead; None for its default.
    """

    graph: Graph
    seed: int = 0
    coroutine: bool = True
    saver: Literal["none", "memory", "sqlite"] = "none"
    durability: Literal["sync", "async", "exit"] = "async"
    modes: tuple[str, ...] = ("values", "updates")
    subgraphs: bool = False
    turns: tuple[Literal["input", "on", "fork", "update"], ...] = ("input",)
    concurrency: int | None = None
    limit: int = 25
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    window: int | None = None
