"""A run that is cancelled at any turn of the event loop has ended at once, and goes on to the answer and the history of one that wasn't."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver

from alto_langgraph.comparison import Observation, arecord, difference
from alto_langgraph.comparison.plain import Thing
from alto_langgraph.testing.graph_runs import builder
from alto_langgraph.testing.graph_shapes import SHAPES, as_coroutines
from alto_langgraph.testing.jumping_clock import JumpingLoop
from tests.adapters.signals import Signals, signals
from tests.faults.app import BOTH
from tests.faults.left import nothing_left, tasks

INPUT: dict[str, Any] = {"seed": 7, "box": []}
CONFIG: dict[str, Any] = {"configurable": {"thread_id": "t"}}
NAMES = (
    "chain of sends",
    "fast and slow producers",
    "join beside sends",
    "loop of sends",
    "subgraph with a chain",
    "sends to a subgraph",
    "two nodes at a time",
)


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
    shape = SHAPES[name]
    return builder(as_coroutines(shape.graph, True))(BOTH[side], BOTH["stock"]).compile(checkpointer=InMemorySaver())


async def observed(graph: Any, name: str, given: Any) -> Observation:
    config = {**CONFIG, **SHAPES[name].config}
    return await arecord(graph, given, config=config, **SHAPES[name].how)


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
    with asyncio.Runner(loop_factory=Stopping) as runner, signals() as told:
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


@pytest.mark.parametrize("name", NAMES)
def test_at_any_turn(name: str) -> None:
    with asyncio.Runner(loop_factory=Stopping) as runner:
        expected = runner.run(observed(compiled(name, "stock"), name, INPUT))
    with nothing_left():
        told = every_turn(name, "alto", expected)
    assert told.ahead.total()


def test_the_proof_holds_for_stock() -> None:
    with asyncio.Runner(loop_factory=Stopping) as runner:
        expected = runner.run(observed(compiled(NAMES[0], "stock"), NAMES[0], INPUT))
    every_turn(NAMES[0], "stock", expected)
