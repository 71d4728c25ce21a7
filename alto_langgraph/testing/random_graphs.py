"""Draws random graphs, and how to run them, from a seed; the same seed always gives the same case."""

from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec
from itertools import product
from typing import Any, Literal, get_args

from alto_langgraph.testing.graph_specs import Case, Graph, Hides, Mark, Node, TurnKind
from alto_langgraph.testing.random_asks import ASKING_MODES, sending, stages, with_asks, with_relays
from alto_langgraph.testing.random_keys import (
    common_keys,
    with_common_keys,
    with_every_graphs_keys,
    with_own_keys,
    written_down,
)
from alto_langgraph.testing.random_layers import layers
from alto_langgraph.testing.random_wires import SKELETONS, Dice, rerouted
from alto_langgraph.testing.supersteps import apart, followers, narrowed, overtaking, several, supersteps

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
BOXES: tuple[Literal["list", "dict", "Pile"], ...] = ("list", "dict", "Pile")
MARKS: tuple[Mark, ...] = ("change", "read")
OBJECTS = ("shared", "box", "store")
Theme = Literal["", "objects", "stops", "cut off"]
THEMES: tuple[Theme, ...] = get_args(Theme)
"""What a case is about: anything; objects that nodes share; interrupts and breakpoints; runs that are cut off."""
FEATURES = ("error", "retry", "handler", "asks", "cached", "timeout", "says", "store", "shared", "box", "child", "defer", "join", "stop")


def draw(seed: int, asking: bool = False) -> Case:
    """The case of this seed, with a node that asks a model if `asking`; else one in 25 has some.

    Without chromadb, its nodes share a list where they would share a Chroma collection.
    """
    case = _Draw(seed, asking).case()
    case = replace(case, graph=with_relays(Dice(f"{seed} relays"), case.graph))
    return case if case.graph.hides != "chroma" or find_spec("chromadb") else replace(case, graph=replace(case.graph, hides="list"))


