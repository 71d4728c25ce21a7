"""LangGraph's private names that reading a compiled graph needs. A missing one makes the plan cautious, never wrong."""

from __future__ import annotations

from functools import partial
from typing import Any

from langchain_core.runnables.config import run_in_executor
from langgraph.prebuilt import ToolNode
from langgraph.pregel import Pregel
from langgraph.pregel.protocol import PregelProtocol

try:
    from langgraph._internal._runnable import RunnableCallable, RunnableSeq
except ImportError:  # pragma: no cover - no version in the tested range
    RunnableCallable = RunnableSeq = type(None)  # type: ignore[assignment,misc]
try:
    from langgraph.func import _TaskFunction as TaskFunction
except ImportError:  # pragma: no cover
    TaskFunction = type(None)  # type: ignore[assignment,misc]

__all__ = ["Pregel", "PregelProtocol", "RunnableCallable", "RunnableSeq", "TaskFunction", "ToolNode", "functions_of"]


def functions_of(runnable: Any) -> list[Any]:
    """The plain callables of a `RunnableCallable` or `RunnableLambda`, without the bridge that runs a sync one in a thread."""
    sync, other = getattr(runnable, "func", None), getattr(runnable, "afunc", None)
    if isinstance(other, partial) and other.func is run_in_executor:
        other = None
    return [f for f in (sync, other) if f is not None]
