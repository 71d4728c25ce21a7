"""Turns a trace into what other viewers open: Jaeger's JSON, OTLP JSON, and the Chrome trace format, which Perfetto reads."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from alto_langgraph.traces.lanes import lanes, share
from alto_langgraph.traces.model import Call, Fragment, Trace
from alto_langgraph.traces.request import request
from alto_langgraph.traces.span import ERROR, OK, Attributes, Span
from alto_langgraph.tracing import attributes as names

KINDS = {1: "internal", 2: "server", 3: "client", 4: "producer", 5: "consumer"}
LARGEST = 2**53
"""Larger whole numbers lose digits in a browser."""


def to_otlp(trace: Trace) -> dict[str, Any]:
    """One OTLP request: all spans as they were recorded."""
    return request(trace.spans)


def to_jaeger(trace: Trace) -> dict[str, Any]:
    """What Jaeger's upload tab opens in the browser, without a server.

    Links become references behind the parent. Those of a span without a parent are left out: Jaeger would hang it below the first.
    """
    processes: dict[str, str] = {}
    spans = [_jaeger_span(span, processes) for span in trace.spans]
    told = {name: json.loads(process) for process, name in processes.items()}
    return {"data": [{"traceID": trace.id, "spans": spans, "processes": told, "warnings": None}], "total": 1}


def _jaeger_span(span: Span, processes: dict[str, str]) -> dict[str, Any]:
    process = {"serviceName": str(span.resource.get(names.SERVICE) or "unknown"), "tags": _tags(span.resource)}
    links = [("FOLLOWS_FROM", link.trace, link.span) for link in span.links]
    references = [("CHILD_OF", span.trace, span.parent), *links] if span.parent else []
    return {
        "traceID": span.trace,
        "spanID": span.id,
        "operationName": span.name,
        "references": [{"refType": kind, "traceID": trace, "spanID": id} for kind, trace, id in references],
        "startTime": span.start // 1000,
        "duration": span.end // 1000 - span.start // 1000,
        "tags": _tags({**span.attributes, **_jaeger_status(span)}),
        "logs": [{"timestamp": e.at // 1000, "fields": _tags({"event": e.name, **e.attributes})} for e in span.events],
        "processID": processes.setdefault(json.dumps(process, sort_keys=True), f"p{len(processes) + 1}"),
        "warnings": None,
    }


def _jaeger_status(span: Span) -> dict[str, Any]:
    """As OpenTelemetry's mapping to Jaeger has it."""
    found: dict[str, Any] = {"span.kind": KINDS.get(span.kind, "internal"), "otel.scope.name": span.scope}
    if span.status == ERROR:
        found |= {"error": True, "otel.status_code": "ERROR", "otel.status_description": span.message}
    elif span.status == OK:
        found["otel.status_code"] = "OK"
    return {key: value for key, value in found.items() if value != ""}


def _tags(attributes: Attributes) -> list[dict[str, Any]]:
    return [{"key": key, **_tag(value)} for key, value in attributes.items()]


def _tag(value: Any) -> dict[str, Any]:
    match value:
        case bool():
            return {"type": "bool", "value": value}
        case int() if abs(value) <= LARGEST:
            return {"type": "int64", "value": value}
        case float() if math.isfinite(value):
            return {"type": "float64", "value": value}
    return {"type": "string", "value": value if isinstance(value, str) else json.dumps(value, default=_text)}


def _text(value: Any) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)


def to_chrome(trace: Trace) -> dict[str, Any]:
    """The Chrome trace format: a thread for each lane of fragments, with their calls, and links as flows.

    Spans of other instrumentations stand in a process of their own.
    """
    return {"traceEvents": [*_Chrome(trace).events()], "displayTimeUnit": "ms", "otherData": {"trace": trace.id}}


