"""The store finds what langchain-chroma's finds, by every way of searching, in fewer queries."""

from __future__ import annotations

import asyncio
import copy
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import langchain_chroma
import numpy as np
import pytest
from chromadb import Collection
from langchain_core.documents import Document

from alto_langgraph.adapters.batching import Batching
from alto_langgraph.adapters.chroma import Chroma
from tests.chroma.untied import Untied

pytestmark = [pytest.mark.chroma, pytest.mark.filterwarnings("ignore:legacy embedding function config:DeprecationWarning")]

EMBEDDINGS = Untied(32)
WORDS = ["river", "bridge", "ferry", "rain", "mill", "boat", "wind", "stone", "road", "gate"]
TEXTS = [f"{a} and {b} by the {c}" for a in WORDS for b in WORDS[:4] for c in WORDS[5:8]]
QUERIES = [f"{a} {b}" for a in WORDS for b in WORDS[::3]]
METADATAS: list[dict[str, Any]] = [
    {"place": place % 3, "even": place % 2 == 0, "first": text.split()[0]} for place, text in enumerate(TEXTS)
]


class Stores:
    """The same collection, by langchain-chroma's store and ours."""

    def __init__(self, client: Any, name: str, **kwargs: Any) -> None:
        self.stock = langchain_chroma.Chroma(name, EMBEDDINGS, client=client, **kwargs)
        self.ours = Chroma(name, EMBEDDINGS, client=client, **kwargs)
        self.stock.add_texts(TEXTS, metadatas=copy.deepcopy(METADATAS), ids=[str(place) for place in range(len(TEXTS))])


@pytest.fixture
def stores(client: Any, name: str) -> Stores:
    return Stores(client, name, collection_configuration={"hnsw": {"space": "cosine"}})


SEARCHES: list[tuple[str, dict[str, Any]]] = [
    ("similarity_search", {}),
    ("similarity_search", {"k": 7, "filter": {"place": 1}}),
    ("similarity_search", {"filter": {"$and": [{"place": {"$gt": 0}}, {"first": "river"}]}, "where_document": {"$contains": "ferry"}}),
    ("similarity_search_with_score", {"k": 3}),
    ("similarity_search_with_relevance_scores", {"score_threshold": 0.4}),
    ("max_marginal_relevance_search", {"k": 3, "fetch_k": 9, "lambda_mult": 0.3, "filter": {"even": True}}),
    ("similarity_search_by_vector", {"k": 5}),
    ("max_marginal_relevance_search_by_vector", {"k": 2}),
]


def given(method: str, query: str) -> Any:
    return EMBEDDINGS.embed_query(query) if method.endswith("by_vector") else query


@pytest.mark.parametrize(("method", "kwargs"), SEARCHES, ids=lambda value: value if isinstance(value, str) else "")
def test_every_search_finds_the_same(stores: Stores, method: str, kwargs: dict[str, Any]) -> None:
    expected = [getattr(stores.stock, method)(given(method, query), **kwargs) for query in QUERIES]
    assert any(expected)

    def ask(query: str) -> Any:
        return getattr(stores.ours, method)(given(method, query), **kwargs)

    async def all_at_once() -> list[Any]:
        return await asyncio.gather(*(getattr(stores.ours, f"a{method}")(given(method, query), **kwargs) for query in QUERIES))

    asked, called = counts(stores.ours)
    assert asyncio.run(all_at_once()) == expected
    asked, called = counts(stores.ours)[0] - asked, counts(stores.ours)[1] - called
    assert asked == len(QUERIES) and called < asked / 2
    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(ask, QUERIES)) == expected


def counts(store: Chroma) -> tuple[int, int]:
    batcher = store._collection._alto_batcher
    return batcher.asked, batcher.called


RETRIEVERS: list[dict[str, Any]] = [
    {"search_kwargs": {"k": 3}},
    {"search_type": "mmr", "search_kwargs": {"k": 3, "fetch_k": 8}},
    {"search_type": "similarity_score_threshold", "search_kwargs": {"score_threshold": 0.5, "k": 5}},
]


