"""The agent with a model double that takes a real engine's time, and tools that take as long as calls to a server."""

import json
from importlib.resources import files
from typing import Any

from langchain_core.messages import HumanMessage
from langchain_core.tools import BaseTool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph.state import CompiledStateGraph

from alto_langgraph.examples.tool_agent.as_written import build
from alto_langgraph.examples.tool_agent.office import Office
from alto_langgraph.examples.tool_agent.rules import answer, calls
from alto_langgraph.examples.tool_agent.tools import tools_of
from alto_langgraph.testing import LogNormal, PacedChatModel

LATENCY = LogNormal(0.2, 0.5)
"""Seconds that a tool takes: as an assumption, not a measurement, those of a busy server across a network."""


def turns() -> list[dict[str, Any]]:
    """The shipped conversation: the agent's inputs on one thread, one after another."""
    read: list[str] = json.loads(files(__package__).joinpath("input.json").read_text("utf-8"))
    return [{"messages": [HumanMessage(question, id=f"question {at}")]} for at, question in enumerate(read)]


def tools(scale: float = 1.0) -> list[BaseTool]:
    """The tools over the shipped office; `scale` is a factor on their times."""
    return tools_of(Office(), lambda call: scale * LATENCY.at(call))


def double() -> PacedChatModel:
    """A model double that calls tools and answers by rules."""
    return PacedChatModel(answers=answer, calls=calls)


def graph() -> CompiledStateGraph[Any, Any, Any, Any]:
    """The agent, with a paced model and a memory of its own."""
    return build(double(), tools(), InMemorySaver())
