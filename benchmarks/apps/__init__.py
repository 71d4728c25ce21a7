"""The example applications, each as people write it and as an expert tunes it: stock, expert and alto in turn."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from benchmarks.apps import chatbot_verification, document_qa, research_report, text_to_sql, tool_agent
from benchmarks.apps.declare import Application
from benchmarks.apps.measured import AppBenchmark

APPLICATIONS: tuple[Application, ...] = (
    chatbot_verification.APPLICATION,
    document_qa.APPLICATION,
    text_to_sql.APPLICATION,
    research_report.APPLICATION,
    tool_agent.APPLICATION,
)
"""In the report's order."""


def benchmarks() -> Iterator[AppBenchmark]:
    """Each application that can run here, with slots for most of its calls at a time, and with few."""
    return (AppBenchmark(app, scarce) for app in APPLICATIONS if not app.lacking() for scarce in (False, True))


def left_out() -> Mapping[str, str]:
    """Those that can't run here, and what each lacks."""
    return {f"app_{app.name}": f"{app.lacking()} isn't installed" for app in APPLICATIONS if app.lacking()}
