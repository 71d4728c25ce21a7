"""A server that is gone, silent or broken: no wrong answer, nobody waits for ever, one clear error for each who asked."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import chromadb
import langchain_chroma
import pytest

from alto_langgraph.adapters.batching import Batching
from alto_langgraph.adapters.chroma import Chroma
from alto_langgraph.exceptions import AltoError, OptionsError, ServerError
from tests.chroma.conftest import quiet
from tests.chroma.servers import ChromaServer, Proxy, running
from tests.chroma.untied import Untied

pytestmark = pytest.mark.chroma

EMBEDDINGS = Untied(16)
TEXTS = [f"stone {number}" for number in range(30)]


@pytest.fixture(scope="module")
def own_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChromaServer]:
    """One that may be killed."""
    with running(tmp_path_factory.mktemp("own")) as server:
        yield server


def store_of(port: int, name: str, **kwargs: Any) -> Chroma:
    store = Chroma(name, EMBEDDINGS, client=chromadb.HttpClient("127.0.0.1", port, settings=quiet()), **kwargs)
    store.add_texts(TEXTS, ids=TEXTS)
    return store


@pytest.fixture
def name() -> str:
    return f"test-{uuid4().hex}"


@pytest.fixture
def proxy(server: ChromaServer) -> Iterator[Proxy]:
    with Proxy(server.port).open() as proxy:
        yield proxy


async def everyone(store: Any, texts: list[str] = TEXTS) -> list[Any]:
    return await asyncio.gather(*(store.asimilarity_search(text, k=2) for text in texts), return_exceptions=True)


def expected(store: Chroma) -> list[Any]:
    stock = langchain_chroma.Chroma(store._collection.name, EMBEDDINGS, client=store._client)
    return [stock.similarity_search(text, k=2) for text in TEXTS]


def messages(answers: list[Any]) -> set[str]:
    assert all(isinstance(answer, ServerError) for answer in answers), answers
    assert isinstance(answers[0], AltoError)
    assert len({id(answer) for answer in answers}) == len(answers)
    return {str(answer) for answer in answers}


async def test_a_server_that_is_gone_is_one_clear_error_for_each_and_it_may_come_back(own_server: ChromaServer) -> None:
    store = store_of(own_server.port, "gone")
    right = expected(store)
    own_server.kill()
    try:
        (message,) = messages(await everyone(store))
        with pytest.raises(ServerError) as error:
            store.similarity_search("stone 1")
        with pytest.raises(ServerError, match="can't be reached") as writing:
            store.add_texts(["more"])
    finally:
        own_server.start()
    assert (
        f"Chroma at http://127.0.0.1:{own_server.port}" in message and "can't be reached" in message and "Look whether it runs" in message
    )
    assert str(error.value) == message
    assert "may have been written or not" in "".join(writing.value.__notes__)
    assert await everyone(store) == right


async def test_a_server_that_is_away_for_a_moment_isnt_noticed(own_server: ChromaServer) -> None:
    store = store_of(own_server.port, "away", retries=9)
    right = expected(store)
    own_server.kill()
    asked = asyncio.create_task(everyone(store))
    await asyncio.sleep(0.3)
    await asyncio.to_thread(own_server.start)
    assert await asked == right


async def test_a_server_that_is_silent_is_given_up_in_time(own_server: ChromaServer) -> None:
    store = store_of(own_server.port, "silent", timeout=0.5, write_timeout=0.7)
    right = expected(store)
    with own_server.frozen():
        began = time.monotonic()
        (message,) = messages(await everyone(store))
        with pytest.raises(ServerError, match=r"hasn't answered for 0\.5 seconds"):
            store.get(ids=["stone 1"])
        with pytest.raises(ServerError, match=r"hasn't answered for 0\.7 seconds"):
            await store.aadd_texts(["stone 1"], ids=["stone 1"])
        assert time.monotonic() - began < 20
    assert "hasn't answered for 0.5 seconds" in message
    assert await everyone(store) == right


async def test_a_client_keeps_its_own_time_limits_for_others(own_server: ChromaServer) -> None:
    store = store_of(own_server.port, "others", timeout=0.05)
    with own_server.frozen():
        other = asyncio.create_task(asyncio.to_thread(store._client.heartbeat))
        assert messages(await everyone(store, TEXTS[:1]))
    assert await other > 0


async def test_a_connection_that_breaks_off_is_tried_again_and_a_write_isnt(proxy: Proxy, name: str) -> None:
    store = store_of(proxy.port, name)
    right = expected(store)
    proxy.answers += [None, None]
    assert await everyone(store) == right
    proxy.place, proxy.answers = "/upsert", [None]
    proxy.seen.clear()
    with pytest.raises(ServerError, match="can't be reached"):
        store.add_texts(["more"], ids=["more"])
    assert len(proxy.seen) == 1


BROKEN = [
    (200, b"<html>It works!</html>"),
    (200, b"{}"),
    (200, b""),
    (200, json.dumps({"ids": [["x"]], "documents": [["x"]], "metadatas": [[{}]], "distances": [[0.0]]}).encode()),
    (502, b"<html>Bad gateway</html>"),
    (500, b""),
    (500, json.dumps({"error": "InternalError", "message": "out of ink"}).encode()),
    (400, json.dumps({"error": "InvalidArgumentError", "message": "no such thing"}).encode()),
]


@pytest.mark.parametrize("answer", BROKEN, ids=range(len(BROKEN)))
async def test_one_broken_answer_costs_another_call_and_no_answer(proxy: Proxy, name: str, answer: tuple[int, bytes]) -> None:
    store = store_of(proxy.port, name, batching=Batching(patience=5.0))
    right = expected(store)
    with store._collection._alto_batcher._changed:  # all are one batch
        asked = asyncio.create_task(everyone(store))
        while sum(map(len, store._collection._alto_batcher._waiting.values())) < len(TEXTS):
            await asyncio.sleep(0.01)
        proxy.answers.append(answer)
    assert await asked == right


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (BROKEN[0], "isn't Chroma's: JSONDecodeError"),
        (BROKEN[1], "isn't Chroma's: KeyError"),
        (BROKEN[2], "isn't Chroma's: JSONDecodeError"),
        (BROKEN[4], "isn't Chroma's: <html>Bad gateway"),
        (BROKEN[5], "isn't Chroma's: an empty page"),
    ],
)
async def test_a_server_that_only_gives_broken_answers_is_one_clear_error_for_each(
    proxy: Proxy, name: str, answer: tuple[int, bytes], error: str
) -> None:
    store = store_of(proxy.port, name)
    proxy.answers += [answer] * 200
    (message,) = messages(await everyone(store))
    assert error in message
    assert len(proxy.seen) <= 2 * len(TEXTS)


@pytest.mark.parametrize("answer", BROKEN[6:])
async def test_chromas_own_errors_are_raised_as_they_are(proxy: Proxy, name: str, answer: tuple[int, bytes]) -> None:
    store = store_of(proxy.port, name)
    proxy.answers += [answer] * 200
    errors = await everyone(store)
    assert {type(error).__name__ for error in errors} == {json.loads(answer[1])["error"]}


def test_a_server_that_isnt_there_from_the_beginning_is_chromadbs_own_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="Could not connect to a Chroma server"):
        Chroma("any", EMBEDDINGS, host="127.0.0.1", port=1, client_settings=quiet())


@pytest.mark.parametrize("wrong", [{"timeout": 0.0}, {"write_timeout": -1.0}, {"retries": -1}, {"timeout": float("nan")}])
def test_limits_that_cant_be_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(OptionsError, match="above 0 seconds"):
        Chroma("any", EMBEDDINGS, client=chromadb.EphemeralClient(quiet()), **wrong)
