"""The app with a model double that takes a real engine's time: what `alto demo` runs."""

import json
import re
from importlib.resources import files
from typing import cast

from langgraph.graph.state import CompiledStateGraph

from alto_langgraph.examples.fact_check.app import State, build
from alto_langgraph.examples.fact_check.collection import bm25, documents
from alto_langgraph.examples.fact_check.rules import answer
from alto_langgraph.testing import PacedChatModel


def text(sentences: int | None = None) -> State:
    """The app's input: the shipped text, or its first so many sentences."""
    read: dict[str, list[str]] = json.loads(files(__package__).joinpath("input.json").read_text("utf-8"))
    if sentences is None:
        return cast(State, read)
    kept, left = [], sentences
    for paragraph in read["paragraphs"]:
        parts = re.split(r"(?<=[.!?])\s+", paragraph)[:left]
        left -= len(parts)
        kept += [" ".join(parts)] if parts else []
    return cast(State, {"paragraphs": kept})


def graph() -> CompiledStateGraph[State]:
    """The app over the shipped documents, with a paced model of its own."""
    return build(PacedChatModel(answers=answer), bm25(documents()))
