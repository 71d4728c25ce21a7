"""What a traced run leaves: one tree of spans, with links for what they don't say."""

from __future__ import annotations

import asyncio
import operator
from typing import Annotated, Any, TypedDict

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command, RetryPolicy, Send, interrupt

from alto_langgraph.graph import END, START, StateGraph
from alto_langgraph.testing.traces import faults, recorded
from alto_langgraph.tracing import attributes as names


class State(TypedDict, total=False):
    pages: list[str]
    notes: Annotated[list[str], operator.add]
    total: int


async def read(page: str):
    await asyncio.sleep(len(page) / 100)
    return Command(goto=[Send("note", page.upper()), Send("note", page.lower())])


async def note(text: str):
    await asyncio.sleep(0.002)
    return {"notes": [text]}


def count(state: State):
    return {"total": len(state["notes"])}


def pages(state: State):
    return [Send("read", page) for page in state["pages"]]


def app(read: Any = read, note: Any = note):
    builder: Any = StateGraph(State)
    builder = builder.add_node("read", read).add_node("note", note).add_node("count", count)
    builder.add_conditional_edges(START, pages, ["read"]).add_edge("note", "count")
    return builder.compile()


INPUT: Any = {"pages": ["a long page", "short", "a page"]}


def fragments(spans: list[Any], node: str) -> list[Any]:
    return [span for span in spans if span.name == f"fragment {node}"]


def linked(span: Any, kind: str) -> set[int]:
    return {link.context.span_id for link in span.links if link.attributes[names.LINK] == kind}


def ids(spans: list[Any]) -> set[int]:
    return {span.context.span_id for span in spans}


def root(spans: list[Any]) -> Any:
    (found,) = [span for span in spans if span.parent is None]
    return found


async def test_fan_out():
    noted = asyncio.Event()

    async def read(page: str):
        if page != "short":
            await noted.wait()
        return Command(goto=[Send("note", page.upper()), Send("note", page.lower())])

    async def note(text: str):
        await asyncio.sleep(0.001)
        if text == "short":
            noted.set()
        return {"notes": [text]}

    with recorded() as spans:
        await app(read, note).ainvoke(INPUT, {"configurable": {"thread_id": "t"}})
    assert faults(spans) == []
    run = root(spans)
    assert run.name == "invoke_workflow LangGraph"
    assert run.attributes[names.THREAD] == run.attributes[names.SESSION] == "t"
    assert run.attributes[names.FRAGMENTS] == len(spans) - 1 == 11
    notes, reads = fragments(spans, "note"), fragments(spans, "read")
    assert {span.attributes[names.TAG] for span in notes} == {f"__start__[0]/read[{i}]/note[{j}]" for i in range(3) for j in range(2)}
    for span in notes:
        assert linked(span, "input") == {span.parent.span_id} <= ids(reads)
        assert span.attributes[names.TAG_COUNT] == 2
    assert {span.attributes[names.ISSUE] for span in notes} == {"ahead", "in_order"}
    assert run.attributes[names.AHEAD] == sum(span.attributes[names.ISSUE] == "ahead" for span in spans[:-1])
    (early,) = [span for span in notes if span.attributes[names.TAG].endswith("read[1]/note[1]")]
    assert early.attributes[names.ISSUE] == "ahead"
    last = max(span.end_time for span in reads)
    assert early.events[-1].timestamp > last > early.end_time - early.attributes[names.RAN] * 1e9


async def test_reduction_hangs_below_what_opened_the_level_and_links_all_inputs():
    with recorded() as spans:
        await app().ainvoke({"pages": ["x"] * 300})
    assert faults(spans) == []
    (total,) = fragments(spans, "count")
    (start,) = fragments(spans, "__start__")
    assert linked(total, "input") == ids(fragments(spans, "note"))
    assert len(total.links) == 601
    assert total.parent.span_id == start.context.span_id
    assert linked(total, "level") == ids([start])
    assert len(total.attributes[names.INPUTS]) == 600


def test_sync_and_single_tasks():
    with recorded() as spans:
        builder = StateGraph(State).add_node("count", count).add_node("again", lambda state: {"notes": ["x"]})
        builder.add_edge(START, "count").add_edge("count", "again").add_edge("again", END)
        builder.compile().invoke({"notes": ["a"]})
    assert faults(spans) == []
    assert [span.attributes[names.NODE] for span in spans[:-1]] == ["__start__", "count", "again"]
    start, first, second = spans[:3]
    assert linked(first, "input") == ids([start])
    assert first.parent.span_id == second.parent.span_id == root(spans).context.span_id
    assert linked(second, "input") == ids([first])


