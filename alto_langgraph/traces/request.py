"""Writes spans as OTLP JSON: what `otlp.read` reads."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Any

from alto_langgraph.traces.span import Attributes, Span


def request(spans: Iterable[Span]) -> dict[str, Any]:
    """One OTLP request with these spans, for `json.dumps`; reading it gives the same spans, grouped by process and instrumentation."""
    ordered = sorted(spans, key=_group)
    resources: list[dict[str, Any]] = []
    for _, of_process in groupby(ordered, key=lambda span: _group(span)[0]):
        scopes = []
        resource: Attributes = {}
        for scope, of_scope in groupby(of_process, key=lambda span: span.scope):
            rows = [*of_scope]
            resource = rows[0].resource
            scopes.append({"scope": {"name": scope}, "spans": [_written(span) for span in rows]})
        resources.append({"resource": {"attributes": _written_attributes(resource)}, "scopeSpans": scopes})
    return {"resourceSpans": resources}


def _group(span: Span) -> tuple[str, str]:
    return json.dumps(_written_attributes(span.resource), sort_keys=True), span.scope


def _written(span: Span) -> dict[str, Any]:
    times = {"startTimeUnixNano": str(span.start), "endTimeUnixNano": str(span.end)}
    status = {"code": span.status, "message": span.message} if span.message else {"code": span.status} if span.status else {}
    found = {"traceId": span.trace, "spanId": span.id, "parentSpanId": span.parent, "traceState": span.state, "name": span.name}
    return {
        **{key: value for key, value in found.items() if value or key == "name"},
        "kind": span.kind,
        **times,
        "attributes": _written_attributes(span.attributes),
        "events": [{"timeUnixNano": str(e.at), "name": e.name, "attributes": _written_attributes(e.attributes)} for e in span.events],
        "links": [{"traceId": li.trace, "spanId": li.span, "attributes": _written_attributes(li.attributes)} for li in span.links],
        "status": status,
    }


def _written_attributes(attributes: Attributes) -> list[dict[str, Any]]:
    return [{"key": key, "value": _written_value(value)} for key, value in attributes.items()]


def _written_value(value: Any) -> dict[str, Any]:
    match value:
        case None:
            return {}
        case bool():
            return {"boolValue": value}
        case int():
            return {"intValue": str(value)}
        case float():
            return {"doubleValue": value if math.isfinite(value) else _not_finite(value)}
        case bytes():
            return {"bytesValue": base64.b64encode(value).decode()}
        case Mapping():
            return {"kvlistValue": {"values": _written_attributes(value)}}
        case list() | tuple():
            return {"arrayValue": {"values": [_written_value(one) for one in value]}}
        case _:
            return {"stringValue": str(value)}


def _not_finite(value: float) -> str:
    """As protobuf's JSON has it, which `float` reads back."""
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
