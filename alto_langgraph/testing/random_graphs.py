"""Draws random graphs, and how to run them, from a seed; the same seed always gives the same case."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any, Literal

from alto_langgraph.testing.graph_specs import Case, Choice, Graph, Node, Out

NAMES = "abcdefghijklmnopqrstuvwxyz"
MODES: tuple[tuple[str, ...], ...] = (
    (),
    ("values",),
    ("updates",),
    ("values", "updates"),
    ("values", "updates", "custom"),
    ("values", "tasks"),
    ("values", "checkpoints"),
    ("values", "debug"),
    ("values", "updates", "custom", "tasks", "checkpoints", "debug", "messages"),
)
WIDEST = 40
"""Most tasks of one node in one superstep."""
FEATURES = ("error", "retry", "handler", "asks", "cached", "timeout", "says", "store", "shared", "box", "child", "defer", "join", "stop")

Layers = list[list[str]]


def draw(seed: int) -> Case:
    """The case of this seed."""
    return _Draw(seed).case()


class _Draw:
    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.rng = Random(seed)
        self.coroutine = self.chance(0.75)
        self.saver: Literal["none", "memory", "sqlite"] = self.rng.choices(("none", "memory", "sqlite"), (5, 4, 1))[0]
        self.names = iter(NAMES)
        self.features = {feature for feature in FEATURES if self.chance(0.13)}

    def chance(self, probability: float) -> bool:
        return self.rng.random() < probability

    def case(self) -> Case:
        loops = self.chance(0.3)
        graph, layers = self.graph(self.rng.randint(2, 5), loops)
        graph = self.decorated(graph, layers, loops)
        every = [node.name for node in graph.nodes]
        stops = "stop" in self.features and self.saver != "none"
        return Case(
            graph=narrowed(graph),
            seed=self.rng.randint(0, 999),
            coroutine=self.coroutine,
            saver=self.saver,
            durability=self.rng.choice(("sync", "async", "exit")),
            modes=self.rng.choice(MODES),
            subgraphs=self.chance(0.5),
            turns=self.turns(stops or "asks" in self.features or "error" in self.features),
            # Stock's sync stream waits for events in one of the threads, so with only one it waits for ever.
            concurrency=self.rng.choice((1 if self.coroutine else 2, 2, 3, 5)) if self.chance(0.15) else None,
            limit=self.rng.randint(1, 4) if self.chance(0.08) else 25,
            before=tuple(self.rng.sample(every, 1)) if stops and self.chance(0.6) else (),
            after=tuple(self.rng.sample(every, 1)) if stops and self.chance(0.6) else (),
            window=self.rng.choice((1, 2, 5)) if self.chance(0.15) else None,
        )

    def turns(self, goes_on: bool) -> Any:
        if self.saver == "none":
            return ("input",) * (2 if self.chance(0.2) else 1)
        more = [self.rng.choice(("input", "on", "fork", "update")) for _ in range(self.rng.choice((0, 0, 1, 2)))]
        return ("input", *(["on"] * (self.rng.randint(1, 3) if goes_on else 0)), *more)

    def graph(self, depth: int, loops: bool) -> tuple[Graph, Layers]:
        """A graph in layers; with `loops`, exits may also skip layers and go back."""
        layers = [[next(self.names) for _ in range(self.rng.choice((1, 1, 2, 2, 3)))] for _ in range(depth) if depth]
        nodes = []
        for place, layer in enumerate(layers):
            beyond = layers[place + 1 :] if loops else layers[place + 1 : place + 2]
            after = [name for names in beyond for name in names]
            behind = [name for names in layers[: place + 1] for name in names] if loops else []
            nodes += [self.node(name, after, behind) for name in layer]
        first = layers[0]
        if self.chance(0.35):
            return Graph(tuple(nodes), choice=Choice((tuple(self.out(name, ()) for name in first),), ("seed",))), layers
        return Graph(tuple(nodes), entry=tuple(first)), layers

    def node(self, name: str, after: list[str], behind: list[str]) -> Node:
        rng = self.rng
        writes = tuple(key for key, p in (("log", 0.9), ("total", 0.4), ("mix", 0.5), ("last", 0.06)) if self.chance(p))
        reads = tuple(key for key, p in (("seed", 0.9), ("total", 0.3), ("mix", 0.3), ("last", 0.1), ("log", 0.2)) if self.chance(p))
        back = behind and self.chance(0.3)
        if back:
            writes += ("turn",)
        choices = [self.choice(after, behind if back else [])] if back or (after and self.chance(0.6)) else []
        if after and self.chance(0.15):
            choices.append(self.choice(after, []))
        edges = tuple(rng.sample(after, min(len(after), rng.choice((1, 1, 2))))) if after and (not choices or self.chance(0.25)) else ()
        command = choices.pop() if choices and self.chance(0.35) else None
        coroutine = self.coroutine and self.chance(0.85)
        return Node(
            name,
            reads,
            writes,
            edges,
            tuple(choices),
            command,
            coroutine,
            pause=rng.choice((0, 3, 7, 7)) if coroutine else rng.choice((0, 2, 4)),
        )

    def choice(self, after: list[str], behind: list[str]) -> Choice:
        options = [
            tuple(self.out(name, ()) for name in self.rng.sample(after, self.rng.randint(0 if place else 1, min(2, len(after)))))
            for place in range(self.rng.choice((1, 1, 2, 3)) if after else 1)
            if after
        ] or [()]
        if behind:
            options[0] += (self.out(self.rng.choice(behind), (2, 3)),)
        reads = tuple(key for key, p in (("seed", 0.7), ("total", 0.5), ("mix", 0.4), ("log", 0.2)) if self.chance(p))
        return Choice(tuple(options), reads)

    def out(self, name: str, turns: tuple[int, ...]) -> Out:
        if turns:
            return Out(name, turns=self.rng.choice(turns))
        if self.chance(0.35):
            return Out(name)
        return Out(name, self.rng.choice((0, 0, 1, 2)), self.rng.choice((0, 1, 2, 4)), box="box" in self.features and self.chance(0.7))

    def decorated(self, graph: Graph, layers: Layers, loops: bool) -> Graph:
        """The graph with its features put on nodes."""
        for feature in sorted(self.features):
            if feature in ("shared", "box", "store"):
                if not loops:  # so a node's layer is its superstep
                    graph = self.with_shared_object(graph, layers, feature)
            elif feature == "join":
                graph = self.with_join(graph, layers)
            elif feature == "child":
                graph = self.with_child(graph, layers)
            elif feature != "stop":
                place = self.rng.randrange(len(graph.nodes))
                graph = _with(graph, place, **self.feature(feature, graph.nodes[place]))
        return graph

    def feature(self, feature: str, node: Node) -> dict[str, Any]:
        rate = self.rng.randint(1, 4)
        changes: dict[str, dict[str, Any]] = {
            "error": {"error": rate},
            "retry": {"error": rate, "tries": 3},
            "handler": {"error": rate, "handler": "-" if self.chance(0.5) or node.choices or node.edges else "END"},
            "asks": {"asks": rate},
            "cached": {"cached": True},
            "timeout": {"timeout": node.coroutine},
            "says": {"says": True},
            "defer": {"defer": True},
        }
        return changes[feature]

    def with_shared_object(self, graph: Graph, layers: Layers, kind: str) -> Graph:
        """Some of one layer's nodes change the object; only other layers' nodes read it, so that stock's answer is no accident.

        An error or a fork ends or repeats nodes at a chance moment, so there are none beside it.
        """
        if {"error", "handler", "defer"} & self.features or (kind == "box" and self.saver != "none"):
            return graph
        changing = self.rng.choice(layers)
        for place, node in enumerate(graph.nodes):
            if self.chance(0.6):
                graph = _with(graph, place, **{kind: "change" if node.name in changing else "read"})
        return graph

    def with_join(self, graph: Graph, layers: Layers) -> Graph:
        wide = [place for place, layer in enumerate(layers[:-1]) if len(layer) > 1]
        if not wide:
            return graph
        place = self.rng.choice(wide)
        sources, to = tuple(sorted(self.rng.sample(layers[place], 2))), self.rng.choice(layers[place + 1])
        without = tuple(
            replace(node, edges=tuple(e for e in node.edges if e != to)) if node.name in sources else node for node in graph.nodes
        )
        return replace(graph, nodes=without, joins=((sources, to),))

    def with_child(self, graph: Graph, layers: Layers) -> Graph:
        """Makes one node a subgraph, or a function that calls one."""
        place = self.rng.randrange(len(graph.nodes))
        node = graph.nodes[place]
        called = self.chance(0.4)
        outer, self.coroutine = self.coroutine, self.coroutine and (node.coroutine or not called)
        child, _ = self.graph(self.rng.randint(1, 3), loops=False)
        if called and self.coroutine:
            child = replace(child, nodes=tuple(replace(inner, coroutine=True) for inner in child.nodes))
        self.coroutine = outer
        if self.saver != "none" and self.chance(0.3):
            # Only one task at a time may keep a subgraph's checkpoints of its own; several race.
            sent = any(
                out.to == node.name and out.spread is not None
                for choice in choices_of(graph)
                for option in choice.options
                for out in option
            )
            child = replace(child, checkpointer=self.rng.choice((not sent, False)))
        after = [name for at, layer in enumerate(layers[:-1]) if node.name in layer for name in layers[at + 1]]
        if after and not called and self.chance(0.3):
            # Alone in its superstep: the first command to the parent ends the subgraph, whatever else runs in it.
            child = Graph(
                (replace(child.nodes[0], parent=self.rng.choice(after), routes=(), edges=(), command=None),), (child.nodes[0].name,)
            )
        if self.saver != "none" and self.chance(0.2):
            child = _with(child, self.rng.randrange(len(child.nodes)), asks=self.rng.randint(1, 3))
        if not called and node.command:
            node = replace(node, command=None, routes=(*node.routes, node.command))
        child_node = replace(node, child=narrowed(child), called=called, stock=self.chance(0.3), pause=0)
        return replace(graph, nodes=(*graph.nodes[:place], child_node, *graph.nodes[place + 1 :]))


def choices_of(graph: Graph) -> list[Choice]:
    """Every router of the graph."""
    return [choice for node in graph.nodes for choice in node.choices] + ([graph.choice] if graph.choice else [])


def narrowed(graph: Graph) -> Graph:
    """The graph with fan-outs cut down to one `Send` where a node would have too many tasks."""
    width = dict.fromkeys((node.name for node in graph.nodes), 1)
    nodes = []
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


def _with(graph: Graph, place: int, **changes: Any) -> Graph:
    node = replace(graph.nodes[place], **changes)
    return replace(graph, nodes=(*graph.nodes[:place], node, *graph.nodes[place + 1 :]))
