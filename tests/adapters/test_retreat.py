"""Early work that meets what only its superstep may do runs again in order, with the right names and one answer."""

from __future__ import annotations

import asyncio
import operator
from typing import Annotated, Any

import pytest
from langchain_core.runnables import RunnableConfig
from langgraph import types
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.func import task
from langgraph.graph.state import StateGraph as Stock
from langgraph.types import Command, Send
from typing_extensions import TypedDict

from alto_langgraph.graph import START
from alto_langgraph.graph import StateGraph as Alto
from tests.adapters.signals import PATIENCE, SIGNALS, Signals, aheard, say, signals


class State(TypedDict, total=False):
    out: Annotated[list[str], operator.add]
    wait: str


CONFIG: RunnableConfig = {"configurable": {"thread_id": "t"}}


async def send(state: State) -> Command[Any]:
    return Command(update={"out": ["send"]}, goto=[Send("early", i) for i in range(2)])


async def beside(state: State) -> State:
    """Keeps its superstep open until early work has begun, or has been squashed."""
    if wait := state.get("wait"):
        await aheard("early began 0", "early began 1")
        async with asyncio.timeout(PATIENCE):
            while wait == "squashed" and len(SIGNALS.get().squashed) < 2:
                await asyncio.sleep(0.001)
    return {"out": ["beside"]}


async def after(state: State) -> State:
    return {"out": [f"after {len(state['out'])}"]}


def build(side: Any, early: Any, **options: Any) -> Any:
    graph = side(State).add_node("send", send, destinations=("early",)).add_node("early", early).add_node("beside", beside)
    graph.add_node("after", after).add_edge("early", "after")
    return graph.add_edge(START, "send").add_edge(START, "beside").compile(**options)


@task
async def doubled(item: int) -> int:
    return 2 * item


def hidden(name: str) -> Any:
    return globals()[name]


async def calls_a_task(item: int) -> State:
    say(f"early began {item}")
    one = await doubled(item)
    return {"out": [f"early {one} {await doubled(one)}"]}


async def calls_a_hidden_task(item: int) -> State:
    say(f"early began {item}")
    one = await hidden("dou" + "bled")(item)
    return {"out": [f"early {one} {await hidden('dou' + 'bled')(one)}"]}


INNER = Alto(State).add_node("inside", lambda state: {"out": ["inside"]}).add_edge(START, "inside").compile()


async def calls_a_graph(item: int) -> State:
    say(f"early began {item}")
    got = await INNER.ainvoke({})
    return {"out": [f"early {item} {got['out']}"]}


async def calls_a_hidden_graph(item: int) -> State:
    say(f"early began {item}")
    got = await getattr(hidden("INN" + "ER"), "ain" + "voke")({})
    return {"out": [f"early {item} {got['out']}"]}


async def asks_covertly(item: int) -> State:
    say(f"early began {item}")
    answer = getattr(types, "inter" + "rupt")(f"question {item}")
    return {"out": [f"early {item} {answer}"]}


async def history(graph: Any) -> list[Any]:
    return [(s.next, s.values, s.metadata["step"], [(t.name, t.path) for t in s.tasks]) async for s in graph.aget_state_history(CONFIG)]


async def both(early: Any, saver: bool, wait: str = "begun") -> tuple[Signals, Any, Any, Any, Any]:
    stock = build(Stock, early, checkpointer=InMemorySaver() if saver else None)
    with signals():
        expected = await stock.ainvoke({}, CONFIG)
    alto = build(Alto, early, checkpointer=InMemorySaver() if saver else None)
    with signals() as seen:
        got = await alto.ainvoke({"wait": wait} if _runs_ahead(alto, saver) else {}, CONFIG)
    return seen, expected, got, stock, alto


def _runs_ahead(graph: Any, saver: bool) -> bool:
    return "early" in graph.alto_staging.issuing(graph.alto_options, saves=saver, limited=False).sent


@pytest.mark.parametrize("saver", [True, False])
@pytest.mark.parametrize("early", [calls_a_task, calls_a_hidden_task, calls_a_graph, calls_a_hidden_graph])
async def test_what_needs_its_superstep(early: Any, saver: bool) -> None:
    seen, expected, got, stock, alto = await both(early, saver)
    assert got["out"] == expected["out"]
    if saver:
        assert [h[0::2] for h in await history(alto)] == [h[0::2] for h in await history(stock)]
    begun = [what for what in seen.said if what.startswith("early began")]
    assert len(begun) in ((4,) if seen.squashed else (2, 4)), "each ran once, or once more in order"