@pytest.mark.parametrize("kwargs", RETRIEVERS, ids=lambda kwargs: kwargs.get("search_type", "similarity"))
async def test_retrievers_find_the_same_and_look_the_same(stores: Stores, kwargs: dict[str, Any]) -> None:
    stock, ours = stores.stock.as_retriever(**kwargs), stores.ours.as_retriever(**kwargs)
    assert await asyncio.gather(*map(ours.ainvoke, QUERIES)) == [stock.invoke(query) for query in QUERIES]
    assert ours.batch(QUERIES) == stock.batch(QUERIES)
    assert ours.tags == stock.tags
    assert ours._get_ls_params() == stock._get_ls_params()


async def test_filters_that_python_calls_equal_arent_mixed_up(stores: Stores) -> None:
    stores.stock.add_texts(["the odd one"], metadatas=[{"place": True}], ids=["odd"])
    filters: list[dict[str, Any]] = [{"place": 1}, {"place": True}, {"place": 1.0}, {"even": True}, {"place": 0}, {"place": False}]
    expected = [stores.stock.similarity_search("odd river", k=3, filter=each) for each in filters]
    assert await asyncio.gather(*(stores.ours.asimilarity_search("odd river", k=3, filter=each) for each in filters)) == expected


async def test_a_filter_that_is_changed_after_it_was_given_is_the_one_that_was_given(stores: Stores) -> None:
    wanted = {"place": 1}
    expected = stores.stock.similarity_search("river", k=3, filter=dict(wanted))
    with stores.ours._collection._alto_batcher._changed:  # nothing is taken before both are there
        asked = [asyncio.create_task(stores.ours.asimilarity_search("river", k=3, filter=each)) for each in (wanted, {"place": 1})]
        vectors = [asyncio.create_task(stores.ours.asimilarity_search_by_vector(EMBEDDINGS.embed_query("river"), k=3, filter=wanted))]
        await asyncio.sleep(0)
        wanted["place"] = 2
    assert await vectors[0] == expected
    assert await asked[1] == expected


def float32(vector: list[float]) -> Any:
    return np.array(vector, dtype=np.float32)


def integers(vector: list[float]) -> list[int]:
    return [int(999 * number) for number in vector]


def numpys_own(vector: list[float]) -> list[Any]:
    return list(np.array(vector))


async def test_a_vector_that_is_changed_after_it_was_given_is_the_one_that_was_given(stores: Stores) -> None:
    vectors = [EMBEDDINGS.embed_query("river"), float32(EMBEDDINGS.embed_query("river"))]
    expected = stores.stock.similarity_search("river", k=3)
    with stores.ours._collection._alto_batcher._changed:
        asked = [asyncio.create_task(stores.ours.asimilarity_search_by_vector(vector, k=3)) for vector in vectors]
        await asyncio.sleep(0)
        for vector in vectors:
            vector[:] = EMBEDDINGS.embed_query("ferry")
    assert await asyncio.gather(*asked) == [expected, expected]


async def test_a_wrong_query_fails_for_its_asker_alone_and_as_ever(stores: Stores) -> None:
    def failing(store: Any) -> list[Any]:
        vector = EMBEDDINGS.embed_query("river")
        return [
            store.asimilarity_search_by_vector(vector[:5]),
            store.asimilarity_search_by_vector([]),
            store.asimilarity_search_by_vector(["a", "b"]),
            store.asimilarity_search("river", filter={"$nonsense": 1}),
            store.asimilarity_search("river", filter={1: 2}),
            store.asimilarity_search("river", k=0),
            store.asimilarity_search("river", k=-1),
            store.asimilarity_search("river", k="3"),
            store.asimilarity_search("river", include=["nonsense"]),
            store.asimilarity_search("river", nonsense=1),
            store.asimilarity_search(7),
        ]

    right = [stores.ours.asimilarity_search(query) for query in QUERIES]
    wrong = failing(stores.ours)
    answers = await asyncio.gather(*right[:10], *wrong, *right[10:], return_exceptions=True)
    errors = answers[10 : 10 + len(wrong)]
    expected = [await asyncio.gather(each, return_exceptions=True) for each in failing(stores.stock)]
    assert [(type(error), str(error)) for error in errors] == [(type(error), str(error)) for (error,) in expected]
    assert all(isinstance(error, Exception) for error in errors)
    assert answers[:10] + answers[10 + len(wrong) :] == [stores.stock.similarity_search(query) for query in QUERIES]


