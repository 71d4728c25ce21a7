"""One trace from the run down to vLLM's own spans, with a real engine and a real receiver."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from benchmarks.serving_servers import Replica
from tests.tracing.receiver import Received, over_grpc
from tests.vllm.engine.marks import MARKS

pytestmark = MARKS
PROTOCOL = {"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "grpc"}
CALLS = {"plan": 1, "check": 5, "judge": 5, "conclude": 1}
"""How often each node asks."""


@pytest.mark.parametrize("where", ["here", "there"])
def test_a_request_is_in_the_trace_of_the_run(where: str, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in PROTOCOL.items():
        monkeypatch.setenv(name, value)
    with over_grpc(Received()) as received:
        if where == "here":
            run(received.endpoint, str(tiny))
        else:
            replica = Replica(tiny, tmp_path / "log", otlp_traces_endpoint=received.endpoint)
            replica.start()
            try:
                replica.ready()
                run(received.endpoint, "tiny", replica.url)
                received.wait_for(1 + 13 + 12 + 12)
            finally:
                replica.kill()
    chains(received.spans)


def run(*args: str) -> None:
    """The app, in a process of its own: tracing is set up once for each."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.vllm.engine.traced_app", *args], env=dict(os.environ), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-3_000:]
    assert re.search("^conclusion: [a-z]{12}$", done.stdout, re.MULTILINE)


def chains(spans: list[Any]) -> None:
    """Every request that vLLM tells of is below a chat, which is below a fragment, which is in the run's trace; and no chat lacks one."""
    by_id = {span.span_id: span for span in spans}
    (root,) = (span for span in spans if span.name == "invoke_workflow LangGraph")
    found = Counter[str]()
    for request in (span for span in spans if span.name == "llm_request"):
        chat = by_id[request.parent_span_id]
        fragment = by_id[chat.parent_span_id]
        assert chat.name.startswith("chat ")
        assert fragment.name.startswith("fragment ")
        assert request.trace_id == chat.trace_id == fragment.trace_id == root.trace_id
        assert chat.start_time_unix_nano <= request.end_time_unix_nano
        found[fragment.name.removeprefix("fragment ")] += 1
    assert found == CALLS
    assert sum(span.name.startswith("chat ") for span in spans) == sum(CALLS.values())
