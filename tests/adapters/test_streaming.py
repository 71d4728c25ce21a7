"""Work starts on the finished part of an answer, while the model still writes; whoever listens hears what stock would say.

The model waits, in the middle of its answer, until the first part has been worked on: under the barrier it would wait for ever.
"""

from __future__ import annotations

import asyncio
import logging
import operator
import random
from collections.abc import AsyncIterator
from typing import Annotated, Any, TypedDict

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.documents import Document
from langchain_core.output_parsers import JsonOutputParser, StrOutputParser
from langchain_core.outputs import ChatGenerationChunk
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.retrievers import BaseRetriever
from langgraph.config import get_stream_writer
from langgraph.graph import START
from langgraph.graph import StateGraph as Stock
from langgraph.types import Command, Send
from pydantic import PrivateAttr

from alto_langgraph.driver.budget import Budget
from alto_langgraph.graph import StateGraph as Alto
from alto_langgraph.protocols import Fact, TaskStarted, observed_by
from tests.adapters.writer import LINES, PATIENCE, Writer


class State(TypedDict, total=False):
    topic: str
    sections: list[str]
    texts: Annotated[list[str], operator.add]


def send_sections(state: State) -> list[Send]:
    return [Send("write", {"section": section}) for section in state["sections"]]


def lines(model: Writer) -> Any:
    async def plan(state: State) -> State:
        return {"sections": (await model.ainvoke("plan " + state["topic"])).text.split("\n")}

    return plan


def command(model: Writer) -> Any:
    async def plan(state: State) -> Command[Any]:
        answer = await model.ainvoke("plan")
        return Command(goto=[Send("write", {"section": line}) for line in answer.text.splitlines()])

    return plan


def chain(model: Writer) -> Any:
    async def plan(state: State) -> State:
        parts = ChatPromptTemplate.from_template("plan {topic}") | model | StrOutputParser()
        return {"sections": (await parts.ainvoke({"topic": state["topic"]})).split("\n")}

    return plan


def document(model: Writer) -> Any:
    async def plan(state: State) -> State:
        parts = ChatPromptTemplate.from_template("json {topic}") | model | JsonOutputParser()
        return {"sections": (await parts.ainvoke({"topic": state["topic"]}))["items"]}

    return plan


def second(model: Writer) -> Any:
    async def plan(state: State) -> State:
        first = await model.ainvoke("hello")
        return {"sections": (await model.ainvoke(f"plan, {first.text}")).text.split("\n")}

    return plan


def several(model: Writer) -> Any:
    async def plan(state: State) -> State:
        _, answer = await asyncio.gather(model.ainvoke("hello"), model.ainvoke("plan"))
        return {"sections": answer.text.split("\n")}

    return plan


def on_a_thread(model: Writer) -> Any:
    def plan(state: State) -> State:
        return {"sections": str(model.invoke("plan").text).split("\n")}

    return plan


def built(graph: type[Stock[Any]], plan: Any, model: Writer, *, threads: bool = False) -> Any:
    async def write(payload: Any) -> State:
        model.go_on()
        return {"texts": [(await model.ainvoke(payload["section"])).text]}

    def write_on_a_thread(payload: Any) -> State:
        model.go_on()
        return {"texts": [str(model.invoke(payload["section"]).text)]}

    builder: Any = graph(State)
    builder.add_node("plan", plan(model))
    builder.add_node("write", write_on_a_thread if threads else write, metadata={"effects": "idempotent"})
    builder.add_edge(START, "plan")
    if plan is not command:
        builder.add_conditional_edges("plan", send_sections, ["write"])
    return builder.compile()


STYLES = [lines, command, chain, document, second, several, on_a_thread]


@pytest.mark.parametrize("plan", STYLES)
async def test_the_first_part_is_worked_on_while_the_model_writes_the_last(plan: Any) -> None:
    stock = await built(Stock, plan, Writer()).ainvoke({"topic": "fruit"})
    assert len(stock["texts"]) == 3
    assert await built(Alto, plan, Writer(waits=True)).ainvoke({"topic": "fruit"}) == stock


def test_on_threads_too() -> None:
    stock = built(Stock, on_a_thread, Writer(), threads=True).invoke({"topic": "fruit"})
    assert built(Alto, on_a_thread, Writer(waits=True), threads=True).invoke({"topic": "fruit"}) == stock


async def test_every_part_is_asked_for_once() -> None:
    model = Writer(waits=True)
    await built(Alto, lines, model).ainvoke({"topic": "fruit"})
    assert sorted(model._asked) == sorted(["plan fruit", *LINES.split("\n")])


async def test_events_are_those_of_stock() -> None:
    modes = ["values", "updates", "tasks", "custom", "debug"]
    heard = []
    for graph in (Stock, Alto):
        events = built(graph, lines, Writer()).astream({"topic": "fruit"}, stream_mode=modes)
        heard.append(sorted([(mode, *_told(data)) async for mode, data in events], key=repr))
    assert heard[0] == heard[1]


