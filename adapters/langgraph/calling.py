"""Tells which of a `ToolNode`'s calls the running code belongs to.

Put around two of its methods, once: stock graphs in the same process run as before, and note what nobody asks for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import wraps
from typing import Any

from alto_langgraph.adapters.langgraph.seam import CONF, CONFIG_KEY_READ

_ONE_BY_ONE = "tool_calls"
"""LangGraph's word for input that is calls, not a state with a message that has them."""


@dataclass(frozen=True, slots=True)
class _Called:
    """A call of a tool, by the task that makes it (known by how it reads the state), and the call that this one is made in."""

    read: Any
    name: str
    place: int
    outer: _Called | None


_calls: ContextVar[Sequence[Any]] = ContextVar("alto_calls", default=())
"""All calls of the `ToolNode` that is running."""

_called: ContextVar[_Called | None] = ContextVar("alto_called", default=None)
"""The call that is running."""


def install(tool_node: Any) -> None:
    """Notes from now on which call runs.

    Args:
        tool_node: The class.

    Raises:
        AttributeError: it is laid out otherwise.
    """
    parse, run, arun = tool_node._parse_input, tool_node._run_one, tool_node._arun_one

    @wraps(parse)
    def parsing(self: Any, input: Any) -> Any:
        parsed = parse(self, input)
        _calls.set(parsed[0])
        return parsed

    @wraps(run)
    def running(self: Any, call: Any, input_type: Any, tool_runtime: Any) -> Any:
        with _noted(call, input_type, tool_runtime):
            return run(self, call, input_type, tool_runtime)

    @wraps(arun)
    async def arunning(self: Any, call: Any, input_type: Any, tool_runtime: Any) -> Any:
        with _noted(call, input_type, tool_runtime):
            return await arun(self, call, input_type, tool_runtime)

    tool_node._parse_input, tool_node._run_one, tool_node._arun_one = parsing, running, arunning


@contextmanager
def _noted(call: Any, input_type: Any, runtime: Any) -> Iterator[None]:
    """Around a call. A task that was sent one call is that call, and needs no other name."""
    calls = _calls.get()
    place = next((place for place, other in enumerate(calls) if other is call), None)
    if place is None or (input_type == _ONE_BY_ONE and len(calls) == 1):
        yield
        return
    token = _called.set(_Called(runtime.config.get(CONF, {}).get(CONFIG_KEY_READ), call["name"], place, _called.get()))
    try:
        yield
    finally:
        _called.reset(token)


def call_in(read: Any) -> tuple[tuple[str, int], ...]:
    """The call that the running code belongs to of the task that reads the state with `read`: tool and place; nothing if there is none."""
    called = _called.get()
    while called is not None:
        if called.read is read:
            return ((called.name, called.place),)
        called = called.outer
    return ()
