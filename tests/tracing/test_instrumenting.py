"""What embeddings and vector stores are asked in nodes is recorded once they are named, and answers as ever."""

from __future__ import annotations

import operator
from collections import Counter
from typing import Annotated, Any, TypedDict

import pytest
from langchain_core.vectorstores import InMemoryVectorStore
from langgraph.types import Send

from alto_langgraph.adapters.batching import Batched
from alto_langgraph.graph import START, StateGraph
from alto_langgraph.testing import HashEmbeddings
from alto_langgraph.testing.traces import faults, recorded
from alto_langgraph.tracing import attributes as names
from alto_langgraph.tracing import instrument


class Vectors(HashEmbeddings):
    """Embeddings of this test's own: what is wrapped stays so."""


class Shelf(InMemoryVectorStore):
    """As above."""


class State(TypedDict, total=False):
    words: list[str]
    found: Annotated[list[Any], operator.add]


TEXTS = ["a cat", "a dog", "a mouse"]
VECTORS = Vectors(size=8)
SHELF = Shelf(VECTORS)
SHELF.add_texts(TEXTS)


def look(word: str):
    direct = SHELF.similarity_search(word, k=2)
    behind = SHELF.as_retriever().invoke(word)
    return {"found": [(VECTORS.embed_query(word), [it.page_content for it in direct], [it.page_content for it in behind])]}


async def alook(word: str):
    direct = await SHELF.asimilarity_search(word, k=2)
    behind = await SHELF.as_retriever().ainvoke(word)
    return {"found": [(await VECTORS.aembed_query(word), [it.page_content for it in direct], [it.page_content for it in behind])]}


def app(node: Any):
    builder: Any = StateGraph(State).add_node("look", node)
    return builder.add_conditional_edges(START, lambda state: [Send("look", word) for word in state["words"]], ["look"]).compile()


@pytest.mark.parametrize("node", [look, alook])
async def test_each_call_is_a_span_below_its_fragment(node):
    before = await app(node).ainvoke({"words": TEXTS})
    instrument(Vectors, Shelf)
    instrument(Vectors)
    with recorded() as spans:
        assert await app(node).ainvoke({"words": TEXTS}) == before
    assert not faults(spans)
    fragments = {span.context.span_id for span in spans if span.name == "fragment look"}
    calls = [span for span in spans if names.OPERATION in span.attributes and span.parent is not None]
    counted = Counter((span.name, span.attributes[names.OPERATION]) for span in calls if span.parent.span_id in fragments)
    assert counted["retrieval Shelf", "retrieval"] == 3, "not what the retriever asks: that is a span already"
    assert sum(times for (_, operation), times in counted.items() if operation == "retrieval") == 6
    embedded = [span for span in calls if span.name == "embeddings Vectors"]
    assert len(embedded) == 9
    assert all(span.start_time <= span.end_time for span in embedded)


async def test_a_batch_is_one_span():
    instrument(Vectors)
    batched = Batched(VECTORS)

    async def embed(word: str):
        return {"found": [await batched.aembed_documents([word])]}

    with recorded() as spans:
        await app(embed).ainvoke({"words": TEXTS})
    served = [span for span in spans if span.name == "embeddings Vectors"]
    assert sum(span.attributes[names.BATCH] for span in served) == 3


def test_what_fails_is_noted_and_goes_on():
    class Broken(Vectors):
        def embed_query(self, text: str) -> list[float]:
            raise ValueError("no")

    instrument(Broken)
    with recorded() as spans, pytest.raises(ValueError, match="no"):
        app(lambda word: {"found": [Broken(size=8).embed_query(word)]}).invoke({"words": ["a"]})
    (span,) = (span for span in spans if span.name == "embeddings Broken")
    assert span.attributes[names.ERROR_TYPE] == "ValueError"


def test_nothing_else_can_be_named():
    with pytest.raises(TypeError, match="neither"):
        instrument(dict)
