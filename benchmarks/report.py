"""Writes `RESULTS.md` and its pictures from the samples that a run kept; nothing in it is typed by hand."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from benchmarks.judge import Judgement, Result, judgements, lanes
from benchmarks.plots import draw
from benchmarks.tables import amount, comparison, limit

HERE = Path(__file__).parent
PLOTS = "plots"


def write(results_json: Path, null_json: Path | None, out: Path) -> None:
    """Writes the report.

    Args:
        results_json: What `python -m benchmarks --json` kept.
        null_json: The same of a run with stock on both sides (`--null`), for the noise; None leaves it out.
        out: The Markdown file; pictures go to a folder beside it.
    """
    results = json.loads(results_json.read_text())
    null = json.loads(null_json.read_text()) if null_json else None
    pictures = draw(results["benchmarks"], out.parent / PLOTS)
    out.write_text(markdown(results, null, pictures))


def markdown(results: Mapping[str, Any], null: Mapping[str, Any] | None, pictures: Mapping[str, str]) -> str:
    """The report's text."""
    everything = results["benchmarks"]
    judged = list(judgements(everything))
    environment = Environment(
        loader=FileSystemLoader(HERE), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
    )
    return environment.get_template("RESULTS.md.j2").render(
        run=results,
        groups=[_group(name, everything, judged, pictures) for name in dict.fromkeys(r["group"] for r in everything)],
        counts={verdict: sum(j.verdict == verdict for j in judged) for verdict in ("met", "unclear", "missed")},
        others=_others(everything),
        noise=noise(null["benchmarks"]) if null else None,
    )


def _others(results: Sequence[Result]) -> list[dict[str, Any]]:
    """Runs whose samples were merged in: on what machine, when, and of which benchmarks."""
    merged = [result for result in results if result.get("machine")]
    return [
        {"machine": machine, "names": [result["name"] for result in merged if result["machine"] == machine]}
        for machine in {result["machine"]["taken"]: result["machine"] for result in merged}.values()
    ]


def noise(results: Sequence[Result]) -> list[dict[str, Any]]:
    """How far ratios that ought to be 1 were from it, per group: the middle one and the farthest, with their names."""
    found = []
    for group in dict.fromkeys(result["group"] for result in results):
        names = {result["name"] for result in results if result["group"] == group}
        off = sorted((abs(j.estimate.value - 1), j.benchmark) for j in judgements(results) if j.benchmark in names and _same(j))
        if off:
            found.append({"group": group, "count": len(off), "middle": off[len(off) // 2][0], "farthest": off[-1][0], "name": off[-1][1]})
    return found


def _same(judged: Judgement) -> bool:
    """In a null run both lanes do the same thing."""
    return judged.kind == "ratio" and judged.of == "alto" and judged.against == "stock"


def _group(name: str, results: Sequence[Result], judged: Sequence[Judgement], pictures: Mapping[str, str]) -> dict[str, Any]:
    members = [result for result in results if result["group"] == name]
    units = {result["name"]: result["unit"] for result in members}
    return {
        "name": name,
        "picture": f"{PLOTS}/{pictures[name]}",
        "times": [_times(result) for result in members],
        "targets": [_target(j, units[j.benchmark]) for j in judged if j.benchmark in units],
    }


def _times(result: Result) -> dict[str, Any]:
    spreads = {lane: next(iter(found.values())) for lane, found in lanes(result).items()}
    return {
        "name": result["name"],
        "what": result["what"],
        "lanes": [
            (lane, amount(s.median, result["unit"]), f"{amount(s.low, result['unit'])} – {amount(s.high, result['unit'])}", s.count)
            for lane, s in spreads.items()
        ],
        "bounds": [(bound, amount(value / result["per"], result["unit"])) for bound, value in result["bounds"].items()],
    }


def _target(judged: Judgement, unit: str) -> dict[str, Any]:
    others = list(judged.by_metric.items())[1:]
    return {
        "name": judged.benchmark,
        "compared": f"{judged.of} / {judged.reference}" if judged.kind == "ratio" else f"{judged.of} − {judged.reference}",
        "found": comparison(judged.estimate, judged.kind, unit),
        "also": ", ".join(f"{metric} {found.value:.3f}" for metric, found in others) if judged.kind == "ratio" else "",
        "limit": limit(judged, unit),
        "verdict": judged.verdict,
    }
