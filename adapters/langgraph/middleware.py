"""Knows what LangChain's own agent middleware does around calls, and takes composed handlers apart to read the app's."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import FunctionType
from typing import Any

from alto_langgraph.adapters.langgraph.combining import ASKING, together
from alto_langgraph.plan.harmless import is_answering
from alto_langgraph.plan.model import CallablePlan

_HOME = "langchain.agents.middleware."
_COMPOSING = "langchain.agents.factory"


def around_calls(handler: Any, described: Callable[..., CallablePlan]) -> CallablePlan:
    """What middleware touches that stands around a model's, or a tool's, calls.

    Args:
        handler: As `create_agent` composes it, or a function of the app's.
        described: Describes a callable; with `around`, one that gets a request and what makes the call.
    """
    return together(_of_method(method, described) for method in _stack(handler))


def cells_of(function: Any) -> dict[str, Any]:
    """What a function's closure holds, by name; nothing of what isn't a plain function."""
    names = getattr(getattr(function, "__code__", None), "co_freevars", ())
    return {name: cell.cell_contents for name, cell in zip(names, getattr(function, "__closure__", None) or (), strict=True)}


def _stack(handler: Any) -> Iterator[Any]:
    """The middleware's own methods that a handler is composed of; what can't be taken apart is as it is."""
    home = str(handler.__globals__.get("__name__")) if isinstance(handler, FunctionType) else ""
    cells = cells_of(handler) if home == _COMPOSING else {}
    inside = [cells[name] for name in ("single_handler", "outer", "inner") if name in cells]
    for part in inside:
        yield from _stack(part)
    if not inside:
        yield handler.__wrapped__ if home.startswith("langsmith.") and hasattr(handler, "__wrapped__") else handler


def _of_method(method: Any, described: Callable[..., CallablePlan]) -> CallablePlan:
    it = getattr(method, "__self__", None)
    uses = _KNOWN.get(type(it).__qualname__) if type(it).__module__.startswith(_HOME) else None
    return described(method, around=True) if uses is None else together([ASKING, *map(described, uses(it))])


def _functions(*values: Any) -> list[Any]:
    """Those that are the app's own functions."""
    return [value for value in values if callable(value) and not isinstance(value, type)]


def _edits(it: Any) -> list[Any]:
    """It edits copies of the messages, and counts their tokens. A model's own way of counting may ask its server."""
    own = [edit.apply for edit in it.edits if not type(edit).__module__.startswith(_HOME)]
    counter = getattr(it, "token_counter", None) or (None if it.token_count_method == "approximate" else object())
    return own if counter is None else [*own, counter]


_KNOWN: Mapping[str, Callable[[Any], list[Any]]] = {
    "ModelRetryMiddleware": lambda it: _functions(it.retry_on, it.on_failure),
    "ModelFallbackMiddleware": lambda it: [model for model in it.models if not is_answering(type(model))],
    "ContextEditingMiddleware": _edits,
    "LLMToolSelectorMiddleware": lambda it: _functions(getattr(it, "on_parsing_failure", None)),
}
"""Middleware that asks models and computes, by class: what of the app's it uses for that."""
