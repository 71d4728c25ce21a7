"""What a node changes in place, nobody sees changed before its superstep: not a checkpoint, an event, a reducer, a sibling, an edge."""

from __future__ import annotations

import operator
from contextlib import asynccontextmanager
from typing import Annotated, Any

import aiosqlite
import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.graph import START
from langgraph.runtime import Runtime
from langgraph.types import Command, Send
from typing_extensions import TypedDict

from alto_langgraph.comparison import MODES, difference
from tests.equivalence.uneven import SIDES, ahold_back, aseen, hold_back, mark, mark_on_a_thread, seen

INPUT = {"items": ["slow", "quick"], "doc": {"n": 0}}
STREAMS = pytest.mark.parametrize("modes", [MODES, ("values",), ("tasks",), ("updates", "debug")], ids="+".join)


def add_n(total: int, doc: Any) -> int:
    return total + (doc["n"] if isinstance(doc, dict) else doc)


class State(TypedDict, total=False):
    items: list[str]
    doc: dict[str, int]
    docs: Annotated[list[Any], operator.add]
    total: Annotated[int, add_n]
    out: Annotated[list[Any], operator.add]


def on_its_own(given: Any, runtime: Runtime[None]) -> tuple[State, Any]:
    """Only the Send holds it."""
    return {}, {"n": 10}


def in_an_update(given: Any, runtime: Runtime[None]) -> tuple[State, Any]:
    """The producer's update holds it too, so the state does when the superstep ends."""
    doc = {"n": 10}
    return {"docs": [doc]}, doc


def in_a_reducers_update(given: Any, runtime: Runtime[None]) -> tuple[State, Any]:
    """A reducer looks into it when the superstep ends."""
    doc = {"n": 10}
    return {"total": doc}, doc  # type: ignore[typeddict-item]


def in_the_state(given: Any, runtime: Runtime[None]) -> tuple[State, Any]:
    return {}, given["doc"]


def in_an_event(given: Any, runtime: Runtime[None]) -> tuple[State, Any]:
    doc = {"n": 10}
    runtime.stream_writer(doc)
    return {}, doc


def nested(given: Any, runtime: Runtime[None]) -> tuple[State, Any]:
    return {}, {"n": 10, "inside": [1]}


PLACES = [on_its_own, in_an_update, in_a_reducers_update, in_the_state, in_an_event, nested]


def grown(doc: Any) -> State:
    """Changes in place what can be changed."""
    if isinstance(doc, dict):
        doc["n"] += 1
        doc.get("inside", []).append(2)
    return {"out": [str(doc)]}


def to_first(state: State) -> list[Send]:
    """Only the quick item gets the state's document, lest the slow one, as a holder of it, holds all others back."""
    return [Send("first", {"item": item, "doc": state["doc"]} if item == "quick" else {"item": item}) for item in state["items"]]


def build(side: Any, place: Any, sync: bool, saver: Any) -> Any:
    """START -> first (slow, quick) -> grow (of the quick one's document) -> after."""

    def leave(given: Any, runtime: Runtime[None]) -> Command[Any]:
        update, doc = place(given, runtime)
        sends = [Send("grow", doc), Send("mark", "quick")] if given["item"] == "quick" else []
        return Command(update=update, goto=sends)

    async def afirst(given: Any, runtime: Runtime[None]) -> Command[Any]:
        await ahold_back(given["item"])
        return leave(given, runtime)

    def first(given: Any, runtime: Runtime[None]) -> Command[Any]:
        hold_back(given["item"])
        return leave(given, runtime)

    async def agrow(doc: Any) -> State:
        return grown(doc)

    def grow(doc: Any) -> State:
        return grown(doc)

    graph = side(State).add_node("first", first if sync else afirst, destinations=("grow", "mark"))
    graph.add_node("grow", grow if sync else agrow).add_node("mark", mark_on_a_thread if sync else mark)
    graph.add_node("after", lambda state: {"out": [str(state)]}).add_edge("grow", "after")
    return graph.add_conditional_edges(START, to_first, ["first"]).compile(checkpointer=saver)


@asynccontextmanager
async def saver_of(kind: str) -> Any:
    if kind == "sqlite":
        async with aiosqlite.connect(":memory:") as connection:
            yield AsyncSqliteSaver(connection)
    else:
        yield InMemorySaver() if kind == "memory" else None


@STREAMS
@pytest.mark.parametrize("durability", ["none", "memory sync", "memory async", "memory exit", "sqlite sync", "sqlite exit"])
@pytest.mark.parametrize("place", PLACES)
async def test_where_the_payload_is_held(place: Any, durability: str, modes: tuple[str, ...]) -> None:
    """Stock itself may save with sqlite and `async` before or after the next superstep's nodes change what is saved."""
    kind, _, when = durability.partition(" ")
    both = []
    for side in SIDES:
        async with saver_of(kind) as saver:
            how = {"durability": when} if when else {}
            both.append(await aseen(build(side, place, False, saver), side, INPUT, stream_mode=modes, **how))
    (stock, _), (alto, told) = both
    found = difference(stock, alto)
    assert found is None, str(found)
    assert +told.ahead == {"mark": 1}


