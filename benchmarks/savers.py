"""Checkpointers that benchmarks run with, opened and closed around a measurement."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

from langgraph.checkpoint.memory import InMemorySaver

Checkpointer = Literal["memory", "sqlite"]


@contextmanager
def opened(kind: Checkpointer | None, sync: bool, runner: asyncio.Runner) -> Iterator[Any]:
    """A checkpointer, or None; sqlite's keeps a file of its own, as an app's does, and belongs to the runner's event loop."""
    if kind == "sqlite":
        with TemporaryDirectory() as folder:
            yield from _sqlite(str(Path(folder, "checkpoints.sqlite")), sync, runner)
    else:
        yield InMemorySaver() if kind else None


def forget(saver: Any, thread: str, sync: bool, runner: asyncio.Runner) -> None:
    """Drops a run's checkpoints, so that the hundredth run finds no fuller store than the first."""
    if saver is not None and sync:
        saver.delete_thread(thread)
    elif saver is not None:
        runner.run(saver.adelete_thread(thread))


def _sqlite(file: str, sync: bool, runner: asyncio.Runner) -> Iterator[Any]:
    # Most benchmarks need neither; what isn't loaded doesn't weigh on the garbage collector in a run.
    from langgraph.checkpoint.sqlite import SqliteSaver
    from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

    if sync:
        with SqliteSaver.from_conn_string(file) as saver:
            yield saver
        return
    connection = AsyncSqliteSaver.from_conn_string(file)
    try:
        yield runner.run(connection.__aenter__())
    finally:
        runner.run(connection.__aexit__(None, None, None))
