"""LangGraph's own `stream` and `astream`, looking at alto's loop, runner and queues.

Imported with the first graph that is compiled, not with the face: who only imports alto doesn't wait for its engine.
"""

from __future__ import annotations

from typing import Any

from langgraph.pregel import Pregel

from alto_langgraph.adapters.langgraph import seam

stream: Any = Pregel.stream
astream: Any = Pregel.astream

if seam.UNAVAILABLE is None:
    try:
        from alto_langgraph.adapters.langgraph.loop import CommittingAsync, CommittingSync
        from alto_langgraph.adapters.langgraph.queues import HoldingAsyncQueue, HoldingSyncQueue
        from alto_langgraph.adapters.langgraph.runner import Runner

        stream = seam.rebind(Pregel.stream, SyncPregelLoop=CommittingSync, PregelRunner=Runner, SyncQueue=HoldingSyncQueue)
        astream = seam.rebind(Pregel.astream, AsyncPregelLoop=CommittingAsync, PregelRunner=Runner, AsyncQueue=HoldingAsyncQueue)
    except (ImportError, AttributeError) as error:  # pragma: no cover - only on a LangGraph laid out differently
        seam.UNAVAILABLE = f"this langgraph lacks a part that alto needs ({error})"
