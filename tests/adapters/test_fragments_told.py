"""What tasks come to is told as soon as they have, and again when it is committed; the committed ones are stock's updates."""

from __future__ import annotations

import asyncio
import operator
import threading
from collections import Counter
from contextvars import ContextVar
from typing import Annotated, Any, TypedDict

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START
from langgraph.graph import StateGraph as Stock
from langgraph.types import Command, Send, interrupt

from alto_langgraph import Fragment, current_tag, observed_by, optimize
from alto_langgraph.comparison.timeline import Facts
from alto_langgraph.graph import StateGraph as Alto
from alto_langgraph.protocols import TaskStarted
from tests.adapters.test_streaming import built, lines, on_a_thread
from tests.adapters.writer import LINES, Writer

PATIENCE = 10
FRUIT = {"topic": "fruit"}


class State(TypedDict, total=False):
    items: list[str]
    seen: Annotated[list[str], operator.add]


class Silent(Writer):
    """No node lets it go on, only who hears of the first part."""

    def go_on(self) -> None:
        """Not for nodes."""


def updates(told: list[Fragment]) -> list[dict[str, Any]]:
    """What the committed ones are in the mode `updates`."""
    return [{fragment.node: fragment.update} for fragment in told if fragment.committed]


def bag(events: list[Any]) -> Counter[str]:
    return Counter(map(repr, events))


def check(told: list[Fragment]) -> None:
    """Each committed one was told before, and each that was told before is committed or thrown away."""
    waiting: list[tuple[Any, ...]] = []
    for fragment in told:
        if fragment.committed is False:
            waiting.append((fragment.tag, fragment.node, repr(fragment.update)))
        elif fragment.committed:
            if fragment.node != "__interrupt__":
                waiting.remove((fragment.tag, fragment.node, repr(fragment.update)))
        else:
            assert fragment.update is None
            waiting.remove(next(known for known in waiting if known[:2] == fragment[:2]))
    assert not waiting


GATE: ContextVar[asyncio.Event] = ContextVar("gate")
"""What the first stage of the first item waits for."""


async def tell(graph: Any, input: Any = FRUIT, config: Any = None, ahead: int = 0, **how: Any) -> list[Fragment]:
    """All that is told; the gate opens once so many second stages were."""
    gate, told = asyncio.Event(), []
    GATE.set(gate)
    if not ahead:
        gate.set()
    async for fragment in graph.astream_fragments(input, config, **how):
        told.append(fragment)
        if sum(fragment.node == "second" and fragment.committed is False for fragment in told) == ahead:
            gate.set()
    check(told)
    return told


async def test_the_first_part_is_told_while_the_model_still_writes_the_last() -> None:
    model = Silent(waits=True)
    told = []
    async for fragment in built(Alto, lines, model).astream_fragments(FRUIT):
        told.append(fragment)
        Writer.go_on(model)
    check(told)
    tag, node, update, committed = told[0]
    assert (str(tag), node, update, committed) == ("plan[1]/write[0]", "write", {"texts": ["text on one about apples"]}, False)
    stock = [event async for event in built(Stock, lines, Writer()).astream(FRUIT, stream_mode="updates")]
    assert bag(updates(told)) == bag(stock)


def test_on_threads_too() -> None:
    model = Silent(waits=True)
    told = []
    for fragment in built(Alto, on_a_thread, model, threads=True).stream_fragments(FRUIT):
        told.append(fragment)
        Writer.go_on(model)
    check(told)
    assert str(told[0].tag) in ("plan[1]/write[0]", "plan[1]/write[1]")
    assert told[0].committed is False
    stock = list(built(Stock, on_a_thread, Writer(), threads=True).stream(FRUIT, stream_mode="updates"))
    assert bag(updates(told)) == bag(stock)


