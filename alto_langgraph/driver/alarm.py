"""Calls something a moment later from a thread, at next to no cost where it is called off before, as it mostly is."""

from __future__ import annotations

import threading
from collections.abc import Callable
from time import monotonic, sleep

_REST = 1.0
"""Seconds after which a thread with nothing to do ends."""


class Alarm:
    """One thread for any number of calls to come; it lives only while there are some.

    Setting a call wakes nobody: the thread looks every `seconds`, so a call comes after one to two times that.

    Args:
        seconds: Time until a call.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._calls: dict[Callable[[], None], float] = {}
        self._lock = threading.Lock()
        self._set = threading.Event()
        self._thread: threading.Thread | None = None

    def set(self, call: Callable[[], None]) -> None:
        """Calls `call` later, unless it is called off."""
        self._calls[call] = monotonic() + self._seconds
        if not self._set.is_set():
            self._set.set()
        if self._thread is None or not self._thread.is_alive():  # a process forked off has none
            self._begin()

    def off(self, call: Callable[[], None]) -> None:
        """Calls `call` off."""
        self._calls.pop(call, None)

    def _begin(self) -> None:
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._look, name="alarm", daemon=True)
                self._thread.start()

    def _ring(self) -> None:
        """In a frame of its own, which keeps nothing of what it has called."""
        now = monotonic()
        for call in [call for call, at in self._calls.copy().items() if at <= now]:
            if self._calls.pop(call, None) is not None:
                call()

    def _look(self) -> None:
        idle = 0
        while True:
            sleep(self._seconds)
            self._ring()
            idle = 0 if self._calls else idle + 1
            if idle > 20:
                self._set.clear()
                if not self._calls and not self._set.wait(_REST) and not self._calls:
                    self._thread = None
                    if self._calls:  # set by someone who saw this thread
                        self._begin()
                    return
                idle = 0
