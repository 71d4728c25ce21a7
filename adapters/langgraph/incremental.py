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

_CALLS = {
    "after_tick": {"apply_writes"},
    "_put_checkpoint": {"create_checkpoint", "get_new_channel_versions", "copy_checkpoint"},
    "_prepare_tasks_and_emit_checkpoint" if hasattr(PregelLoop, "_prepare_tasks_and_emit_checkpoint") else "tick": {"prepare_next_tasks"},
}
"""By method of LangGraph's loop, which of LangGraph's functions that something stands in for it calls."""


def _understood() -> bool:
    """Whether this LangGraph is laid out so."""
    for method, functions in _CALLS.items():
        code = getattr(getattr(PregelLoop, method, None), "__code__", None)
        if code is None or not functions <= set(code.co_names) or any(method in vars(loop) for loop in (SyncPregelLoop, AsyncPregelLoop)):
            return False
    return True


_UNDERSTOOD = _understood()


class Incremental(Configuring):
    """Runs LangGraph's own methods; in a graph of many channels, with stand-ins in them that know what has changed.

    They come in with the run's first superstep. What LangGraph does before it, with the input, and when the run ends, is all its own.
    """

    _own: Mapping[str, Callable[..., Any]] = {}

    def tick(self) -> bool:
        if not self._own and len(self.channels) >= MANY and _UNDERSTOOD:
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
    own: dict[str, Callable[..., Any]] = {"after_tick": rebind(PregelLoop.after_tick, apply_writes=touched.apply_writes)}
    if "tick" in _CALLS:
        own["tick"] = rebind(PregelLoop.tick, prepare_next_tasks=prepare)
    else:
        own["_prepare_tasks_and_emit_checkpoint"] = rebind(PregelLoop._prepare_tasks_and_emit_checkpoint, prepare_next_tasks=prepare)
    if loop.checkpointer and loop.durability != "exit":  # else none is made of the channels before the run ends
        made = Checkpoints(touched, loop.channels, loop.checkpointer)
        own["_put_checkpoint"] = rebind(
            PregelLoop._put_checkpoint,
            create_checkpoint=made.create_checkpoint,
            get_new_channel_versions=made.get_new_channel_versions,
            copy_checkpoint=made.copy_checkpoint,
        )
    return own
