"""From every checkpoint of a run that ran ahead, a fork, an update or several come to what they come to under stock."""

from __future__ import annotations

import asyncio
import operator
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START
from langgraph.types import Command, Send, StateUpdate
from typing_extensions import TypedDict

from alto_langgraph.comparison import Observation, arecord, difference
from alto_langgraph.comparison.plain import exception, plain
from alto_langgraph.testing import jumping_clock
from tests.adapters.signals import signals
from tests.equivalence.uneven import SIDES

CONFIG: dict[str, Any] = {"configurable": {"thread_id": "t"}}
CHECKPOINTS = 5
"""Of the run below, that of its input included."""


class State(TypedDict, total=False):
    seed: int
    slow: int
    quick: int
    after: int
    out: Annotated[list[Any], operator.add]


async def first(item: int) -> Command[Any]:
    await asyncio.sleep(item)
    return Command(update={"out": [f"first {item}"]}, goto=[Send("second", item)])


async def second(item: int) -> Command[Any]:
    await asyncio.sleep(item)
    return Command(update={"out": [f"second {item}"]}, goto=[Send("third", item)])


async def third(item: int) -> State:
    await asyncio.sleep(item)
    return {"out": [f"third {item}"]}


async def slow(state: State) -> State:
    await asyncio.sleep(10)
    return {"slow": state["seed"] + 1}


async def quick(state: State) -> State:
    return {"quick": state["seed"] + 2}


async def after(state: State) -> State:
    return {"after": state.get("quick", 0) + 3}


async def last(state: State) -> State:
    return {"out": [(state.get("slow"), state.get("after"), len(state["out"]))]}


def build(side: Any) -> Any:
    """Two items through three stages by Sends, beside quick -> after, which passes `slow`; `last` waits for that."""
    graph = side(State).add_node("first", first, destinations=("second",)).add_node("second", second, destinations=("third",))
    for node in (third, slow, quick, after, last):
        graph.add_node(node.__name__, node)
    graph.add_conditional_edges(START, lambda state: [Send("first", item) for item in (9, 1)], ["first"])
    graph.add_edge(START, "slow").add_edge(START, "quick").add_edge("quick", "after").add_edge(["slow", "after"], "last")
    return graph.compile(checkpointer=InMemorySaver())


async def snapshots(graph: Any) -> list[Any]:
    """Oldest first."""
    return [state async for state in graph.aget_state_history(CONFIG)][::-1]


Journey = Callable[[Any, Any], Awaitable[Any]]
"""From a graph and the configuration of a checkpoint to that of the checkpoint from which the run goes on."""


async def fork(graph: Any, config: Any) -> Any:
    return config


def update(values: Any, as_node: str | None) -> Journey:
    async def journey(graph: Any, config: Any) -> Any:
        return await graph.aupdate_state(config, values, as_node=as_node)

    return journey


def updates(*supersteps: list[StateUpdate]) -> Journey:
    async def journey(graph: Any, config: Any) -> Any:
        return await graph.abulk_update_state(config, supersteps)

    return journey


JOURNEYS = {
    "a fork": fork,
    "an update": update({"out": ["updated"], "quick": 50}, None),
    "an update by what was passed": update({"slow": 60}, "slow"),
    "an update by what passed it": update({"after": 70}, "after"),
    "an update by what had a Send": update({"out": ["updated"]}, "second"),
    "an update that goes elsewhere": update(Command(goto=[Send("first", 5), Send("second", 2)]), "third"),
    "a copy": update(None, "__copy__"),
    "an end": update(None, "__end__"),
    "several": updates([StateUpdate({"slow": 1}, "slow"), StateUpdate({"quick": 2}, "quick")], [StateUpdate({"after": 9}, "after")]),
}


async def travelled(side: Any, journey: Journey, place: int) -> tuple[list[Observation], Any]:
    """What an app sees of a run, of a journey from one of its checkpoints, and of all that is in the thread then."""
    graph = build(side)
    with signals() as told:
        seen = [await arecord(graph, {"seed": 1}, config=CONFIG)]
        before = await snapshots(graph)
        assert len(before) == CHECKPOINTS
        ahead = sum(told.ahead.values())
        assert bool(ahead) is (side is SIDES[1])
        try:
            there = await journey(graph, before[place].config)
        except Exception as error:
            seen.append(Observation((), (exception(error),)))
        else:
            seen.append(await arecord(graph, None, config=there))
            seen.append(await arecord(graph, {"seed": 2}, config=CONFIG))
        seen.append(Observation((), tuple(map(plain, await snapshots(graph)))))
    return seen, sum(told.ahead.values()) - ahead


@pytest.mark.parametrize("place", range(CHECKPOINTS))
@pytest.mark.parametrize("name", JOURNEYS)
def test_from_every_checkpoint(name: str, place: int) -> None:
    (stock, _), (alto, ahead) = (jumping_clock.run(travelled(side, JOURNEYS[name], place)) for side in SIDES)
    assert len(stock) == len(alto)
    for once, again in zip(stock, alto, strict=True):
        found = difference(once, again)
        assert found is None, str(found)
    assert ahead or len(alto) == 3
