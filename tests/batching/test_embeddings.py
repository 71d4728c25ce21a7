"""`Batched` embeds what its embeddings would, in fewer calls, and takes queries for documents only where that is shown."""

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from langchain_core.embeddings import DeterministicFakeEmbedding, Embeddings

from alto_langgraph.adapters.batching import Batched, Batching
from alto_langgraph.adapters.batching.alike import queries_are_documents
from alto_langgraph.testing import HashEmbeddings

PLAIN = HashEmbeddings(8)
TEXTS = [f"text {number}" for number in range(64)]


class Counting(Embeddings):
    """Remembers with what it was called; a text "wrong" is refused."""

    def __init__(self) -> None:
        self.calls: list[list[str]] = []

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        self.calls.append(texts)
        if "wrong" in texts:
            raise ValueError("wrong")
        return PLAIN.embed_documents(texts)

    def embed_query(self, text: str) -> list[float]:
        return self.embed_documents([text])[0]


class Native(Counting):
    """With async code of its own."""

    async def aembed_documents(self, texts: list[str]) -> list[list[float]]:
        await asyncio.sleep(0.01)
        return Counting.embed_documents(self, texts)

    async def aembed_query(self, text: str) -> list[float]:
        """Embeds one text."""
        return (await self.aembed_documents([text]))[0]


class Slow(Counting):
    """Takes its time, so that the others have asked meanwhile, however busy the machine."""

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        time.sleep(0.05)
        return super().embed_documents(texts)


class Apart(Counting):
    """Embeds queries in another way."""

    def embed_query(self, text: str) -> list[float]:
        return PLAIN.embed_query(f"query: {text}")


async def each(embeddings: Embeddings, texts: list[str]) -> list[Any]:
    return await asyncio.gather(*(embeddings.aembed_query(text) for text in texts), return_exceptions=True)


@pytest.mark.parametrize("kind", [Slow, Native])
async def test_queries_at_the_same_time_are_few_calls(kind: type[Counting]) -> None:
    inner = kind()
    assert await each(Batched(inner), TEXTS) == PLAIN.embed_documents(TEXTS)
    assert len(inner.calls) < len(TEXTS) / 4
    assert sorted(text for texts in inner.calls for text in texts) == sorted(TEXTS)


def test_threads_are_put_together_too() -> None:
    inner = Counting()
    embeddings = Batched(inner)
    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(embeddings.embed_query, TEXTS)) == PLAIN.embed_documents(TEXTS)
    assert sorted(text for texts in inner.calls for text in texts) == sorted(TEXTS)


@pytest.mark.parametrize("kind", [Counting, Native])
async def test_a_text_that_is_refused_is_refused_to_its_asker_alone(kind: type[Counting]) -> None:
    texts = [*TEXTS[:9], "wrong", *TEXTS[9:20]]
    answers = await each(Batched(kind()), texts)
    assert isinstance(answers.pop(9), ValueError)
    assert answers == PLAIN.embed_documents(TEXTS[:20])


async def test_queries_that_are_embedded_otherwise_are_left_alone() -> None:
    inner = Apart()
    assert await each(Batched(inner), TEXTS[:5]) == [inner.embed_query(text) for text in TEXTS[:5]]
    assert Batched(inner).embed_query("a") == inner.embed_query("a")
    assert inner.calls == []


async def test_what_is_said_outweighs_what_the_code_shows() -> None:
    inner = Apart()
    assert await each(Batched(inner, queries_are_documents=True), TEXTS[:5]) == PLAIN.embed_documents(TEXTS[:5])
    counting = Counting()
    await each(Batched(counting, queries_are_documents=False), TEXTS[:5])
    assert sorted(counting.calls) == [[text] for text in TEXTS[:5]]


async def test_a_list_of_many_is_embedded_by_itself() -> None:
    inner = Counting()
    embeddings = Batched(inner)
    assert embeddings.embed_documents(TEXTS) == await embeddings.aembed_documents(TEXTS) == PLAIN.embed_documents(TEXTS)
    assert embeddings.embed_documents([]) == []
    assert inner.calls == [TEXTS, TEXTS, []]


async def test_short_lists_and_queries_go_together_and_apart_again() -> None:
    inner = Native()
    embeddings = Batched(inner)
    answers = await asyncio.gather(embeddings.aembed_documents(TEXTS[:3]), embeddings.aembed_query("q"), embeddings.aembed_documents(["z"]))
    assert answers == [PLAIN.embed_documents(TEXTS[:3]), PLAIN.embed_query("q"), PLAIN.embed_documents(["z"])]
    assert inner.calls == [[*TEXTS[:3], "q", "z"]]


async def test_wrappers_of_the_same_embeddings_share_their_calls() -> None:
    inner = Native()
    await asyncio.gather(*(Batched(inner).aembed_query(text) for text in TEXTS[:5]), Batched(Batched(inner)).aembed_query("z"))
    assert inner.calls == [[*TEXTS[:5], "z"]]


