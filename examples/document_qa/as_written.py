"""The app as people write it: a node for each stage, and a `Send` for each thing that goes on to the next one."""

import re
from itertools import groupby
from operator import add, itemgetter
from typing import Annotated, Any, Literal, TypedDict

from langchain_core.language_models import BaseChatModel
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import Command, Send
from pydantic import BaseModel, Field

SELECT = """Which of these sentences help to answer the question? Score each of them from 1 (in passing) to 5 (it answers it).
Question: {question}
Sentences:
{sentences}"""
EXTRACT = """Quote the part of the sentence that helps to answer the question, word for word, and say what it tells.
Question: {question}
Document: {title}
Before: {before}
Sentence: {sentence}"""
SUMMARISE = """Sum up what the document says on the question, with the numbers of the quotes.
Question: {question}
Document: {title}
Quotes:
{quotes}"""
ANSWER = """Answer the question from these summaries. Keep their citations.
Question: {question}
Summaries:
{summaries}"""


class Score(BaseModel):
    """A sentence that helps."""

    number: int = Field(description="Its number in the list.")
    score: int = Field(description="1 to 5.")


class Scores(BaseModel):
    """The sentences that help."""

    helpful: list[Score]


class Extract(BaseModel):
    """What a sentence has to say on the question."""

    quote: str = Field(description="Word for word.")
    tells: str = Field(description="What that tells, in a few words.")


class Document(TypedDict):
    """A document as the user gives it."""

    title: str
    text: str


class Item(TypedDict, total=False):
    """A document's passage by its place; later one of its sentences, and what it has to say."""

    question: str
    title: str
    text: str
    passage: int
    sentences: list[str]
    nth: int
    score: int
    quote: str
    tells: str


class Group(TypedDict):
    """A document with all that was found in it, best first."""

    question: str
    title: str
    evidence: list[Item]


class Summary(TypedDict):
    """What a document says on the question, and the quotes that are cited as [title 1], [title 2] and so on."""

    title: str
    summary: str
    quotes: list[str]


class State(TypedDict, total=False):
    """The run's state."""

    question: str
    documents: list[Document]
    evidence: Annotated[list[Item], add]
    summaries: Annotated[list[Summary], add]
    answer: str
    citations: dict[str, str]


def passages_of(text: str) -> list[list[str]]:
    """The sentences of each paragraph; headings, code and grammar are left out."""
    paragraphs = [paragraph for paragraph in re.split(r"\n\s*\n", text) if re.match(r"\S", paragraph)]
    prose = [" ".join(paragraph.split()) for paragraph in paragraphs if not re.search(r"^(\*+|=+|-+)$", paragraph, re.MULTILINE)]
    return [re.split(r"(?<=[.!?])\s+(?=[A-Z\"“])", paragraph) for paragraph in prose]


def numbered(lines: list[str]) -> str:
    """A list for a prompt."""
    return "\n".join(f"{number}. {line}" for number, line in enumerate(lines, 1))


def best(evidence: list[Item], most: int = 4) -> list[Item]:
    """The most helpful quotes, in the document's order where they are equally so."""
    return sorted(evidence, key=lambda item: (-item["score"], item["passage"], item["nth"]))[:most]


def cited(answer: str, summaries: list[Summary]) -> dict[str, str]:
    """The quote behind each citation of an answer."""
    quotes = {f"{one['title']} {number}": quote for one in summaries for number, quote in enumerate(one["quotes"], 1)}
    return {mark: quotes[mark] for mark in re.findall(r"\[([\w-]+ \d+)\]", answer) if mark in quotes}


def build(model: BaseChatModel) -> CompiledStateGraph[State]:
    selecting, extracting = model.with_structured_output(Scores), model.with_structured_output(Extract)

    def each_document(state: State) -> list[Send]:
        return [Send("split", {"question": state["question"], **document}) for document in state["documents"]]

    def split(state: Item) -> Command[Literal["select"]]:
        about = {"question": state["question"], "title": state["title"]}
        passages = enumerate(passages_of(state["text"]))
        return Command(goto=[Send("select", {**about, "passage": place, "sentences": sentences}) for place, sentences in passages])

    async def select(state: Item) -> Command[Literal["extract"]]:
        prompt = SELECT.format(question=state["question"], sentences=numbered(state["sentences"]))
        found = Scores.model_validate(await selecting.ainvoke(prompt))
        known = [one for one in found.helpful if 1 <= one.number <= len(state["sentences"])]
        return Command(goto=[Send("extract", {**state, "nth": one.number - 1, "score": one.score}) for one in known])

    async def extract(state: Item) -> dict[str, Any]:
        sentences, nth = state["sentences"], state["nth"]
        prompt = EXTRACT.format(question=state["question"], title=state["title"], before=" ".join(sentences[:nth]), sentence=sentences[nth])
        found = Extract.model_validate(await extracting.ainvoke(prompt))
        if found.quote not in sentences[nth]:  # the model has made it up
            return {}
        return {"evidence": [{**state, "quote": found.quote, "tells": found.tells}]}

    def each_group(state: State) -> list[Send]:
        found = sorted(state["evidence"], key=itemgetter("title"))
        groups = {title: best(list(items)) for title, items in groupby(found, key=itemgetter("title"))}
        return [Send("summarise", {"question": state["question"], "title": title, "evidence": items}) for title, items in groups.items()]

    async def summarise(state: Group) -> dict[str, Any]:
        quotes = [item["quote"] for item in state["evidence"]]
        told = await model.ainvoke(SUMMARISE.format(question=state["question"], title=state["title"], quotes=numbered(quotes)))
        return {"summaries": [{"title": state["title"], "summary": str(told.text), "quotes": quotes}]}

    async def answer(state: State) -> dict[str, Any]:
        summaries = sorted(state["summaries"], key=itemgetter("title"))
        told = await model.ainvoke(ANSWER.format(question=state["question"], summaries=numbered([one["summary"] for one in summaries])))
        return {"answer": str(told.text), "citations": cited(str(told.text), summaries)}

    graph = StateGraph(State)
    graph.add_node("split", split)
    graph.add_node("select", select)
    graph.add_node("extract", extract)
    graph.add_node("gather", lambda state: {})
    graph.add_node("summarise", summarise)
    graph.add_node("answer", answer)
    graph.add_conditional_edges(START, each_document, ["split"])
    graph.add_edge("extract", "gather")
    graph.add_conditional_edges("gather", each_group, ["summarise"])
    graph.add_edge("summarise", "answer")
    graph.add_edge("answer", END)
    return graph.compile()
