"""Shows results in a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from rich.table import Column, Table

from benchmarks.judge import Judgement, Result, judgements, lanes
from benchmarks.measure import Estimate

HEADINGS = ("benchmark", "lane", "median", "quartiles", "n", "compared", "ratio [95 %]", "also", "target", "")
COLOURS = {"met": "green", "unclear": "yellow", "missed": "red", "shown": "dim"}


def table(results: Sequence[Result]) -> Table:
    """One line per lane, with the targets that judge it."""
    shown = Table(*(Column(name, no_wrap=True) for name in HEADINGS))
    by_lane = {key: list(found) for key, found in groupby(judgements(results), key=lambda j: (j.benchmark, j.of))}
    for result in results:
        for lane, metrics in lanes(result).items():
            time = next(iter(metrics.values()))
            quartiles = f"{amount(time.low, result['unit'])} – {amount(time.high, result['unit'])}"
            cells = [result["name"], lane, amount(time.median, result["unit"]), quartiles, str(time.count)]
            for place, judged in enumerate(by_lane.get((result["name"], lane), [None])):
                shown.add_row(*(cells if place == 0 else [""] * len(cells)), *_judged(judged, result["unit"]))
        for bound, value in result["bounds"].items():
            shown.add_row(result["name"], f"[dim]{bound}[/]", amount(value / result["per"], result["unit"]), "computed")
        shown.add_section()
    return shown


def missed(results: Sequence[Result]) -> list[Judgement]:
    """The targets that are missed beyond doubt."""
    return [judged for judged in judgements(results) if judged.verdict == "missed"]


def amount(value: float, unit: str) -> str:
    """A figure with three digits and a fitting prefix."""
    steps = (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)) if unit == "s" else ((f"Mi{unit}", 2.0**20), (f"Ki{unit}", 2.0**10), (unit, 1.0))
    name, size = next((step for step in steps if abs(value) >= step[1]), steps[-1])
    return f"{value / size:.3g} {name}" if abs(value) < 1000 * size else f"{value / size:,.0f} {name}"


def comparison(found: Estimate, kind: str, unit: str) -> str:
    """An estimate with its interval."""
    value, low, high = (f"{v:.3f}" if kind == "ratio" else amount(v, unit) for v in (found.value, found.low, found.high))
    return f"{value} [{low}, {high}]"


def limit(judged: Judgement, unit: str) -> str:
    """A target as text."""
    if judged.at_most is None:
        return ""
    return f"≤ {judged.at_most:.2f}" if judged.kind == "ratio" else f"≤ + {amount(judged.at_most, unit)}"


def _judged(judged: Judgement | None, unit: str) -> list[str]:
    if judged is None:
        return []
    second = list(judged.by_metric.items())[1:2] if judged.kind == "ratio" else []
    return [
        judged.reference,
        comparison(judged.estimate, judged.kind, unit).replace("[", r"\["),
        ", ".join(f"{metric} {found.value:.3f}" for metric, found in second),
        limit(judged, unit),
        f"[{COLOURS[judged.verdict]}]{judged.verdict}[/]",
    ]
