"""Decides which request a model server takes first, by the run that asks. Pure: told the time, it waits for nothing."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Sequence
from dataclasses import dataclass
from math import log
from threading import Lock
from typing import Protocol

from alto_langgraph.protocols import Caller

PROMPT = 1 / 16
"""What a token of a prompt costs, in tokens of an answer: prompts are read many tokens at a time."""

_SPECULATIVE = 1 << 62
_PLACES = 8
_MOST = (1 << _PLACES) - 1


class Policy(Protocol):
    """What a scheduling policy has to tell, and is told. It may be called from several threads."""

    def priority(self, caller: Caller | None, now: float) -> int:
        """The place of a request, which is about to be sent: smaller goes first. Every request is told of by `served` once.

        Args:
            caller: The task that asks; None for one that belongs to no run.
            now: `time.perf_counter()` seconds.
        """

    def served(self, caller: Caller | None, prompt: int, answer: int) -> None:
        """A request is over, be it answered, failed or given up: the tokens it came to."""

    def ended(self, run: str) -> None:
        """A run is over."""


class Untold:
    """Every request is alike: first come, first served."""

    def priority(self, caller: Caller | None, now: float) -> int:
        return 0

    def served(self, caller: Caller | None, prompt: int, answer: int) -> None:
        pass

    def ended(self, run: str) -> None:
        pass


@dataclass(slots=True)
class _Run:
    """What a run has been served, and how many of its requests are at the server."""

    tokens: float = 0.0
    asked: int = 0


class ByAncestry:
    """Oldest run first among alike ones, and those that turn out long behind the others; speculative work behind all.

    It learns from the runs that end what kinds there are (`kinds`). A run that was served as much as the longest of a kind goes
    behind all of that kind, as if it had begun `patience` later; so nothing waits for ever. Inside a run the graph goes first
    that has the fewest tasks open, and of its tasks the first one, as parts of a reduction close in that order.

    Args:
        patience: Seconds that a run of a longer kind lets younger ones pass.
        remembered: Runs that ended from which it learns, and most runs at work that it remembers.
        epoch: What to add to `began` so that processes that share a server mean the same time.
    """

    def __init__(self, *, patience: float = 60.0, remembered: int = 512, epoch: float = 0.0) -> None:
        self.patience, self.epoch = patience, epoch
        self._most = remembered
        self._runs: OrderedDict[str, _Run] = OrderedDict()
        self._totals: deque[float] = deque(maxlen=remembered)
        self._mean = 0.0
        self._bounds: list[float] = []
        self._news = 0
        self._lock = Lock()

    def priority(self, caller: Caller | None, now: float) -> int:
        if caller is None:
            return self._place(now, 0, 0, 0)
        with self._lock:
            run = self._run(caller)
            level, began = self._level(run), caller.began if self._bounds else now
            run.asked += 1
        index = caller.tag.path[0][1] if len(caller.tag.path) == 1 else sum(index for _, index in caller.tag.path[1:2])
        place = self._place(began, level, caller.remaining, index)
        return place + _SPECULATIVE if caller.speculative else place

    def served(self, caller: Caller | None, prompt: int, answer: int) -> None:
        if caller is None:
            return
        cost = PROMPT * prompt + answer
        with self._lock:
            self._mean += (cost - self._mean) / 32 if self._mean else cost
            if (run := self._runs.get(caller.run)) is not None:
                run.tokens += cost
                run.asked = max(run.asked - 1, 0)

    def ended(self, run: str) -> None:
        with self._lock:
            known = self._runs.pop(run, None)
            if known is None or not known.tokens:
                return
            self._totals.append(known.tokens)
            self._news += 1
            if len(self._totals) >= ENOUGH and self._news * 8 >= len(self._totals):  # as long as little is known each one counts
                self._news, self._bounds = 0, [*kinds(self._totals), max(self._totals)]

    @property
    def bounds(self) -> Sequence[float]:
        """What the longest of each kind of run was served, in tokens; empty as long as too few have ended."""
        return tuple(self._bounds)

    def __len__(self) -> int:
        """How many runs it remembers that haven't ended."""
        return len(self._runs)

    def _run(self, caller: Caller) -> _Run:
        run = self._runs.get(caller.run)
        if run is None:
            run = self._runs[caller.run] = _Run()
            if len(self._runs) > self._most:
                self._runs.popitem(last=False)
        self._runs.move_to_end(caller.run)
        return run

    def _level(self, run: _Run) -> int:
        tokens = run.tokens + run.asked * self._mean
        return sum(tokens >= bound for bound in self._bounds)

    def _place(self, began: float, level: int, remaining: int, index: int) -> int:
        moment = int((began + self.epoch + level * self.patience) * 1_000)
        return (moment << _PLACES | min(remaining, _MOST)) << _PLACES | min(index, _MOST)


APART = 3.0
"""From this ratio of their typical totals on runs are of two kinds."""
ENOUGH = 8
"""Runs that have to be seen first."""


def kinds(totals: Sequence[float] | deque[float], most: int = 4) -> list[float]:
    """The largest total of each kind but the last.

    Two kinds are told apart where the variance of the logarithms between them is largest (Otsu's threshold), and each is looked at
    again, as long as what is short of a cut is typically a third of what is beyond it, or less.

    Args:
        totals: What runs came to.
        most: Most kinds.
    """
    ordered = sorted(totals)
    return sorted(_cuts(ordered, [log(max(total, 1.0)) for total in ordered], most - 1))


def _cuts(totals: Sequence[float], logs: Sequence[float], most: int) -> list[float]:
    if most < 1:
        return []
    whole, below, best, at = sum(logs), 0.0, 0.0, 0
    for size in range(1, len(logs)):
        below += logs[size - 1]
        rest = len(logs) - size
        if totals[size] == totals[size - 1]:
            continue
        apart = (whole - below) / rest - below / size
        if (between := size * rest * apart**2) > best and apart >= log(APART):
            best, at = between, size
    if not at:
        return []
    lower = _cuts(totals[:at], logs[:at], most - 1)
    upper = _cuts(totals[at:], logs[at:], most - 1 - len(lower))
    return [*lower, totals[at - 1], *upper]
