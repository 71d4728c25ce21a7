"""Describes a LangGraph app as a printable value, and how it is to be run: what random graphs are drawn as and shrunk to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from alto_langgraph.testing.ask_specs import Ask, Payload, Which

Mark = Literal["", "change", "read"]
"""What a node does with an object that others also hold."""

Hides = Literal["list", "dict", "object", "helper", "default", "chroma"]
"""What the object is that nodes share past the state, and how they reach it: in a closure, by functions beside them, by a parameter's
default; a real Chroma collection, whose order of changes doesn't show."""

Kind = Literal["last", "sum", "fold", "list", "extend", "merge", "messages", "any", "once", "topic", "untracked", "delta", "parts"]
"""What becomes of values written to a state key: the last one, a sum, a fold in which order shows, lists put together (by a new
list, or in place), dicts merged, messages, the last of several, kept for one superstep (one value, all values), not saved, saved by
its changes; the last list."""

Style = Literal["get", "item", "unpack", "spread", "helper", "copy", "whole", "schema", "computed"]
"""How a node reads the state: `state.get("x")`, `state["x"]`, into variables, `f(**state)`, in a helper function, from a copy, all of
it, only what its own narrower schema has, or by keys that its code names only as it runs."""

Returns = Literal["literal", "grown", "merged", "call", "pairs", "list", "helper", "object"]
"""How a node writes its update down: a dict display, key by key, `a | b`, `dict(a=1)`, pairs in a `Command`, a list of updates, in a
helper function, an object of the state's class."""

Form = Literal["function", "partial", "object", "method", "runnable", "wrapped"]
"""What is given to `add_node`."""

Declared = Literal["", "keys", "effects", "idempotent", "pure", "external"]
"""What a node's metadata says of it: nothing, the keys it reads and writes, that it is idempotent; both; both and pure; external."""

StateClass = Literal["typed", "dataclass", "pydantic"]
"""What a state's class is: a TypedDict, a dataclass, a pydantic model."""

Look = Literal["step", "triggers", "path", "user", "context", "left"]
"""What a node looks at besides the state: its superstep, what triggered it, its task's path, the config, the run's context, supersteps
left."""


@dataclass(frozen=True)
class Key:
    """A state key of one graph, beside those that every graph has.

    Args:
        name: A Python identifier.
        kind: What becomes of values written to it.
        given: Whether each input has a value for it.
        private: Whether only the narrower schemas of nodes that read it have it.
    """

    name: str
    kind: Kind = "last"
    given: bool = False
    private: bool = False


@dataclass(frozen=True)
class Out:
    """One way out of a node.

    Args:
        to: Name of the node that follows, or `END`.
        least: Fewest `Send`s, where `spread` isn't None.
        spread: None for a plain edge; else the number of `Send`s is `least` to `least + spread`, by the state.
        box: Whether the payloads of the `Send`s share one mutable object.
        turns: If not 0, taken only while the state's `turn` is lower: a loop with an end.
        of: If not "", there is a `Send` for each item of this state key or, in a node's own `Command`, for each part of the answer it
            has asked for; at most `least + spread`.
        which: Of which items.
        payload: What is sent of an item.
    """

    to: str
    least: int = 1
    spread: int | None = None
    box: bool = False
    turns: int = 0
    of: str = ""
    which: Which = "all"
    payload: Payload = "dict"


@dataclass(frozen=True)
class Choice:
    """A router: one of its options is taken, by what it reads (in this style)."""

    options: tuple[tuple[Out, ...], ...]
    reads: tuple[str, ...] = ()
    style: Style = "get"


