"""What running ahead must never do: leave work behind, show work too early, keep what a failed step threw away, exceed a limit."""

from __future__ import annotations

import asyncio
import operator
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Annotated, Any

import pytest
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.errors import GraphDrained, GraphRecursionError, InvalidUpdateError, NodeTimeoutError
from langgraph.graph import START
from langgraph.graph.state import StateGraph as Stock
from langgraph.runtime import RunControl, Runtime
from langgraph.types import Command, Send, interrupt
from typing_extensions import TypedDict

from alto_langgraph.graph import StateGraph as Alto
from alto_langgraph.protocols import Fact, TaskStarted, observed_by

SIDES = pytest.mark.parametrize("side", [Stock, Alto], ids=["stock", "alto"])


class State(TypedDict, total=False):
    items: list[int]
    out: Annotated[list[str], operator.add]


class Work:
    """Counts nodes at work, and lets a test say when they may go on."""

    def __init__(self) -> None:
        self.now = self.most = 0
        self.begun: list[str] = []
        self.cancelled: list[str] = []
        self.gate = asyncio.Event()

    async def wait(self, name: str, opened: bool = False, seconds: float = 0.0) -> None:
        self.begun.append(name)
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            await (self.gate.wait() if opened else asyncio.sleep(seconds))
        except asyncio.CancelledError:
            self.cancelled.append(name)
            raise
        finally:
            self.now -= 1

    async def until(self, enough: Callable[[], bool]) -> None:
        async with asyncio.timeout(5):
            while not enough():
                await asyncio.sleep(0.001)


WORK: ContextVar[Work] = ContextVar("work")
"""Nodes reach the test's `Work` through it: one in a closure would be a list they share past the state, and nothing would run ahead."""


async def at_work(name: str, opened: bool = False, seconds: float = 0.0) -> None:
    await WORK.get().wait(name, opened, seconds)


async def until_begun(names: int) -> None:
    await WORK.get().until(lambda: len(WORK.get().begun) >= names)


async def until_heard(name: str) -> None:
    await WORK.get().until(lambda: name in WORK.get().begun)


def heard(name: str) -> None:
    WORK.get().begun.append(name)


@pytest.fixture
def work() -> Iterator[Work]:
    token = WORK.set(made := Work())
    yield made
    WORK.reset(token)


@asynccontextmanager
async def nothing_left(work: Work) -> AsyncIterator[None]:
    before = asyncio.all_tasks()
    yield
    assert asyncio.all_tasks() <= before, "tasks were left running"
    assert work.now == 0, "nodes were left running"


class Facts:
    """Keeps what ran ahead."""

    def __init__(self) -> None:
        self.ahead: list[str] = []

    def observe(self, fact: Fact) -> None:
        if isinstance(fact, TaskStarted) and fact.ahead:
            self.ahead.append(fact.node)


def fan(state: State) -> list[Send]:
    return [Send("first", item) for item in state["items"]]


def pipeline(side: Any, first: Any, second: Any, beside: Any = None, **compile_options: Any) -> Any:
    """START -> first (a task per item) -> second (a task per item); `beside` runs in first's superstep."""
    graph = side(State).add_node("first", first).add_node("second", second)
    graph.add_conditional_edges(START, fan, ["first"])
    if beside:
        graph.add_node("beside", beside).add_edge(START, "beside")
    return graph.compile(**compile_options)


def goes_on(opened: bool = False, seconds: float = 0.0) -> Any:
    async def first(item: int) -> Command[Any]:
        await at_work(f"first {item}", opened, seconds)
        return Command(update={"out": [f"first {item}"]}, goto=[Send("second", item)])

    return first


def ends(opened: bool = False, seconds: float = 0.0) -> Any:
    async def second(item: int) -> State:
        await at_work(f"second {item}", opened, seconds)
        return {"out": [f"second {item}"]}

    return second


