"""Siblings of one superstep use an object outside the state in the order in which stock starts them."""

from __future__ import annotations

import operator
from contextvars import ContextVar
from typing import Annotated, Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START
from langgraph.graph.state import StateGraph as Stock
from langgraph.types import Command, Send
from typing_extensions import TypedDict

from alto_langgraph.comparison import Observation, arecord, difference
from alto_langgraph.graph import StateGraph as Alto
from tests.adapters.signals import Signals, aheard, say, signals

GOES_AHEAD: ContextVar[bool] = ContextVar("goes_ahead")
"""Whether `mark` may be waited for before its superstep; under stock it would never come."""

SEEN: list[str] = []


class State(TypedDict, total=False):
    items: list[str]
    out: Annotated[list[Any], operator.add]


async def hold_back(item: str) -> None:
    """Keeps the slow item's producer at work until all that the quick one's Sends may start early has had its turn."""
    if item == "slow" and GOES_AHEAD.get():
        await aheard("mark quick")


async def mark(item: str) -> State:
    """Runs ahead; its Send comes after the one to the node under test, which so would have run before it."""
    say(f"mark {item}")
    return {"out": [f"mark {item}"]}


def by_command(target: dict[str, str]) -> Any:
    async def first(item: str) -> Command[Any]:
        await hold_back(item)
        return Command(goto=[Send(target[item], item), Send("mark", item)])

    return first, None


def by_edge(target: dict[str, str]) -> Any:
    async def first(item: str) -> State:
        await hold_back(item)
        return {}

    def route(state: State) -> list[Send]:
        items = state["items"]
        return [Send(node, item) for item in items for node in (target[item], "mark")]

    return first, route


def log_in_a_closure() -> dict[str, Any]:
    seen: list[str] = []

    async def log(item: str) -> State:
        seen.append(item)
        return {"out": [(item, len(seen))]}

    return {"log": log}


def log_in_a_global() -> dict[str, Any]:
    SEEN.clear()

    async def log(item: str) -> State:
        SEEN.append(item)
        return {"out": [(item, len(SEEN))]}

    return {"log": log}


def log_beside_a_look() -> dict[str, Any]:
    """The quick item's node changes nothing: it looks at what its slow sibling's changes before it."""
    seen: list[str] = []

    async def log(item: str) -> State:
        seen.append(item)
        return {"out": [item]}

    async def look(item: str) -> State:
        return {"out": [(item, len(seen))]}

    return {"log": log, "look": look}


def build(side: Any, nodes: dict[str, Any], producer: Any) -> Any:
    first, route = producer({"slow": "log", "quick": [*nodes][-1]})
    graph = side(State).add_node("first", first, destinations=(*nodes, "mark")).add_node("mark", mark)
    for name, node in nodes.items():
        graph.add_node(name, node)
    if route is not None:
        graph.add_conditional_edges("first", route, [*nodes, "mark"])
    graph.add_conditional_edges(START, lambda state: [Send("first", item) for item in state["items"]], ["first"])
    return graph.compile(checkpointer=InMemorySaver())


async def seen_on(side: Any, nodes: Any, producer: Any) -> tuple[Observation, Signals]:
    token = GOES_AHEAD.set(side is Alto)
    try:
        with signals() as heard:
            return await arecord(build(side, nodes(), producer), {"items": ["slow", "quick"]}), heard
    finally:
        GOES_AHEAD.reset(token)


@pytest.mark.parametrize("producer", [by_command, by_edge])
@pytest.mark.parametrize("nodes", [log_in_a_closure, log_in_a_global, log_beside_a_look])
async def test_the_quick_ones_successor_waits_for_its_turn(nodes: Any, producer: Any) -> None:
    stock, _ = await seen_on(Stock, nodes, producer)
    alto, heard = await seen_on(Alto, nodes, producer)
    found = difference(stock, alto)
    assert found is None, str(found)
    assert +heard.ahead == ({"mark": 1} if producer is by_command else {"mark": 2})
