"""What a join triggers runs ahead as soon as all that it waits for has run, and never in another superstep than the loop's."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Annotated, Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import StateGraph as Stock
from typing_extensions import TypedDict

from alto_langgraph.comparison import arecord
from alto_langgraph.comparison.difference import difference
from alto_langgraph.graph import END, START, StateGraph
from tests.adapters.signals import SIGNALS, Signals, aheard, heard, say, signals


class State(TypedDict, total=False):
    side: int
    left: int
    right: int
    met: Annotated[list[str], operator.add]
    last: int


async def side(state: State) -> State:
    """Ends when everything that doesn't need it has run."""
    if SIGNALS.get(None) is not None:
        await aheard("after")
    return {"side": 1}


async def left(state: State) -> State:
    return {"left": state.get("left", 0) + 1}


async def right(state: State) -> State:
    return {"right": state.get("right", 0) + 1}


async def further(state: State) -> State:
    return {"right": state["right"] + 10}


async def meet(state: State) -> State:
    say("meet") if SIGNALS.get(None) is not None else None
    return {"met": [f"{state['left']} {state['right']}"]}


async def after(state: State) -> State:
    say("after") if SIGNALS.get(None) is not None else None
    return {"last": len(state["met"])}


def graph_of(edges: str, *functions: Callable[..., Any], cls: Any = StateGraph, saver: Any = None, routes: Any = None) -> Any:
    """Nodes by their functions' names; `edges` like "START>a a+b>c"."""
    builder = cls(State)
    for function in functions:
        builder.add_node(function.__name__, function)
    for edge in edges.split():
        start, end = edge.split(">")
        starts = [START if name == "START" else name for name in start.split("+")]
        builder.add_edge(starts if len(starts) > 1 else starts[0], end)
    for source, path in (routes or {}).items():
        builder.add_conditional_edges(source, path)
    return builder.compile(saver)


async def run(graph: Any) -> tuple[Any, Signals]:
    with signals() as seen:
        return await graph.ainvoke({}), seen


async def same(edges: str, *functions: Callable[..., Any], routes: Any = None) -> Signals:
    """Both sides show the same, checkpoints included; returns what ran ahead under alto."""
    stock = await arecord(graph_of(edges, *functions, cls=Stock, saver=InMemorySaver(), routes=routes), {})
    with signals() as seen:
        alto = await arecord(graph_of(edges, *functions, saver=InMemorySaver(), routes=routes), {})
    assert difference(stock, alto) is None
    return seen


FORK = "START>side START>left START>right"


@pytest.mark.parametrize(
    ("edges", "functions"),
    [
        (f"{FORK} left+right>meet meet>after", (side, left, right, meet, after)),
        (f"{FORK} right>further left+further>meet meet>after", (side, left, right, further, meet, after)),
        (f"{FORK} left+right>meet left+meet>after", (side, left, right, meet, after)),
        (f"{FORK} left+right>meet meet>after after+side>end", (side, left, right, meet, after, end := lambda state: {})),
    ],
    ids=["of siblings", "of unequal branches", "of one that has run before", "before a join with the slow one"],
)
async def test_past_an_unrelated_sibling(edges: str, functions: Any) -> None:
    end.__name__ = "end"
    seen = await same(edges, *functions)
    assert seen.ahead["meet"] == seen.ahead["after"] == 1
    assert seen.ran["meet"] == seen.ran["after"] == 1


def test_on_threads() -> None:
    def slow(state: State) -> State:
        heard("join")
        return {"side": 1}

    def one(state: State) -> State:
        return {"left": 1}

    def two(state: State) -> State:
        return {"right": 2}

    def join(state: State) -> State:
        say("join")
        return {"last": state["left"] + state["right"]}

    with signals() as seen:
        assert graph_of("START>slow START>one START>two one+two>join", slow, one, two, join).invoke({})["last"] == 3
    assert seen.ahead["join"] == 1


async def test_one_start_that_is_unfinished_holds_it_up() -> None:
    async def slow(state: State) -> State:
        say("after")
        return {"left": 1}

    _, seen = await run(graph_of("START>slow START>right START>side slow+right>meet side>after", slow, right, side, meet, after))
    assert seen.ran["meet"] == 1


async def test_a_start_that_may_yet_come_holds_it_up() -> None:
    """While `slow` may still have `left` run again, in the superstep of `further`, the join is not complete for certain."""

    async def slow(state: State) -> State:
        return {"side": 1}

    def again(state: State) -> str:
        return "left" if state["side"] and len(state["met"]) < 1 else END

    fork = "START>slow START>left START>right right>further left+further>meet"
    seen = await same(fork, slow, left, right, further, meet, routes={"slow": again})
    assert seen.ran == {"__start__": 1, "slow": 1, "left": 2, "right": 1, "further": 1, "meet": 1}


async def test_round_after_round() -> None:
    async def slow(state: State) -> State:
        await aheard("after") if SIGNALS.get(None) is not None else None
        return {"side": 1}

    def again(state: State) -> list[str] | str:
        return ["left", "right"] if len(state["met"]) < 3 else "after"

    seen = await same(f"{FORK.replace('side', 'slow')} left+right>meet", slow, left, right, meet, after, routes={"meet": again})
    assert seen.ran == {"slow": 1, "left": 3, "right": 3, "meet": 3, "after": 1, "__start__": 1}
    assert seen.ahead["meet"] == 3 and seen.ahead["left"] == 2 and seen.ahead["after"] == 1


async def test_what_an_earlier_run_of_the_thread_left_counts() -> None:
    """`left` came to the join in the first run, `right` comes in the second."""

    def which(state: State) -> str:
        return "right" if state.get("left") else "left"

    def build(cls: Any) -> Any:
        builder = cls(State)
        for function in (side, left, right, meet, after):
            builder.add_node(function)
        builder.add_conditional_edges(START, which).add_edge(START, "side").add_edge(["left", "right"], "meet").add_edge("meet", "after")
        return builder.compile(InMemorySaver())

    config: Any = {"configurable": {"thread_id": "1"}}
    stock, alto = build(Stock), build(StateGraph)
    assert await stock.ainvoke({}, config) == {"met": [], "side": 1, "left": 1}
    with signals():
        say("after")
        await alto.ainvoke({}, config)
    with signals() as seen:
        assert (
            await alto.ainvoke({}, config)
            == await stock.ainvoke({}, config)
            == {"met": ["1 1"], "side": 1, "left": 1, "right": 1, "last": 1}
        )
    assert seen.ahead["meet"] == seen.ahead["after"] == 1
