"""A real receiver of OTLP, over gRPC and HTTP, which can be slow or refuse."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import grpc  # type: ignore[import-untyped]
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest, ExportTraceServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2_grpc import TraceServiceServicer, add_TraceServiceServicer_to_server


class Received:
    """What has come in.

    Args:
        delay: Seconds that each request takes.
        refuses: Whether none is taken.
    """

    def __init__(self, delay: float = 0.0, refuses: bool = False) -> None:
        self.delay, self.refuses = delay, refuses
        self.requests: list[ExportTraceServiceRequest] = []
        self.metrics: list[ExportMetricsServiceRequest] = []
        self.endpoint = ""
        self._lock = threading.Lock()

    def take(self, request: ExportTraceServiceRequest) -> None:
        time.sleep(self.delay)
        with self._lock:
            self.requests.append(request)

    @property
    def spans(self) -> list[Any]:
        return [span for it in self.requests for resource in it.resource_spans for scope in resource.scope_spans for span in scope.spans]

    def wait_for(self, number: int, seconds: float = 20.0) -> list[Any]:
        """All spans, once there are so many.

        Raises:
            TimeoutError: there aren't within `seconds`.
        """
        end = time.monotonic() + seconds
        while len(self.spans) < number:
            if time.monotonic() > end:
                raise TimeoutError(f"{len(self.spans)} spans of {number}")
            time.sleep(0.02)
        return self.spans


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


class _Service(TraceServiceServicer):
    def __init__(self, received: Received) -> None:
        self._received = received

    def Export(self, request: Any, context: Any) -> Any:
        if self._received.refuses:
            context.abort(grpc.StatusCode.PERMISSION_DENIED, "not you")
        self._received.take(request)
        return ExportTraceServiceResponse()


@contextmanager
def over_grpc(received: Received) -> Iterator[Received]:
    server = grpc.server(ThreadPoolExecutor(2))
    add_TraceServiceServicer_to_server(_Service(received), server)
    received.endpoint = f"http://127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    try:
        yield received
    finally:
        server.stop(None).wait()


@contextmanager
def over_http(received: Received) -> Iterator[Received]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.path == "/v1/metrics":
                received.metrics.append(ExportMetricsServiceRequest.FromString(body))
            elif self.path != "/v1/traces" or received.refuses:
                self.send_response(403)
                self.end_headers()
                return
            else:
                received.take(ExportTraceServiceRequest.FromString(body))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    received.endpoint = f"http://127.0.0.1:{server.server_port}"
    try:
        yield received
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
