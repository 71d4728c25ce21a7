"""Takes samples strictly in turn, and says what they show: medians, quartiles, ratios with a bootstrap interval."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
import numpy.typing as npt

from benchmarks.declare import Sample

RESAMPLES = 4_000
Verdict = Literal["met", "unclear", "missed", "shown"]
Samples = npt.NDArray[np.float64]


def alternate(
    takes: Mapping[str, Callable[[], Sample]],
    budget: float,
    least: int,
    most: int,
    warm: bool = True,
    heard: Callable[[int], None] = lambda rounds: None,
) -> dict[str, list[Sample]]:
    """Samples of every lane, one round after another, until the budget is spent.

    Each round runs every lane once, and each turns the order round, so that no lane is always first.

    Args:
        takes: Takes one sample of a lane.
        budget: Seconds after which no further round starts.
        least: Rounds that are run in any case.
        most: Rounds after which it stops in any case.
        warm: Run every lane once before: imports, caches, thread pools.
        heard: Is told the number of rounds after each.
    """
    for take in takes.values() if warm else ():
        take()
    samples: dict[str, list[Sample]] = {name: [] for name in takes}
    began = time.perf_counter()
    for done in range(1, most + 1):
        for name in list(takes) if done % 2 else reversed(list(takes)):
            samples[name].append(takes[name]())
        heard(done)
        if done >= least and time.perf_counter() - began > budget:
            break
    return samples


@dataclass(frozen=True, slots=True)
class Spread:
    """Median and quartiles of a lane, and how many samples stand behind them."""

    low: float
    median: float
    high: float
    count: int


def spread(values: Sequence[float]) -> Spread:
    """Median and quartiles."""
    low, median, high = np.percentile(np.asarray(values), [25, 50, 75])
    return Spread(float(low), float(median), float(high), len(values))


@dataclass(frozen=True, slots=True)
class Estimate:
    """A ratio or difference of two medians with its 95 % bootstrap interval."""

    value: float
    low: float
    high: float

    def verdict(self, at_most: float | None) -> Verdict:
        """Whether a limit is kept; `unclear` when it is exceeded by no more than the noise, `shown` where there is none."""
        if at_most is None:
            return "shown"
        if self.value <= at_most:
            return "met"
        return "unclear" if self.low <= at_most else "missed"


def estimate(
    of: Sequence[float], against: Sequence[float], kind: Literal["ratio", "difference"] = "ratio", paired: bool = True
) -> Estimate:
    """Compares the medians of two lanes.

    Args:
        of: Samples of the lane judged.
        against: Samples it is judged by; a single one is taken as exact (a bound).
        kind: `of / against` or `of - against`.
        paired: Samples with the same index were taken in the same round: they are resampled together,
            so that a slow spell of the machine hits both.
    """
    a, b = np.asarray(of, dtype=float), np.asarray(against, dtype=float)
    rng = np.random.default_rng(0)
    picks_a = rng.integers(len(a), size=(RESAMPLES, len(a)))
    picks_b = picks_a if paired and len(a) == len(b) else rng.integers(len(b), size=(RESAMPLES, len(b)))
    low, high = np.percentile(_compare(a[picks_a], b[picks_b], kind), [2.5, 97.5])
    return Estimate(float(_compare(a, b, kind)), float(low), float(high))


def reached(points: Sequence[tuple[float, float]], limit: float) -> str:
    """The highest rate of a rising curve that keeps within a limit."""
    if points[0][1] > limit:
        return f"< {points[0][0]:.2f}"
    for (low, below), (high, above) in pairwise(points):
        if above > limit:
            return f"{low + (high - low) * (limit - below) / (above - below):.2f}"
    return f"> {points[-1][0]:.2f}"


def _compare(a: Samples, b: Samples, kind: str) -> Samples:
    top, bottom = np.median(a, axis=-1), np.median(b, axis=-1)
    result: Samples = top / bottom if kind == "ratio" else top - bottom
    return result
