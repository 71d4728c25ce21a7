"""The app with a model double that takes a real engine's time, over chapters of Python's reference that every Python has with it."""

from pydoc_data.topics import topics

from langgraph.graph.state import CompiledStateGraph

from alto_langgraph.examples.document_qa.as_written import State, build
from alto_langgraph.examples.document_qa.rules import answer
from alto_langgraph.testing import PacedChatModel

QUESTION = "When is a finally clause executed, and what happens to an exception that is not handled?"
CHAPTERS = (
    *("assert", "break", "context-managers", "continue", "del", "exceptions", "for"),
    *("pass", "raise", "return", "try", "while", "with"),
)


def text(*chapters: str) -> State:
    """The app's input: the question, and these chapters, or all that may have to do with it."""
    return {"question": QUESTION, "documents": [{"title": title, "text": topics[title]} for title in chapters or CHAPTERS]}


def double() -> PacedChatModel:
    """The model double."""
    return PacedChatModel(answers=answer)


def graph() -> CompiledStateGraph[State]:
    """The app as written, with a double of its own."""
    return build(double())
