"""Follows a run back from its end: which fragment came last, what it had waited for, and so on to the beginning."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from itertools import accumulate
from typing import Literal

from alto_langgraph.traces.model import Fragment, Run

Why = Literal["start", "needs", "part", "superstep", "held"]
"""What let a fragment begin: the run's start; an input's end; a part of an input's answer; its superstep, which another fragment
held up; or the end of a fragment that it doesn't need, but may not pass."""

SOON = 0.005
"""Seconds: what begins so soon after something has ended began because of that; what takes so long is worth a word."""


@dataclass(frozen=True, slots=True)
class Release:
    """What a fragment waited for last.

    Args:
        why: What kind of thing.
        by: The fragment that it waited for; None at the start.
        at: When it could have begun, in seconds from the trace's start.
    """

    why: Why
    by: Fragment | None
    at: float


@dataclass(frozen=True, slots=True)
class Step:
    """A fragment on the critical path.

    Args:
        fragment: It.
        release: What it waited for last.
        waited: Seconds from then until it began.
        inside: The critical path of the last run of a graph inside it.
    """

    fragment: Fragment
    release: Release
    waited: float
    inside: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True)
class Chain:
    """The critical path, as it happened: nothing on it could have begun sooner without something else on it ending sooner.

    Args:
        steps: From the first fragment to the last.
        rest: Seconds from the last one's end to the run's.
    """

    steps: tuple[Step, ...]
    rest: float

    @property
    def seconds(self) -> float:
        """From the first step's beginning to the run's end; of fragments that overlap the time counts once."""
        return self.steps[-1].fragment.end - self.steps[0].fragment.start + self.rest if self.steps else self.rest


class Supersteps:
    """Of a run: which fragments its supersteps took, and what each of its fragments waited for."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self._ends = sorted((f for f in run.fragments if not f.lost), key=lambda f: f.end)
        self._times = [fragment.end for fragment in self._ends]
        last: dict[int, Fragment] = {fragment.step: fragment for fragment in self._ends}
        self._steps = sorted(last)
        self._last = [*accumulate((last[step] for step in self._steps), _later)]

    def before(self, step: int) -> Fragment | None:
        """The fragment that ended last of those in supersteps before."""
        at = bisect_left(self._steps, step)
        return self._last[at - 1] if at else None

    def release(self, fragment: Fragment) -> Release:
        """What a fragment waited for last."""
        found = Release("start", None, self.run.start)
        for one in fragment.inputs:
            if one.end <= fragment.start + SOON:
                found = max(found, Release("needs", one, one.end), key=lambda release: release.at)
            elif one.start <= fragment.start and found.by is None:
                found = Release("part", one, fragment.start)
        last = self.before(fragment.step) if fragment.issue == "in_order" else None
        if last is not None and last.end > found.at and last.end <= fragment.start + SOON:
            found = Release("superstep", last, last.end)
        return self._held(fragment, found)

    def _held(self, fragment: Fragment, found: Release) -> Release:
        """Whether something else ended just before it began, long after it could have begun otherwise."""
        lag = fragment.start - found.at - fragment.queued
        if lag <= SOON or found.why in ("part", "superstep"):
            return found
        issued = fragment.start - fragment.queued
        by = self.ended_before(issued)
        return Release("held", by, by.end) if by is not None and by.end > max(found.at, issued - SOON) and by is not fragment else found

    def ended_before(self, moment: float) -> Fragment | None:
        """The last fragment that had ended at a moment."""
        at = bisect_right(self._times, moment)
        return self._ends[at - 1] if at else None


def _later(one: Fragment, other: Fragment) -> Fragment:
    return other if other.end > one.end else one


def critical_chain(run: Run) -> Chain:
    """The critical path of a run."""
    known = Supersteps(run)
    at = max((f for f in run.fragments if not f.lost), key=lambda f: f.end, default=None)
    steps: list[Step] = []
    seen: set[int] = set()
    rest = run.end - (run.start if at is None else at.end)
    while at is not None and id(at) not in seen:
        seen.add(id(at))
        release = known.release(at)
        steps.append(Step(at, release, max(0.0, at.start - release.at), _inside(at)))
        at = release.by
    return Chain(tuple(reversed(steps)), max(0.0, rest))


def _inside(fragment: Fragment) -> tuple[Step, ...]:
    last = max(fragment.runs, key=lambda run: run.end, default=None)
    return critical_chain(last).steps if last is not None else ()