@STREAMS
@pytest.mark.parametrize("saves", [False, True])
@pytest.mark.parametrize("place", PLACES)
def test_where_the_payload_is_held_on_threads(place: Any, saves: bool, modes: tuple[str, ...]) -> None:
    """Saving at the exit only: on threads stock saves pending writes while the next superstep runs."""
    how: dict[str, Any] = {"durability": "exit"} if saves else {}
    both = [seen(build(side, place, True, InMemorySaver() if saves else None), side, INPUT, stream_mode=modes, **how) for side in SIDES]
    (stock, _), (alto, told) = both
    found = difference(stock, alto)
    assert found is None, str(found)
    assert +told.ahead == {"mark": 1}


def unchangeable(given: Any, runtime: Runtime[None]) -> tuple[State, Any]:
    return {}, ("text", 1)


@pytest.mark.parametrize("sync", [False, True])
async def test_what_cannot_be_changed_holds_nothing_back(sync: bool) -> None:
    both = []
    for side in SIDES:
        graph = build(side, unchangeable, sync, None)
        both.append(seen(graph, side, INPUT) if sync else await aseen(graph, side, INPUT))
    (stock, _), (alto, told) = both
    assert difference(stock, alto) is None
    assert told.ahead["mark"] == told.ahead["grow"] == 1


async def test_going_back_in_time_finds_what_stock_finds() -> None:
    """From the checkpoint before the change, `grow` starts anew from the document as it was sent."""
    answers = []
    for side in SIDES:
        graph = build(side, in_an_update, False, InMemorySaver())
        config: Any = {"configurable": {"thread_id": "t"}}
        await aseen(graph, side, INPUT, config=config, durability="sync")
        (before,) = [state.config async for state in graph.aget_state_history(config) if "grow" in state.next]
        answers.append((await aseen(graph, side, None, config=before))[0].output)
    assert answers[0] == answers[1]
    assert "{'n': 11}" in str(answers[1])


async def first_of_two(given: Any) -> Command[Any]:
    await ahold_back(given["item"])
    return Command(goto=[Send("grow" if given["item"] == "slow" else "look", given["doc"]), Send("mark", given["item"])])


async def look(doc: Any) -> State:
    return {"out": [doc["n"]]}


async def grows(doc: Any) -> State:
    doc["n"] += 1
    return {"out": ["grown"]}


async def test_one_document_in_two_sends() -> None:
    """`look` changes nothing; under stock its sibling has changed the document before it."""

    def started(state: State) -> list[Send]:
        return [Send("first", {"item": item, "doc": state["doc"]}) for item in state["items"]]

    both = []
    for side in SIDES:
        graph = side(State).add_node("first", first_of_two, destinations=("grow", "look", "mark"))
        graph.add_node("grow", grows).add_node("look", look).add_node("mark", mark)
        both.append(await aseen(graph.add_conditional_edges(START, started, ["first"]).compile(), side, INPUT))
    (stock, _), (alto, told) = both
    found = difference(stock, alto)
    assert found is None, str(found)
    assert stock.output["out"] == ["grown", 1]
    assert +told.ahead == {"mark": 1}


def changes_the_state(state: State) -> str:
    state["doc"]["n"] += 1
    return "end"


async def end(state: State) -> State:
    return {"out": [state["doc"]["n"]]}


async def sends_on(given: Any) -> Command[Any]:
    await ahold_back(given["item"])
    return Command(goto=[Send("early", 1), Send("mark", "quick")] if given["item"] == "quick" else [])


async def early(item: int) -> State:
    return {"out": [item]}


async def test_an_early_tasks_edge_changes_the_state() -> None:
    """The node runs ahead, and its edge waits for the superstep."""
    both = []
    for side in SIDES:
        graph = side(State).add_node("first", sends_on, destinations=("early", "mark")).add_node("mark", mark)
        graph.add_node("early", early).add_node("end", end).add_conditional_edges("early", changes_the_state, ["end"])
        graph.add_conditional_edges(START, to_first, ["first"])
        both.append(await aseen(graph.compile(checkpointer=InMemorySaver()), side, INPUT, durability="sync"))
    (stock, _), (alto, told) = both
    found = difference(stock, alto)
    assert found is None, str(found)
    assert +told.ahead == {"mark": 1, "early": 1}


async def waits(item: str) -> State:
    await ahold_back(item)
    return {}


async def sends_the_states(given: Any) -> Command[Any]:
    return Command(goto=[Send("look", given["doc"]), Send("mark", "quick")])


async def test_an_unfinished_tasks_edge_changes_what_an_early_one_would_look_at() -> None:
    """The unfinished task has nothing of the document in its own input."""

    def started(state: State) -> list[Send]:
        return [Send("waits", "slow"), Send("sends", {"doc": state["doc"]})]

    both = []
    for side in SIDES:
        graph = side(State).add_node("waits", waits).add_node("end", end).add_conditional_edges("waits", changes_the_state, ["end"])
        graph.add_node("sends", sends_the_states, destinations=("look", "mark")).add_node("look", look).add_node("mark", mark)
        both.append(await aseen(graph.add_conditional_edges(START, started, ["waits", "sends"]).compile(), side, INPUT))
    (stock, _), (alto, told) = both
    found = difference(stock, alto)
    assert found is None, str(found)
    assert stock.output["out"] == [1, 1]
    assert +told.ahead == {"mark": 1}
