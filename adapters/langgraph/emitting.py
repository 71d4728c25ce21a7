"""Tells the stream what tasks have written, without working out what nobody listens to."""

from __future__ import annotations

from collections.abc import Collection
from functools import cached_property
from typing import Any

from langgraph.constants import TAG_HIDDEN
from langgraph.types import PregelExecutableTask

from alto_langgraph.adapters.langgraph.seam import ERROR, INTERRUPT, RETURN, PregelLoop

_OF_TASKS = frozenset({"updates", "tasks", "debug"})
"""Stream modes that show what single tasks write."""
_SPECIAL = frozenset({ERROR, INTERRUPT, RETURN})
"""Channels that LangGraph shows in ways of their own."""


class Emitting(PregelLoop):
    """A loop that maps a task's plain writes to an event of the mode `updates` in one pass, where LangGraph groups those of many tasks."""

    def output_writes(self, task_id: str, writes: Any, *, cached: bool = False) -> None:
        stream: Any = self.stream
        modes = () if stream is None else stream.modes
        if _OF_TASKS.isdisjoint(modes) and writes[0][0] != INTERRUPT:  # interrupts show in `values` too
            return
        task, event = self.tasks.get(task_id), None
        if task is not None and not cached and _OF_TASKS.intersection(modes) == {"updates"} and not isinstance(self.output_keys, str):
            event = update(task, writes, self._outputs)
        if event is None:
            super().output_writes(task_id, writes, cached=cached)
        else:
            stream((self.checkpoint_ns, "updates", event))

    @cached_property
    def _outputs(self) -> frozenset[str]:
        return frozenset(self.output_keys)


def update(task: PregelExecutableTask, writes: Any, keys: Collection[str]) -> dict[str, Any] | None:
    """What the task has written to the graph's output, under its name; None if LangGraph has to say.

    Args:
        task: The task.
        writes: All that it has written, as pairs of channel and value, in order.
        keys: Channels of the graph's output.
    """
    if not task.config or TAG_HIDDEN in task.config.get("tags", ()):
        return None
    written: dict[str, Any] = {}
    for channel, value in writes:
        if channel in _SPECIAL or channel in written:
            return None
        if channel in keys:
            written[channel] = value
    return {task.name: written or None}
