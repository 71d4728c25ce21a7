"""A plan of lines, then a call for each line: how much of the writing can be done while the plan is still being written."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, TypedDict

from langgraph.graph import END, START
from langgraph.types import Send

from alto_langgraph.plan.schedule import Work
from alto_langgraph.tags import Tag
from alto_langgraph.testing import LogNormal, Pace, PacedChatModel, Slots
from benchmarks.foretold import bounds, written
from benchmarks.sides import Side

TOKEN = LogNormal(0.007, 0.0)
"""Seconds of every token, the first one too."""
TOPICS = ("alpha", "beta", "gamma", "delta", "zeta", "eta", "theta", "iota", "kappa", "lambda")
WORDS = 51
PLAN, WRITE = "Plan: {topic}", "Write: {section}"


@dataclass(frozen=True, slots=True)
class Load:
    """So many lines, of ten at most, on a server of so many slots, None for more than are needed; `pace` scales the times."""

    lines: int = len(TOPICS)
    slots: int | None = 4
    pace: float = 1.0


class State(TypedDict):
    """A topic, the sections planned, and their texts."""

    topic: str
    sections: list[str]
    texts: Annotated[list[str], operator.add]


def model(load: Load) -> PacedChatModel:
    """Plans so many lines of seven tokens, and writes sixty tokens about each."""
    plan = "\n".join(f"number {at} about {topic} in some detail" for at, topic in enumerate(TOPICS[: load.lines]))

    def answer(prompt: str) -> str:
        kind, _, about = prompt.partition(": ")
        return plan if kind == "Plan" else f"Text for {about}" + " word" * WORDS

    slots = Slots(load.slots) if load.slots else Slots()
    return PacedChatModel(answers=answer, pace=Pace(TOKEN, TOKEN), slots=slots, scale=load.pace)


def as_written(side: Side, load: Load) -> Any:
    """A node that plans, a conditional edge that sends every line on, a node that writes."""
    llm = model(load)

    async def plan(state: State) -> dict[str, list[str]]:
        answer = await llm.ainvoke(PLAN.format(topic=state["topic"]))
        return {"sections": answer.text.split("\n")}

    def fan_out(state: State) -> list[Send]:
        return [Send("write", {"section": section}) for section in state["sections"]]

    async def write(item: dict[str, str]) -> dict[str, list[str]]:
        answer = await llm.ainvoke(WRITE.format(section=item["section"]))
        return {"texts": [answer.text]}

    builder = side.StateGraph(State)
    builder.add_node("plan", plan)
    builder.add_node("write", write)
    builder.add_edge(START, "plan")
    builder.add_conditional_edges("plan", fan_out, ["write"])
    builder.add_edge("write", END)
    return builder.compile


def given(load: Load) -> dict[str, Any]:
    """The graph's input."""
    return {"topic": "letters", "sections": [], "texts": []}


def foretold(load: Load) -> list[Work]:
    """The calls: each line's own waits for nothing but that line."""
    llm, prompt = model(load), PLAN.format(**given(load))
    sections = llm.answers(prompt).split("\n")
    plan = Work(Tag((("plan", 0),)), "plan", 0, llm.seconds(prompt))
    return [plan] + [
        Work(plan.tag.child("write", at), "write", 1, llm.seconds(WRITE.format(section=section)), heads=((plan.tag, there),))
        for at, (section, there) in enumerate(zip(sections, written(llm, prompt, sections), strict=True))
    ]


def least(load: Load) -> Mapping[str, float]:
    """The bounds, in seconds."""
    return bounds(foretold(load), load.slots)
