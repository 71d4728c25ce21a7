"""Graphs whose nodes use the store: stock and alto show the same, and what langchain-chroma's store would make them show."""

from __future__ import annotations

import asyncio
import operator
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Annotated, Any, TypedDict

import langchain_chroma
import pytest
from langchain_core.documents import Document
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START
from langgraph.types import Command, Send

from alto_langgraph.adapters.chroma import Chroma
from alto_langgraph.comparison import Observation, arecord, difference, record
from alto_langgraph.testing.chroma import deleted_collections, opened_collection
from alto_langgraph.testing.pause import apause, pause
from benchmarks import retrieval
from tests.chroma.untied import Untied
from tests.equivalence.uneven import SIDES

pytestmark = [pytest.mark.chroma, pytest.mark.filterwarnings("ignore:legacy embedding function config:DeprecationWarning")]

EMBEDDINGS = Untied(32)
WORDS = ("river", "bridge", "ferry", "rain", "mill", "boat")
TEXTS = [f"{a} and {b}" for a in WORDS for b in WORDS]
QUESTIONS = [f"what of the {a} by the {b}" for a in WORDS for b in WORDS[::2]]
LONG = 60
"""Milliseconds for which what writes keeps what reads waiting."""

Store = Callable[..., Any]
STOCK = SIDES[0]


class State(TypedDict, total=False):
    questions: list[str]
    found: Annotated[list[list[str]], operator.add]
    texts: list[str]
    stored: str
    tone: str


def store_of(kind: Store) -> Any:
    from chromadb import EphemeralClient, Settings

    return kind(opened_collection().name, EMBEDDINGS, client=EphemeralClient(Settings(anonymized_telemetry=False)))


def filled(kind: Store) -> Any:
    store = store_of(kind)
    store.add_texts(TEXTS, [{"even": n % 2 == 0} for n in range(len(TEXTS))], ids=TEXTS)
    store.similarity_search("river")  # which has Chroma build its index
    return store


def plain(documents: list[Document]) -> list[str]:
    return [document.page_content for document in documents]


def fanned_out(side: Any, store: Any, sync: bool, **kwargs: Any) -> Any:
    """Each question is rewritten, some sooner than others, and asked."""
    retriever = store.as_retriever(**kwargs)

    def each(state: State) -> list[Send]:
        return [Send("rewrite", {"question": question, "pause": 10 * (n % 3)}) for n, question in enumerate(state["questions"])]

    def onwards(payload: dict[str, Any]) -> Any:
        return Command(goto=Send("search", {"question": payload["question"].upper()}))

    async def rewrite(payload: dict[str, Any]) -> Any:
        await apause(payload["pause"])
        return onwards(payload)

    def rewrite_sync(payload: dict[str, Any]) -> Any:
        pause(payload["pause"])
        return onwards(payload)

    async def search(payload: dict[str, Any]) -> State:
        return {"found": [plain(await retriever.ainvoke(payload["question"]))]}

    def search_sync(payload: dict[str, Any]) -> State:
        return {"found": [plain(retriever.invoke(payload["question"]))]}

    builder = side(State)
    builder.add_node("rewrite", rewrite_sync if sync else rewrite, destinations=("search",))
    builder.add_node("search", search_sync if sync else search)
    builder.add_conditional_edges(START, each, ["rewrite"])
    return builder.compile(checkpointer=InMemorySaver())


SEARCHES: list[dict[str, Any]] = [
    {},
    {"search_kwargs": {"k": 3, "filter": {"even": True}}},
    {"search_type": "mmr", "search_kwargs": {"k": 2, "fetch_k": 6}},
    {"search_type": "similarity_score_threshold", "search_kwargs": {"score_threshold": 0.1}},
]


def seen(
    side: Any, kind: Store, make: Callable[[Store], Any], build: Callable[[Any, Any], Any], given: State, *, sync: bool
) -> Observation:
    """What one side shows with one kind of store, on a collection of its own."""
    with deleted_collections():
        graph = build(side, make(kind))
        return record(graph, given, sync=True) if sync else asyncio.run(arecord(graph, given))


def output(observation: Observation) -> Any:
    return observation.turns[0].output


