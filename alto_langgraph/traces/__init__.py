"""Reads recorded traces: what ran when and why, where the time went, and what would change it. What `alto trace` shows."""

from alto_langgraph.traces.advice import advise
from alto_langgraph.traces.building import traces
from alto_langgraph.traces.chain import Chain, Release, Step, critical_chain
from alto_langgraph.traces.exporting import to_chrome, to_jaeger, to_otlp
from alto_langgraph.traces.findings import Advice, Findings
from alto_langgraph.traces.folder import find, load
from alto_langgraph.traces.model import Call, Fragment, Run, Trace
from alto_langgraph.traces.otlp import read
from alto_langgraph.traces.page import write_page

__all__ = [
    "Advice",
    "Call",
    "Chain",
    "Findings",
    "Fragment",
    "Release",
    "Run",
    "Step",
    "Trace",
    "advise",
    "critical_chain",
    "find",
    "load",
    "read",
    "to_chrome",
    "to_jaeger",
    "to_otlp",
    "traces",
    "write_page",
]
