"""The app as people write it: a node for each stage, and a `Send` for each thing that goes on to the next one."""

import re
from itertools import groupby
from operator import add, itemgetter
from typing import Annotated, Any, Literal, TypedDict

from langchain_core.language_models import BaseChatModel
from langchain_core.retrievers import BaseRetriever
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import Command, Send
from pydantic import BaseModel, Field

RESPOND = "Answer in plain sentences.\nQuestion: {question}"
CLAIMS = """List what the sentence states, one simple statement each, with names instead of pronouns. Leave out opinions.
Before: {before}
Sentence: {sentence}"""
QUERIES = "Write two search queries that would find out whether the claim is true.\nClaim: {claim}"
CHECK = "Do the passages support the claim, contradict it, or leave it open?\nClaim: {claim}\nPassages: {passages}"
JUDGE = "Given what was found, is the sentence right, wrong, or unproven? Explain.\nSentence: {sentence}\nFound: {found}"
CORRECT = "Rewrite the answer so that it agrees with what was found. Change nothing else.\nAnswer: {answer}\nFound: {found}"


class Claims(BaseModel):
    """What a sentence states."""

    claims: list[str] = Field(description="Simple statements that can be looked up; none for an opinion.")


class Queries(BaseModel):
    """What to search for."""

    queries: list[str] = Field(description="Two search queries.")


class Verdict(BaseModel):
    """What the passages say about a claim."""

    label: Literal["supported", "contradicted", "open"]
    evidence: str = Field(description="The passages' sentence that decides, word for word; empty if open.")
    reason: str = Field(description="Why, in one sentence.")


class Judgement(BaseModel):
    """What comes of all claims of a sentence."""

    label: Literal["right", "wrong", "unproven"]
    explanation: str


class Item(TypedDict, total=False):
    """A sentence of the answer, by its place in it; later one of its claims, and what was found of that."""

    at: int
    sentence: str
    before: str
    nth: int
    claim: str
    queries: list[str]
    passages: list[str]
    label: str
    evidence: str
    reason: str


class Group(TypedDict):
    """A sentence with all its checked claims."""

    at: int
    sentence: str
    checks: list[Item]


class Judged(TypedDict):
    """A sentence's verdict."""

    at: int
    sentence: str
    label: str
    explanation: str


class State(TypedDict, total=False):
    """The run's state."""

    question: str
    answer: str
    checks: Annotated[list[Item], add]
    judged: Annotated[list[Judged], add]
    corrected: str


def sentences_of(answer: str) -> list[Item]:
    """The sentences, each with the three before it, so that its pronouns can be told."""
    sentences = re.split(r"(?<=[.!?])\s+", answer)
    return [{"at": i, "sentence": s, "before": " ".join(sentences[:i][-3:])} for i, s in enumerate(sentences)]


def told(checks: list[Item]) -> str:
    """What was found of a sentence's claims."""
    return " ".join(f"[{check['label']}] {check['claim']} ({check['reason']})" for check in checks)


def corrections(judged: list[Judged]) -> str:
    """What was found to be wrong, in the answer's order."""
    return " ".join(one["explanation"] for one in sorted(judged, key=itemgetter("at")) if one["label"] == "wrong")


def build(model: BaseChatModel, retriever: BaseRetriever) -> CompiledStateGraph[State]:
    claiming, querying = model.with_structured_output(Claims), model.with_structured_output(Queries)
    checking, judging = model.with_structured_output(Verdict), model.with_structured_output(Judgement)

    async def respond(state: State) -> dict[str, Any]:
        answer = await model.ainvoke(RESPOND.format(question=state["question"]))
        return {"answer": str(answer.text)}

    def each_sentence(state: State) -> list[Send]:
        return [Send("find_claims", item) for item in sentences_of(state["answer"])]

    async def find_claims(state: Item) -> Command[Literal["write_queries"]]:
        found = Claims.model_validate(await claiming.ainvoke(CLAIMS.format(**state)))
        about = {"at": state["at"], "sentence": state["sentence"]}
        return Command(goto=[Send("write_queries", {**about, "nth": nth, "claim": claim}) for nth, claim in enumerate(found.claims)])

    async def write_queries(state: Item) -> Command[Literal["search"]]:
        found = Queries.model_validate(await querying.ainvoke(QUERIES.format(**state)))
        return Command(goto=Send("search", {**state, "queries": found.queries}))

    async def search(state: Item) -> Command[Literal["check"]]:
        found = await retriever.abatch(state["queries"])
        passages = dict.fromkeys(document.page_content for documents in found for document in documents)
        return Command(goto=Send("check", {**state, "passages": list(passages)}))

    async def check(state: Item) -> dict[str, Any]:
        prompt = CHECK.format(claim=state["claim"], passages=" ".join(state["passages"]))
        verdict = Verdict.model_validate(await checking.ainvoke(prompt))
        return {"checks": [{**state, **verdict.model_dump()}]}

    def each_group(state: State) -> list[Send]:
        checks = sorted(state["checks"], key=itemgetter("at", "nth"))
        groups = [list(group) for _, group in groupby(checks, key=itemgetter("at"))]
        return [Send("judge", {"at": group[0]["at"], "sentence": group[0]["sentence"], "checks": group}) for group in groups]

    async def judge(state: Group) -> dict[str, Any]:
        prompt = JUDGE.format(sentence=state["sentence"], found=told(state["checks"]))
        judgement = Judgement.model_validate(await judging.ainvoke(prompt))
        return {"judged": [{"at": state["at"], "sentence": state["sentence"], **judgement.model_dump()}]}

    async def correct(state: State) -> dict[str, Any]:
        wrong = corrections(state["judged"])
        if not wrong:
            return {"corrected": state["answer"]}
        answer = await model.ainvoke(CORRECT.format(answer=state["answer"], found=wrong))
        return {"corrected": str(answer.text)}

    graph = StateGraph(State)
    graph.add_node("respond", respond)
    graph.add_node("find_claims", find_claims)
    graph.add_node("write_queries", write_queries)
    graph.add_node("search", search)
    graph.add_node("check", check)
    graph.add_node("gather", lambda state: {})
    graph.add_node("judge", judge)
    graph.add_node("correct", correct)
    graph.add_edge(START, "respond")
    graph.add_conditional_edges("respond", each_sentence, ["find_claims"])
    graph.add_edge("check", "gather")
    graph.add_conditional_edges("gather", each_group, ["judge"])
    graph.add_edge("judge", "correct")
    graph.add_edge("correct", END)
    return graph.compile()
