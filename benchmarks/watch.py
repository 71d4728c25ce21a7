"""Notes a moment inside a run: when a model's calls start or end, by a callback such as an app's own monitoring uses."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any, Literal

from langchain_core.callbacks import AsyncCallbackHandler


@dataclass(eq=False, slots=True)
class Watch(AsyncCallbackHandler):
    """The seconds from a run's beginning to the n-th start or end of a call of the models that have this as a callback.

    Args:
        metric: Name of the moment.
        of: Which of a call's two moments are noted.
        nth: Which call, counted from 0 in the order of these moments.
    """

    metric: str
    of: Literal["start", "end"]
    nth: int = 0
    _moments: list[float] = field(default_factory=list)

    def reset(self) -> None:
        """Forgets the run before."""
        self._moments.clear()

    def seconds(self, began: float) -> float:
        """From `began`, by the performance counter, to the moment.

        Raises:
            IndexError: there were fewer calls.
        """
        return self._moments[self.nth] - began

    async def on_chat_model_start(self, *args: Any, **kwargs: Any) -> None:
        """A call starts."""
        self._note("start")

    async def on_llm_end(self, *args: Any, **kwargs: Any) -> None:
        """A call ends."""
        self._note("end")

    def _note(self, moment: str) -> None:
        if moment == self.of:
            self._moments.append(time.perf_counter())
