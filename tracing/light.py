"""Spans that cost little: what `configure` hands alto's recorder, as the SDK's own take a quarter of the time that may be spent.

They are OpenTelemetry's `Span` to whoever makes them or finds them around its code, and readable as the SDK's spans are to its
exporters. Only alto's own spans are such; other instrumentors get the SDK's.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from random import Random
from time import time_ns
from typing import Any, NamedTuple

from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import Decision
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    Tracer,
    get_current_span,
)

from alto_langgraph.tracing.shared import Shared

_UNSET = Status(StatusCode.UNSET)
_NONE: list[Any] = []
"""Until a span has any links or events; nobody adds to this one."""


class Event(NamedTuple):
    """Something that happened in a span, as the SDK's exporters read it."""

    name: str
    timestamp: int
    attributes: Mapping[str, Any]
    dropped_attributes: int = 0


class LightSpan(Span):
    """A span that takes what it is given, until it ends: alto gives it only what OpenTelemetry allows."""

    __slots__ = ("context", "end_time", "events", "kind", "links", "name", "own", "parent", "shared", "start_time", "status", "tracer")
    dropped_attributes = dropped_events = dropped_links = 0

    def __init__(
        self, tracer: LightTracer, name: str, context: SpanContext, parent: SpanContext | None, kind: SpanKind, start: int
    ) -> None:
        self.tracer, self.name, self.context, self.parent, self.kind, self.start_time = tracer, name, context, parent, kind, start
        self.end_time: int | None = None
        self.shared: tuple[Shared, ...] = ()
        self.own: dict[str, Any] = {}
        self.events: list[Event] = _NONE
        self.links: list[Link] = _NONE
        self.status = _UNSET

    @property
    def attributes(self) -> dict[str, Any]:
        """All that is known of it: what it has in common with others, and its own."""
        known: dict[str, Any] = {}
        for it in self.shared:
            known |= it
        return known | self.own

    @property
    def all_differ(self) -> bool:
        """Whether nothing is said of it twice."""
        return all(map(self.own.keys().isdisjoint, self.shared))

    @property
    def resource(self) -> Resource:
        """Whom it is about."""
        return self.tracer.resource

    @property
    def instrumentation_scope(self) -> InstrumentationScope:
        """Who has made it."""
        return self.tracer.instrumentation_scope

    def get_span_context(self) -> SpanContext:
        """Its ids."""
        return self.context

    def set_attributes(self, attributes: Mapping[str, Any]) -> None:
        """Adds to what is known of it."""
        if self.end_time is not None:
            return
        if type(attributes) is Shared:
            self.shared = (*self.shared, attributes)
        else:
            self.own.update(attributes)

    def set_attribute(self, key: str, value: Any) -> None:
        """Adds to what is known of it."""
        if self.end_time is None:
            self.own[key] = value

    def add_event(self, name: str, attributes: Any = None, timestamp: int | None = None) -> None:
        """Something has happened."""
        if self.end_time is None:
            if self.events is _NONE:
                self.events = []
            self.events.append(Event(name, time_ns() if timestamp is None else timestamp, attributes or {}))

    def add_link(self, context: SpanContext, attributes: Any = None) -> None:
        """It is made of what another span has come to."""
        if self.end_time is None:
            if self.links is _NONE:
                self.links = []
            self.links.append(Link(context, attributes))

    def update_name(self, name: str) -> None:
        """Calls it something else."""
        if self.end_time is None:
            self.name = name

    def is_recording(self) -> bool:
        """Whether it goes on."""
        return self.end_time is None

    def set_status(self, status: Any, description: str | None = None) -> None:
        """How it went."""
        if self.end_time is None:
            self.status = status if isinstance(status, Status) else Status(status, description)

    def record_exception(
        self, exception: BaseException, attributes: Any = None, timestamp: int | None = None, escaped: bool = False
    ) -> None:
        """For others who find it around their code; alto says itself what went wrong."""
        self.add_event("exception", {"exception.type": type(exception).__qualname__, **(attributes or {})}, timestamp)

    def let_go(self) -> None:
        """It has been exported: a run may yet remember it as what others hang below, which takes its ids alone."""
        self.own, self.events, self.links, self.shared = {}, _NONE, _NONE, ()

    def end(self, end_time: int | None = None) -> None:
        """It is over, and goes to whoever exports it."""
        if self.end_time is None:
            self.end_time = time_ns() if end_time is None else end_time
            self.tracer.done(self)


class LightTracer(Tracer):
    """Makes such spans.

    Args:
        provider: Whose sampler decides about runs, and whose resource they are about.
        scope: What is recorded.
        done: Takes spans that are over.
    """

    def __init__(self, provider: TracerProvider, scope: InstrumentationScope, done: Callable[[Any], None]) -> None:
        self._provider, self.instrumentation_scope, self.done = provider, scope, done
        ids = Random()  # of its own: an app's random numbers stay the same
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=ids.seed)
        self._bits = ids.getrandbits
        self._sampled, self._unsampled = TraceFlags(TraceFlags.SAMPLED), TraceFlags(TraceFlags.DEFAULT)

    @property
    def resource(self) -> Resource:
        """Whom spans are about; after a fork the provider has another one."""
        return self._provider.resource

    def start_span(
        self,
        name: str,
        context: Context | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
        attributes: Any = None,
        links: Sequence[Link] | None = None,
        start_time: int | None = None,
        record_exception: bool = True,
        set_status_on_exception: bool = True,
    ) -> Span:
        """A span that has begun; one that records nothing where its run isn't sampled."""
        around = get_current_span(context)
        outside = around.get_span_context()
        parent = outside if type(around) is LightSpan or outside.is_valid else None
        if parent is not None and not parent.is_remote:
            span_context = SpanContext(parent.trace_id, self._bits(64) or 1, False, parent.trace_flags, parent.trace_state)
        else:
            span_context = self._root(parent, name, context, kind, attributes, links)
        if not span_context.trace_flags.sampled:
            return NonRecordingSpan(span_context)
        span = LightSpan(self, name, span_context, parent, kind, time_ns() if start_time is None else start_time)
        if attributes:
            span.set_attributes(attributes)
        if links:
            span.links = [*links]
        return span

    def _root(self, parent: SpanContext | None, name: str, context: Any, kind: SpanKind, attributes: Any, links: Any) -> SpanContext:
        trace = parent.trace_id if parent is not None else self._bits(128) or 1
        asked = self._provider.sampler.should_sample(context, trace, name, kind, attributes, links)
        flags = self._sampled if asked.decision is Decision.RECORD_AND_SAMPLE else self._unsampled
        return SpanContext(trace, self._bits(64) or 1, False, flags, asked.trace_state)

    def start_as_current_span(self, *args: Any, **how: Any) -> Any:
        """Nobody asks for it: alto makes a span current itself."""
        raise NotImplementedError
