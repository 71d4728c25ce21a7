"""Keeps Python's cyclic garbage collector from looking again and again at the thousands of live objects of a wide superstep."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator
from contextlib import contextmanager

MANY = 500
"""Tasks of a superstep from which the collector's work shows."""


@contextmanager
def paused(tasks: int) -> Iterator[None]:
    """No automatic collections inside the block if it makes that many tasks; nothing in it may wait.

    All it makes stays alive until the superstep is over, so there is nothing to find; left alone, the collector visits
    every task's objects about once per hundred tasks made.
    """
    if tasks < MANY or not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def pause_until_suspended(loop: asyncio.AbstractEventLoop) -> None:
    """The same, until the running coroutine next gives way to the event loop."""
    if gc.isenabled():
        gc.disable()
        loop.call_soon(gc.enable)
