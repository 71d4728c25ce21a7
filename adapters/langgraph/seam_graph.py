"""LangGraph's private names that reading a compiled graph needs. A missing one makes the plan cautious, never wrong."""

from __future__ import annotations

import copy
import sys
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from langchain_core.runnables.config import run_in_executor
from langgraph.pregel import Pregel
from langgraph.pregel.protocol import PregelProtocol

try:
    from langgraph._internal._runnable import RunnableCallable, RunnableSeq
except ImportError:  # pragma: no cover - no version in the tested range
    RunnableCallable = RunnableSeq = type(None)  # type: ignore[assignment,misc]

__all__ = [
    "Pregel",
    "PregelProtocol",
    "RunnableCallable",
    "RunnableSeq",
    "class_of",
    "functions_of",
    "injected_keys",
    "is_a",
    "rerouted",
    "run_in_executor",
    "wrappers_of",
]

_CLASSES = {
    "ToolNode": "langgraph.prebuilt.tool_node",
    "_TaskFunction": "langgraph.func",
    "BaseTool": "langchain_core.tools.base",
    "BaseRetriever": "langchain_core.retrievers",
    "RunnableBranch": "langchain_core.runnables.branch",
    "RunnableAssign": "langchain_core.runnables.passthrough",
    "RunnablePassthrough": "langchain_core.runnables.passthrough",
    "RunnablePick": "langchain_core.runnables.passthrough",
    "PromptTemplate": "langchain_core.prompts.prompt",
    "ChatPromptTemplate": "langchain_core.prompts.chat",
    "MessagesPlaceholder": "langchain_core.prompts.chat",
    "BaseStringMessagePromptTemplate": "langchain_core.prompts.chat",
    "_StringImageMessagePromptTemplate": "langchain_core.prompts.chat",
}


def class_of(name: str) -> Any:
    """A class of LangGraph's or LangChain's, for `isinstance`. They are slow to import, and where nobody has, nothing is one."""
    return getattr(sys.modules.get(_CLASSES[name]), name, ())


def is_a(thing: object, *names: str) -> bool:
    """Whether `thing` is an instance of one of the classes called `names`."""
    return any(isinstance(thing, class_of(name)) for name in names)


def functions_of(runnable: Any) -> list[Any]:
    """The plain callables of a `RunnableCallable` or `RunnableLambda`, without the bridge that runs a sync one in a thread."""
    sync, other = getattr(runnable, "func", None), getattr(runnable, "afunc", None)
    if isinstance(other, partial) and other.func is run_in_executor:
        other = None
    return [f for f in (sync, other) if f is not None]


def rerouted(step: Any, change: Callable[[Any], Any]) -> Any:
    """A conditional edge with its path function changed; None if it isn't one, or is laid out otherwise."""
    branch: Any = getattr(getattr(step, "afunc", None), "__self__", None)
    if not hasattr(branch, "_aroute") or not hasattr(branch, "_replace") or not hasattr(branch, "path"):
        return None
    twin = copy.copy(step)
    twin.afunc = branch._replace(path=change(branch.path))._aroute
    return twin


def wrappers_of(node: Any) -> list[Any]:
    """What stands around each call of a `ToolNode`'s tools."""
    return [w for w in (getattr(node, "_wrap_tool_call", None), getattr(node, "_awrap_tool_call", None)) if w is not None]


def injected_keys(node: Any, names: Iterable[str]) -> frozenset[str] | None:
    """State keys that a `ToolNode` gives to the tools called `names`; None if one gets the state whole, or that can't be told."""
    keys: set[str] = set()
    for name in names:
        injected = getattr(node, "_injected_args", {}).get(name)
        state = getattr(injected, "state", None)
        if not isinstance(state, dict) or getattr(injected, "runtime", None) is not None or None in state.values():
            return None
        keys.update(state.values())
    return frozenset(keys)
