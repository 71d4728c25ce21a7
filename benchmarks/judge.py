"""Judges samples by their targets: one row per target, one row per lane."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from benchmarks.measure import Estimate, Spread, Verdict, estimate, spread

Result = Mapping[str, Any]
"""One benchmark as kept in JSON."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """How a lane compares with what its target names.

    Args:
        benchmark: Name of the benchmark.
        of: Lane judged.
        against: What it is judged by.
        kind: Ratio or difference.
        at_most: The target; None where the comparison is only shown.
        by_metric: The comparison in every metric both have; the first one is judged.
        verdict: What came of it.
        metric: The metric judged, where that isn't the samples' first.
        base: The metric that it is a share of, where that is another one.
    """

    benchmark: str
    of: str
    against: str
    kind: Literal["ratio", "difference"]
    at_most: float | None
    by_metric: Mapping[str, Estimate]
    verdict: Verdict
    metric: str | None = None
    base: str | None = None

    @property
    def reference(self) -> str:
        """What the lane is judged by, for people, with the metric where it isn't the usual one."""
        if self.base:
            return f"{self.against} ({self.metric} of {self.base})"
        return f"{self.against} ({self.metric})" if self.metric else self.against

    @property
    def estimate(self) -> Estimate:
        """The comparison that is judged."""
        return next(iter(self.by_metric.values()))


def judgements(results: Sequence[Result]) -> Iterator[Judgement]:
    """One judgement per target; a target that points at a benchmark that wasn't run is left out."""
    by_name = {result["name"]: result for result in results}
    for result in results:
        for target in result["targets"]:
            judged = target.get("metric")
            against = _reference(target["against"], result, by_name, judged or "wall")
            if against is None:
                continue
            metrics, paired = against
            of = _metrics(result, target["of"])
            if judged:
                of = {judged: of[judged]} | of
            kind, base = target["kind"], target.get("base")
            if base:
                by_metric = {judged: estimate(of[judged], metrics[base], kind, paired)}
            else:
                by_metric = {
                    metric: estimate(values, metrics[metric], kind, paired)
                    for metric, values in of.items()
                    if metric in metrics and (kind != "ratio" or all(metrics[metric]))  # what stock never does, it does no part of
                }
            verdict = next(iter(by_metric.values())).verdict(target["at_most"])
            yield Judgement(result["name"], target["of"], target["against"], kind, target["at_most"], by_metric, verdict, judged, base)


def lanes(result: Result) -> dict[str, dict[str, Spread]]:
    """Spread per lane and metric, per task."""
    return {lane: {metric: spread(values) for metric, values in _metrics(result, lane).items()} for lane in result["lanes"]}


def _reference(name: str, result: Result, by_name: Mapping[str, Result], metric: str) -> tuple[dict[str, list[float]], bool] | None:
    """The samples a target points at, and whether they were taken in the same rounds; a bound is one of the metric judged."""
    if name in result["lanes"]:
        return _metrics(result, name), True
    if name in result["bounds"]:
        return {metric: [result["bounds"][name] / result["per"]]}, False
    other, _, lane = name.partition("/")
    return (_metrics(by_name[other], lane), False) if other in by_name else None


def _metrics(result: Result, lane: str) -> dict[str, list[float]]:
    """A lane's samples by metric, per task."""
    return {metric: [value / result["per"] for value in values] for metric, values in result["lanes"][lane].items()}
