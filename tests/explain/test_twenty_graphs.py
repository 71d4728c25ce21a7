"""Twenty graphs in the styles people write: what runs ahead in a run is what may, and every "no" names what is to blame."""

from __future__ import annotations

import asyncio
import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, TypedDict

import pytest
from langchain_core.runnables import RunnableConfig
from langgraph.graph import END
from langgraph.graph.message import add_messages
from langgraph.types import CachePolicy, Command, Send, interrupt

from alto_langgraph.graph import START, StateGraph
from alto_langgraph.plan.explain import EdgeExplained, Explanation, NodeExplained
from alto_langgraph.protocols import Fact, TaskStarted, observed_by
from alto_langgraph.testing import jumping_clock
from alto_langgraph.testing.graph_runs import builder as built
from alto_langgraph.testing.graph_runs import play
from alto_langgraph.testing.graph_shapes import SHAPES, as_coroutines
from alto_langgraph.testing.random_graphs import draw

SEEN: list[str] = []


class State(TypedDict, total=False):
    x: str
    y: str
    z: str
    box: list[str]
    out: Annotated[list[str], operator.add]
    messages: Annotated[list[Any], add_messages]


async def to_x(state: State) -> dict[str, Any]:
    await asyncio.sleep(1)
    return {"x": "x"}


async def slow_z(state: State) -> dict[str, Any]:
    await asyncio.sleep(9)
    return {"z": "z"}


async def quick_z(state: State) -> dict[str, Any]:
    await asyncio.sleep(0.5)
    return {"z": "z"}


async def x_to_y(state: State) -> dict[str, Any]:
    await asyncio.sleep(1)
    return {"y": state["x"] + "y"}


async def to_y(state: State) -> dict[str, Any]:
    await asyncio.sleep(1)
    return {"y": "y"}


async def y_to_out(state: State) -> dict[str, Any]:
    await asyncio.sleep(1)
    return {"out": [state["y"]]}


async def z_to_out(state: State) -> dict[str, Any]:
    await asyncio.sleep(1)
    return {"out": [state["z"]]}


async def out_to_y(state: State) -> dict[str, Any]:
    await asyncio.sleep(1)
    return {"y": "".join(state.get("out", []))}


async def asks(state: State) -> dict[str, Any]:
    return {"z": interrupt("sure?")}


async def prints(state: State) -> dict[str, Any]:
    await asyncio.sleep(1)
    print("hello")
    return {"y": "y"}


async def fills(state: State) -> dict[str, Any]:
    await asyncio.sleep(9)
    state["box"].append("more")
    return {"z": "z"}


async def notes_down(state: State) -> dict[str, Any]:
    await asyncio.sleep(9)
    SEEN.append("z")
    return {"z": "z"}


async def looks_up(state: State) -> dict[str, Any]:
    return {"y": state["x"] + "".join(SEEN)}


async def goes(state: State) -> Command[Any]:
    await asyncio.sleep(1)
    return Command(update={"x": "x"}, goto="c")


async def looks_at_itself(state: State, config: RunnableConfig) -> dict[str, Any]:
    return {"out": [str(config["metadata"]["langgraph_path"])]}


async def item(state: Any) -> dict[str, Any]:
    await asyncio.sleep(float(state["x"]))
    return {"out": [state["x"]]}


async def item_on(state: Any) -> Command[Any]:
    await asyncio.sleep(float(state["x"]))
    return Command(goto=Send("c", {"x": "1"}))


def fan(state: State) -> list[Send]:
    return [Send("a", {"x": "1"}), Send("a", {"x": "9"})]


def by_x(state: State) -> str:
    return "c" if state["x"] else END


def graph(edges: str, **nodes: Any) -> StateGraph[Any]:
    """A graph of `nodes` with `edges` such as `"a>b a+b>c"`; START is `^`, and `+` joins."""
    made = StateGraph(State)
    for name, function in nodes.items():
        made.add_node(name, function)
    for edge in edges.split():
        source, target = edge.split(">")
        made.add_edge(source.split("+") if "+" in source else source.replace("^", START), target)
    return made