class TestNothingIsLeftRunning:
    @SIDES
    async def test_after_the_run_returns(self, side: Any, work: Work) -> None:
        async with nothing_left(work):
            await pipeline(side, goes_on(), ends()).ainvoke({"items": [1, 2, 3]})
        assert len(work.begun) == 6

    @SIDES
    async def test_after_a_node_raises(self, side: Any, work: Work) -> None:
        expected = 6 if side is Alto else 3

        async def beside(state: State) -> State:
            await until_begun(expected)
            raise ValueError("beside failed")

        async with nothing_left(work):
            with pytest.raises(ValueError, match="beside failed"):
                await pipeline(side, goes_on(), ends(opened=True), beside).ainvoke({"items": [1, 2, 3]})

    @SIDES
    async def test_after_the_run_is_cancelled(self, side: Any, work: Work) -> None:
        async def beside(state: State) -> State:
            await asyncio.sleep(60)
            return {}

        async with nothing_left(work):
            run = asyncio.create_task(pipeline(side, goes_on(), ends(opened=True), beside).ainvoke({"items": [1, 2, 3]}))
            await work.until(lambda: len(work.begun) >= (6 if side is Alto else 3))
            run.cancel()
            with pytest.raises(asyncio.CancelledError):
                await run

    @SIDES
    async def test_after_a_stream_is_left(self, side: Any, work: Work) -> None:
        async with nothing_left(work):
            stream = pipeline(side, goes_on(), ends(opened=True)).astream({"items": [1, 2, 3]}, stream_mode="updates")
            async for _ in stream:
                break
            await stream.aclose()

    @SIDES
    async def test_after_a_stream_is_left_as_a_superstep_opens(self, side: Any, work: Work) -> None:
        """What ran ahead is adopted by then, but LangGraph's runner hasn't come to it."""

        async def beside(state: State) -> State:
            if side is Alto:
                await until_begun(6)
            return {}

        async with nothing_left(work):
            stream = pipeline(side, goes_on(), ends(opened=True), beside).astream({"items": [1, 2, 3]}, stream_mode="values")
            async for values in stream:
                if values.get("out"):
                    break
            await stream.aclose()

    @SIDES
    async def test_after_one_of_several_subgraphs_fails(self, side: Any, work: Work) -> None:
        """It fails where its writes are applied, not in a node: two of its nodes write a channel that takes one value."""

        async def inner(item: int) -> State:
            await asyncio.sleep(0.002 * item)
            return {"items": [item]}

        def twice(state: State) -> list[Send]:
            return [Send("inner", state["items"][0] + i) for i in range(2)]

        subgraph = side(State).add_node("inner", inner).add_conditional_edges(START, twice, ["inner"]).compile()
        graph = side(State).add_node("outer", subgraph)
        graph.add_conditional_edges(START, lambda state: [Send("outer", {"items": [i]}) for i in range(5)], ["outer"])
        async with nothing_left(work):
            with pytest.raises(InvalidUpdateError):
                async for _ in graph.compile().astream({"items": []}, stream_mode="tasks", subgraphs=True):
                    pass

    @SIDES
    def test_after_a_sync_run_raises(self, side: Any) -> None:
        before = set(threading.enumerate())

        def first(item: int) -> Command[Any]:
            return Command(goto=[Send("second", item)])

        def second(item: int) -> State:
            time.sleep(0.02)
            return {}

        def beside(state: State) -> State:
            time.sleep(0.01)
            raise ValueError("beside failed")

        with pytest.raises(ValueError, match="beside failed"):
            pipeline(side, first, second, beside).invoke({"items": [1, 2, 3]})
        left = {thread for thread in threading.enumerate() if thread.is_alive()} - before
        assert not [thread for thread in left if thread.name != "alarm"]  # the one that watches for slow supersteps, for all runs


async def test_an_error_cancels_early_work(work: Work) -> None:
    async def beside(state: State) -> State:
        await until_begun(6)
        raise ValueError("beside failed")

    with pytest.raises(ValueError, match="beside failed"):
        await pipeline(Alto, goes_on(), ends(opened=True), beside).ainvoke({"items": [1, 2, 3]})
    assert sorted(work.cancelled) == ["second 1", "second 2", "second 3"]


