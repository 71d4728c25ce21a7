"""Fragments that each ask a Chroma retriever at the same time: langchain-chroma's store as it is, and alto's."""

from __future__ import annotations

import operator
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, partial
from importlib import import_module
from importlib.util import find_spec
from typing import Annotated, Any, TypedDict

from langgraph.graph import START
from langgraph.types import Send

from alto_langgraph.testing import HashEmbeddings
from benchmarks.declare import Target
from benchmarks.graphs import GraphBenchmark, Lane
from benchmarks.sides import Side

ON_STOCK, ON_ALTO = "alto's store on stock", "langchain-chroma on alto"
"""Names of lanes: only the store changed, and only the graph."""
SIZE = 384
"""Dimensions of a vector."""
WANTED = 0.4
"""Most of stock's time at 64 fragments: 2.5 times its throughput."""
_VOCABULARY = [f"word{number}" for number in range(2_000)]


@dataclass(frozen=True, slots=True)
class Load:
    """How many ask at the same time, and among how many documents."""

    fragments: int
    documents: int = 10_000


class State(TypedDict):
    """Questions in, the texts found for each, and what comes of them, out."""

    questions: list[str]
    found: Annotated[list[list[str]], operator.add]
    answer: str


def said(words: int, seed: str) -> str:
    """A text of so many words; the same for the same seed."""
    return " ".join(random.Random(seed).choices(_VOCABULARY, k=words))


@cache
def filled(documents: int) -> tuple[Any, str, HashEmbeddings]:
    """A client, the name of a collection of so many documents, and what has embedded them: all lanes search the same one."""
    chromadb, embeddings = import_module("chromadb"), HashEmbeddings(SIZE)
    client = chromadb.EphemeralClient(chromadb.Settings(anonymized_telemetry=False))
    collection = client.create_collection(f"retrieval-{documents}", embedding_function=None)
    for first in range(0, documents, 1_000):
        ids = [str(place) for place in range(first, min(first + 1_000, documents))]
        texts = [said(30, f"document {place}") for place in ids]
        collection.add(ids=ids, documents=texts, embeddings=embeddings.embed_documents(texts))
    collection.query(query_embeddings=embeddings.embed_documents(["first"]), n_results=1)  # which has Chroma build its index
    return client, collection.name, embeddings


def retriever(module: str, documents: int) -> Any:
    """A retriever as an app makes it, of the store class `Chroma` in this module."""
    client, name, embeddings = filled(documents)
    return import_module(module).Chroma(name, embeddings, client=client).as_retriever()


STOCKS, ALTOS = "langchain_chroma", "alto_langgraph.adapters.chroma"


def graph(module: str, side: Side, load: Load) -> Any:
    """A `Send` for each question to a node that asks the retriever, and a join."""
    found = retriever(module, load.documents)

    def split(state: State) -> list[Send]:
        return [Send("search", {"question": question}) for question in state["questions"]]

    async def search(payload: dict[str, str]) -> dict[str, Any]:
        documents = await found.ainvoke(payload["question"])
        return {"found": [[document.page_content for document in documents]]}

    def conclude(state: State) -> dict[str, str]:
        return {"answer": "\n".join(map(" / ".join, state["found"]))}

    builder = side.StateGraph(State)
    builder.add_node("search", search)
    builder.add_node("conclude", conclude)
    builder.add_conditional_edges(START, split, ["search"])
    builder.add_edge("search", "conclude")
    return builder.compile


def as_swapped(side: Side, load: Load) -> Any:
    """Alto's store on alto's side, langchain-chroma's on the other."""
    return graph(ALTOS if side.name == "alto" else STOCKS, side, load)


def questions(load: Load) -> dict[str, Any]:
    """One question for each fragment."""
    return {"questions": [said(8, f"question {number}") for number in range(load.fragments)], "found": []}


def left_out() -> Mapping[str, str]:
    """What can't run here, and why."""
    lacking = next((name for name in ("chromadb", "langchain_chroma") if find_spec(name) is None), None)
    return dict.fromkeys(("retrieval_64", "retrieval_512"), f"{lacking} isn't installed") if lacking else {}


def benchmarks() -> Iterator[GraphBenchmark]:
    """At two widths, where there is Chroma."""
    for fragments, target in ((64, Target(WANTED)), (512, Target(None))):
        if not left_out():
            yield GraphBenchmark(
                name=f"retrieval_{fragments}",
                group="retrieval",
                what=f"{fragments} `Send`s that each ask a Chroma retriever of 10,000 documents (embedded, lexical-hash vectors)",
                build=as_swapped,
                input=questions,
                size=Load(fragments),
                tiny=Load(12, documents=60),
                budget=20.0,
                quick=fragments == 64,
                more_lanes=(Lane(ON_STOCK, "stock", partial(graph, ALTOS)), Lane(ON_ALTO, "alto", partial(graph, STOCKS))),
                targets=(target,),
            )