async def test_what_turns_out_wrong_is_told_to_be_thrown_away() -> None:
    def excited(model: Writer) -> Any:
        async def plan(state: Any) -> Any:
            parts = (await model.ainvoke("plan")).text.split("\n")
            return {"sections": [f"{part}!" for part in parts] if parts[-1].endswith("plums") else parts}

        return plan

    model = Silent(waits=True)
    told = []
    async for fragment in built(Alto, excited, model).astream_fragments(FRUIT):
        told.append(fragment)
        Writer.go_on(model)
    check(told)
    lost = [fragment for fragment in told if fragment.committed is None]
    assert lost
    assert [fragment.node for fragment in told[told.index(lost[-1]) :] if fragment.committed is False] == ["write"] * 3  # at once
    assert {str(fragment.tag) for fragment in lost} <= {"plan[1]/write[0]", "plan[1]/write[1]"}
    stock = [event async for event in built(Stock, excited, Writer()).astream(FRUIT, stream_mode="updates")]
    assert bag(updates(told)) == bag(stock)


def pipeline(graph: type[Stock[Any]], stages: dict[str, Any], items: int = 3, **compiled: Any) -> Any:
    """Sends each item through the stages, one after the other."""
    names = [*stages]
    builder: Any = graph(State)
    builder.add_node("split", lambda state: {"items": [f"item {place}" for place in range(items)]})
    builder.add_edge(START, "split")
    builder.add_conditional_edges("split", lambda state: [Send(names[0], {"item": item}) for item in state["items"]], [names[0]])
    for name, following in zip(names, [*names[1:], END], strict=True):
        builder.add_node(name, stages[name], **({} if following is END else {"destinations": (following,)}))
    return builder.compile(**compiled)


def first(payload: Any) -> Command[Any]:
    return Command(update={"seen": [f"first of {payload['item']}"]}, goto=Send("second", payload))


async def afirst(payload: Any) -> Command[Any]:
    if payload["item"] == "item 0":
        await asyncio.wait_for(GATE.get().wait(), PATIENCE)
    return first(payload)


async def second(payload: Any) -> State:
    return {"seen": [f"{current_tag()} of {payload['item']}"]}


async def test_tags_are_those_that_nodes_see_themselves() -> None:
    told = await tell(pipeline(Alto, {"first": afirst, "second": second}), ahead=2)
    ahead = [fragment for fragment in told if fragment.node == "second" and fragment.committed is False]
    seen = {(str(fragment.tag), fragment.update["seen"][0]) for fragment in ahead}
    tags = [f"split[1]/first[{place}]/second[0]" for place in range(3)]
    assert seen == {(tag, f"{tag} of item {place}") for place, tag in enumerate(tags)}
    committed = [fragment.node for fragment in told if fragment.committed]
    order = [fragment.node for fragment in told if fragment.committed is False]
    assert sorted(committed) == sorted(order)
    assert order.index("second") < order.index("first", order.index("first") + 2)  # told in its place, not in its superstep's
    assert committed.index("second") > committed.index("first", committed.index("first") + 2)


@pytest.mark.parametrize("concurrency", [1, 2, None])
async def test_under_a_limit_of_concurrency(concurrency: int | None) -> None:
    config = {"max_concurrency": concurrency} if concurrency else {}
    told = await tell(pipeline(Alto, {"first": afirst, "second": second}), FRUIT, config)
    assert Counter(fragment.node for fragment in told if fragment.committed) == {"split": 1, "first": 3, "second": 3}


@pytest.mark.parametrize("concurrency", [1, 2, None])
def test_under_a_limit_of_concurrency_on_threads(concurrency: int | None) -> None:
    def last(payload: Any) -> State:
        return {"seen": [payload["item"]]}

    config = {"max_concurrency": concurrency} if concurrency else {}
    told = list(pipeline(Alto, {"first": first, "second": last}, 8).stream_fragments({}, config))
    check(told)
    stock = list(pipeline(Stock, {"first": first, "second": last}, 8).stream({}, config, stream_mode="updates"))
    assert bag(updates(told)) == bag(stock)


def inner(graph: type[Stock[Any]]) -> Any:
    async def one(state: Any) -> State:
        return {"seen": [f"one {state['item']}"]}

    async def two(state: Any) -> State:
        return {"seen": [f"two {state['item']}"]}

    class Item(TypedDict, total=False):
        item: str
        seen: Annotated[list[str], operator.add]

    return graph(Item).add_node("one", one).add_node("two", two).add_edge(START, "one").add_edge("one", "two").compile()


