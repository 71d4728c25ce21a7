"""Makes the config of a task in one pass over the run's; LangGraph's own way where something in it isn't of a known kind."""

from __future__ import annotations

from collections import ChainMap
from dataclasses import fields, replace
from functools import lru_cache
from operator import attrgetter
from types import MemberDescriptorType
from typing import Any
from uuid import UUID

from langchain_core.callbacks.manager import AsyncCallbackManager, CallbackManager
from langgraph.runtime import Runtime

from alto_langgraph.adapters.langgraph import seam
from alto_langgraph.adapters.langgraph.seam import CONF, PregelLoop, merge_configs, rebind

_PLAIN = {bool, bytes, dict, float, int, list, str, tuple, type(None), UUID}
"""Types of values of metadata that LangGraph takes over as they are, but for a dict, of which it takes a copy."""
_COPIED = (list, CallbackManager, AsyncCallbackManager)
_OF_A_TASK = {"metadata", "tags"}
_NESTED = "lc_versions"
"""The one key of metadata whose mappings LangGraph merges."""


def merged(run: Any, task: Any) -> Any:
    """`merge_configs(run, task)`: the run's config with what is known of the task."""
    callbacks = run.get("callbacks")
    known = task.keys() == _OF_A_TASK and (not callbacks or type(callbacks) in _COPIED)
    metadata = _united(run.get("metadata") or {}, task["metadata"]) if known else None
    if metadata is None:
        return merge_configs(run, task)
    config = {key: value for key, value in run.items() if value}
    if (limit := config.get("recursion_limit")) and not _is_chosen(limit):
        del config["recursion_limit"]
    if callbacks:
        config["callbacks"] = callbacks.copy()
    config["metadata"] = metadata
    if tags := task["tags"]:
        config["tags"] = [*config["tags"], *tags] if "tags" in config else tags
    config.setdefault(CONF, {})
    return config


def _united(run: Any, task: Any) -> dict[str, Any] | None:
    """The metadata of both; None if a value isn't of a known kind."""
    if type(run) is ChainMap:  # as LangGraph makes it of what is configured, a `thread_id` say
        run = _flat(run)
    if type(run) is not dict or type(task) is not dict or (_NESTED in run and _NESTED in task):
        return None
    both = {**run, **task}
    kinds = {*map(type, both.values())}
    if not kinds <= _PLAIN:
        return None
    return {key: value.copy() if type(value) is dict else value for key, value in both.items()} if dict in kinds else both


def _flat(chain: ChainMap[str, Any]) -> dict[str, Any] | None:
    """The same keys in the same order; None if there is more to it than dicts."""
    flat: dict[str, Any] = {}
    for part in reversed(chain.maps):
        if type(part) is not dict:
            return None
        flat.update(part)
    return flat


@lru_cache(typed=True)
def _is_chosen(limit: Any) -> bool:
    """Whether LangGraph takes a recursion limit for more than its default."""
    return "recursion_limit" in merge_configs({"recursion_limit": limit})


class _Fields:
    """How to read and fill in the fields of a dataclass that has a slot for each, and nothing to do when it is made."""

    def __init__(self, cls: type) -> None:
        names = [field.name for field in fields(cls)]
        slots = [vars(cls).get(name) for name in names]
        self.known = not hasattr(cls, "__post_init__") and all(type(slot) is MemberDescriptorType for slot in slots)
        if self.known:
            self.read = attrgetter(*names)
            self.put = {name: slot.__set__ for name, slot in zip(names, slots, strict=True)}  # type: ignore[union-attr]
            self.put_all = (*self.put.values(),)


_fields: dict[type, _Fields] = {}


def replaced(value: Any, **changes: Any) -> Any:
    """`dataclasses.replace`, without setting each field of a frozen object by name: that is most of what it costs."""
    cls = type(value)
    if (known := _fields.get(cls)) is None:
        known = _fields[cls] = _Fields(cls)
    if not known.known:
        return replace(value, **changes)
    copy = object.__new__(cls)
    for put, part in zip(known.put_all, known.read(value)):  # noqa: B905
        put(copy, part)
    try:
        for name, part in changes.items():
            known.put[name](copy, part)
    except KeyError:
        return replace(value, **changes)
    return copy


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
