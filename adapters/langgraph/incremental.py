"""LangGraph's loop at a cost per superstep that depends on what the superstep changes, not on how many channels the graph has."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from alto_langgraph.adapters.langgraph.checkpoints import Checkpoints
from alto_langgraph.adapters.langgraph.configuring import Configuring, prepare_single_task
from alto_langgraph.adapters.langgraph.seam import (
    AsyncPregelLoop,
    PregelLoop,
    SyncPregelLoop,
    prepare_next_tasks,
    rebind,
)
from alto_langgraph.adapters.langgraph.states import States
from alto_langgraph.adapters.langgraph.touched import Touched

MANY = 16
"""From this many channels on, it costs less to remember what has changed than to look at all of them."""

_CALLERS = {
    "apply_writes": ("after_tick",),
    "prepare_next_tasks": ("_prepare_tasks_and_emit_checkpoint", "tick"),
    "create_checkpoint": ("_put_checkpoint",),
    "get_new_channel_versions": ("_put_checkpoint",),
    "copy_checkpoint": ("_put_checkpoint",),
}
"""LangGraph's functions that something stands in for, and the methods of its loop one of which calls each."""


def _methods() -> dict[str, list[str]]:
    """By method of LangGraph's loop, which of those functions it calls; empty if this LangGraph is laid out differently."""
    found: dict[str, list[str]] = {}
    for function, methods in _CALLERS.items():
        callers = [method for method in methods if _calls(method, function)]
        if len(callers) != 1 or any(callers[0] in vars(loop) for loop in (SyncPregelLoop, AsyncPregelLoop)):
            return {}
        found.setdefault(callers[0], []).append(function)
    return found


def _calls(method: str, function: str) -> bool:
    code = getattr(getattr(PregelLoop, method, None), "__code__", None)
    return code is not None and function in code.co_names


_METHODS = _methods()


class Incremental(Configuring):
    """Runs LangGraph's own methods; in a graph of many channels, with stand-ins in them that know what has changed.

    They come in with the run's first superstep. What LangGraph does before it, with the input, and when the run ends, is all its own.
    """

    _own: Mapping[str, Callable[..., Any]] = {}

    def tick(self) -> bool:
        if not self._own and len(self.channels) >= MANY:
            self._own = _with_stand_ins(self)
        own = self._own.get("tick")
        return super().tick() if own is None else bool(own(self))

    def _prepare_tasks_and_emit_checkpoint(self) -> None:
        own = self._own.get("_prepare_tasks_and_emit_checkpoint")
        super()._prepare_tasks_and_emit_checkpoint() if own is None else own(self)

    def after_tick(self) -> None:
        own = self._own.get("after_tick")
        super().after_tick() if own is None else own(self)

    def _put_checkpoint(self, metadata: Any) -> None:
        own = self._own.get("_put_checkpoint")
        super()._put_checkpoint(metadata) if own is None else own(self, metadata)


def _with_stand_ins(loop: PregelLoop) -> dict[str, Callable[..., Any]]:
    """LangGraph's methods for one run. They don't refer to its loop, which so is freed as soon as it is over."""
    touched = Touched(loop.channels)
    prepare = rebind(prepare_next_tasks, prepare_single_task=rebind(prepare_single_task, _proc_input=States(touched).proc_input))
    stand_ins: dict[str, Callable[..., Any]] = {"apply_writes": touched.apply_writes, "prepare_next_tasks": prepare}
    if loop.checkpointer and loop.durability != "exit":  # else none is made of the channels before the run ends
        made = Checkpoints(touched, loop.channels, loop.checkpointer)
        stand_ins["create_checkpoint"] = made.create_checkpoint
        stand_ins["get_new_channel_versions"] = made.get_new_channel_versions
        stand_ins["copy_checkpoint"] = made.copy_checkpoint
    return {
        method: rebind(getattr(PregelLoop, method), **{name: stand_ins[name] for name in functions})
        for method, functions in _METHODS.items()
        if stand_ins.keys() >= set(functions)
    }
