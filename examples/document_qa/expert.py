"""The app as somebody tunes it who knows that LangGraph waits at every superstep.

Each document has a subgraph of its own, and in that each passage is one node with all that is done for it.
"""

import asyncio
from operator import add, itemgetter
from typing import Annotated, Any, TypedDict

from langchain_core.language_models import BaseChatModel
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import Send

from alto_langgraph.examples.document_qa.as_written import (
    ANSWER,
    EXTRACT,
    SELECT,
    SUMMARISE,
    Extract,
    Item,
    Scores,
    State,
    Summary,
    best,
    cited,
    numbered,
    passages_of,
)


class Found(TypedDict, total=False):
    """What a document's subgraph gives back."""

    evidence: Annotated[list[Item], add]
    summaries: Annotated[list[Summary], add]


class Reading(Found, total=False):
    """State of that subgraph."""

    question: str
    title: str
    text: str


def build(model: BaseChatModel) -> CompiledStateGraph[State]:
    selecting, extracting = model.with_structured_output(Scores), model.with_structured_output(Extract)

    def each_document(state: State) -> list[Send]:
        return [Send("document", {"question": state["question"], **document}) for document in state["documents"]]

    def each_passage(state: Reading) -> list[Send] | str:
        about = {"question": state["question"], "title": state["title"]}
        passages = enumerate(passages_of(state["text"]))
        return [Send("extract", {**about, "passage": place, "sentences": sentences}) for place, sentences in passages] or END

    async def extract(state: Item) -> dict[str, Any]:
        question, title, sentences = state["question"], state["title"], state["sentences"]
        found = Scores.model_validate(await selecting.ainvoke(SELECT.format(question=question, sentences=numbered(sentences))))

        async def quoted(nth: int, score: int) -> list[Item]:
            prompt = EXTRACT.format(question=question, title=title, before=" ".join(sentences[:nth]), sentence=sentences[nth])
            told = Extract.model_validate(await extracting.ainvoke(prompt))
            made_up = told.quote not in sentences[nth]
            return [] if made_up else [{**state, "nth": nth, "score": score, "quote": told.quote, "tells": told.tells}]

        known = [one for one in found.helpful if 1 <= one.number <= len(sentences)]
        parts = await asyncio.gather(*(quoted(one.number - 1, one.score) for one in known))
        return {"evidence": [one for part in parts for one in part]}

    async def summarise(state: Reading) -> dict[str, Any]:
        if not state["evidence"]:
            return {}
        quotes = [item["quote"] for item in best(state["evidence"])]
        told = await model.ainvoke(SUMMARISE.format(question=state["question"], title=state["title"], quotes=numbered(quotes)))
        return {"summaries": [{"title": state["title"], "summary": str(told.text), "quotes": quotes}]}

    async def answer(state: State) -> dict[str, Any]:
        summaries = sorted(state["summaries"], key=itemgetter("title"))
        told = await model.ainvoke(ANSWER.format(question=state["question"], summaries=numbered([one["summary"] for one in summaries])))
        return {"answer": str(told.text), "citations": cited(str(told.text), summaries)}

    document = StateGraph(Reading, output_schema=Found)
    document.add_node("extract", extract)
    document.add_node("summarise", summarise)
    document.add_conditional_edges(START, each_passage, ["extract", END])
    document.add_edge("extract", "summarise")
    document.add_edge("summarise", END)

    graph = StateGraph(State)
    graph.add_node("document", document.compile())
    graph.add_node("answer", answer)
    graph.add_conditional_edges(START, each_document, ["document"])
    graph.add_edge("document", "answer")
    graph.add_edge("answer", END)
    return graph.compile()
