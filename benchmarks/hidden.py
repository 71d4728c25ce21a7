"""The independent stages again, but one fills something outside the state that the next one reads: their order must be kept.

There may be nothing to gain. The last stage empties the thing, so a reader started too soon finds nothing, and the answers differ.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from alto_langgraph.testing import HashEmbeddings
from benchmarks.declare import Target
from benchmarks.graphs import GraphBenchmark
from benchmarks.independent import STAGE, TEXT, State, chain, model, nodes
from benchmarks.sides import Side

CHROMA = "hidden_chroma"


def by_list(pace: float) -> dict[str, Any]:
    """The stages, of which the second reads a list that the first fills."""
    llm, stages = model(pace * STAGE), nodes(pace)
    conclude: Callable[[State], Awaitable[dict[str, str]]] = stages["report"]
    said: list[str] = []

    async def summarize(state: State) -> dict[str, str]:
        answer = await llm.ainvoke(f"Summarize: {state['text']}")
        said.extend(answer.text.split())
        return {"summary": answer.text}

    async def judge_tone(state: State) -> dict[str, str]:
        heard = " ".join(said)
        answer = await llm.ainvoke(f"What is the tone of this text? {state['text']}")
        return {"tone": f"{answer.text}, after {heard}"}

    async def report(state: State) -> dict[str, str]:
        said.clear()
        return await conclude(state)

    return stages | {"summarize": summarize, "judge_tone": judge_tone, "report": report}


def by_chroma(pace: float) -> dict[str, Any]:
    """The stages, of which the second searches a Chroma collection that the first fills."""
    llm, stages, embeddings = model(pace * STAGE), nodes(pace), HashEmbeddings(64)
    conclude: Callable[[State], Awaitable[dict[str, str]]] = stages["report"]
    chromadb = import_module("chromadb")
    collection = chromadb.EphemeralClient(chromadb.Settings(anonymized_telemetry=False)).get_or_create_collection("benchmark")

    async def summarize(state: State) -> dict[str, str]:
        answer = await llm.ainvoke(f"Summarize: {state['text']}")
        collection.add(ids=["summary"], documents=[answer.text], embeddings=embeddings.embed_documents([answer.text]))
        return {"summary": answer.text}

    async def judge_tone(state: State) -> dict[str, str]:
        found = collection.query(query_embeddings=embeddings.embed_documents([state["text"]]), n_results=1)
        answer = await llm.ainvoke(f"What is the tone of this text? {state['text']}")
        return {"tone": f"{answer.text}, after {found['documents']}"}

    async def report(state: State) -> dict[str, str]:
        collection.delete(ids=["summary"])
        return await conclude(state)

    return stages | {"summarize": summarize, "judge_tone": judge_tone, "report": report}


def as_written(given: Callable[[float], dict[str, Any]], side: Side, pace: float) -> Any:
    """The stages in a row."""
    return chain(side.StateGraph(State), given(pace))


def left_out() -> Mapping[str, str]:
    """What can't run here, and why."""
    return {} if find_spec("chromadb") else {CHROMA: "chromadb isn't installed"}


def benchmarks() -> Iterator[GraphBenchmark]:
    """A list in a closure, and a Chroma collection where there is chromadb."""
    for name, what, given in (("hidden_list", "a list", by_list), (CHROMA, "a Chroma collection", by_chroma)):
        if name not in left_out():
            yield GraphBenchmark(
                name=name,
                group="hidden",
                what=f"the four stages of `independent_4`, of which the first fills {what} that the second reads, undeclared",
                build=partial(as_written, given),
                input=lambda pace: {"text": TEXT},
                size=1.0,
                tiny=0.02,
                budget=15.0,
                quick=name != CHROMA,
                targets=(Target(1.0),),
            )
