"""Nodes whose code names the keys they read only as it runs start ahead once their runs have told, with stock's answers."""

from __future__ import annotations

import asyncio
import operator
from collections.abc import Callable
from typing import Annotated, Any

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.runnables import RunnableLambda
from langgraph._internal._runnable import RunnableCallable
from langgraph.channels import Topic
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import StateGraph as Stock
from langgraph.managed import RemainingSteps
from langgraph.types import RetryPolicy, Send
from typing_extensions import TypedDict

from alto_langgraph.comparison import arecord, difference, record
from alto_langgraph.graph import START, StateGraph
from tests.adapters.signals import SIGNALS, Signals, aheard, heard, say, signals

REPEATABLE = {"effects": "idempotent"}
LESSONS = 8


class State(TypedDict, total=False):
    which: str
    wait: bool
    a: int
    b: int
    c: int
    left: RemainingSteps
    out: Annotated[list[Any], operator.add]


async def slow(state: State) -> State:
    """Takes a while; if it should, until `looks` has begun, and so long that the run has heard what came of it."""
    if state.get("wait"):
        await aheard("looks")
    await asyncio.sleep(0.03)
    return {"a": 1}


async def quick(state: State) -> State:
    return {"b": 2}


async def looks(state: State) -> State:
    say("looks")
    return {"out": [state.get(state["which"], "none")]}


def slow_on_a_thread(state: State) -> State:
    if state.get("wait"):
        heard("looks")
    return {"a": 1}


def looks_on_a_thread(state: State) -> State:
    say("looks")
    return {"out": [state.get(state["which"], "none")]}


def quick_on_a_thread(state: State) -> State:
    return {"b": 2}


def graph_of(
    cls: Any = StateGraph,
    options: Any = None,
    *,
    saver: bool = False,
    node: Callable[..., Any] = looks,
    slow: Any = slow,
    quick: Any = quick,
    **how: Any,
) -> Any:
    builder = cls(State).add_node("slow", slow).add_node("quick", quick).add_node("looks", node, metadata=REPEATABLE, **how)
    builder.add_edge(START, "slow").add_edge(START, "quick").add_edge("quick", "looks")
    more = {} if cls is Stock or options is None else {"alto": options}
    return builder.compile(InMemorySaver() if saver else None, **more)


async def run(graph: Any, which: str, **given: Any) -> tuple[Any, Signals]:
    with signals() as seen:
        return await graph.ainvoke({"which": which, **given}, {"configurable": {"thread_id": f"{id(seen)}"}}), seen


async def taught(graph: Any, which: str = "b", times: int = LESSONS) -> Any:
    for _ in range(times):
        _, seen = await run(graph, which)
        assert seen.ahead["looks"] == 0
    return graph


@pytest.mark.parametrize("saver", [False, True])
async def test_twelve_runs(saver: bool) -> None:
    """All that an app sees is stock's, before there is evidence and after."""
    stock, alto = graph_of(Stock, saver=saver), graph_of(saver=saver)
    for number in range(12):
        given = {"which": "bc"[number % 2], "wait": number >= LESSONS}
        how: Any = {"config": {"configurable": {"thread_id": f"{number}"}}}
        with signals():
            say("looks")
            wanted = await arecord(stock, given, **how)
        with signals() as seen:
            found = difference(wanted, await arecord(alto, given, **how))
        assert found is None, str(found)
        assert (seen.ahead["looks"], seen.ran["looks"]) == (number >= LESSONS, 1)


async def test_on_threads() -> None:
    """What runs on an event loop have told holds for those on threads."""
    node: Any = {"node": looks_on_a_thread, "slow": RunnableCallable(slow_on_a_thread, slow, trace=False)}
    stock, alto = graph_of(Stock, saver=True, quick=quick_on_a_thread, **node), graph_of(saver=True, quick=quick_on_a_thread, **node)
    await taught(alto)
    for number, (which, ran) in enumerate([("b", 1), ("c", 2), ("c", 1), ("a", 2)]):
        given: Any = {"which": which, "wait": True}
        how: Any = {"config": {"configurable": {"thread_id": f"{number}"}}, "sync": True}
        with signals():
            say("looks")
            wanted = record(stock, given, **how)
        with signals() as seen:
            found = difference(wanted, record(alto, given, **how))
        assert found is None, str(found)
        assert (seen.ahead["looks"], seen.ran["looks"]) == (1, ran)


