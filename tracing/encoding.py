"""OTLP in JSON, by hand: the SDK's encoders take most of what a span may cost."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

import orjson

from alto_langgraph.tracing.grouping import by, flags
from alto_langgraph.tracing.light import LightSpan
from alto_langgraph.tracing.shared import Shared, SharedLink

_KEYS: dict[str, bytes] = {}
_NOT_FINITE = {"nan": b"NaN", "inf": b"Infinity", "-inf": b"-Infinity"}
"""As protobuf writes them in JSON."""
_MOST = 4096


def line(spans: Sequence[Any]) -> bytes:
    """Spans as one line of OTLP JSON (an `ExportTraceServiceRequest`), which ends with a line break."""
    resources = [_resource(resource, here) for resource, here in by(spans, "resource")]
    return b'{"resourceSpans":[' + b",".join(resources) + b"]}\n"


def _resource(resource: Any, spans: list[Any]) -> bytes:
    scopes = b",".join(_scope(scope, here) for scope, here in by(spans, "instrumentation_scope"))
    about = b'{"attributes":[' + _attributes(resource.attributes) + b"]}"
    return b'{"resource":' + about + b',"scopeSpans":[' + scopes + b"]" + _schema(resource) + b"}"


def _scope(scope: Any, spans: list[Any]) -> bytes:
    body = b",".join(map(_span, spans))
    if scope is None:
        return b'{"scope":{},"spans":[' + body + b"]}"
    about = b'{"name":' + orjson.dumps(scope.name) + (b',"version":' + orjson.dumps(scope.version) if scope.version else b"") + b"}"
    return b'{"scope":' + about + b',"spans":[' + body + b"]" + _schema(scope) + b"}"


def _schema(it: Any) -> bytes:
    return b',"schemaUrl":' + orjson.dumps(it.schema_url) if it.schema_url else b""


def _span(span: Any) -> bytes:
    context, parent = span.get_span_context(), span.parent
    parts = [
        b'{"traceId":"%032x","spanId":"%016x",' % (context.trace_id, context.span_id),
        b'"parentSpanId":"%016x",' % parent.span_id if parent is not None else b"",
        b'"traceState":' + orjson.dumps(context.trace_state.to_header()) + b"," if context.trace_state else b"",
        b'"flags":%d,"name":%b,"kind":%d,' % (flags(parent), orjson.dumps(span.name), span.kind.value + 1),
        b'"startTimeUnixNano":"%d","endTimeUnixNano":"%d",' % (span.start_time, span.end_time),
        b'"attributes":[' + _all_attributes(span) + b"]",
        b',"events":[' + b",".join(map(_event, span.events)) + b"]" if span.events else b"",
        b',"links":[' + b",".join(map(_link, span.links)) + b"]" if span.links else b"",
        b',"status":' + _status(span.status) + b"}",
    ]
    return b"".join(parts)


def _status(status: Any) -> bytes:
    if status is None or status.is_unset:
        return b"{}"
    message = b',"message":' + orjson.dumps(status.description) if status.description else b""
    return b'{"code":%d%b}' % (status.status_code.value, message)


def _event(event: Any) -> bytes:
    about = b',"attributes":[' + _attributes(event.attributes) + b"]" if event.attributes else b""
    return b'{"timeUnixNano":"%d","name":%b%b}' % (event.timestamp, orjson.dumps(event.name), about)


def _link(link: Any) -> bytes:
    if type(link) is not SharedLink:
        return _new_link(link)
    link.json = link.json or _new_link(link)
    return link.json


def _new_link(link: Any) -> bytes:
    context = link.context
    about = b',"attributes":[' + _attributes(link.attributes) + b"]" if link.attributes else b""
    return b'{"traceId":"%032x","spanId":"%016x","flags":%d%b}' % (context.trace_id, context.span_id, flags(context), about)


def _all_attributes(span: Any) -> bytes:
    """A span's; what many have in common is written once."""
    if type(span) is not LightSpan or not span.all_differ:
        return _attributes(span.attributes)
    return b",".join([_attributes(it) for it in (*span.shared, span.own) if it])


def _attributes(attributes: Mapping[str, Any] | None) -> bytes:
    if type(attributes) is not Shared:
        return _new_attributes(attributes) if attributes else b""
    attributes.json = attributes.json or _new_attributes(attributes)
    return attributes.json


def _new_attributes(attributes: Mapping[str, Any]) -> bytes:
    return b",".join([_attribute(key, value) for key, value in attributes.items()])


def _attribute(key: str, value: Any) -> bytes:
    before = _KEYS.get(key) or _known_key(key)
    kind = type(value)
    if kind is str:
        return b'%b{"stringValue":%b}}' % (before, _text(value))
    if kind is float and isfinite(value):
        return b'%b{"doubleValue":%b}}' % (before, orjson.dumps(value))
    if kind is int:
        return b'%b{"intValue":"%d"}}' % (before, value)
    return b"%b%b}" % (before, _value(value))


def _known_key(key: str) -> bytes:
    if len(_KEYS) >= _MOST:
        _KEYS.clear()
    written = _KEYS[key] = b'{"key":%b,"value":' % orjson.dumps(key)
    return written


def _value(value: Any) -> bytes:
    match value:
        case str():
            return b'{"stringValue":%b}' % _text(value)
        case bool():
            return b'{"boolValue":true}' if value else b'{"boolValue":false}'
        case int():
            return b'{"intValue":"%d"}' % value
        case float():
            return b'{"doubleValue":%b}' % (orjson.dumps(value) if isfinite(value) else b'"%b"' % _NOT_FINITE[str(value)])
        case bytes():
            return b'{"bytesValue":"%b"}' % base64.b64encode(value)
        case Mapping():
            return b'{"kvlistValue":{"values":[' + _attributes(value) + b"]}}"
        case Sequence():
            return b'{"arrayValue":{"values":[' + b",".join(map(_value, value)) + b"]}}"
        case None:
            return b"{}"
        case _:
            return b'{"stringValue":%b}' % _text(str(value))


def _text(value: str) -> bytes:
    try:
        return orjson.dumps(value)
    except (TypeError, orjson.JSONEncodeError):  # half of a surrogate pair
        return orjson.dumps(value.encode("utf-8", "replace").decode())
