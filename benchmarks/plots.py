"""Draws one picture per group: ratios with their intervals and targets, or growth with the width of a step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from benchmarks.judge import Judgement, Result, judgements, lanes
from benchmarks.tables import amount

COLOURS = {"met": "#2a7f62", "unclear": "#c58b1b", "missed": "#b3392f", "shown": "#8a8f98"}
LANE_COLOURS = {"stock": "#8a8f98", "alto": "#2a7f62"}
SETTINGS: Any = {"svg.hashsalt": "alto", "svg.fonttype": "none", "font.size": 9, "axes.spines.top": False, "axes.spines.right": False}


def draw(results: Sequence[Result], folder: Path) -> dict[str, str]:
    """Writes `<group>.svg` for every group into the folder and gives the file names by group."""
    folder.mkdir(exist_ok=True)
    drawn = {}
    for group in dict.fromkeys(result["group"] for result in results):
        members = [result for result in results if result["group"] == group]
        judged = [j for j in judgements(results) if j.benchmark in {m["name"] for m in members}]
        figure = growth(members) if group == "fan_out" else ratios(judged) or medians(members)
        save(figure, folder / f"{group}.svg")
        drawn[group] = f"{group}.svg"
    return drawn


def save(figure: Figure, file: Path) -> None:
    """Writes a picture that is the same for the same figures."""
    with mpl.rc_context(SETTINGS):
        figure.savefig(file, bbox_inches="tight", metadata={"Date": None, "Creator": None})


def ratios(judged: Sequence[Judgement]) -> Figure | None:
    """A row per target: the ratio with its interval, a tick where the target is; None where no target is a ratio."""
    rows = [j for j in judged if j.kind == "ratio" and not j.base]
    if not rows:
        return None
    figure, axes = _blank(8, 0.8 + 0.22 * len(rows))
    for place, row in enumerate(rows):
        found, colour = row.estimate, COLOURS[row.verdict]
        axes.plot([found.low, found.high], [place, place], color=colour, linewidth=2, solid_capstyle="butt")
        axes.plot(found.value, place, "o", color=colour, markersize=4)
        if row.at_most is not None:
            axes.plot(row.at_most, place, "|", color="black", markersize=9)
    axes.axvline(1.0, color="#c9ccd1", linewidth=0.8, zorder=0)
    axes.set_yticks(range(len(rows)), [f"{row.benchmark}: {row.of} / {row.reference}" for row in rows])
    axes.invert_yaxis()
    axes.set_xlabel("ratio of medians, 95 % interval; | is the most allowed")
    return figure


def growth(results: Sequence[Result]) -> Figure:
    """Time per task over the number of tasks, one line per lane."""
    figure, axes = _blank(6, 3.2)
    for sync, style in ((False, "-"), (True, ":")):
        chosen = [result for result in results if ("sync" in result["name"]) == sync]
        for lane, colour in LANE_COLOURS.items() if chosen else ():
            times = [next(iter(lanes(result)[lane].values())).median * 1e6 for result in chosen]
            axes.plot([r["per"] for r in chosen], times, style, marker="o", color=colour, label=f"{lane}, {'sync' if sync else 'async'}")
    axes.set_xscale("log")
    axes.set_ylim(bottom=0)
    axes.set_xlabel("tasks in the step")
    axes.set_ylabel("µs per task")
    axes.legend(frameon=False)
    return figure


def medians(results: Sequence[Result]) -> Figure:
    """A bar per lane with its quartiles."""
    rows = [(r, lane, next(iter(found.values()))) for r in results for lane, found in lanes(r).items()]
    figure, axes = _blank(6, 0.8 + 0.3 * len(rows))
    for place, (result, lane, found) in enumerate(rows):
        axes.barh(place, found.median, color=LANE_COLOURS.get(lane, "#5b7fb0"), height=0.6)
        axes.plot([found.low, found.high], [place, place], color="black", linewidth=1)
        axes.text(found.high, place, f"  {amount(found.median, result['unit'])}", va="center")
    axes.set_yticks(range(len(rows)), [f"{result['name']}: {lane}" for result, lane, _ in rows])
    axes.set_xticks([])
    axes.invert_yaxis()
    return figure


def load(curves: Mapping[str, Sequence[tuple[float, float]]], limit: float) -> Figure:
    """The 95th percentile of the runs' seconds over the rate at which they come, one line per lane, and the limit."""
    figure, axes = _blank(6, 3.2)
    for lane, curve in curves.items():
        rates, seconds = zip(*curve, strict=True)
        axes.plot(rates, seconds, marker="o", color=LANE_COLOURS.get(lane, "#5b7fb0"), label=lane)
    axes.axhline(limit, color="#c9ccd1", linewidth=0.8)
    axes.set_ylim(bottom=0)
    axes.set_xlabel("runs a second")
    axes.set_ylabel("seconds, 95th percentile")
    axes.legend(frameon=False)
    return figure


def _blank(width: float, height: float) -> tuple[Figure, Any]:
    with mpl.rc_context(SETTINGS):
        figure = Figure(figsize=(width, height))
        return figure, figure.subplots()
