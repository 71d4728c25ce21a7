"""Graphs inside a graph that has a checkpointer save what stock saves, wherever they are run from, while others run ahead."""

from __future__ import annotations

import operator
from contextvars import ContextVar
from typing import Annotated, Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.graph import START
from langgraph.types import Command, Send
from typing_extensions import TypedDict

from alto_langgraph.comparison import difference
from tests.adapters.signals import aheard, heard, say
from tests.equivalence.uneven import SIDES, ahold_back, aseen, hold_back, mark, mark_on_a_thread, running_ahead, seen

FIRST = {"items": ["slow", "quick"]}
AGAIN = {"items": ["quick"]}
CONFIG: dict[str, Any] = {"configurable": {"thread_id": "t"}}
INSIDE: ContextVar[Any] = ContextVar("inside")
AROUND: ContextVar[Any] = ContextVar("around")
"""Graphs that reading a node's code doesn't show: one for it to call, and the one that it is a node of."""


class State(TypedDict, total=False):
    items: list[str]
    out: Annotated[list[Any], operator.add]


class Inner(TypedDict, total=False):
    item: str
    out: Annotated[list[Any], operator.add]


def inner(side: Any, sync: bool, checkpointer: Any) -> Any:
    """START -> part (slow, quick) -> leaf; the quick one's leaf runs ahead in here."""

    def leave(part: str) -> Command[Any]:
        return Command(update={"out": [part]}, goto=[Send("leaf", part)])

    def part(part: str) -> Command[Any]:
        if part == "slow part" and running_ahead():
            heard("leaf quick part")
        return leave(part)

    async def apart(part: str) -> Command[Any]:
        if part == "slow part" and running_ahead():
            await aheard("leaf quick part")
        return leave(part)

    def leaf(part: str) -> Inner:
        say(f"leaf {part}")
        return {"out": [f"leaf {part}"]}

    async def aleaf(part: str) -> Inner:
        return leaf(part)

    graph = side(Inner).add_node("part", part if sync else apart, destinations=("leaf",)).add_node("leaf", leaf if sync else aleaf)
    graph.add_conditional_edges(START, lambda state: [Send("part", "slow part"), Send("part", "quick part")], ["part"])
    return graph.compile(checkpointer=checkpointer)


def as_a_node(graph: Any, sync: bool) -> Any:
    return graph


def called(graph: Any, sync: bool) -> Any:
    def call(given: Any) -> State:
        return {"out": graph.invoke({"item": given["item"]})["out"]}

    async def acall(given: Any) -> State:
        return {"out": (await graph.ainvoke({"item": given["item"]}))["out"]}

    return call if sync else acall


def called_unseen(graph: Any, sync: bool) -> Any:
    INSIDE.set(graph)

    def call(given: Any) -> State:
        return {"out": INSIDE.get().invoke({"item": given["item"]})["out"]}

    async def acall(given: Any) -> State:
        return {"out": (await INSIDE.get().ainvoke({"item": given["item"]}))["out"]}

    return call if sync else acall


def caught(graph: Any, sync: bool) -> Any:
    """Catches whatever comes."""
    INSIDE.set(graph)

    def call(given: Any) -> State:
        try:
            return {"out": INSIDE.get().invoke({"item": given["item"]})["out"]}
        except BaseException as error:
            return {"out": [repr(error)]}

    async def acall(given: Any) -> State:
        try:
            return {"out": (await INSIDE.get().ainvoke({"item": given["item"]}))["out"]}
        except BaseException as error:
            return {"out": [repr(error)]}

    return call if sync else acall


def looked_at(graph: Any, sync: bool) -> Any:
    """Asks what is saved of the run that it is in."""

    def look(given: Any) -> State:
        return {"out": [[(state.next, state.values) for state in AROUND.get().get_state_history(CONFIG)]]}

    async def alook(given: Any) -> State:
        return {"out": [[(state.next, state.values) async for state in AROUND.get().aget_state_history(CONFIG)]]}

    return look if sync else alook


