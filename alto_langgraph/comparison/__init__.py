"""Runs both sides, proves that their answers are equal, and measures them: what `alto compare`, tests and benchmarks use."""

from alto_langgraph.comparison.compare import compare
from alto_langgraph.comparison.difference import Difference, difference
from alto_langgraph.comparison.observation import Event, Observation, Turn
from alto_langgraph.comparison.recording import MODES, arecord, record
from alto_langgraph.comparison.report import timeline_svg
from alto_langgraph.comparison.result import Comparison
from alto_langgraph.comparison.timeline import Facts, Timeline, timeline, work

__all__ = [
    "MODES",
    "Comparison",
    "Difference",
    "Event",
    "Facts",
    "Observation",
    "Timeline",
    "Turn",
    "arecord",
    "compare",
    "difference",
    "record",
    "timeline",
    "timeline_svg",
    "work",
]
