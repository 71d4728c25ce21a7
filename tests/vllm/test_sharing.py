"""Requests that are asked once, or ordered by a policy: with servers in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest

from alto_langgraph.adapters.vllm.admission import Admission
from alto_langgraph.adapters.vllm.asking_once import AskingOnce
from alto_langgraph.adapters.vllm.policy import ByAncestry
from alto_langgraph.adapters.vllm.ports import Load, Request
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


def prioritized(text: str, **fields: object) -> Request:
    return Request(body(text, **fields), priority=int(text))


async def test_few_are_sent_at_a_time_and_the_others_wait_in_order_or_give_up() -> None:
    server = Answering("a")
    server.gate.clear()
    admission = Admission(server, 2)
    asking = {text: asyncio.create_task(heard(admission, prioritized(text))) for text in ("9", "8", "7", "1", "5", "3")}
    for _ in range(20):
        await asyncio.sleep(0)
    assert (server.open, await admission.load()) == (2, Load(0, 4))
    asking["3"].cancel()
    await asyncio.wait([asking["3"]])
    assert await admission.load() == Load(0, 3)
    server.gate.set()
    assert await asyncio.gather(*(task for text, task in asking.items() if text != "3")) == [ANSWER] * 5
    assert [request.priority for request in server.asked] == [9, 8, 1, 5, 7]
    assert await asyncio.gather(*(admission.embed(Request({"input": ["text"]})) for _ in range(4))) == [[[4.0]]] * 4
    assert (server.open, await admission.load()) == (0, Load(0, 0))


async def test_whoever_gives_up_at_the_moment_of_its_turn_leaves_it_to_the_next() -> None:
    server = Answering("a")
    server.gate.clear()
    admission = Admission(server, 1)
    before, first, second = (asyncio.create_task(heard(admission, prioritized(text))) for text in "123")
    while not server.open:
        await asyncio.sleep(0)
    server.gate.set()
    while not before.done():
        await asyncio.sleep(0)
    first.cancel()  # it has its turn, and hasn't gone on yet
    assert await asyncio.wait_for(second, 30) == ANSWER
    assert [request.priority for request in server.asked] == [1, 3]
    assert await heard(admission, prioritized("4")) == ANSWER


async def test_what_waits_to_be_sent_is_asked_once_too() -> None:
    server = Answering("a")
    once = AskingOnce(Admission(server, 1))
    asking = [heard(once, prioritized(text, temperature=0)) for text in "1222"]
    assert await asyncio.gather(*asking) == [ANSWER] * 4
    assert [request.priority for request in server.asked] == [1, 2]
