"""A fault at every stage of a run: an exception, a hang, a stall. What an app sees is stock's, then and when it goes on."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import pytest

from alto_langgraph.comparison import Observation, arecord, difference, record
from alto_langgraph.testing import jumping_clock
from tests.adapters.signals import Signals, signals
from tests.faults.app import BOTH, FOR_EVER, INPUT, Fault, built, struck_by
from tests.faults.left import nothing_left, tasks

AWAITED = ("node", "late node", "path", "get", "put", "put_writes", "store", "cache get", "cache set", "model", "retriever")
"""Places where an async app waits, and can be cancelled."""
PLACES = (*AWAITED, "reducer")
DURABILITIES = ("sync", "async")


def how(durability: str) -> dict[str, Any]:
    return {"config": {"configurable": {"thread_id": "t"}}, "durability": durability}


def seen(side: str, fault: Fault, durability: str, *, sync: bool) -> tuple[Observation, Signals]:
    """A run that is struck, and one that goes on where it ended."""
    graph = built(side, fault, sync=sync)

    async def run() -> Observation:
        observation = await arecord(graph, INPUT, then=(fault.heal,), **how(durability))
        assert tasks() == []
        return observation

    with struck_by(fault, side), signals() as told:
        if sync:
            return record(graph, INPUT, then=(fault.heal,), sync=True, **how(durability)), told
        return jumping_clock.run(run()), told


def cancelled(side: str, fault: Fault, durability: str) -> tuple[Observation, list[str]]:
    """A run that is cancelled once it hangs and nothing else is left to do, and one that goes on where it ended; and what was left."""
    graph = built(side, fault, sync=False)

    async def run() -> tuple[Observation, list[str]]:
        hanging = asyncio.create_task(arecord(graph, INPUT, **how(durability)))
        await asyncio.sleep(FOR_EVER / 2)
        assert not hanging.done()
        hanging.cancel()
        with suppress(asyncio.CancelledError):
            await hanging
        fault.heal()
        left = tasks()
        return await arecord(graph, None, **how(durability)), left

    with struck_by(fault, side), signals():
        return jumping_clock.run(run())


def same(stock: Observation, alto: Observation) -> None:
    apart = difference(stock, alto)
    assert apart is None, str(apart)


@pytest.mark.parametrize("sync", [False, True], ids=["async", "sync"])
@pytest.mark.parametrize("durability", DURABILITIES)
@pytest.mark.parametrize("kind", ["raise", "stall"])
@pytest.mark.parametrize("place", PLACES)
def test_an_exception_or_a_stall(place: str, kind: str, durability: str, sync: bool) -> None:
    found = {}
    for side in BOTH:
        fault = Fault(place, kind)
        with nothing_left():
            found[side] = seen(side, fault, durability, sync=sync)
        assert fault.struck, f"nothing struck {side}"
    same(found["stock"][0], found["alto"][0])
    first, then = found["stock"][0].turns
    assert (first.error is None) == (kind == "stall")
    begun = place != "get" or kind == "stall"  # else nothing was saved that could be gone on with
    assert (then.error is None) == begun
    assert found["alto"][1].ahead["second"] == begun


@pytest.mark.parametrize("durability", DURABILITIES)
@pytest.mark.parametrize("place", AWAITED)
def test_a_hang_that_is_cancelled(place: str, durability: str) -> None:
    found = {}
    for side in BOTH:
        fault = Fault(place, "hang")
        with nothing_left():
            found[side] = cancelled(side, fault, durability)
        assert fault.struck, f"nothing hung under {side}"
    same(found["stock"][0], found["alto"][0])
    assert found["alto"][1] == found["stock"][1], "what hangs as it saves is left by stock, too, but nothing else"
    assert place in ("put", "put_writes", "cache set") or found["alto"][1] == []
