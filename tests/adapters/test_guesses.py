"""What a router will probably lead to starts before it has decided, where that is allowed, and leaves no trace if it was wrong."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from langgraph.cache.memory import InMemoryCache
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.config import get_stream_writer
from langgraph.graph import StateGraph as Stock
from langgraph.types import CachePolicy, Command
from typing_extensions import TypedDict

from alto_langgraph.comparison import arecord
from alto_langgraph.comparison.difference import difference
from alto_langgraph.graph import END, START, StateGraph
from alto_langgraph.options import AltoOptions
from tests.adapters.signals import SIGNALS, Signals, aheard, say, signals

GUESSING = AltoOptions(issue=frozenset({"send", "edge", "chain", "route"}), evidence=2)


REPEATABLE = {"effects": "idempotent"}


class State(TypedDict, total=False):
    question: str
    intent: str
    answer: str
    apology: str
    checked: str


async def router(state: State) -> State:
    """A question with `wait` is decided on only when the answer is there."""
    if "wait" in state["question"]:
        await aheard("answer")
    return {"intent": "no" if "bomb" in state["question"] else "yes"}


def by_intent(state: State) -> str:
    return {"yes": "answer", "no": "refuse"}[state["intent"]]


async def answer(state: State) -> State:
    if SIGNALS.get(None) is not None:
        say("answer")
    return {"answer": f"so: {state['question']}"}


async def refuse(state: State) -> State:
    return {"apology": f"never: {state['question']}"}


async def check(state: State) -> State:
    return {"checked": state["answer"]}


def graph_of(cls: Any = StateGraph, saver: Any = None, options: Any = GUESSING, **nodes: Any) -> Any:
    builder = cls(State)
    for name, function in {"router": router, "answer": answer, "refuse": refuse, "check": check, **nodes}.items():
        builder.add_node(name, function, metadata=REPEATABLE)
    builder.add_edge(START, "router").add_edge("answer", "check").add_edge("refuse", END)
    builder.add_conditional_edges("router", by_intent, ["answer", "refuse"])
    return builder.compile(saver) if cls is Stock else builder.compile(saver, alto=options)


async def taught(graph: Any, times: int = 2) -> Any:
    for number in range(times):
        await graph.ainvoke({"question": "why"}, {"configurable": {"thread_id": f"lesson {number}"}})
    return graph


async def run(graph: Any, question: str) -> tuple[Any, Signals]:
    with signals() as seen:
        return await graph.ainvoke({"question": question}), seen


async def test_a_right_guess() -> None:
    got, seen = await run(await taught(graph_of()), "please wait")
    assert got["checked"] == "so: please wait"
    assert seen.ahead["answer"] == seen.ran["answer"] == 1 and not seen.squashed


async def test_a_wrong_guess() -> None:
    got, seen = await run(await taught(graph_of()), "wait for the bomb")
    assert got == {"question": "wait for the bomb", "intent": "no", "apology": "never: wait for the bomb"}
    assert [reason for _, reason in seen.squashed] == ["`router` didn't lead to it"]
    assert seen.ran["check"] == 0, "nothing follows a guess"


@pytest.mark.parametrize("question", ["please wait", "wait for the bomb"])
async def test_all_that_an_app_sees_is_the_same(question: str) -> None:
    async def talks(state: State) -> State:
        get_stream_writer()("talking")
        return await answer(state)

    graphs = [graph_of(cls, InMemorySaver(), answer=talks) for cls in (Stock, StateGraph)]
    await taught(graphs[1])
    with signals() as told:
        say("answer")
        stock = await arecord(graphs[0], {"question": question})
    with signals() as seen:
        alto = await arecord(graphs[1], {"question": question})
    assert difference(stock, alto) is None
    assert told.ahead["answer"] == 0 and seen.ahead["answer"] == 1


async def test_a_command_decides() -> None:
    async def commands(state: State) -> Command[Any]:
        if "wait" in state["question"]:
            await aheard("answer")
        return Command(goto="refuse" if "bomb" in state["question"] else "answer")

    builder = StateGraph(State).add_node("router", commands, destinations=("answer", "refuse"), metadata=REPEATABLE)
    builder.add_node("answer", answer, metadata=REPEATABLE).add_node("refuse", refuse).add_edge(START, "router")
    graph = await taught(builder.compile(alto=GUESSING))
    got, seen = await run(graph, "wait for the bomb")
    assert (got["apology"], seen.ahead["answer"]) == ("never: wait for the bomb", 1)


@pytest.mark.parametrize(
    "options",
    [{}, {"issue": ["send", "edge", "chain"]}, {"issue": ["route"]}, {"speculation": 0.0}, {"window": 3}, {"evidence": 3}],
    ids=["by default", "without the class", "without `edge`", "no share", "a share of less than one", "before there is evidence"],
)
async def test_not_without_leave(options: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.adapters.signals.PATIENCE", 0.1)
    given = {"issue": ["send", "edge", "chain", "route"], "evidence": 2} | options if options else {}
    graph = await taught(graph_of(options=AltoOptions.of(given)))
    with pytest.raises(TimeoutError):
        await run(graph, "please wait")


async def test_not_where_a_run_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.adapters.signals.PATIENCE", 0.1)
    graph = await taught(graph_of())
    with signals(), pytest.raises(TimeoutError):
        await graph.ainvoke({"question": "please wait"}, {"max_concurrency": 4})


@pytest.mark.parametrize("which", ["what the router writes", "effects"])
async def test_not_what_must_wait(which: str) -> None:
    async def reads(state: State) -> State:
        say("answer")
        return {"answer": state["intent"]}

    async def prints(state: State) -> State:
        say("answer")
        print(state["question"])
        return {"answer": state["question"]}

    hint = {} if which == "effects" else REPEATABLE
    node = {"what the router writes": reads, "effects": prints}[which]
    builder = (
        StateGraph(State)
        .add_node("router", router, metadata=REPEATABLE)
        .add_node("answer", node, metadata=hint)
        .add_node("refuse", refuse)
        .add_edge(START, "router")
    )
    builder.add_conditional_edges("router", by_intent, ["answer", "refuse"])
    graph = builder.compile(alto=GUESSING)
    with signals() as seen:
        for _ in range(3):
            await graph.ainvoke({"question": "why"})
    assert seen.ran["answer"] == 3 and seen.ahead["answer"] == 0


async def test_a_guess_that_is_given_up_is_cancelled_and_over() -> None:
    async def forever(state: State) -> State:
        if "wait" not in state["question"]:
            return {"answer": "at once"}
        say("answer")
        try:
            await asyncio.sleep(3600)
        finally:
            SIGNALS.get().said.append("ended")
        return {}

    graph = await taught(graph_of(answer=forever))
    _, seen = await run(graph, "wait for the bomb")
    assert seen.said == ["answer", "ended"]
    assert len(asyncio.all_tasks()) == 1


async def test_a_router_that_fails() -> None:
    async def fails(state: State) -> State:
        if "wait" in state["question"]:
            await aheard("answer")
            raise ValueError("undecided")
        return {"intent": "yes"}

    graph = await taught(graph_of(router=fails))
    with signals() as seen, pytest.raises(ValueError, match="undecided"):
        await graph.ainvoke({"question": "please wait"})
    assert seen.ahead["answer"] == 1
    assert len(asyncio.all_tasks()) == 1


def test_not_on_threads() -> None:
    def decides(state: State) -> State:
        return {"intent": "yes"}

    def answers(state: State) -> State:
        return {"answer": state["question"]}

    builder = StateGraph(State).add_node("router", decides).add_node("answer", answers).add_node("refuse", answers)
    builder.add_edge(START, "router").add_conditional_edges("router", by_intent, ["answer", "refuse"])
    graph = builder.compile(alto=GUESSING)
    with signals() as seen:
        for _ in range(4):
            graph.invoke({"question": "why"})
    assert seen.ran["answer"] == 4 and not +seen.ahead


@pytest.mark.parametrize("graph", [Stock, StateGraph])
async def test_a_router_whose_decision_is_in_the_cache_has_decided(graph: Any) -> None:
    async def slow(state: State) -> State:
        await (aheard("answer") if "wait" in state["question"] and graph is StateGraph else asyncio.sleep(0))
        return {"checked": "slow"}

    builder = graph(State).add_node("router", router, metadata=REPEATABLE, cache_policy=CachePolicy(key_func=lambda state: b"1"))
    builder.add_node("slow", slow, metadata=REPEATABLE | {"reads": ["question"], "writes": ["checked"]})
    builder.add_node("answer", answer, metadata=REPEATABLE | {"reads": ["question"], "writes": ["answer"]})
    builder.add_node("refuse", refuse, metadata=REPEATABLE).add_edge(START, "router").add_edge(START, "slow")
    builder.add_conditional_edges("router", by_intent, ["answer", "refuse"])
    app = builder.compile(cache=InMemoryCache(), **({"alto": GUESSING} if graph is StateGraph else {}))
    await app.ainvoke({"question": "why"})
    got, seen = await run(app, "please wait")
    assert got == {"question": "please wait", "intent": "yes", "answer": "so: please wait", "checked": "slow"}
    assert not seen.squashed
    assert seen.ahead["answer"] == (graph is StateGraph)
