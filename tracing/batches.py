"""Spans of calls that LangChain's callbacks don't tell of: of embeddings, and of what answers several fragments at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from time import time_ns
from typing import Any

from opentelemetry.trace import Link, NonRecordingSpan, SpanContext, SpanKind, Status, StatusCode, get_current_span, set_span_in_context

from alto_langgraph.protocols import CALLS, Operation
from alto_langgraph.tracing import attributes as names
from alto_langgraph.tracing.calls import HANDLER
from alto_langgraph.tracing.content import type_of
from alto_langgraph.tracing.measuring import METERS

SERVING: ContextVar[Operation | None] = ContextVar("alto_serving", default=None)
"""What is going on inside such a span."""


class Batches:
    """What `protocols.asker` and `served` ask."""

    def asker(self) -> SpanContext | None:
        """The span of the fragment, or of the call inside of it, whose code is running."""
        return get_current_span().get_span_context() if CALLS.get() is not None else None

    @contextmanager
    def served(self, operation: Operation, name: str, askers: Sequence[SpanContext]) -> Iterator[None]:
        """Around the answering; what fails is noted and goes on."""
        about: dict[str, Any] = {
            names.OPERATION: operation,
            names.DATA_SOURCE if operation == names.RETRIEVAL_SPAN else names.MODEL: name,
            names.BATCH: len(askers),
        }
        links = [Link(it, {names.LINK: "served"}) for it in askers] if len(askers) > 1 else []
        parent = set_span_in_context(NonRecordingSpan(askers[0]))
        began = time_ns()
        span = HANDLER.tracer.start_span(f"{operation} {name}", parent, SpanKind.CLIENT, about, links, began)
        inside = SERVING.set(operation)
        try:
            yield
        except BaseException as error:
            span.set_attribute(names.ERROR_TYPE, type_of(error))
            span.set_status(Status(StatusCode.ERROR, type_of(error)))
            raise
        finally:
            SERVING.reset(inside)
            METERS.calls.record((time_ns() - began) / 1e9, {names.OPERATION: operation, names.MODEL: name})
            span.end()
