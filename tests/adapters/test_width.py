"""Wide supersteps: what a task costs doesn't grow with their width, and the collector is left as it was found."""

from __future__ import annotations

import asyncio
import gc
import operator
import time
from collections.abc import Iterator
from typing import Annotated, Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.errors import EmptyChannelError
from langgraph.graph.state import StateGraph as Stock
from langgraph.types import Command, Send
from typing_extensions import TypedDict

from alto_langgraph.adapters.langgraph import collector, lowering
from alto_langgraph.adapters.langgraph.collector import VERY_WIDE
from alto_langgraph.adapters.langgraph.prepare import FastTopic
from alto_langgraph.adapters.langgraph.seam import AsyncPregelLoop, Topic
from alto_langgraph.graph import START
from alto_langgraph.graph import StateGraph as Alto
from tests.adapters.signals import SIGNALS, heard, say, signals


class State(TypedDict, total=False):
    width: int
    out: Annotated[list[int], operator.add]


class Counted(list[Any]):
    """A list that counts how many of its items are looked at."""

    looked_at = 0

    def __iter__(self) -> Iterator[Any]:
        for item in super().__iter__():
            Counted.looked_at += 1
            yield item


def fan(state: State) -> list[Send]:
    return [Send("one", i) for i in range(state["width"])]


async def one(item: int) -> State:
    return {"out": [item]}


def build(node: Any = one, side: Any = Alto, **options: Any) -> Any:
    return side(State).add_node("one", node).add_conditional_edges(START, fan, ["one"]).compile(**options)


