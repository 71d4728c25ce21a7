"""Calls of models, tools and retrievers are spans below the fragment that makes them, and apps don't notice."""

from __future__ import annotations

import asyncio
import operator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Annotated, Any, TypedDict

import pytest
from langchain.agents import create_agent
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.documents import Document
from langchain_core.language_models import FakeListChatModel, FakeListLLM
from langchain_core.messages import AIMessage
from langchain_core.retrievers import BaseRetriever
from langchain_core.tools import tool
from langgraph.graph import StateGraph as Stock
from langgraph.types import Send
from opentelemetry import trace
from opentelemetry.propagate import inject

from alto_langgraph import optimize
from alto_langgraph.graph import START, StateGraph
from alto_langgraph.testing import PacedChatModel
from alto_langgraph.testing.traces import faults, recorded
from alto_langgraph.tracing import attributes as names
from alto_langgraph.tracing.content import VARIABLE


class State(TypedDict, total=False):
    words: list[str]
    said: Annotated[list[str], operator.add]


class Shelf(BaseRetriever):
    def _get_relevant_documents(self, query: str, *, run_manager: Any) -> list[Document]:
        return [Document("a"), Document("b")]


@tool
def search(word: str) -> str:
    """Searches."""
    return str(trace.get_current_span().get_span_context().span_id)


model = PacedChatModel(scale=0.0)


async def say(word: str):
    answer = await model.ainvoke(word)
    after = trace.get_current_span()
    found = await Shelf().ainvoke(word)
    inside = await search.ainvoke({"word": word})
    return {"said": [f"{answer.content} {len(found)}"], "inside": [inside, after]}


def app(kind: Any, node: Any = say):
    builder = kind(State).add_node("say", node)
    return builder.add_conditional_edges(START, lambda state: [Send("say", word) for word in state["words"]], ["say"]).compile()


def of(spans: list[Any], name: str) -> list[Any]:
    return [span for span in spans if span.name.split(" ")[0] == name]


def parents(spans: list[Any], name: str) -> list[str]:
    named = {span.context.span_id: span.name for span in spans}
    return [named[span.parent.span_id] for span in of(spans, name)]


INPUT: Any = {"words": ["one", "two", "three"]}


async def test_below_their_fragments():
    seen = []

    async def asks(word: str):
        update = await say(word)
        seen.append((trace.get_current_span(), *update.pop("inside")))
        return update

    with recorded() as spans:
        await app(StateGraph, asks).ainvoke(INPUT, {"configurable": {"thread_id": "t"}})
    assert faults(spans) == []
    for name in ("chat", "retrieval", "execute_tool"):
        assert parents(spans, name) == ["fragment say"] * 3
    chat = of(spans, "chat")[0]
    assert chat.name == "chat paced"
    assert chat.kind is trace.SpanKind.CLIENT
    assert chat.attributes[names.OPERATION] == "chat"
    assert chat.attributes[names.THREAD] == "t"
    assert chat.attributes[names.INPUT_TOKENS] > 0 < chat.attributes[names.OUTPUT_TOKENS]
    assert of(spans, "retrieval")[0].attributes[names.DOCUMENTS] == 2
    fragments, tools = ({span.context.span_id for span in of(spans, name)} for name in ("fragment", "execute_tool"))
    for last, inside, after in seen:
        assert last.get_span_context().span_id in fragments, "what stood for calls that are over stands for the fragment"
        assert after.get_span_context().span_id in fragments
        assert int(inside) in tools, "a tool's own span is current inside"
    assert not trace.get_current_span().get_span_context().is_valid


def test_sync_and_threads_of_the_app():
    async def over_threads(word: str):
        with ThreadPoolExecutor(1) as pool:
            context = copy_context()
            answer = await asyncio.wrap_future(pool.submit(context.run, model.invoke, word))
        return {"said": [answer.content]}

    def sync(word: str):
        return {"said": [model.invoke(word).content, FakeListLLM(responses=["x"]).invoke(word)]}

    with recorded() as spans:
        app(StateGraph, sync).invoke(INPUT)
        asyncio.run(app(StateGraph, over_threads).ainvoke(INPUT))
    assert faults(spans) == []
    assert parents(spans, "chat") == ["fragment say"] * 6
    assert parents(spans, "text_completion") == ["fragment say"] * 3


@pytest.mark.parametrize("sync", [False, True])
def test_what_a_model_sends_out_carries_its_own_span(sync):
    carried: list[str] = []

    class Carrying(FakeListChatModel):
        def _call(self, *args: Any, **how: Any) -> str:
            inject(headers := {})
            carried.append(headers["traceparent"].split("-")[2])
            return "yes"

        async def _agenerate(self, *args: Any, **how: Any) -> Any:
            return self._generate(*args, **how)

    asked = Carrying(responses=["yes"])

    async def asks(word: str):
        return {"said": [(await asked.ainvoke(word)).content]}

    def asks_sync(word: str):
        return {"said": [asked.invoke(word).content]}

    with recorded() as spans:
        graph = app(StateGraph, asks_sync if sync else asks)
        graph.invoke(INPUT) if sync else asyncio.run(graph.ainvoke(INPUT))
    assert sorted(carried) == sorted(f"{span.context.span_id:016x}" for span in of(spans, "chat"))


