"""An event loop whose clock jumps over sleeps, so that thousands of runs take no time and always interleave the same way."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from typing import Any, TypeVar

T = TypeVar("T")


class _JumpingSelector(selectors.DefaultSelector):
    """Where the loop would wait for a timer, moves the clock there; while threads work, waits for them first."""

    jumped = 0.0
    in_threads = 0

    def select(self, timeout: float | None = None) -> Any:
        if timeout is None or timeout <= 0:
            return super().select(timeout)
        if self.in_threads:
            return super().select(min(timeout, 0.0005))
        if ready := super().select(0):
            return ready
        self.jumped += timeout
        return ready


class JumpingLoop(asyncio.SelectorEventLoop):
    """A selector event loop on a clock of its own, in seconds."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)
        self._clock_resolution = 1e-9

    def time(self) -> float:
        """Seconds slept so far."""
        return self._jumping.jumped

    def run_in_executor(self, executor: Executor | None, func: Callable[..., T], *args: Any) -> asyncio.Future[T]:  # type: ignore[override]
        """As on any loop; the clock stands still until the thread is done."""
        future = super().run_in_executor(executor, func, *args)
        self._jumping.in_threads += 1
        future.add_done_callback(self._thread_done)
        return future

    def _thread_done(self, _: object) -> None:
        self._jumping.in_threads -= 1


def run(main: Coroutine[Any, Any, T]) -> T:
    """Runs `main` to its end on a jumping clock."""
    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        return runner.run(main)
