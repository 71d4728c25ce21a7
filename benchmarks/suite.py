"""Runs benchmarks one after another and keeps what they gave as plain data, ready for JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from benchmarks.declare import Benchmark
from benchmarks.machine import machine
from benchmarks.measure import alternate

MOST_ROUNDS = 200
QUICK_BUDGET = 0.12
"""Part of a benchmark's budget that `--quick` spends; it runs half the least rounds."""


def run(benchmarks: Iterable[Benchmark], quick: bool, alto: str, console: Console) -> dict[str, Any]:
    """Measures every benchmark and gives all samples with the machine's description.

    Args:
        benchmarks: What to measure, in order.
        quick: Fewer rounds.
        alto: The side that stands in alto's place: `alto`, or `null` to measure the noise.
        console: Where progress is shown.
    """
    todo, found = list(benchmarks), machine()
    bar = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*bar, console=console, transient=True) as progress:
        task = progress.add_task("", total=len(todo))
        taken = []
        for benchmark in todo:
            progress.update(task, description=benchmark.name)
            taken.append(measured(benchmark, quick, alto, lambda rounds: progress.refresh()))
            progress.advance(task)
    return {"machine": found, "quick": quick, "alto": alto, "benchmarks": taken}


def merged(kept: Mapping[str, Any], newer: Mapping[str, Any]) -> dict[str, Any]:
    """Kept results with those of a newer run in their places, each of which then says on what machine and when it was measured."""
    fresh = {benchmark["name"]: benchmark | {"machine": newer["machine"]} for benchmark in newer["benchmarks"]}
    old = [fresh.pop(benchmark["name"], benchmark) for benchmark in kept["benchmarks"]]
    return {**kept, "benchmarks": [*old, *fresh.values()]}


def to_json(results: Mapping[str, Any]) -> str:
    """The results as JSON with one benchmark per line, so that versions of it can be compared."""
    head = json.dumps({key: value for key, value in results.items() if key != "benchmarks"}, indent=1).removesuffix("\n}")
    lines = ",\n".join(json.dumps(benchmark) for benchmark in results["benchmarks"])
    return f'{head},\n "benchmarks": [\n{lines}\n]}}\n'


def measured(benchmark: Benchmark, quick: bool, alto: str, heard: Any = lambda rounds: None) -> dict[str, Any]:
    """One benchmark's declaration and samples as plain data."""
    budget, least = (benchmark.budget * QUICK_BUDGET, benchmark.least // 2) if quick else (benchmark.budget, benchmark.least)
    with benchmark.open(alto) as takes:
        samples = alternate(takes, budget, least, MOST_ROUNDS, benchmark.warm, heard)
    return {
        "name": benchmark.name,
        "group": benchmark.group,
        "what": benchmark.what,
        "unit": benchmark.unit,
        "per": benchmark.per,
        "bounds": dict(benchmark.bounds),
        "targets": [asdict(target) for target in benchmark.targets],
        "lanes": {lane: {metric: [float(f"{s[metric]:.6g}") for s in taken] for metric in taken[0]} for lane, taken in samples.items()},
    }
