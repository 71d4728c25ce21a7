"""Shows where one side of a benchmark spends its time, function by function."""

from __future__ import annotations

import asyncio
import cProfile
import gc
import pstats
from pathlib import Path

from benchmarks.graphs import GraphBenchmark

LINES = 40


def profile(benchmark: GraphBenchmark, lane: str, runs: int, sort: str, out: Path | None = None, collect: bool = True) -> None:
    """Prints the functions that took most time.

    Sync graphs run their nodes in threads of a pool; of those only the calling thread, LangGraph's loop, is profiled.

    Args:
        benchmark: What to run.
        lane: Which of its lanes (`stock`, `alto`, ...).
        runs: Runs profiled, after one that warms up.
        sort: Key of `pstats`, such as `tottime` or `cumtime`.
        out: File to keep the profile in, for a viewer.
        collect: Leave the garbage collector on. Its pauses are booked on whichever function allocated last;
            off, the profile shows the code alone.

    Raises:
        LookupError: the benchmark has no such lane.
    """
    found = next((known for known in benchmark.lanes if known.name == lane), None)
    if found is None:
        raise LookupError(f"{benchmark.name} has no lane {lane!r}, but {', '.join(known.name for known in benchmark.lanes)}.")
    profiler = cProfile.Profile()
    with asyncio.Runner() as runner, benchmark.app(found, runner) as app:
        app.run(app.modes, "warm-up")
        for run in range(runs):
            gc.collect()
            _collector(collect)
            profiler.enable()
            app.run(app.modes, str(run))
            profiler.disable()
            _collector(True)
    if out:
        profiler.dump_stats(out)
    pstats.Stats(profiler).strip_dirs().sort_stats(sort).print_stats(LINES)


def _collector(on: bool) -> None:
    gc.enable() if on else gc.disable()
