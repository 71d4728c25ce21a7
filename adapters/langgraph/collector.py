"""Keeps Python's cyclic garbage collector from looking again and again at the thousands of live objects of a wide superstep.

All that a superstep makes stays alive until it is over. Left alone, the collector visits it about once per hundred tasks made,
which at 10,000 tasks costs more than running them. So while a wide superstep is open, young objects are looked at once per so
many allocations as the superstep makes itself; how often old ones are looked at stays as it is.
"""

from __future__ import annotations

import gc
import threading

MANY = 500
"""Tasks of a superstep from which the collector's work shows."""
PER_TASK = 20
"""Objects the collector knows of that LangGraph makes for one task, about."""

_open: list[int] = []
_usual = gc.get_threshold()
_lock = threading.Lock()


def ease(tasks: int) -> None:
    """A superstep of so many tasks opens; every call wants its `relax`."""
    global _usual
    with _lock:
        if not _open:
            _usual = gc.get_threshold()
        _open.append(tasks)
        _set()


def relax(tasks: int) -> None:
    """That superstep is over."""
    with _lock:
        _open.remove(tasks)
        _set()


def _set() -> None:
    young, *old = _usual
    if young:  # else the user has switched collecting off
        gc.set_threshold(max(young, PER_TASK * max(_open, default=0)), *old)
