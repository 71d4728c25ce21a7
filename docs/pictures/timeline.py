"""Draws docs/pictures/timeline.svg from a real run of one small graph under stock LangGraph and under alto.

python docs/pictures/timeline.py [FILE]
"""

from __future__ import annotations

import asyncio
import operator
import sys
from pathlib import Path
from typing import Annotated, Any, TypedDict

from langgraph.graph import START, StateGraph
from langgraph.types import Command, Send

from alto_langgraph import compare

SECONDS = {
    "read": (0.10, 0.30, 0.12, 0.15, 0.08, 0.20),
    "check": (0.28, 0.08, 0.15, 0.10, 0.30, 0.12),
    "write": (0.10, 0.12, 0.28, 0.10, 0.08, 0.15),
}
"""How long each stage takes for each item: a different item is the slowest in every stage."""


class State(TypedDict):
    """The run's state."""

    items: int
    done: Annotated[list[int], operator.add]


def spread(state: State) -> list[Send]:
    """One task per item."""
    return [Send("read", item) for item in range(state["items"])]


async def read(item: int) -> Command[Any]:
    """First stage."""
    await asyncio.sleep(SECONDS["read"][item])
    return Command(goto=Send("check", item))


async def check(item: int) -> Command[Any]:
    """Second stage."""
    await asyncio.sleep(SECONDS["check"][item])
    return Command(goto=Send("write", item))


async def write(item: int) -> dict[str, list[int]]:
    """Third stage."""
    await asyncio.sleep(SECONDS["write"][item])
    return {"done": [item]}


def build() -> StateGraph[State]:
    """The graph, plain LangGraph."""
    graph = StateGraph(State)
    for node in (read, check, write):
        graph.add_node(node.__name__, node)
    graph.add_conditional_edges(START, spread, ["read"])
    return graph


def main(out: Path) -> None:
    """Runs both sides and writes the picture."""
    found = compare(build(), {"items": len(SECONDS["read"]), "done": []}, runs=1)
    if not found.equal:
        raise SystemExit(f"The two sides differ, so there is nothing to draw:\n{found}")
    out.write_text(found.timeline_svg() + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).with_name("timeline.svg"))
