"""One trace from the run down to vLLM's own spans, with a real engine and a real receiver."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
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
                until = time.monotonic() + 60  # the server exports every five seconds
                while "conclude" not in asked(received.spans) and time.monotonic() < until:
                    time.sleep(0.2)
            finally:
                replica.kill()
    chats = asked(received.spans, "chat tiny" if where == "there" else f"chat {tiny}")
    assert chats == CALLS
    requests = asked(received.spans)
    assert requests.keys() == CALLS.keys()
    assert requests <= chats, "what is asked twice at the same time goes out once"


def run(*args: str) -> None:
    """The app, in a process of its own: tracing is set up once for each."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.vllm.engine.traced_app", *args], env=dict(os.environ), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-3_000:]
    assert re.search("^conclusion: [a-z]{12}$", done.stdout, re.MULTILINE)


def asked(spans: list[Any], name: str = "llm_request") -> Counter[str]:
    """How many such spans each node has below it; a request is below a chat, that below a fragment, all of it in one run's trace."""
    by_id = {span.span_id: span for span in spans}
    (run,) = (span for span in spans if span.name == "invoke_workflow LangGraph")
    found = Counter[str]()
    for span in (span for span in spans if span.name == name):
        chat = by_id[span.parent_span_id] if name == "llm_request" else span
        fragment = by_id[chat.parent_span_id]
        assert chat.name.startswith("chat ")
        assert fragment.name.startswith("fragment ")
        assert span.trace_id == chat.trace_id == fragment.trace_id == run.trace_id
        found[fragment.name.removeprefix("fragment ")] += 1
    return found