@pytest.mark.parametrize("sync", [False, True], ids=["async", "sync"])
@pytest.mark.parametrize("kwargs", SEARCHES, ids=["plain", "filter", "mmr", "threshold"])
@pytest.mark.filterwarnings("ignore:Relevance scores must be between")
def test_fragments_that_search_show_what_langchain_chroma_shows_under_stock(sync: bool, kwargs: dict[str, Any]) -> None:
    build = partial(fanned_out, sync=sync, **kwargs)
    expected = seen(STOCK, langchain_chroma.Chroma, filled, build, {"questions": QUESTIONS}, sync=sync)
    assert len(output(expected)["found"]) == len(QUESTIONS) and any(output(expected)["found"])
    for side in SIDES:
        shown = seen(side, Chroma, filled, build, {"questions": QUESTIONS}, sync=sync)
        assert difference(expected, shown) is None, str(difference(expected, shown))


# ---- one stage fills the store and the next one searches it, and only the edge says so


def by_the_store(store: Any) -> tuple[Any, Any]:
    async def fill(state: State) -> State:
        await apause(LONG)
        await store.aadd_documents([Document(text, id=text) for text in state["texts"]])
        return {"stored": "all"}

    async def judge(state: State) -> State:
        return {"tone": str(plain(await store.asimilarity_search("river", k=9)))}

    return fill, judge


def by_a_retriever(store: Any) -> tuple[Any, Any]:
    retriever = store.as_retriever(search_kwargs={"k": 9})

    async def fill(state: State) -> State:
        await apause(LONG)
        await retriever.aadd_documents([Document(text, id=text) for text in state["texts"]])
        return {"stored": "all"}

    async def judge(state: State) -> State:
        return {"tone": str(plain(await retriever.ainvoke("river")))}

    return fill, judge


def by_the_collection(store: Any) -> tuple[Any, Any]:
    retriever, collection = store.as_retriever(search_kwargs={"k": 9}), store._collection

    async def fill(state: State) -> State:
        await apause(LONG)
        collection.add(ids=state["texts"], documents=state["texts"], embeddings=EMBEDDINGS.embed_documents(state["texts"]))
        return {"stored": "all"}

    async def judge(state: State) -> State:
        return {"tone": str(plain(await retriever.ainvoke("river")))}

    return fill, judge


def in_sync_nodes(store: Any) -> tuple[Any, Any]:
    retriever = store.as_retriever(search_kwargs={"k": 9})

    def fill(state: State) -> State:
        pause(LONG)
        store.add_texts(state["texts"], ids=state["texts"])
        return {"stored": "all"}

    def judge(state: State) -> State:
        return {"tone": str(plain(retriever.invoke("river")))}

    return fill, judge


@pytest.mark.parametrize("way", [by_the_store, by_a_retriever, by_the_collection, in_sync_nodes])
def test_the_stage_that_searches_finds_what_the_one_before_it_has_put_there(way: Callable[[Any], tuple[Any, Any]]) -> None:
    def build(side: Any, store: Any) -> Any:
        fill, judge = way(store)
        builder = side(State)
        builder.add_node("fill", fill)
        builder.add_node("judge", judge)
        for source, target in ((START, "fill"), ("fill", "judge"), ("judge", END)):
            builder.add_edge(source, target)
        return builder.compile(checkpointer=InMemorySaver())

    given: State = {"texts": TEXTS[:5]}
    expected = seen(STOCK, langchain_chroma.Chroma, store_of, build, given, sync=way is in_sync_nodes)
    assert sorted(TEXTS[:5]) == sorted(eval(output(expected)["tone"]))
    for side in SIDES:
        shown = seen(side, Chroma, store_of, build, given, sync=way is in_sync_nodes)
        assert difference(expected, shown) is None, str(difference(expected, shown))


def test_the_graphs_that_are_measured_answer_alike() -> None:
    (benchmark,) = (each for each in retrieval.benchmarks() if each.name == "retrieval_64")
    with replace(benchmark, size=benchmark.tiny).open("alto") as takes:
        assert len(takes) == 4
        assert all(take()["wall"] > 0 for take in takes.values())
