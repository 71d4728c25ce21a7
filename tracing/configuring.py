"""Sets tracing up in one line, with queues that lose nothing in a burst."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from threading import Lock
from typing import Any

from opentelemetry import trace

from alto_langgraph.exceptions import MissingExtraError, TracingError
from alto_langgraph.tracing.attributes import SCHEMA_URL, SCOPE

_LOCK = Lock()
_configured: Tracing | None = None


class Tracing:
    """What `configure` has set up.

    Args:
        tracer: Makes alto's spans.
        provider: OpenTelemetry's provider of spans, for everybody.
        meters: Its provider of metrics, if alto has made one.
    """

    def __init__(self, tracer: trace.Tracer, provider: Any, meters: Any = None) -> None:
        self.tracer, self._provider, self._meters = tracer, provider, meters

    def flush(self, seconds: float = 30.0) -> bool:
        """Exports what has ended so far; False if that took too long."""
        flushed = [it.force_flush(int(seconds * 1000)) for it in (self._provider, self._meters) if hasattr(it, "force_flush")]
        return all(it is not False for it in flushed)

    def shutdown(self) -> None:
        """Exports the rest and ends; what runs do from now on isn't traced. It happens by itself when the process ends."""
        global _configured
        for it in (self._provider, self._meters):
            if hasattr(it, "shutdown"):
                it.shutdown()
        with _LOCK:
            if _configured is self:
                _configured = None


def tracer(*, set_up: bool) -> trace.Tracer:
    """What makes alto's spans: `configure`'s, or that of whatever provider there is.

    Args:
        set_up: Whether to set tracing up where there is no provider.
    """
    if _configured is not None:
        return _configured.tracer
    if set_up and not _has_provider():
        return configure().tracer
    return trace.get_tracer(SCOPE, version("alto-langgraph"), schema_url=SCHEMA_URL)


def configure(endpoint: str | None = None, *, directory: str | Path | None = None, metrics: bool = False) -> Tracing:
    """Traces all runs of this process from now on, and sets up OpenTelemetry for that unless the app has.

    `OTEL_*` variables mean what they mean for OpenTelemetry's SDK, and stand above what is chosen here for queues and names. Where the
    app has a provider of its own, it stays: alto's spans go where that sends them, and nothing else is set up.

    Args:
        endpoint: Of a collector or viewer that takes OTLP, `http://localhost:4318`, say. Port 4317 is taken for gRPC unless
            `OTEL_EXPORTER_OTLP_PROTOCOL` says otherwise. None takes `OTEL_EXPORTER_OTLP_ENDPOINT`; without that, traces go to files.
        directory: For files; None for `.alto/traces` in the working directory.
        metrics: Whether to set metrics up, too; `OTEL_METRICS_EXPORTER` (`otlp` or `prometheus`) also does. Jaeger takes none.

    Returns:
        What was set up; called again, the same.

    Raises:
        MissingExtraError: there is no provider, and `alto-langgraph[otel]` isn't installed.
        TracingError: the endpoint isn't a URL, or OpenTelemetry can't make what its variables ask for.
    """
    global _configured
    with _LOCK:
        if _configured is None:
            _configured = _existing() if _has_provider() else _new(endpoint, directory, metrics)
        return _configured


def _has_provider() -> bool:
    return not isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider)


def _existing() -> Tracing:
    provider = trace.get_tracer_provider()
    return Tracing(trace.get_tracer(SCOPE, version("alto-langgraph"), schema_url=SCHEMA_URL), _Kept(provider))


class _Kept:
    """An app's own provider, which is the app's to end."""

    def __init__(self, provider: Any) -> None:
        self.force_flush: Callable[[int], bool] = getattr(provider, "force_flush", lambda milliseconds: True)


def _new(endpoint: str | None, directory: str | Path | None, metrics: bool) -> Tracing:
    try:
        from alto_langgraph.tracing import providing
    except ImportError as error:
        raise MissingExtraError(
            f"Tracing needs OpenTelemetry's SDK ({error}).", hint="Install it with `pip install 'alto-langgraph[otel]'`."
        ) from None
    try:
        return providing.provide(endpoint, None if directory is None else Path(directory), metrics)
    except ImportError as error:
        raise MissingExtraError(
            f"An exporter that tracing was asked for isn't installed ({error}).",
            hint="Install it with `pip install 'alto-langgraph[otel]'`.",
        ) from None
    except (ValueError, RuntimeError) as error:
        raise TracingError(f"OpenTelemetry can't be set up: {error}.", hint="Look at the endpoint and the OTEL_* variables.") from error
