"""Tells from when calls began and ended how many of them a server takes at a time, and how long each had to wait for its turn."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from heapq import heapreplace
from math import log
from statistics import linear_regression, median, pstdev

from alto_langgraph.traces.model import Call, Fragment, Run

Asked = Call | Fragment
"""What is served: a call, or a fragment that makes none that was recorded."""

FEWEST, MOST = 6, 2000
"""Calls from which on a server can be judged, and of which it is."""

CLOSE = 33
"""Up to here each number of places is looked at, beyond only some."""

SURE = 6.0
"""How much likelier (the logarithm) a limit must be than none."""

STRAY = 0.01
"""Share of calls that may not have stood in the line."""

NOISE = 0.02
"""Least spread of the times of service, as share: a clock and an event loop always add some."""


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


def servers(run: Run, places: Mapping[str, int] | None = None) -> dict[str, Server]:
    """Who was asked in a run, by label: models, retrievers and tools, and nodes whose fragments ask nobody that was recorded.

    Args:
        run: The run.
        places: How many some of them serve at a time, where somebody knows.
    """
    asked: dict[str, list[Asked]] = defaultdict(list)
    for _, fragment in run.walk():
        outer = [call for call in fragment.calls if not call.inner]
        for call in outer:
            asked[call.label].append(call)
        if not outer and not fragment.runs:
            asked[fragment.node].append(fragment)
    thrown_away = [fragment for _, fragment in run.walk() if fragment.lost]
    lost: set[Asked] = {*thrown_away, *(call for fragment in thrown_away for call in fragment.calls)}
    known = places or {}
    return {label: _server(label, sorted(those, key=lambda one: one.start), lost, known.get(label)) for label, those in asked.items()}


def _server(label: str, asked: Sequence[Asked], lost: set[Asked], places: int | None) -> Server:
    if places:
        return Server(label, tuple(asked), places, _waits(asked, places, lost))
    told: dict[Asked, float] = {one: one.queued for one in asked if isinstance(one, Call) and one.queued is not None}
    if len(told) * 2 > len(asked):
        waits = {one: min(told.get(one, 0.0), one.end - one.start) for one in asked}
        crowd = _most_at_once((one.start + waits[one], one.end) for one in asked)
        return Server(label, tuple(asked), crowd if _matters(asked, waits) else None, waits)
    places = _likeliest_places(asked, lost)
    waits = _waits(asked, places, lost) if places else {}
    if not _matters(asked, waits) or not _in_line(asked, waits):
        return Server(label, tuple(asked), None, {})
    return Server(label, tuple(asked), places, waits)


def _most_at_once(intervals: Iterable[tuple[float, float]]) -> int:
    changes = sorted(change for start, end in intervals for change in ((start, 1), (end, -1)))
    now = most = 0
    for _, change in changes:
        now += change
        most = max(most, now)
    return most


def _likeliest_places(asked: Sequence[Asked], lost: set[Asked]) -> int | None:
    """With how many places it is likeliest that a server which takes calls in turn was done with these when it was; None for any number.

    For so many places, when each call's turn came follows from the ends of those before. What remains is taken for the time of its
    service, and these for log-normal.
    """
    seen = asked[:MOST]
    crowd = _most_at_once((one.start, one.end) for one in seen)
    steps = [*range(1, min(crowd, CLOSE))]
    while steps and (wider := max(steps[-1] + 1, round(steps[-1] * 1.2))) < crowd:
        steps.append(wider)
    if not steps:
        return None
    likely = {places: _likelihood(seen, places, lost) for places in steps}
    best = max(likely, key=lambda places: likely[places])
    if best >= CLOSE:
        likely |= {places: _likelihood(seen, places, lost) for places in range(round(best / 1.2), min(crowd, round(best * 1.2)))}
        best = max(likely, key=lambda places: likely[places])
    return best if likely[best] > _likelihood(seen, crowd, lost) + SURE else None


def _likelihood(asked: Sequence[Asked], places: int, lost: set[Asked]) -> float:
    """The logarithm of how likely the calls' ends are with so many places, but for a constant.

    A call that was done before its turn, or hardly after, is one of the few that didn't stand in the line.
    """
    waits = _waits(asked, places, lost)
    served = [one.end - one.start - waits[one] for one in asked if one not in lost]
    least = median(served) / 20 if served else 0.0
    logs = [log(seconds) for seconds in served if seconds > least > 0.0]
    if len(logs) < max(FEWEST, len(served) / 2):
        return float("-inf")
    longest = max(one.end - one.start for one in asked)
    return -len(logs) * log(max(pstdev(logs), NOISE)) - sum(logs) + (len(served) - len(logs)) * log(STRAY / longest)


def _waits(asked: Sequence[Asked], places: int, lost: set[Asked]) -> dict[Asked, float]:
    """How long each waited for one of so many places, first come first served; one that was cancelled in line took none."""
    free = [float("-inf")] * places
    waits: dict[Asked, float] = {}
    for one in asked:
        waits[one] = min(max(0.0, free[0] - one.start), one.end - one.start)
        if one not in lost or one.start + waits[one] < one.end:
            heapreplace(free, max(free[0], one.end))
    return waits


def _matters(asked: Sequence[Asked], waits: Mapping[Asked, float]) -> bool:
    """Whether enough of them waited long enough."""
    waiting = sum(waits[one] > 0.1 * (one.end - one.start) for one in waits)
    return len(asked) >= FEWEST and waiting >= max(2, len(asked) // 5)


def _in_line(asked: Sequence[Asked], waits: Mapping[Asked, float]) -> bool:
    """Whether those that waited longer took longer by that: else it was no line that they stood in.

    The slope of the time that each took over its wait is 1 where service doesn't depend on the wait, and 0 where nobody waited.
    """
    took = [one.end - one.start for one in asked]
    waited = [waits[one] for one in asked]
    return pstdev(waited) > 0 and linear_regression(waited, took).slope > 0.5
