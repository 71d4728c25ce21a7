"""The span of a call, as the code around it sees it: until the call is over, and no longer.

LangChain tells of the end of an async call in tasks of its own, from which the context of the code that has called can't be put
back. So what is put there stands for the call as long as it goes on, and then for the span that was there before.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opentelemetry import context as otel
from opentelemetry.trace import Span, SpanContext, get_current_span, set_span_in_context


class Around(Span):
    """A call's span while it goes on, then the one outside of it.

    Args:
        span: The call's.
        kind: Its operation.
    """

    def __init__(self, span: Span, kind: str) -> None:
        self.span, self.over, self._kind = span, False, kind
        self.outside: Span = get_current_span()
        while isinstance(self.outside, Around) and self.outside.over:
            self.outside = self.outside.outside

    def attach(self) -> None:
        """Makes it current."""
        self._before = otel.get_current()
        otel.attach(set_span_in_context(self))

    def end(self, end_time: int | None = None) -> None:
        """The call is over."""
        self.over = True
        self.span.end(end_time)
        if get_current_span() is self:
            otel.attach(self._before)

    @property
    def operation(self) -> str:
        """That of the call, as long as it goes on."""
        return "" if self.over else self._kind

    @property
    def _now(self) -> Span:
        return self.outside if self.over else self.span

    def get_span_context(self) -> SpanContext:
        """The ids that what is asked from here belongs to."""
        return self._now.get_span_context()

    def set_attributes(self, attributes: Mapping[str, Any]) -> None:
        """As the span that it stands for."""
        self._now.set_attributes(attributes)

    def set_attribute(self, key: str, value: Any) -> None:
        """As the span that it stands for."""
        self._now.set_attribute(key, value)

    def add_event(self, name: str, attributes: Any = None, timestamp: int | None = None) -> None:
        """As the span that it stands for."""
        self._now.add_event(name, attributes, timestamp)

    def add_link(self, context: SpanContext, attributes: Any = None) -> None:
        """As the span that it stands for."""
        self._now.add_link(context, attributes)

    def update_name(self, name: str) -> None:
        """As the span that it stands for."""
        self._now.update_name(name)

    def is_recording(self) -> bool:
        """As the span that it stands for."""
        return self._now.is_recording()

    def set_status(self, status: Any, description: str | None = None) -> None:
        """As the span that it stands for."""
        self._now.set_status(status, description)

    def record_exception(
        self, exception: BaseException, attributes: Any = None, timestamp: int | None = None, escaped: bool = False
    ) -> None:
        """As the span that it stands for."""
        self._now.record_exception(exception, attributes, timestamp, escaped)