@pytest.mark.parametrize("subgraphs", [True, False])
async def test_tasks_of_subgraphs_are_told_with_their_lineage(subgraphs: bool) -> None:
    told = await tell(pipeline(Alto, {"first": afirst, "second": inner(Alto)}), ahead=2, subgraphs=subgraphs)
    events = pipeline(Stock, {"first": afirst, "second": inner(Stock)}).astream({}, stream_mode="updates", subgraphs=subgraphs)
    assert bag(updates(told)) == bag([event[1] if subgraphs else event async for event in events])
    inside = [str(fragment.tag) for fragment in told if fragment.node == "two" and fragment.committed is False]
    assert sorted(inside) == ([f"split[1]/first[{place}]/second[0]/two[2]" for place in range(3)] if subgraphs else [])
    if subgraphs:  # those of the first items run ahead, and are told before the last item's first stage is done
        late = next(place for place, told_ in enumerate(told) if told_.node == "first" and "item 0" in str(told_.update))
        assert {fragment.node for fragment in told[:late]} >= {"one", "two", "second"}
        assert not any(fragment.committed for fragment in told[:late] if fragment.node in ("one", "two", "second"))


async def test_of_a_graph_that_is_langgraphs_own_only_updates_are_told() -> None:
    async def run_inner(state: State) -> State:
        return {"seen": (await inner(Stock).ainvoke({"item": "x"}))["seen"]}

    one, two, both = {"seen": ["one x"]}, {"seen": ["two x"]}, {"seen": ["one x", "two x"]}
    outer: Any = Stock(State)
    outer.add_node("outer", run_inner)
    outer.add_edge(START, "outer")
    told = await tell(optimize(outer.compile()), subgraphs=True)
    assert [(tag and str(tag), node, update) for tag, node, update, committed in told if committed] == [
        (None, "one", one),
        (None, "two", two),
        ("outer[1]", "outer", both),
    ]
    assert await tell(optimize(outer.compile(), False)) == [Fragment(None, "outer", both, False), Fragment(None, "outer", both, True)]


async def test_where_nothing_runs_ahead_everything_is_told_when_it_is_committed() -> None:
    def chain(graph: type[Stock[Any]]) -> Any:
        builder: Any = graph(State)
        for before, name in ((START, "a"), ("a", "b"), ("b", "c")):
            builder.add_node(name, lambda state: {"seen": [str(len(state.get("seen", ())))]})
            builder.add_edge(before, name)
        return builder.compile()

    told = await tell(chain(Alto))
    assert [(str(tag), committed) for tag, _, _, committed in told] == [
        (tag, committed) for tag in ("a[1]", "b[2]", "c[3]") for committed in (False, True)
    ]
    assert updates(told) == [event async for event in chain(Stock).astream(FRUIT, stream_mode="updates")]
    assert list(chain(Alto).stream_fragments(FRUIT)) == told


def failing_at(gate: asyncio.Event) -> Any:
    """Like `first`, but what it does with the third item fails once the gate is open."""

    async def failing(payload: Any) -> Command[Any]:
        if payload["item"] == "item 2":
            await asyncio.wait_for(gate.wait(), PATIENCE)
            raise ValueError("broke")
        return first(payload)

    return failing


async def test_an_error_takes_back_what_was_told_of_subgraphs_too() -> None:
    gate = asyncio.Event()
    told: list[Fragment] = []

    async def listen() -> None:
        async for fragment in pipeline(Alto, {"first": failing_at(gate), "second": inner(Alto)}).astream_fragments({}, subgraphs=True):
            told.append(fragment)
            if sum(one.node == "two" for one in told) == 2:
                gate.set()

    with pytest.raises(ValueError, match="broke"):
        await listen()
    check(told)
    lost = [fragment for fragment in told if fragment.committed is None]
    assert Counter(fragment.node for fragment in lost) >= Counter({"one": 2, "two": 2})
    assert {fragment.node for fragment in told if fragment.committed} == {"split", "first"}


