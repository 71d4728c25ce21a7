"""Reads spans from OTLP JSON, one request a line or one for the whole file.

The format is OTLP's JSON encoding (https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding) in files as the collector's
file exporter leaves them (https://opentelemetry.io/docs/specs/otel/protocol/file-exporter/).
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from os import PathLike
from pathlib import Path
from typing import Any

from alto_langgraph.exceptions import TraceError
from alto_langgraph.traces.span import Attributes, Event, Link, Span

KINDS = {"UNSPECIFIED": 0, "INTERNAL": 1, "SERVER": 2, "CLIENT": 3, "PRODUCER": 4, "CONSUMER": 5}
STATUSES = {"UNSET": 0, "OK": 1, "ERROR": 2}
OTHER_SIGNALS = ("resourceLogs", "resourceMetrics", "resourceProfiles")

DEEPEST = 64
"""Levels of nested attribute values that are read; no instrumentation goes near it."""


def read(path: str | PathLike[str]) -> list[Span]:
    """All spans of a file, in its order.

    A last line that isn't complete is left out: its writer was at it, or died.

    Raises:
        TraceError: the file can't be read, or holds something else; names the line.
    """
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise TraceError(f"`{path}` can't be read: {error.strerror}.") from error
    if (whole := _whole(content)) is not None:
        return _spans(whole, f"`{path}`")
    lines = content.split(b"\n")
    found: list[Span] = []
    for number, line in enumerate(lines, 1):
        if line.strip():
            found += _of_line(line, f"`{path}`, line {number}", last=number == len(lines))
    return found


def _whole(content: bytes) -> Any:
    """The value of a file that is one JSON text over several lines; None if it is anything else."""
    first, _, rest = content.lstrip().partition(b"\n")
    if not rest.strip() or _is_json(first):
        return None
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None


def _is_json(line: bytes) -> bool:
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True


def _of_line(line: bytes, where: str, *, last: bool) -> list[Span]:
    try:
        request = json.loads(line)
    except (ValueError, RecursionError) as error:
        if last:
            return []
        raise _corrupt(where, f"it isn't JSON ({str(error)[:80]})") from None
    return _spans(request, where)


def _spans(request: Any, where: str) -> list[Span]:
    try:
        return [*_read_request(request)]
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError) as error:
        raise _corrupt(where, str(error)[:120]) from None


def _corrupt(where: str, why: str) -> TraceError:
    return TraceError(f"{where}: no spans in OTLP JSON here: {why}.", hint="Take the line out, or read another file.")


def _read_request(request: Any) -> Iterator[Span]:
    if not isinstance(request, Mapping):
        raise TypeError(f"it holds {_short(request)}, and no object with `resourceSpans`")
    if "resourceSpans" not in request and not any(signal in request for signal in OTHER_SIGNALS):
        raise KeyError("there is no `resourceSpans`")
    for group in _rows(request, "resourceSpans"):
        resource = _attributes(_mapping(group, "resource"))
        for scoped in _rows(group, "scopeSpans"):
            scope = _text(_mapping(scoped, "scope"), "name")
            for span in _rows(scoped, "spans"):
                yield _read_span(span, resource, scope)


def _read_span(span: Mapping[str, Any], resource: Attributes, scope: str) -> Span:
    start = _whole_number(span.get("startTimeUnixNano"))
    status = _mapping(span, "status")
    return Span(
        trace=_id(span, "traceId", 32),
        id=_id(span, "spanId", 16),
        parent=_id(span, "parentSpanId", 16, optional=True),
        name=_text(span, "name"),
        start=start,
        end=max(start, _whole_number(span.get("endTimeUnixNano"))),
        kind=_enumerated(span.get("kind"), "SPAN_KIND_", KINDS),
        attributes=_attributes(span),
        events=tuple(
            Event(_text(event, "name"), _whole_number(event.get("timeUnixNano")), _attributes(event)) for event in _rows(span, "events")
        ),
        links=tuple(Link(_id(link, "traceId", 32), _id(link, "spanId", 16), _attributes(link)) for link in _rows(span, "links")),
        status=_enumerated(status.get("code"), "STATUS_CODE_", STATUSES),
        message=_text(status, "message"),
        resource=resource,
        scope=scope,
        state=_text(span, "traceState"),
    )


def _rows(holder: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    rows = holder.get(key) or []
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
        raise TypeError(f"`{key}` is no list of objects")
    return rows


def _mapping(holder: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = holder.get(key) or {}
    if not isinstance(found, Mapping):
        raise TypeError(f"`{key}` is no object")
    return found


def _text(holder: Mapping[str, Any], key: str) -> str:
    found = holder.get(key) or ""
    if not isinstance(found, str):
        raise TypeError(f"`{key}` is no string")
    return found


def _id(holder: Mapping[str, Any], key: str, digits: int, *, optional: bool = False) -> str:
    found = _text(holder, key).lower()
    if optional and not found.strip("0"):
        return ""
    if len(found) != digits or not all(digit in "0123456789abcdef" for digit in found):
        raise ValueError(f"`{key}` isn't {digits} hexadecimal digits but {_short(found)}")
    return found


def _whole_number(value: Any) -> int:
    """A 64-bit number: JSON holds it as a string, some writers as a number."""
    if value is None or value == "":
        return 0
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise TypeError(f"{_short(value)} is no number")
    return int(value)


def _enumerated(value: Any, prefix: str, names: Mapping[str, int]) -> int:
    if isinstance(value, str) and not value.isdecimal():
        return names.get(value.removeprefix(prefix), 0)
    return _whole_number(value)


def _attributes(holder: Mapping[str, Any]) -> dict[str, Any]:
    return {_text(row, "key"): _value(row.get("value")) for row in _rows(holder, "attributes")}


def _value(value: Any, depth: int = 0) -> Any:
    """A value of OTLP's `AnyValue`; None for one of a kind that isn't known."""
    if not isinstance(value, Mapping) or depth > DEEPEST:
        return None
    for kind, held in value.items():
        match kind:
            case "stringValue" | "boolValue":
                return held
            case "intValue":
                return _whole_number(held)
            case "doubleValue":
                return float(held)
            case "arrayValue":
                return [_value(one, depth + 1) for one in _rows(_mapping(value, kind), "values")]
            case "kvlistValue":
                return {_text(row, "key"): _value(row.get("value"), depth + 1) for row in _rows(_mapping(value, kind), "values")}
            case "bytesValue":
                return base64.b64decode(held)
    return None


def _short(value: Any) -> str:
    return repr(value)[:40]
