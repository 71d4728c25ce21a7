"""What code that is run again is answered."""

from __future__ import annotations

import asyncio

import pytest

from alto_langgraph.driver.producing import Answers, UnansweredError


async def test_code_that_asks_what_nobody_has_answered_ends_as_a_whole() -> None:
    """`asyncio.gather` would leave the others running if one raised."""
    answers, ended = Answers([]), []

    async def other() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("other")

    async def code() -> None:
        await asyncio.gather(other(), answers.ato("model", "a"), answers.ato("model", "b"))

    steps = asyncio.ensure_future(code())
    answers.begin(steps.cancel)
    with pytest.raises(asyncio.CancelledError):
        await steps
    assert answers.end()
    assert ended == ["other"]


async def test_what_it_began_and_does_not_wait_for_ends_with_it() -> None:
    answers = Answers([])
    aside = asyncio.ensure_future(answers.ato("model", "a"))
    answers.begin(lambda: None)
    await asyncio.sleep(0)
    assert not aside.done()
    assert answers.end()
    with pytest.raises(asyncio.CancelledError):
        await aside


async def test_without_anybody_to_give_it_up_it_raises() -> None:
    answers = Answers([])
    with pytest.raises(UnansweredError):
        await answers.ato("model", "a")
    assert not answers.end()
