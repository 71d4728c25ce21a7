"""The app as somebody tunes it who knows that LangGraph waits at every superstep.

Each sentence has a subgraph of its own, and in that each claim is one node with all that is done for it.
"""

import asyncio
from operator import add
from typing import Annotated, Any, TypedDict

from langchain_core.language_models import BaseChatModel
from langchain_core.retrievers import BaseRetriever
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import Send

from alto_langgraph.examples.chatbot_verification.as_written import (
    CHECK,
    CLAIMS,
    CORRECT,
    JUDGE,
    QUERIES,
    RESPOND,
    Claims,
    Item,
    Judged,
    Judgement,
    Queries,
    State,
    Verdict,
    corrections,
    sentences_of,
    told,
)


class Found(TypedDict, total=False):
    """What a sentence's subgraph gives back."""

    checks: Annotated[list[Item], add]
    judged: Annotated[list[Judged], add]


class Sentence(Found, total=False):
    """State of that subgraph."""

    at: int
    sentence: str
    before: str
    claims: list[str]


def build(model: BaseChatModel, retriever: BaseRetriever) -> CompiledStateGraph[State]:
    claiming, querying = model.with_structured_output(Claims), model.with_structured_output(Queries)
    checking, judging = model.with_structured_output(Verdict), model.with_structured_output(Judgement)

    async def respond(state: State) -> dict[str, Any]:
        answer = await model.ainvoke(RESPOND.format(question=state["question"]))
        return {"answer": str(answer.text)}

    def each_sentence(state: State) -> list[Send]:
        return [Send("sentence", item) for item in sentences_of(state["answer"])]

    async def find_claims(state: Sentence) -> dict[str, Any]:
        found = Claims.model_validate(await claiming.ainvoke(CLAIMS.format(**state)))
        return {"claims": found.claims}

    def each_claim(state: Sentence) -> list[Send] | str:
        about = {"at": state["at"], "sentence": state["sentence"]}
        return [Send("check", {**about, "nth": nth, "claim": claim}) for nth, claim in enumerate(state["claims"])] or END

    async def check(state: Item) -> dict[str, Any]:
        queries = Queries.model_validate(await querying.ainvoke(QUERIES.format(**state))).queries
        found = await asyncio.gather(*(retriever.ainvoke(query) for query in queries))
        passages = list(dict.fromkeys(document.page_content for documents in found for document in documents))
        verdict = await checking.ainvoke(CHECK.format(claim=state["claim"], passages=" ".join(passages)))
        return {"checks": [{**state, "queries": queries, "passages": passages, **Verdict.model_validate(verdict).model_dump()}]}

    async def judge(state: Sentence) -> dict[str, Any]:
        prompt = JUDGE.format(sentence=state["sentence"], found=told(state["checks"]))
        judgement = Judgement.model_validate(await judging.ainvoke(prompt))
        return {"judged": [{"at": state["at"], "sentence": state["sentence"], **judgement.model_dump()}]}

    async def correct(state: State) -> dict[str, Any]:
        wrong = corrections(state["judged"])
        if not wrong:
            return {"corrected": state["answer"]}
        answer = await model.ainvoke(CORRECT.format(answer=state["answer"], found=wrong))
        return {"corrected": str(answer.text)}

    sentence = StateGraph(Sentence, output_schema=Found)
    sentence.add_node("find_claims", find_claims)
    sentence.add_node("check", check)
    sentence.add_node("judge", judge)
    sentence.add_edge(START, "find_claims")
    sentence.add_conditional_edges("find_claims", each_claim, ["check", END])
    sentence.add_edge("check", "judge")
    sentence.add_edge("judge", END)

    graph = StateGraph(State)
    graph.add_node("respond", respond)
    graph.add_node("sentence", sentence.compile())
    graph.add_node("correct", correct)
    graph.add_edge(START, "respond")
    graph.add_conditional_edges("respond", each_sentence, ["sentence"])
    graph.add_edge("sentence", "correct")
    graph.add_edge("correct", END)
    return graph.compile()
