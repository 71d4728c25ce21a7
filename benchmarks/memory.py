"""Peak memory of a wide fan-out: what Python allocated, and what the process grew to."""

from __future__ import annotations

import asyncio
import json
import resource
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator

from benchmarks import fan_out
from benchmarks.declare import Target
from benchmarks.graphs import App
from benchmarks.probes import ROOT, ProbeBenchmark
from benchmarks.sides import side

WIDTH = 10_000
LIMIT = 1.1


def benchmarks() -> Iterator[ProbeBenchmark]:
    """One, async."""
    yield ProbeBenchmark(
        name=f"memory_{WIDTH}",
        group="memory",
        what=f"peak memory of a fan-out of {WIDTH:,} empty tasks, above what the process held before",
        arguments=lambda name: ["-m", "benchmarks.memory", name, str(WIDTH)],
        targets=(Target(LIMIT),),
        unit="B",
        budget=1.0,
        least=2,
        warm=False,
    )


def peak(side_name: str, width: int, traced: bool) -> float:
    """Bytes of memory at the run's peak above those held before it, by tracemalloc or as resident pages."""
    graph = fan_out.build(fan_out.work)(side(side_name), width)()
    with asyncio.Runner() as runner:
        App(graph, {"wanted": 10, "done": 0}, runner).run("updates", "warm-up")
        if traced:
            tracemalloc.start()
        before = _peak(traced)
        App(graph, {"wanted": width, "done": 0}, runner).run("updates", "measured")
        return _peak(traced) - before


def _peak(traced: bool) -> float:
    if traced:
        return float(tracemalloc.get_traced_memory()[1])
    pages = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return float(pages if sys.platform == "darwin" else pages * 1024)


def main(side_name: str, width: str, *only: str) -> None:
    """Prints both figures; each is taken in its own process, as tracing takes memory itself."""
    if only:
        print(peak(side_name, int(width), traced=only == ("traced",)))
        return
    command = [sys.executable, "-m", "benchmarks.memory", side_name, width]
    figures = {
        kind: float(subprocess.run([*command, kind], cwd=ROOT, check=True, capture_output=True, text=True).stdout)
        for kind in ("traced", "resident")
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main(*sys.argv[1:])