async def test_first_chunk_and_error():
    async def streams(word: str):
        return {"said": ["".join([chunk.text async for chunk in model.astream(word)])]}

    async def fails(word: str):
        bad = PacedChatModel(scale=0.0, answers={})
        try:
            await bad.ainvoke(word)
        except LookupError:
            return {"said": ["no"]}

    with recorded() as spans:
        await app(StateGraph, streams).ainvoke(INPUT)
        chats = of(spans, "chat")
        assert all(span.attributes[names.FIRST_CHUNK_AFTER] > 0 and span.events[0].name == names.FIRST_CHUNK for span in chats)
        spans.clear()
        await app(StateGraph, fails).ainvoke(INPUT)
    assert {span.attributes[names.ERROR_TYPE] for span in of(spans, "chat")} == {"LookupError"}
    assert {span.attributes[names.OUTCOME] for span in of(spans, "fragment")} == {"committed"}


async def test_agent():
    turns = iter([[("search", {"word": "x"})], []])
    paced = PacedChatModel(scale=0.0, calls=lambda prompt, tools: next(turns))
    with recorded() as spans:
        graph: Any = optimize(create_agent(paced, [search]))
        await graph.ainvoke({"messages": [("user", "go")]})
    assert faults(spans) == []
    assert set(parents(spans, "chat")) == {"fragment model"}
    assert parents(spans, "execute_tool") == ["fragment tools"]
    assert of(spans, "execute_tool")[0].attributes[names.TOOL_CALL]


@pytest.mark.parametrize(("captured", "there"), [("", False), ("NO_CONTENT", False), ("EVENT_ONLY", False), ("SPAN_ONLY", True)])
async def test_content(monkeypatch, captured, there):
    monkeypatch.setenv(VARIABLE, captured)

    async def asks(word: str):
        answer = await model.ainvoke([("system", "be kind"), ("user", word)])
        await search.ainvoke({"word": "secret word"})
        return {"said": [answer.content]}

    with recorded() as spans:
        state = await app(StateGraph, asks).ainvoke(INPUT)
    told = repr([span.attributes for span in spans])
    assert ("be kind" in told, "secret word" in told, state["said"][0] in told) == (there, there, there)
    if there:
        assert '"role": "system"' in of(spans, "chat")[0].attributes[names.INPUT_MESSAGES]


class Heard(BaseCallbackHandler):
    """What an app's own callbacks hear, and whom else it finds there."""

    def __init__(self) -> None:
        self.events: list[str] = []

    def __getattribute__(self, name: str) -> Any:
        if name.startswith("on_"):
            return lambda *args, **how: self.events.append(f"{name} {sorted(how)} {how.get('name')}")
        return super().__getattribute__(name)


@pytest.mark.parametrize("sync", [False, True])
def test_callbacks_hear_the_same(sync):
    def heard(kind: Any, traced: bool) -> list[str]:
        async def asks(word: str):
            return {"said": (await say(word))["said"]}

        def asks_sync(word: str):
            return {"said": [model.invoke(word).content]}

        def run() -> None:
            graph = app(kind, asks_sync if sync else asks)
            graph.invoke(INPUT, config) if sync else asyncio.run(graph.ainvoke(INPUT, config))

        handler = Heard()
        config: Any = {"callbacks": [handler], "max_concurrency": 1}
        if traced:
            with recorded():
                run()
        else:
            run()
        return sorted(handler.events)

    assert heard(StateGraph, True) == heard(StateGraph, False) == heard(Stock, False)


async def test_streamed_messages_and_events_are_the_same():
    async def seen(kind: Any) -> tuple[Any, Any]:
        async def asks(word: str):
            return {"said": (await say(word))["said"]}

        graph = app(kind, asks)
        messages = [chunk.text async for chunk, _ in graph.astream(INPUT, stream_mode="messages")]
        events = [(event["event"], event["name"], sorted(event["tags"])) async for event in graph.astream_events(INPUT, version="v2")]
        return sorted(messages), sorted(map(repr, events))

    with recorded():
        traced = await seen(StateGraph)
    assert traced == await seen(Stock)


def test_an_answer_tells_what_it_knows():
    from langchain_core.outputs import ChatGeneration, LLMResult

    from alto_langgraph.tracing.answers import about_answer

    message = AIMessage("hi", id="run-1", response_metadata={"model_name": "m", "finish_reason": "stop", "id": "r1"})
    message.usage_metadata = {"input_tokens": 3, "output_tokens": 2, "total_tokens": 5, "input_token_details": {"cache_read": 1}}
    assert about_answer(LLMResult(generations=[[ChatGeneration(message=message)]])) == {
        names.ANSWERED_BY: "m",
        names.RESPONSE_ID: "r1",
        names.FINISH_REASONS: ["stop"],
        names.INPUT_TOKENS: 3,
        names.OUTPUT_TOKENS: 2,
        names.CACHED_TOKENS: 1,
    }
    old = LLMResult(generations=[[]], llm_output={"token_usage": {"prompt_tokens": 1, "completion_tokens": 2}, "model_name": "old"})
    assert about_answer(old) == {names.ANSWERED_BY: "old", names.INPUT_TOKENS: 1, names.OUTPUT_TOKENS: 2}
