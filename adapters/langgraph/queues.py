"""LangGraph's stream queues, holding what early runs say until their superstep."""

from __future__ import annotations

from typing import Any

from alto_langgraph.adapters.langgraph.seam import AsyncQueue, SyncQueue
from alto_langgraph.driver.early import CURRENT, Early


class _Holding:
    """Asks the early run that speaks, and those it runs inside of, whether an event may go out.

    A queue made inside an early run belongs to a subgraph of it, which needs its own events at once; so a run holds only what
    leaves it.
    """

    def __init__(self) -> None:
        super().__init__()
        self._inside = CURRENT.get()

    def deliver(self, item: Any, outer: Early | None) -> None:
        """Takes an event said by code running in `outer`."""
        while outer is not None and outer is not self._inside:
            if outer.hold(self, item):
                return
            if outer.rename is not None:
                item = outer.rename(item)
            outer = outer.outer
        self._accept(item)

    def _accept(self, item: Any) -> None:
        raise NotImplementedError


class HoldingAsyncQueue(_Holding, AsyncQueue):  # type: ignore[misc]
    """For `astream`."""

    def put_nowait(self, item: Any) -> None:
        if (early := CURRENT.get()) is None:
            super().put_nowait(item)
        else:
            self.deliver(item, early)

    def _accept(self, item: Any) -> None:
        AsyncQueue.put_nowait(self, item)


class HoldingSyncQueue(_Holding, SyncQueue):  # type: ignore[misc]
    """For `stream`."""

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
        if (early := CURRENT.get()) is None:
            super().put(item)
        else:
            self.deliver(item, early)

    def _accept(self, item: Any) -> None:
        SyncQueue.put(self, item)
