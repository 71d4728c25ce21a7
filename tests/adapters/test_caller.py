"""Those whom a task asks something can tell which run it belongs to, how sure it is to be wanted, and when it no longer is."""

from __future__ import annotations

import operator
from typing import Annotated, Any
from uuid import uuid4

import pytest
from langgraph.graph import StateGraph as Stock
from langgraph.types import Command, Send
from typing_extensions import TypedDict

from alto_langgraph import current_tag
from alto_langgraph.graph import START, StateGraph
from alto_langgraph.protocols import Caller, caller
from tests.adapters import test_guesses
from tests.adapters.signals import SIGNALS, aheard, heard, say, signals
from tests.adapters.test_in_vain import FRUIT
from tests.adapters.test_streaming import built, lines
from tests.adapters.writer import Writer


class State(TypedDict, total=False):
    items: list[str]
    out: Annotated[list[Any], operator.add]


def split(state: State) -> list[Send]:
    return [Send("read", item) for item in state["items"]]


def pages(graph: Any, read: Any, note: Any) -> Any:
    builder = graph(State).add_node("read", read).add_node("note", note)
    return builder.add_conditional_edges(START, split, ["read"]).compile()


async def aread(page: str) -> Command[Any]:
    if page == "slow":
        await aheard("noted quick")
    return Command(goto=Send("note", page))


async def anote(page: str) -> State:
    asked = caller()
    say(f"noted {page}")
    return {"out": [(page, asked, current_tag())]}


def read(page: str) -> Command[Any]:
    if page == "slow":
        heard("noted quick")
    return Command(goto=Send("note", page))


def note(page: str) -> State:
    asked = caller()
    say(f"noted {page}")
    return {"out": [(page, asked, current_tag())]}


@pytest.mark.parametrize("threads", [False, True])
async def test_of_a_task_that_is_ahead(threads: bool) -> None:
    app = pages(StateGraph, read if threads else aread, note if threads else anote)
    with signals():
        given: Any = {"items": ["slow", "quick"]}
        state = app.invoke(given) if threads else await app.ainvoke(given)
    (_, slow, slow_tag), (_, quick, quick_tag) = state["out"]
    assert (quick.ahead, slow.ahead) == (True, False)
    assert not quick.speculative and not slow.speculative
    assert (quick.tag, slow.tag) == (quick_tag, slow_tag)
    assert quick.run == slow.run and quick.began == slow.began
    assert quick.remaining == 1  # the slow page is being read


async def test_of_two_runs() -> None:
    app = pages(StateGraph, aread, anote)
    with signals():
        first, second = [(await app.ainvoke({"items": ["a", "b", "c"]}))["out"] for _ in range(2)]
    assert len({asked.run for _, asked, _ in first}) == 1
    assert first[0][1].run != second[0][1].run and first[0][1].began < second[0][1].began


async def test_under_stock_and_outside_of_runs() -> None:
    app = pages(Stock, aread, anote)
    with signals():
        out = (await app.ainvoke({"items": ["a", "b"]}))["out"]
    assert [asked for _, asked, _ in out] == [None, None]
    assert caller() is None


async def test_a_subgraph_belongs_to_the_outermost_run() -> None:
    inner = pages(StateGraph, aread, anote)
    asked: list[Caller | None] = []

    async def outer(state: State) -> Any:
        asked.append(caller())
        return {"out": (await inner.ainvoke({"items": ["a", "b"]}))["out"]}

    builder: Any = StateGraph(State).add_node("outer", outer)
    with signals():
        out = (await builder.add_edge(START, "outer").compile().ainvoke({"items": []}))["out"]
    around = asked[0]
    assert around is not None
    for _, inside, tag in out:
        assert (inside.run, inside.began, inside.tag) == (around.run, around.began, tag)
        assert tag in around.tag and tag != around.tag
    assert {inside.remaining for _, inside, _ in out} == {1}


async def test_the_end_of_a_run_is_told_once_it_is_over() -> None:
    ended: list[str] = []

    async def ask(state: State) -> State:
        asked = caller()
        assert asked is not None
        asked.on_end(lambda: ended.append(asked.run))
        assert not ended
        return {"out": [asked]}

    async def fail(state: State) -> State:
        assert not ended
        if state["items"]:
            raise ValueError("no")
        return {}

    builder: Any = StateGraph(State).add_node("ask", ask).add_node("fail", fail)
    app = builder.add_edge(START, "ask").add_edge("ask", "fail").compile()
    asked = (await app.ainvoke({"items": []}))["out"][0]
    assert ended == [asked.run]
    asked.on_end(lambda: ended.append("at once"))
    assert ended == [asked.run, "at once"]
    ended.clear()
    with pytest.raises(ValueError, match="no"):
        await app.ainvoke({"items": ["a"]})
    assert len(ended) == 1


async def test_a_fragment_is_speculative_until_its_answer_is_complete() -> None:
    model, callers = Writer(waits=True), []
    app = built(StateGraph, lines, model)
    written = model.go_on

    def go_on() -> None:
        callers.append(caller())
        written()

    object.__setattr__(model, "go_on", go_on)
    await app.ainvoke(FRUIT)
    assert [(asked.ahead, asked.speculative) for asked in callers if asked is not None][:2] == [(True, True)] * 2
    assert callers[-1] is not None and not callers[-1].speculative


async def test_a_guess_is_speculative_and_is_told_that_it_was_wrong() -> None:
    callers: list[Caller] = []
    unwanted: list[str] = []

    async def answer(state: Any) -> Any:
        asked = caller()
        assert asked is not None
        callers.append(asked)
        asked.on_unwanted(lambda: unwanted.append(state["question"]))
        if SIGNALS.get(None) is not None:
            say("answer")
        return {"answer": "so"}

    app = await test_guesses.taught(test_guesses.graph_of(answer=answer))
    assert not any(asked.speculative for asked in callers)
    await test_guesses.run(app, "wait: why")
    assert callers[-1].speculative and not unwanted
    await test_guesses.run(app, "wait for the bomb")
    assert callers[-1].speculative and unwanted == ["wait for the bomb"]


def fail_when_noted(page: str) -> Command[Any]:
    if page == "bad":
        heard("noting")
        raise ValueError("no")
    return Command(goto=Send("note", page))


def note_until_unwanted(page: str) -> State:
    asked = caller()
    assert asked is not None and asked.ahead
    asked.on_unwanted(lambda: say("unwanted"))
    say("noting")
    heard("unwanted")
    asked.on_unwanted(lambda: say("at once"))
    return {}


def test_on_threads_a_run_that_nobody_wants_hears_so_while_it_goes_on() -> None:
    with signals() as seen, pytest.raises(ValueError, match="no"):
        pages(StateGraph, fail_when_noted, note_until_unwanted).invoke({"items": ["bad", "good"]})
    assert seen.said == ["noting", "unwanted", "at once"]


async def test_nothing_is_made_up_where_nobody_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    named: list[Any] = []

    def name() -> Any:
        named.append(uuid4())
        return named[-1]

    monkeypatch.setattr("alto_langgraph.adapters.langgraph.lineage.uuid4", name)
    with signals():
        await pages(StateGraph, aread, lambda page: {"out": [page]}).ainvoke({"items": ["a", "b"]})
        assert not named
        await pages(StateGraph, aread, anote).ainvoke({"items": ["a", "b"]})
    assert len(named) == 1