async def test_a_call_that_nobody_waits_for_any_more_is_cancelled_and_no_other() -> None:
    begun, may_go = asyncio.Event(), asyncio.Event()
    ended: list[str] = []

    class Held(Native):
        async def aembed_documents(self, texts: list[str]) -> list[list[float]]:
            begun.set()
            try:
                await may_go.wait()
            except asyncio.CancelledError:
                ended.append("cancelled")
                raise
            return PLAIN.embed_documents(texts)

    embeddings = Batched(Held())
    asked = [asyncio.create_task(embeddings.aembed_query(text)) for text in TEXTS[:3]]
    await begun.wait()
    for task in asked:
        task.cancel()
    await asyncio.gather(*asked, return_exceptions=True)
    await asyncio.sleep(0)
    assert ended == ["cancelled"]
    begun.clear()
    asked = [asyncio.create_task(embeddings.aembed_query(text)) for text in TEXTS[:3]]
    await begun.wait()
    asked[0].cancel()
    await asyncio.sleep(0)
    may_go.set()
    assert await asyncio.gather(*asked[1:]) == PLAIN.embed_documents(TEXTS[1:3])
    assert ended == ["cancelled"]


def test_each_event_loop_has_calls_of_its_own() -> None:
    inner = Native()
    embeddings = Batched(inner)
    with ThreadPoolExecutor(2) as pool:
        both = [pool.submit(asyncio.run, each(embeddings, texts)) for texts in (TEXTS[:10], TEXTS[10:20])]
        assert [future.result() for future in both] == [PLAIN.embed_documents(TEXTS[:10]), PLAIN.embed_documents(TEXTS[10:20])]
    assert sorted(inner.calls) == [TEXTS[:10], TEXTS[10:20]]


async def test_waiting_holds_no_threads() -> None:
    before, most = threading.active_count(), 0
    held = threading.Event()

    class Slow(Counting):
        def embed_documents(self, texts: list[str]) -> list[list[float]]:
            assert held.wait(10)
            return super().embed_documents(texts)

    asked = [asyncio.create_task(Batched(Slow()).aembed_query(text)) for text in ("a",)]
    embeddings = Batched(Slow(), batching=Batching(patience=10.0, size=1000))
    asked += [asyncio.create_task(embeddings.aembed_query(text)) for text in TEXTS * 10]
    await asyncio.sleep(0.05)
    most = threading.active_count()
    held.set()
    await asyncio.gather(*asked)
    assert most - before <= 4


def test_what_else_the_embeddings_have_is_reached_through_the_wrapper() -> None:
    class Images(Counting):
        def embed_image(self, uris: list[str]) -> list[str]:
            return uris

    assert Batched(Images()).embed_image(["a"]) == ["a"]
    assert not hasattr(Batched(Counting()), "embed_image")


class Keywords(Counting):
    def embed_query(self, text: str, **kwargs: Any) -> list[float]:
        """Hands on what else it is told."""
        return self.embed_documents([text], **kwargs)[0]


class OtherOne(Counting):
    def embed_query(self, text: str) -> list[float]:
        return self.embed_documents([text])[-1]


class Lowered(Counting):
    def embed_query(self, text: str) -> list[float]:
        return self.embed_documents([text.lower()])[0]


class Decorated(Counting):
    @staticmethod
    def embed_query(text: str) -> list[float]:
        return PLAIN.embed_documents([text])[0]


class Elsewhere(Counting):
    other = PLAIN

    def embed_query(self, text: str) -> list[float]:
        return self.other.embed_documents([text])[0]


class Filtered(HashEmbeddings):
    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return [self.embed_query(text) for text in texts if text]


class HalfAsync(Counting):
    async def aembed_query(self, text: str) -> list[float]:
        return self.embed_query(text)


@pytest.mark.parametrize(
    ("embeddings", "sync", "asynchronous"),
    [
        (Counting(), True, True),
        (HashEmbeddings(4), True, True),
        (Native(), True, True),
        (Keywords(), True, True),
        (Apart(), False, False),
        (OtherOne(), False, False),
        (Lowered(), False, False),
        (Decorated(), False, False),
        (Elsewhere(), False, False),
        (Filtered(4), False, False),
        (HalfAsync(), True, False),
        (DeterministicFakeEmbedding(size=4), False, False),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Embeddings) else "",
)
def test_the_code_of_a_class_shows_whether_queries_are_documents(embeddings: Embeddings, sync: bool, asynchronous: bool) -> None:
    assert queries_are_documents(embeddings) == (sync, asynchronous)


def test_methods_that_are_put_in_place_of_others_are_looked_at_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    embeddings = Counting()
    assert queries_are_documents(embeddings) == (True, True)
    embeddings.embed_query = lambda text: [0.0]  # type: ignore[method-assign]
    assert queries_are_documents(embeddings) == (False, False)
    assert queries_are_documents(Counting()) == (True, True)
    monkeypatch.setattr(Counting, "embed_query", Apart.embed_query)
    assert queries_are_documents(Counting()) == (False, False)


def test_code_that_isnt_there_shows_nothing() -> None:
    space: dict[str, Any] = {"Base": Counting}
    exec("class Made(Base):\n    def embed_query(self, text):\n        return self.embed_documents([text])[0]", space)
    assert queries_are_documents(space["Made"]()) == (False, False)


class Alone:
    """Embeds, and is no subclass of anything."""

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return PLAIN.embed_documents(texts)

    def embed_query(self, text: str) -> list[float]:
        return PLAIN.embed_query(f"query: {text}")


@pytest.mark.parametrize("together", [None, True, False])
async def test_what_only_looks_like_embeddings_is_taken_for_them(together: bool | None) -> None:
    embeddings = Batched(Alone(), queries_are_documents=together)
    expected = PLAIN.embed_query("a") if together else PLAIN.embed_query("query: a")
    assert embeddings.embed_query("a") == await embeddings.aembed_query("a") == expected
    assert await embeddings.aembed_documents(TEXTS) == embeddings.embed_documents(TEXTS) == PLAIN.embed_documents(TEXTS)
