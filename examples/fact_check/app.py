"""Checks every factual sentence of a text against a collection of documents: plain LangGraph and LangChain."""

import re
from collections.abc import Callable
from operator import add, itemgetter
from typing import Annotated, Any, Literal, TypedDict

from langchain_core.language_models import BaseChatModel
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import Command, Send
from pydantic import BaseModel, Field

EXTRACT = """Does the sentence state something that could be looked up? If so, restate it with names instead of pronouns.
Before: {before}
Sentence: {sentence}"""
JUDGE = "Do the passages support the claim, contradict it, or leave it open?\nClaim: {claim}\nPassages: {passages}"
CORRECT = "Rewrite the claim so that it agrees with the evidence. Answer with one sentence.\nClaim: {claim}\nEvidence: {evidence}"


class Claim(BaseModel):
    """What a sentence states."""

    checkable: bool = Field(description="False for opinions, questions and announcements.")
    claim: str = Field(description="The statement with names instead of pronouns; empty if not checkable.")


class Verdict(BaseModel):
    """What the passages say about a claim."""

    label: Literal["supported", "contradicted", "unknown"]
    evidence: str = Field(description="The passages' sentence that decides, word for word; empty if unknown.")


class Item(TypedDict, total=False):
    at: int
    sentence: str
    before: str
    claim: str
    passages: str
    label: str
    evidence: str
    correction: str


class State(TypedDict):
    paragraphs: list[str]
    verdicts: Annotated[list[Item], add]
    report: str


def build(model: BaseChatModel, search: Callable[[str], list[str]]) -> CompiledStateGraph[State]:
    reader, judging = model.with_structured_output(Claim), model.with_structured_output(Verdict)

    def split(state: State) -> Command[Literal["extract"]]:
        items: list[Item] = []
        for paragraph in state["paragraphs"]:
            sentences = re.split(r"(?<=[.!?])\s+", paragraph)
            items += [{"sentence": s, "before": " ".join(sentences[:i])} for i, s in enumerate(sentences)]
        return Command(goto=[Send("extract", {"at": at, **item}) for at, item in enumerate(items)])

    async def extract(state: Item) -> Command[Literal["retrieve"]]:
        found = Claim.model_validate(await reader.ainvoke(EXTRACT.format(**state)))
        claim = found.claim if found.checkable else ""
        return Command(goto=Send("retrieve", {"at": state["at"], "sentence": state["sentence"], "claim": claim}))

    async def retrieve(state: Item) -> Command[Literal["judge"]]:
        passages = search(state["claim"]) if state["claim"] else []
        return Command(goto=Send("judge", {**state, "passages": " ".join(passages)}))

    async def judge(state: Item) -> Command[Literal["correct"]]:
        if not state["claim"]:
            return Command(goto=Send("correct", {**state, "label": "no claim"}))
        found = Verdict.model_validate(await judging.ainvoke(JUDGE.format(**state)))
        return Command(goto=Send("correct", {**state, "label": found.label, "evidence": found.evidence}))

    async def correct(state: Item) -> dict[str, Any]:
        if state["label"] != "contradicted":
            return {"verdicts": [state]}
        answer = await model.ainvoke(CORRECT.format(**state))
        return {"verdicts": [{**state, "correction": str(answer.text)}]}

    def report(state: State) -> dict[str, Any]:
        lines = [f"[{v['label']}] {v.get('correction', v['sentence'])}" for v in sorted(state["verdicts"], key=itemgetter("at"))]
        return {"report": "\n".join(lines)}

    graph = StateGraph(State)
    graph.add_node("split", split)
    graph.add_node("extract", extract)
    graph.add_node("retrieve", retrieve)
    graph.add_node("judge", judge)
    graph.add_node("correct", correct)
    graph.add_node("report", report)
    graph.add_edge(START, "split")
    graph.add_edge("correct", "report")
    graph.add_edge("report", END)
    return graph.compile()
