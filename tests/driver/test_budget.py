"""A run's replays share one budget, in the order in which they wait; what others do on the event loop meanwhile isn't theirs."""

from __future__ import annotations

import asyncio
import contextvars
import gc
from time import thread_time
from typing import Any

import pytest

from alto_langgraph.driver.budget import GRACE, METER, SHARE, Budget, Meter, counted, metered


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def work(seconds: float) -> None:
    """Takes that much of a core."""
    end = thread_time() + seconds
    while thread_time() < end:
        pass


def test_all_together_take_no_more_than_their_share() -> None:
    clock = Clock()
    budget = Budget(clock)
    assert budget.turn("first") == 0
    budget.spend(GRACE + SHARE)
    assert budget.turn("second") == pytest.approx(1.0), "what one has taken, another one waits for"
    clock.now = 1.01
    assert budget.turn("second") == 0


def test_who_has_waited_longest_comes_first() -> None:
    clock = Clock()
    budget = Budget(clock)
    budget.spend(GRACE + SHARE)
    assert 0 < budget.turn("first") < budget.turn("second") < budget.turn("third")
    clock.now = 2.0
    assert budget.turn("new") > 0, "it would overtake those that wait"
    assert budget.turn("second") > 0
    assert budget.turn("first") == 0
    budget.leave("second")
    assert budget.turn("third") == 0
    assert budget.turn("new") == 0


async def test_only_what_the_work_itself_takes_counts() -> None:
    meter = Meter(Budget())

    async def waiting() -> str:
        work(0.01)
        for _ in range(3):
            await asyncio.sleep(0)
        await asyncio.sleep(0.03)
        work(0.01)
        return "done"

    async def other() -> None:
        await asyncio.sleep(0.001)
        work(0.1)

    beside = asyncio.create_task(other())
    assert await metered(waiting, meter) == "done"
    await beside
    assert 0.02 <= meter.spent < 0.08


async def test_tasks_of_its_own_count() -> None:
    meter = Meter(Budget())

    async def part() -> None:
        work(0.02)

    async def whole() -> None:
        await asyncio.create_task(part())
        await asyncio.gather(part(), part())

    await metered(whole, meter)
    assert meter.spent >= 0.06


async def test_works_that_wait_for_their_own_tasks_at_the_same_time_do_not_count_each_other() -> None:
    budget = Budget()
    meters = [Meter(budget) for _ in range(10)]

    async def part() -> None:
        await asyncio.sleep(0)
        work(0.005)
        await asyncio.create_task(asyncio.sleep(0))

    async def whole() -> None:
        await asyncio.create_task(part())
        await asyncio.gather(part(), part())

    async def other() -> None:
        for _ in range(10):
            await asyncio.sleep(0)
            work(0.01)

    await asyncio.gather(other(), *(metered(whole, meter) for meter in meters))
    assert 0.15 <= budget.spent < 0.2
    assert all(0.015 <= meter.spent < 0.03 for meter in meters)


async def test_a_task_that_is_cancelled_before_it_has_begun_leaves_nothing() -> None:
    begun: list[str] = []

    async def part() -> None:
        begun.append("part")

    async def whole() -> None:
        task = asyncio.create_task(part())
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    await metered(whole, Meter(Budget()))
    gc.collect()
    assert not begun


async def test_the_apps_own_task_factory_makes_the_tasks_and_stays() -> None:
    made: list[str] = []

    def factory(loop: asyncio.AbstractEventLoop, work: Any, **how: Any) -> Any:
        made.append("a task" if asyncio.iscoroutine(work) else "")
        return asyncio.Task(work, loop=loop, **how)

    async def part() -> str:
        return contextvars.copy_context()[METER].__class__.__name__

    async def whole() -> str:
        context = contextvars.copy_context()
        context.run(METER.set, meter)
        return await asyncio.create_task(part(), context=context, name="part")

    meter, loop = Meter(Budget()), asyncio.get_running_loop()
    loop.set_task_factory(factory)
    try:
        assert await metered(whole, meter) == "Meter"
        assert (made, loop.get_task_factory()) == (["a task"], factory)
    finally:
        loop.set_task_factory(None)


async def test_tasks_that_are_counted_themselves_count_once() -> None:
    meter = Meter(Budget())

    async def part() -> None:
        await asyncio.sleep(0)
        work(0.01)

    async def whole() -> None:
        METER.set(meter)
        await asyncio.create_task(counted(part)())

    async def other() -> None:
        work(0.1)

    beside = asyncio.create_task(metered(whole, meter))
    await asyncio.sleep(0)
    await asyncio.gather(beside, other())
    assert 0.01 <= meter.spent < 0.08


async def test_what_it_does_on_a_thread_counts() -> None:
    meter = Meter(Budget())
    function = counted(work)

    async def on_a_thread() -> None:
        METER.set(meter)
        context = contextvars.copy_context()
        await asyncio.get_running_loop().run_in_executor(None, context.run, function, 0.02)

    await asyncio.create_task(on_a_thread())
    function(0.0)
    assert meter.spent >= 0.02


async def test_what_is_raised_or_cancelled_goes_through() -> None:
    meter = Meter(Budget())

    async def failing() -> None:
        try:
            await asyncio.sleep(10)
        except asyncio.CancelledError:
            raise KeyError("closed") from None

    task = asyncio.create_task(metered(failing, meter))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(KeyError, match="closed"):
        await task
    assert meter.spent


async def test_what_is_cancelled_before_its_first_turn_leaves_nothing_that_nobody_has_awaited() -> None:
    async def never() -> None:
        raise AssertionError

    task = asyncio.create_task(metered(never, Meter(Budget())))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    gc.collect()


def test_what_the_garbage_collector_takes_is_not_the_codes() -> None:
    meter, heap = Meter(Budget()), [[place] for place in range(300_000)]
    began = thread_time()
    with meter.running():
        gc.collect()
    took = thread_time() - began
    assert heap
    assert meter.spent < took / 2
