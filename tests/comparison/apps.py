"""Small graphs that the tests of the comparison run; each knob changes one thing an app could see."""

import asyncio
import operator
import random
import time
from dataclasses import dataclass
from typing import Annotated, Any, TypedDict

from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, AnyMessage
from langgraph.config import get_stream_writer
from langgraph.graph import START, StateGraph, add_messages
from langgraph.types import Command, Send, interrupt


class State(TypedDict, total=False):
    items: list[int]
    log: Annotated[list[Any], operator.add]
    messages: Annotated[list[AnyMessage], add_messages]


class Log(TypedDict):
    log: Annotated[list[Any], operator.add]


@dataclass(frozen=True)
class Knobs:
    """What may differ between two sides."""

    answer: str = "done"
    swapped: bool = False
    silent: bool = False
    said: tuple[str, ...] = ("one", "two")
    metadata: str = "plain"
    question: str = "go on?"
    failure: str = ""
    failing: type[Exception] = ValueError
    note: str = ""
    words: str = "a few words"
    sub_answer: str = "inner"
    hidden: str = ""
    late: bool = False


def pause() -> None:
    """A little time, different each run, so that siblings arrive in any order."""
    time.sleep(random.random() * 0.003)


def fan_out(knobs: Knobs = Knobs(), *, asks: bool = False, sub: bool = False) -> Any:
    """Items, two stages of Sends, perhaps a subgraph per item, a reduction, perhaps a question."""

    def split(state: State) -> list[Send]:
        items = list(reversed(state["items"])) if knobs.swapped else state["items"]
        return [Send("first", {"item": item}) for item in items] + ([Send("sub", {"log": []}) for _ in items] if sub else [])

    def first(payload: dict[str, int]) -> Command[Any]:
        pause()
        if not knobs.silent:
            get_stream_writer()({"item": payload["item"]})
        return Command(goto=Send("second", payload))

    def second(payload: dict[str, int]) -> dict[str, Any]:
        pause()
        return {"log": [payload["item"] * 10]}

    def reduce(state: State) -> dict[str, Any]:
        for said in knobs.said:
            get_stream_writer()(said)
        if knobs.failure:
            error = knobs.failing(knobs.failure)
            if knobs.note:
                error.add_note(knobs.note)
            raise error
        return {"log": [interrupt(knobs.question) if asks else knobs.answer]}

    graph: Any = StateGraph(State)
    graph.add_node("split", lambda state: {})
    graph.add_node("first", first, destinations=("second",))
    graph.add_node("second", second)
    graph.add_node("reduce", reduce, metadata={"kind": knobs.metadata})
    graph.add_edge(START, "split")
    graph.add_conditional_edges("split", split, ["first", "sub"] if sub else ["first"])
    if sub:
        graph.add_node("sub", inner(knobs))
        if not knobs.late:
            graph.add_edge("sub", "reduce")
    graph.add_edge("second", "reduce")
    return graph


def inner(knobs: Knobs) -> Any:
    """A subgraph of two steps, the first with two siblings."""

    def speak(state: Log) -> dict[str, Any]:
        pause()
        get_stream_writer()({"sub": knobs.sub_answer})
        return {"log": [knobs.sub_answer]}

    def listen(state: Log) -> dict[str, Any]:
        pause()
        return {"log": ["heard"]}

    graph = StateGraph(Log)
    graph.add_node("speak", speak)
    graph.add_node("listen", listen)
    graph.add_node("end", lambda state: {"log": [len(state["log"])]})
    graph.add_edge(START, "speak")
    graph.add_edge(START, "listen")
    graph.add_edge(["speak", "listen"], "end")
    return graph.compile()


def chat(knobs: Knobs = Knobs()) -> Any:
    """Two models side by side that stream words, in an async graph."""

    async def speak(state: State) -> dict[str, Any]:
        await asyncio.sleep(random.random() * 0.002)
        model = GenericFakeChatModel(messages=iter([AIMessage(knobs.words)]))
        return {"messages": [await model.ainvoke("hello")]}

    graph: Any = StateGraph(State)
    graph.add_node("speak", speak)
    graph.add_node("again", speak)
    graph.add_edge(START, "speak")
    graph.add_edge(START, "again")
    return graph


def racing(fails: str = "boom", *, before: str = "before") -> Any:
    """A step before, then one task that fails while its siblings are at work."""

    async def work(payload: dict[str, int]) -> dict[str, Any]:
        await asyncio.sleep(random.random() * 0.004)
        if payload["item"] == 1:
            raise ValueError(fails)
        return {"log": [payload["item"]]}

    graph: Any = StateGraph(State)
    graph.add_node("before", lambda state: {"log": [before]})
    graph.add_node("work", work)
    graph.add_edge(START, "before")
    graph.add_conditional_edges("before", lambda state: [Send("work", {"item": item}) for item in state["items"]], ["work"])
    return graph
