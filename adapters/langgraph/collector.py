"""Keeps Python's cyclic garbage collector from looking again and again at thousands of objects that are all still needed.

All that a superstep makes stays alive until it is over. Left alone, the collector visits it about once per hundred tasks made,
which at 10,000 tasks costs more than running them. So while a wide superstep is open, young objects are looked at once per so
many allocations as the superstep makes itself; how often old ones are looked at stays as it is. So it is while a graph's code is read.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

VERY_WIDE = 500
"""Tasks of a superstep from which the collector's work shows."""
PER_TASK = 20
"""Objects the collector knows of that LangGraph makes for one task, about."""
PER_NODE = 100
"""Objects the collector knows of that reading one node's code makes at least."""

_open: list[int] = []
_usual = gc.get_threshold()
_lock = threading.Lock()


def ease(objects: int) -> None:
    """So many objects are about to be made, and needed together; every call wants its `relax`."""
    global _usual
    with _lock:
        if not _open:
            _usual = gc.get_threshold()
        _open.append(objects)
        _set()


def relax(objects: int) -> None:
    """They aren't needed any more."""
    with _lock:
        _open.remove(objects)
        _set()


@contextmanager
def eased(objects: int) -> Iterator[None]:
    """Inside, so many objects are made that are needed together."""
    ease(objects)
    try:
        yield
    finally:
        relax(objects)


def _set() -> None:
    young, *old = _usual
    if young:  # else the user has switched collecting off
        gc.set_threshold(max([young, *_open]), *old)