async def test_a_key_that_no_run_has_read() -> None:
    """The early run gives up when it asks for what `slow` writes; from then on that key is known to be read."""
    graph = await taught(graph_of())
    got, seen = await run(graph, "a", wait=True)
    assert got["out"] == [1]
    assert (seen.ahead["looks"], seen.ran["looks"]) == (1, 2)
    assert seen.squashed == [("looks[2]", "it reads `a`, which no run of it had read")]
    for which in "ab":
        got, seen = await run(graph, which)
        assert got["out"] == [{"a": 1, "b": 2}[which]]
        assert (seen.ahead["looks"], seen.ran["looks"]) == (0, 1), "`slow` may write what it may read"


async def test_all_that_an_app_sees_when_it_gives_up() -> None:
    stock, alto = graph_of(Stock, saver=True), await taught(graph_of(saver=True))
    given = {"which": "a", "wait": True}
    with signals():
        say("looks")
        wanted = await arecord(stock, given)
    with signals() as seen:
        found = difference(wanted, await arecord(alto, given))
    assert found is None, str(found)
    assert seen.ran["looks"] == 2


async def test_a_node_that_swallows_everything() -> None:
    async def stubborn(state: Any) -> State:
        say("looks")
        try:
            found = state[state["which"]]
        except BaseException as error:
            found = type(error).__name__
        return {"out": [found]}

    got, seen = await run(await taught(graph_of(node=stubborn)), "a", wait=True)
    assert got["out"] == [1] and seen.ran["looks"] == 2


async def test_a_key_of_no_state_and_a_managed_value() -> None:
    stock, graph = graph_of(Stock), await taught(graph_of())
    for which in ("other", "left"):
        wanted, _ = await run(stock, which)
        got, seen = await run(graph, which, wait=True)
        assert (got["out"], seen.ahead["looks"], seen.ran["looks"]) == (wanted["out"], 1, 1)


async def test_before_the_node_that_it_follows() -> None:
    def side(cls: Any) -> Any:
        builder = cls(State).add_node("slow", slow, metadata=REPEATABLE).add_node("looks", looks, metadata=REPEATABLE)
        return builder.add_edge(START, "slow").add_edge("slow", "looks").compile()

    stock, graph = side(Stock), await taught(side(StateGraph), "c")
    got, seen = await run(graph, "c", wait=True)
    assert (got["out"], seen.ahead["looks"], seen.ran["looks"]) == (["none"], 1, 1)
    for ran in (2, 1):
        wanted, _ = await run(stock, "a")
        got, seen = await run(graph, "a", wait=ran == 2)
        assert (got["out"], seen.ran["looks"]) == (wanted["out"], ran)


async def test_beside_keys_that_change_by_themselves() -> None:
    """What it doesn't read needn't be steady."""

    class Topical(State, total=False):
        news: Annotated[list[str], Topic(str)]

    async def looks_at_any(state: Topical) -> Any:
        return await looks(state)

    def side(cls: Any) -> Any:
        builder = cls(Topical).add_node("slow", slow).add_node("quick", quick).add_node("looks", looks_at_any, metadata=REPEATABLE)
        builder.add_edge(START, "slow").add_edge(START, "quick").add_edge("quick", "looks")
        return builder.compile()

    stock, graph = side(Stock), await taught(side(StateGraph))
    for which, ahead in (("b", 1), ("news", 1), ("news", 0)):
        wanted, _ = await run(stock, which, news=["x"])
        got, seen = await run(graph, which, wait=bool(ahead), news=["x"])
        assert (got["out"], seen.ahead["looks"]) == (wanted["out"], ahead)


@pytest.mark.parametrize(
    ("options", "after"), [({"observe": False}, None), ({"evidence": 2}, 2), ({"evidence": 12}, None), ({"effects": "pure"}, None)]
)
async def test_options(options: Any, after: int | None) -> None:
    graph = graph_of(options=options)
    ahead = []
    for number in range(10):
        _, seen = await run(graph, "b", wait=after is not None and number >= after)
        ahead.append(seen.ahead["looks"])
    assert ahead == [int(after is not None and number >= after) for number in range(10)]


