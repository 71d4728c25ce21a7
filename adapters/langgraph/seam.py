"""Every private LangGraph name that alto's loop and runner touch, with the tested range and the way back to stock.

Nothing else in alto imports these. `UNAVAILABLE` is None if all of them are there; otherwise it says what isn't, and graphs run
under stock LangGraph (DESIGN I8).
"""

from __future__ import annotations

import types
from collections.abc import Callable
from importlib.metadata import version
from typing import Any, TypeVar

from packaging.version import Version

TESTED = (Version("1.2.0"), Version("1.3"))
"""Versions of langgraph from the first (included) to the second (excluded) are tested."""

F = TypeVar("F", bound=Callable[..., Any])


def rebind(function: F, /, **names: Any) -> F:
    """A copy of `function` that sees other objects under some of its module's global names.

    So LangGraph's own code runs, line by line, with alto's parts in it, and stock graphs in the same process stay untouched.

    Raises:
        AttributeError: a name isn't one of the module's: this LangGraph is laid out differently.
    """
    missing = [name for name in names if name not in function.__globals__]
    if missing:
        raise AttributeError(f"{function.__module__} has no {', '.join(missing)}")
    scope = {**function.__globals__, **names}
    code = function.__code__.replace()  # the interpreter notes in it where it has found names, and the other finds them elsewhere
    copy = types.FunctionType(code, scope, function.__name__, function.__defaults__, function.__closure__)
    copy.__kwdefaults__ = function.__kwdefaults__
    copy.__annotations__ = function.__annotations__
    copy.__doc__, copy.__qualname__, copy.__module__ = function.__doc__, function.__qualname__, function.__module__
    return copy  # type: ignore[return-value]


def _outside_tested_range() -> str | None:
    installed = Version(version("langgraph"))
    first, beyond = TESTED
    return None if first <= installed < beyond else f"langgraph {installed} is outside the tested range {first} to {beyond}"


UNAVAILABLE: str | None = _outside_tested_range()
try:
    from langgraph._internal._config import merge_configs, patch_config
    from langgraph._internal._constants import (
        CONF,
        CONFIG_KEY_CALL,
        CONFIG_KEY_CHECKPOINT_NS,
        CONFIG_KEY_CHECKPOINTER,
        CONFIG_KEY_READ,
        CONFIG_KEY_RESUMING,
        CONFIG_KEY_RUNTIME,
        CONFIG_KEY_SCRATCHPAD,
        CONFIG_KEY_SEND,
        CONFIG_KEY_STREAM,
        CONFIG_KEY_TASK_ID,
        ERROR,
        ERROR_SOURCE_NODE,
        INTERRUPT,
        NO_WRITES,
        NS_END,
        NS_SEP,
        NULL_TASK_ID,
        PULL,
        PUSH,
        RESERVED,
        RESUME,
        RETURN,
        TASKS,
    )
    from langgraph._internal._queue import AsyncQueue, SyncQueue  # type: ignore[attr-defined]
    from langgraph._internal._runnable import RunnableSeq
    from langgraph._internal._runnable import _set_config_context as enter_config
    from langgraph._internal._typing import MISSING
    from langgraph.channels.base import BaseChannel
    from langgraph.channels.binop import BinaryOperatorAggregate
    from langgraph.channels.delta import DeltaChannel
    from langgraph.channels.ephemeral_value import EphemeralValue
    from langgraph.channels.last_value import LastValue
    from langgraph.channels.named_barrier_value import NamedBarrierValue
    from langgraph.channels.topic import Topic
    from langgraph.checkpoint.base import id as checkpoint_ids
    from langgraph.pregel import Pregel
    from langgraph.pregel._algo import _proc_input as proc_input
    from langgraph.pregel._algo import (
        apply_writes,
        checkpoint_null_version,
        prepare_next_tasks,
        prepare_push_task_send,
        prepare_single_task,
        task_path_str,
    )
    from langgraph.pregel._checkpoint import copy_checkpoint, create_checkpoint
    from langgraph.pregel._io import map_output_updates
    from langgraph.pregel._loop import AsyncPregelLoop, PregelLoop, SyncPregelLoop
    from langgraph.pregel._retry import _should_retry_on as should_retry_on
    from langgraph.pregel._retry import arun_with_retry, run_with_retry
    from langgraph.pregel._runner import FuturesDict, PregelRunner
    from langgraph.pregel._utils import get_new_channel_versions
    from langgraph.pregel._write import PASSTHROUGH, SKIP_WRITE, ChannelWrite, ChannelWriteEntry, ChannelWriteTupleEntry
    from langgraph.pregel.protocol import StreamProtocol

    NOT_APPLIED = frozenset({NO_WRITES, PUSH, RESUME, INTERRUPT, RETURN, ERROR, ERROR_SOURCE_NODE})
    """Where tasks write what isn't for a channel."""
except (ImportError, AttributeError) as error:  # pragma: no cover - only on a LangGraph laid out differently
    UNAVAILABLE = UNAVAILABLE or f"this langgraph lacks a part that alto needs ({error})"

CONFIG_KEY_READ_STATE = "__pregel_read_state"
"""Since 1.2.24, of a task that a `Send` has made: reads the state that an edge would bring."""

__all__ = [
    "CONF",
    "CONFIG_KEY_CALL",
    "CONFIG_KEY_CHECKPOINTER",
    "CONFIG_KEY_CHECKPOINT_NS",
    "CONFIG_KEY_READ",
    "CONFIG_KEY_READ_STATE",
    "CONFIG_KEY_RESUMING",
    "CONFIG_KEY_RUNTIME",
    "CONFIG_KEY_SCRATCHPAD",
    "CONFIG_KEY_SEND",
    "CONFIG_KEY_STREAM",
    "CONFIG_KEY_TASK_ID",
    "ERROR",
    "INTERRUPT",
    "MISSING",
    "NOT_APPLIED",
    "NS_END",
    "NS_SEP",
    "NULL_TASK_ID",
    "PASSTHROUGH",
    "PULL",
    "PUSH",
    "RESERVED",
    "RETURN",
    "SKIP_WRITE",
    "TASKS",
    "TESTED",
    "UNAVAILABLE",
    "AsyncPregelLoop",
    "AsyncQueue",
    "BaseChannel",
    "BinaryOperatorAggregate",
    "ChannelWrite",
    "ChannelWriteEntry",
    "ChannelWriteTupleEntry",
    "DeltaChannel",
    "EphemeralValue",
    "FuturesDict",
    "LastValue",
    "NamedBarrierValue",
    "Pregel",
    "PregelLoop",
    "PregelRunner",
    "RunnableSeq",
    "StreamProtocol",
    "SyncPregelLoop",
    "SyncQueue",
    "Topic",
    "apply_writes",
    "arun_with_retry",
    "checkpoint_ids",
    "checkpoint_null_version",
    "copy_checkpoint",
    "create_checkpoint",
    "enter_config",
    "get_new_channel_versions",
    "map_output_updates",
    "merge_configs",
    "patch_config",
    "prepare_next_tasks",
    "prepare_push_task_send",
    "prepare_single_task",
    "proc_input",
    "rebind",
    "run_with_retry",
    "should_retry_on",
    "task_path_str",
]
