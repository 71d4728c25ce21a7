"""Under `langgraph dev`, which raises where code blocks the event loop, a graph's first run does what stock's does.

In a process of its own: what the first graph of a process has to import counts, too.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SCRIPT = '''
import asyncio
import operator
from typing import Annotated, TypedDict

from blockbuster import blockbuster_ctx
from langchain.agents import create_agent
from langchain.agents.middleware import ToolRetryMiddleware
from langchain_core.messages import AIMessage
from langchain_core.tools import tool
from langgraph.graph import START
from langgraph.types import Send

from alto_langgraph import optimize
from alto_langgraph.graph import StateGraph
from alto_langgraph.protocols import TaskStarted, observed_by
from alto_langgraph.testing import PacedChatModel

class State(TypedDict, total=False):
    items: list[int]
    out: Annotated[list[str], operator.add]

def split(state): return [Send("first", {"at": at}) for at in range(3)]
async def first(item):
    await asyncio.sleep(0.05 * item["at"])
    return {"out": [f"first {item['at']}"]}
def then(state): return [Send("second", {"at": 7})]
async def second(item): return {"out": ["second"]}
async def slow(state):
    await asyncio.sleep(0.2)
    return {"items": [1]}
async def other(state): return {"out": ["other"]}
async def after(state): return {"out": ["after"]}

@tool
def search(query: str) -> str:
    """Searches."""
    return query

class Early:
    seen = 0
    def observe(self, fact):
        self.seen += isinstance(fact, TaskStarted) and fact.ahead

async def main():
    graph = StateGraph(State).add_node("first", first).add_node("second", second).add_node("slow", slow)
    graph.add_node("other", other).add_node("after", after).add_edge("other", "after")
    graph.add_conditional_edges(START, split, ["first"]).add_edge(START, "slow").add_edge(START, "other")
    graph.add_conditional_edges("first", then, ["second"])
    early = Early()
    with observed_by(early):
        await graph.compile().ainvoke({})
    assert early.seen >= 2, early.seen
    model = PacedChatModel(answers=lambda prompt: "done", calls=lambda prompt, tools: [("search", {"query": "x"})])
    agent = optimize(create_agent(model, [search], middleware=[ToolRetryMiddleware(max_retries=1)]))
    await agent.ainvoke({"messages": [("user", "found")]}, {"recursion_limit": 8})

async def run():
    try:
        await main()
    except Exception as error:
        if type(error).__name__ != "GraphRecursionError":
            raise

with blockbuster_ctx():
    asyncio.run(run())
print("fine")
'''


def test_nothing_blocks_the_event_loop(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(SCRIPT)
    done = subprocess.run([sys.executable, "-W", "ignore", tmp_path / "app.py"], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0 and done.stdout == "fine\n", done.stderr
