"""A run that is cancelled at any turn of the event loop has ended at once, and goes on to the answer and the history of one that wasn't."""

from __future__ import annotations

import asyncio
import operator
from collections.abc import Callable
from contextlib import suppress
from typing import Annotated, Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command, Send
from typing_extensions import TypedDict

from alto_langgraph.comparison import Observation, arecord, difference
from alto_langgraph.comparison.plain import Thing
from alto_langgraph.graph import START
from alto_langgraph.testing.jumping_clock import JumpingLoop
from tests.adapters.signals import Signals, signals
from tests.faults.app import BOTH
from tests.faults.left import nothing_left, tasks

CONFIG: dict[str, Any] = {"configurable": {"thread_id": "t"}}
INPUT: dict[str, Any] = {"items": [3, 0, 1]}
AGAIN: dict[str, Any] = {"metadata": {"effects": "idempotent"}}


class State(TypedDict, total=False):
    items: list[int]
    out: Annotated[list[str], operator.add]
    a: int
    b: int


async def begin(state: State) -> Command[Any]:
    return Command(goto=[Send("first", item) for item in state["items"]])


async def first(item: int) -> Command[Any]:
    await asyncio.sleep(item)
    return Command(update={"out": [f"first {item}"]}, goto=Send("second", item))


async def second(item: int) -> Command[Any]:
    await asyncio.sleep(1)
    return Command(update={"out": [f"second {item}"]}, goto=Send("third", item))


async def third(item: int) -> State:
    await asyncio.sleep(item / 2)
    return {"out": [f"third {item}"]}


async def slow(state: State) -> State:
    await asyncio.sleep(5)
    return {"a": 1}


async def quick(state: State) -> State:
    await asyncio.sleep(1)
    return {"b": 2}


async def after(state: State) -> State:
    await asyncio.sleep(1)
    return {"out": [f"after {state['b']}"]}


async def last(state: State) -> State:
    return {"out": [f"last {state.get('a')} {state.get('b')} of {len(state['out'])}"]}


def sends(side: Any) -> Any:
    """Three items, each its way through three stages."""
    graph = side(State).add_node("first", first, destinations=("second",)).add_node("second", second, destinations=("third",))
    graph.add_node("third", third).add_node("last", last).add_edge("third", "last")
    return graph.add_node("begin", begin, destinations=("first",)).add_edge(START, "begin")


def edges(side: Any) -> Any:
    """`slow` beside quick -> after, and both -> last."""
    graph = side(State).add_node("slow", slow).add_node("quick", quick).add_node("after", after).add_node("last", last)
    return graph.add_edge(START, "slow").add_edge(START, "quick").add_edge("quick", "after").add_edge(["slow", "after"], "last")


def chain(side: Any) -> Any:
    """Stages that need nothing of each other, and may be repeated."""
    graph = side(State)
    for node in (slow, quick, after, last):
        graph.add_node(node.__name__, node, **AGAIN)
    return graph.add_edge(START, "slow").add_edge("slow", "quick").add_edge("quick", "after").add_edge("after", "last")


def inner(side: Any) -> Any:
    """The three items in a subgraph, beside `slow`."""
    graph = side(State).add_node("inside", sends(side).compile()).add_node("slow", slow).add_node("after", after)
    return (
        graph.add_edge(START, "inside")
        .add_edge(START, "slow")
        .add_edge("slow", "quick")
        .add_node("quick", quick)
        .add_edge("quick", "after")
    )


def limited(side: Any) -> Any:
    """The three items, two tasks at a time."""
    return sends(side)


SHAPES: dict[str, Callable[[Any], Any]] = {shape.__name__: shape for shape in (sends, edges, chain, inner, limited)}
"""None with a conditional edge: LangGraph itself loses what follows, if a task is cancelled on its way from the node to its edge."""


class Stopping(JumpingLoop):
    """Calls something after so many turns."""

    turns = 0
    last: int | None = None
    call: Callable[[], object]

    def _run_once(self) -> None:
        if self.last is not None:
            self.turns += 1
            if self.turns == self.last:
                self.call()
        super()._run_once()  # type: ignore[misc]


def compiled(name: str, side: str) -> Any:
    return SHAPES[name](BOTH[side]).compile(checkpointer=InMemorySaver())


async def observed(graph: Any, name: str, given: Any) -> Observation:
    return await arecord(graph, given, config={**CONFIG, "max_concurrency": 2 if name == "limited" else None})


async def cancelled(loop: Stopping, graph: Any, name: str, turns: int) -> tuple[bool, Observation]:
    """Whether a run ended by being cancelled after so many turns; and what one that goes on where it ended shows."""
    run = loop.create_task(observed(graph, name, INPUT))
    loop.turns, loop.last, loop.call = 0, turns, run.cancel
    with suppress(asyncio.CancelledError):
        await run
    loop.last = None
    assert tasks() == [], f"left after {turns} turns"
    saved = (await graph.aget_state(CONFIG)).created_at is not None
    return run.cancelled(), await observed(graph, name, None if saved else INPUT)


def lasting(seen: Observation) -> Observation:
    """What stays of a run: its history, without the errors that say that a task was cancelled once."""
    return Observation((), tuple(Thing(row.kind, {key: row.parts[key] for key in row.parts.keys() - {"tasks"}}) for row in seen.history))


def every_turn(name: str, side: str, expected: Observation) -> Signals:
    """Cancels runs after one turn, after two, and so on, until one has ended before."""
    with signals() as told, asyncio.Runner(loop_factory=Stopping) as runner:
        loop: Any = runner.get_loop()
        turns, went_on = 0, True
        while went_on:
            turns += 1
            graph = compiled(name, side)
            went_on, seen = runner.run(cancelled(loop, graph, name, turns))
            assert seen.output == expected.output, f"after {turns} turns"
            apart = difference(lasting(expected), lasting(seen))
            assert apart is None, f"after {turns} turns: {apart}"
    assert turns > 10
    return told


def uncancelled(name: str) -> Observation:
    with asyncio.Runner(loop_factory=Stopping) as runner:
        return runner.run(observed(compiled(name, "stock"), name, INPUT))


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.filterwarnings("ignore:coroutine '_?arun_.* was never awaited")  # while it waits for a place; LangGraph's own is left so, too
def test_at_any_turn(name: str) -> None:
    with nothing_left():
        told = every_turn(name, "alto", uncancelled(name))
    assert told.ahead.total()


@pytest.mark.parametrize("name", ["sends", "edges"])
def test_the_proof_holds_for_stock(name: str) -> None:
    every_turn(name, "stock", uncancelled(name))