def with_node(name: str, function: Any, edges: str, nodes: dict[str, Any], **how: Any) -> StateGraph[Any]:
    made = StateGraph(State)
    for other, its in nodes.items():
        made.add_node(other, its)
    made.add_node(name, function, **how)
    for edge in edges.split():
        source, target = edge.split(">")
        made.add_edge(source.replace("^", START), target)
    return made


def routed(made: StateGraph[Any], source: str, path: Any) -> StateGraph[Any]:
    made.add_conditional_edges(source, path)
    return made


@dataclass(frozen=True)
class Style:
    """A graph, who may and does run ahead, along which edges, and what keeps some of the others back.

    `edges` are those that start their node ahead, as `source class target`; `because` are (node, code, subject).
    """

    make: Callable[[], StateGraph[Any]]
    edges: tuple[str, ...] = ()
    because: tuple[tuple[str, str, str], ...] = ()
    options: Any = None


BLAMED = {"x": "", "out": [], "box": [], "messages": [], "z": "", "y": ""}
SIDES = {"a": to_x, "slow": slow_z}
STYLES = {
    "a chain that hands on": Style(
        lambda: graph("^>a a>b b>c", a=to_x, b=x_to_y, c=y_to_out), (), (("a", "first", "a"), ("b", "writes", "a"), ("c", "writes", "b"))
    ),
    "stages that need nothing of each other": Style(
        lambda: graph("^>a a>b b>c", a=to_x, b=to_y, c=z_to_out), ("a chain b", "b chain c"), (("a", "first", "a"),)
    ),
    "a stage that needs one but the last": Style(
        lambda: graph("^>a a>b b>c", a=slow_z, b=to_x, c=z_to_out), ("a chain b", "b chain c"), ()
    ),
    "a slow unrelated branch": Style(
        lambda: graph("^>a ^>slow a>b b>c", b=x_to_y, c=y_to_out, **SIDES), ("a edge b", "b edge c"), (("slow", "first", "slow"),)
    ),
    "a quick branch that writes what is read": Style(lambda: graph("^>a ^>q a>b", a=to_x, q=quick_z, b=z_to_out), ("a chain b",), ()),
    "a join": Style(lambda: graph("^>a ^>slow a+slow>c", c=y_to_out, **SIDES), (), (("c", "join", "slow"),)),
    "a join beside a slow branch": Style(
        lambda: graph("^>a ^>b ^>slow a+b>c", b=to_y, c=x_to_y, **SIDES), ("a edge c", "b edge c"), (("b", "first", "b"),)
    ),
    "a diamond of plain edges": Style(lambda: graph("^>a ^>q a>c q>c", a=to_x, q=quick_z, c=z_to_out), ("a chain c", "q edge c"), ()),
    "a deferred end": Style(lambda: with_node("c", y_to_out, "^>a ^>slow a>c slow>c", SIDES, defer=True), (), (("c", "deferred", "c"),)),
    "a conditional edge beside a slow branch": Style(lambda: routed(graph("^>a ^>slow", c=x_to_y, **SIDES), "a", by_x), ("a edge c",), ()),
    "a conditional edge alone": Style(lambda: routed(graph("^>a", a=to_x, c=to_y), "a", by_x), (), (("c", "alone", "a"),)),
    "a command beside a slow branch": Style(lambda: graph("^>a ^>slow", a=goes, slow=slow_z, c=x_to_y), ("a edge c",), ()),
    "a human in the loop": Style(lambda: graph("^>a ^>slow a>b", a=to_x, slow=asks, b=x_to_y), (), (("b", "interrupt", "slow"),)),
    "a human at the end": Style(lambda: graph("^>a a>b", a=to_x, b=asks), (), (("b", "interrupt", "b"),)),
    "printing stages": Style(lambda: graph("^>a a>b", a=to_x, b=prints), (), (("b", "order", "b"),)),
    "printing beside a slow branch": Style(lambda: graph("^>a ^>slow a>b", b=prints, **SIDES), ("a edge b",), ()),
    "a node that changes the state in place": Style(
        lambda: graph("^>a ^>slow a>b", a=to_x, slow=fills, b=x_to_y), (), (("b", "mutates", "slow"),)
    ),
    "a list outside the state": Style(lambda: graph("^>a ^>slow a>b", a=to_x, slow=notes_down, b=looks_up), (), (("b", "shared", "SEEN"),)),
    "an id and a cache": Style(
        lambda: with_node("c", x_to_y, "^>a ^>slow a>b a>c", {"b": looks_at_itself, **SIDES}, cache_policy=CachePolicy()),
        (),
        (("b", "identity", "b"), ("c", "cache_policy", "c")),
    ),
    "map and reduce": Style(
        lambda: routed(graph("^>p a>r", p=to_x, a=item, r=out_to_y), "p", fan), (), (("a", "alone", "p"), ("r", "writes", "a"))
    ),
    "items in two stages": Style(
        lambda: routed(graph("^>p c>r", p=to_x, a=item_on, c=item, r=out_to_y), "p", fan), ("a send c",), (("r", "writes", "c"),)
    ),
    "edges switched off": Style(lambda: graph("^>a ^>slow a>b", b=x_to_y, **SIDES), (), (("b", "issue", "issue"),), {"issue": {"send"}}),
    "chains switched off": Style(lambda: graph("^>a a>b", a=to_x, b=to_y), (), (("b", "issue", "issue"),), {"issue": {"send", "edge"}}),
    "effects held to what is known": Style(
        lambda: graph("^>a ^>slow a>b", b=prints, **SIDES), (), (("b", "effects", "b"),), {"effects": "idempotent"}
    ),
    "no window": Style(lambda: graph("^>a ^>slow a>b", b=x_to_y, **SIDES), (), (("b", "window", "window"),), {"window": 0}),
}


