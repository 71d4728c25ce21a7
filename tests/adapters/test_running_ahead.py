"""Work really runs ahead: every graph here would wait for itself forever under the barrier."""

from __future__ import annotations

import operator
from typing import Annotated, Any

import pytest
from langgraph.types import Command, Send
from typing_extensions import TypedDict

from alto_langgraph.graph import END, START, StateGraph
from tests.adapters.signals import aheard, heard, say, signals

DEPTHS = pytest.mark.parametrize("depth", [1, 2, 3, 4, 5])


class State(TypedDict, total=False):
    items: list[str]
    out: Annotated[list[str], operator.add]


def fan(state: State) -> list[Send]:
    return [Send("s0", item) for item in state["items"]]


def chain(depth: int, *, sync: bool) -> Any:
    """Stages s0..s`depth` per item, each sending to the next; the slow item's s0 waits for the quick item's last stage."""

    def stage(place: int) -> Any:
        ends, first, goal = place == depth, place == 0, f"quick {depth}"

        def work(item: str) -> Command[Any]:
            if first and item == "slow":
                heard(goal)
            say(f"{item} {place}")
            return Command(update={"out": [f"{item} {place}"]}, goto=[] if ends else [Send(f"s{place + 1}", item)])

        async def awork(item: str) -> Command[Any]:
            if first and item == "slow":
                await aheard(goal)
            say(f"{item} {place}")
            return Command(update={"out": [f"{item} {place}"]}, goto=[] if ends else [Send(f"s{place + 1}", item)])

        return work if sync else awork

    graph = StateGraph(State)
    for place in range(depth + 1):
        graph.add_node(f"s{place}", stage(place), destinations=() if place == depth else (f"s{place + 1}",))
    return graph.add_conditional_edges(START, fan, ["s0"]).compile()


def answer(depth: int) -> list[str]:
    return [f"{item} {place}" for place in range(depth + 1) for item in ("slow", "quick")]


@DEPTHS
async def test_a_chain_of_commands(depth: int) -> None:
    with signals() as seen:
        got = await chain(depth, sync=False).ainvoke({"items": ["slow", "quick"]})
    assert got["out"] == answer(depth)
    assert all(seen.ahead[f"s{place}"] >= 1 for place in range(1, depth + 1))


@DEPTHS
def test_a_chain_of_commands_on_threads(depth: int) -> None:
    with signals() as seen:
        got = chain(depth, sync=True).invoke({"items": ["slow", "quick"]})
    assert got["out"] == answer(depth)
    assert all(seen.ahead[f"s{place}"] >= 1 for place in range(1, depth + 1))


async def test_sync_nodes_in_an_async_run() -> None:
    with signals():
        got = await chain(3, sync=True).ainvoke({"items": ["slow", "quick"]})
    assert got["out"] == answer(3)


def by_edges(depth: int, *, sync: bool) -> Any:
    """The same with plain nodes and conditional edges, which read what no node writes."""

    def stage(place: int) -> Any:
        goal = f"quick {depth}"

        def work(item: str) -> State:
            if place == 0 and item == "slow":
                heard(goal)
            say(f"{item} {place}")
            return {"out": [f"{item} {place}"]}

        async def awork(item: str) -> State:
            if place == 0 and item == "slow":
                await aheard(goal)
            say(f"{item} {place}")
            return {"out": [f"{item} {place}"]}

        return work if sync else awork

    def onwards(place: int) -> Any:
        def route(state: State) -> list[Send]:
            return [Send(f"s{place}", state["items"][1])]

        return route

    graph = StateGraph(State)
    for place in range(depth + 1):
        graph.add_node(f"s{place}", stage(place))
        if place:
            graph.add_conditional_edges(f"s{place - 1}", onwards(place), [f"s{place}"])
    return graph.add_conditional_edges(START, fan, ["s0"]).compile()


@DEPTHS
async def test_a_chain_of_conditional_edges(depth: int) -> None:
    with signals() as seen:
        got = await by_edges(depth, sync=False).ainvoke({"items": ["slow", "quick"]})
    assert got["out"] == ["slow 0", "quick 0", *(f"quick {place}" for place in range(1, depth + 1) for _ in range(2))]
    assert all(seen.ahead[f"s{place}"] >= 1 for place in range(1, depth + 1))


@DEPTHS
def test_a_chain_of_conditional_edges_on_threads(depth: int) -> None:
    with signals() as seen:
        got = by_edges(depth, sync=True).invoke({"items": ["slow", "quick"]})
    assert got["out"] == ["slow 0", "quick 0", *(f"quick {place}" for place in range(1, depth + 1) for _ in range(2))]
    assert all(seen.ahead[f"s{place}"] >= 1 for place in range(1, depth + 1))


