"""How long the garbage collector has taken: that isn't the doing of the code in which it happens to start."""

from __future__ import annotations

import gc
from time import thread_time
from typing import Any


class Collecting:
    """Counts processor seconds, once it is asked to."""

    def __init__(self) -> None:
        self.seconds, self._since = 0.0, 0.0

    def watch(self) -> None:
        """From now on it counts."""
        if self._note not in gc.callbacks:
            gc.callbacks.append(self._note)

    def _note(self, phase: str, info: Any) -> None:
        now = thread_time()
        if phase == "start":
            self._since = now
        else:
            self.seconds += max(now - self._since, 0.0)


COLLECTING = Collecting()