async def test_a_hidden_task_makes_it_retreat() -> None:
    seen, *_ = await both(calls_a_hidden_task, saver=False, wait="squashed")
    assert seen.ahead["early"] == 2
    assert {reason for _, reason in seen.squashed} == {"it calls a @task, which is numbered within its superstep"}


async def test_a_hidden_graph_makes_it_retreat_only_where_it_would_save() -> None:
    seen, *_ = await both(calls_a_hidden_graph, saver=True, wait="squashed")
    if seen.ahead["early"]:
        assert {reason for _, reason in seen.squashed} == {"it runs a graph that saves checkpoints"}
    seen, *_ = await both(calls_a_hidden_graph, saver=False)
    assert not seen.squashed


async def test_a_hidden_interrupt_asks_in_its_superstep_and_is_resumed() -> None:
    asked, answers, ahead = {}, {}, {}
    for side in (Stock, Alto):
        graph = build(side, asks_covertly, checkpointer=InMemorySaver())
        with signals() as seen:
            wait = side is Alto and _runs_ahead(graph, True)
            first = await graph.ainvoke({"wait": "begun" if wait else ""}, CONFIG)
        ahead[side] = seen.ahead["early"]
        assert wait == bool(ahead[side])
        asked[side] = [i.value for i in first["__interrupt__"]]
        state = await graph.aget_state(CONFIG)
        assert state.next == ("early", "early")
        assert [i for t in state.tasks for i in t.interrupts] == list(first["__interrupt__"])
        with signals():
            resume = {i.id: f"answer to {i.value}" for i in first["__interrupt__"]}
            answers[side] = (await graph.ainvoke(Command(resume=resume), CONFIG))["out"]
    assert asked[Alto] == asked[Stock] == ["question 0", "question 1"]
    assert answers[Alto] == answers[Stock]
    assert "early 1 answer to question 1" in answers[Alto]


async def test_a_hidden_interrupt_before_its_superstep_does_not_end_the_run() -> None:
    """Without a checkpointer too: what `interrupt` raises early is put by until its superstep raises it again."""
    got = {}
    for side in (Stock, Alto):
        graph = build(side, asks_covertly)
        with signals():
            got[side] = await graph.ainvoke({"wait": "begun" if side is Alto and _runs_ahead(graph, False) else ""})
    assert got[Alto]["out"] == got[Stock]["out"]
    assert [i.value for i in got[Alto].get("__interrupt__", [])] == [i.value for i in got[Stock].get("__interrupt__", [])]


async def test_a_fence_that_handlers_of_the_node_would_swallow() -> None:
    """`except Exception` in a node mustn't turn a retreat into an answer."""

    async def early(item: int) -> State:
        say(f"early began {item}")
        try:
            return {"out": [f"early {await hidden('dou' + 'bled')(item)}"]}
        except Exception as error:
            return {"out": [f"swallowed {error}"]}

    seen, expected, got, *_ = await both(early, saver=False)
    assert got["out"] == expected["out"] == ["beside", "send", "early 0", "early 2", "after 4"]
    assert seen.ahead["early"] == 2


async def in_a_group(item: int) -> State:
    say(f"early began {item}")
    async with asyncio.TaskGroup() as group:
        one = group.create_task(hidden_double(item))
    return {"out": [f"early {one.result()}"]}


async def in_a_gathering(item: int) -> State:
    say(f"early began {item}")
    return {"out": [f"early {one}" for one in await asyncio.gather(hidden_double(item), return_exceptions=True)]}


async def hidden_double(item: int) -> Any:
    return await hidden("dou" + "bled")(item)


@pytest.mark.parametrize("early", [in_a_group, in_a_gathering])
async def test_a_fence_that_asyncio_wraps_or_swallows(early: Any) -> None:
    seen, expected, got, *_ = await both(early, saver=False)
    assert got["out"] == expected["out"] == ["beside", "send", "early 0", "early 2", "after 4"]
    assert seen.ahead["early"] == 2
