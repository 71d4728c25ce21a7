"""What early tasks say is heard in its superstep, under the names stock would give; or at once, if asked for."""

from __future__ import annotations

import operator
from collections import Counter
from typing import Annotated, Any

import pytest
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage
from langchain_core.runnables import RunnableConfig
from langgraph.graph.state import StateGraph as Stock
from langgraph.runtime import Runtime
from langgraph.types import Command, Send
from typing_extensions import TypedDict

from alto_langgraph.graph import START
from alto_langgraph.graph import StateGraph as Alto
from tests.adapters.signals import Signals, aheard, heard, say, signals


class State(TypedDict, total=False):
    text: str
    wait: bool
    out: Annotated[list[str], operator.add]


class Output(TypedDict):
    out: Annotated[list[str], operator.add]


async def speak(state: State, config: RunnableConfig, runtime: Runtime[None]) -> State:
    """Says something in both modes, and under which names it runs."""
    runtime.stream_writer(f"custom {state['text']}")
    model = GenericFakeChatModel(messages=iter([AIMessage(f"answer to {state['text']}")]))
    answer = await model.ainvoke(state["text"], config)
    say(f"spoke {state['text']}")
    return {"out": [str(answer.content)]}


async def first(state: State) -> Command[Any]:
    return Command(goto=[Send("second", {"text": "one"}), Send("second", {"text": "two"})])


async def beside(state: State, runtime: Runtime[None]) -> State:
    if state.get("wait"):
        await aheard("spoke one", "spoke two")
    runtime.stream_writer("beside")
    return {"out": ["beside"]}


def inner(side: Any) -> Any:
    return side(State, output_schema=Output).add_node("speak", speak).add_edge(START, "speak").compile()


def calling(side: Any) -> Any:
    graph = inner(side)

    async def second(state: State, runtime: Runtime[None]) -> State:
        runtime.stream_writer(f"before {state['text']}")
        got = await graph.ainvoke(state)
        return {"out": got["out"]}

    return second


SECONDS = {"function": lambda side: speak, "subgraph as node": inner, "subgraph in a function": calling}


def build(side: Any, kind: str) -> Any:
    graph = side(State).add_node("first", first, destinations=("second",)).add_node("beside", beside)
    graph.add_node("second", SECONDS[kind](side))
    return graph.add_edge(START, "first").add_edge(START, "beside").compile()


MODES = ["tasks", "custom", "messages"]


async def events(side: Any, kind: str, *, wait: bool) -> tuple[list[Any], Signals]:
    with signals() as seen:
        graph = build(side, kind)
        got = [e async for e in graph.astream({"wait": wait}, stream_mode=MODES, subgraphs=True)]
    return got, seen


def named(got: list[Any]) -> list[Any]:
    """Events with task ids replaced by what the id stands for in the `tasks` events: node, number among its kind."""
    inputs = sorted((e["name"], repr(e["input"]), e["id"]) for _, mode, e in got if mode == "tasks" and "input" in e)
    names = {id: f"<{name} {text}>" for name, text, id in inputs}

    def rename(value: Any) -> Any:
        text = repr(value)
        for id, name in names.items():
            text = text.replace(id, name)
        return text

    made = []
    for namespace, mode, payload in got:
        if mode == "messages":
            message, told = payload
            keys = ("langgraph_step", "langgraph_node", "langgraph_path", "langgraph_checkpoint_ns", "checkpoint_ns", "langgraph_triggers")
            made.append((rename(namespace), mode, message.content, rename([told[key] for key in keys])))
        else:
            made.append((rename(namespace), mode, rename(payload)))
    return made


@pytest.mark.parametrize("kind", SECONDS)
async def test_names_are_those_of_stock(kind: str) -> None:
    stock, _ = await events(Stock, kind, wait=False)
    alto, seen = await events(Alto, kind, wait=True)
    assert seen.ahead["second"] == 2
    without_wait = [(*e[:2], *(part.replace("'wait': True", "'wait': False") for part in e[2:])) for e in named(alto)]
    assert Counter(without_wait) == Counter(named(stock))


