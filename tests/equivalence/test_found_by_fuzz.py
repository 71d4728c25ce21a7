"""What random graphs have shown to differ, each as a graph of its own."""

from __future__ import annotations

import asyncio
import operator
import time
from functools import partial
from typing import Annotated, Any, TypedDict

import pytest
from langchain_core.messages import AIMessage
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.func import task
from langgraph.graph import END, START
from langgraph.graph import StateGraph as Stock
from langgraph.graph.message import add_messages
from langgraph.types import Command, Send

from alto_langgraph.graph import StateGraph as Alto
from alto_langgraph.protocols import Fact, observed_by
from tests.adapters.signals import signals


class Talk(TypedDict):
    messages: Annotated[list[Any], add_messages]
    log: Annotated[list[str], operator.add]


async def quick(state: Talk) -> dict[str, Any]:
    return {"log": ["quick"]}


async def slow(state: Talk) -> dict[str, Any]:
    await asyncio.sleep(0.03)
    return {"log": ["slow"]}


async def says(state: Talk) -> dict[str, Any]:
    return {"messages": [AIMessage("said", id="1")]}


def talking(graph: type[Stock[Any]]) -> Any:
    """Calls a graph in which one node runs ahead and says something."""
    inner = graph(Talk)
    for node in (quick, slow, says):
        inner.add_node(node.__name__, node)
    inner.add_edge(START, "quick")
    inner.add_edge(START, "slow")
    inner.add_edge("quick", "says")
    called = inner.compile()

    async def calls(state: Talk, config: RunnableConfig) -> Any:
        return await called.ainvoke(state, config)

    outer = graph(Talk)
    outer.add_node("calls", calls)
    outer.add_edge(START, "calls")
    return outer.compile()


async def test_what_an_early_node_of_a_called_graph_says_comes_behind_the_superstep_before() -> None:
    heard: dict[str, list[Any]] = {}
    for name, graph in (("stock", Stock), ("alto", Alto)):
        events = talking(graph).astream({}, stream_mode=["values", "messages"], subgraphs=True)
        heard[name] = [(len(ns), mode, data["log"] if mode == "values" else data[0].content) async for ns, mode, data in events]
    assert (1, "messages", "said") in heard["stock"]
    assert heard["alto"] == heard["stock"]


def grown(log: list[str], more: list[str]) -> list[str]:
    log.extend(more)
    return log


class Log(TypedDict):
    log: Annotated[list[str], operator.add]


@pytest.mark.parametrize("graph", [Stock, Alto])
async def test_an_early_node_under_a_timeout_is_not_left_running(graph: type[Stock[Any]]) -> None:
    begun: list[str] = []

    async def first(state: Log) -> Command[Any]:
        return Command(goto=Send("timed", {}))

    async def fails(state: Log) -> None:
        await asyncio.sleep(0.03)
        raise ValueError("fails")

    async def timed(payload: Any) -> dict[str, Any]:
        begun.append("timed")
        try:
            await asyncio.sleep(10)
        finally:
            await asyncio.sleep(0.01)  # leaving takes more than a turn of the event loop
        return {}

    builder = graph(Log)
    builder.add_node("first", first)
    builder.add_node("fails", fails)
    builder.add_node("timed", timed, timeout=20)
    builder.add_edge(START, "first")
    builder.add_edge(START, "fails")
    with pytest.raises(ValueError, match="fails"):
        await builder.compile().ainvoke({"log": []})
    assert begun == (["timed"] if graph is Alto else [])
    assert asyncio.all_tasks() == {asyncio.current_task()}


class Late(InMemorySaver):
    """Looks at what it is to save when the run has gone on."""

    def put(self, *args: Any) -> Any:
        time.sleep(0.01)
        return super().put(*args)


