"""Makes the config of a task in one pass over the run's; LangGraph's own way where something in it isn't of a known kind."""

from __future__ import annotations

from dataclasses import fields
from functools import lru_cache
from operator import attrgetter
from typing import Any
from uuid import UUID

from langchain_core.callbacks.manager import AsyncCallbackManager, CallbackManager
from langgraph.runtime import Runtime

from alto_langgraph.adapters.langgraph import seam
from alto_langgraph.adapters.langgraph.seam import CONF, PregelLoop, merge_configs, rebind

_PLAIN = {bool, bytes, float, int, list, str, tuple, type(None), UUID}
"""Types of values of metadata that LangGraph doesn't copy, as it does mappings."""
_COPIED = (list, CallbackManager, AsyncCallbackManager)
_OF_A_TASK = {"metadata", "tags"}


def merged(run: Any, task: Any) -> Any:
    """`merge_configs(run, task)`: the run's config with what is known of the task."""
    metadata, callbacks = run.get("metadata"), run.get("callbacks")
    known = task.keys() == _OF_A_TASK and (not callbacks or type(callbacks) in _COPIED) and (not metadata or _is_plain(metadata))
    if not known or not _is_plain(task["metadata"]):
        return merge_configs(run, task)
    config = {key: value for key, value in run.items() if value}
    if (limit := config.get("recursion_limit")) and not _is_chosen(limit):
        del config["recursion_limit"]
    if callbacks:
        config["callbacks"] = callbacks.copy()
    config["metadata"] = {**config.get("metadata", {}), **task["metadata"]}
    if tags := task["tags"]:
        config["tags"] = [*config["tags"], *tags] if "tags" in config else tags
    config.setdefault(CONF, {})
    return config


def _is_plain(metadata: Any) -> bool:
    return type(metadata) is dict and _PLAIN.issuperset(map(type, metadata.values()))


@lru_cache(typed=True)
def _is_chosen(limit: Any) -> bool:
    """Whether LangGraph takes a recursion limit for more than its default."""
    return "recursion_limit" in merge_configs({"recursion_limit": limit})


_fields: dict[type, tuple[tuple[str, ...], attrgetter[Any]]] = {}


def replaced(value: Any, **changes: Any) -> Any:
    """`dataclasses.replace`, without looking at each field again for every task."""
    cls = type(value)
    if cls not in _fields:
        names = tuple(field.name for field in fields(cls))
        _fields[cls] = (names, attrgetter(*names))
    names, read = _fields[cls]
    return cls(**dict(zip(names, read(value), strict=True)) | changes)


class _Overridable:
    """The run's runtime, of which each task gets a copy with changes."""

    def __init__(self, runtime: Any) -> None:
        self._runtime = runtime

    def override(self, **changes: Any) -> Any:
        return replaced(self._runtime, **changes)


def _cast(kind: Any, value: Any) -> Any:
    """`typing.cast`, which LangGraph says where it takes up the runtime."""
    return _Overridable(value) if kind is Runtime and type(value) is Runtime else value


prepare_single_task = rebind(
    seam.prepare_single_task,
    merge_configs=merged,
    cast=_cast,
    prepare_push_task_send=rebind(seam.prepare_push_task_send, merge_configs=merged, cast=_cast),
)


class Configuring(PregelLoop):
    """A loop whose tasks get their configs so."""

    if hasattr(PregelLoop, "_prepare_tasks_and_emit_checkpoint"):
        _prepare_tasks_and_emit_checkpoint = rebind(
            PregelLoop._prepare_tasks_and_emit_checkpoint,
            prepare_next_tasks=rebind(seam.prepare_next_tasks, prepare_single_task=prepare_single_task),
        )
    else:  # langgraph 1.2.0
        tick = rebind(PregelLoop.tick, prepare_next_tasks=rebind(seam.prepare_next_tasks, prepare_single_task=prepare_single_task))
