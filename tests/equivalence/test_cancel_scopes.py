"""Left by anyio's cancel scopes, which cancel again and again until they are left, a run ends as under stock, and all of it does.

Stock leaves nodes running there: what cancels them is cancelled itself.
"""

from __future__ import annotations

import asyncio
import operator
from typing import Annotated, Any

import anyio
import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START
from langgraph.types import Command, Send
from typing_extensions import TypedDict

from tests.adapters.signals import aheard, say, signals
from tests.equivalence.uneven import SIDES

CONFIG: dict[str, Any] = {"configurable": {"thread_id": "t"}}


class State(TypedDict, total=False):
    out: Annotated[list[str], operator.add]


async def first(item: int) -> Command[Any]:
    return Command(update={"out": [f"first {item}"]}, goto=[Send("second", item)])


async def second(item: int) -> State:
    """Cleans up slowly, which must be waited for."""
    try:
        say(f"second {item}")
        await asyncio.sleep(60)
    finally:
        for _ in range(5):
            with anyio.CancelScope(shield=True):
                await anyio.sleep(0)
        say(f"cleaned up {item}")
    return {}


async def slow(state: State) -> State:
    for _ in range(99):
        await asyncio.sleep(0)  # the others of its superstep are committed meanwhile
    say("slow")
    await asyncio.sleep(60)
    return {}


def build(side: Any) -> Any:
    graph = side(State).add_node("first", first, destinations=("second",)).add_node("second", second).add_node("slow", slow)
    graph.add_conditional_edges(START, lambda state: [Send("first", 0), Send("first", 1)], ["first"]).add_edge(START, "slow")
    return graph.compile(checkpointer=InMemorySaver())


def out(side: Any) -> set[str]:
    """What has begun when the scope is left."""
    return {"slow"} if side is SIDES[0] else {"slow", "second 0", "second 1"}


async def cancelled(side: Any, graph: Any) -> None:
    with anyio.CancelScope() as scope:
        async with anyio.create_task_group() as group:
            group.start_soon(graph.ainvoke, {}, CONFIG)
            await aheard(*out(side))
            scope.cancel()
    assert scope.cancelled_caught


async def moved_on(side: Any, graph: Any) -> None:
    with anyio.move_on_after(60) as scope:
        async with anyio.create_task_group() as group:
            group.start_soon(lower, scope, side)
            await graph.ainvoke({}, CONFIG)
    assert scope.cancelled_caught


async def failed(side: Any, graph: Any) -> None:
    async def in_time() -> None:
        with anyio.fail_after(60) as scope:
            async with anyio.create_task_group() as group:
                group.start_soon(lower, scope, side)
                await graph.ainvoke({}, CONFIG)

    with pytest.raises(TimeoutError):
        await in_time()


async def lower(scope: anyio.CancelScope, side: Any) -> None:
    """The deadline comes when as much has begun as can."""
    await aheard(*out(side))
    scope.deadline = anyio.current_time()


async def failing_beside(side: Any, graph: Any) -> None:
    """Another task of the group fails, and takes the run with it."""

    async def fail() -> None:
        await aheard(*out(side))
        raise ValueError("beside")

    async def beside() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(graph.ainvoke, {}, CONFIG)
            group.start_soon(fail)

    with pytest.raises(ExceptionGroup, match="TaskGroup"):
        await beside()


async def left(side: Any, graph: Any) -> None:
    """The stream is left open in a scope that ends."""
    with anyio.CancelScope() as scope:
        async for _ in graph.astream({}, CONFIG, stream_mode=["updates", "values"]):
            if scope.cancel_called:
                continue
            await aheard(*out(side))
            scope.cancel()
    assert scope.cancelled_caught


async def settled(before: set[Any]) -> None:
    """Waits for callbacks that LangChain shields."""
    async with asyncio.timeout(5):
        while asyncio.all_tasks() != before:
            await asyncio.sleep(0)


@pytest.mark.parametrize("leave", [cancelled, moved_on, failed, failing_beside, left])
def test_left_by(leave: Any) -> None:
    async def main(side: Any) -> Any:
        before = asyncio.all_tasks()
        graph = build(side)
        with signals() as told:
            await leave(side, graph)
            said = set(told.said)
        assert said == {*out(side), *(what.replace("second", "cleaned up") for what in out(side) - {"slow"})}
        if side is not SIDES[0]:
            await settled(before)
        state = await graph.aget_state(CONFIG)
        return state.values, state.next, [(task.name, task.result) for task in state.tasks]

    stock, alto = (anyio.run(main, side) for side in SIDES)
    assert stock == alto