async def test_not_observed_in_a_run_that_does_not_want_it() -> None:
    graph = await taught(graph_of())
    with signals() as seen:
        await graph.ainvoke({"which": "b"}, {"configurable": {"alto": {"observe": False}}})
    assert seen.ahead["looks"] == 0
    _, seen = await run(graph, "b", wait=True)
    assert seen.ahead["looks"] == 1


async def test_a_result_that_langgraph_invokes_with_the_whole_state() -> None:
    async def passing_on(state: Any) -> Any:
        say("looks")
        key = state[state["which"]]
        return RunnableLambda(lambda whole: {"out": [key, sorted(whole)]})

    alto, stock = graph_of(node=passing_on), graph_of(Stock, node=passing_on)
    for _ in range(10):
        got, seen = await run(alto, "b")
        assert (got, seen.ahead["looks"]) == ((await run(stock, "b"))[0], 0)


async def test_what_is_sent_is_no_state() -> None:
    """Payloads have keys of their own; what runs on them read tells nothing."""

    async def quick(state: State) -> Any:
        return {"b": 2}

    builder = StateGraph(State).add_node("slow", slow).add_node("quick", quick).add_node("looks", looks)
    builder.add_edge(START, "slow").add_edge(START, "quick")
    builder.add_conditional_edges("quick", lambda state: [Send("looks", {"which": "b", "b": n}) for n in (5, 6)], ["looks"])
    graph = builder.compile()
    for _ in range(10):
        got, seen = await run(graph, "a", wait=True)
        assert got["out"] == [5, 6] and seen.ahead["looks"] == 2 and not seen.squashed
    assert graph.alto_staging.readings.known("looks", 1) is None


async def test_each_attempt_is_watched() -> None:
    async def flaky(state: Any) -> State:
        say("looks")
        found = state[state["which"]]
        if SIGNALS.get().said.count("looks") == 1:
            raise ConnectionError("once")
        return {"out": [found]}

    how: Any = {"node": flaky, "retry_policy": RetryPolicy(initial_interval=0.001, jitter=False)}
    graph = await taught(graph_of(**how), times=LESSONS // 2)
    got, seen = await run(graph, "b", wait=True)
    assert got["out"] == [2] and seen.said == ["looks", "looks"] and seen.ahead["looks"] == 1
    got, seen = await run(graph, "a", wait=True)
    assert got["out"] == [1]


async def test_inside_an_early_run_of_the_graph_around() -> None:
    inner = graph_of()
    await taught(inner)

    async def outer(state: State) -> State:
        found = await inner.ainvoke({"which": state["which"], "wait": True})
        return {"out": found["out"]}

    async def waits(state: State) -> State:
        await aheard("looks")
        return {"a": 1}

    builder = StateGraph(State).add_node("slow", waits).add_node("quick", quick).add_node("outer", outer)
    builder.add_edge(START, "slow").add_edge(START, "quick").add_edge("quick", "outer")
    with signals() as seen:
        got = await builder.compile().ainvoke({"which": "b"})
    assert got["out"] == [2] and seen.ahead["outer"] == seen.ahead["looks"] == 1 and not seen.squashed


class Hearing(BaseCallbackHandler):
    """The tree of runs as tracers see it."""

    def __init__(self) -> None:
        self.names: dict[Any, str] = {}
        self.tree: list[tuple[str, str | None, type]] = []

    def on_chain_start(
        self, serialized: Any, inputs: Any, *, run_id: Any, parent_run_id: Any = None, name: Any = None, **more: Any
    ) -> None:
        self.names[run_id] = name
        self.tree.append((name, self.names.get(parent_run_id), type(inputs)))


async def test_tracers_see_stocks_tree_of_runs() -> None:
    heard = {}
    for cls in (Stock, StateGraph):
        graph = graph_of(cls)
        for number in range(10):
            heard[cls, number] = Hearing()
            with signals():
                await graph.ainvoke({"which": "b"}, {"callbacks": [heard[cls, number]]})
    for number in range(10):
        assert sorted(heard[StateGraph, number].tree, key=str) == sorted(heard[Stock, number].tree, key=str)
        assert all(kind is dict for _, _, kind in heard[StateGraph, number].tree)


async def test_graphs_without_such_a_node_are_left_alone() -> None:
    async def plainly(state: State) -> State:
        say("looks")
        return {"out": [state["b"]]}

    graph = graph_of(node=plainly)
    _, seen = await run(graph, "b", wait=True)
    assert seen.ahead["looks"] == 1
    assert not graph.alto_staging.observed
