"""Requests that are asked once, or ordered by a policy: with servers in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest

from alto_langgraph.adapters.vllm.admission import Admission
from alto_langgraph.adapters.vllm.asking_once import AskingOnce
from alto_langgraph.adapters.vllm.policy import ByAncestry
from alto_langgraph.adapters.vllm.ports import Request
from alto_langgraph.adapters.vllm.scheduling import Scheduled
from alto_langgraph.exceptions import ServerError
from alto_langgraph.protocols import Caller
from alto_langgraph.tags import Tag
from tests.vllm.servers import Answering, body, heard

SURE = Request(body("hello", temperature=0))
ANSWER = "one two three "


async def test_what_is_the_same_is_asked_once() -> None:
    server = Answering("a")
    once = AskingOnce(server)
    assert await asyncio.gather(*(heard(once, SURE) for _ in range(5))) == [ANSWER] * 5
    assert (len(server.asked), once.saved) == (1, 4)
    assert await heard(once, SURE) == ANSWER
    assert len(server.asked) == 2  # it was over


@pytest.mark.parametrize("fields", [{"temperature": 1}, {"temperature": 0, "logprobs": True}, {}])
async def test_what_may_differ_is_asked_each_time(fields: dict[str, object]) -> None:
    server = Answering("a")
    once = AskingOnce(server)
    await asyncio.gather(*(heard(once, Request(body("hello", **fields))) for _ in range(3)))
    assert len(server.asked) == 3


async def test_one_that_gives_up_leaves_the_others_their_answer_and_the_last_one_ends_it() -> None:
    server = Answering("a")
    server.gate.clear()
    once = AskingOnce(server)
    first, second = (asyncio.create_task(heard(once, SURE)) for _ in range(2))
    while not server.open:
        await asyncio.sleep(0)
    first.cancel()
    await asyncio.wait([first])
    assert server.open == 1
    server.gate.set()
    assert await second == ANSWER
    server.gate.clear()
    last = asyncio.create_task(heard(once, SURE))
    while not server.open:
        await asyncio.sleep(0)
    last.cancel()
    await asyncio.wait([last])
    assert server.open == 0


async def test_all_hear_of_an_error() -> None:
    once = AskingOnce(Answering("a", breaks=1))
    results = await asyncio.gather(*(heard(once, SURE) for _ in range(3)), return_exceptions=True)
    assert [type(result) for result in results] == [ServerError] * 3


async def test_each_request_gets_its_place_and_what_it_came_to_is_told() -> None:
    server, policy = Answering("a"), ByAncestry()
    scheduled = Scheduled(server, policy)
    old, young = (
        Caller(name, began, Tag((("node", 0),)), ahead=False, speculative=False) for name, began in (("old", 1.0), ("young", 2.0))
    )
    for number in range(20):  # it learns what kinds of runs there are
        policy.priority(seen := Caller(f"{number}", 0.0, old.tag, ahead=False, speculative=False), 0.0)
        policy.served(seen, 0, 1_000)
        policy.ended(seen.run)
    for who in (young, old):
        assert await heard(scheduled, Request(body("hello"), caller=who)) == ANSWER
    assert server.asked[1].priority < server.asked[0].priority
    assert policy._runs["old"].tokens == pytest.approx(3 + 7 / 16) and policy._runs["old"].asked == 0


async def test_what_nobody_wants_any_more_is_given_up_and_other_askers_keep_theirs() -> None:
    server, told = Answering("a"), list[Callable[[], None]]()
    server.gate.clear()
    scheduled = Scheduled(AskingOnce(server), ByAncestry())
    wanted = Caller("run", 1.0, Tag((("node", 0),)), ahead=True, speculative=False)
    unwanted = replace(wanted, on_unwanted=told.append)
    first, second = (asyncio.create_task(heard(scheduled, replace(SURE, caller=who))) for who in (unwanted, wanted))
    while not server.open or len(told) < 1:
        await asyncio.sleep(0)
    await asyncio.to_thread(told[0])
    with pytest.raises(asyncio.CancelledError):
        await first
    server.gate.set()
    assert await second == ANSWER


async def _until_open(server: Answering, number: int) -> None:
    while server.open < number:
        await asyncio.sleep(0)


class ByText:
    """The number that a request's run is called."""

    def priority(self, who: Caller | None, now: float) -> int:
        return int(who.run) if who is not None else 0

    def served(self, who: Caller | None, prompt: int, answer: int) -> None:
        pass

    def ended(self, run: str) -> None:
        pass


async def test_few_are_sent_at_a_time_and_the_others_wait_in_order_or_give_up() -> None:
    server = Answering("a")
    server.gate.clear()
    scheduled = Scheduled(server, ByText(), max_concurrency=2)

    def ask(run: str) -> asyncio.Task[str]:
        who = Caller(run, 0.0, Tag((("node", 0),)), ahead=False, speculative=False, remaining=0)
        return asyncio.create_task(heard(scheduled, Request(body(run), caller=who)))

    asking = {run: ask(run) for run in ("9", "8", "7", "1", "5", "3")}
    await _until_open(server, 2)
    for _ in range(10):
        await asyncio.sleep(0)
    assert server.open == 2
    asking["3"].cancel()
    await asyncio.wait([asking["3"]])
    server.gate.set()
    assert await asyncio.gather(*(task for run, task in asking.items() if run != "3")) == [ANSWER] * 5
    assert [request.caller.run for request in server.asked if request.caller] == ["9", "8", "1", "5", "7"]
    await asyncio.gather(*(ask("2") for _ in range(4)))
    assert server.open == 0


async def test_whoever_gives_up_at_the_moment_of_its_turn_leaves_it_to_the_next() -> None:
    admission = Admission(1)

    async def take(into: list[int], number: int) -> None:
        async with admission.place(number):
            into.append(number)

    taken: list[int] = []
    async with admission.place(0):
        first, second = (asyncio.create_task(take(taken, number)) for number in (1, 2))
        await asyncio.sleep(0)
    first.cancel()  # it has its turn, and hasn't gone on yet
    await asyncio.wait([first, second])
    assert first.cancelled() and taken == [2]
    await take(taken, 3)
    assert taken == [2, 3]
