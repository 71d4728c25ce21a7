"""Interrupts, wherever they come from and however they are answered, while others have run ahead."""

from __future__ import annotations

import asyncio
import operator
from collections.abc import Callable
from contextvars import ContextVar
from typing import Annotated, Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START
from langgraph.types import Command, Interrupt, Send, interrupt
from typing_extensions import TypedDict

from alto_langgraph.comparison import Observation, arecord, difference
from alto_langgraph.testing import jumping_clock
from tests.adapters.signals import Signals, signals
from tests.equivalence.uneven import SIDES

UNSEEN: ContextVar[Any] = ContextVar("unseen")
"""What reading a node's code doesn't show."""


class State(TypedDict, total=False):
    item: int
    out: Annotated[list[Any], operator.add]


async def first(item: int) -> Command[Any]:
    await asyncio.sleep(item)
    return Command(update={"out": [f"first {item}"]}, goto=[Send("second", item)])


async def second(item: int) -> Command[Any]:
    await asyncio.sleep(item)
    return Command(update={"out": [f"second {item}"]}, goto=[Send("third", item)])


async def third(item: int) -> State:
    await asyncio.sleep(item)
    return {"out": [f"third {item}"]}


async def ask(item: int) -> State:
    await asyncio.sleep(item)
    return {"out": [f"asked {item}", interrupt(f"first of {item}"), interrupt(f"second of {item}")]}


async def ask_unseen(item: int) -> State:
    await asyncio.sleep(item)
    return {"out": [f"asked {item}", UNSEEN.get()(f"first of {item}"), UNSEEN.get()(f"second of {item}")]}


async def ask_about_one(item: int) -> State:
    """LangGraph tells those of several tasks of a graph inside another in any order."""
    return await ask(item) if item == 1 else await third(item)


def fan(state: State) -> list[Send]:
    return [Send("first", item) for item in (9, 1)]


def pipeline(side: Any, **nodes: Any) -> Any:
    """Two items through three stages by Sends; `nodes` stand in for some of these."""
    graph = side(State).add_node("first", first, destinations=("second",)).add_node("second", nodes.get("second", second))
    return graph.add_node("third", nodes.get("third", third)).add_conditional_edges(START, fan, ["first"])


def at_the_end(side: Any) -> Any:
    """Each item's last stage asks."""
    return pipeline(side, third=ask)


def unseen_at_the_end(side: Any) -> Any:
    UNSEEN.set(interrupt)
    return pipeline(side, third=ask_unseen)


def unseen_beside_it(side: Any) -> Any:
    """It asks when the others have got ahead of it."""
    UNSEEN.set(interrupt)

    async def beside(state: State) -> State:
        return await ask_unseen(6)

    return pipeline(side).add_node("beside", beside).add_edge(START, "beside")


def several_beside_it(side: Any) -> Any:
    UNSEEN.set(interrupt)

    async def one(state: State) -> State:
        return await ask_unseen(6)

    async def other(state: State) -> State:
        return await ask_unseen(7)

    return pipeline(side).add_node("one", one).add_node("other", other).add_edge(START, "one").add_edge(START, "other")


def inside(side: Any) -> Any:
    """It runs ahead in itself, then asks."""
    return pipeline(side, third=ask_about_one).compile()


def stopped_inside(side: Any) -> Any:
    return pipeline(side).compile(interrupt_before=["third"])


def in_a_graph_beside_it(side: Any) -> Any:
    return pipeline(side).add_node("inside", inside(side)).add_edge(START, "inside")


def in_a_graph_called_beside_it(side: Any) -> Any:
    UNSEEN.set(inside(side).ainvoke)

    async def beside(state: State) -> State:
        return {"out": (await UNSEEN.get()({}))["out"]}

    return pipeline(side).add_node("beside", beside).add_edge(START, "beside")


def in_graphs_called_at_the_end(side: Any) -> Any:
    """The quick item's graph is run ahead until it would save something."""
    UNSEEN.set(inside(side).ainvoke)

    async def call(item: int) -> State:
        return {"out": (await UNSEEN.get()({}))["out"]}

    return pipeline(side, third=call)


def in_graphs_at_the_end(side: Any) -> Any:
    async def to_inside(item: int) -> Command[Any]:
        await asyncio.sleep(item)
        return Command(update={"out": [f"second {item}"]}, goto=[Send("third", {"item": item})])

    return pipeline(side, second=to_inside, third=inside(side))


def at_a_breakpoint_inside(side: Any) -> Any:
    return pipeline(side).add_node("inside", stopped_inside(side)).add_edge(START, "inside")


def at_a_breakpoint_called(side: Any) -> Any:
    UNSEEN.set(stopped_inside(side).ainvoke)

    async def beside(state: State) -> State:
        return {"out": (await UNSEEN.get()({}))["out"]}

    return pipeline(side).add_node("beside", beside).add_edge(START, "beside")


def at_breakpoints_of_both(side: Any) -> Any:
    """Of the graph inside and of the one around it."""
    return at_a_breakpoint_called(side).add_node("after", lambda state: {"out": ["after"]}).add_edge("third", "after")


PLACES = [
    at_the_end,
    unseen_at_the_end,
    unseen_beside_it,
    several_beside_it,
    in_a_graph_beside_it,
    in_a_graph_called_beside_it,
    in_graphs_called_at_the_end,
    in_graphs_at_the_end,
    at_a_breakpoint_inside,
    at_a_breakpoint_called,
    at_breakpoints_of_both,
]

Waiting = tuple[Interrupt, ...]


def all_by_id(waiting: Waiting) -> Any:
    return Command(resume={one.id: f"yes, {one.value}" for one in waiting}) if waiting else None


def one_by_id(waiting: Waiting) -> Any:
    return Command(resume={waiting[-1].id: f"yes, {waiting[-1].value}"}) if waiting else None


def in_order(waiting: Waiting) -> Any:
    """LangGraph refuses, if several wait."""
    return Command(resume="yes")


def refused_then_by_id() -> Callable[[Waiting], Any]:
    turn = iter([in_order, *[all_by_id] * 9])
    return lambda waiting: next(turn)(waiting)


def not_at_all(waiting: Waiting) -> Any:
    return None


ANSWERS = {
    "all by id": lambda: all_by_id,
    "one by id": lambda: one_by_id,
    "in order": lambda: in_order,
    "in order, then by id": refused_then_by_id,
    "not at all": lambda: not_at_all,
}


async def answered(side: Any, place: Any, answer: Any) -> tuple[Observation, Signals]:
    stops = ["after"] if place is at_breakpoints_of_both else None
    graph = place(side).compile(checkpointer=InMemorySaver(), interrupt_after=["second"] if stops else None, interrupt_before=stops)
    with signals() as told:
        return await arecord(graph, {}, then=[answer()] * 5), told


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
@pytest.mark.parametrize("place", PLACES)
def test_answered(place: Any, answer: Any) -> None:
    (stock, _), (alto, told) = (jumping_clock.run(answered(side, place, answer)) for side in SIDES)
    found = difference(stock, alto)
    assert found is None, str(found)
    assert told.ahead["second"] and len(stock.turns) == 6
