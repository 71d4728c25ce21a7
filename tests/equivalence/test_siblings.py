"""Siblings of one superstep use an object outside the state in the order in which stock starts them."""

from __future__ import annotations

import operator
from typing import Annotated, Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START
from langgraph.types import Command, Send
from typing_extensions import TypedDict

from alto_langgraph.comparison import difference
from tests.equivalence.uneven import SIDES, ahold_back, aseen, mark

LOGGED: list[str] = []


class State(TypedDict, total=False):
    items: list[str]
    out: Annotated[list[Any], operator.add]


def by_command(target: dict[str, str]) -> Any:
    async def first(item: str) -> Command[Any]:
        await ahold_back(item)
        return Command(goto=[Send(target[item], item), Send("mark", item)])

    return first, None


def by_edge(target: dict[str, str]) -> Any:
    async def first(item: str) -> State:
        await ahold_back(item)
        return {}

    def route(state: State) -> list[Send]:
        items = state["items"]
        return [Send(node, item) for item in items for node in (target[item], "mark")]

    return first, route


def log_in_a_closure() -> dict[str, Any]:
    logged: list[str] = []

    async def log(item: str) -> State:
        logged.append(item)
        return {"out": [(item, len(logged))]}

    return {"log": log}


def log_in_a_global() -> dict[str, Any]:
    LOGGED.clear()

    async def log(item: str) -> State:
        LOGGED.append(item)
        return {"out": [(item, len(LOGGED))]}

    return {"log": log}


def log_beside_a_look() -> dict[str, Any]:
    """The quick item's node changes nothing: it looks at what its slow sibling's changes before it."""
    logged: list[str] = []

    async def log(item: str) -> State:
        logged.append(item)
        return {"out": [item]}

    async def look(item: str) -> State:
        return {"out": [(item, len(logged))]}

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


@pytest.mark.parametrize("producer", [by_command, by_edge])
@pytest.mark.parametrize("nodes", [log_in_a_closure, log_in_a_global, log_beside_a_look])
async def test_the_quick_ones_successor_waits_for_its_turn(nodes: Any, producer: Any) -> None:
    (stock, _), (alto, told) = [await aseen(build(side, nodes(), producer), side, {"items": ["slow", "quick"]}) for side in SIDES]
    found = difference(stock, alto)
    assert found is None, str(found)
    assert +told.ahead == ({"mark": 1} if producer is by_command else {"mark": 2})
