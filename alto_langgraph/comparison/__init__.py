"""Runs both sides, proves that their answers are equal, and measures them: what `alto compare`, tests and benchmarks use."""

from alto_langgraph.comparison.difference import Difference, difference
from alto_langgraph.comparison.observation import Event, Observation, Turn
from alto_langgraph.comparison.recording import MODES, arecord, record

__all__ = ["MODES", "Difference", "Event", "Observation", "Turn", "arecord", "difference", "record"]
