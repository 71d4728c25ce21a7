"""Through a real collector, a process of its own, in between."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.tracing.apps import SPANS
from tests.tracing.receiver import Received, free_port, over_grpc
from tests.tracing.test_configure import checked, run

rotel = pytest.importorskip("rotel")
AGENT = Path(rotel.__file__).parent / "rotel-agent"


@contextmanager
def collector(to: str) -> Iterator[tuple[str, str]]:
    """Its endpoints for gRPC and HTTP, once it listens."""
    grpc, http = free_port(), free_port()
    command = [AGENT, "start", "--otlp-grpc-endpoint", f"127.0.0.1:{grpc}", "--otlp-http-endpoint", f"127.0.0.1:{http}"]
    command += ["--exporter", "otlp", "--otlp-exporter-endpoint", to, "--otlp-exporter-protocol", "grpc"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        end = time.monotonic() + 20
        while any(socket.socket().connect_ex(("127.0.0.1", port)) for port in (grpc, http)):
            assert process.poll() is None and time.monotonic() < end, "the collector doesn't start"
            time.sleep(0.05)
        yield f"http://127.0.0.1:{grpc}", f"http://127.0.0.1:{http}"
    finally:
        process.terminate()
        process.wait()


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_through_a_collector(tmp_path):
    with over_grpc(Received()) as received, collector(received.endpoint) as endpoints:
        for number, (endpoint, protocol) in enumerate(zip(endpoints, ("grpc", "http/protobuf"), strict=True), 1):
            checked(run("configure", endpoint, cwd=tmp_path, OTEL_EXPORTER_OTLP_PROTOCOL=protocol))
            received.wait_for(number * 2 * SPANS)
        time.sleep(0.5)
        assert len(received.spans) == 4 * SPANS
    assert sum(span.name == "fragment work" for span in received.spans) == 40
