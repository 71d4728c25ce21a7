"""How near the advice of `alto trace advise` comes to what its change then measures, on graphs with a planted limit.

python -m benchmarks.trace_advice [--unit 0.05] [--runs 5]
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from pathlib import Path
from time import perf_counter
from typing import Any

from alto_langgraph.testing.traces import recorded
from alto_langgraph.traces.advice import advise
from alto_langgraph.traces.findings import Findings
from alto_langgraph.traces.folder import load
from alto_langgraph.traces.model import Run
from alto_langgraph.tracing.encoding import line
from benchmarks.planted import ITEMS, PLANTED, Planted

TOLERANCE = 0.15
WARM = 3
"""Runs before those that count: what alto learns of a graph's supersteps it has learnt by then."""


def traced(planted: Planted, unit: float, runs: int) -> tuple[list[Run], list[Run]]:
    """Traced runs of a planted graph, as it is and changed, in turn."""
    with recorded() as spans, asyncio.Runner() as runner:
        graphs = [planted.build(unit, changed) for changed in (False, True)]
        for _ in range(WARM + runs):
            for graph in graphs:
                runner.run(graph.ainvoke({"items": ITEMS}))
    found = runs_in(spans)[-2 * runs :]
    return found[::2], found[1::2]


def runs_in(spans: list[Any]) -> list[Run]:
    """The runs that these spans of the recorder make up, read from a file as it writes them, in order of their starts."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "spans.jsonl"
        file.write_bytes(line(spans))
        return [trace.main for trace in reversed(load(file)) if trace.main is not None]


def middle(runs: list[Run]) -> Run:
    """The run of the median time."""
    return sorted(runs, key=lambda run: run.seconds)[len(runs) // 2]


def compared(planted: Planted, unit: float, runs: int) -> tuple[Findings, float]:
    """What is advised, and the median time of the changed graph, in seconds."""
    before, after = traced(planted, unit, runs)
    return advise(middle(before)), middle(after).seconds


def main() -> None:
    """Prints a row for each planted graph; ends with 1 if one is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--unit", type=float, default=0.05, help="seconds of the graphs' unit of time")
    parser.add_argument("--runs", type=int, default=5)
    asked = parser.parse_args()
    missed = 0
    for planted in PLANTED:
        began = perf_counter()
        findings, after = compared(planted, asked.unit, asked.runs)
        before = findings.run.seconds
        one = findings.advice[0] if findings.advice else None
        named = one is not None and (findings.limit, findings.subject) == (planted.limit, planted.subject)
        predicted, gained = (one.gain if one else 0.0), 1 - after / before
        near = abs(predicted - gained) <= TOLERANCE * abs(gained)
        missed += not (named and near)
        print(f"{planted.name}: {'named' if named else f'NOT named, but {findings.limit} {findings.subject}'}; {one}")
        far = "within" if near else "NOT within"
        print(f"  {before:.3f} s; gain predicted {predicted:.1%}, measured {gained:.1%} ({far} {TOLERANCE:.0%})")
        print(f"  time predicted {one.seconds if one else before:.3f} s, measured {after:.3f} s ({perf_counter() - began:.0f} s)")
    raise SystemExit(bool(missed))


if __name__ == "__main__":
    main()
