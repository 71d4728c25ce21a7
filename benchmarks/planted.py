"""Graphs with a planted limit each, and the change that does away with it: what `alto trace advise` is measured on."""

from __future__ import annotations

import asyncio
import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, TypedDict

from langgraph.types import Command, Send

from alto_langgraph.graph import END, START, StateGraph
from alto_langgraph.testing import LogNormal, Pace, PacedChatModel, Slots

ITEMS = 16


class State(TypedDict, total=False):
    """State of every graph here."""

    items: int
    notes: Annotated[list[str], operator.add]
    background: str
    plan: str
    report: str


@dataclass(frozen=True)
class Planted:
    """A graph with a limit.

    Args:
        name: What is planted.
        build: Makes the graph: with the limit, or changed as the advice says.
        limit: As `Advice.limit` names it.
        subject: As `Advice.subject` names it.
    """

    name: str
    build: Callable[[float, bool], Any]
    limit: str
    subject: str


def uneven(item: int, stage: int, unit: float) -> float:
    """Seconds of an item's stage: each item has one stage of six units and otherwise one, a third of the items the same."""
    return unit * (6 if (item + stage) % 3 == 0 else 1)


def pace(unit: float) -> Pace:
    """A model whose answers of a word take about two units."""
    return Pace(LogNormal(2 * unit, 0.3), LogNormal(unit / 10, 0.1))


def fanned(node: str) -> Callable[[State], list[Send]]:
    """Sends every item to a node."""
    return lambda state: [Send(node, item) for item in range(state["items"])]


def slots(unit: float, changed: bool) -> Any:
    """Sixteen items ask a model that serves three at a time; changed, six."""
    model = PacedChatModel(answers=lambda prompt: "yes", pace=pace(unit), slots=Slots(6 if changed else 3), model="small")

    async def fetch(item: int) -> Command[Any]:
        await asyncio.sleep(uneven(item, 0, unit / 5))
        return Command(goto=Send("judge", item))

    async def judge(item: int) -> State:
        answer = await model.ainvoke(f"item {item}")
        return {"notes": [str(answer.content)]}

    graph: Any = StateGraph(State)
    graph.add_node("fetch", fetch).add_node("judge", judge)
    return graph.add_conditional_edges(START, fanned("fetch"), ["fetch"]).compile()


def fence(unit: float, changed: bool) -> Any:
    """The second of three stages is declared external, so that it waits for the first of all items; changed, idempotent."""

    async def fetch(item: int) -> Command[Any]:
        await asyncio.sleep(uneven(item, 0, unit))
        return Command(goto=Send("search", item))

    async def search(item: int) -> Command[Any]:
        await asyncio.sleep(uneven(item, 1, unit))
        return Command(goto=Send("note", item))

    async def note(item: int) -> State:
        await asyncio.sleep(uneven(item, 2, unit))
        return {"notes": [str(item)]}

    graph: Any = StateGraph(State)
    graph.add_node("fetch", fetch).add_node("note", note)
    graph.add_node("search", search, metadata={"effects": "idempotent" if changed else "external"})
    return graph.add_conditional_edges(START, fanned("fetch"), ["fetch"]).compile()


def dependency(unit: float, changed: bool) -> Any:
    """A report waits for what was looked up meanwhile, which takes longest; changed, it does without."""

    async def fetch(state: State) -> State:
        await asyncio.sleep(5 * unit)
        return {"notes": [f"{state['items']} items"]}

    async def look_up(state: State) -> State:
        await asyncio.sleep(14 * unit)
        return {"background": "much"}

    async def full(state: State) -> State:
        await asyncio.sleep(6 * unit)
        return {"report": f"{len(state['notes'])} notes before {state['background']}"}

    async def short(state: State) -> State:
        await asyncio.sleep(6 * unit)
        return {"report": f"{len(state['notes'])} notes"}

    graph = StateGraph(State).add_node("fetch", fetch).add_node("look_up", look_up).add_node("report", short if changed else full)
    graph.add_edge(START, "fetch").add_edge(START, "look_up").add_edge("fetch" if changed else ["fetch", "look_up"], "report")
    return graph.add_edge("report", END).compile()


def order(unit: float, changed: bool) -> Any:
    """Two stages written as a chain need nothing of each other, but what they do can't be told; changed, they are declared."""

    async def plan(state: State) -> State:
        await _spoken(10 * unit)
        return {"plan": f"{state['items']} items"}

    async def look_up(state: State) -> State:
        await _spoken(8 * unit)
        return {"background": f"{state['items']} items"}

    async def report(state: State) -> State:
        await asyncio.sleep(3 * unit)
        return {"report": state["plan"] + state["background"]}

    about = {"effects": "idempotent"} if changed else {}
    graph: Any = StateGraph(State).add_node("report", report)
    graph.add_node("plan", plan, metadata=about).add_node("look_up", look_up, metadata=about)
    graph.add_edge(START, "plan").add_edge("plan", "look_up").add_edge("look_up", "report")
    return graph.compile()


def model(unit: float, changed: bool) -> Any:
    """A chain of two answers, each of which needs the one before; changed, the longer one takes half as long."""
    small = PacedChatModel(answers=lambda prompt: "yes", pace=pace(unit), model="small")
    large = PacedChatModel(answers=lambda prompt: "yes", pace=pace(unit * (3 if changed else 6)), model="large")

    async def plan(state: State) -> State:
        return {"plan": str((await large.ainvoke(f"{state['items']} items")).content)}

    async def report(state: State) -> State:
        return {"report": str((await small.ainvoke(state["plan"])).content)}

    graph = StateGraph(State).add_node("plan", plan).add_node("report", report)
    return graph.add_edge(START, "plan").add_edge("plan", "report").compile()


async def _spoken(seconds: float) -> None:
    """Takes its time, and prints: who knows who reads that."""
    print(end="", flush=True)
    await asyncio.sleep(seconds)


PLANTED = (
    Planted("slots", slots, "slots", "chat small"),
    Planted("fence", fence, "fence", "search"),
    Planted("dependency", dependency, "dependency", "look_up"),
    Planted("order", order, "fence", "look_up"),
    Planted("model", model, "model", "chat large"),
)
