"""Proves that a run leaves nothing: no task of the event loop, no thread, no open file or connection, no object of a run's."""

from __future__ import annotations

import asyncio
import gc
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alto_langgraph.adapters.langgraph.ahead import Ahead
from alto_langgraph.driver.early import Early
from alto_langgraph.engine.engine import Engine

FILES = Path("/proc/self/fd")
SHARED = {"alarm"}
"""Threads of the process, not of a run: they end by themselves a second after the last run."""
PATIENCE = 5.0
"""Seconds until a thread that has been told to end has ended."""
OF_RUNS = (Ahead, Early, Engine)


def tasks() -> list[str]:
    """What tasks of the running event loop do, but the one that asks."""
    return sorted(task.get_coro().__qualname__ for task in asyncio.all_tasks() if task is not asyncio.current_task())  # type: ignore[union-attr]


def files() -> list[str]:
    """What files and connections are open; nothing where the system doesn't tell."""
    found = []
    for file in FILES.iterdir() if FILES.exists() else ():
        try:
            found.append(os.readlink(file))
        except OSError:  # the one by which this list is made
            continue
    return sorted(found)


def threads() -> set[threading.Thread]:
    """Threads at work, but those of the process."""
    return {thread for thread in threading.enumerate() if thread.name not in SHARED}


def kept() -> list[object]:
    """Objects of runs that nobody has let go of, but those that the collector was told to leave alone."""
    gc.collect()
    return [found for found in gc.get_objects() if type(found) in OF_RUNS]


@contextmanager
def nothing_left(*, objects: bool = True) -> Iterator[None]:
    """What runs inside the block leaves nothing; `objects` says whether objects are looked for, too."""
    open_before, at_work = files(), threads()
    gc.freeze()  # only what is made inside is looked at: that is quick, and other tests' errors, which pytest keeps, hold runs of theirs
    try:
        yield
        end = time.monotonic() + PATIENCE
        while threads() - at_work and time.monotonic() < end:
            time.sleep(0.001)
        assert [thread.name for thread in threads() - at_work] == []
        assert files() == open_before
        if objects:
            assert kept() == []
    finally:
        gc.unfreeze()