async def test_an_early_error_waits_for_its_superstep(work: Work) -> None:
    """Stock would raise it only after all of the superstep before had its say."""
    seen: list[Any] = []

    async def second(item: int) -> State:
        heard("second")
        raise ValueError("second failed")

    async def beside(state: State) -> State:
        await until_heard("second")
        await asyncio.sleep(0.01)
        return {"out": ["beside"]}

    async def run() -> None:
        async for chunk in pipeline(Alto, goes_on(), second, beside).astream({"items": [1]}, stream_mode="updates"):
            seen.append(chunk)

    with pytest.raises(ValueError, match="second failed"):
        await run()
    assert {"beside": {"out": ["beside"]}} in seen


@SIDES
@pytest.mark.parametrize("limit", [1, 2, 3])
async def test_no_more_nodes_at_a_time_than_allowed(side: Any, limit: int, work: Work) -> None:
    graph = pipeline(side, goes_on(seconds=0.003), ends(seconds=0.002))
    await graph.ainvoke({"items": list(range(8))}, {"max_concurrency": limit})
    assert work.most <= limit
    assert len(work.begun) == 16


@SIDES
def test_no_more_threads_at_a_time_than_allowed(side: Any) -> None:
    lock, now, most = threading.Lock(), [0], [0]

    def busy() -> None:
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        time.sleep(0.002)
        with lock:
            now[0] -= 1

    def first(item: int) -> Command[Any]:
        busy()
        return Command(goto=[Send("second", item)])

    def second(item: int) -> State:
        busy()
        return {"out": [f"second {item}"]}

    answer = pipeline(side, first, second).invoke({"items": list(range(8))}, {"max_concurrency": 3})
    assert most[0] <= 3
    assert len(answer["out"]) == 8


@pytest.mark.parametrize(
    "modes", [["updates"], ["custom"], ["tasks"], ["debug"], ["updates", "custom", "tasks", "debug", "values"]], ids="+".join
)
async def test_events_of_early_tasks_are_held_until_their_superstep(modes: list[str], work: Work) -> None:
    async def second(item: int, runtime: Runtime[None]) -> State:
        runtime.stream_writer(f"second {item}")
        heard(f"done {item}")
        return {"out": [f"second {item}"]}

    async def beside(state: State) -> State:
        await until_heard("done 1")
        await until_heard("done 2")
        return {"out": ["beside"]}

    graph = pipeline(Alto, goes_on(), second, beside)
    chunks = [str(chunk) async for chunk in graph.astream({"items": [1, 2]}, stream_mode=modes)]
    last_of_first_step = max((place for place, chunk in enumerate(chunks) if "['beside']" in chunk), default=-1)
    of_second = [place for place, chunk in enumerate(chunks) if "second 1" in chunk or "second 2" in chunk]
    assert of_second
    assert min(of_second) > last_of_first_step


async def test_custom_events_come_in_order_of_supersteps(work: Work) -> None:
    """`second` speaks before `beside` does; what it says is heard after."""

    async def second(item: int, runtime: Runtime[None]) -> State:
        runtime.stream_writer("second")
        heard("second spoke")
        return {}

    async def beside(state: State, runtime: Runtime[None]) -> State:
        await until_heard("second spoke")
        runtime.stream_writer("beside")
        return {}

    graph = pipeline(Alto, goes_on(), second, beside)
    assert [chunk async for chunk in graph.astream({"items": [1]}, stream_mode="custom")] == ["beside", "second"]


@pytest.mark.parametrize("durability", ["sync", "async", "exit"])
async def test_early_tasks_of_a_failed_step_leave_no_trace_in_checkpoints(durability: str, work: Work) -> None:
    async def seen_by(side: Any) -> Any:
        work.begun.clear()
        expected = 4 if side is Alto else 2

        async def beside(state: State) -> State:
            await until_begun(expected)
            await asyncio.sleep(0.005)
            raise ValueError("beside failed")

        saver = InMemorySaver()
        graph = pipeline(side, goes_on(), ends(), beside, checkpointer=saver)
        config: RunnableConfig = {"configurable": {"thread_id": "t"}}
        with pytest.raises(ValueError, match="beside failed"):
            await graph.ainvoke({"items": [1, 2]}, config, durability=durability)
        saved = [c async for c in saver.alist(config)]
        return [
            (c.metadata, c.checkpoint["channel_values"], sorted((channel, str(value)) for _, channel, value in c.pending_writes or ()))
            for c in saved
        ]

    assert await seen_by(Alto) == await seen_by(Stock)


