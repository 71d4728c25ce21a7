"""Four stages that have nothing to do with each other, written as a chain, and a fifth that joins them: what the chain costs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from itertools import pairwise, product
from typing import Any, TypedDict

from langgraph.graph import END, START

from alto_langgraph.testing import LogNormal, Pace, PacedChatModel
from benchmarks.declare import Target
from benchmarks.graphs import EXPERT, HINTED, GraphBenchmark, Lane
from benchmarks.sides import Side

STAGE, JOIN = 0.20, 0.05
"""Seconds of a stage's model call, and of the joining one's."""
LIMIT = 1.05
"""Most of the critical path."""
ANSWER = "This is what a model has to say about the text"
TEXT = "It rained for three days, and then the river took the bridge."


class State(TypedDict):
    """A text, and what each stage says of it."""

    text: str
    summary: str
    tone: str
    keywords: str
    questions: str
    report: str


WRITES = {"summarize": "summary", "judge_tone": "tone", "find_keywords": "keywords", "ask_questions": "questions"}
"""The one state key that each stage writes; all of them read the text."""


def model(seconds: float) -> PacedChatModel:
    """A chat model that takes so many seconds for its answer: half of them to the first of its words, the rest evenly to the last."""
    words = len(ANSWER.split())
    pace = Pace(LogNormal(seconds / 2, 0.0), LogNormal(seconds / 2 / (words - 1), 0.0))
    return PacedChatModel(answers=lambda prompt: ANSWER, pace=pace)


def nodes(pace: float) -> dict[str, Any]:
    """The app's functions; `pace` scales the times."""
    llm, editor = model(pace * STAGE), model(pace * JOIN)

    async def summarize(state: State) -> dict[str, str]:
        answer = await llm.ainvoke(f"Summarize: {state['text']}")
        return {"summary": answer.text}

    async def judge_tone(state: State) -> dict[str, str]:
        answer = await llm.ainvoke(f"What is the tone of this text? {state['text']}")
        return {"tone": answer.text}

    async def find_keywords(state: State) -> dict[str, str]:
        answer = await llm.ainvoke(f"Keywords, please: {state['text']}")
        return {"keywords": answer.text}

    async def ask_questions(state: State) -> dict[str, str]:
        answer = await llm.ainvoke(f"What would a reader ask about this text? {state['text']}")
        return {"questions": answer.text}

    async def report(state: State) -> dict[str, str]:
        parts = [state["summary"], state["tone"], state["keywords"], state["questions"]]
        answer = await editor.ainvoke("Make one report of these: " + "; ".join(parts))
        return {"report": "\n".join([answer.text, *parts])}

    return {f.__name__: f for f in (summarize, judge_tone, find_keywords, ask_questions, report)}


def nodes_sync(pace: float) -> dict[str, Any]:
    """The same for threads."""
    llm, editor = model(pace * STAGE), model(pace * JOIN)

    def summarize(state: State) -> dict[str, str]:
        answer = llm.invoke(f"Summarize: {state['text']}")
        return {"summary": answer.text}

    def judge_tone(state: State) -> dict[str, str]:
        answer = llm.invoke(f"What is the tone of this text? {state['text']}")
        return {"tone": answer.text}

    def find_keywords(state: State) -> dict[str, str]:
        answer = llm.invoke(f"Keywords, please: {state['text']}")
        return {"keywords": answer.text}

    def ask_questions(state: State) -> dict[str, str]:
        answer = llm.invoke(f"What would a reader ask about this text? {state['text']}")
        return {"questions": answer.text}

    def report(state: State) -> dict[str, str]:
        parts = [state["summary"], state["tone"], state["keywords"], state["questions"]]
        answer = editor.invoke("Make one report of these: " + "; ".join(parts))
        return {"report": "\n".join([answer.text, *parts])}

    return {f.__name__: f for f in (summarize, judge_tone, find_keywords, ask_questions, report)}


def chain(builder: Any, functions: Mapping[str, Any]) -> Any:
    """One node after another, in the order given."""
    for name, function in functions.items():
        builder.add_node(name, function)
    for source, target in pairwise([START, *functions, END]):
        builder.add_edge(source, target)
    return builder.compile


def as_written(given: Any, side: Side, pace: float) -> Any:
    """The stages as most people write them: in a row."""
    return chain(side.StateGraph(State), given(pace))


def hinted(given: Any, side: Side, pace: float) -> Any:
    """The same, and each stage says in its metadata what it reads, what it writes, and that it may be repeated."""
    functions, builder = given(pace), side.StateGraph(State)
    for name, key in WRITES.items():
        builder.add_node(name, functions[name], metadata={"effects": "idempotent", "reads": ["text"], "writes": [key]})
    builder.add_node("report", functions["report"])
    for source, target in pairwise([START, *functions, END]):
        builder.add_edge(source, target)
    return builder.compile


def by_hand(given: Any, side: Side, pace: float) -> Any:
    """What an expert writes: all four stages in one superstep."""
    functions, builder = given(pace), side.StateGraph(State)
    for name, function in functions.items():
        builder.add_node(name, function)
    for name in WRITES:
        builder.add_edge(START, name)
    builder.add_edge(list(WRITES), "report")
    return builder.compile


def bounds(pace: float) -> Mapping[str, float]:
    """One stage and the join; and all of them in a row, which stock can't go below."""
    stage, join = (model(pace * seconds).seconds(TEXT) for seconds in (STAGE, JOIN))
    return {"critical path": stage + join, "superstep bound": len(WRITES) * stage + join}


def benchmarks() -> Iterator[GraphBenchmark]:
    """Async and sync, bare and as chats run: saved to sqlite and with the model's words streamed."""
    for sync, chat in product((False, True), (False, True)):
        given = nodes_sync if sync else nodes
        how = ", saved to sqlite, words streamed" if chat else ""
        yield GraphBenchmark(
            name=f"independent_4{'_sync' if sync else ''}{'_sqlite' if chat else ''}",
            group="independent",
            what=f"four independent {'sync' if sync else 'async'} model calls of {STAGE} s in a row, joined by a fifth of {JOIN} s{how}",
            build=partial(as_written, given),
            input=lambda pace: {"text": TEXT},
            size=1.0,
            tiny=0.02,
            sync=sync,
            checkpointer="sqlite" if chat else None,
            modes=("updates", "messages") if chat else ("updates",),
            budget=15.0,
            quick=chat and not sync,
            more_lanes=(Lane(HINTED, "alto", partial(hinted, given)), Lane(EXPERT, "stock", partial(by_hand, given))),
            targets=(Target(LIMIT, against="critical path"), Target(LIMIT, of=HINTED, against="critical path")),
            compute_bounds=bounds,
        )
