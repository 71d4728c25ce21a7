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
    def split(state: State) -> Command[Literal["extract"]]:
        items: list[Item] = []
        for paragraph in state["paragraphs"]:
            sentences = re.split(r"(?<=[.!?])\s+", paragraph)
            items += [{"sentence": s, "before": " ".join(sentences[:i])} for i, s in enumerate(sentences)]
        return Command(goto=[Send("extract", {"at": at, **item}) for at, item in enumerate(items)])

    async def extract(state: Item) -> Command[Literal["retrieve"]]:
        found = Claim.model_validate(await model.with_structured_output(Claim).ainvoke(EXTRACT.format(**state)))
        if not found.checkable:
            return Command(update={"verdicts": [{"at": state["at"], "sentence": state["sentence"], "label": "no claim"}]})
        return Command(goto=Send("retrieve", {"at": state["at"], "sentence": state["sentence"], "claim": found.claim}))

    def retrieve(state: Item) -> Command[Literal["judge"]]:
        return Command(goto=Send("judge", {**state, "passages": " ".join(search(state["claim"]))}))

    async def judge(state: Item) -> Command[Literal["correct"]]:
        found = Verdict.model_validate(await model.with_structured_output(Verdict).ainvoke(JUDGE.format(**state)))
        checked: Item = {**state, "label": found.label, "evidence": found.evidence}
        if found.label == "contradicted":
            return Command(goto=Send("correct", checked))
        return Command(update={"verdicts": [checked]})

    async def correct(state: Item) -> dict[str, Any]:
        answer = await model.ainvoke(CORRECT.format(**state))
        return {"verdicts": [{**state, "correction": answer.text}]}

    def report(state: State) -> dict[str, Any]:
        lines = [f"[{v['label']}] {v.get('correction', v['sentence'])}" for v in sorted(state["verdicts"], key=itemgetter("at"))]
        return {"report": "\n".join(lines)}

    graph = StateGraph(State)
    graph.add_node("split", split)
    graph.add_node("extract", extract)
    graph.add_node("retrieve", retrieve)
    graph.add_node("judge", judge)
    graph.add_node("correct", correct)
    graph.add_node("report", report, defer=True)
    graph.add_edge(START, "split")
    for last in ("extract", "judge", "correct"):
        graph.add_edge(last, "report")
    graph.add_edge("report", END)
    return graph.compile()
