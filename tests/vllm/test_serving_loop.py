"""The thread on which engines live: what comes from it comes in order and whole, and what nobody wants ends there."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Iterator
from contextvars import ContextVar

import pytest

from alto_langgraph.adapters.vllm.serving_loop import ServingLoop
from alto_langgraph.exceptions import ServerError

WHO: ContextVar[str] = ContextVar("WHO", default="nobody")


@pytest.fixture
def loop() -> Iterator[ServingLoop]:
    loop = ServingLoop()
    yield loop
    loop.close()


class Counting:
    """Counts up, and says when it has ended."""

    def __init__(self, to: int, *, fails: bool = False) -> None:
        self.to, self.fails = to, fails
        self.ended = threading.Event()
        self.thread = ""

    async def items(self) -> AsyncGenerator[int]:
        self.thread = threading.current_thread().name
        try:
            for number in range(self.to):
                yield number
                if not number % 7:
                    await asyncio.sleep(0)
            if self.fails:
                raise ServerError("It has failed.")
            await asyncio.sleep(60 if self.to < 10 else 0)
        finally:
            self.ended.set()


async def test_all_items_come_in_order_then_the_error(loop: ServingLoop) -> None:
    counting = Counting(5_000, fails=True)
    seen: list[int] = []

    async def listen() -> None:
        async for number in loop.stream(counting.items()):
            seen.append(number)

    with pytest.raises(ServerError, match="It has failed"):
        await listen()
    assert seen == [*range(5_000)]
    assert counting.thread == "alto-serving" != threading.current_thread().name


def test_the_same_on_a_thread(loop: ServingLoop) -> None:
    assert [*loop.stream_sync(Counting(5_000).items())] == [*range(5_000)]


async def test_a_stream_that_is_left_ends_there(loop: ServingLoop) -> None:
    counting = Counting(3)
    stream = loop.stream(counting.items())
    assert await anext(stream) == 0
    await stream.aclose()
    assert await asyncio.to_thread(counting.ended.wait, 5)


def test_a_stream_that_is_left_on_a_thread_ends_there(loop: ServingLoop) -> None:
    counting = Counting(3)
    stream = loop.stream_sync(counting.items())
    assert next(stream) == 0
    stream.close()
    assert counting.ended.wait(5)


async def test_a_task_that_waits_is_cancelled_there_too(loop: ServingLoop) -> None:
    ended = threading.Event()

    async def wait() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()

    waiting = asyncio.create_task(loop.ask(wait()))
    await asyncio.sleep(0.05)
    waiting.cancel()
    assert await asyncio.to_thread(ended.wait, 5)


async def test_what_ends_there_by_itself_is_an_error_here(loop: ServingLoop) -> None:
    async def given_up() -> AsyncGenerator[int]:
        yield 1
        raise asyncio.CancelledError

    with pytest.raises(ServerError, match="nobody wants its answer"):
        [number async for number in loop.stream(given_up())]


async def test_context_variables_go_along(loop: ServingLoop) -> None:
    async def who() -> str:
        return WHO.get()

    async def names() -> AsyncGenerator[str]:
        yield WHO.get()

    WHO.set("me")
    assert await loop.ask(who()) == "me"
    assert loop.ask_sync(who()) == "me"
    assert [name async for name in loop.stream(names())] == ["me"]
