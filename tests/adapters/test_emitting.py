"""Events of every stream mode are stock's, whatever a node writes."""

from __future__ import annotations

import operator
from typing import Annotated, Any

import pytest
from langchain_core.runnables import RunnableLambda
from langgraph.cache.memory import InMemoryCache
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.constants import TAG_HIDDEN
from langgraph.graph.state import StateGraph as Stock
from langgraph.types import CachePolicy, Command, Overwrite, Send, interrupt
from typing_extensions import TypedDict

from alto_langgraph.adapters.langgraph import emitting
from alto_langgraph.adapters.langgraph.emitting import update
from alto_langgraph.graph import END, START
from alto_langgraph.graph import StateGraph as Alto
from tests.adapters.looking import plain


class State(TypedDict, total=False):
    a: int
    b: int
    h: int
    c: Annotated[list[Any], operator.add]


class Private(TypedDict, total=False):
    hidden: int


class Shown(TypedDict, total=False):
    a: int
    c: list[Any]


def fails(state: State) -> State:
    raise ValueError("failed")


def private(state: State) -> Private:
    return {"hidden": 1}


WRITES: dict[str, Any] = {
    "one key": lambda state: {"a": 1},
    "keys in another order": lambda state: {"c": [1], "b": 2, "a": 1},
    "none": lambda state: None,
    "no keys": lambda state: {},
    "a key with None": lambda state: {"a": None},
    "unknown keys": lambda state: {"x": 1, "b": 1},
    "only unknown keys": lambda state: {"x": 1},
    "an Overwrite": lambda state: {"c": Overwrite([5])},
    "a list of updates": lambda state: [Command(update={"c": [1], "b": 2}), {"c": [2]}],
    "a key twice": lambda state: [Command(update={"c": [1]}), Command(update=[("c", [2]), ("a", 3)])],
    "a Command with pairs": lambda state: Command(update=[("b", 1), ("a", 2)], goto="sent"),
    "a Command with a key twice": lambda state: Command(update=[("c", [1]), ("c", [2])]),
    "a Command with Sends": lambda state: Command(update={"a": 1}, goto=[Send("sent", {"a": 1}), "sent"]),
    "only a Command to go": lambda state: Command(goto="sent"),
    "private keys": private,
    "an interrupt": lambda state: {"c": [interrupt("what?")]},
    "a failure": fails,
}
EVERY = ["values", "updates", "tasks", "debug", "checkpoints", "custom", "messages"]
MODES: list[Any] = [["values"], ["updates"], ["tasks"], ["updates", "values", "custom"], ["updates", "debug"], EVERY]
HOW: dict[str, Any] = {
    "one output key": {"output_keys": "c"},
    "some output keys": {"output_keys": ["c", "b"]},
    "no output keys": {"output_keys": []},
}


def build(side: Any, node: Any, **how: Any) -> Any:
    graph = side(State, output_schema=how.pop("output", State))
    hidden = RunnableLambda(lambda state: {"h": 7}).with_config(tags=[TAG_HIDDEN])
    graph.add_node("sent", lambda state: {"c": ["sent"]}).add_node("hidden", hidden)
    graph.add_node("first", lambda state: {"a": 0}).add_node("writes", node, **how).add_node("beside", lambda state: {"c": ["beside"]})
    graph.add_edge(START, "first").add_edge("first", "writes")
    if node is not fails:  # beside a failure it's by chance what gets done
        graph.add_edge("first", "beside").add_edge("first", "hidden")
    return graph.add_edge("writes", END).compile(checkpointer=InMemorySaver(), cache=InMemoryCache())


def told(graph: Any, modes: list[str], **how: Any) -> list[str]:
    """The events of a run and of going on after it, as text; those of one superstep in any order."""
    events: list[str] = []
    for given in ({"c": ["in"]}, Command(resume="that"), {"c": ["again"]}):
        try:
            events += map(plain, graph.stream(given, {"configurable": {"thread_id": "t"}}, stream_mode=modes, **how))
        except ValueError as error:
            events.append(repr(error))
    return sorted(events)


async def atold(graph: Any, modes: list[str], **how: Any) -> list[str]:
    events: list[str] = []
    for given in ({"c": ["in"]}, Command(resume="that"), {"c": ["again"]}):
        try:
            events += [plain(e) async for e in graph.astream(given, {"configurable": {"thread_id": "t"}}, stream_mode=modes, **how)]
        except ValueError as error:
            events.append(repr(error))
    return sorted(events)


@pytest.mark.parametrize("modes", MODES, ids="+".join)
@pytest.mark.parametrize("node", WRITES)
def test_events_of_a_sync_run(node: str, modes: list[str]) -> None:
    stock, alto = (told(build(side, WRITES[node]), modes) for side in (Stock, Alto))
    assert alto == stock


@pytest.mark.parametrize("modes", [["updates", "values"], EVERY], ids="+".join)
@pytest.mark.parametrize("node", WRITES)
async def test_events_of_an_async_run(node: str, modes: list[str]) -> None:
    stock, alto = [await atold(build(side, WRITES[node]), modes) for side in (Stock, Alto)]
    assert alto == stock


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("node", WRITES)
def test_events_of_a_run_with_output_keys(node: str, how: str) -> None:
    stock, alto = (told(build(side, WRITES[node], output=Shown), ["updates", "values"], **HOW[how]) for side in (Stock, Alto))
    assert alto == stock


def test_a_cached_task_says_so() -> None:
    policy = CachePolicy(key_func=lambda _: "k")
    stock, alto = (told(build(side, WRITES["one key"], cache_policy=policy), ["updates"]) for side in (Stock, Alto))
    assert alto == stock
    assert any("cached" in event for event in stock)


def test_most_events_are_made_in_one_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Any] = []

    def noted(*args: Any) -> Any:
        made.append(update(*args))
        return made[-1]

    monkeypatch.setattr(emitting, "update", noted)
    told(build(Alto, WRITES["keys in another order"]), ["updates", "values"])
    assert {"writes": {"c": [1], "b": 2, "a": 1}} in made
    assert made.count(None) == 2, "only the hidden task of each of the two runs is left to LangGraph"
