"""Draws the pictures of docs/how-it-works.md: what starts early, one small graph for each way, from real runs of both sides.

python docs/pictures/early.py [FOLDER]
"""

from __future__ import annotations

import asyncio
import operator
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, TypedDict

from langgraph.graph import START, StateGraph
from langgraph.types import Send

from alto_langgraph import compare
from alto_langgraph.testing import LogNormal, Pace, PacedChatModel, Slots

SCALE = 1.0
"""Factor on all times."""


class State(TypedDict, total=False):
    """The runs' state."""

    topic: str
    draft: str
    figures: str
    caption: str
    review: str
    lines: list[str]
    texts: Annotated[list[str], operator.add]
    verdicts: Annotated[list[str], operator.add]


async def spends(seconds: float) -> None:
    """What a node does in these graphs: it waits, as for a model."""
    await asyncio.sleep(seconds * SCALE)


def branches() -> StateGraph[State]:
    """Two branches of unequal nodes: `caption` needs `figures` alone, and `review` needs `draft` alone."""

    async def draft(state: State) -> State:
        await spends(0.5)
        return {"draft": state["topic"]}

    async def figures(state: State) -> State:
        await spends(0.15)
        return {"figures": state["topic"]}

    async def caption(state: State) -> State:
        await spends(0.45)
        return {"caption": state["figures"]}

    async def review(state: State) -> State:
        await spends(0.15)
        return {"review": state["draft"]}

    graph: StateGraph[State] = StateGraph(State)
    for node in (draft, figures, caption, review):
        graph.add_node(node.__name__, node)
    return graph.add_edge(START, "draft").add_edge(START, "figures").add_edge("figures", "caption").add_edge("draft", "review")


def stages() -> StateGraph[State]:
    """Three stages written as a chain, which need nothing of each other, and a fourth that needs all."""

    async def draft(state: State) -> State:
        await spends(0.3)
        return {"draft": state["topic"]}

    async def figures(state: State) -> State:
        await spends(0.2)
        return {"figures": state["topic"]}

    async def caption(state: State) -> State:
        await spends(0.25)
        return {"caption": state["topic"]}

    async def review(state: State) -> State:
        await spends(0.15)
        return {"review": state["draft"] + state["figures"] + state["caption"]}

    graph: StateGraph[State] = StateGraph(State)
    return graph.add_sequence([draft, figures, caption, review]).add_edge(START, "draft")


def answer() -> StateGraph[State]:
    """A model that serves three calls at a time writes four lines; each is asked for again, and written out."""
    model = PacedChatModel(
        answers=lambda prompt: "\n".join(f"part {number} of the plan" for number in range(1, 5)) if prompt == "plan" else 3 * prompt,
        pace=Pace(LogNormal(0.05 * SCALE, 0.0), LogNormal(0.02 * SCALE, 0.0)),
        slots=Slots(3),
    )

    async def plan(state: State) -> State:
        return {"lines": str((await model.ainvoke("plan")).content).split("\n")}

    async def write(line: str) -> State:
        return {"texts": [str((await model.ainvoke(line)).content)]}

    graph: StateGraph[State] = StateGraph(State)
    graph.add_node("plan", plan).add_node("write", write).add_edge(START, "plan")
    return graph.add_conditional_edges("plan", lambda state: [Send("write", line) for line in state["lines"]], ["write"])


def reduction() -> StateGraph[State]:
    """Checks of four sentences are put together by sentence, and each group is judged: the first ones take longest."""

    async def check(sentence: int) -> State:
        await spends(0.15 * sentence)
        return {"texts": [f"{sentence}"]}

    def gather(state: State) -> State:
        return {"lines": list(dict.fromkeys(state["texts"]))}

    async def judge(sentence: str) -> State:
        await spends(0.6 - 0.1 * int(sentence))
        return {"verdicts": [sentence]}

    graph: StateGraph[State] = StateGraph(State)
    graph.add_node("check", check).add_node("gather", gather).add_node("judge", judge)
    graph.add_conditional_edges(START, lambda state: [Send("check", sentence) for sentence in (1, 2, 3, 4)], ["check"])
    graph.add_edge("check", "gather")
    return graph.add_conditional_edges("gather", lambda state: [Send("judge", line) for line in state["lines"]], ["judge"])


PICTURES: dict[str, Callable[[], StateGraph[State]]] = {"branches": branches, "stages": stages, "answer": answer, "reduction": reduction}


def main(folder: Path) -> None:
    """Runs each graph on both sides and writes its picture."""
    for name, build in PICTURES.items():
        found = compare(build(), {"topic": "fruit"}, runs=1)
        if not found.equal:
            raise SystemExit(f"`{name}`: the two sides differ, so there is nothing to draw:\n{found}")
        (folder / f"{name}.svg").write_text(found.timeline_svg() + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
