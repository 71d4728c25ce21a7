"""What is asked at the same time goes into few calls, and each asker gets what a call of its own would have given."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import pytest

from alto_langgraph.adapters.batching import Batching
from alto_langgraph.adapters.batching.batcher import Batcher, shared
from alto_langgraph.exceptions import OptionsError

WAIT = 10.0
"""Seconds after which a test gives up waiting for a thread."""


class Doubling:
    """A call that can be held up, fails on some items, and remembers how it was made."""

    def __init__(self, *wrong: int) -> None:
        self.wrong, self.made, self.threads = wrong, [], []
        self.begun, self.may_go = threading.Semaphore(0), threading.Event()
        self.may_go.set()

    def __call__(self, key: Any, items: list[int]) -> list[Any]:
        self.made.append((key, list(items)))
        self.threads.append(threading.get_ident())
        self.begun.release()
        assert self.may_go.wait(WAIT)
        for item in items:
            if item in self.wrong:
                raise LookupError(f"{item} is wrong")
        return [(key, 2 * item) for item in items]

    @property
    def sizes(self) -> list[int]:
        return [len(items) for _, items in self.made]


@contextmanager
def one_under_way(call: Doubling, batcher: Batcher, item: int = 0) -> Iterator[None]:
    """While a thread's call is held up; it ends with the block."""
    call.may_go.clear()
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(batcher.ask, "key", item)
        try:
            assert call.begun.acquire(timeout=WAIT)
            yield
        finally:
            call.may_go.set()
        assert first.result(WAIT) == ("key", 2 * item)


def patient(**kwargs: Any) -> Batching:
    return Batching(patience=WAIT, **kwargs)


def test_one_that_asks_alone_is_answered_on_its_own_thread() -> None:
    call = Doubling()
    assert Batcher(call, Batching()).ask("key", 4) == ("key", 8)
    assert call.threads == [threading.get_ident()]


def test_an_error_of_one_that_asks_alone_is_raised_as_it_is() -> None:
    with pytest.raises(LookupError, match="4 is wrong"):
        Batcher(Doubling(4), Batching()).ask("key", 4)


async def test_what_is_asked_while_a_call_is_under_way_is_one_call_by_key() -> None:
    call = Doubling()
    batcher = Batcher(call, patient())
    with one_under_way(call, batcher):
        asked = [asyncio.create_task(batcher.aask(key, item)) for item in range(20) for key in ("key", "other")]
        await asyncio.sleep(0)
    assert await asyncio.gather(*asked) == [(key, 2 * item) for item in range(20) for key in ("key", "other")]
    assert call.made == [("key", [0]), ("key", list(range(20))), ("other", list(range(20)))]
    assert (batcher.asked, batcher.called) == (41, 3)


def test_threads_and_event_loops_share_a_call() -> None:
    call = Doubling()
    batcher = Batcher(call, patient())

    async def several(first: int) -> list[Any]:
        return await asyncio.gather(*(batcher.aask("key", item) for item in range(first, first + 3)))

    with ThreadPoolExecutor(8) as pool:
        with one_under_way(call, batcher):
            loops = [pool.submit(asyncio.run, several(first)) for first in (10, 20)]
            threads = [pool.submit(batcher.ask, "key", item) for item in (1, 2)]
            until(lambda: sum(map(len, batcher._waiting.values())) == 8)
        assert [future.result(WAIT) for future in threads] == [("key", 2), ("key", 4)]
        assert [future.result(WAIT) for future in loops] == [[("key", 2 * (first + more)) for more in range(3)] for first in (10, 20)]
    assert call.sizes == [1, 8]


def until(true: Callable[[], bool]) -> None:
    for _ in range(1000):
        if true():
            return
        threading.Event().wait(WAIT / 1000)
    raise AssertionError("It didn't come to that.")


