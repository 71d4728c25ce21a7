"""Parts of answers that have a form: objects of pydantic classes, tool calls, XML. Each is worked on before the last is written.

The model waits, in the middle of its answer, until somebody works on the first part: under the barrier it would wait for ever.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Annotated, Any, TypedDict
from xml.etree import ElementTree

import pytest
from langchain_core.output_parsers import PydanticOutputParser, PydanticToolsParser, XMLOutputParser
from langgraph.graph import START
from langgraph.graph import StateGraph as Stock
from langgraph.types import Send
from pydantic import BaseModel, Field

from alto_langgraph.comparison.difference import difference
from alto_langgraph.comparison.recording import record
from alto_langgraph.graph import StateGraph as Alto
from tests.adapters.calling_model import CALLED, Caller
from tests.adapters.writer import Writer

SYNC = pytest.mark.parametrize("sync", [True, False], ids=["sync", "async"])
XML = "<plan><item>one about apples</item> <item>two about pears</item> <item>three about plums</item></plan>"


class State(TypedDict, total=False):
    items: list[str]
    texts: Annotated[list[str], operator.add]


class Item(BaseModel):
    """A section."""

    about: str
    weight: int = 1


class Outline(BaseModel):
    """A plan."""

    thought: str = ""
    items: list[Item] = Field(default_factory=list)


class Listed(BaseModel):
    """What `Writer` answers in JSON."""

    items: list[str]
    thought: str = ""


def note(text: str) -> str:
    """Notes it."""
    return text


PLANNED = {"thought": "hm", "items": [{"about": f"fruit {place}", "weight": place} for place in range(6)]}


def structured(waits: bool) -> tuple[Any, Callable[[Any], list[str]]]:
    model = Caller(script=[[("Outline", PLANNED)]], waits=waits)
    return model.with_structured_output(Outline), lambda plan: [f"{item.about} {item.weight}" for item in plan.items]


def structured_as_dict(waits: bool) -> tuple[Any, Callable[[Any], list[str]]]:
    model = Caller(script=[[("Outline", PLANNED)]], waits=waits)
    return model.with_structured_output(Outline.model_json_schema()), lambda plan: [item["about"] for item in plan["items"]]


def with_the_message(waits: bool) -> tuple[Any, Callable[[Any], list[str]]]:
    model = Caller(script=[[("Outline", PLANNED)]], waits=waits)
    return model.with_structured_output(Outline, include_raw=True), lambda found: [item.about for item in found["parsed"].items]


def tools(waits: bool) -> tuple[Any, Callable[[Any], list[str]]]:
    calls = [("note", {"text": f"fruit {place}"}) for place in range(3)]
    return Caller(script=[calls], waits=waits).bind_tools([note]), lambda answer: [call["args"]["text"] for call in answer.tool_calls]


def tools_parsed(waits: bool) -> tuple[Any, Callable[[Any], list[str]]]:
    calls = [("Item", {"about": f"fruit {place}"}) for place in range(3)]
    chain = Caller(script=[calls], waits=waits).bind_tools([Item]) | PydanticToolsParser(tools=[Item])
    return chain, lambda found: [item.about for item in found]


def pydantic_parser(waits: bool) -> tuple[Any, Callable[[Any], list[str]]]:
    return Answering(waits=waits) | PydanticOutputParser(pydantic_object=Listed), lambda plan: plan.items


def xml(waits: bool) -> tuple[Any, Callable[[Any], list[str]]]:
    return Answering(waits=waits, says=XML), lambda answer: [item.text or "" for item in ElementTree.fromstring(answer.text)]


def xml_parser(waits: bool) -> tuple[Any, Callable[[Any], list[str]]]:
    return Answering(waits=waits, says=XML) | XMLOutputParser(parser="xml"), lambda found: [item["item"] for item in found["plan"]]


class Answering(Writer):
    """Goes on when any tool, or whoever works on a part, has been called."""

    @property
    def _awaited(self) -> Any:
        return CALLED


FORMS = [structured, structured_as_dict, with_the_message, tools, tools_parsed, pydantic_parser, xml, xml_parser]


@pytest.fixture(autouse=True)
def uncalled() -> None:
    CALLED.clear()
    return


def app(graph: type[Stock[Any]], form: Any, waits: bool, sync: bool) -> Any:
    runnable, items_of = form(waits)
    question = "json" if form is pydantic_parser else "plan it"

    def ask(state: State) -> State:
        return {"items": items_of(runnable.invoke(question))}

    async def aask(state: State) -> State:
        return {"items": items_of(await runnable.ainvoke(question))}

    def send(state: State) -> list[Send]:
        return [Send("write", {"about": item}) for item in state["items"]]

    def write(payload: Any) -> State:
        CALLED.set()
        return {"texts": [f"all about {payload['about']}"]}

    builder: Any = graph(State).add_node("ask", ask if sync else aask).add_node("write", write, metadata={"effects": "idempotent"})
    return builder.add_edge(START, "ask").add_conditional_edges("ask", send, ["write"]).compile()


@SYNC
@pytest.mark.parametrize("form", FORMS)
def test_the_first_part_is_worked_on_before_the_last_is_written(form: Any, sync: bool) -> None:
    stock = record(app(Stock, form, False, sync), {}, sync=sync)
    assert len(stock.output["texts"]) >= 3
    CALLED.clear()
    assert difference(stock, record(app(Alto, form, True, sync), {}, sync=sync)) is None