def build(side: Any, sync: bool, saver: Any, run_from: Any, checkpointer: Any) -> Any:
    """START -> first (slow, quick) -> sent (of the quick one) -> after, and START -> beside; `sent` and `beside` run graphs."""

    def leave(item: str) -> Command[Any]:
        return Command(update={"out": [item]}, goto=[Send("sent", {"item": item}), Send("mark", item)] if item == "quick" else [])

    def first(item: str) -> Command[Any]:
        hold_back(item)
        return leave(item)

    async def afirst(item: str) -> Command[Any]:
        await ahold_back(item)
        return leave(item)

    graph = side(State).add_node("first", first if sync else afirst, destinations=("sent", "mark"))
    graph.add_node("sent", run_from(inner(side, sync, checkpointer), sync))
    graph.add_node("beside", inner(side, sync, checkpointer)).add_node("mark", mark_on_a_thread if sync else mark)
    graph.add_node("after", lambda state: {"out": [len(state["out"])]}).add_edge("sent", "after").add_edge(START, "beside")
    graph.add_conditional_edges(START, lambda state: [Send("first", item) for item in state["items"]], ["first"])
    AROUND.set(around := graph.compile(checkpointer=saver))
    return around


CASES = pytest.mark.parametrize(
    ("run_from", "checkpointer"),
    [
        (run_from, checkpointer)
        for run_from in (as_a_node, called, called_unseen, caught, looked_at)
        for checkpointer in (None, True, False)
        if (run_from, checkpointer) != (looked_at, False)  # what is saved when it looks is chance then
    ],
)


def how(checkpointer: Any) -> dict[str, Any]:
    """LangGraph fails to save in time where a graph inside saves nothing."""
    return {"then": [AGAIN], "config": CONFIG, "durability": "async" if checkpointer is False else "sync"}


def alike(stock: Any, alto: Any) -> None:
    (expected, _), (got, told) = stock, alto
    found = difference(expected, got)
    assert found is None, str(found)
    assert expected.error is None
    assert told.ahead["mark"] and told.ahead["leaf"]


@CASES
async def test_async(run_from: Any, checkpointer: Any) -> None:
    both = []
    for side in SIDES:
        async with AsyncSqliteSaver.from_conn_string(":memory:") as saver:
            both.append(await aseen(build(side, False, saver, run_from, checkpointer), side, FIRST, **how(checkpointer)))
    alike(*both)


@CASES
def test_on_threads(run_from: Any, checkpointer: Any) -> None:
    both = [seen(build(side, True, InMemorySaver(), run_from, checkpointer), side, FIRST, **how(checkpointer)) for side in SIDES]
    alike(*both)


def remembering(side: Any) -> Any:
    """A graph that keeps all that it was ever given in one thread of its own."""
    graph = side(State).add_node("keep", lambda state: {}).add_edge(START, "keep")
    return graph.compile(checkpointer=InMemorySaver())


async def kept(graph: Any, item: str) -> list[Any]:
    answer: State = await graph.ainvoke({"out": [item]}, {"configurable": {"thread_id": "memory"}})
    return answer["out"]


@pytest.mark.parametrize("saver", [None, InMemorySaver()], ids=["alone", "saved"])
@pytest.mark.parametrize("shown", [True, False])
async def test_threads_that_nodes_name_themselves(shown: bool, saver: Any) -> None:
    """A node calls a graph that goes on where an unfinished node is about to leave it."""
    both = []
    for side in SIDES:
        graph = remembering(side)
        INSIDE.set(graph)

        async def first(item: str) -> Command[Any]:
            if item == "slow":
                await aheard("first quick")
                await ahold_back(item)
            await kept(INSIDE.get(), item)
            say(f"first {item}")
            return Command(goto=[Send("second", item), Send("mark", item)] if item == "quick" else [])

        async def second(item: str) -> State:
            return {"out": await kept(INSIDE.get(), f"second {item}")}

        async def shown_second(item: str, graph: Any = graph) -> State:
            return {"out": await kept(graph, f"second {item}")}

        outer = side(State).add_node("first", first, destinations=("second", "mark")).add_node("mark", mark)
        outer.add_node("second", shown_second if shown else second)
        outer.add_conditional_edges(START, lambda state: [Send("first", item) for item in state["items"]], ["first"])
        both.append(await aseen(outer.compile(checkpointer=saver), side, FIRST))
    (stock, _), (alto, told) = both
    found = difference(stock, alto)
    assert found is None, str(found)
    assert told.ahead["mark"] == 1
    assert alto.output["out"] == ["quick", "slow", "second quick"]
