"""Plays recorded work again, with something changed: what takes its time takes it again, what waited waits as the change has it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from statistics import median

from alto_langgraph.traces.chain import SOON, Release, Supersteps
from alto_langgraph.traces.model import Call, Fragment, Run
from alto_langgraph.traces.places import Places
from alto_langgraph.traces.playing import Change, Piece, play
from alto_langgraph.traces.servers import Server


class Replay:
    """A recorded run, to be played again.

    Args:
        run: As it was recorded.
        served: Who was asked in it.
    """

    def __init__(self, run: Run, served: Mapping[str, Server]) -> None:
        self.run, self.served, self.places = run, served, Places(run)
        self.waits = {asked: wait for server in served.values() for asked, wait in server.waits.items()}
        self.steps: dict[int, Supersteps] = {}
        self.releases: dict[Fragment, Release] = {}
        for one in runs_of(run):
            known = self.steps[id(one)] = Supersteps(one)
            self.releases |= {fragment: known.release(fragment) for fragment in one.fragments}
        self.together = {f: side_by_side(f) for _, f in run.walk()}
        ahead = {f.node for _, f in run.walk() if f.ahead}
        self.kept_back = {f.node for _, f in run.walk() if f.kept_back} - ahead
        lags = [f.start - f.queued - release.at for f, release in self.releases.items() if release.why == "needs"]
        self.usual_lag = max(0.0, median(lags)) if lags else 0.0
        """Seconds between what a fragment needs and its beginning, where it waits for nothing else."""
        self.as_it_was = self.seconds(Change())

    def after(self, change: Change) -> float:
        """Seconds that the run would take with this change: what was measured, less what the change saves in the replay."""
        return max(0.0, self.run.seconds - (self.as_it_was - self.seconds(change)))

    def seconds(self, change: Change) -> float:
        """Seconds that the replay takes."""
        made = _Pieces(self, change)
        ends = made.whole(self.run)
        over = play(made.pieces, made.places)
        last = max((f.end for f in self.run.fragments if not f.lost), default=self.run.start)
        return max((over[number] for number in ends), default=0.0) + max(0.0, self.run.end - last)


class _Pieces:
    """The pieces of a run under a change."""

    def __init__(self, replay: Replay, change: Change) -> None:
        self.replay, self.change = replay, change
        self.pieces: list[Piece] = []
        known = {label: server.places for label, server in replay.served.items() if server.places}
        if replay.places.number:
            known[replay.places.label] = replay.places.number
        self.places = {label: places for label, places in {**known, **change.places}.items() if places}

    def add(self, seconds: float, needs: Sequence[int], server: str = "", *, takes: bool = True, gives: bool = True) -> int:
        """Adds a piece and returns its number; where there is nothing to do, that of the one it needs."""
        server = server if server in self.places else ""
        if seconds <= 0.0 and len(needs) == 1 and not server:
            return needs[0]
        self.pieces.append(Piece(max(0.0, seconds), needs, server if takes else "", server if gives else ""))
        return len(self.pieces) - 1

    def whole(self, run: Run, needs: Sequence[int] = ()) -> list[int]:
        """Adds a run that begins after `needs`; returns the ends of the fragments that it waits for."""
        return _OfRun(self, run, needs).ends()


def runs_of(run: Run) -> list[Run]:
    """A run and all runs inside it."""
    found = {id(inner): inner for _, f in run.walk() for inner in f.runs}
    return [run, *found.values()]


class _OfRun:
    """One run's pieces. Everything is added in order of its recorded start, so what it needs is there already."""

    def __init__(self, pieces: _Pieces, run: Run, needs: Sequence[int]) -> None:
        self.all, self.run = pieces, run
        self.steps = pieces.replay.steps[id(run)]
        self.start = pieces.add(0.0, needs)
        self.begun: dict[Fragment, int] = {}
        self.over: dict[Fragment, int] = {}
        self.of_step: dict[int, list[int]] = defaultdict(list)
        self.opened: dict[int, int] = {}
        self.places = pieces.replay.places if run is pieces.replay.run else None  # each run inside has places of its own

    def ends(self) -> list[int]:
        for fragment in sorted(self.run.fragments, key=lambda f: (f.start, f.step, f.end)):
            self._add(fragment)
        return [number for fragment, number in self.over.items() if not fragment.lost] or [self.start]

    def _add(self, f: Fragment) -> None:
        needs, ready = self._needs(f)
        place = self.places.label if self.places is not None and self.places.takes(f) else ""
        lag = f.start - ready - (self.places.waits.get(f, 0.0) if self.places is not None else 0.0)  # that wait comes about anew
        after = self.all.add(min(lag, self.all.replay.usual_lag) if f.node in self.all.change.free else lag, needs)
        self.begun[f] = self.all.add(0.0, [after], place, gives=False)
        last = self._work(f, self.begun[f])
        self.over[f] = self.all.add(0.0, [last], place, takes=False)
        if not f.lost:
            self.of_step[f.step].append(self.over[f])

    def _needs(self, f: Fragment) -> tuple[list[int], float]:
        """The pieces that a fragment waits for under the change, and since when it could have begun as it was."""
        change, release = self.all.change, self.all.replay.releases[f]
        needs, ready = [self.start], self.run.start
        for one in _inputs(f, change):
            if one not in self.over:
                continue
            if one.end <= f.start + SOON:
                needs.append(self.over[one])
            else:  # it began on a part of what that one was answered
                needs.append(self.all.add(f.start - one.start, [self.begun[one]]))
        ready = max([ready, *(min(one.end, f.start) for one in f.inputs if one in self.over)])
        fenced = f.issue == "in_order" and f.node in self.all.replay.kept_back
        last = self.steps.before(f.step)
        if fenced:
            ready = max(ready, min(last.end, f.start) if last is not None else ready)
        elif release.why in ("superstep", "held"):
            ready = max(ready, release.at)
        if f.node not in change.free:
            if fenced:
                needs.append(self._opening(f.step))
            elif release.why in ("superstep", "held") and release.by in self.over:
                needs.append(self.over[release.by])
        return needs, ready

    def _opening(self, step: int) -> int:
        """The piece that is over when a superstep begins: all of those before are."""
        if step not in self.opened:
            before = max((known for known in self.opened if known < step), default=None)
            since = [self.start] if before is None else [self.opened[before]]
            steps = [known for known in self.of_step if (before is None or known >= before) and known < step]
            self.opened[step] = self.all.add(0.0, [*since, *(number for known in steps for number in self.of_step[known])])
        return self.opened[step]

    def _work(self, f: Fragment, begun: int) -> int:
        """A fragment's own work, with what it asks in between: side by side where it was so."""
        at, last = f.start, begun
        for group in self.all.replay.together[f]:
            first = min(one.start for one in group)
            last = self._own(f, first - at, last)
            last = self.all.add(0.0, [number for one in group for number in self._part(f, one, one.start - first, last)])
            at = max(one.end for one in group)
        wait = self.all.replay.waits.get(f, 0.0)
        if f.node in self.all.replay.served and not f.calls and not f.runs:
            last = self._served(f, f.node, f.end - f.start - wait, [last])
        else:
            last = self._own(f, f.end - at, last)
        return last

    def _own(self, f: Fragment, seconds: float, after: int) -> int:
        return self.all.add(seconds * self.all.change.faster.get((f.node, f.node), 1.0), [after])

    def _part(self, f: Fragment, one: Call | Run, offset: float, after: int) -> list[int]:
        begun = self.all.add(offset, [after])
        if isinstance(one, Run):
            return [*self.all.whole(one, [begun])]
        wait = self.all.replay.waits.get(one, 0.0)
        return [self._served(f, one.label, one.end - one.start - wait, [begun])]

    def _served(self, f: Fragment, label: str, seconds: float, needs: list[int]) -> int:
        factor = self.all.change.faster.get((f.node, label), 1.0)
        return self.all.add(seconds * factor, needs, label)


def _inputs(f: Fragment, change: Change) -> list[Fragment]:
    """What a fragment needs under the change: in place of what it needn't, what that one needed."""
    if not change.apart:
        return f.inputs
    found: dict[int, Fragment] = {}
    waiting, seen = [*f.inputs], {id(f)}
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        if (f.node, one.node) in change.apart:
            waiting += one.inputs
        else:
            found[id(one)] = one
    return [*found.values()]


def side_by_side(f: Fragment) -> list[list[Call | Run]]:
    """What a fragment asks, those together that overlap."""
    items: list[Call | Run] = sorted([*(call for call in f.calls if not call.inner), *f.runs], key=lambda one: one.start)
    groups: list[list[Call | Run]] = []
    until = float("-inf")
    for one in items:
        if one.start < until and groups:
            groups[-1].append(one)
        else:
            groups.append([one])
        until = max(until, one.end)
    return groups
