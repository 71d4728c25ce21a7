"""The SDK's side of `configure`: provider, exporter and limits."""

from __future__ import annotations

import os
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanLimits, TracerProvider
from opentelemetry.sdk.trace.export import SpanExporter
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from alto_langgraph.tracing.attributes import SCHEMA_URL, SCOPE, SERVICE
from alto_langgraph.tracing.configuring import Tracing
from alto_langgraph.tracing.exporting import Careful, Queue, otlp
from alto_langgraph.tracing.files import DIRECTORY, FileExporter
from alto_langgraph.tracing.light import LightTracer
from alto_langgraph.tracing.meters import provide_meters

QUEUE, BATCH, DELAY = 131_072, 2_048, 500
"""Spans that wait, spans exported at a time, milliseconds between that. With the SDK's own (2,048, 512, 5,000) a burst loses a third."""
MOST = 1_000_000
"""Links, events and attributes of a span: the SDK keeps the last 128, so that a reduction of 500 would lose most of its inputs."""
GRPC, HTTP = "grpc", "http/protobuf"


def provide(endpoint: str | None, directory: Path | None, metrics: bool) -> Tracing:
    """A provider for everybody in the process, and a tracer for alto.

    Raises:
        ImportError: an exporter isn't installed.
        ValueError: the endpoint isn't a URL, or a variable is none of those that OpenTelemetry knows.
    """
    if os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return Tracing(trace.NoOpTracer(), None)
    endpoint = endpoint or asked_for("TRACES_ENDPOINT") or asked_for("ENDPOINT")
    exporter = _exporter(endpoint, directory)
    meters = provide_meters(endpoint, metrics, _protocol(endpoint, "METRICS"), _resource())
    provider = TracerProvider(resource=_resource(), span_limits=_limits())
    queue = Queue(Careful(exporter), **_sizes())
    provider.add_span_processor(queue)
    trace.set_tracer_provider(provider)
    scope = InstrumentationScope(SCOPE, version("alto-langgraph"), SCHEMA_URL)
    return Tracing(LightTracer(provider, scope, queue.on_end), provider, meters)


def _resource() -> Resource:
    named = "OTEL_SERVICE_NAME" in os.environ or f"{SERVICE}=" in os.environ.get("OTEL_RESOURCE_ATTRIBUTES", "")
    return Resource.create({} if named else {SERVICE: "alto-langgraph"})


def _limits() -> SpanLimits:
    return SpanLimits(
        max_links=_number("OTEL_SPAN_LINK_COUNT_LIMIT", MOST),
        max_events=_number("OTEL_SPAN_EVENT_COUNT_LIMIT", MOST),
    )


def _sizes() -> dict[str, int]:
    queue = _number("OTEL_BSP_MAX_QUEUE_SIZE", QUEUE)
    return {
        "max_queue_size": queue,
        "max_export_batch_size": min(_number("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", BATCH), queue),
        "schedule_delay_millis": _number("OTEL_BSP_SCHEDULE_DELAY", DELAY),
    }


def _number(variable: str, otherwise: int) -> int:
    """A variable that is a number; one that isn't is left aside, as the SDK does."""
    try:
        return int(os.environ[variable])
    except (KeyError, ValueError):
        return otherwise


def _exporter(endpoint: str | None, directory: Path | None) -> Any:
    chosen = os.environ.get("OTEL_TRACES_EXPORTER", "").strip().lower()
    if chosen == "none":
        return Nowhere()
    if chosen == "console":
        from opentelemetry.sdk.trace.export import ConsoleSpanExporter

        return ConsoleSpanExporter()
    if chosen not in ("", "otlp"):
        raise ValueError(f"OTEL_TRACES_EXPORTER is {chosen!r}; alto sets up otlp, console or none")
    if directory is not None or (endpoint is None and chosen != "otlp"):
        return FileExporter(directory or DIRECTORY)
    return otlp(endpoint, _protocol(endpoint, "TRACES"))


def asked_for(name: str) -> str | None:
    """An `OTEL_EXPORTER_OTLP_*` variable, if it says anything."""
    return os.environ.get(f"OTEL_EXPORTER_OTLP_{name}", "").strip() or None


def _protocol(endpoint: str | None, signal: str) -> str:
    """How an endpoint is spoken to: as variables say, else by its port."""
    said = asked_for(f"{signal}_PROTOCOL") or asked_for("PROTOCOL")
    if said not in (None, GRPC, HTTP):
        raise ValueError(f"OTEL_EXPORTER_OTLP_PROTOCOL is {said!r}; it can be {GRPC} or {HTTP}")
    parts = urlsplit(endpoint or "http://localhost:4318")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"the endpoint {endpoint!r} isn't a URL like http://localhost:4318")
    return said or (GRPC if parts.port == 4317 else HTTP)


class Nowhere(SpanExporter):
    """For `OTEL_TRACES_EXPORTER=none`."""

    def export(self, spans: Any) -> Any:
        """Drops them."""
        from opentelemetry.sdk.trace.export import SpanExportResult

        return SpanExportResult.SUCCESS
