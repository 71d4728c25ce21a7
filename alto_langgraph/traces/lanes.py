"""Gives each fragment of a run a row, so that what comes of one fragment stands together and nothing lies on anything else."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from heapq import heappop, heappush
from typing import TypeVar

from alto_langgraph.traces.model import Fragment, Run

T = TypeVar("T")


def lanes(run: Run) -> dict[Fragment, int]:
    """Rows by fragment, from 0, the fragments of runs inside included.

    What nobody sent shares the first rows. Each `Send` has a row of its own, which what comes of it goes on in, as long as that one
    begins after its end; what doesn't gets the next row. A run inside a fragment has the rows below it.
    """
    order: dict[Fragment, int] = {}
    _place(run.fragments, order, 0)
    return order


def _place(fragments: Iterable[Fragment], order: dict[Fragment, int], first: int) -> int:
    """Gives rows from `first` on; returns the first that is still free."""
    children: dict[int, list[Fragment]] = defaultdict(list)
    trunk: list[Fragment] = []
    for fragment in sorted(fragments, key=lambda f: (f.start, f.tag)):
        if fragment.parent is not None and fragment.parent is not fragment and is_sent(fragment):
            children[id(fragment.parent)].append(fragment)
        else:
            trunk.append(fragment)
    shared = dict(share([f for f in trunk if not is_sent(f)], lambda f: (f.start, f.end), first))
    order |= shared
    free = max(shared.values(), default=first - 1) + 1
    waiting = [f for f in sorted(trunk, key=tag_order, reverse=True) if is_sent(f)]
    waiting += reversed([child for f in trunk if not is_sent(f) for child in children[id(f)]])
    for fragment in [f for f in trunk if f.runs and not is_sent(f)]:
        free = _place_inside(fragment, order, free)
    while waiting:
        at: Fragment | None = waiting.pop()
        row, free = free, free + 1
        branches: list[Fragment] = []
        while at is not None:  # along what comes of it, as far as one row goes
            order[at] = row
            free = _place_inside(at, order, free)
            following = children[id(at)]
            heir = next((child for child in following if child.start >= at.end and not child.lost), None)
            branches += [child for child in following if child is not heir]
            at = heir
        waiting += reversed(branches)
    return free


def _place_inside(fragment: Fragment, order: dict[Fragment, int], free: int) -> int:
    for run in fragment.runs:
        free = _place(run.fragments, order, free)
    return free


def share(items: Iterable[T], times: Callable[[T], tuple[float, float]], first: int) -> list[tuple[T, int]]:
    """Rows for things of which `times` tells start and end, from `first` on: each gets the one that has been free for longest."""
    ends: list[tuple[float, int]] = []
    found: list[tuple[T, int]] = []
    count = 0
    for item in sorted(items, key=times):
        start, end = times(item)
        row = heappop(ends)[1] if ends and ends[0][0] <= start else count
        count = max(count, row + 1)
        found.append((item, first + row))
        heappush(ends, (end, row))
    return found


def is_sent(fragment: Fragment) -> bool:
    """Whether a `Send` made it; what an edge triggers has a tag of one level."""
    return "/" in fragment.tag


def tag_order(fragment: Fragment) -> tuple[str | int, ...]:
    """Sorts by tag as people count: `read[2]` before `read[10]`."""
    parts = fragment.tag.replace("/", "\0/\0").replace("[", "\0").replace("]", "\0").split("\0")
    return tuple(f"{int(part):012d}" if part.isdecimal() and part.isascii() and len(part) < 12 else part for part in parts)
