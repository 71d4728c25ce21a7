"""Exporters that never touch a run: one warning where the SDK's would go on logging, and no long wait when the process ends."""

from __future__ import annotations

import logging
import threading
import types
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

from alto_langgraph.tracing.light import LightSpan
from alto_langgraph.tracing.requests import Request, message
from alto_langgraph.tracing.saying import say_once

PATIENCE, GRACE = 30.0, 3.0
"""Seconds that the end of a process waits for spans to be exported; the second if what was exported last didn't arrive."""

_here = threading.local()


class Careful(SpanExporter):
    """Exports with another exporter, and says once that it can't.

    Args:
        exporter: Does the exporting.
    """

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter
        self.arrives = self._waiting = False
        for cls in type(exporter).__mro__:
            logging.getLogger(cls.__module__).addFilter(_quiet)

    def export(self, spans: Sequence[Any]) -> SpanExportResult:
        """Hands spans on."""
        _here.exporting = self._waiting = True
        why = "look at its endpoint"
        try:
            result = self._exporter.export(spans)
        except Exception as error:
            result, why = SpanExportResult.FAILURE, str(error)
        finally:
            _here.exporting = self._waiting = False
            for span in spans:
                if type(span) is LightSpan:
                    span.let_go()
        self.arrives = result is SpanExportResult.SUCCESS
        if not self.arrives:
            self._say(why)
        return result

    def _say(self, why: str) -> None:
        say_once("exporting", f"alto's traces can't be exported, so they aren't complete ({why})")

    def shutdown(self) -> None:
        """Ends the other one."""
        if self._waiting:
            self._say("nothing arrives at its endpoint")
        with suppress(Exception):
            self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Nothing waits here."""
        return True


class Queue(BatchSpanProcessor):
    """The SDK's queue, which doesn't keep a process from ending where nothing arrives."""

    def __init__(self, exporter: Careful, **sizes: Any) -> None:
        super().__init__(exporter, **sizes)
        self._careful = exporter

    def shutdown(self) -> None:
        """Exports what waits."""
        queue = getattr(self, "_batch_processor", None)
        if queue is None:  # an SDK from before 1.32
            super().shutdown()  # type: ignore[no-untyped-call]
        else:
            queue.shutdown(int(1000 * (PATIENCE if self._careful.arrives else GRACE)))


def _quiet(record: logging.LogRecord) -> bool:
    return not getattr(_here, "exporting", False)


def otlp(endpoint: str | None, protocol: str) -> Any:
    """OpenTelemetry's own exporter for OTLP.

    Args:
        endpoint: With gRPC a server, with HTTP a server or the whole URL for spans; None for what variables or OTLP itself say.
        protocol: `grpc` or `http/protobuf`.

    Raises:
        ImportError: it isn't installed.
    """
    if protocol == "grpc":
        from opentelemetry.exporter.otlp.proto.grpc import trace_exporter as grpc

        return _quick(grpc.OTLPSpanExporter, "_translate_data", message)(
            endpoint, insecure=None if endpoint is None else not endpoint.startswith("https")
        )
    from opentelemetry.exporter.otlp.proto.http import trace_exporter as http

    return _quick(http.OTLPSpanExporter, "export", Request)(endpoint=None if endpoint is None else with_path(endpoint, "v1/traces"))


def with_path(endpoint: str, path: str) -> str:
    """A whole URL, if that one only names a server."""
    return endpoint if urlsplit(endpoint).path.strip("/") else f"{endpoint.rstrip('/')}/{path}"


def _quick(stock: Any, method: str, encode: Callable[[Sequence[Any]], Any]) -> Any:
    """The SDK's exporter, with `encode` where its own encoder is, if that can be found there; else as it is."""
    function = getattr(stock, method, None)
    if not isinstance(function, types.FunctionType) or "encode_spans" not in function.__code__.co_names:
        return stock
    scope = {**function.__globals__, "encode_spans": encode}
    own = types.FunctionType(function.__code__.replace(), scope, method, function.__defaults__, function.__closure__)
    return type(stock.__name__, (stock,), {method: own, "__module__": stock.__module__})
