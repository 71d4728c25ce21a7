"""How much is gathered, and for how long."""

from __future__ import annotations

import os
from dataclasses import dataclass

from alto_langgraph.exceptions import OptionsError


@dataclass(frozen=True, slots=True)
class Batching:
    """When a batch goes.

    What is asked while fewer than `calls` are under way goes at once. What is asked then is gathered until one of them has ended,
    until the first of it has waited for `patience`, or until there is a batch of `size`.

    Args:
        size: Most texts or queries of a batch, at least 1; 1 puts nothing together.
        patience: Seconds, at least 0.
        calls: Calls that may be under way before anything is gathered, at least 1.

    Raises:
        OptionsError: a value is out of its range.
    """

    size: int = 128
    patience: float = 0.005
    calls: int = 1

    def __post_init__(self) -> None:
        if self.size < 1 or self.calls < 1 or not self.patience >= 0:
            raise OptionsError(f"Batching takes a size and calls of at least 1 and a patience of at least 0 seconds, not {self}.")


def cores() -> int:
    """Processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
