"""What runs leave in traces, for tests: recorded in memory, and whether it is well-formed."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from alto_langgraph.tracing import attributes as names

ENDED = frozenset({"committed", "squashed", "failed", "cached", "interrupted", "cancelled"})
TOLERANCE = 1_000_000
"""Nanoseconds by which a child may seem to stick out of its parent: their times come from two clocks."""


@contextmanager
def recorded(spans: list[Any] | None = None) -> Iterator[list[Any]]:
    """Traces the runs of graphs that are compiled inside the block; yields the spans that have ended, in that order.

    Nothing of OpenTelemetry's own, which is there once for the whole process, is set up.

    Raises:
        ImportError: the extra `otel` isn't installed.
    """
    from opentelemetry.sdk.trace import TracerProvider, sampling
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope

    from alto_langgraph.tracing import configuring
    from alto_langgraph.tracing.light import LightTracer

    ended: list[Any] = [] if spans is None else spans
    provider = TracerProvider(sampler=sampling.ALWAYS_ON, shutdown_on_exit=False)
    tracer = LightTracer(provider, InstrumentationScope(names.SCOPE), ended.append)
    with (
        patch.object(configuring, "_configured", configuring.Tracing(tracer, None)),
        patch.dict(os.environ, {"ALTO_TRACE": "1"}),
    ):
        yield ended


def faults(spans: Iterable[Any]) -> list[str]:
    """What is wrong with the traces that these spans, all of them over, make up; nothing, if all is well.

    Each trace has one root, which is a run; parents are there, and contain their children or are linked to them; links lead to spans
    that are there; in each run of a graph, one fragment at most with a tag counts; and each fragment says what became of it.
    """
    by_trace: dict[int, dict[int, Any]] = {}
    for span in spans:
        by_trace.setdefault(span.context.trace_id, {})[span.context.span_id] = span
    return [fault for trace in by_trace.values() for fault in _faults_of(trace)]


def _faults_of(trace: Mapping[int, Any]) -> Iterator[str]:
    roots = [span.name for span in trace.values() if span.parent is None]
    if len(roots) != 1 or not roots[0].startswith(names.RUN_SPAN):
        yield f"the roots of a trace are {roots}"
    counting: Counter[tuple[int, str]] = Counter()
    for span in trace.values():
        name = _told(span)
        if span.end_time < span.start_time:
            yield f"{name} ends before it begins"
        yield from (f"{name} is linked to what isn't there" for link in span.links if link.context.span_id not in trace)
        if span.parent is None:
            continue
        if (parent := trace.get(span.parent.span_id)) is None:
            yield f"{name} has a parent that isn't there"
            continue
        if not _contains(parent, span) and not any(link.context.span_id == span.parent.span_id for link in span.links):
            yield f"{name} is neither within {_told(parent)} nor linked to it"
        if span.name.startswith(f"{names.FRAGMENT_SPAN} "):
            outcome = span.attributes.get(names.OUTCOME)
            if outcome not in ENDED:
                yield f"{name} ended as {outcome}"
            if outcome != "squashed":
                counting[_run_of(span, trace), span.attributes[names.TAG]] += 1
    yield from (f"{number} fragments count as {tag}" for (_, tag), number in counting.items() if number > 1)


def _contains(parent: Any, span: Any) -> bool:
    """Whether a child is within its parent; what is cancelled may be over sooner than what it has begun."""
    outlasts = parent.attributes.get(names.OUTCOME) in ("cancelled", "squashed") and span.start_time <= parent.end_time
    ends = outlasts or span.end_time <= parent.end_time + TOLERANCE
    return bool(ends and parent.start_time <= span.start_time + TOLERANCE)


def _run_of(span: Any, trace: Mapping[int, Any]) -> int:
    """The span of the run of its graph."""
    while span.parent is not None and not span.name.startswith(f"{names.RUN_SPAN} "):
        span = trace.get(span.parent.span_id, _LOST)
    return int(span.context.span_id) if span is not _LOST else 0


class _Lost:
    parent = None


_LOST: Any = _Lost()


def _told(span: Any) -> str:
    tag = span.attributes.get(names.TAG)
    return f"`{span.name}`{f' ({tag}, {span.attributes.get(names.OUTCOME)})' if tag else ''}"


def counted(spans: Iterable[Any], outcomes: Iterable[str] = ("committed", "cached")) -> Counter[tuple[str, str]]:
    """How many fragments of each node have counted, by namespace and node."""
    wanted = frozenset(outcomes)
    fragments = (span.attributes for span in spans if span.name.startswith(f"{names.FRAGMENT_SPAN} "))
    return Counter((it.get(names.NAMESPACE, ""), it[names.NODE]) for it in fragments if it[names.OUTCOME] in wanted)
