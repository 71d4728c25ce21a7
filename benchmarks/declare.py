"""What a benchmark is: a name, lanes to run side by side, targets to meet, bounds no scheduler can beat."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Literal, Protocol

Sample = Mapping[str, float]
"""One run's figures by metric, e.g. `{"wall": 0.12, "cpu": 0.11}`; targets judge the first metric, unless they name another."""


@dataclass(frozen=True, slots=True)
class Target:
    """A figure that has to be reached.

    Args:
        at_most: The most that `of` may be of `against` (ratio), or above it (difference, in the metric's unit); None only shows it.
        of: Lane judged.
        against: A lane of the same benchmark, a bound's name, or `benchmark/lane` for a lane of another benchmark.
        kind: Whether `at_most` limits a ratio or a difference.
        metric: Metric judged; None for the samples' first.
        base: Metric of `against` that the one judged is a share of; None for the same metric.
    """

    at_most: float | None
    of: str = "alto"
    against: str = "stock"
    kind: Literal["ratio", "difference"] = "ratio"
    metric: str | None = None
    base: str | None = None


class Benchmark(Protocol):
    """What the suite needs to know of a benchmark, whether it times a graph or probes a subprocess."""

    @property
    def name(self) -> str: ...
    @property
    def group(self) -> str: ...
    @property
    def what(self) -> str: ...
    @property
    def unit(self) -> str: ...
    @property
    def per(self) -> int: ...
    @property
    def quick(self) -> bool: ...
    @property
    def budget(self) -> float: ...
    @property
    def least(self) -> int: ...
    @property
    def warm(self) -> bool: ...
    @property
    def targets(self) -> tuple[Target, ...]: ...
    @property
    def bounds(self) -> Mapping[str, float]: ...

    def open(self, alto: str) -> AbstractContextManager[Mapping[str, Callable[[], Sample]]]:
        """Prepares every lane and gives one callable per lane that takes one sample; `alto` names the side in alto's place."""
