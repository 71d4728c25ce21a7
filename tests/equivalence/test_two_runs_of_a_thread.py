"""Two runs of one thread at the same time mix what they save as they do under stock, as far as time allows: alto ends sooner."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from alto_langgraph.comparison import Observation, arecord, difference
from alto_langgraph.comparison.plain import plain
from alto_langgraph.testing import jumping_clock
from tests.adapters.signals import signals
from tests.equivalence.test_time_travel import CONFIG, build, snapshots
from tests.equivalence.uneven import SIDES


async def two(side: Any, later: float) -> tuple[list[Observation], int]:
    graph = build(side)

    async def second() -> Observation:
        await asyncio.sleep(later)
        return await arecord(graph, {"seed": 2}, config=CONFIG)

    with signals() as told:
        runs = await asyncio.gather(arecord(graph, {"seed": 1}, config=CONFIG), second())
        history = Observation((), tuple(map(plain, await snapshots(graph))))
        then = await arecord(graph, {"seed": 3}, config=CONFIG)
    return [*runs, history, then], sum(told.ahead.values())


@pytest.mark.parametrize("later", [0.25, 1.25, 5.25, 9.75, 12.25, 19.25])
def test_two_runs_of_a_thread(later: float) -> None:
    (stock, _), (alto, ahead) = (jumping_clock.run(two(side, later)) for side in SIDES)
    for once, again in zip(stock, alto, strict=True):
        found = difference(once, again)
        assert found is None, str(found)
    assert ahead