async def test_an_error_comes_after_what_was_completed_and_takes_it_back() -> None:
    gate = asyncio.Event()
    told: list[Fragment] = []

    async def listen() -> None:
        async for fragment in pipeline(Alto, {"first": failing_at(gate), "second": second}).astream_fragments({}):
            told.append(fragment)
            if sum(one.node == "second" and one.committed is False for one in told) == 2:
                gate.set()

    with pytest.raises(ValueError, match="broke"):
        await listen()
    check(told)
    assert [fragment.node for fragment in told if fragment.committed is None] == ["second", "second"]
    assert not any(fragment.node == "second" for fragment in told if fragment.committed)
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_whoever_stops_listening_stops_the_run() -> None:
    began, ended = [], []

    async def endless(payload: Any) -> Command[Any]:
        if payload["item"] == "item 2":
            began.append("item 2")
            try:
                await asyncio.sleep(PATIENCE)
            finally:
                ended.append("item 2")
        return first(payload)

    events = pipeline(Alto, {"first": endless, "second": second}).astream_fragments({})
    async for fragment in events:
        if fragment.node == "second":
            break
    await events.aclose()
    assert began == ended == ["item 2"]
    assert asyncio.all_tasks() == {asyncio.current_task()}

    async def listen() -> None:
        await tell(pipeline(Alto, {"first": endless, "second": second}))

    task = asyncio.create_task(listen())
    while len(began) < 2:
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended == ["item 2", "item 2"]
    assert asyncio.all_tasks() == {asyncio.current_task()}


def test_closing_stops_a_run_on_threads() -> None:
    ran = []

    def step(payload: Any) -> Command[Any]:
        ran.append(payload["item"])
        return first(payload)

    events: Any = pipeline(Alto, {"first": step, "second": lambda payload: {"seen": ["second"]}}).stream_fragments({})
    assert next(events).node == "split"
    events.close()
    assert ran == []
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("alto_")]


async def test_interrupts_and_resuming() -> None:
    async def asking(payload: Any) -> State:
        return {"seen": [interrupt("go on?") if payload["item"] == "item 0" else payload["item"]]}

    heard = []
    for graph in (Stock, Alto):
        app = pipeline(graph, {"first": afirst, "second": asking}, checkpointer=InMemorySaver())
        config: Any = {"configurable": {"thread_id": "1"}}
        turns = []
        for given in ({}, Command(resume="yes")):
            GATE.set(asyncio.Event())
            GATE.get().set()
            if graph is Stock:
                events = [event async for event in app.astream(given, config, stream_mode="updates")]
                plain = [{node: update for node, update in event.items() if node != "__metadata__"} for event in events]
                turns.append(bag([event for event in plain if "__interrupt__" not in event]))
                asked = [event["__interrupt__"][0].value for event in events if "__interrupt__" in event]
            else:
                told = await tell(app, given, config)
                turns.append(bag([event for event in updates(told) if "__interrupt__" not in event]))
                asked = [fragment.update[0].value for fragment in told if fragment.node == "__interrupt__"]
            turns.append(asked)
        heard.append((turns, (await app.aget_state(config)).values))
    assert heard[0] == heard[1]


async def test_who_observes_hears_all_the_same() -> None:
    facts = Facts()
    with observed_by(facts):
        await tell(pipeline(Alto, {"first": afirst, "second": second}), ahead=2)
    ahead = [fact for fact in facts.heard if isinstance(fact, TaskStarted) and fact.ahead]
    assert {fact.node for fact in ahead} == {"second"}


async def test_a_slow_listener_misses_nothing() -> None:
    gate, told = asyncio.Event(), []
    GATE.set(gate)
    async for fragment in pipeline(Alto, {"first": afirst, "second": second}, 40).astream_fragments({}):
        told.append(fragment)
        gate.set()
        await asyncio.sleep(0.001)
    check(told)
    assert Counter(fragment.node for fragment in told if fragment.committed) == {"split": 1, "first": 40, "second": 40}


async def test_fragments_have_a_form_of_their_own() -> None:
    app = built(Alto, lines, Writer())
    for name in ("stream_mode", "version"):
        with pytest.raises(TypeError, match=name):
            app.astream_fragments(FRUIT, **{name: "v2"})
    heard = [event async for event in app.astream(FRUIT, stream_mode=["updates", "custom"], subgraphs=True)]
    assert {mode for _, mode, _ in heard} == {"updates"}
    assert len(heard) == 1 + len(LINES.split("\n"))
