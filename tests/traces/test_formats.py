"""What is exported is as each format has it: OTLP by its protobuf messages, the others by schemas of what their readers take."""

from __future__ import annotations

import base64
import json
from collections import Counter
from typing import Any

from google.protobuf import json_format  # type: ignore[import-untyped]
from hypothesis import given
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from alto_langgraph.traces import find, to_chrome, to_jaeger, to_otlp, traces
from alto_langgraph.traces.exporting import LARGEST
from alto_langgraph.traces.span import Span
from tests.traces.spans import ANY, EXAMPLE, SPANS


def record(required: dict[str, Any], **optional: Any) -> dict[str, Any]:
    """An object with these fields and no others."""
    fields = {**required, **optional}
    return {"type": "object", "properties": fields, "required": [*required], "additionalProperties": False}


def rows(of: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": of}


# ---- Jaeger: the fields and types of `model/json/model.go`

TEXT, NUMBER, NATURAL = {"type": "string"}, {"type": "number"}, {"type": "integer", "minimum": 0}
TRACE_ID, SPAN_ID = {"type": "string", "pattern": "^[0-9a-f]{32}$"}, {"type": "string", "pattern": "^[0-9a-f]{16}$"}
SAFE = {"type": "integer", "minimum": -LARGEST, "maximum": LARGEST}
TAG = {
    "oneOf": [
        record({"key": TEXT, "type": {"const": kind}, "value": value})
        for kind, value in {"string": TEXT, "bool": {"type": "boolean"}, "int64": SAFE, "float64": NUMBER}.items()
    ]
}
WARNINGS = {"anyOf": [{"type": "null"}, rows(TEXT)]}
REFERENCE = record({"refType": {"enum": ["CHILD_OF", "FOLLOWS_FROM"]}, "traceID": TRACE_ID, "spanID": SPAN_ID})
JAEGER_SPAN = record(
    {
        "traceID": TRACE_ID,
        "spanID": SPAN_ID,
        "operationName": TEXT,
        "references": rows(REFERENCE),
        "startTime": NATURAL,
        "duration": NATURAL,
        "tags": rows(TAG),
        "logs": rows(record({"timestamp": NATURAL, "fields": rows(TAG)})),
        "processID": TEXT,
        "warnings": WARNINGS,
    }
)
PROCESSES = {"type": "object", "additionalProperties": record({"serviceName": TEXT, "tags": rows(TAG)})}
JAEGER = record(
    {
        "data": rows(record({"traceID": TRACE_ID, "spans": rows(JAEGER_SPAN), "processes": PROCESSES, "warnings": WARNINGS})),
        "total": NATURAL,
    }
)

# ---- Chrome: the document "Trace Event Format", as far as these phases go

AT = {"pid": NATURAL, "tid": NATURAL}
MOMENT = {**AT, "name": TEXT, "ts": {"type": "number", "minimum": 0}}
FLOW = {**MOMENT, "cat": TEXT, "id": NATURAL}
NAMES = ["process_name", "thread_name"]
CHROME = record(
    {
        "traceEvents": rows(
            {
                "oneOf": [
                    record(
                        {"ph": {"const": "X"}, **MOMENT, "dur": {"type": "number", "minimum": 0}, "cat": TEXT, "args": {"type": "object"}}
                    ),
                    record({"ph": {"const": "i"}, **MOMENT, "s": {"enum": ["g", "p", "t"]}}),
                    record({"ph": {"const": "s"}, **FLOW}),
                    record({"ph": {"const": "f"}, **FLOW, "bp": {"const": "e"}}),
                    record({"ph": {"const": "M"}, **AT, "name": {"enum": NAMES}, "args": record({"name": TEXT})}),
                    record({"ph": {"const": "M"}, **AT, "name": {"const": "thread_sort_index"}, "args": record({"sort_index": SAFE})}),
                ]
            }
        ),
        "displayTimeUnit": {"enum": ["ms", "ns"]},
    },
    otherData={"type": "object"},
)


def fits(schema: dict[str, Any], exported: dict[str, Any]) -> None:
    """It is JSON, and as the schema says."""
    Draft202012Validator(schema).validate(json.loads(json.dumps(exported, allow_nan=False)))


@ANY
@given(spans=SPANS)
def test_jaeger(spans: list[Span]) -> None:
    for trace in traces(spans):
        fits(JAEGER, to_jaeger(trace))


@ANY
@given(spans=SPANS)
def test_chrome(spans: list[Span]) -> None:
    for trace in traces(spans):
        fits(CHROME, to_chrome(trace))


def test_a_flow_leaves_once_and_arrives_once() -> None:
    chrome = to_chrome(find(str(EXAMPLE)))
    fits(CHROME, chrome)
    flows = Counter((event["id"], event["ph"]) for event in chrome["traceEvents"] if event["ph"] in "sf")
    assert set(flows.values()) == {1}
    assert {id for id, _ in flows} == {id for id, phase in flows if phase == "s"} == {id for id, phase in flows if phase == "f"}


def test_the_example_in_jaeger() -> None:
    fits(JAEGER, to_jaeger(find(str(EXAMPLE))))


@ANY
@given(spans=SPANS)
def test_otlp_is_what_its_messages_are_in_json(spans: list[Span]) -> None:
    """Every field is one of the message's, of its type; ids are in hex there, where protobuf has base64."""
    for trace in traces(spans):
        exported = json.loads(json.dumps(to_otlp(trace), allow_nan=False))
        for resource in exported["resourceSpans"]:
            for scope in resource["scopeSpans"]:
                for span in scope["spans"]:
                    _as_protobuf(span)
        read = json_format.ParseDict(exported, ExportTraceServiceRequest())
        found = [span for resource in read.resource_spans for scope in resource.scope_spans for span in scope.spans]
        assert sorted((it.span_id.hex(), it.name, it.start_time_unix_nano, it.end_time_unix_nano) for it in found) == sorted(
            (it.id, it.name, it.start, it.end) for it in trace.spans
        )
        assert all({len(it.trace_id), len(it.span_id), len(it.parent_span_id) or 8} == {16, 8} for it in found)


def _as_protobuf(span: dict[str, Any]) -> None:
    for it in (span, *span["links"]):
        for key in ("traceId", "spanId", "parentSpanId"):
            if key in it:
                it[key] = base64.b64encode(bytes.fromhex(it[key])).decode()
