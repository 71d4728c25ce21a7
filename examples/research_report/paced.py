"""The app with a model double that takes a real engine's time, on Python's reference."""

import json
from importlib.resources import files

from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph.state import CompiledStateGraph

from alto_langgraph.examples.research_report.as_written import State, build
from alto_langgraph.examples.research_report.library import reference
from alto_langgraph.examples.research_report.rules import answer
from alto_langgraph.testing import PacedChatModel


def request() -> State:
    """The app's input: the shipped request."""
    read: State = json.loads(files(__package__).joinpath("input.json").read_text("utf-8"))
    return read


def double() -> PacedChatModel:
    """A model double that answers the app's prompts by rules."""
    return PacedChatModel(answers=answer)


def graph() -> CompiledStateGraph[State]:
    """The app, with a paced model and a memory of its own; run it on a thread, and resume it with "approved"."""
    return build(double(), reference(), InMemorySaver())
