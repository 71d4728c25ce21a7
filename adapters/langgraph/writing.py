"""Hands on what a node's plain writers make of its result, without building LangGraph's entries anew for each task."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from langgraph.types import Command

from alto_langgraph.adapters.langgraph.seam import (
    CONF,
    CONFIG_KEY_SEND,
    PASSTHROUGH,
    SKIP_WRITE,
    TASKS,
    ChannelWrite,
    ChannelWriteEntry,
    ChannelWriteTupleEntry,
)

Part = Callable[[Any], Any] | tuple[str, Any]
"""What makes writes of a result; or a write that is always the same, such as an edge's."""

_RESULTS = {type(None), dict, list, tuple, Command}
"""Types of results that LangGraph's writers only hand to their mappers."""


def parts(step: Any) -> list[Part] | None:
    """What a writer writes, in order; None if it isn't a plain one."""
    if type(step) is not ChannelWrite:
        return None
    found = [_part(entry) for entry in step.writes]
    return None if any(part is None for part in found) else found  # type: ignore[return-value]


def _part(entry: Any) -> Part | None:
    if type(entry) is ChannelWriteTupleEntry and entry.value is PASSTHROUGH:
        return entry.mapper
    if type(entry) is not ChannelWriteEntry or entry.mapper is not None or entry.channel == TASKS:
        return None
    varies = entry.value is PASSTHROUGH or entry.value is SKIP_WRITE or (entry.skip_none and entry.value is None)
    return None if varies else (entry.channel, entry.value)


def write(parts: list[Part], result: Any, config: Any) -> bool:
    """Writes what a node's result comes to; False if LangGraph has to."""
    if type(result) not in _RESULTS:
        return False
    writes: list[Any] = []
    for part in parts:
        if type(part) is tuple:
            writes.append(part)
        elif made := part(result):  # type: ignore[operator]
            writes.extend(made)
    config[CONF][CONFIG_KEY_SEND](writes)
    return True