@SIDES
async def test_going_on_after_an_error_runs_what_is_missing_and_no_more(side: Any, work: Work) -> None:
    expected = 4 if side is Alto else 2

    async def beside(state: State, runtime: Runtime[Any]) -> State:
        await until_begun(expected)
        await asyncio.sleep(0.005)
        if runtime.context:
            raise ValueError("beside failed")
        return {"out": ["beside"]}

    graph = pipeline(side, goes_on(), ends(), beside, checkpointer=InMemorySaver())
    config: RunnableConfig = {"configurable": {"thread_id": "t"}}
    with pytest.raises(ValueError, match="beside failed"):
        await graph.ainvoke({"items": [1, 2]}, config, context="fails")
    answer = await graph.ainvoke(None, config)
    assert answer["out"] == ["beside", "first 1", "first 2", "second 1", "second 2"]
    assert [name for name in work.begun if name.startswith("first")] == ["first 1", "first 2"]


@SIDES
async def test_nothing_passes_a_breakpoint(side: Any, work: Work) -> None:
    async def beside(state: State) -> State:
        await asyncio.sleep(0.01)
        return {"out": ["beside"]}

    graph = pipeline(side, goes_on(), ends(), beside, checkpointer=InMemorySaver(), interrupt_before=["second"])
    config: RunnableConfig = {"configurable": {"thread_id": "t"}}
    await graph.ainvoke({"items": [1, 2]}, config)
    assert sorted(work.begun) == ["first 1", "first 2"], "second ran before the breakpoint was passed"
    answer = await graph.ainvoke(None, config)
    assert sorted(answer["out"]) == ["beside", "first 1", "first 2", "second 1", "second 2"]


@SIDES
async def test_nothing_behind_an_interrupt_runs_twice_or_too_early(side: Any, work: Work) -> None:
    async def beside(state: State) -> State:
        return {"out": [interrupt("go on?")]}

    graph = pipeline(side, goes_on(), ends(), beside, checkpointer=InMemorySaver())
    config: RunnableConfig = {"configurable": {"thread_id": "t"}}
    asked = await graph.ainvoke({"items": [1, 2]}, config)
    assert [i.value for i in asked["__interrupt__"]] == ["go on?"]
    assert (await graph.aget_state(config)).next == ("beside",)
    assert sorted(work.begun) == ["first 1", "first 2"]
    answer = await graph.ainvoke(Command(resume="yes"), config)
    assert answer["out"] == ["yes", "first 1", "first 2", "second 1", "second 2"]
    assert sorted(work.begun) == ["first 1", "first 2", "second 1", "second 2"]


@SIDES
async def test_nothing_passes_an_interrupt_while_others_still_run(side: Any, work: Work) -> None:
    async def first(item: int) -> Command[Any]:
        await at_work(f"first {item}", seconds=0.01 * item)
        return Command(goto=[Send("second", item)])

    async def beside(state: State) -> State:
        return {"out": [interrupt("go on?")]}

    graph = pipeline(side, first, ends(), beside, checkpointer=InMemorySaver())
    await graph.ainvoke({"items": [0, 1, 2]}, {"configurable": {"thread_id": "t"}})
    assert sorted(work.begun) == ["first 0", "first 1", "first 2"]


@SIDES
async def test_additions_to_an_object_that_is_read_later_keep_their_order(side: Any) -> None:
    said: list[str] = []

    async def first(item: int) -> Command[Any]:
        await asyncio.sleep(0.01 * item)
        return Command(goto=[Send("second", item)])

    async def second(item: int) -> None:
        said.append(f"second {item}")

    async def beside(state: State) -> None:
        await asyncio.sleep(0.03)
        said.append("beside")

    async def last(state: State) -> State:
        return {"out": list(said)}

    graph = side(State).add_node("first", first).add_node("second", second).add_node("beside", beside).add_node("last", last)
    graph.add_conditional_edges(START, fan, ["first"]).add_edge(START, "beside").add_edge("second", "last")
    answer = await graph.compile().ainvoke({"items": [0, 1]})
    assert answer["out"] == ["beside", "second 0", "second 1"]


