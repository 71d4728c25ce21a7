"""An agent whose model asks for several tools in one answer: how much of the tools' time can pass while it still writes."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from langchain_core.messages import HumanMessage
from langchain_core.tools import StructuredTool
from langchain_core.utils.function_calling import convert_to_openai_tool

from alto_langgraph.plan.schedule import Work
from alto_langgraph.tags import Tag
from alto_langgraph.testing import LogNormal, Pace, PacedChatModel
from benchmarks.foretold import bounds
from benchmarks.sides import Side
from benchmarks.watch import Watch

TOKEN = LogNormal(0.004, 0.0)
"""Seconds of every token, the first one too: a fifth of what a large model takes, as the tool takes a fifth of one to three seconds."""
RIVERS: Mapping[str, float] = {"the Elbe": 0.6, "the Oder": 0.3, "the Rhine": 0.5, "the Seine": 0.2}
"""What the tool is asked about, and the seconds that each takes."""
QUESTION = HumanMessage("Which of the four rivers is the longest?", id="question")
CALLS = [("look_up", {"query": f"how long is {river} from its spring to the sea in old books and new ones"}) for river in RIVERS]
"""What the model asks for in its first answer: 25 tokens each."""


@dataclass(frozen=True, slots=True)
class Load:
    """So many tool calls, of four at most; `pace` scales the times."""

    calls: int = len(CALLS)
    pace: float = 1.0


def model(load: Load) -> PacedChatModel:
    """Asks for so many tool calls at once, and answers when it has seen what they found."""

    def asked(prompt: str, names: list[str]) -> list[tuple[str, dict[str, str]]]:
        return CALLS[: load.calls] if prompt == QUESTION.text else []

    return PacedChatModel(answers=lambda prompt: "The Rhine.", calls=asked, pace=Pace(TOKEN, TOKEN), scale=load.pace)


def tool(load: Load) -> StructuredTool:
    """A search that only reads, which it says as tools of MCP servers do."""

    async def look_up(query: str) -> str:
        """Finds what is asked for."""
        river = next(name for name in RIVERS if name in query)
        await asyncio.sleep(load.pace * RIVERS[river])
        return f"{river}: {len(query)} pages"

    return StructuredTool.from_function(coroutine=look_up, metadata={"readOnlyHint": True})


def agent(watch: Watch, side: Side, load: Load) -> Any:
    """A prebuilt agent: somebody else's graph, so alto is given it compiled."""
    from langchain.agents import create_agent  # what it loads would weigh on the garbage collector in other benchmarks

    llm = model(load).model_copy(update={"callbacks": [watch]})

    def compiled(checkpointer: Any) -> Any:
        return side.optimize(create_agent(llm, [tool(load)], checkpointer=checkpointer))

    return compiled


def given(load: Load) -> dict[str, Any]:
    """The graph's input."""
    return {"messages": [QUESTION]}


def foretold(load: Load) -> list[Work]:
    """Everything up to the final answer's start: each tool waits for nothing but its own call."""
    tools = [convert_to_openai_tool(tool(load))]
    written = [model(Load(calls, load.pace)).seconds([QUESTION], tools=tools) for calls in range(1, load.calls + 1)]
    ask = Work(Tag((("model", 0),)), "model", 0, written[-1])
    runs = [
        Work(ask.tag.child("tools", at), "tools", 1, load.pace * seconds, slotted=False, heads=((ask.tag, there),))
        for at, (seconds, there) in enumerate(zip(RIVERS.values(), written, strict=False))
    ]
    return [ask, *runs, Work(Tag((("model", 2),)), "model", 2, 0.0, (ask.tag, *(run.tag for run in runs)))]


def least(load: Load) -> Mapping[str, float]:
    """The bounds of the time until the final answer starts, in seconds."""
    return bounds(foretold(load), None)
