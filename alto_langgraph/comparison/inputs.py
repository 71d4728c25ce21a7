"""Tells, before anything runs, that an input can't be meant for a graph."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any, get_origin, get_type_hints

from alto_langgraph.exceptions import TargetError

KINDS: dict[type, str] = {str: "text", bool: "true or false", int: "a whole number", float: "a number", dict: "an object", list: "a list"}
"""What JSON has, and its name for a reader."""


def check_input(graph: Any, given: Any) -> None:
    """Checks keys and the outermost types of `given` against the graph's input schema, as far as they are certain.

    Fields that a reducer takes in are left to it, because reducers may accept more than they return.

    Raises:
        TargetError: names the first key that doesn't fit, and what does.
    """
    fields = _fields(graph)
    if not fields or "__root__" in fields:
        return
    known = ", ".join(f"`{name}`" for name in fields)
    if not isinstance(given, dict):
        raise TargetError(f"The graph takes an object with {known}, not {_kind(given)}.")
    for name, value in given.items():
        if name not in fields:
            close = get_close_matches(name, list(fields))
            raise TargetError(f"The graph's input has no `{name}`.", hint=f"Did you mean `{close[0]}`?" if close else f"It has {known}.")
        wanted = get_origin(fields[name]) or fields[name]
        if wanted in KINDS and not hasattr(graph.channels.get(name), "operator") and not _fits(value, wanted):
            raise TargetError(f"The graph's input has {KINDS[wanted]} as `{name}`, not {_kind(value)}.")


def _fields(graph: Any) -> dict[str, Any]:
    """Names and types of what the input may hold; nothing is known of a graph that no `StateGraph` built."""
    schema = getattr(getattr(graph, "builder", None), "input_schema", None)
    try:
        return get_type_hints(schema) if schema is not None else {}
    except Exception:  # an annotation names what isn't there
        return {}


def _fits(value: Any, wanted: type) -> bool:
    if isinstance(value, bool):
        return wanted is bool
    return isinstance(value, wanted) or (wanted is float and isinstance(value, int))


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    return next((name for kind, name in KINDS.items() if isinstance(value, kind)), type(value).__name__)
