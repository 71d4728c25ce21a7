"""Whatever alto records of random graphs is read, drawn, exported and played again."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from alto_langgraph.testing.graph_runs import play
from alto_langgraph.testing.random_graphs import draw
from alto_langgraph.testing.verdicts import OURS, side
from alto_langgraph.traces import Run, Trace, advise, load, to_chrome, to_jaeger, to_otlp
from alto_langgraph.traces.lanes import lanes
from alto_langgraph.traces.page import page
from alto_langgraph.traces.replay import Replay
from alto_langgraph.traces.servers import servers
from alto_langgraph.tracing.encoding import line


def recorded(seed: int, folder: Path) -> list[Trace]:
    """The traces of a random graph's runs, from a file as the exporter writes it."""
    played = play(replace(draw(seed, seed % 3 == 0), traced=True), side(OURS))
    file = folder / f"{seed}.jsonl"
    file.write_bytes(line(played.spans))
    return load(file) if played.spans else []


def assert_played_as_it_was(run: Run) -> None:
    """The replay of what was recorded takes the time that it took, to within the event loop's own."""
    as_it_was = Replay(run, servers(run)).as_it_was
    assert as_it_was == pytest.approx(run.seconds, rel=0.2, abs=0.02)


@pytest.mark.parametrize("seed", range(24))
def test_a_random_graphs_traces(seed: int, tmp_path: Path) -> None:
    for trace in recorded(seed, tmp_path):
        run = trace.main
        assert run is not None
        rows = lanes(run)
        assert set(rows) == {fragment for _, fragment in run.walk()}
        ordered = sorted(rows, key=lambda f: (rows[f], f.start, f.end))
        assert all(rows[a] != rows[b] or a.end <= b.start + 1e-6 for a, b in pairwise(ordered))
        found = advise(run)
        assert sum(found.by.values()) == pytest.approx(run.seconds)
        assert 0 <= found.efficiency <= 1
        assert all(0 < one.gain <= 1 and 0 <= one.seconds < run.seconds for one in found.advice)
        if run.outcome == "completed" and not run.max_concurrency:  # when a place came free can't always be told
            assert_played_as_it_was(run)
        assert page(trace, found.lines())
        assert json.dumps([to_chrome(trace), to_jaeger(trace), to_otlp(trace)], allow_nan=False)
