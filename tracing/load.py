"""How much a run has to do: which of its nodes run, how many tasks wait, and for how long no node ran."""

from __future__ import annotations

from threading import Lock

from alto_langgraph.tracing.measuring import METERS
from alto_langgraph.tracing.running import Running


class Load:
    """What metrics say of one run's work at any time.

    Args:
        at: When the run began, in `time.perf_counter()` seconds, as are all times here.
    """

    def __init__(self, at: float) -> None:
        self._busy: set[Running] = set()
        self._idle, self._idle_since = 0.0, at
        self._lock, self._waiting = Lock(), 0

    def opened(self, waiting: int) -> None:
        """A superstep was opened, so many of whose tasks haven't begun; of earlier ones nothing waits any more."""
        self._wait(waiting - self._waiting)

    def began(self, fragment: Running, at: float) -> None:
        """A node begins to run."""
        if not self._busy:
            self._idle, self._idle_since = self._idle + at - self._idle_since, at
        self._busy.add(fragment)
        if fragment.issue == "in_order":
            self.goes_on()
        else:
            METERS.window.add(1)

    def goes_on(self) -> None:
        """A task of the open superstep waits no longer."""
        if self._waiting:
            self._wait(-1)

    def ended(self, fragment: Running, at: float) -> None:
        """A node has ended."""
        self._busy.discard(fragment)
        if not self._busy:
            self._idle_since = at

    def over(self, at: float) -> float:
        """The run is over; returns the seconds in which none of its nodes ran."""
        self._wait(-self._waiting)
        return self._idle if self._busy else self._idle + max(at - self._idle_since, 0.0)

    def _wait(self, more: int) -> None:
        with self._lock:
            self._waiting += more
        METERS.queue.add(more)
