"""LangGraph's loop at a cost per superstep that depends on what the superstep changes, not on how many channels the graph has."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from alto_langgraph.adapters.langgraph.checkpoints import Checkpoints, made
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

MANY = 40
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


@dataclass(frozen=True, slots=True)
class Own:
    """What a run knows of what it has changed; it doesn't refer to the run's loop, which so is freed as soon as it is over."""

    touched: Touched
    states: States
    checkpoints: Checkpoints | None

    @classmethod
    def of(cls, loop: PregelLoop) -> Own:
        touched = Touched(loop.channels)
        saves = loop.checkpointer and loop.durability != "exit"  # else none is made of the channels before the run ends
        return cls(touched, States(touched), Checkpoints(touched, loop.channels, loop.checkpointer) if saves else None)


_here = threading.local()
"""`own` is that of the loop one of whose methods runs on this thread: LangGraph's functions aren't told which loop calls them."""


def _apply_writes(*args: Any, **kwargs: Any) -> Any:
    return _here.own.touched.apply_writes(*args, **kwargs)


def _proc_input(*args: Any, **kwargs: Any) -> Any:
    return _here.own.states.proc_input(*args, **kwargs)


def _create_checkpoint(*args: Any, **kwargs: Any) -> Any:
    return _here.own.checkpoints.create_checkpoint(*args, **kwargs)


def _get_new_channel_versions(*args: Any) -> Any:
    return _here.own.checkpoints.get_new_channel_versions(*args)


def _copy_checkpoint(checkpoint: Any) -> Any:
    return _here.own.checkpoints.copy_checkpoint(checkpoint)


def _with_stand_ins() -> dict[str, Callable[..., Any]]:
    """Methods of LangGraph's loop with those in them; once for all runs, as a function that is made anew is slow at first."""
    if not _understood():
        return {}
    own: dict[str, Callable[..., Any]] = {}
    prepare = rebind(prepare_next_tasks, prepare_single_task=rebind(prepare_single_task, _proc_input=_proc_input))
    if "tick" in _CALLS:
        own["tick"] = rebind(PregelLoop.tick, prepare_next_tasks=prepare)
    else:
        own["_prepare_tasks_and_emit_checkpoint"] = rebind(PregelLoop._prepare_tasks_and_emit_checkpoint, prepare_next_tasks=prepare)
    own["after_tick"] = rebind(PregelLoop.after_tick, apply_writes=_apply_writes)
    own["_put_checkpoint"] = rebind(
        PregelLoop._put_checkpoint,
        create_checkpoint=_create_checkpoint,
        get_new_channel_versions=_get_new_channel_versions,
        copy_checkpoint=_copy_checkpoint,
    )
    return own


_METHODS = _with_stand_ins()


class Incremental(Configuring):
    """Runs LangGraph's own methods; in a graph of many channels, with stand-ins in them that know what has changed.

    They come in with the run's first superstep. What LangGraph does before it, with the input, and when the run ends, is its own.
    """

    _own: Own | None = None
    _put_few = rebind(PregelLoop._put_checkpoint, create_checkpoint=made)

    def tick(self) -> bool:
        if self._own is None and len(self.channels) >= MANY and _METHODS:
            self._own = Own.of(self)
        if self._own is None or "tick" not in _METHODS:
            return super().tick()
        return bool(self._run("tick"))

    def _prepare_tasks_and_emit_checkpoint(self) -> None:
        if self._own is None:
            super()._prepare_tasks_and_emit_checkpoint()
        else:
            self._run("_prepare_tasks_and_emit_checkpoint")

    def after_tick(self) -> None:
        if self._own is None:
            super().after_tick()
        else:
            self._run("after_tick")

    def _put_checkpoint(self, metadata: Any) -> None:
        if self._own is None or self._own.checkpoints is None:
            self._put_few(metadata)
        else:
            self._run("_put_checkpoint", metadata)

    def _run(self, method: str, *args: Any) -> Any:
        outer = getattr(_here, "own", None)  # a reducer may run another graph
        _here.own = self._own
        try:
            return _METHODS[method](self, *args)
        finally:
            _here.own = outer