@pytest.mark.parametrize("kind", SECONDS)
async def test_they_are_held_until_their_superstep(kind: str) -> None:
    got, seen = await events(Alto, kind, wait=True)
    assert seen.said[:2] == ["spoke one", "spoke two"] or seen.said[:2] == ["spoke two", "spoke one"]
    opens = next(i for i, (_, mode, e) in enumerate(got) if mode == "tasks" and e["name"] == "second")
    ends = next(i for i, (_, mode, e) in enumerate(got) if mode == "tasks" and e["name"] == "beside" and "result" in e)
    spoken = [i for i, e in enumerate(got) if e[1] in ("custom", "messages") and "beside" not in str(e)]
    assert len(spoken) >= 6
    assert min(spoken) > opens > ends


@pytest.mark.parametrize("kind", SECONDS)
async def test_each_tasks_events_keep_their_order(kind: str) -> None:
    got, _ = await events(Alto, kind, wait=True)
    for text in ("one", "two"):
        said = [str(e[2][0].content) if e[1] == "messages" else e[2] for e in got if e[1] != "tasks"]
        mine = [part for part in said if part in (f"custom {text}", f"before {text}", text)]
        assert mine == (["before " + text] if kind == "subgraph in a function" else []) + [f"custom {text}", text]


async def test_without_subgraphs_only_the_roots_own_are_heard() -> None:
    with signals():
        graph = build(Alto, "subgraph in a function")
        got = [e async for e in graph.astream({"wait": True}, stream_mode="custom")]
    assert got[0] == "beside" and sorted(got[1:]) == ["before one", "before two"]


def live(side: Any, *, sync: bool) -> Any:
    """`slow` ends only when the caller has heard what the early task says."""

    async def aslow(state: State) -> State:
        await aheard("caller heard")
        return {}

    def slow(state: State) -> State:
        heard("caller heard")
        return {}

    def start(state: State) -> Command[Any]:
        return Command(goto=[Send("early", 1)])

    def early(item: int, runtime: Runtime[None]) -> State:
        runtime.stream_writer("now")
        return {}

    graph = side(State).add_node("slow", slow if sync else aslow).add_node("start", start, destinations=("early",)).add_node("early", early)
    return graph.add_edge(START, "slow").add_edge(START, "start").compile(alto={"events": "live"})


async def test_live_events_come_at_once() -> None:
    with signals():
        got = []
        async for event in live(Alto, sync=False).astream({}, stream_mode="custom"):
            got.append(event)
            say("caller heard")
    assert got == ["now"]


def test_live_events_come_at_once_from_threads() -> None:
    with signals():
        got = []
        for event in live(Alto, sync=True).stream({}, stream_mode="custom"):
            got.append(event)
            say("caller heard")
    assert got == ["now"]


def test_events_of_early_threads_are_held() -> None:
    def slow(state: State, runtime: Runtime[None]) -> State:
        heard("early spoke")
        runtime.stream_writer("slow")
        return {}

    def start(state: State) -> Command[Any]:
        return Command(goto=[Send("early", 1)])

    def early(item: int, runtime: Runtime[None]) -> State:
        runtime.stream_writer("early")
        say("early spoke")
        return {}

    graph = Alto(State).add_node("slow", slow).add_node("start", start, destinations=("early",)).add_node("early", early)
    graph.add_edge(START, "slow").add_edge(START, "start")
    with signals():
        assert list(graph.compile().stream({}, stream_mode="custom")) == ["slow", "early"]


async def test_events_of_a_squashed_run_are_never_heard() -> None:
    async def slow(state: State) -> State:
        await aheard("early spoke")
        raise ValueError("slow failed")

    async def start(state: State) -> Command[Any]:
        return Command(goto=[Send("early", 1)])

    async def early(item: int, runtime: Runtime[None]) -> State:
        runtime.stream_writer("early")
        say("early spoke")
        return {}

    graph = Alto(State).add_node("slow", slow).add_node("start", start, destinations=("early",)).add_node("early", early)
    graph.add_edge(START, "slow").add_edge(START, "start")
    got = []

    async def listen() -> None:
        async for event in graph.compile().astream({}, stream_mode="custom"):
            got.append(event)

    with signals() as seen, pytest.raises(ValueError, match="slow failed"):
        await listen()
    assert got == [] and seen.ahead["early"] == 1
