"""LangGraph's stream queues, holding what early runs say until their superstep."""

from __future__ import annotations

import queue
import threading
from collections import deque
from typing import Any

from alto_langgraph.adapters.langgraph.seam import AsyncQueue, SyncQueue
from alto_langgraph.adapters.langgraph.told import AT_ONCE
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
        while outer is not None and outer is not self._inside and item[1] not in AT_ONCE:
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


class _Count:
    """Stands where `SyncQueue` counts its items for a thread that waits for one; most runs have none, so it counts nothing."""

    def __init__(self, items: deque[Any]) -> None:
        self._items, self._released = items, False
        self.waiting: threading.Condition | None = None

    def release(self) -> None:
        """Lets a waiting thread go, though there is nothing for it: the run is over."""
        self._released = True
        if self.waiting is not None:
            with self.waiting:
                self.waiting.notify_all()

    def wait(self, blocking: bool = True, timeout: float | None = None) -> bool:
        """Waits until there is an item, without taking it; False if there is none."""
        self.waiting = self.waiting or threading.Condition()
        with self.waiting:
            if not blocking:
                return bool(self._items) or self._released
            return self.waiting.wait_for(lambda: bool(self._items) or self._released, timeout)


class HoldingSyncQueue(_Holding, SyncQueue):  # type: ignore[misc]
    """For `stream`."""

    def __init__(self) -> None:
        self._inside = CURRENT.get()
        self._queue: deque[Any] = deque()
        self._count = _Count(self._queue)

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
        if (early := CURRENT.get()) is None:
            self._accept(item)
        else:
            self.deliver(item, early)

    def get(self, block: bool = False, timeout: float | None = None) -> Any:
        if block:
            self._count.wait(True, timeout)
        try:
            return self._queue.popleft()
        except IndexError:
            raise queue.Empty from None

    def _accept(self, item: Any) -> None:
        self._queue.append(item)
        if (waiting := self._count.waiting) is not None:
            with waiting:
                waiting.notify_all()
