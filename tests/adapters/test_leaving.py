"""However a run is left, nothing it started ahead outlives it, and early work gets to clean up."""

from __future__ import annotations

import asyncio
import operator
import threading
from collections.abc import Iterator
from typing import Annotated, Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import StateGraph as Stock
from langgraph.types import Command, Send
from typing_extensions import TypedDict

from alto_langgraph.graph import START, StateGraph
from tests.adapters.signals import PATIENCE, aheard, say, signals


class State(TypedDict, total=False):
    out: Annotated[list[str], operator.add]
    x: int


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    left = [t.name for t in set(threading.enumerate()) - before if t.is_alive() and t.name.startswith("alto")]
    assert not left


async def send(state: State) -> Command[Any]:
    return Command(goto=[Send("early", i) for i in range(3)])


async def early(item: int) -> State:
    """Cleans up slowly, which must be waited for."""
    say(f"early {item}")
    try:
        await asyncio.sleep(60)
    except asyncio.CancelledError:
        await asyncio.sleep(0.005)
        say(f"cleaned up {item}")
        raise
    return {}


async def early_nested(item: int) -> State:
    await NESTED.ainvoke({"x": item})
    return {}


async def inside(state: State) -> State:
    return await early(state["x"])


NESTED = StateGraph(State).add_node("inside", inside).add_edge(START, "inside").compile()


async def slow(state: State) -> State:
    await aheard(*(f"early {i}" for i in range(3)))
    say("all begun")
    await asyncio.sleep(60)
    return {}


async def fails(state: State) -> State:
    await aheard(*(f"early {i}" for i in range(3)))
    raise ValueError("beside failed")


def build(beside: Any, node: Any = early) -> Any:
    graph = StateGraph(State).add_node("send", send, destinations=("early",)).add_node("early", node).add_node("beside", beside)
    return graph.add_edge(START, "send").add_edge(START, "beside").compile()


CLEAN = {f"cleaned up {i}" for i in range(3)}


@pytest.mark.parametrize("node", [early, early_nested])
async def test_by_an_error(node: Any) -> None:
    before = asyncio.all_tasks()
    with signals() as seen, pytest.raises(ValueError, match="beside failed"):
        await build(fails, node).ainvoke({})
    assert set(seen.said) >= CLEAN
    assert asyncio.all_tasks() == before


@pytest.mark.parametrize("node", [early, early_nested])
async def test_by_cancelling(node: Any) -> None:
    before = asyncio.all_tasks()
    with signals() as seen:
        run = asyncio.create_task(build(slow, node).ainvoke({}))
        await seen.aheard("all begun")
        run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run
    assert set(seen.said) >= CLEAN
    assert asyncio.all_tasks() == before


async def test_by_a_timeout() -> None:
    before = asyncio.all_tasks()
    with signals() as seen, pytest.raises(TimeoutError):
        await asyncio.wait_for(build(slow).ainvoke({}), 0.1)
    assert set(seen.said) >= CLEAN
    assert asyncio.all_tasks() == before


@pytest.mark.parametrize("node", [early, early_nested])
async def test_by_closing_the_stream(node: Any) -> None:
    before = asyncio.all_tasks()
    with signals() as seen:
        stream = build(slow, node).astream({}, stream_mode="updates")
        async for _ in stream:
            await seen.aheard("all begun")
            break
        await stream.aclose()
    assert set(seen.said) >= CLEAN
    assert asyncio.all_tasks() == before


async def test_by_cancelling_while_adopted() -> None:
    """An early run that its superstep has adopted goes as any other task goes."""
    before = asyncio.all_tasks()

    async def quick(state: State) -> State:
        await aheard(*(f"early {i}" for i in range(3)))
        return {}

    graph = StateGraph(State).add_node("send", send, destinations=("early",)).add_node("early", early).add_node("beside", quick)
    graph.add_node("after", lambda state: say("opened")).add_edge("beside", "after")
    with signals() as seen:
        run = asyncio.create_task(graph.add_edge(START, "send").add_edge(START, "beside").compile().ainvoke({}))
        await seen.aheard("opened")
        run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run
    assert seen.ahead["early"] == 3
    assert set(seen.said) >= CLEAN
    assert asyncio.all_tasks() == before


