"""Tells when a superstep takes a while: at once if its nodes are known to, never if they are known not to."""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from functools import partial
from time import monotonic, process_time
from typing import Any

from alto_langgraph.driver.tempo import Tempo

PATIENCE = 4
"""Most times that an alarm is set again in one superstep."""
BUSY = 0.5
"""Share of the time, until an alarm, from which on the process is busy: what it waits for then may well be itself."""


class Watch:
    """Watches one run's supersteps, one after another.

    Args:
        tempo: What is known of the nodes; learns.
        alarm: Has something called when a while has passed; returns what calls it off.
        soon: Has something called as soon as the superstep's tasks have begun.
        lock: Held while `call` is called, and while what it looks at changes.
        call: Called once per superstep that takes a while.
        seconds: What a while is.
        grace: Seconds by which an alarm may come late. One that comes later still, or after a time in which the process was at work
            itself, tells of a busy event loop or machine, not of the nodes, and is set again a few times.

    `passed` says whether the open superstep is known to take a while.
    """

    def __init__(
        self,
        tempo: Tempo,
        *,
        alarm: Callable[[Callable[[], None]], Callable[[], object]],
        soon: Callable[[Callable[[], None]], object],
        lock: AbstractContextManager[object],
        call: Callable[[], None],
        seconds: float,
        grace: float,
    ) -> None:
        self.passed = False
        self._seconds, self._grace = seconds, grace
        self._patience, self._armed, self._worked = 0, 0.0, 0.0
        self._tempo, self._alarm, self._soon, self._lock, self._call = tempo, alarm, soon, lock, call
        self._round = 0
        self._nodes: Collection[str] = ()
        self._names: tuple[str, ...] = ()
        self._since = 0.0
        self._call_off: Callable[[], object] | None = None

    def open(self, nodes: Collection[str]) -> None:
        """A superstep opens in which tasks of `nodes` are unfinished; the collection may shrink as they finish."""
        self._nodes, self._names, self._since = nodes, tuple(nodes), monotonic()
        self._patience = PATIENCE
        if self._tempo.slow(nodes):
            self._soon(partial(self._ring, self._round, seen=False))
        elif not self._tempo.quick(nodes):
            self._arm(self._since)

    def close(self) -> None:
        """The superstep is over: nothing is called any more. What it told is remembered."""
        names = self._forget()
        if names and monotonic() < self._since + self._seconds:
            self._tempo.was_quick(names)
        elif names and not self.passed:
            self._tempo.surprised(names)
        self.passed = False

    def stop(self) -> None:
        """The run is over: lets go of it."""
        self._forget()
        self._alarm = self._soon = self._call = _nothing

    def _forget(self) -> tuple[str, ...]:
        self._round += 1
        call_off, self._call_off = self._call_off, None
        if call_off is not None:
            call_off()
        names, self._names, self._nodes = self._names, (), ()
        return names

    def _ring(self, round: int, *, seen: bool = True) -> None:
        with self._lock:
            if round != self._round or self._put_off(seen):
                return
            self.passed = True
            if seen:
                self._tempo.was_slow(self._nodes)
            self._call()

    def _arm(self, now: float) -> None:
        self._armed, self._worked = now, process_time()
        self._call_off = self._alarm(partial(self._ring, self._round))

    def _put_off(self, seen: bool) -> bool:
        """Whether the process is so busy that nothing is known of the nodes, and the alarm is set again."""
        now = monotonic()
        if not self._patience or not (self._was_busy(now) if seen else now > self._since + self._seconds):
            return False
        self._patience -= 1
        self._arm(now)
        return True

    def _was_busy(self, now: float) -> bool:
        waited = now - self._armed
        return waited > self._seconds + self._grace or process_time() - self._worked > BUSY * waited


def _nothing(*call: object) -> Any:
    """In place of what is over."""