class _Chrome:
    """Slices of one thread must lie inside each other or apart, so what overlaps gets threads of its own."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        self.flows = 0

    def events(self) -> Iterator[dict[str, Any]]:
        ours: set[str] = set()
        for number, run in enumerate(self.trace.runs, 1):
            rows = lanes(run)
            yield _meta("process_name", number, 0, name=run.graph or "LangGraph")
            for fragment, row in self._first_of_rows(rows):
                yield _meta("thread_name", number, row + 1, name=fragment.tag)
                yield _meta("thread_sort_index", number, row + 1, sort_index=row)
            beside: list[Call] = [*run.calls]
            for fragment, row in rows.items():
                yield from self._fragment(fragment, number, row + 1, rows)
                within, over = _nested(fragment)
                beside += over
                yield from (_slice(call.span, self._micro(call.start), self._micro(call.end), number, row + 1) for call in within)
            placed = share(beside, lambda call: (call.start, call.end), max(rows.values(), default=-1) + 2)
            yield from (_slice(call.span, self._micro(call.start), self._micro(call.end), number, row) for call, row in placed)
            ours |= {f.span.id for f in rows} | {call.span.id for f in rows for call in f.calls} | {call.span.id for call in run.calls}
        other = [span for span in self.trace.spans if span.id not in ours]
        yield _meta("process_name", 0, 0, name="runs, and what others recorded")
        for span, row in share(other, lambda span: (span.start, span.end), 1):
            start = (span.start - self.trace.start) / 1000
            yield _slice(span, start, (span.end - self.trace.start) / 1000, 0, row)

    @staticmethod
    def _micro(at: float) -> float:
        return round(at * 1e6, 3)

    @staticmethod
    def _first_of_rows(rows: Mapping[Fragment, int]) -> Iterable[tuple[Fragment, int]]:
        first: dict[int, Fragment] = {}
        for fragment, row in rows.items():
            if row not in first or fragment.start < first[row].start:
                first[row] = fragment
        return ((fragment, row) for row, fragment in first.items())

    def _fragment(self, f: Fragment, process: int, thread: int, rows: Mapping[Fragment, int]) -> Iterator[dict[str, Any]]:
        yield _slice(f.span, self._micro(f.start), self._micro(f.end), process, thread)
        if f.committed is not None:
            yield {"ph": "i", "s": "t", "name": "committed", "pid": process, "tid": thread, "ts": self._micro(f.committed)}
        for one in (one for one in f.inputs if one in rows):
            self.flows += 1
            flow = {"cat": "input", "name": "input", "id": self.flows, "pid": process}
            leaves = max(one.start, min(one.end, f.start) - 1e-9)
            yield {"ph": "s", **flow, "tid": rows[one] + 1, "ts": self._micro(leaves)}
            yield {"ph": "f", "bp": "e", **flow, "tid": thread, "ts": self._micro(f.start)}


def _nested(fragment: Fragment) -> tuple[list[Call], list[Call]]:
    """A fragment's calls: those that can be drawn inside its slice, and those that overlap these."""
    within: list[Call] = []
    over: list[Call] = []
    open_until: list[float] = [fragment.end]
    for call in fragment.calls:
        while len(open_until) > 1 and open_until[-1] <= call.start:
            open_until.pop()
        fits = fragment.start <= call.start and call.end <= open_until[-1]
        (within if fits else over).append(call)
        if fits:
            open_until.append(call.end)
    return within, over


def _slice(span: Span, start: float, end: float, process: int, thread: int) -> dict[str, Any]:
    event = {"ph": "X", "cat": span.scope or "span", "name": span.name, "pid": process, "tid": thread, "ts": start}
    return {**event, "dur": round(max(0.0, end - start), 3), "args": {tag["key"]: tag["value"] for tag in _tags(span.attributes)}}


def _meta(what: str, process: int, thread: int, **told: Any) -> dict[str, Any]:
    return {"ph": "M", "name": what, "pid": process, "tid": thread, "args": told}


FORMATS: Mapping[str, Callable[[Trace], dict[str, Any]]] = {"jaeger": to_jaeger, "otlp": to_otlp, "chrome": to_chrome}
"""By the name that the command line has for it."""
