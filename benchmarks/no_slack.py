"""Graphs in which nothing can be gained, with a paced model: alto mustn't make them slower."""

from __future__ import annotations

import operator
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, TypedDict

from langchain_core.messages import HumanMessage, SystemMessage
from langchain_core.tools import tool
from langgraph.graph import END, START, MessagesState
from langgraph.prebuilt import ToolNode, tools_condition
from langgraph.types import Send

from benchmarks.graphs import GraphBenchmark
from benchmarks.independent import STAGE, TEXT, by_hand, model, nodes
from benchmarks.sides import Side

CALL = 0.05
"""Seconds of a model call."""
QUESTION = HumanMessage("What is the weather like in every city?", id="question")
PAGES = [f"page {number}" for number in range(8)]


@dataclass(frozen=True, slots=True)
class Load:
    """So many model calls; `pace` scales their time."""

    calls: int
    pace: float = 1.0


class Letter(TypedDict):
    """A letter on its way."""

    wish: str
    outline: str
    draft: str
    critique: str
    letter: str


def dependent(side: Side, load: Load) -> Any:
    """Four stages in a row, each of which reads what the one before it wrote."""
    llm = model(load.pace * CALL)

    async def plan(state: Letter) -> dict[str, str]:
        answer = await llm.ainvoke(f"Outline a letter: {state['wish']}")
        return {"outline": answer.text}

    async def write(state: Letter) -> dict[str, str]:
        answer = await llm.ainvoke(f"Write it out: {state['outline']}")
        return {"draft": answer.text}

    async def criticize(state: Letter) -> dict[str, str]:
        answer = await llm.ainvoke(f"What is wrong with it? {state['draft']}")
        return {"critique": answer.text}

    async def revise(state: Letter) -> dict[str, str]:
        answer = await llm.ainvoke(f"Revise it: {state['draft']}\n{state['critique']}")
        return {"letter": answer.text}

    builder = side.StateGraph(Letter)
    builder.add_node("plan", plan)
    builder.add_node("write", write)
    builder.add_node("criticize", criticize)
    builder.add_node("revise", revise)
    builder.add_edge(START, "plan")
    builder.add_edge("plan", "write")
    builder.add_edge("write", "criticize")
    builder.add_edge("criticize", "revise")
    builder.add_edge("revise", END)
    return builder.compile


@tool
def weather(city: str) -> str:
    """What the weather is like in a city."""
    return f"rain in {city}"


def agent(side: Side, load: Load) -> Any:
    """An agent that asks its model, runs the tool that it wants, and asks again."""

    def asked(prompt: str, names: list[str]) -> list[tuple[str, dict[str, str]]]:
        seen = prompt.count("rain in")
        return [("weather", {"city": f"city {seen}"})] if seen < load.calls - 1 else []

    llm = model(load.pace * CALL).model_copy(update={"calls": asked}).bind_tools([weather])

    async def call_model(state: MessagesState) -> dict[str, Any]:
        answer = await llm.ainvoke([SystemMessage("You are a weather service."), *state["messages"]])
        return {"messages": [answer]}

    builder = side.StateGraph(MessagesState)
    builder.add_node("agent", call_model)
    builder.add_node("tools", ToolNode([weather]))
    builder.add_edge(START, "agent")
    builder.add_conditional_edges("agent", tools_condition)
    builder.add_edge("tools", "agent")
    return builder.compile


class Book(TypedDict):
    """Pages in, translations out."""

    pages: list[str]
    translations: Annotated[list[str], operator.add]
    book: str


def map_reduce(side: Side, load: Load) -> Any:
    """A `Send` for each page, all taking the same time, and a join."""
    llm = model(load.pace * CALL)

    def split(state: Book) -> list[Send]:
        return [Send("translate", {"page": page}) for page in state["pages"]]

    async def translate(state: dict[str, str]) -> dict[str, list[str]]:
        answer = await llm.ainvoke(f"Translate: {state['page']}")
        return {"translations": [f"{state['page']}: {answer.text}"]}

    def bind(state: Book) -> dict[str, str]:
        return {"book": "\n".join(state["translations"])}

    builder = side.StateGraph(Book)
    builder.add_node("translate", translate)
    builder.add_node("bind", bind)
    builder.add_conditional_edges(START, split, ["translate"])
    builder.add_edge("translate", "bind")
    builder.add_edge("bind", END)
    return builder.compile


def fork_join(side: Side, load: Load) -> Any:
    """Four nodes side by side, all taking the same time, and a join."""
    return by_hand(nodes, side, load.pace * CALL / STAGE)


def _regardless(given: Any, load: Load) -> Any:
    return given


def benchmarks() -> Iterator[GraphBenchmark]:
    """A chain that depends on itself all along, a chat's agent, and two ways to fork and join evenly; async."""
    for name, what, calls, build, given in (
        ("dependent", "model calls in a row, each reading what the one before wrote", 4, dependent, {"wish": "to be let off"}),
        ("agent_loop", "turns of an agent that calls a tool, saved to memory, words streamed", 6, agent, {"messages": [QUESTION]}),
        ("fork_join", "even model calls side by side, then a join", 4, fork_join, {"text": TEXT}),
        ("map_reduce", "`Send`s to even model calls, then a join", 8, map_reduce, {"pages": PAGES}),
    ):
        chat = build is agent
        yield GraphBenchmark(
            name=f"{name}_{calls}",
            group="no_slack",
            what=f"{calls} {what}",
            build=build,
            input=partial(_regardless, given),
            size=Load(calls),
            tiny=Load(calls, pace=0.02),
            checkpointer="memory" if chat else None,
            modes=("updates", "messages") if chat else ("updates",),
            budget=10.0,
        )