@pytest.mark.parametrize("wrong", [[3], [0, 19], list(range(20))])
async def test_an_error_reaches_only_those_who_have_caused_it(wrong: list[int]) -> None:
    call = Doubling(*wrong)
    batcher = Batcher(call, patient())
    with one_under_way(call, batcher, 99):
        asked = [asyncio.create_task(batcher.aask("key", item)) for item in range(20)]
        await asyncio.sleep(0)
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert [item for item, answer in enumerate(answers) if isinstance(answer, LookupError)] == wrong
    assert all(str(answer) == f"{item} is wrong" for item, answer in enumerate(answers) if item in wrong)
    assert all(answer == ("key", 2 * item) for item, answer in enumerate(answers) if item not in wrong)
    assert len(call.made) <= 1 + 2 * 20


async def test_an_error_that_is_everyones_isnt_looked_for_in_halves_and_each_gets_one_of_its_own() -> None:
    call = Doubling(7)
    batcher = Batcher(call, patient(), lambda error: isinstance(error, LookupError))
    with one_under_way(call, batcher, 99):
        asked = [asyncio.create_task(batcher.aask("key", item)) for item in range(20)]
        await asyncio.sleep(0)
    errors = await asyncio.gather(*asked, return_exceptions=True)
    assert {str(error) for error in errors} == {"7 is wrong"}
    assert len({id(error) for error in errors}) == 20
    assert call.sizes == [1, 20]


async def test_an_error_that_no_future_takes_reaches_its_asker_all_the_same() -> None:
    def call(key: Any, items: list[int]) -> list[int]:
        raise StopIteration

    with pytest.raises(RuntimeError, match="StopIteration"):
        await Batcher(call, Batching()).aask("key", 1)


async def test_a_call_that_gives_too_few_answers_is_made_for_each() -> None:
    def call(key: Any, items: list[int]) -> list[int]:
        return [2 * item for item in items][:1]

    batcher = Batcher(call, patient())
    asked = [batcher.aask("key", item) for item in range(20)]
    assert await asyncio.gather(*asked) == [2 * item for item in range(20)]


async def test_who_is_cancelled_takes_nothing_from_the_others() -> None:
    call = Doubling()
    batcher = Batcher(call, patient())
    with one_under_way(call, batcher):
        asked = [asyncio.create_task(batcher.aask("key", item)) for item in range(4)]
        await asyncio.sleep(0)
        asked[1].cancel()
        await asyncio.sleep(0)
    assert await asyncio.gather(*asked[:1], *asked[2:]) == [("key", 0), ("key", 4), ("key", 6)]
    assert asked[1].cancelled()
    assert call.made[1] == ("key", [0, 2, 3])


async def test_who_is_cancelled_during_the_call_takes_nothing_from_the_others() -> None:
    call = Doubling()
    call.may_go.clear()
    batcher = Batcher(call, patient(calls=2))
    asked = [asyncio.create_task(batcher.aask("key", item)) for item in range(4)]
    await asyncio.sleep(0)
    await asyncio.to_thread(call.begun.acquire, timeout=WAIT)
    asked[0].cancel()
    await asyncio.sleep(0)
    call.may_go.set()
    assert await asyncio.gather(*asked[1:]) == [("key", 2), ("key", 4), ("key", 6)]
    assert asked[0].cancelled()


async def test_a_slow_call_keeps_nobody_waiting_beyond_the_patience() -> None:
    call = Doubling()
    batcher = Batcher(call, Batching(patience=0.0))
    with one_under_way(call, batcher):
        asked = [asyncio.create_task(batcher.aask("key", item)) for item in range(4)]
        await asyncio.sleep(0)
        assert await asyncio.to_thread(call.begun.acquire, timeout=WAIT)  # beside the other, which is still held up
    assert await asyncio.gather(*asked) == [("key", 2 * item) for item in range(4)]


async def test_a_full_batch_waits_for_nothing() -> None:
    call = Doubling()
    batcher = Batcher(call, patient(size=10))
    with one_under_way(call, batcher):
        asked = [asyncio.create_task(batcher.aask("key", item)) for item in range(10)]
        await asyncio.sleep(0)
        assert await asyncio.to_thread(call.begun.acquire, timeout=WAIT)
        assert call.sizes == [1, 10]
    await asyncio.gather(*asked)


