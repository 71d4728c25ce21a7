"""Traces runs: a span for each fragment, at home in Jaeger and in every viewer of OpenTelemetry's GenAI conventions.

Imported with the first run that is traced. Recording needs `opentelemetry-api` alone; `configure` needs the extra `otel`.
"""

from __future__ import annotations

from alto_langgraph.protocols import SERVED, Observer, Run
from alto_langgraph.tracing.batches import Batches
from alto_langgraph.tracing.configuring import Tracing, configure, tracer
from alto_langgraph.tracing.instrumenting import instrument
from alto_langgraph.tracing.recording import observer_of

__all__ = ["Tracing", "begin", "configure", "instrument", "set_up"]

SERVED.append(Batches())


def set_up() -> None:
    """Tracing was asked for: sets it up where nobody has.

    Raises:
        MissingExtraError: there is no provider, and the extra isn't installed.
    """
    tracer(set_up=True)


def begin(run: Run, asked: bool | None) -> Observer | None:
    """Has a run observed that begins here: its parent is the span that is current.

    Args:
        run: The run.
        asked: Whether tracing was asked for, so that it has to be set up where nobody has.

    Raises:
        MissingExtraError: it was asked for, there is no provider, and the extra isn't installed.
    """
    return observer_of(tracer(set_up=bool(asked)), run)