def _told(data: Any) -> Any:
    payload = data.get("payload", data)
    return tuple((key, payload[key]) for key in ("name", "sections", "texts", "input", "result") if key in payload)


class Hearing(BaseCallbackHandler):
    def __init__(self) -> None:
        self.heard: list[str] = []

    def on_chat_model_start(self, serialized: Any, messages: Any, **kwargs: Any) -> None:
        self.heard.append(f"asks {messages[0][-1].content}")

    def on_llm_new_token(self, token: Any, **kwargs: Any) -> None:
        self.heard.append(f"token {token}")

    def on_llm_end(self, response: Any, **kwargs: Any) -> None:
        self.heard.append(f"answers {response.generations[0][0].text}")

    def on_chain_start(self, serialized: Any, inputs: Any, **kwargs: Any) -> None:
        self.heard.append(f"begins {kwargs.get('name')}")


@pytest.mark.parametrize("plan", [lines, chain])
async def test_callbacks_hear_of_no_replay_and_of_no_token(plan: Any) -> None:
    heard = []
    for graph in (Stock, Alto):
        hearing = Hearing()
        await built(graph, plan, Writer(waits=graph is Alto)).ainvoke({"topic": "fruit"}, {"callbacks": [hearing]})
        heard.append(sorted(hearing.heard))
    assert heard[0] == heard[1]


async def test_messages_come_token_by_token_as_under_stock() -> None:
    heard = []
    for graph in (Stock, Alto):
        events = built(graph, lines, Writer()).astream({"topic": "fruit"}, stream_mode="messages")
        heard.append([(data["langgraph_node"], chunk.text) async for chunk, data in events])
    assert sorted(heard[0]) == sorted(heard[1])
    assert [text for node, text in heard[0] if node == "plan"] == [text for node, text in heard[1] if node == "plan"]


async def test_what_the_complete_answer_has_otherwise_is_not_used() -> None:
    def numbered(model: Writer) -> Any:
        async def plan(state: State) -> State:
            parts = (await model.ainvoke("plan")).text.split("\n")
            return {"sections": [f"{part} ({place} of {len(parts)})" for place, part in enumerate(parts, 1)]}

        return plan

    def turned(model: Writer) -> Any:
        async def plan(state: State) -> State:
            return {"sections": sorted((await model.ainvoke("plan")).text.split("\n"), reverse=True)}

        return plan

    for plan in (numbered, turned):
        stock, alto = [await built(graph, plan, Writer()).ainvoke({"topic": "fruit"}) for graph in (Stock, Alto)]
        assert stock == alto


async def test_an_answer_that_breaks_off_fails_as_under_stock_and_leaves_nothing_behind() -> None:
    for style in (lines, command):
        app = built(Alto, style, Writer(fails=True))
        with pytest.raises(ValueError, match="broke off"):
            await app.ainvoke({"topic": "fruit"})
        assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_code_that_counts_outside_of_the_state_is_not_run_again() -> None:
    counted: list[str] = []

    def counting(model: Writer) -> Any:
        async def plan(state: State) -> State:
            answer = await model.ainvoke("plan")
            counted.append("plan")
            return {"sections": answer.text.split("\n")}

        return plan

    await built(Alto, counting, Writer()).ainvoke({"topic": "fruit"})
    assert counted == ["plan"]


async def test_logs_are_those_of_stock(caplog: pytest.LogCaptureFixture) -> None:
    logger = logging.getLogger("sections")

    def logging_plan(model: Writer) -> Any:
        async def plan(state: State) -> State:
            parts = (await model.ainvoke("plan")).text.split("\n")
            for part in parts:
                logger.info("section %s", part)
            return {"sections": parts}

        return plan

    caplog.set_level("INFO", "sections")
    await built(Alto, logging_plan, Writer(waits=True)).ainvoke({"topic": "fruit"})
    assert [record.getMessage() for record in caplog.records if record.name == "sections"] == [
        f"section {line}" for line in LINES.split("\n")
    ]


RNG = random.Random(1)


@pytest.mark.parametrize("draw", [lambda: random.random(), lambda: RNG.random(), random.random], ids=["module", "generator", "function"])
async def test_random_numbers_are_drawn_as_often_as_under_stock(draw: Any) -> None:
    def drawing(model: Writer) -> Any:
        async def plan(state: State) -> State:
            parts = (await model.ainvoke("plan")).text.split("\n")
            return {"sections": [f"{part} {draw()}" for part in parts]}

        return plan

    results = []
    for graph in (Stock, Alto):
        random.seed(1)
        RNG.seed(1)
        results.append((await built(graph, drawing, Writer()).ainvoke({"topic": "fruit"}), random.random(), RNG.random()))
    assert results[0] == results[1]
    plan = built(Alto, drawing, Writer()).explain().node("plan")
    assert not plan.streams and [reason.code for reason in plan.unstreamed] == ["draws"]


