"""Whatever event loop a run is on, and however it was started, an app sees what it sees under stock."""

from __future__ import annotations

import asyncio
import operator
import sys
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Annotated, Any

import anyio
import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START
from langgraph.types import Command, Send
from typing_extensions import TypedDict

from alto_langgraph.comparison import Observation, difference
from tests.adapters.signals import Signals, aheard, heard, say
from tests.equivalence.uneven import SIDES, ahold_back, aseen, hold_back, mark, mark_on_a_thread, running_ahead, seen


class State(TypedDict, total=False):
    items: list[str]
    a: str
    b: str
    c: str
    out: Annotated[list[Any], operator.add]


async def afirst(item: str) -> Command[Any]:
    await ahold_back(item)
    return sends(item)


def first(item: str) -> Command[Any]:
    hold_back(item)
    return sends(item)


def sends(item: str) -> Command[Any]:
    return Command(update={"out": [f"first {item}"]}, goto=[Send("second", item), Send("mark", item)])


def second(item: str) -> State:
    return {"out": [f"second {item}"]}


async def asecond(item: str) -> State:
    return second(item)


async def aslow(state: State) -> State:
    if running_ahead():
        await aheard("after")
    return {"a": "slow"}


def slow(state: State) -> State:
    if running_ahead():
        heard("after")
    return {"a": "slow"}


def quick(state: State) -> State:
    return {"b": f"quick {len(state['items'])}"}


def after(state: State) -> State:
    say("after")
    return {"c": f"after {state['b']}"}


def last(state: State) -> State:
    return {"out": [(state["a"], state["c"])]}


def build(side: Any, sync: bool) -> Any:
    """Items through two stages by Sends, and quick -> after beside a slow sibling."""
    graph = side(State).add_node("first", first if sync else afirst, destinations=("second", "mark"))
    graph.add_node("second", second if sync else asecond).add_node("mark", mark_on_a_thread if sync else mark)
    graph.add_node("slow", slow if sync else aslow).add_node("quick", quick).add_node("after", after).add_node("last", last)
    graph.add_edge(START, "slow").add_edge(START, "quick").add_edge("quick", "after").add_edge(["slow", "after"], "last")
    graph.add_conditional_edges(START, lambda state: [Send("first", item) for item in state["items"]], ["first"])
    return graph.compile(checkpointer=InMemorySaver())


GIVEN = {"items": ["slow", "quick"]}
Seen = tuple[Observation, Signals]


async def both() -> list[Seen]:
    return [await aseen(build(side, False), side, GIVEN) for side in SIDES]


def alike(stock: Seen, alto: Seen) -> None:
    found = difference(stock[0], alto[0])
    assert found is None, str(found)
    assert alto[1].ahead["mark"] and alto[1].ahead["after"]


def on_uvloop(main: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    uvloop = pytest.importorskip("uvloop", reason="there is none for Windows")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(main())


def on_anyio(main: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    return anyio.run(main)


def in_a_task_group_of_anyio(main: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    got: list[Any] = []

    async def keep() -> None:
        got.append(await main())

    async def around() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(keep)

    anyio.run(around)
    return got[0]


def in_debug_mode(main: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    return asyncio.run(main(), debug=True)


def with_eager_tasks(main: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    async def eagerly() -> Any:
        if sys.version_info >= (3, 12):
            asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)
        return await main()

    return asyncio.run(eagerly())


LATER = pytest.mark.skipif(sys.version_info < (3, 12), reason="Python 3.12 is the first with eager tasks")
LOOPS = [on_uvloop, on_anyio, in_a_task_group_of_anyio, in_debug_mode, pytest.param(with_eager_tasks, marks=LATER)]


@pytest.mark.parametrize("on_a_loop", LOOPS)
def test_on_a_loop(on_a_loop: Any) -> None:
    async def main() -> list[Seen]:
        before = asyncio.all_tasks()
        got = await both()
        assert asyncio.all_tasks() == before
        return got

    alike(*on_a_loop(main))


async def test_invoke_inside_a_running_loop() -> None:
    """As in a notebook's cell."""
    alike(*(seen(build(side, True), side, GIVEN) for side in SIDES))
    alike(*await both())


TIMES = 6


def together(*calls: Callable[[], Any]) -> list[Any]:
    """Calls each on a thread of its own, all at once."""
    gate = threading.Barrier(len(calls))

    def call(one: Callable[[], Any]) -> Any:
        gate.wait()
        return one()

    with ThreadPoolExecutor(len(calls)) as threads:
        return [future.result() for future in [threads.submit(call, one) for one in calls]]


def of_thread(number: int) -> dict[str, Any]:
    return {"config": {"configurable": {"thread_id": f"t{number}"}}}


@pytest.mark.parametrize("sync", [True, False])
def test_one_graph_on_several_os_threads(sync: bool) -> None:
    """None has run it before, so they also work out together what may run ahead."""

    def run(graph: Any, side: Any, number: int) -> Seen:
        if sync:
            return seen(graph, side, GIVEN, **of_thread(number))
        return asyncio.run(aseen(graph, side, GIVEN, **of_thread(number)))

    stock, alto = (together(*(partial(run, graph, side, i) for i in range(TIMES))) for side in SIDES for graph in [build(side, sync)])
    for once, again in zip(stock, alto, strict=True):
        alike(once, again)


async def test_one_graph_in_several_tasks() -> None:
    async def run(graph: Any, side: Any) -> list[Seen]:
        tasks = [asyncio.create_task(aseen(graph, side, GIVEN, **of_thread(number))) for number in range(TIMES)]
        return list(await asyncio.gather(*tasks))

    stock, alto = [await run(build(side, False), side) for side in SIDES]
    for once, again in zip(stock, alto, strict=True):
        alike(once, again)
