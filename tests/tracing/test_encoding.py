"""The encoders written by hand say what the SDK's own says."""

from __future__ import annotations

import json
from typing import Any

from google.protobuf import json_format  # type: ignore[import-untyped]
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    TraceState,
    set_span_in_context,
)

from alto_langgraph.tracing.encoding import line
from alto_langgraph.tracing.light import LightTracer
from alto_langgraph.tracing.requests import message

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)
VALUES = st.one_of(
    TEXTS,
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(),
    st.lists(TEXTS, max_size=3),
    st.lists(st.integers(0, 5), max_size=3),
    st.lists(st.floats(), max_size=2),
)
ATTRIBUTES = st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=200), VALUES, max_size=5)
EVENTS = st.lists(st.tuples(TEXTS, ATTRIBUTES, st.integers(0, 2**62)), max_size=3)
STATUSES = st.sampled_from([None, Status(StatusCode.OK), Status(StatusCode.ERROR), Status(StatusCode.ERROR, "what ☃")])
REMOTE = SpanContext(2**127 + 5, 77, True, TraceFlags(1), TraceState([("a", "b")]))


def made(tracer: Any, spans: Any) -> None:
    for name, kind, about, more, events, status, remote in spans:
        context = set_span_in_context(NonRecordingSpan(REMOTE)) if remote else None
        link = Link(REMOTE, {"alto.link": "input"})
        span = tracer.start_span(name, context, kind, about, [link, Link(REMOTE)], 1_700_000_000_000_000_000)
        span.set_attributes({f"own.{name}": value for name, value in more.items()})
        for event in events:
            span.add_event(*event)
        if status is not None:
            span.set_status(status)
        span.end(1_700_000_000_000_000_999)


SPANS = st.lists(
    st.tuples(TEXTS, st.sampled_from(SpanKind), ATTRIBUTES, ATTRIBUTES, EVENTS, STATUSES, st.booleans()),
    min_size=1,
    max_size=3,
)


@given(SPANS)
def test_as_the_sdk_encodes(spans):
    resource = Resource({"service.name": "x", "n": 3}, "https://schema")
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    light: list[Any] = []
    made(LightTracer(provider, InstrumentationScope("alto", "1", "https://s"), light.append), spans)
    provider.add_span_processor(SimpleSpanProcessor(kept := InMemorySpanExporter()))
    made(provider.get_tracer("other"), spans)
    both = [*light, *kept.get_finished_spans()]
    stock = encode_spans(both)
    assert message(both).SerializeToString(deterministic=True) == stock.SerializeToString(deterministic=True)
    read = json.loads(line(both))
    for resource_spans in read["resourceSpans"]:
        for scope in resource_spans["scopeSpans"]:
            for span in scope["spans"]:
                _as_protobuf(span)
    parsed = json_format.ParseDict(read, ExportTraceServiceRequest())
    assert parsed.SerializeToString(deterministic=True) == stock.SerializeToString(deterministic=True)


def _as_protobuf(span: Any) -> None:
    """OTLP's JSON has ids in hex, where protobuf's has base64; and the SDK leaves a link's state out."""
    import base64

    for it in (span, *span.get("links", ())):
        for key in ("traceId", "spanId", "parentSpanId"):
            if key in it:
                it[key] = base64.b64encode(bytes.fromhex(it[key])).decode()


def test_what_is_said_twice_counts_once():
    light: list[Any] = []
    tracer = LightTracer(TracerProvider(shutdown_on_exit=False), InstrumentationScope("alto"), light.append)
    span = tracer.start_span("x", attributes={"a": 1, "b": 2})
    span.set_attribute("a", 3)
    span.end()
    assert message(light) == encode_spans(light)
    assert line(light).count(b'"key":"a"') == 1


def test_half_a_surrogate_pair():
    light: list[Any] = []
    tracer = LightTracer(TracerProvider(shutdown_on_exit=False), InstrumentationScope("alto"), light.append)
    tracer.start_span("x", attributes={"a": "\ud800", "b": ["\ud800"]}).end()
    assert "\\ud800" not in line(light).decode()
    assert message(light)