def joining(graph: type[Stock[Any]], saver: InMemorySaver) -> list[Any]:
    """`b` runs while `slow` does."""
    builder = graph(Log)
    for name, seconds in (("a", 0.0), ("b", 0.03), ("slow", 0.06), ("end", 0.0)):
        builder.add_node(name, partial(sleeps, name, seconds))
    builder.add_edge(START, "a")
    builder.add_edge(START, "slow")
    builder.add_edge("a", "b")
    builder.add_edge(["slow", "b"], "end")
    app = builder.compile(checkpointer=saver)
    app.invoke({"log": []}, {"configurable": {"thread_id": "1"}})
    saved = sorted(saver.list({"configurable": {"thread_id": "1"}}), key=lambda it: it.metadata["step"])
    return [it.checkpoint["channel_values"].get("join:slow+b:end") for it in saved]


def sleeps(name: str, seconds: float, state: Log) -> dict[str, Any]:
    time.sleep(seconds)
    return {"log": [name]}


def test_a_checkpoint_of_a_join_stays_as_it_was_though_the_next_superstep_is_over_at_once() -> None:
    stock = joining(Stock, InMemorySaver())
    assert {"slow"} in stock
    assert joining(Alto, Late())[:-1] == stock[:-1]


class Grown(TypedDict):
    log: Annotated[list[str], grown]


def growing(graph: type[Stock[Any]]) -> Any:
    """`late` runs while `slow` does; its conditional edge has LangGraph add what it has written, to see it."""
    builder = graph(Grown)
    for name, seconds in (("first", 0.0), ("late", 0.0), ("slow", 0.05)):
        builder.add_node(name, partial(pauses, name, seconds), metadata={"effects": "pure", "reads": []})
    builder.add_edge(START, "first")
    builder.add_edge(START, "slow")
    builder.add_edge("first", "late")
    builder.add_conditional_edges("late", lambda state: END, [END])
    return builder.compile()


async def pauses(name: str, seconds: float, state: Any) -> dict[str, Any]:
    await asyncio.sleep(seconds)
    return {"log": [name]}


async def test_a_reducer_that_changes_the_state_in_place_runs_for_an_edge_in_its_superstep() -> None:
    stock, alto = [await growing(graph).ainvoke({"log": ["input"]}) for graph in (Stock, Alto)]
    assert alto == stock


@pytest.mark.parametrize("graph", [Stock, Alto])
async def test_a_task_alone_in_its_superstep_takes_a_place_of_the_limit(graph: type[Stock[Any]]) -> None:
    """Stages that don't need each other, written as a chain, start beside it."""
    running: list[str] = []
    most = 0

    async def stage(name: str, state: Any) -> dict[str, Any]:
        nonlocal most
        running.append(name)
        most = max(most, len(running))
        await asyncio.sleep(0.03)
        running.remove(name)
        return {}

    builder = graph(Log)
    for name in "abcd":
        builder.add_node(name, partial(stage, name), metadata={"effects": "pure", "reads": [], "writes": []})
    builder.add_edge(START, "a")
    for one, next_one in zip("abc", "bcd", strict=True):
        builder.add_edge(one, next_one)
    await builder.compile().ainvoke({"log": []}, {"max_concurrency": 2})
    assert most == (1 if graph is Stock else 2)


class Deaf:
    """An observer that a run tells what happens."""

    def observe(self, fact: Fact) -> None:
        """Nothing comes of it."""


async def saved_meanwhile(graph: type[Stock[Any]]) -> list[int]:
    """How many checkpoints there are while a task is running, for each of a chain's tasks."""
    saver = InMemorySaver()
    seen: list[int] = []

    async def look(state: Any) -> dict[str, Any]:
        await asyncio.sleep(0.02)
        seen.append(len([*saver.list({"configurable": {"thread_id": "1"}})]))
        return {}

    builder = graph(Log).add_sequence([("a", look), ("b", look), ("c", look)]).add_edge(START, "a")
    app = builder.compile(checkpointer=saver)
    await app.ainvoke({"log": []}, {"max_concurrency": 1, "configurable": {"thread_id": "1"}})
    return seen


async def test_a_task_alone_in_an_observed_run_leaves_the_only_place_to_whoever_saves_the_superstep_before() -> None:
    stock = await saved_meanwhile(Stock)
    with observed_by(Deaf()):
        assert await saved_meanwhile(Alto) == stock