class Shared(TypedDict, total=False):
    sections: list[Any]
    kept: Annotated[list[Any], operator.add]


def sharing(graph: type[Stock[Any]], model: Writer, keep: Any) -> Any:
    """Its parts are objects that the state holds, too."""

    async def plan(state: Shared) -> Shared:
        return {"sections": [{"title": line} for line in (await model.ainvoke("plan")).text.split("\n")]}

    builder = graph(Shared)
    builder.add_node("plan", plan)
    builder.add_node("keep", keep)
    builder.add_edge(START, "plan")
    builder.add_conditional_edges("plan", lambda state: [Send("keep", section) for section in state["sections"]], ["keep"])
    return builder.compile()


async def test_a_part_that_is_handed_on_is_the_one_that_the_state_holds() -> None:
    """Under stock a section in `kept` is the very object in `sections`."""

    async def keep(section: Any) -> Shared:
        return {"kept": [section]}

    for graph in (Stock, Alto):
        result = await sharing(graph, Writer(), keep).ainvoke({})
        assert all(kept is section for kept, section in zip(result["kept"], result["sections"], strict=True))


async def test_what_a_part_has_said_before_it_runs_again_isnt_heard() -> None:
    """It hands its payload on, so it runs again with the real one, although it was still at work when its superstep came."""
    model = Writer()

    async def keep(section: Any) -> Shared:
        await model.ainvoke(section["title"])
        await asyncio.sleep(0.05)
        return {"kept": [section]}

    heard = []
    for graph in (Stock, Alto):
        events = sharing(graph, model, keep).astream({}, stream_mode="messages")
        heard.append(sorted([(data["langgraph_node"], chunk.text) async for chunk, data in events]))
    assert heard[0] == heard[1]


class Noting(BaseRetriever):
    _asked: list[str] = PrivateAttr(default_factory=list)

    def _get_relevant_documents(self, query: str, *, run_manager: Any) -> list[Document]:
        self._asked.append(query)
        return [Document(query)]


async def test_a_retriever_is_asked_once() -> None:
    retriever = Noting()

    def retrieving(model: Writer) -> Any:
        async def plan(state: State) -> State:
            (found,) = await retriever.ainvoke("fruit")
            return {"sections": (await model.ainvoke(f"plan {found.page_content}")).text.split("\n")}

        return plan

    assert len((await built(Alto, retrieving, Writer(waits=True)).ainvoke({"topic": "fruit"}))["texts"]) == 3
    assert retriever._asked == ["fruit"]


async def test_a_model_that_is_not_to_stream_is_left_alone() -> None:
    class Whole(Writer):
        async def _astream(self, *args: Any, **kwargs: Any) -> AsyncIterator[ChatGenerationChunk]:
            raise AssertionError("it was asked to stream")
            yield

    result = await built(Alto, lines, Whole(disable_streaming=True)).ainvoke({"topic": "fruit"})
    assert len(result["texts"]) == 3


async def test_what_a_part_says_is_heard_at_once_when_it_is_its_turn() -> None:
    """It can't have to run again: nobody but its packet holds the payload that its own stands for."""
    model, heard = Writer(turns=100), {line: asyncio.Event() for line in LINES.split("\n")}

    async def write(payload: Any) -> State:
        get_stream_writer()(payload["section"])
        await asyncio.wait_for(heard[payload["section"]].wait(), PATIENCE)
        return {"texts": [payload["section"]]}

    builder: Any = Alto(State).add_node("plan", lines(model)).add_node("write", write, metadata={"effects": "idempotent"})
    builder.add_edge(START, "plan").add_conditional_edges("plan", send_sections, ["write"])
    with observed_by(facts := Ahead()):
        async for section in builder.compile().astream({"topic": "fruit"}, stream_mode="custom"):
            heard[section].set()
    assert facts.ahead == {"write"}


class Ahead:
    """Hears which nodes ran ahead."""

    def __init__(self) -> None:
        self.ahead: set[str] = set()

    def observe(self, fact: Fact) -> None:
        if isinstance(fact, TaskStarted) and fact.ahead:
            self.ahead.add(fact.node)


async def test_all_that_is_run_again_in_a_run_has_one_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Budget] = []

    def make() -> Budget:
        made.append(Budget())
        return made[-1]

    monkeypatch.setattr("alto_langgraph.adapters.langgraph.loop.Budget", make)
    model = Writer()
    inner = built(Alto, lines, model)

    async def ask(payload: State) -> State:
        return {"texts": (await inner.ainvoke(payload))["texts"]}

    builder: Any = Alto(State).add_node("plan", lines(model)).add_node("ask", ask)
    builder.add_edge(START, "plan").add_conditional_edges("plan", send_topics, ["ask"])
    graph = builder.compile()
    await graph.ainvoke({"topic": "fruit"})
    assert len(made) == 1, "graphs inside have that of the run"
    assert made[0].spent > 0


def send_topics(state: State) -> list[Send]:
    return [Send("ask", {"topic": section}) for section in state["sections"]]
