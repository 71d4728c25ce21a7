"""One graph on a real engine, stock and alto: the same answers, whatever the order in which its tasks ask."""

from __future__ import annotations

import asyncio
import operator
from typing import Annotated, Any, TypedDict

import pytest
from langgraph.graph import START
from langgraph.graph import StateGraph as StockStateGraph
from langgraph.types import Command, Send

from alto_langgraph.adapters.vllm import ChatVLLM
from alto_langgraph.graph import StateGraph
from tests.vllm.engine.marks import MARKS

pytestmark = MARKS
LIST = {"structured_outputs": {"regex": r"(a|b|c)[a-f]{4}(\n(a|b|c)[a-f]{4}){4}"}, "max_tokens": 60}
VERDICT = {"structured_outputs": {"regex": "(true|false|open)"}, "max_tokens": 6}


class State(TypedDict):
    question: str
    claims: list[str]
    checked: Annotated[list[str], operator.add]
    verdicts: Annotated[list[str], operator.add]
    conclusion: str


def built(graph: Any, llm: ChatVLLM, threads: bool) -> Any:
    """A plan of five lines, a check of each, a verdict on each check, and a conclusion from all."""

    async def plan(state: State) -> Any:
        answer = await llm.ainvoke(f"Plan: {state['question']}", **LIST)
        return {"claims": answer.text.splitlines()}

    async def check(claim: str) -> Any:
        answer = await llm.ainvoke(f"Check: {claim}", **VERDICT)
        return Command(update={"checked": [f"{claim} {answer.text}"]}, goto=Send("judge", f"{claim} {answer.text}"))

    async def judge(found: str) -> Any:
        answer = await llm.ainvoke(f"Judge: {found}", **VERDICT)
        return {"verdicts": [f"{found} {answer.text}"]}

    async def conclude(state: State) -> Any:
        answer = await llm.ainvoke(f"Conclude: {'; '.join(state['verdicts'])}", structured_outputs={"regex": "[a-z]{12}"})
        return {"conclusion": answer.text}

    def on_threads(node: Any) -> Any:
        return lambda given: asyncio.run(node(given))

    builder = graph(State)
    for node in (plan, check, judge, conclude):
        builder.add_node(node.__name__, on_threads(node) if threads else node)
    builder.add_edge(START, "plan")
    builder.add_conditional_edges("plan", lambda state: [Send("check", claim) for claim in state["claims"]], ["check"])
    builder.add_edge("judge", "conclude")
    return builder.compile()


@pytest.mark.parametrize("threads", [False, True])
async def test_stock_and_alto_answer_alike(llm: ChatVLLM, threads: bool) -> None:
    questions = [f"Question {number}" for number in range(4)]

    async def answers(graph: Any) -> list[Any]:
        app = built(graph, llm, threads)
        given: list[Any] = [{"question": question, "claims": [], "checked": [], "verdicts": [], "conclusion": ""} for question in questions]
        if threads:
            return await asyncio.gather(*(asyncio.to_thread(app.invoke, one) for one in given))
        return await asyncio.gather(*(app.ainvoke(one) for one in given))

    stock, ours = await answers(StockStateGraph), await answers(StateGraph)
    assert ours == stock
    assert all(len(state["verdicts"]) == 5 and len(state["conclusion"]) == 12 for state in stock)
