"""Several servers as one: a request moves when its server is gone, and an app sees the same answer or one clear error."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alto_langgraph.adapters.vllm import tries
from alto_langgraph.adapters.vllm.placing import BLOCK, Placing, blocks
from alto_langgraph.adapters.vllm.pool import Pool
from alto_langgraph.adapters.vllm.ports import Load, Request
from alto_langgraph.exceptions import ServerError
from tests.vllm.servers import Answering, body, heard

SURE = Request(body("hello", temperature=0))
ANSWER = "one two three "


def first_of(pool: Pool, servers: list[Answering]) -> tuple[Answering, Answering]:
    """The server that the pool would ask, and the other."""
    chosen = pool._choose(blocks(""), set()).server
    return next(s for s in servers if s is chosen), next(s for s in servers if s is not chosen)


async def test_a_server_that_is_gone_is_not_noticed() -> None:
    servers = [Answering("a"), Answering("b")]
    pool = Pool(servers)
    gone, other = first_of(pool, servers)
    gone.breaks = 0
    assert await heard(pool, SURE) == ANSWER
    assert (len(gone.asked), len(other.asked), pool.moved) == (1, 1, 1)
    assert await heard(pool, SURE) == ANSWER
    assert len(gone.asked) == 1  # nobody asks it any more


@pytest.mark.parametrize("breaks", [1, 2])
async def test_an_answer_that_broke_off_goes_on_elsewhere_if_it_is_the_same_every_time(breaks: int) -> None:
    servers = [Answering("a"), Answering("b")]
    pool = Pool(servers)
    first_of(pool, servers)[0].breaks = breaks
    assert await heard(pool, SURE) == ANSWER


async def test_an_answer_that_chance_has_made_is_not_completed_elsewhere() -> None:
    servers = [Answering("a"), Answering("b")]
    pool = Pool(servers)
    first, other = first_of(pool, servers)
    first.breaks = 1
    with pytest.raises(ServerError, match="broke off in the middle"):
        await heard(pool, Request(body("hello", temperature=1)))
    assert not other.asked


async def test_another_answer_is_not_taken_for_the_rest() -> None:
    servers = [Answering("a"), Answering("b")]
    pool = Pool(servers)
    first, other = first_of(pool, servers)
    first.breaks, other.answer = 2, "one else"
    with pytest.raises(ServerError, match="answers otherwise"):
        await heard(pool, SURE)


async def test_a_silent_server_loses_its_requests() -> None:
    servers = [Answering("a"), Answering("b")]
    pool = Pool(servers, silence=0.05)
    first = first_of(pool, servers)[0]
    first.breaks, first.silent = 1, True
    assert await heard(pool, SURE) == ANSWER
    assert first.open == 0


@pytest.mark.parametrize("dead", [False, True])
async def test_a_server_that_says_nothing_before_the_end_is_asked_how_it_is(dead: bool) -> None:
    servers = [Answering("a"), Answering("b")]
    pool = Pool(servers, silence=0.03)
    first, other = first_of(pool, servers)
    first.gate.clear()
    if dead:
        first.breaks, first.silent = 1, True
    answer = asyncio.create_task(heard(pool, replace(SURE, streamed=False)))
    await asyncio.sleep(0.2)
    assert (answer.done(), len(other.asked)) == (dead, int(dead))
    first.gate.set()
    assert await answer == ANSWER


async def test_all_servers_are_tried_again_after_a_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tries, "PAUSE", 0.0)
    servers = [Answering("a", breaks=0), Answering("b", breaks=0)]
    with pytest.raises(ServerError, match=r"None of 2 servers answers: a, b\. The last one: . is gone"):
        await heard(Pool(servers, retries=2), SURE)
    assert [len(server.asked) for server in servers] == [3, 3]


async def test_where_none_answers_there_is_one_clear_error() -> None:
    pool = Pool([Answering("a", breaks=0), Answering("b", breaks=0)])
    with pytest.raises(ServerError, match="None of 2 servers answers: a, b"):
        await heard(pool, SURE)
    with pytest.raises(ServerError, match="None of 2 servers"):
        await pool.embed(["text"])
    with pytest.raises(ServerError, match="No server of the pool"):
        await pool.load()


async def test_what_is_wrong_with_the_request_is_not_asked_elsewhere() -> None:
    class Refusing(Answering):
        async def chat(self, request: Request):
            self.asked.append(request)
            raise ServerError("The prompt is too long.", elsewhere=False)
            yield {}

    servers = [Refusing("a"), Refusing("b")]
    with pytest.raises(ServerError, match="too long"):
        await heard(Pool(servers), SURE)
    assert sum(len(server.asked) for server in servers) == 1


async def test_a_server_that_is_back_is_asked_again() -> None:
    servers = [Answering("a"), Answering("b")]
    pool = Pool(servers, recheck=0.01)
    gone = first_of(pool, servers)[0]
    gone.breaks = 0
    await heard(pool, SURE)
    gone.breaks = None
    for _ in range(200):
        await asyncio.sleep(0.01)
        await heard(pool, SURE)
        if len(gone.asked) > 1:
            break
    assert len(gone.asked) > 1
    await pool.close()


async def test_draining_waits_for_what_is_being_answered() -> None:
    servers = [Answering("a"), Answering("b")]
    pool = Pool(servers)
    first = first_of(pool, servers)[0]
    first.gate.clear()
    answer = asyncio.create_task(heard(pool, SURE))
    while not first.open:
        await asyncio.sleep(0)
    draining = asyncio.create_task(pool.drain(first.name))
    await asyncio.sleep(0.01)
    assert not draining.done()
    first.gate.set()
    assert await answer == ANSWER
    assert await draining is first
    assert await heard(pool, SURE) == ANSWER and len(first.asked) == 1


async def test_cancelled_requests_leave_nothing_behind() -> None:
    servers = [Answering("a"), Answering("b")]
    for server in servers:
        server.gate.clear()
    pool = Pool(servers)
    asking = [asyncio.create_task(heard(pool, Request(body(str(number))))) for number in range(1_000)]
    while sum(server.open for server in servers) < 1_000:
        await asyncio.sleep(0)
    for task in asking:
        task.cancel()
    await asyncio.wait(asking)
    assert [server.open for server in servers] == [0, 0]
    assert [replica.open for replica in pool._replicas.values()] == [0, 0]


async def test_a_pool_is_as_busy_as_all_its_servers() -> None:
    one, other = Answering("a"), Answering("b")
    one.busy, other.busy = 2, 3
    assert await Pool([one, other]).load() == Load(5, 0)


# ---- where prompts go


def prompt(*parts: str) -> tuple[bytes, ...]:
    return blocks("".join(part.ljust(BLOCK) for part in parts))


def test_what_begins_alike_goes_to_the_same_replica() -> None:
    placing = Placing()
    for name in "ab":
        placing.came(name)
    home = placing.choose(prompt("system", "one"), {"a": 0, "b": 0})
    placing.sent(home, prompt("system", "one"))
    assert placing.choose(prompt("system", "two"), {"a": 0, "b": 0}) == home
    assert placing.known(home, prompt("system", "two")) == 1


def test_a_replica_that_is_much_busier_is_passed_by() -> None:
    placing = Placing(slack=2)
    home = placing.choose(prompt("system"), {"a": 0, "b": 0})
    for _ in range(3):
        placing.sent(home, prompt("system"))
    assert placing.choose(prompt("system"), {"a": 0, "b": 0}) != home


@given(st.integers(2, 6), st.lists(st.text("xyz", min_size=1, max_size=4), min_size=20, max_size=40, unique=True))
def test_few_prompts_move_when_a_replica_goes(size: int, texts: list[str]) -> None:
    names = dict.fromkeys((f"replica {number}" for number in range(size)), 0)
    placing = Placing()
    before = {text: placing.choose(prompt(text), names) for text in texts}
    gone = next(iter(names))
    rest = {name: 0 for name in names if name != gone}
    assert all(placing.choose(prompt(text), rest) == home for text, home in before.items() if home != gone)


def test_what_a_replica_holds_is_bounded() -> None:
    placing = Placing(most=10)
    for number in range(100):
        placing.sent("a", prompt(f"{number}"))
    assert sum(placing.known("a", prompt(f"{number}")) for number in range(100)) == 10
