"""Runs that aren't sampled."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

from opentelemetry import context as otel

from alto_langgraph.protocols import Fact, TaskFinished, TaskStarted


class Muted:
    """A run that isn't sampled: what its nodes ask isn't either, by OpenTelemetry's own rule, which looks at the span around it."""

    def __init__(self, context: otel.Context) -> None:
        self._context = context
        self._before: ContextVar[tuple[Any, ...]] = ContextVar("alto_before", default=())

    def observe(self, fact: Fact) -> None:
        """Shows nodes that nobody records them."""
        if type(fact) is TaskStarted:
            self._before.set((otel.get_current(), *self._before.get()))
            otel.attach(self._context)
        elif type(fact) is TaskFinished and (before := self._before.get()):
            otel.attach(before[0])
            self._before.set(before[1:])