@SIDES
async def test_nothing_passes_the_recursion_limit(side: Any, work: Work) -> None:
    async def beside(state: State) -> State:
        await asyncio.sleep(0.01)
        return {}

    with pytest.raises(GraphRecursionError):
        await pipeline(side, goes_on(), ends(), beside).ainvoke({"items": [1, 2]}, {"recursion_limit": 1})
    assert sorted(work.begun) == ["first 1", "first 2"]


@SIDES
async def test_a_drain_stops_before_the_next_superstep(side: Any, work: Work) -> None:
    control = RunControl()

    async def beside(state: State) -> State:
        control.request_drain("enough")
        await asyncio.sleep(0.01)
        return {"out": ["beside"]}

    graph = pipeline(side, goes_on(), ends(), beside, checkpointer=InMemorySaver())
    config: RunnableConfig = {"configurable": {"thread_id": "t"}}
    with pytest.raises(GraphDrained):
        await graph.ainvoke({"items": [1, 2]}, config, control=control)
    state = await graph.aget_state(config)
    assert state.values["out"] == ["beside", "first 1", "first 2"]
    assert state.next == ("second", "second")
    answer = await graph.ainvoke(None, config)
    assert answer["out"] == ["beside", "first 1", "first 2", "second 1", "second 2"]


@SIDES
async def test_an_early_timeout_is_raised_as_stock_raises_it(side: Any, work: Work) -> None:
    async def first(item: int) -> Command[Any]:
        return Command(goto=[Send("second", item)])

    async def second(item: int) -> State:
        await asyncio.sleep(60)
        return {}

    graph = side(State).add_node("first", first).add_node("second", second, timeout=0.02)
    graph.add_conditional_edges(START, fan, ["first"])
    with pytest.raises(NodeTimeoutError, match="second"):
        await graph.compile().ainvoke({"items": [1]})


@SIDES
async def test_time_travel_and_update_state(side: Any, work: Work) -> None:
    """From each old checkpoint, and from an updated one, a run comes to stock's answer."""
    graph = pipeline(side, goes_on(), ends(), checkpointer=InMemorySaver())
    config: RunnableConfig = {"configurable": {"thread_id": "t"}}
    await graph.ainvoke({"items": [1, 2]}, config)
    history = [state async for state in graph.aget_state_history(config)]
    assert [state.next for state in history] == [(), ("second", "second"), ("first", "first"), ("__start__",)]
    for state in history[1:]:
        answer = await graph.ainvoke(None, state.config)
        assert answer["out"] == ["first 1", "first 2", "second 1", "second 2"]
    updated = await graph.aupdate_state(history[1].config, {"out": ["updated"]}, as_node="second")
    assert (await graph.aget_state(updated)).values["out"] == ["first 1", "first 2", "updated"]


@pytest.mark.parametrize("as_batch", [False, True])
async def test_runs_side_by_side_do_not_mix(as_batch: bool, work: Work) -> None:
    graph = pipeline(Alto, goes_on(), ends())
    inputs = [{"items": [10 * run, 10 * run + 1]} for run in range(5)]
    answers = await graph.abatch(inputs) if as_batch else await asyncio.gather(*(graph.ainvoke(given) for given in inputs))
    for run, answer in enumerate(answers):
        ids = (10 * run, 10 * run + 1)
        assert answer["out"] == [f"first {i}" for i in ids] + [f"second {i}" for i in ids]


async def test_the_pipeline_of_these_tests_runs_ahead(work: Work) -> None:
    facts = Facts()

    async def beside(state: State) -> State:
        await until_begun(4)
        return {"out": ["beside"]}

    with observed_by(facts):
        await pipeline(Alto, goes_on(), ends(), beside).ainvoke({"items": [1, 2]})
    assert sorted(facts.ahead) == ["second", "second"]
