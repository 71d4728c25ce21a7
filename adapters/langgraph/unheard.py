"""Gives a task that is run again a config of its own: nobody hears what it says, and it writes to nobody."""

from __future__ import annotations

from collections import deque
from functools import partial
from types import SimpleNamespace
from typing import Any

from langgraph.types import PregelExecutableTask

from alto_langgraph.adapters.langgraph.configuring import replaced
from alto_langgraph.adapters.langgraph.seam import (
    CONF,
    CONFIG_KEY_CALL,
    CONFIG_KEY_READ,
    CONFIG_KEY_READ_STATE,
    CONFIG_KEY_RUNTIME,
    CONFIG_KEY_SCRATCHPAD,
    CONFIG_KEY_SEND,
    CONFIG_KEY_STREAM,
)
from alto_langgraph.driver.producing import UnansweredError


def unheard(task: PregelExecutableTask, read: Any, writes: deque[tuple[str, Any]]) -> Any:
    """The config with which a task is run again.

    Args:
        task: The task.
        read: What reads the state for it; None if nothing can yet.
        writes: Where its writes go.
    """
    given = task.config[CONF]
    conf = {
        **given,
        CONFIG_KEY_SEND: writes.extend,
        CONFIG_KEY_READ: _unread if read is None else _reading(read, writes),
        CONFIG_KEY_READ_STATE: _unread,
        CONFIG_KEY_CALL: _unread,
        CONFIG_KEY_STREAM: _NEITHER,
        CONFIG_KEY_SCRATCHPAD: _NEITHER,
    }
    if (runtime := given.get(CONFIG_KEY_RUNTIME)) is not None:
        conf[CONFIG_KEY_RUNTIME] = replaced(runtime, stream_writer=_unheard)
    return {**task.config, "callbacks": None, CONF: conf}


def _reading(read: Any, writes: deque[tuple[str, Any]]) -> Any:
    """The same with other writes of its own."""
    scratchpad, channels, managed, _ = read.args
    return partial(read.func, scratchpad, channels, managed, SimpleNamespace(writes=writes))


class _Neither:
    """What `interrupt()` and graphs inside would take from the task: a replay neither pauses the run nor runs a graph of its own."""

    def __getattr__(self, name: str) -> Any:
        raise UnansweredError


_NEITHER = _Neither()


def _unheard(chunk: Any) -> None:
    """Where a replay's own events go."""


def _unread(*_: Any, **__: Any) -> Any:
    """Where the state can't be told yet."""
    raise UnansweredError
