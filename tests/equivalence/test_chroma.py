"""Stages in a row of which one fills a Chroma collection and the next searches it, and only the edge says so: their order is kept."""

from __future__ import annotations

import asyncio
import operator
from collections.abc import Callable, Iterator
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from itertools import pairwise
from typing import Annotated, Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START
from langgraph.types import Send
from typing_extensions import TypedDict

from alto_langgraph.comparison import Observation, arecord, difference, record
from alto_langgraph.testing import HashEmbeddings, jumping_clock
from alto_langgraph.testing.chroma import deleted_collections, opened_collection
from alto_langgraph.testing.pause import apause, pause
from benchmarks import hidden, independent
from benchmarks.sides import side as side_called
from tests.equivalence.uneven import SIDES

pytestmark = [pytest.mark.chroma, pytest.mark.skipif(find_spec("chromadb") is None, reason="chromadb isn't installed")]

EMBEDDINGS = HashEmbeddings(64)
TEXTS = ["The river took the bridge.", "The ferry is late.", "It rained for three days."]
LONG = 60
"""Milliseconds for which the stage that fills the collection keeps the others waiting; async ones on a clock that jumps."""


class State(TypedDict, total=False):
    text: str
    texts: list[str]
    summary: str
    tone: str
    keywords: str
    questions: str
    found: Annotated[list[Any], operator.add]


class Library:
    """An app's own object around the collection."""

    def __init__(self, collection: Any) -> None:
        self.collection = collection

    def put(self, text: str) -> None:
        self.collection.add(ids=[text], documents=[text], embeddings=EMBEDDINGS.embed_documents([text]))

    def search(self, text: str) -> Any:
        return self.collection.query(query_embeddings=[EMBEDDINGS.embed_query(text)], n_results=3)["documents"]


def in_the_node(collection: Any) -> dict[str, Any]:
    async def summarize(state: State) -> State:
        await apause(LONG)
        collection.add(ids=["1"], documents=[state["text"]], embeddings=EMBEDDINGS.embed_documents([state["text"]]))
        return {"summary": "short"}

    async def judge_tone(state: State) -> State:
        found = collection.query(query_embeddings=[EMBEDDINGS.embed_query(state["text"])], n_results=3)
        return {"tone": f"wet, as in {found['documents']}"}

    return {"summarize": summarize, "judge_tone": judge_tone}


def on_a_thread(collection: Any) -> dict[str, Any]:
    async def summarize(state: State) -> State:
        await apause(LONG)
        embedded = EMBEDDINGS.embed_documents([state["text"]])
        await asyncio.to_thread(collection.add, ids=["1"], documents=[state["text"]], embeddings=embedded)
        return {"summary": "short"}

    async def judge_tone(state: State) -> State:
        found = await asyncio.to_thread(partial(collection.get, include=["documents"]))
        return {"tone": f"wet, as in {found['documents']}"}

    return {"summarize": summarize, "judge_tone": judge_tone}


def in_an_object(collection: Any) -> dict[str, Any]:
    library = Library(collection)

    async def summarize(state: State) -> State:
        await apause(LONG)
        library.put(state["text"])
        return {"summary": "short"}

    async def judge_tone(state: State) -> State:
        return {"tone": f"wet, as in {library.search(state['text'])}"}

    return {"summarize": summarize, "judge_tone": judge_tone}


def by_name(collection: Any) -> dict[str, Any]:
    """The nodes share nothing but a text."""
    chromadb, name = import_module("chromadb"), collection.name

    def opened() -> Any:
        return chromadb.EphemeralClient(chromadb.Settings(anonymized_telemetry=False)).get_collection(name, embedding_function=None)

    async def summarize(state: State) -> State:
        await apause(LONG)
        opened().add(ids=["1"], documents=[state["text"]], embeddings=EMBEDDINGS.embed_documents([state["text"]]))
        return {"summary": "short"}

    async def judge_tone(state: State) -> State:
        return {"tone": f"wet, as in {opened().get()['documents']}, {opened().count()}"}

    return {"summarize": summarize, "judge_tone": judge_tone}


