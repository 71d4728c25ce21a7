"""OTLP in protobuf, by hand: the SDK's encoder takes more time than all else that a span costs.

Field numbers are those of opentelemetry-proto's `trace.proto`, `common.proto` and `resource.proto`, whose messages of one kind are
written the same way: a number, a length, the bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from struct import pack
from typing import Any

from alto_langgraph.tracing.grouping import by, flags
from alto_langgraph.tracing.light import LightSpan
from alto_langgraph.tracing.shared import Shared, SharedLink

_KEYS: dict[str, bytes] = {}
_MOST = 4096
_TRACE_ID, _SPAN_ID, _PARENT_ID = b"\x0a\x10", b"\x12\x08", b"\x22\x08"


class Request:
    """An `ExportTraceServiceRequest`, as far as exporters need it."""

    def __init__(self, spans: Sequence[Any]) -> None:
        self._bytes = b"".join([_part(1, _resource(resource, here)) for resource, here in by(spans, "resource")])

    def SerializeToString(self) -> bytes:
        """What goes out."""
        return self._bytes

    SerializePartialToString = SerializeToString


def message(spans: Sequence[Any]) -> Any:
    """The same as a message, for gRPC, which takes nothing else."""
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    return ExportTraceServiceRequest.FromString(Request(spans).SerializeToString())


def _number(value: int) -> bytes:
    if value < 0x80:
        return b"%c" % value
    written = bytearray()
    while value >= 0x80:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    written.append(value)
    return bytes(written)


def _part(field: int, content: bytes) -> bytes:
    """A message, text or bytes as the field of a message."""
    return b"%b%b%b" % (_number(field << 3 | 2), _number(len(content)), content)


def _resource(resource: Any, spans: list[Any]) -> bytes:
    scopes = [_part(2, _scope(scope, here)) for scope, here in by(spans, "instrumentation_scope")]
    return _part(1, _attributes(resource.attributes, 1)) + b"".join(scopes) + _text(3, resource.schema_url)


def _scope(scope: Any, spans: list[Any]) -> bytes:
    body = b"".join([_part(2, _span(span)) for span in spans])
    if scope is None:
        return body
    return _part(1, _text(1, scope.name) + _text(2, scope.version)) + body + _text(3, scope.schema_url)


def _text(field: int, value: str | None) -> bytes:
    return _part(field, value.encode("utf-8", "replace")) if value else b""


def _span(span: Any) -> bytes:
    context, parent, status = span.get_span_context(), span.parent, span.status
    parts = [
        _TRACE_ID + context.trace_id.to_bytes(16, "big") + _SPAN_ID + context.span_id.to_bytes(8, "big"),
        _text(3, context.trace_state.to_header()) if context.trace_state else b"",
        _PARENT_ID + parent.span_id.to_bytes(8, "big") if parent is not None else b"",
        _text(5, span.name),
        b"\x30%c" % (span.kind.value + 1),
        pack("<BQBQ", 0x39, span.start_time, 0x41, span.end_time),
        _all_attributes(span),
        *[_part(11, pack("<BQ", 9, it.timestamp) + _text(2, it.name) + _attributes(it.attributes, 3)) for it in span.events],
        *[_part(13, _link(it)) for it in span.links],
        _part(15, b"" if status.is_unset else _text(2, status.description) + b"\x18%c" % status.status_code.value),
        pack("<HI", 0x0185, flags(parent)),
    ]
    return b"".join(parts)


def _link(link: Any) -> bytes:
    if type(link) is not SharedLink:
        return _new_link(link)
    link.protobuf = link.protobuf or _new_link(link)
    return link.protobuf


def _new_link(link: Any) -> bytes:
    context = link.context
    ids: bytes = _TRACE_ID + context.trace_id.to_bytes(16, "big") + _SPAN_ID + context.span_id.to_bytes(8, "big")
    return ids + _attributes(link.attributes, 4) + pack("<BI", 0x35, flags(context))


def _all_attributes(span: Any) -> bytes:
    """A span's; what many have in common is written once."""
    if type(span) is not LightSpan or not span.all_differ:
        return _attributes(span.attributes, 9)
    return b"".join([_of_span(it) for it in span.shared]) + _attributes(span.own, 9)


def _of_span(attributes: Shared) -> bytes:
    attributes.protobuf = attributes.protobuf or _attributes(attributes, 9)
    return attributes.protobuf


def _attributes(attributes: Mapping[str, Any] | None, field: int) -> bytes:
    return b"".join([_part(field, _attribute(key, value)) for key, value in attributes.items()]) if attributes else b""


def _attribute(key: str, value: Any) -> bytes:
    before = _KEYS.get(key) or _known_key(key)
    if type(value) is float:
        return before + pack("<BBBd", 0x12, 9, 0x21, value)
    if type(value) is str:
        text = value.encode("utf-8", "replace")
        if len(text) < 0x7E:
            return b"%b\x12%c\x0a%c%b" % (before, len(text) + 2, len(text), text)
    return before + _part(2, _value(value))


def _known_key(key: str) -> bytes:
    if len(_KEYS) >= _MOST:
        _KEYS.clear()
    written = _KEYS[key] = _text(1, key)
    return written


def _value(value: Any) -> bytes:
    match value:
        case str():
            return _part(1, value.encode("utf-8", "replace"))
        case bool():
            return b"\x10\x01" if value else b"\x10\x00"
        case int():
            return b"\x18" + _number(value & 0xFFFFFFFFFFFFFFFF)
        case float():
            return pack("<Bd", 0x21, value)
        case bytes():
            return _part(7, value)
        case Mapping():
            return _part(6, _attributes(value, 1))
        case Sequence():
            return _part(5, b"".join([_part(1, _value(it)) for it in value]))
        case _:
            return b"" if value is None else _part(1, str(value).encode("utf-8", "replace"))
