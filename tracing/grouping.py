"""What both forms of OTLP have in common."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import attrgetter
from typing import Any

from alto_langgraph.tracing.light import LightSpan


def by(spans: Sequence[Any], what: str) -> Iterator[tuple[Any, list[Any]]]:
    """Spans that follow each other and have the same `resource` or `instrumentation_scope`, and that."""
    get = attrgetter(what)
    for _, group in groupby(spans, lambda span: id(get(span.tracer if type(span) is LightSpan else span))):
        here = list(group)
        yield get(here[0]), here


def flags(context: Any) -> int:
    """OTLP's: that it is known whether a context was remote, and whether it was."""
    return 0x300 if context is not None and context.is_remote else 0x100
