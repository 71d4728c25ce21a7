"""What running ahead came to in a run, as metrics beside its times, and what a load whose fragments are right may waste of it."""

from __future__ import annotations

from typing import Any

from alto_langgraph.protocols import RanAhead
from benchmarks.declare import Sample, Target

STARTED, THROWN_AWAY = "started early", "thrown away"
ASKED, IN_VAIN = "tokens asked for early", "tokens in vain"
REPLAYS = "replays"
"""Processor seconds."""

TARGETS = (
    Target(0.05, against="alto", metric=THROWN_AWAY, base=STARTED),
    Target(0.02, against="alto", metric=IN_VAIN, base=ASKED),
    Target(0.03, against="alto", metric=REPLAYS, base="wall"),
)
"""Of a hundred tasks started early ninety-five are right, two tokens of a hundred are in vain, replays take 3 % of one core."""


def so_far(graph: Any) -> RanAhead:
    """What running ahead has come to in all runs of a graph; nothing under stock."""
    return graph.alto_staging.tally.so_far() if hasattr(graph, "alto_staging") else RanAhead()


def came_to(before: RanAhead, after: RanAhead) -> Sample:
    """What it came to between the two. Where nothing was started there is one to have a share of, none of it lost."""
    in_vain, answered = after.tokens - before.tokens, after.answered - before.answered
    return {
        STARTED: max(1, after.started - before.started),
        THROWN_AWAY: after.thrown_away - before.thrown_away,
        ASKED: max(1, in_vain + answered),
        IN_VAIN: in_vain,
        REPLAYS: after.replayed - before.replayed,
    }
