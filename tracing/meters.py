"""The SDK's side of metrics: to a collector by OTLP, or for Prometheus to come and read."""

from __future__ import annotations

import os
from typing import Any

from opentelemetry import metrics
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource

from alto_langgraph.tracing.exporting import with_path


def provide_meters(endpoint: str | None, wanted: bool, protocol: str, resource: Resource) -> Any:
    """A provider of metrics for everybody in the process; None if nobody wants one, or there is one.

    Raises:
        ImportError: the exporter isn't installed.
    """
    chosen = os.environ.get("OTEL_METRICS_EXPORTER", "").strip().lower()
    if chosen == "none" or not (wanted or chosen) or type(metrics.get_meter_provider()).__module__.startswith("opentelemetry.sdk"):
        return None
    provider = MeterProvider(resource=resource, metric_readers=[_reader(chosen, endpoint, protocol)])
    metrics.set_meter_provider(provider)
    return provider


def _reader(chosen: str, endpoint: str | None, protocol: str) -> Any:
    if chosen == "prometheus":
        from opentelemetry.exporter.prometheus import PrometheusMetricReader
        from prometheus_client import start_http_server

        host = os.environ.get("OTEL_EXPORTER_PROMETHEUS_HOST", "localhost")
        start_http_server(int(os.environ.get("OTEL_EXPORTER_PROMETHEUS_PORT", "9464")), addr=host)
        return PrometheusMetricReader()
    if protocol == "grpc":
        from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter as Grpc

        return PeriodicExportingMetricReader(Grpc(endpoint, insecure=None if endpoint is None else not endpoint.startswith("https")))
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter as Http

    return PeriodicExportingMetricReader(Http(endpoint=None if endpoint is None else with_path(endpoint, "v1/metrics")))