class Ahead:
    """Collects the nodes of the outermost graph that a run starts ahead."""

    def __init__(self) -> None:
        self.nodes: set[str] = set()

    def observe(self, fact: Fact) -> None:
        if isinstance(fact, TaskStarted) and fact.ahead and not fact.namespace:
            self.nodes.add(fact.node)


def reasoned(found: Explanation) -> bool:
    """Every "no" has a reason with a name in it that ends as a sentence does."""
    answers: list[NodeExplained | EdgeExplained] = [*found.nodes, *found.edges]
    reasons = [reason for answer in answers for reason in answer.reasons]
    return all(a.ahead or a.reasons for a in answers) and all(r.subject and r.sentence.endswith(".") for r in reasons)


def may(found: Explanation) -> set[str]:
    return {node.name for node in found.nodes if node.ahead}


@pytest.mark.parametrize("name", STYLES)
def test_what_may_run_ahead_does_and_the_rest_has_a_reason(name: str) -> None:
    style = STYLES[name]
    app = style.make().compile(alto=style.options)
    found = app.explain()
    assert reasoned(found)
    assert {f"{e.source} {e.issue} {e.target}" for e in found.edges if e.ahead} == set(style.edges)
    told = {(node.name, reason.code, reason.subject) for node in found.nodes for reason in node.reasons}
    assert told.issuperset(style.because)
    ahead = Ahead()
    with observed_by(ahead):
        jumping_clock.run(app.ainvoke(dict(BLAMED)))
    assert ahead.nodes <= may(found)
    assert bool(ahead.nodes) == bool(may(found))


@pytest.mark.parametrize("name", SHAPES)
def test_every_no_in_a_shape_has_a_reason(name: str) -> None:
    assert reasoned(built(as_coroutines(SHAPES[name].graph, True))(StateGraph, StateGraph).compile().explain())


@pytest.mark.parametrize("first", [0, 10, 20])
def test_nothing_runs_ahead_in_a_random_graph_that_may_not(first: int) -> None:
    for seed in range(first, first + 10):
        case = draw(seed)
        if not case.coroutine:
            continue  # on threads it is chance what comes first
        found = built(case.graph)(StateGraph, StateGraph).compile().explain()
        assert reasoned(found), seed
        known = {node.name for node in found.nodes}
        # What waits only for nodes that may run ahead themselves may come early once these have.
        early = {node.name for node in found.nodes if any(reason.subject in may(found) for reason in node.reasons)}
        assert known & set(play(case, StateGraph).ahead) <= may(found) | early, seed
