"""LangGraph's private names that reading a compiled graph needs. A missing one makes the plan cautious, never wrong."""

from __future__ import annotations

import copy
import sys
from collections.abc import Callable
from functools import partial
from typing import Any, get_args, get_origin

from langchain_core.runnables.config import run_in_executor
from langgraph.pregel import Pregel
from langgraph.pregel.protocol import PregelProtocol

from alto_langgraph.plan.access import Injected

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
    "injected_into",
    "is_a",
    "rerouted",
    "run_in_executor",
    "takes_state",
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


def injected_into(tool: Any) -> Injected | None:
    """Parameters that a `ToolNode` fills in when it calls a tool; None if that can't be told, or if the tool's schema looks at them."""
    find = getattr(sys.modules.get(_CLASSES["ToolNode"]), "_get_all_injected_args", None)
    found = find(tool) if find is not None else None
    state, runtime = getattr(found, "state", None), getattr(found, "runtime", None)
    if not isinstance(state, dict) or not all(key is not None or _is_passed(tool, name) for name, key in state.items()):
        return None
    return Injected(tuple(state.items()), runtime)


def _is_passed(tool: Any, name: str) -> bool:
    """Whether a tool's schema lets an argument pass as it is, or makes a dict of the same of it."""
    field = getattr(tool.get_input_schema(), "model_fields", {}).get(name)
    hint = getattr(field, "annotation", None)
    return hint in (Any, dict) or (get_origin(hint) is dict and get_args(hint)[1:] == (Any,))


def takes_state(tool: Any) -> bool:
    """Whether a tool gets the state whole, as a parameter, which its schema then makes another dict of."""
    injected = injected_into(tool)
    return injected is None or any(key is None for _, key in injected.state)