def in_a_sync_node(collection: Any) -> dict[str, Any]:
    def summarize(state: State) -> State:
        pause(LONG)
        collection.add(ids=["1"], documents=[state["text"]], embeddings=EMBEDDINGS.embed_documents([state["text"]]))
        return {"summary": "short"}

    def judge_tone(state: State) -> State:
        found = collection.query(query_embeddings=[EMBEDDINGS.embed_query(state["text"])], n_results=3)
        return {"tone": f"wet, as in {found['documents']}"}

    return {"summarize": summarize, "judge_tone": judge_tone}


def find_keywords(state: State) -> State:
    return {"keywords": state["text"].split()[-1]}


def ask_questions(state: State) -> State:
    return {"questions": f"{state['text']}?"}


def in_a_row(side: Any, stages: dict[str, Any]) -> Any:
    builder = side(State)
    for name, stage in stages.items():
        builder.add_node(name, stage)
    for source, target in pairwise([START, *stages, END]):
        builder.add_edge(source, target)
    return builder.compile(checkpointer=InMemorySaver())


def seen(build: Callable[[Any, Any], Any], *, sync: bool = False) -> Iterator[Observation]:
    """What stock and alto show, each with a collection of its own."""
    given = {"text": TEXTS[0], "texts": TEXTS}
    for side in SIDES:
        with deleted_collections():
            graph = build(side, opened_collection())
            yield record(graph, given, sync=True) if sync else jumping_clock.run(arecord(graph, given))


def output(observation: Observation) -> Any:
    return observation.turns[0].output


@pytest.mark.parametrize("way", [in_the_node, on_a_thread, in_an_object, by_name, in_a_sync_node])
def test_the_stage_that_searches_finds_what_the_one_before_it_has_put_there(way: Callable[[Any], dict[str, Any]]) -> None:
    stages = {"find_keywords": find_keywords, "ask_questions": ask_questions}
    stock, alto = seen(lambda side, collection: in_a_row(side, way(collection) | stages), sync=way is in_a_sync_node)
    assert TEXTS[0] in output(stock)["tone"]
    assert difference(stock, alto) is None, str(difference(stock, alto))


def test_what_is_sent_for_each_text_finds_what_a_slow_stage_before_it_has_put_there() -> None:
    """The searches are known as soon as `choose` has ended, and could start while `index` is still at it."""

    def build(side: Any, collection: Any) -> Any:
        async def index(state: State) -> State:
            await apause(LONG)
            for text in state["texts"]:
                collection.upsert(ids=[text], documents=[text], embeddings=EMBEDDINGS.embed_documents([text]))
            return {}

        async def choose(state: State) -> State:
            return {}

        def each(state: State) -> list[Send]:
            return [Send("search", {"text": text}) for text in state["texts"]]

        async def search(state: State) -> State:
            found = collection.query(query_embeddings=[EMBEDDINGS.embed_query(state["text"])], n_results=1)
            return {"found": [found["documents"]]}

        builder = side(State)
        for node in (index, choose, search):
            builder.add_node(node.__name__, node)
        builder.add_edge(START, "index")
        builder.add_edge(START, "choose")
        builder.add_conditional_edges("choose", each)
        return builder.compile(checkpointer=InMemorySaver())

    stock, alto = seen(build)
    assert output(stock)["found"] == [[[text]] for text in TEXTS]
    assert difference(stock, alto) is None, str(difference(stock, alto))


def test_four_stages_with_paced_models_answer_alike() -> None:
    """The graph that is measured. Its last stage empties the collection, so both sides find it empty."""
    made = (hidden.as_written(hidden.by_chroma, side_called(name), 0.05)(checkpointer=InMemorySaver()) for name in ("stock", "alto"))
    stock, alto = (record(graph, {"text": independent.TEXT}) for graph in made)
    assert output(stock)["tone"].endswith(f"after [['{independent.ANSWER}']]")
    assert difference(stock, alto) is None, str(difference(stock, alto))
