"""Runs that end with their process: `python -m tests.faults.dying FOLDER` leaves what is left of each in a folder of its own."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

from tests.adapters import signals as heard
from tests.adapters.signals import signals
from tests.faults.app import INPUT, Fault, built, struck_by

CONFIG: dict[str, Any] = {"configurable": {"thread_id": "t"}}
QUIET = Fault("nowhere", "raise")
MOST = 32
"""More than a run saves, counting what comes before it is saved and what comes after."""
LONGEST = 60
"""Seconds that a process may take."""


class End:
    """Kills its process at the `last`th moment at which something is saved, just before or just after."""

    def __init__(self, kill: signal.Signals, last: int) -> None:
        self.kill, self.last, self.moments = kill, last, 0

    def moment(self) -> None:
        self.moments += 1
        if self.moments == self.last:
            os.kill(os.getpid(), self.kill)


class Saving(SqliteSaver):
    """Tells when something is saved."""

    end: End | None = None

    def put(self, *args: Any) -> Any:
        return self._around(super().put, *args)

    def put_writes(self, *args: Any) -> None:
        self._around(super().put_writes, *args)

    def _around(self, save: Callable[..., Any], *args: Any) -> Any:
        if self.end:
            self.end.moment()
        saved = save(*args)
        if self.end:
            self.end.moment()
        return saved


class ASaving(AsyncSqliteSaver):
    """`Saving` for async runs."""

    end: End | None = None

    async def aput(self, *args: Any) -> Any:
        return await self._around(super().aput, *args)

    async def aput_writes(self, *args: Any) -> None:
        await self._around(super().aput_writes, *args)

    async def _around(self, save: Callable[..., Any], *args: Any) -> Any:
        if self.end:
            self.end.moment()
        saved = await save(*args)
        if self.end:
            self.end.moment()
        return saved


@dataclass(frozen=True)
class Death:
    """One process."""

    kill: signal.Signals
    sync: bool
    last: int
    side: str = "alto"

    def __str__(self) -> str:
        return f"{self.side} {'sync' if self.sync else 'async'} {self.kill.name} {self.last}"

    def run(self, folder: Path) -> None:
        with struck_by(QUIET, self.side), signals():
            if self.sync:
                with SqliteSaver.from_conn_string(str(folder / "saved")) as opened:
                    saver = Saving(opened.conn)
                    saver.end = End(self.kill, self.last)
                    built(self.side, QUIET, sync=True, saver=saver).invoke(INPUT, CONFIG)
            else:
                asyncio.run(self.arun(folder))

    async def arun(self, folder: Path) -> None:
        async with AsyncSqliteSaver.from_conn_string(str(folder / "saved")) as opened:
            saver = ASaving(opened.conn)
            saver.end = End(self.kill, self.last)
            await built(self.side, QUIET, sync=False, saver=saver).ainvoke(INPUT, CONFIG)


EVERY = {signal.SIGKILL: 1, signal.SIGTERM: 6}
"""Moments from one death to the next. What a process does by itself at SIGTERM is what it does at SIGKILL."""
DEATHS = [Death(kill, sync, last) for kill, every in EVERY.items() for sync in (False, True) for last in range(1, MOST, every)]


@contextmanager
def alone(folder: Path) -> Iterator[int | None]:
    """A process forked off, with a folder for what it says; its exit code is written there. Yields None in that process."""
    folder.mkdir()
    sys.stdout.flush()
    pid = os.fork()
    if pid:
        _, status = os.waitpid(pid, 0)
        (folder / "code").write_text(str(os.waitstatus_to_exitcode(status)))
        yield pid
        return
    for number, name in ((1, "out"), (2, "err")):
        os.dup2(os.open(folder / name, os.O_WRONLY | os.O_CREAT), number)
    signal.alarm(LONGEST)
    yield None


def die(death: Death, all: Path) -> None:
    with alone(all / str(death)) as parent:
        if parent is None:
            try:
                death.run(all / str(death))
                os._exit(0)
            except BaseException:
                traceback.print_exc()
                sys.stderr.flush()
                os._exit(1)


def prepare() -> None:
    """Reads the code of the graphs once, for all processes forked off; they have more patience, as there may be many beside them."""
    heard.PATIENCE = LONGEST / 2
    for sync in (False, True):
        _ = built("alto", QUIET, sync=sync).alto_plan


if __name__ == "__main__":
    prepare()
    for each in DEATHS:
        die(each, Path(sys.argv[1]))
