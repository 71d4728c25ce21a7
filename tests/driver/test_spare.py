"""Early runs that aren't adopted take one place less than there are, in the order in which they came."""

from __future__ import annotations

import asyncio
from functools import partial

from alto_langgraph.driver.early import Early
from alto_langgraph.driver.spare import Spare
from alto_langgraph.tags import Tag


def early(name: str) -> Early:
    return Early(Tag(((name, 1),)), name, 1, outer=None, live=False, on_route=lambda early: None)


async def begin(spare: Spare, *names: str) -> tuple[list[Early], list[asyncio.Task[None]]]:
    runs = [early(name) for name in names]
    for run in runs:
        run.leave = partial(spare.leave, run)
    tasks = [asyncio.create_task(spare.passage(run)) for run in runs]
    await settled()
    return runs, tasks


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def through(tasks: list[asyncio.Task[None]]) -> list[bool]:
    return [task.done() and not task.cancelled() for task in tasks]


async def test_those_beyond_the_places_wait_until_one_is_left() -> None:
    spare = Spare(2)
    runs, tasks = await begin(spare, "a", "b", "c", "d")
    assert through(tasks) == [True, True, False, False]
    runs[1].leave()
    await settled()
    assert through(tasks) == [True, True, True, False]
    for task in tasks:
        task.cancel()


async def test_who_is_adopted_waits_no_longer_and_gives_its_place_to_the_next() -> None:
    spare = Spare(1)
    runs, tasks = await begin(spare, "a", "b", "c")
    runs[2].adopt(None)
    await settled()
    assert through(tasks) == [True, False, True], "it needs no place that others hold"
    runs[2].leave()
    await settled()
    assert through(tasks) == [True, False, True], "so it has none to leave"
    runs[0].adopt(None)
    await settled()
    assert through(tasks) == [True, True, True]


async def test_who_is_cancelled_while_it_waits_takes_no_place() -> None:
    spare = Spare(1)
    runs, tasks = await begin(spare, "a", "b", "c")
    tasks[1].cancel()
    await settled()
    runs[1].leave()
    runs[0].leave()
    await settled()
    assert through(tasks) == [True, False, True]


def test_on_a_thread() -> None:
    spare, first = Spare(1), early("a")
    spare.wait(first)
    late = early("b")
    late.adopted = True
    spare.wait(late)
    spare.leave(first)
    spare.wait(early("c"))
