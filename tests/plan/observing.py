"""Runs functions on states and watches which keys of them matter: what their plans must at least name.

A key is read if leaving it out, or giving it another value, changes what comes out; or if the state, which keeps a record, was asked for
it. A key is written if the result is an update of it, or if what the state holds under it is something else afterwards.
"""

from __future__ import annotations

import asyncio
import copy
import inspect
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from hypothesis import strategies as st
from langgraph.types import Command

STATES = st.fixed_dictionaries(
    {
        "docs": st.lists(st.sampled_from(["a", "b", "c"]), max_size=3),
        "question": st.sampled_from(["a", "3", "hello"]),
        "n": st.integers(0, 5),
        "notes": st.dictionaries(st.sampled_from(["a", "b"]), st.sampled_from(["a", "b"]), max_size=2),
        "flags": st.lists(st.booleans(), max_size=2),
        "which": st.sampled_from(["docs", "n", "question"]),
    }
)


class Recorded(dict[str, Any]):
    """A state that keeps a record of the keys it is asked for. What asks for all of them isn't told."""

    def __init__(self, state: dict[str, Any]) -> None:
        super().__init__(state)
        self.asked: set[str] = set()

    def __getitem__(self, key: str) -> Any:
        self.asked.add(key)
        return super().__getitem__(key)

    def get(self, key: str, default: Any = None) -> Any:
        self.asked.add(key)
        return super().get(key, default)

    def __contains__(self, key: object) -> bool:
        self.asked.add(str(key))
        return super().__contains__(key)


class Outcome(NamedTuple):
    """What a run brought, in words, and what it did to the state."""

    result: str
    updates: frozenset[str]
    changed: frozenset[str]


def outcome(function: Callable[[Any], Any], state: dict[str, Any], make: Callable[[Any], Any] = lambda state: state) -> Outcome:
    """Runs `function` on a copy of `state`, made into what it takes by `make`."""
    given = make(copy.deepcopy(state))
    values = {key: _get(given, key) for key in state}
    try:
        result = function(given)
        if inspect.iscoroutine(result):
            result = asyncio.run(result)
        if inspect.isgenerator(result):
            result = list(result)
    except Exception as error:
        return Outcome(f"{type(error).__name__}: {error}", frozenset(), _changed(state, values))
    return Outcome(repr(result), frozenset(updates(result)), _changed(state, values))


def _get(given: Any, key: str) -> Any:
    return dict.get(given, key) if isinstance(given, dict) else getattr(given, key, None)


def _changed(state: dict[str, Any], values: dict[str, Any]) -> frozenset[str]:
    return frozenset(key for key, value in values.items() if repr(value) != repr(state[key]))


def updates(result: Any) -> set[str]:
    """Keys that LangGraph would write for a node's result."""
    if isinstance(result, Command):
        return set() if result.graph == Command.PARENT else {key for key, _ in result._update_as_tuples()}
    if isinstance(result, list) or type(result) is tuple:
        return set().union(*map(updates, result))
    if isinstance(result, dict):
        return set(result)
    return {name for base in type(result).__mro__ for name in base.__dict__.get("__annotations__", ())}


def variants(state: dict[str, Any], other: dict[str, Any], unread: set[str]) -> Iterator[dict[str, Any]]:
    """The state with one key, of those that are said not to be read, left out or given another value."""
    for key in unread:
        yield {**state, key: other[key]}
        yield {name: value for name, value in state.items() if name != key}


def name(value: Any) -> str:
    """What a function or a module is called in a test's name."""
    return value.__name__.rpartition(".")[2] if hasattr(value, "__name__") else type(value).__name__