@task
def inner(number: int) -> int:
    return number + 1


@task
def outer(number: int) -> int:
    return int(inner(number).result()) + 1


@pytest.mark.parametrize("graph", [Stock, Alto])
def test_a_task_alone_in_its_superstep_may_call_tasks_that_call_tasks_under_a_limit_as_low_as_stock_allows(graph: type[Stock[Any]]) -> None:
    builder = graph(Log).add_node("first", partial(sleeps, "first", 0.0)).add_node("calls", lambda state: {"log": [str(outer(1).result())]})
    builder.add_edge(START, "first").add_edge("first", "calls")
    assert builder.compile().invoke({"log": []}, {"max_concurrency": 2}) == {"log": ["first", "3"]}


async def test_what_is_ahead_leaves_a_place_to_a_task_that_may_call_others() -> None:
    """Such a task is run without a place of the limit."""
    running: set[str] = set()
    most = 0

    async def works(name: str, state: Any) -> dict[str, Any]:
        nonlocal most
        running.add(name)
        most = max(most, len(running))
        await asyncio.sleep(0.02)
        running.remove(name)
        return {}

    async def looks(state: Any, config: RunnableConfig) -> dict[str, Any]:
        assert config["metadata"]["langgraph_path"]
        return await works("looks", state)

    builder = Alto(Log).add_node("looks", looks).add_edge(START, "looks")
    for name in "abc":
        builder.add_node(name, partial(works, name), metadata={"effects": "pure", "reads": [], "writes": []})
        builder.add_edge({"a": "looks", "b": "a", "c": "b"}[name], name)
    await builder.compile().ainvoke({"log": []}, {"max_concurrency": 2})
    assert most <= 2


class Summed(TypedDict, total=False):
    total: Annotated[int, operator.add]
    seen: Annotated[list[int], operator.add]


async def test_a_deferred_node_that_something_led_to_before_is_waited_for() -> None:
    """`last` reads what `late` will write, which was led to in the first superstep and runs when nothing else does."""

    async def slow(state: Summed) -> Summed:
        await asyncio.sleep(0.05)
        return {}

    def build(graph: type[Stock[Any]]) -> Any:
        builder = graph(Summed).add_node("first", lambda state: {}).add_node("slow", slow, metadata={"writes": []})
        builder.add_node("late", lambda state: {"total": 1}, defer=True).add_node("last", lambda state: {"seen": [state["total"]]})
        builder.add_node("one", lambda item: Command(goto=[Send("two", {})]), destinations=("two",)).add_node("two", lambda item: {})
        builder.add_edge(START, "first").add_edge("first", "slow").add_edge("first", "late").add_edge("first", "start").add_edge(
            "two", "last"
        )
        builder.add_node("start", lambda state: {}).add_conditional_edges("start", lambda state: [Send("one", {})], ["one"])
        return builder.compile()

    stock = await build(Stock).ainvoke({"total": 0})
    with signals() as seen:
        assert await build(Alto).ainvoke({"total": 0}) == stock
    assert (seen.ran["last"], seen.squashed) == (1, [])


async def test_what_is_sent_with_a_list_that_a_reducer_grows_in_place_waits_for_that() -> None:
    """`reads` is sent the list that the state holds; `writes`, beside who sends it, has the reducer add to it."""

    async def sends(state: Grown) -> Command[Any]:
        return Command(goto=[Send("reads", {"seen": state["log"]})])

    async def reads(item: Any) -> Grown:
        return {"log": [f"saw {len(item['seen'])}"]}

    def build(graph: type[Stock[Any]]) -> Any:
        builder = graph(Grown).add_node("sends", sends, destinations=("reads",)).add_node("reads", reads)
        builder.add_node("writes", partial(pauses, "writes", 0.03)).add_edge(START, "sends").add_edge(START, "writes")
        return builder.compile()

    stock, alto = [await build(graph).ainvoke({"log": ["input"]}) for graph in (Stock, Alto)]
    assert alto == stock