async def test_with_early_work_that_waits_at_its_edges() -> None:
    before = asyncio.all_tasks()

    async def beside(state: State) -> State:
        await aheard("returned")
        await asyncio.sleep(0)
        if state.get("x") is None:
            raise ValueError("beside failed")
        return {"x": 1}

    async def node(item: int) -> State:
        say("returned")
        return {}

    graph = StateGraph(State).add_node("send", send, destinations=("early",)).add_node("early", node).add_node("beside", beside)
    graph.add_conditional_edges("early", lambda state: "send" if state.get("x") == 7 else "__end__", ["send", "__end__"])
    graph.add_edge(START, "send").add_edge(START, "beside")
    with signals(), pytest.raises(ValueError, match="beside failed"):
        await asyncio.wait_for(graph.compile().ainvoke({}), PATIENCE)
    assert asyncio.all_tasks() == before


def test_on_threads_with_early_work_that_waits_at_its_edges() -> None:
    """The thread that waits at the edge wakes up; it would keep the run from ending."""
    said = threading.Event()
    SIGNALS_OF_THREADS.clear()
    SIGNALS_OF_THREADS.append(said)

    def send_one(state: State) -> Command[Any]:
        return Command(goto=[Send("early", 1)])

    graph = (
        StateGraph(State).add_node("send", send_one, destinations=("early",)).add_node("early", _returns).add_node("beside", _fails_after)
    )
    graph.add_conditional_edges("early", lambda state: "send" if state.get("x") == 7 else "__end__", ["send", "__end__"])
    graph.add_edge(START, "send").add_edge(START, "beside")
    with signals() as seen, pytest.raises(ValueError, match="beside failed"):
        graph.compile().invoke({})
    assert seen.ahead["early"] == 1 and said.is_set()


SIGNALS_OF_THREADS: list[threading.Event] = []


def _event() -> threading.Event:
    return globals()["SIGNALS_OF_THREADS"][0]


def _returns(item: int) -> State:
    _event().set()
    return {}


def _fails_after(state: State) -> State:
    _event().wait(0.5)
    raise ValueError("beside failed")


async def test_after_it_returns() -> None:
    before = asyncio.all_tasks()

    async def ends(item: int) -> State:
        say(f"early {item}")
        return {"out": [str(item)]}

    async def quick(state: State) -> State:
        await aheard(*(f"early {i}" for i in range(3)))
        return {}

    with signals() as seen:
        assert (await build(quick, ends).ainvoke({}))["out"] == ["0", "1", "2"]
    assert seen.ahead["early"] == 3 and not seen.squashed
    assert asyncio.all_tasks() == before


def test_a_sync_stream_that_is_left() -> None:
    def send_one(state: State) -> Command[Any]:
        return Command(goto=[Send("early", i) for i in range(40)])

    def one(item: int) -> State:
        return {"out": [str(item)]}

    def wait(state: State) -> State:
        return {}

    graph = StateGraph(State).add_node("send", send_one, destinations=("early",)).add_node("early", one).add_node("beside", wait)
    stream: Any = graph.add_edge(START, "send").add_edge(START, "beside").compile().stream({}, stream_mode="updates")
    next(stream)
    stream.close()
    assert list(stream) == []


@pytest.mark.parametrize("durability", ["exit", "sync", "async"])
async def test_a_subgraph_that_is_given_up_saves_what_it_saves_under_stock(durability: Any) -> None:
    """LangGraph cancels it a second time before it has begun to leave, so with `exit` it saves nothing."""

    async def waits(state: State) -> State:
        say("inside")
        await asyncio.sleep(60)
        return {}

    async def fails_beside(state: State) -> State:
        await aheard("inside")
        raise ValueError("beside failed")

    def saved_by(side: Any) -> Any:
        child = side(State).add_node("waits", waits).add_node("more", waits).add_edge(START, "waits").add_edge(START, "more").compile()
        saver = InMemorySaver()
        graph = side(State).add_node("child", child).add_node("beside", fails_beside)
        return graph.add_edge(START, "child").add_edge(START, "beside").compile(checkpointer=saver), saver

    saved = []
    for side in (Stock, StateGraph):
        graph, saver = saved_by(side)
        with signals(), pytest.raises(ValueError, match="beside failed"):
            await graph.ainvoke({}, {"configurable": {"thread_id": "1"}}, durability=durability)
        saved.append(sorted(c.config["configurable"]["checkpoint_ns"].split(":")[0] for c in saver.list(None)))
    assert saved[0] == saved[1]
