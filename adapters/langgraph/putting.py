"""Takes what tasks have written without looking for what a graph hasn't got."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from alto_langgraph.adapters.langgraph.seam import PregelLoop, rebind


class _Nothing:
    """A class of which there is nothing."""


def _no_ids(specs: Any, writes: Any) -> None:
    """LangGraph's `ensure_message_ids` where there is no `DeltaChannel`, to which alone it gives ids."""


_put_writes: Any = None
if "ensure_message_ids" in PregelLoop.put_writes.__globals__:  # not in early versions, which look for less
    _put_writes = rebind(PregelLoop.put_writes, ensure_message_ids=_no_ids, DeltaChannel=_Nothing)


class Putting(PregelLoop):
    """A loop that doesn't ask each write's channel whether it is a `DeltaChannel`, nor for a task's cache key, if there is neither."""

    def put_writes(self, task_id: str, writes: Any, **how: Any) -> None:
        if self._is_usual:
            _put_writes(self, task_id, writes, **how)
        else:
            super().put_writes(task_id, writes, **how)

    @cached_property
    def _is_usual(self) -> bool:
        return _put_writes is not None and self.cache is None and getattr(self, "_delta_channel_names", None) == []
