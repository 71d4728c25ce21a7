"""What nobody wants any more leaves the engine: shown by the engine's own counters."""

from __future__ import annotations

import asyncio
import gc
import operator
import threading
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Annotated, Any, TypedDict

import pytest
from langgraph.types import Command, Send

from alto_langgraph.adapters.vllm import ChatVLLM
from alto_langgraph.graph import START, StateGraph
from benchmarks.serving_servers import Replica, figures
from tests.vllm.engine.marks import MARKS

pytestmark = MARKS
LONG: dict[str, Any] = {"max_tokens": 1_500, "ignore_eos": True}


def counted(llm: ChatVLLM, replicas: Any) -> Callable[[], Mapping[str, float]]:
    """Reads the counters of the engine, or of all of them."""
    if llm.base_url is None:
        prometheus = import_module("prometheus_client")
        return lambda: figures(prometheus.generate_latest(prometheus.REGISTRY).decode())

    def both() -> Mapping[str, float]:
        of_each = [replica.figures() for replica in replicas]
        return {key: sum(found.get(key, 0.0) for found in of_each) for found in of_each for key in found}

    return both


@pytest.fixture(params=["here", "there"])
def asked(request: pytest.FixtureRequest) -> tuple[ChatVLLM, Callable[[], Mapping[str, float]]]:
    llm = request.getfixturevalue(request.param)
    replicas = request.getfixturevalue("replicas") if request.param == "there" else ()
    return llm, counted(llm, replicas)


async def until(true: Callable[[], bool], seconds: float = 180) -> None:
    async with asyncio.timeout(seconds):
        while not await asyncio.to_thread(true):
            await asyncio.sleep(0.05)


def open_in(said: Mapping[str, float]) -> float:
    return said.get("vllm:num_requests_running", 0) + said.get("vllm:num_requests_waiting", 0)


async def left(read: Callable[[], Mapping[str, float]], before: Mapping[str, float], asked: int, answered: int = 0) -> None:
    """Waits until nothing is open in the engine, and sees that it hasn't computed what `asked` calls wanted, and computes no more."""
    await until(lambda: open_in(read()) == 0)
    after = read()
    finished, computed = (after[key] - before[key] for key in ("vllm:request_success_total", "vllm:generation_tokens_total"))
    assert finished == answered
    assert computed < asked * LONG["max_tokens"] * 0.9
    await asyncio.sleep(0.2)
    assert read()["vllm:generation_tokens_total"] == after["vllm:generation_tokens_total"]


async def test_a_thousand_cancelled_fragments_leave_nothing(asked: Any) -> None:
    llm, read = asked
    counted_before = read().get("vllm:request_success_total", 0)
    await llm.ainvoke("Hello")
    await until(lambda: read().get("vllm:request_success_total", 0) > counted_before)
    before, threads = read(), threading.active_count()
    calls = [asyncio.create_task(llm.ainvoke(f"Fragment {number}", **LONG)) for number in range(1_000)]
    await until(lambda: open_in(read()) >= 50)
    for call in calls:
        call.cancel()
    await asyncio.wait(calls)
    answered = [call for call in calls if not call.cancelled() and call.exception() is None]  # where the machine is busy enough
    assert len(answered) + sum(call.cancelled() for call in calls) == 1_000
    await left(read, before, 1_000, len(answered))
    assert threading.active_count() <= threads + 40  # the default executor's, which read the counters
    del calls
    gc.collect()
    assert (await llm.ainvoke("Hello")).content == (await llm.ainvoke("Hello")).content
    assert open_in(read()) == 0


async def test_no_more_are_in_the_engine_than_are_let_in(asked: Any) -> None:
    llm, read = asked
    few = llm.model_copy(update={"max_concurrency": 3})
    before = read()
    calls = [asyncio.create_task(few.ainvoke(f"One of few {number}", max_tokens=100, ignore_eos=True)) for number in range(30)]
    most = 0.0
    while not all(call.done() for call in calls):
        most = max(most, open_in(await asyncio.to_thread(read)))
        await asyncio.sleep(0.01)
    assert all(call.result().usage_metadata["output_tokens"] == 100 for call in calls)
    assert 1 <= most <= 3
    await until(lambda: read()["vllm:request_success_total"] == before["vllm:request_success_total"] + 30)


async def test_a_stream_that_is_left_is_aborted(asked: Any) -> None:
    llm, read = asked
    before = read()
    stream = llm.astream("Leave", **LONG)
    await anext(stream)
    await stream.aclose()
    await left(read, before, 1)


def test_a_stream_that_is_left_on_a_thread_is_aborted(asked: Any) -> None:
    llm, read = asked
    before = read()
    stream = llm.stream("Leave", **LONG)
    next(stream)
    stream.close()
    asyncio.run(left(read, before, 1))


class State(TypedDict):
    items: list[str]
    out: Annotated[list[str], operator.add]


@pytest.mark.parametrize("threads", [False, True])
async def test_early_tasks_of_a_run_that_fails_are_aborted(asked: Any, threads: bool) -> None:
    """One item fails in its first stage while the others are asking in their second one, ahead of the superstep."""
    llm, read = asked
    before = read()

    async def afirst(item: str) -> Any:
        if item == "bad":
            await until(lambda: open_in(read()) >= 2)
            raise RuntimeError("bad item")
        return Command(goto=Send("second", item))

    def first(item: str) -> Any:
        if item == "bad":
            asyncio.run(until(lambda: open_in(read()) >= 2))
            raise RuntimeError("bad item")
        return Command(goto=Send("second", item))

    async def asecond(item: str) -> Any:
        return {"out": [(await llm.ainvoke(item, **LONG)).content]}

    def second(item: str) -> Any:
        return {"out": [llm.invoke(item, **LONG).content]}

    nodes: Any = (first, second) if threads else (afirst, asecond)
    builder = StateGraph(State).add_node("first", nodes[0]).add_node("second", nodes[1])
    graph: Any = builder.add_conditional_edges(START, lambda state: [Send("first", item) for item in state["items"]], ["first"]).compile()
    given = {"items": ["one", "two", "bad"], "out": []}
    with pytest.raises(RuntimeError, match="bad item"):
        await (asyncio.to_thread(graph.invoke, given) if threads else graph.ainvoke(given))
    await left(read, before, 2)


def test_one_replica_or_the_other(replicas: tuple[Replica, Replica], there: ChatVLLM) -> None:
    """Requests that have nothing in common are spread over both."""
    before = [replica.figures()["vllm:request_success_total"] for replica in replicas]
    there.batch([f"{number} " * 100 for number in range(16)])
    after = [replica.figures()["vllm:request_success_total"] for replica in replicas]
    assert all(late > early for early, late in zip(before, after, strict=True))