@pytest.mark.parametrize("kind", [list, np.array, float32, integers, numpys_own])
async def test_vectors_of_every_kind_find_the_same(stores: Stores, kind: Any) -> None:
    vectors = [kind(vector) for vector in EMBEDDINGS.embed_documents(QUERIES)]
    expected = [stores.stock.similarity_search_by_vector(vector) for vector in vectors]
    before = counts(stores.ours)
    assert await asyncio.gather(*map(stores.ours.asimilarity_search_by_vector, vectors)) == expected
    assert counts(stores.ours)[1] - before[1] < len(vectors) / 2


def test_more_rows_than_chroma_can_fetch_at_once_are_fetched(client: Any, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    stores = Stores(client, name)
    stores.ours.add_texts([f"{number} {TEXTS[number % len(TEXTS)]}" for number in range(1000)])
    expected = [stores.stock.similarity_search(query, k=300) for query in QUERIES]
    rows, query = [], Collection.query

    def counting(self: Any, **kwargs: Any) -> Any:
        rows.append(len(kwargs["query_embeddings"]) * kwargs["n_results"])
        return query(self, **kwargs)

    async def all_at_once() -> list[list[Document]]:
        return await asyncio.gather(*(stores.ours.asimilarity_search(query, k=300) for query in QUERIES * 4))

    monkeypatch.setattr(Collection, "query", counting)
    assert asyncio.run(all_at_once()) == expected * 4
    assert 300 < max(rows) <= 10_000 and sum(rows) == 300 * len(QUERIES) * 4


async def test_stores_of_the_same_collection_share_their_queries(stores: Stores, client: Any, name: str) -> None:
    others = [Chroma(name, EMBEDDINGS, client=client) for _ in QUERIES]
    asked, called = counts(stores.ours)
    found = await asyncio.gather(*(other.asimilarity_search(query) for other, query in zip(others, QUERIES, strict=True)))
    assert found == [stores.stock.similarity_search(query) for query in QUERIES]
    asked, called = counts(stores.ours)[0] - asked, counts(stores.ours)[1] - called
    assert asked == len(QUERIES) and called < asked / 2


async def test_waiting_holds_no_threads(stores: Stores) -> None:
    held = threading.Event()

    class Slow(Untied):
        def embed_documents(self, texts: list[str]) -> list[list[float]]:
            assert held.wait(10)
            return [self.embed_query(text) for text in texts]

    slow = Chroma(stores.ours._collection.name, Slow(32), client=stores.ours._client, queries_are_documents=True)
    slow._embedding_function._batcher._batching = Batching(patience=10.0)
    before = threading.active_count()
    asked = [asyncio.create_task(slow.asimilarity_search(query)) for query in QUERIES]
    await asyncio.sleep(0.1)
    most = threading.active_count()
    held.set()
    assert await asyncio.gather(*asked) == [stores.stock.similarity_search(query) for query in QUERIES]
    assert most - before <= 3


async def test_what_a_subclass_does_otherwise_is_done(stores: Stores) -> None:
    class Loud(Chroma):
        def similarity_search_with_score(self, query: str, *args: Any, **kwargs: Any) -> list[tuple[Document, float]]:
            return super().similarity_search_with_score(query.upper(), *args, **kwargs)[:1]

    loud = Loud(stores.ours._collection.name, EMBEDDINGS, client=stores.ours._client)
    assert await loud.asimilarity_search("river") == stores.stock.similarity_search("RIVER")[:1]
    assert await loud.asimilarity_search_with_score("river") == stores.stock.similarity_search_with_score("RIVER")[:1]


@pytest.mark.parametrize("together", [None, False])
async def test_without_merging_queries_with_documents_it_is_the_same(stores: Stores, together: bool | None) -> None:
    class Apart:
        """No subclass of LangChain's: langchain-chroma doesn't ask for one."""

        def embed_documents(self, texts: list[str]) -> list[list[float]]:
            raise AssertionError("A query isn't a document here.")

        def embed_query(self, text: str) -> list[float]:
            return EMBEDDINGS.embed_query(text)

    apart = Chroma(stores.ours._collection.name, Apart(), client=stores.ours._client, queries_are_documents=together)
    found = await asyncio.gather(*map(apart.asimilarity_search, QUERIES))
    assert found == [stores.stock.similarity_search(query) for query in QUERIES]
    assert [apart.similarity_search(query) for query in QUERIES] == found


async def written(store: Any) -> Any:
    """What a store says while it is written to in every way, and what is there then."""
    said: list[Any] = [await store.aadd_texts(TEXTS[:3], METADATAS[:3], ids=["a", "b", "c"])]
    made = store.add_texts(TEXTS[3:5], ids=["d", None])
    said += [made[0], await store.aadd_documents([Document(TEXTS[5], id="f"), Document(TEXTS[6], metadata={"x": 1}, id="g")])]
    store.update_document("a", Document("changed", metadata={"place": 9}))
    said += [await store.adelete(["b"]), await store.aget_by_ids(["a", "zz"])]
    with pytest.raises(ValueError, match="metadata") as error:
        await store.aadd_texts(["x"], [{"bad": object()}])
    said.append(str(error.value).partition("object at")[0])
    found = store.get()
    return said, {id: (found["documents"][n], found["metadatas"][n]) for n, id in enumerate(found["ids"]) if id != made[1]}


async def test_embeddings_that_refuse_to_be_async_are_asked_on_threads_as_ever(stores: Stores) -> None:
    class Sync(Untied):
        async def aembed_documents(self, texts: list[str]) -> list[list[float]]:
            raise NotImplementedError

        async def aembed_query(self, text: str) -> list[float]:
            return (await self.aembed_documents([text]))[0]

    sync = Chroma(stores.ours._collection.name, Sync(32), client=stores.ours._client)
    found = await asyncio.gather(*map(sync.asimilarity_search, QUERIES))
    assert found == [stores.stock.similarity_search(query) for query in QUERIES]
    assert await sync.aadd_texts(["one more"], ids=["more"]) == ["more"]


async def test_writing_is_as_ever(client: Any, name: str) -> None:
    expected = await written(langchain_chroma.Chroma(name, EMBEDDINGS, client=client))
    client.delete_collection(name)
    ours = Chroma(name, EMBEDDINGS, client=client)
    assert await written(ours) == expected
    assert sorted(expected[1]) == ["a", "c", "d", "f", "g"]
    assert type(ours.embeddings) is Untied
    ours.reset_collection()
    assert ours.get()["ids"] == []
    ours.delete_collection()
    with pytest.raises(ValueError, match="not initialized"):
        await ours.asimilarity_search("river")


async def test_many_who_add_one_text_each(client: Any, name: str) -> None:
    ours = Chroma(name, EMBEDDINGS, client=client)
    await asyncio.gather(*(ours.aadd_texts([text], ids=[text]) for text in TEXTS[:40]))
    assert sorted(ours.get()["ids"]) == sorted(TEXTS[:40])


def test_made_from_texts_and_documents(client: Any, name: str) -> None:
    ours = Chroma.from_texts(TEXTS[:5], EMBEDDINGS, client=client, collection_name=name, batching=Batching(size=2))
    assert type(ours) is Chroma and len(ours.get()["ids"]) == 5
    more = Chroma.from_documents([Document("more")], EMBEDDINGS, client=client, collection_name=name)
    assert len(more.get()["ids"]) == 6