async def test_batches_keep_to_their_size_by_weight() -> None:
    call = Doubling()
    batcher = Batcher(call, patient(size=10))
    with one_under_way(call, batcher):
        asked = [asyncio.create_task(batcher.aask("key", item, 4.0)) for item in range(5)]
        asked.append(asyncio.create_task(batcher.aask("key", 5, 40.0)))
        await asyncio.sleep(0)
    await asyncio.gather(*asked)
    assert call.sizes == [1, 2, 2, 1, 1]


async def test_several_calls_share_what_waits() -> None:
    call = Doubling()
    call.may_go.clear()
    batcher = Batcher(call, patient(calls=2))
    with batcher._changed:  # so that nobody takes anything before all are there
        asked = [asyncio.create_task(batcher.aask("key", item)) for item in range(40)]
        await asyncio.sleep(0)
    for _ in range(2):
        assert await asyncio.to_thread(call.begun.acquire, timeout=WAIT)
    call.may_go.set()
    assert await asyncio.gather(*asked) == [("key", 2 * item) for item in range(40)]
    assert call.sizes == [20, 20]


async def test_flushing_answers_what_waits() -> None:
    call = Doubling()
    batcher = Batcher(call, patient())
    with one_under_way(call, batcher), ThreadPoolExecutor(1) as pool:
        asked = [asyncio.create_task(batcher.aask("key", item)) for item in range(4)]
        await asyncio.sleep(0)
        flushing = pool.submit(batcher.flush)
        assert await asyncio.to_thread(call.begun.acquire, timeout=WAIT)
        assert call.made[1] == ("key", [0, 1, 2, 3])
        call.may_go.set()
        await asyncio.to_thread(flushing.result, WAIT)
    assert await asyncio.gather(*asked) == [("key", 2 * item) for item in range(4)]


def test_flushing_returns_after_what_is_under_way() -> None:
    call = Doubling()
    batcher = Batcher(call, patient())
    with ThreadPoolExecutor(1) as pool:
        with one_under_way(call, batcher):
            flushing = pool.submit(batcher.flush)
            until(lambda: len(batcher._running) == 1)  # has looked, and waits
            with pytest.raises(TimeoutError):
                flushing.result(0.1)
        flushing.result(WAIT)


async def test_flushing_on_the_event_loop_itself_waits_for_nothing_that_needs_the_loop() -> None:
    call = Doubling()
    batcher = Batcher(call, patient(calls=2))
    asked = [asyncio.create_task(batcher.aask("key", item)) for item in range(30)]
    await asyncio.sleep(0)
    batcher.flush()
    assert not batcher._waiting and not batcher._running
    assert await asyncio.gather(*asked) == [("key", 2 * item) for item in range(30)]


async def test_a_batch_runs_in_the_context_of_its_first() -> None:
    who: ContextVar[str] = ContextVar("who", default="nobody")
    batcher = Batcher(lambda key, items: [who.get()] * len(items), patient())

    async def asking(name: str) -> Any:
        who.set(name)
        return await batcher.aask("key", 1)

    with batcher._changed:
        asked = [asyncio.create_task(asking(name)) for name in ("one", "two")]
        await asyncio.sleep(0)
    assert await asyncio.gather(*asked) == ["one", "one"]


async def test_an_event_loop_that_is_closed_meanwhile_harms_nobody() -> None:
    call = Doubling()
    call.may_go.clear()
    batcher = Batcher(call, patient())

    async def leave() -> None:
        asyncio.create_task(batcher.aask("key", 1)).add_done_callback(lambda task: task.cancelled())
        await asyncio.sleep(0)
        assert await asyncio.to_thread(call.begun.acquire, timeout=WAIT)

    await asyncio.to_thread(asyncio.run, leave())
    call.may_go.set()
    assert await batcher.aask("key", 2) == ("key", 4)


def test_the_same_thing_is_shared_as_long_as_somebody_has_it() -> None:
    one = shared("name", lambda: Batcher(Doubling(), Batching()))
    assert shared("name", lambda: Batcher(Doubling(), Batching())) is one
    del one
    call = Doubling()
    other = shared("name", lambda: Batcher(call, Batching()))
    assert other._call is call


@pytest.mark.parametrize("wrong", [{"size": 0}, {"calls": 0}, {"patience": -1.0}, {"patience": float("nan")}])
def test_what_cant_be_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(OptionsError, match="at least"):
        Batching(**wrong)