@dataclass(frozen=True)
class Node:
    """A node whose output depends on its input alone.

    Args:
        name: Its name, a Python identifier.
        reads: State keys that its output depends on; a `Send`'s payload has only `seed` (and `box`).
        writes: State keys it updates.
        maybe: Those of them that it updates for one input in two.
        resets: Those of them whose value it sets past their reducer.
        style: How it reads the state.
        returns: How it writes its update down.
        form: What is given to `add_node`.
        declared: What its metadata says of it, as far as that is true.
        looks: What its output depends on besides.
        asking: How it gets at these, the store and the stream: from its runtime, by a parameter of its own, or by a call.
        edits: Whether it changes or removes the last message.
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
        shared: Whether it changes or reads an object that the state doesn't hold.
        box: Whether it changes or reads the object in its operand in place.
        parent: If not "", it returns a `Command` to this node of the parent graph.
        child: The node is this subgraph.
        called: The subgraph is called from inside the node's function.
        stock: The subgraph is built with stock LangGraph on both sides.
        ask: What it asks a model.
        takes: What it does with a list in its payload that the state holds, too: changes it in place, or returns it.
    """

    name: str
    reads: tuple[str, ...] = ("seed",)
    writes: tuple[str, ...] = ("log",)
    maybe: tuple[str, ...] = ()
    resets: tuple[str, ...] = ()
    style: Style = "get"
    returns: Returns = "literal"
    form: Form = "function"
    declared: Declared = ""
    looks: tuple[Look, ...] = ()
    asking: Literal["runtime", "parameter", "call"] = "runtime"
    edits: bool = False
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
    ask: Ask | None = None
    takes: Literal["", "change", "return"] = ""

    @property
    def choices(self) -> tuple[Choice, ...]:
        """Every router this node has."""
        return self.routes + ((self.command,) if self.command else ())


@dataclass(frozen=True)
class Graph:
    """A graph.

    Args:
        nodes: Its nodes.
        entry: What follows START.
        choice: What follows START by a conditional edge.
        joins: `add_edge([a, b], c)` each.
        checkpointer: For a subgraph, as in `compile`.
        keys: State keys beside those that every graph has.
        state: What its state's class is.
        hides: What the object is that its nodes share past the state, and how they reach it.
        box: What the state's mutable object is; a `Pile` is an object of a class of its own.
        ordered: Whether nodes that read these objects see the order of changes.
    """

    nodes: tuple[Node, ...]
    entry: tuple[str, ...] = ()
    choice: Choice | None = None
    joins: tuple[tuple[tuple[str, ...], str], ...] = ()
    checkpointer: bool | None = None
    keys: tuple[Key, ...] = ()
    state: StateClass = "typed"
    hides: Hides = "list"
    box: Literal["list", "dict", "Pile"] = "list"
    ordered: bool = False

    def all_nodes(self) -> Iterator[Node]:
        """Its nodes and those of its subgraphs."""
        for node in self.nodes:
            yield node
            if node.child:
                yield from node.child.all_nodes()


TurnKind = Literal["input", "on", "fresh", "fork", "rewind", "update", "edit", "batch", "cancel", "leave", "crash", "loses"]
"""What is done with a compiled graph: a new input; going on, or on a graph compiled anew (where interrupts wait, a resume of all, or
of the first); going on, or a new input, from an old checkpoint; going on after an update of the state, or of an old checkpoint; two
inputs at a time. Each of these is a new input, too: cancelled while one node hangs; its stream left; a checkpoint, or what a node has
written, can't be saved."""


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
        turns: What is done one after the other.
        at: The node at which a turn is cancelled; whose writes aren't saved in a turn that `loses` them; that updates pass for.
        nth: Which checkpoint isn't saved in a turn that has a `crash`; after which superstep a turn is left.
        concurrency: `max_concurrency`.
        limit: `recursion_limit`.
        before: `interrupt_before`.
        after: `interrupt_after`.
        window: Alto's own option: most tasks started ahead; None for its default.
        guesses: Alto guesses where routers lead, from the first decision on.
        traced: Alto's runs are traced.
    """

    graph: Graph
    seed: int = 0
    coroutine: bool = True
    saver: Literal["none", "memory", "sqlite"] = "none"
    durability: Literal["sync", "async", "exit"] = "async"
    modes: tuple[str, ...] = ("values", "updates")
    subgraphs: bool = False
    turns: tuple[TurnKind, ...] = ("input",)
    at: str = ""
    nth: int = 1
    concurrency: int | None = None
    limit: int = 25
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    window: int | None = None
    guesses: bool = False
    traced: bool = False
