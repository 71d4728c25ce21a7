"""Tells from when calls began and ended how many of them a server takes at a time, and how long each had to wait for its turn."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from heapq import heapify, heapreplace
from statistics import median

from alto_langgraph.traces.model import Call, Fragment, Run

Asked = Call | Fragment
"""What is served: a call, or a fragment that makes none that was recorded."""

MILLISECOND = 0.001

FEWEST = 6
"""Calls from which on a server can be judged."""


@dataclass(frozen=True)
class Server:
    """Somebody who is asked by many.

    Args:
        label: What was asked whom (`chat gpt-4o`), or the node whose own work it is.
        asked: Everything it served, in order of its start.
        places: How many it serves at a time; None if there is no sign of a limit.
        waits: Seconds for which each had to wait for its turn.
    """

    label: str
    asked: tuple[Asked, ...]
    places: int | None
    waits: Mapping[Asked, float]


def servers(run: Run) -> dict[str, Server]:
    """Who was asked in a run, by label: models, retrievers and tools, and nodes whose fragments ask nobody that was recorded."""
    asked: dict[str, list[Asked]] = defaultdict(list)
    for _, fragment in run.walk():
        outer = [call for call in fragment.calls if not call.inner]
        for call in outer:
            asked[call.label].append(call)
        if not outer and not fragment.runs:
            asked[fragment.node].append(fragment)
    thrown_away = [fragment for _, fragment in run.walk() if fragment.lost]
    lost: set[Asked] = {*thrown_away, *(call for fragment in thrown_away for call in fragment.calls)}
    return {label: _server(label, sorted(those, key=lambda one: (one.start, one.end)), lost) for label, those in asked.items()}


def _server(label: str, asked: Sequence[Asked], lost: set[Asked]) -> Server:
    told: dict[Asked, float] = {one: one.queued for one in asked if isinstance(one, Call) and one.queued is not None}
    if len(told) * 2 > len(asked):
        waits = {one: min(told.get(one, 0.0), one.end - one.start) for one in asked}
        crowd = _most_at_once((one.start + waits[one], one.end) for one in asked)
        return Server(label, tuple(asked), crowd if _matters(asked, waits) else None, waits)
    places = _fewest_places(asked, lost)
    waits = _waits(asked, places, lost) or {}
    if not _matters(asked, waits) or not _alike(asked, waits):
        return Server(label, tuple(asked), None, {})
    return Server(label, tuple(asked), places, waits)


def _most_at_once(intervals: Iterable[tuple[float, float]]) -> int:
    changes = sorted(change for start, end in intervals for change in ((start, 1), (end, -1)))
    now = most = 0
    for _, change in changes:
        now += change
        most = max(most, now)
    return most


def _fewest_places(asked: Sequence[Asked], lost: set[Asked]) -> int:
    """The fewest places with which a server that takes them in turn could have answered so.

    With one place too few something would have been answered before its turn: whoever is the next to be done after it began waits,
    by that reckoning, for its own end.
    """
    low, high = 1, max(1, _most_at_once((one.start, one.end) for one in asked))
    while low < high:
        middle = (low + high) // 2
        if _waits(asked, middle, lost) is None:
            low = middle + 1
        else:
            high = middle
    return low


def _waits(asked: Sequence[Asked], places: int, lost: set[Asked]) -> dict[Asked, float] | None:
    """How long each waited for one of so many places, first come first served; None if they can't have been so few."""
    free = [float("-inf")] * places
    heapify(free)
    waits: dict[Asked, float] = {}
    early = 0
    for one in asked:
        waits[one] = max(0.0, free[0] - one.start)
        if one.end - one.start - waits[one] > min(MILLISECOND, 0.1 * (one.end - one.start)):
            heapreplace(free, one.end)
        elif one in lost:
            waits[one] = one.end - one.start  # it was cancelled before its turn
        else:
            early += 1
            heapreplace(free, max(free[0], one.end))
    return waits if early * 50 <= len(asked) else None


def _matters(asked: Sequence[Asked], waits: Mapping[Asked, float]) -> bool:
    """Whether enough of them waited long enough."""
    waiting = sum(waits[one] > 0.1 * (one.end - one.start) for one in waits)
    return len(asked) >= FEWEST and waiting >= max(2, len(asked) // 5)


def _alike(asked: Sequence[Asked], waits: Mapping[Asked, float]) -> bool:
    """Whether those that waited were then served in about the time of those that didn't: else it was no line that they stood in."""
    served = {True: [0.0], False: [0.0]}
    for one in asked:
        served[waits[one] > MILLISECOND].append(one.end - one.start - waits[one])
    after, at_once = (median(served[waited][1:] or [0.0]) for waited in (True, False))
    return 0.4 * at_once <= after <= 2.5 * at_once