class _Draw:
    def __init__(self, seed: int, asking: bool) -> None:
        self.dice = Dice(seed)
        self.chance = self.dice.chance
        self.asking = self.chance(0.04) or asking
        self.theme: Theme = self.dice.choices(THEMES, (57, 18, 12, 13))[0]
        self.coroutine = self.chance(0.75)
        self.saver: Literal["none", "memory", "sqlite"] = self.dice.choices(("none", "memory", "sqlite"), (10, 9, 1))[0]
        self.durability: Any = self.dice.choice(("sync", "async", "exit"))
        self.names = ("".join(letters) for size in (1, 2) for letters in product(NAMES, repeat=size))
        self.features = {feature for feature in FEATURES if self.chance(0.13)}
        if self.asking:
            self.features = {feature for feature in sorted(self.features) if self.chance(0.5)}
        self.first: TurnKind = "input"
        self.guesses = self.coroutine and self.theme != "cut off" and self.chance(0.3)
        if self.theme == "objects":
            self.features = {*self.dice.sample(OBJECTS, 1), *(feature for feature in FEATURES if self.chance(0.06))} - {"error", "handler"}
            self.saver = "none" if "box" in self.features or self.chance(0.5) else self.saver
        if self.theme == "stops":
            self.features.add(self.dice.choice(("asks", "stop")))
            self.saver = "memory" if self.saver == "none" else self.saver
        if self.theme == "cut off":
            self.features -= {*OBJECTS}  # what outlives the state says nothing there
            self.first = self.dice.choice(self.cuts())

    def cuts(self) -> list[TurnKind]:
        """Ways in which a run may be cut off."""
        asynchronous: list[TurnKind] = ["cancel", "cancel"] if self.coroutine and self.saver != "sqlite" else []
        return ["leave", *asynchronous, *(("crash", "loses") if self.saver == "memory" else ())]

    def case(self) -> Case:
        graph = self.decorated(self.graph())
        if self.asking:
            graph = with_asks(self.dice, graph, self.saver == "none" or self.durability == "sync", self.theme != "cut off")
        every = [node.name for node in graph.nodes]
        stops = "stop" in self.features and self.saver != "none"
        return Case(
            graph=narrowed(graph),
            seed=self.dice.randint(0, 999),
            coroutine=self.coroutine,
            saver=self.saver,
            durability=self.durability,
            modes=self.modes(),
            subgraphs=self.chance(0.5),
            turns=self.turns(stops or "asks" in self.features or "error" in self.features),
            at=self.at(graph),
            nth=self.dice.choice((1, 2, 2, 3, 4)),
            # Stock's sync stream waits for events in one of the threads, so with only one it waits for ever.
            concurrency=self.concurrency(),
            limit=self.dice.randint(1, 4) if self.chance(0.07) else 25,
            before=tuple(self.dice.sample(every, 1)) if stops and self.chance(0.6) else (),
            after=tuple(self.dice.sample(every, 1)) if stops and self.chance(0.6) else (),
            window=self.dice.choice((1, 2, 5)) if self.chance(0.12) else None,
            guesses=self.guesses,
        )

    def modes(self) -> tuple[str, ...]:
        """Stream modes."""
        if self.asking and self.chance(0.4):
            return self.dice.choice(ASKING_MODES)
        return self.dice.choice(MODES if "says" not in self.features else MODES[::4])

    def concurrency(self) -> int | None:
        """A node that hangs would keep a place for ever, so that alto, where it starts early, might starve those before it."""
        if self.first == "cancel" or not self.chance(0.12):
            return None
        return self.dice.choice((1 if self.coroutine else 2, 2, 3, 5))

    def at(self, graph: Graph) -> str:
        """A node that can hang, if there is one."""
        if self.first == "cancel":
            able = [node for node in graph.all_nodes() if node.coroutine and not node.timeout and not node.child]
            names = [node.name for node in able if node.pause or node.ask]
        else:
            names = [node.name for node in graph.nodes]
        return self.dice.choice(names) if names and self.chance(0.9) else ""

    def turns(self, goes_on: bool) -> tuple[TurnKind, ...]:
        """What is done with the graph, one after the other."""
        apart = not {*OBJECTS} & self.features
        if self.guesses:  # a router is guessed once it has decided, and mostly decides alike
            more: tuple[TurnKind, ...] = ("on", "input") if goes_on and self.saver != "none" else ()
            inputs: list[TurnKind] = ["input"] * self.dice.randint(2, 4)
            return (*more, *inputs)
        if self.saver == "none":
            again: tuple[TurnKind, ...] = ("input", "batch") if apart else ("input",)
            return (self.first, *([self.dice.choice(again)] if self.chance(0.2) else []))
        ons: tuple[TurnKind, ...] = ("on", "fresh")
        on = [self.dice.choice(ons) for _ in range(self.dice.randint(1, 3) if goes_on else self.first != "input")]
        kinds: tuple[TurnKind, ...] = ("input", "on", "fork", "rewind", "update", "edit", *(("batch",) if apart else ()))
        return (self.first, *on, *[self.dice.choice(kinds) for _ in range(self.dice.choice((0, 0, 1, 2)))])

    def graph(self) -> Graph:
        """A graph with keys, before its special features."""
        dice, alias = self.dice, self.saver == "none" or self.durability == "sync"
        if self.asking and self.chance(0.5):
            graph, plain = stages(dice, self.names), self.chance(0.3)
        elif self.chance(0.8 if self.asking else 0.55 if "box" in self.features else 0.45):
            wide = {"boxes": "box" in self.features, "join": "join" in self.features}
            graph = layers(dice, self.names, dice.randint(2, 5), loops=self.chance(0.3), **wide)
            plain = self.chance(0.55)
        else:
            skeleton = dice.choices([s for s, _ in SKELETONS], [weight for _, weight in SKELETONS])[0]
            graph = skeleton(dice, self.names)
            graph = rerouted(dice, graph) if self.chance(0.55) else graph
            plain = self.chance(0.1)
        graph = sending(dice, graph) if self.asking else graph
        if plain:
            graph = with_every_graphs_keys(dice, graph)
        elif self.chance(0.6):
            graph = with_own_keys(dice, graph, alias)
        else:
            graph = with_common_keys(dice, graph, common_keys(dice, alias))
        graph = self.paced(graph)
        # A cache's keys are pickled, and a class inside a function can't be.
        if plain and self.chance(0.5) and not self.guesses:
            return graph
        return written_down(dice, graph, typed="cached" in self.features, declares=1.0 if self.guesses else None)

    def paced(self, graph: Graph) -> Graph:
        """The graph with nodes' times."""

        def its(node: Node) -> Node:
            coroutine = self.coroutine and self.chance(0.88)
            return replace(node, coroutine=coroutine, pause=self.dice.choice((0, 0, 3, 7, 20, 20) if coroutine else (0, 3, 20)))

        return replace(graph, nodes=tuple(map(its, graph.nodes)))

    def decorated(self, graph: Graph) -> Graph:
        """The graph with its features put on nodes."""
        graph, pair = self.with_slack(graph)
        late = [place for place, node in enumerate(graph.nodes) if pair and node.name == pair[0]]
        for feature in sorted(self.features - {*OBJECTS, "child", "stop", "join"}):
            place = (
                late[0] if late and feature in ("asks", "error", "handler") and self.chance(0.6) else self.dice.randrange(len(graph.nodes))
            )
            graph = _with(graph, place, **self.feature(feature, graph.nodes[place]))
        if "says" in self.features:
            graph = replace(graph, nodes=tuple(replace(node, says=node.says or self.chance(0.5)) for node in graph.nodes))
        if "child" in self.features:
            graph = self.with_child(graph)
        for feature in sorted(self.features & {*OBJECTS}):
            graph = self.with_shared_object(graph, feature, pair)
        return graph

    def feature(self, feature: str, node: Node) -> dict[str, Any]:
        rate = self.dice.randint(1, 4)
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

    def with_shared_object(self, graph: Graph, kind: str, pair: tuple[str, str] | None) -> Graph:
        """Some nodes change the object, others read it, never in one superstep, so that stock's answer is no accident.

        Where the order of changes is read, too, those that change it take no time.

        An error ends nodes at a chance moment, so there are none beside it; a checkpointer saves the state's object at one.
        """
        if {"error", "handler"} & self.features or (kind == "box" and self.saver != "none"):
            return graph
        steps, often = supersteps(graph), 0.9 if self.theme == "objects" else 0.7
        marks: dict[str, Mark] = dict(zip(pair, self.dice.sample(MARKS, 2), strict=True)) if pair else {}
        for name in self.dice.sample(sorted(steps.keys() - marks.keys()), len(steps) - len(marks)):
            clashing: set[Mark] = {marks[other] for other in marks if not apart(steps[name], steps[other])}
            free = [mark for mark in MARKS if clashing <= {mark}]
            if free and self.chance(often):
                marks[name] = self.dice.choice(free)
        graph = replace(graph, hides=self.dice.choice(get_args(Hides))) if kind == "shared" else graph
        graph = replace(graph, box=self.dice.choice(BOXES[: 3 if graph.state == "typed" else 2])) if kind == "box" else graph
        tells = kind != "store" and not (kind == "shared" and graph.hides == "chroma")
        ordered = tells and self.coroutine and self.chance(0.3)
        for place, node in enumerate(graph.nodes):
            mark = marks.get(node.name, "")
            graph = _with(graph, place, **{kind: mark})
            if ordered and mark == "change":
                graph = _with(graph, place, pause=0, coroutine=True, asks=0, tries=1, error=0)
        return replace(graph, ordered=graph.ordered or ordered)

    def with_slack(self, graph: Graph) -> tuple[Graph, tuple[str, str] | None]:
        """Makes a node slow beside quick ones that lead to a node of the next superstep, which could overtake it."""
        pairs = overtaking(graph)
        if not pairs or not self.chance(0.7 if self.theme in ("objects", "stops") else 0.35):
            return graph, None
        late, early = self.dice.choice(pairs)
        ways = followers(graph)
        for place, node in enumerate(graph.nodes):
            if node.name == late:
                graph = _with(graph, place, pause=20)
            elif early in ways[node.name]:
                graph = _with(graph, place, pause=self.dice.choice((0, 0, 1)))
        return graph, (late, early)

    def with_child(self, graph: Graph) -> Graph:
        """Makes one node a subgraph, or a function that calls one."""
        place = self.dice.randrange(len(graph.nodes))
        node = graph.nodes[place]
        called = self.chance(0.4)
        child = self.child(graph, node.coroutine or not called)
        if called and node.coroutine:
            child = replace(child, nodes=tuple(replace(inner, coroutine=True) for inner in child.nodes))
        if self.saver != "none" and self.chance(0.3):
            # Only one task at a time may keep a subgraph's checkpoints of its own; several race.
            # With none, LangGraph itself trips over "sync".
            off = False if self.durability != "sync" else None
            child = replace(child, checkpointer=self.dice.choice((node.name not in several(graph), off)))
        after = sorted(followers(graph)[node.name])
        if after and not called and self.chance(0.3):
            # Alone in its superstep: the first command to the parent ends the subgraph, whatever else runs in it.
            first = replace(child.nodes[0], parent=self.dice.choice(after), routes=(), edges=(), command=None)
            child = replace(child, nodes=(first,), entry=(first.name,), choice=None, joins=())
        if self.saver != "none" and self.chance(0.2):
            child = _with(child, self.dice.randrange(len(child.nodes)), asks=self.dice.randint(1, 3))
        if not called and node.command:
            node = replace(node, command=None, routes=(*node.routes, node.command))
        node = replace(node, child=narrowed(child), called=called, stock=self.chance(0.3), pause=0)
        return replace(graph, nodes=(*graph.nodes[:place], node, *graph.nodes[place + 1 :]))

    def child(self, outer: Graph, coroutine: bool) -> Graph:
        """A small graph; it may share keys with the graph around it."""
        before, self.coroutine = self.coroutine, self.coroutine and coroutine
        if self.chance(0.6):
            graph = layers(self.dice, self.names, self.dice.randint(1, 3), loops=False, boxes="box" in self.features, join=False)
        else:
            graph = self.dice.choice([skeleton for skeleton, _ in SKELETONS])(self.dice, self.names)
        shared = tuple(key for key in outer.keys if not key.private and key.kind not in ("last", "once", "untracked"))
        graph = with_common_keys(self.dice, graph, shared) if shared else with_every_graphs_keys(self.dice, graph)
        graph = self.paced(graph)
        self.coroutine = before
        return graph


def _with(graph: Graph, place: int, **changes: Any) -> Graph:
    node = replace(graph.nodes[place], **changes)
    return replace(graph, nodes=(*graph.nodes[:place], node, *graph.nodes[place + 1 :]))