@pytest.fixture
def looked_at(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Counts looks at pending writes in a run of some width."""
    put_writes = AsyncPregelLoop.put_writes

    def counting(self: Any, task_id: str, writes: Any, **kwargs: Any) -> None:
        if type(self.checkpoint_pending_writes) is not Counted:
            self.checkpoint_pending_writes = Counted(list.__iter__(self.checkpoint_pending_writes))
        put_writes(self, task_id, writes, **kwargs)

    monkeypatch.setattr(AsyncPregelLoop, "put_writes", counting, raising=False)

    async def count(width: int, side: Any = Alto, **options: Any) -> int:
        Counted.looked_at = 0
        got = await build(side=side, **options).ainvoke({"width": width}, {"configurable": {"thread_id": str(width)}})
        assert got["out"] == [*range(width)]
        return Counted.looked_at

    return count


@pytest.mark.parametrize("saver", [False, True])
async def test_pending_writes_looked_at_per_task_do_not_grow(looked_at: Any, saver: bool) -> None:
    options = {"checkpointer": InMemorySaver()} if saver else {}
    few, many = await looked_at(100, **options), await looked_at(400, **options)
    assert many <= 4.2 * few + 100


async def test_langgraphs_own_way_grows(looked_at: Any) -> None:
    """What the test above counts is what it should count."""
    assert await looked_at(400, side=Stock) > 10 * await looked_at(100, side=Stock)


async def test_a_task_that_writes_again_replaces_its_writes() -> None:
    """The linear way is only for a task's first writes."""
    config: Any = {"configurable": {"thread_id": "t"}}

    attempts: dict[int, int] = {}

    async def flaky(item: int) -> State:
        attempts[item] = attempts.get(item, 0) + 1
        if item == 7 and attempts[item] == 1:
            raise ValueError("once")
        return {"out": [item]}

    graph = build(flaky, checkpointer=InMemorySaver())
    with pytest.raises(ValueError, match="once"):
        await graph.ainvoke({"width": 30}, config)
    assert (await graph.ainvoke(None, config))["out"] == [*range(30)]
    assert attempts[7] == 2


@pytest.mark.parametrize("width", [1, 15, 16, 17, 100, 600])
async def test_answers_checkpoints_and_writes_are_stocks(width: int) -> None:
    async def saved(side: Any) -> Any:
        saver = InMemorySaver()
        config: Any = {"configurable": {"thread_id": "t"}}
        graph = build(side=side, checkpointer=saver)
        got = await graph.ainvoke({"width": width}, config)
        kept = [c async for c in saver.alist(config)]
        return got, [(c.metadata, c.checkpoint["channel_values"], sorted(str(w[1:]) for w in c.pending_writes or ())) for c in kept]

    assert await saved(Alto) == await saved(Stock)


class TestFastTopic:
    def test_looks_at_the_same_without_a_copy(self) -> None:
        sends = [Send("one", i) for i in range(3)]
        plain, fast = Topic(Send), FastTopic(Send)
        plain.update(sends), fast.update(sends)
        assert list(fast.get()) == list(plain.get()) == sends
        assert fast.get() is fast.get()
        assert fast.checkpoint() == plain.checkpoint()
        assert fast.is_available() and fast == plain

    def test_an_empty_one_says_so_as_stock_does(self) -> None:
        for topic in (Topic(Send), FastTopic(Send)):
            topic.update([])
            assert not topic.is_available()
            with pytest.raises(EmptyChannelError):
                topic.get()


class TestCollector:
    @pytest.fixture(autouse=True)
    def restored(self) -> Iterator[None]:
        before = gc.get_threshold()
        gc.set_threshold(701, 11, 12)
        yield
        assert gc.get_threshold() == (701, 11, 12)
        assert collector._open == []
        gc.set_threshold(*before)

    async def test_it_is_eased_while_a_wide_superstep_is_open_and_only_then(self) -> None:
        seen = set()

        async def look(item: int) -> State:
            seen.add(gc.get_threshold())
            return {}

        await build(look).ainvoke({"width": VERY_WIDE})
        assert seen == {(VERY_WIDE * collector.PER_TASK, 11, 12)}
        seen.clear()
        await build(look).ainvoke({"width": VERY_WIDE - 1})
        assert seen == {(701, 11, 12)}

    def test_it_is_eased_while_a_graph_is_read(self, monkeypatch: pytest.MonkeyPatch) -> None:
        seen = []
        edges = lowering._edges

        def look(builder: Any) -> Any:
            seen.append(gc.get_threshold())
            return edges(builder)

        monkeypatch.setattr(lowering, "PER_NODE", 10_000)
        monkeypatch.setattr(lowering, "_edges", look)
        graph = build()
        assert graph.alto_plan.nodes
        assert seen == [(10_000 * len(graph.builder.nodes), 11, 12)]

    async def test_after_an_error(self) -> None:
        async def fails(item: int) -> State:
            raise ValueError(item)

        with pytest.raises(ValueError, match=r"\d"):
            await build(fails).ainvoke({"width": VERY_WIDE})

    def test_after_an_error_on_threads(self) -> None:
        def fails(item: int) -> State:
            raise ValueError(item)

        with pytest.raises(ValueError, match=r"\d"):
            build(fails).invoke({"width": VERY_WIDE})

    async def test_after_cancelling(self) -> None:
        began = asyncio.Event()

        async def hangs(item: int) -> State:
            began.set()
            await asyncio.sleep(60)
            return {}

        run = asyncio.create_task(build(hangs).ainvoke({"width": VERY_WIDE}))
        await began.wait()
        assert gc.get_threshold() != (701, 11, 12)
        run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run

    async def test_after_leaving_a_stream(self) -> None:
        stream = build().astream({"width": VERY_WIDE}, stream_mode="updates")
        async for _ in stream:
            break
        await stream.aclose()

    async def test_with_two_runs_at_a_time(self) -> None:
        """The one that ends first leaves it eased for the other."""
        gate, began = asyncio.Event(), asyncio.Event()
        seen = []

        async def waits(item: int) -> State:
            began.set()
            await gate.wait()
            seen.append(gc.get_threshold()[0])
            return {}

        long = asyncio.create_task(build(waits).ainvoke({"width": VERY_WIDE}))
        await began.wait()
        assert (await build().ainvoke({"width": 2 * VERY_WIDE}))["out"] == [*range(2 * VERY_WIDE)]
        gate.set()
        await long
        assert set(seen) == {VERY_WIDE * collector.PER_TASK}

    async def test_with_wide_runs_inside_a_wide_run(self) -> None:
        inner = build()

        async def nested(item: int) -> State:
            return {"out": [len((await inner.ainvoke({"width": VERY_WIDE}))["out"])]} if item == 0 else {}

        assert (await build(nested).ainvoke({"width": VERY_WIDE}))["out"] == [VERY_WIDE]

    async def test_where_the_user_has_switched_it_off(self) -> None:
        gc.set_threshold(0, 11, 12)

        async def look(item: int) -> State:
            assert gc.get_threshold() == (0, 11, 12)
            return {}

        await build(look).ainvoke({"width": VERY_WIDE})
        gc.set_threshold(701, 11, 12)


@pytest.mark.parametrize("limit", [1, 2, 5])
async def test_max_concurrency_holds_for_early_runs_too(limit: int) -> None:
    async def work(item: int) -> None:
        with SIGNALS.get().at_work():
            await asyncio.sleep(0.001 if item % 3 else 0.004)

    async def first(item: int) -> Command[Any]:
        await work(item)
        return Command(goto=[Send("second", item)])

    async def second(item: int) -> Command[Any]:
        await work(item)
        return Command(goto=[Send("third", item)])

    async def third(item: int) -> State:
        await work(item)
        return {"out": [item]}

    builder: Any = Alto(State)
    graph = (
        builder.add_node("one", first, destinations=("second",))
        .add_node("second", second, destinations=("third",))
        .add_node("third", third)
    )
    graph.add_conditional_edges(START, fan, ["one"])
    with signals() as seen:
        got = await graph.compile().ainvoke({"width": 9}, {"max_concurrency": limit})
    assert got["out"] == [*range(9)]
    assert seen.most == limit
    assert sum(seen.ahead.values()) > 0 or limit == 1


@pytest.mark.parametrize("limit", [1, 2, 5])
def test_max_concurrency_holds_for_early_threads_too(limit: int) -> None:
    def work(item: int) -> None:
        with SIGNALS.get().at_work():
            time.sleep(0.004 if item == 0 else 0.001)

    def first(item: int) -> Command[Any]:
        work(item)
        return Command(goto=[Send("second", item)])

    def second(item: int) -> Command[Any]:
        work(item)
        return Command(goto=[Send("third", item)])

    def third(item: int) -> State:
        work(item)
        return {"out": [item]}

    builder: Any = Alto(State)
    builder.add_node("one", first, destinations=("second",)).add_node("second", second, destinations=("third",)).add_node("third", third)
    graph = builder.add_conditional_edges(START, fan, ["one"]).compile()
    with signals() as seen:
        assert graph.invoke({"width": 9}, {"max_concurrency": limit})["out"] == [*range(9)]
    assert seen.most <= limit


@pytest.mark.parametrize(("limit", "early"), [(1, 0), (2, 1)])
def test_under_a_limit_threads_run_ahead_too(limit: int, early: int) -> None:
    def one(item: int) -> Command[Any]:
        if limit > 1 and item == 1:
            heard("two")
        return Command(goto=[Send("two", item)])

    def two(item: int) -> State:
        say("two")
        return {"out": [item]}

    builder: Any = Alto(State)
    graph = builder.add_node("one", one, destinations=("two",)).add_node("two", two).add_conditional_edges(START, fan, ["one"])
    with signals() as seen:
        assert graph.compile().invoke({"width": 2}, {"max_concurrency": limit})["out"] == [0, 1]
    assert seen.ahead["two"] == early