async def test_a_conditional_edge_that_reads_what_a_sibling_writes_waits() -> None:
    """`gate` starts ahead, and its edge reads `out` only when `slow` has committed its part of it."""

    async def slow(state: State) -> State:
        await aheard("gate")
        return {"out": ["slow"]}

    async def first(state: State) -> Command[Any]:
        return Command(goto=[Send("gate", None)])

    async def gate(item: None) -> State:
        say("gate")
        return {"out": ["gate"]}

    def route(state: State) -> str:
        return "right" if state["out"] == ["slow", "gate"] else "wrong"

    graph = StateGraph(State).add_node("slow", slow).add_node("first", first, destinations=("gate",)).add_node("gate", gate)
    graph.add_node("right", lambda state: {"out": ["right"]}).add_node("wrong", lambda state: {"out": ["wrong"]})
    graph.add_edge(START, "slow").add_edge(START, "first").add_conditional_edges("gate", route, ["right", "wrong"])
    with signals() as seen:
        assert (await graph.compile().ainvoke({}))["out"] == ["slow", "gate", "right"]
    assert seen.ahead["gate"] == 1


def newest(old: str | None, new: str) -> str:
    return new


class Handing(State, total=False):
    item: Annotated[str, newest]


async def test_a_conditional_edge_that_reads_what_its_own_node_has_written() -> None:
    """Siblings write `item` too, but the edge behind a node sees only the node's own word."""

    async def work(item: str) -> Handing:
        if item == "slow":
            await aheard("done quick")
        return {"item": item, "out": [f"work {item}"]}

    async def done(item: str) -> State:
        say(f"done {item}")
        return {"out": [f"done {item}"]}

    def on(state: Handing) -> list[Send]:
        return [Send("more", state["item"])]

    def off(state: Handing) -> list[Send]:
        return [Send("done", state["item"])]

    async def more(item: str) -> Handing:
        return {"item": item}

    graph = StateGraph(Handing).add_node("work", work).add_node("more", more).add_node("done", done)
    graph.add_conditional_edges(START, lambda state: [Send("work", item) for item in ("slow", "quick")], ["work"])
    graph.add_conditional_edges("work", on, ["more"]).add_conditional_edges("more", off, ["done"])
    with signals() as seen:
        got = await graph.compile().ainvoke({})
    assert got == {"item": "quick", "out": ["work slow", "work quick", "done slow", "done quick"]}
    assert seen.ahead["more"] >= 1
    assert seen.ahead["done"] >= 1


async def test_sends_beside_edges() -> None:
    """A chain of Sends overtakes a chain of plain edges, which it meets again at a join."""

    async def slow(state: State) -> State:
        await aheard("stage 2")
        return {"out": ["slow"]}

    async def after(state: State) -> State:
        return {"out": ["after"]}

    async def start(state: State) -> Command[Any]:
        return Command(update={"out": ["start"]}, goto=[Send("one", 1)])

    async def one(item: int) -> Command[Any]:
        return Command(update={"out": ["one"]}, goto=[Send("two", 2), "beside"])

    async def two(item: int) -> State:
        say("stage 2")
        return {"out": ["two"]}

    async def beside(state: State) -> State:
        return {"out": [f"beside sees {len(state['out'])}"]}

    graph = StateGraph(State).add_node("slow", slow).add_node("after", after).add_node("start", start, destinations=("one",))
    graph.add_node("one", one, destinations=("two", "beside")).add_node("two", two).add_node("beside", beside)
    graph.add_edge(START, "slow").add_edge(START, "start").add_edge("slow", "after").add_edge("after", END)
    with signals() as seen:
        got = await graph.compile().ainvoke({})
    assert sorted(got["out"][:2]) == ["slow", "start"]
    assert sorted(got["out"][2:4]) == ["after", "one"]
    assert sorted(got["out"][4:]) == ["beside sees 4", "two"]
    assert seen.ahead["two"] == 1 and seen.ahead["beside"] == 0


async def test_inside_a_subgraph() -> None:
    outer = StateGraph(State).add_node("inner", chain(2, sync=False)).add_edge(START, "inner").compile()
    with signals() as seen:
        got = await outer.ainvoke({"items": ["slow", "quick"]})
    assert got["out"] == answer(2)
    assert seen.ahead["s2"] == 1


async def test_ahead_inside_ahead() -> None:
    """An early task runs a graph whose own tasks run ahead."""
    inner = chain(2, sync=False)

    async def outer_slow(state: State) -> State:
        await aheard("inner done")
        return {"out": ["outer"]}

    async def first(state: State) -> Command[Any]:
        return Command(goto=[Send("nested", {"items": ["slow", "quick"]})])

    async def nested(item: Any) -> State:
        got = await inner.ainvoke(item)
        say("inner done")
        return {"out": got["out"]}

    graph = (
        StateGraph(State).add_node("outer_slow", outer_slow).add_node("first", first, destinations=("nested",)).add_node("nested", nested)
    )
    with signals() as seen:
        got = await graph.add_edge(START, "outer_slow").add_edge(START, "first").compile().ainvoke({})
    assert got["out"] == ["outer", *answer(2)]
    assert seen.ahead["nested"] == 1 and seen.ahead["s2"] == 1


async def test_a_window_of_none_runs_in_order() -> None:
    with signals() as seen:
        graph = chain(2, sync=False)
        await graph.ainvoke({"items": ["a", "b"]}, {"configurable": {"alto": {"window": 0}}})
    assert not +seen.ahead
    assert seen.ran["s2"] == 2
