"""Tells how many fragments of a run may be at work at a time, by `max_concurrency` or for want of threads."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping

from alto_langgraph.traces.chain import SOON
from alto_langgraph.traces.model import Fragment, Run

FEWEST = 3
"""Fragments that must have waited for a thread before one speaks of a limit, and a fifth of all."""


class Places:
    """The places of one run.

    Args:
        run: The run.
    """

    number: int | None
    """How many there are; None for any number."""
    waits: Mapping[Fragment, float]
    """Seconds for which fragments waited until another one was done."""

    def __init__(self, run: Run) -> None:
        self._limited = bool(run.max_concurrency)
        ends = sorted(f.end for f in run.fragments)
        waits = {f: f.queued for f in run.fragments if f.queued > 0 and self.takes(f) and _one_ended_while_it_waited(f, ends)}
        self.number = run.max_concurrency or _threads(run, waits)
        self.waits = waits if self.number else {}
        self.label = f"{'max_concurrency' if self._limited else 'threads'} of {run.graph or 'the run'}"

    def takes(self, fragment: Fragment) -> bool:
        """Whether a fragment takes one: for want of threads those in order alone, as early ones have threads of their own."""
        return self._limited or fragment.issue == "in_order"

    @property
    def matter(self) -> bool:
        """Whether anything waited for one."""
        return any(wait > SOON for wait in self.waits.values())

    def remedy(self) -> str:
        """What gives twice as many."""
        now = f"{self.number}" if self._limited else f"the {self.number} threads that there are without"
        return f"Set `max_concurrency` to {2 * (self.number or 1)} instead of {now}"


def _one_ended_while_it_waited(fragment: Fragment, ends: list[float]) -> bool:
    at = bisect_right(ends, fragment.start)
    return at > 0 and ends[at - 1] > fragment.start - fragment.queued


def _threads(run: Run, waits: Mapping[Fragment, float]) -> int | None:
    """How many threads there are, if fragments waited for one: then as many are at work whenever another one begins."""
    taking = [f for f in run.fragments if f.issue == "in_order"]
    waited = [f for f, wait in waits.items() if wait > SOON]
    if len(waited) < max(FEWEST, len(taking) / 5):
        return None
    starts, ends = sorted(f.start for f in taking), sorted(f.end for f in taking)

    def at_work(moment: float) -> int:
        return bisect_right(starts, moment) - bisect_right(ends, moment)

    most = max(at_work(f.start) for f in taking)
    full = sum(at_work(f.start) == most for f in waited)
    return most if full >= 0.8 * len(waited) else None