async def test_loops_keep_few_links():
    def step(state: State):
        return Command(update={"notes": ["x"], "total": state.get("total", 0) + 1}, goto="step" if state.get("total", 0) < 60 else END)

    with recorded() as spans:
        await StateGraph(State).add_node("step", step).add_edge(START, "step").compile().ainvoke({"notes": []}, {"recursion_limit": 100})
    assert faults(spans) == []
    assert max(len(span.links) for span in spans) == 1


async def test_subgraph():
    inner = StateGraph(State).add_node("count", count).add_edge(START, "count").compile()
    with recorded() as spans:
        inner = StateGraph(State).add_node("count", count).add_edge(START, "count").compile(name="inner")
        outer = (
            StateGraph(State).add_node("part", inner).add_node("other", lambda state: {}).add_edge(START, "part").add_edge(START, "other")
        )
        await outer.compile(name="outer").ainvoke({"notes": ["a"]})
    assert faults(spans) == []
    names_of = {span.context.span_id: span.name for span in spans}
    parents = {span.name: names_of[span.parent.span_id] for span in spans if span.parent}
    assert parents["invoke_workflow inner"] == "fragment part"
    assert parents["fragment count"] == "invoke_workflow inner"
    assert next(span for span in spans if span.name == "fragment count").attributes[names.NAMESPACE] == "part"


async def test_failure_retry_and_interrupt():
    tries = []

    async def shaky(state: State):
        tries.append(1)
        if len(tries) < 3:
            raise ConnectionError("sk-secret")
        return {"total": 1}

    async def broken(state: State):
        raise ValueError("password=hunter2")

    async def ask(state: State):
        return {"notes": [interrupt("go on?")]}

    policy = RetryPolicy(initial_interval=0.001, jitter=False)
    with recorded() as spans:
        graph = StateGraph(State).add_node("shaky", shaky, retry_policy=policy).add_node("ask", ask).add_node("broken", broken)
        graph.add_edge(START, "shaky").add_edge("shaky", "ask").add_edge("ask", "broken")
        compiled = graph.compile(checkpointer=InMemorySaver())
        config: Any = {"configurable": {"thread_id": "t"}}
        await compiled.ainvoke({"notes": []}, config)
        assert faults(spans) == []
        assert root(spans).attributes[names.OUTCOME] == "interrupted"
        first = {span.attributes[names.NODE]: span for span in spans[:-1]}
        assert first["shaky"].attributes[names.ATTEMPT] == 3
        assert [event.name for event in first["shaky"].events] == [names.RETRIED, names.RETRIED, names.COMMITTED]
        assert first["ask"].attributes[names.OUTCOME] == "interrupted"
        assert first["ask"].attributes[names.CHECKPOINT]
        spans.clear()
        with pytest.raises(ValueError, match="hunter2"):
            await compiled.ainvoke(Command(resume="yes"), config)
    assert faults(spans) == []
    run = root(spans)
    assert run.events[0].name == names.RESUMED
    assert run.attributes[names.OUTCOME] == "failed"
    (failed,) = fragments(spans, "broken")
    assert failed.attributes[names.ERROR_TYPE] == "ValueError"
    assert failed.status.description == "ValueError"
    assert "hunter2" not in repr([(span.attributes, span.events) for span in spans])


async def test_squashed_guess():
    async def slow(state: State):
        await asyncio.sleep(0.05)
        return {"total": 7}

    def route(state: State):
        return "good" if state["total"] != 99 else "bad"

    async def good(state: State):
        await asyncio.sleep(0.02)
        return {"notes": ["good"]}

    async def bad(state: State):
        return {"notes": ["bad"]}

    async def odd(state: State):
        await asyncio.sleep(0.05)
        return {"total": 99}

    with recorded() as spans:
        graph = StateGraph(State)
        for name, node in {"slow": slow, "good": good, "bad": bad}.items():
            graph.add_node(name, node, metadata={"effects": "idempotent", "reads": ["total"] if name == "slow" else ["pages"]})
        graph.add_edge(START, "slow").add_conditional_edges("slow", route, ["good", "bad"])
        compiled: Any = graph.compile(alto={"issue": ["send", "edge", "chain", "route"], "evidence": 1, "speculation": 1.0, "trace": True})
        for _ in range(3):
            await compiled.ainvoke({"notes": [], "pages": []})
        assert faults(spans) == []
        spans.clear()
        compiled.nodes["slow"].bound.afunc = odd
        assert (await compiled.ainvoke({"notes": [], "pages": []}))["notes"] == ["bad"]
    assert faults(spans) == []
    (guess,) = fragments(spans, "good")
    assert guess.attributes[names.OUTCOME] == "squashed"
    assert guess.attributes[names.ISSUE] == "speculative"
    assert guess.attributes[names.REASON]
    assert root(spans).attributes[names.SQUASHED] == 1
