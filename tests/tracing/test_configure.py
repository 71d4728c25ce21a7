"""`configure`, in processes of their own, as what it sets up is there once for each."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.adapters.test_event_loop_free import SCRIPT
from tests.tracing.apps import SPANS
from tests.tracing.receiver import Received, free_port, over_grpc, over_http
from tests.tracing.test_attributes import check, spans

ROOT = Path(__file__).parents[2]
ANSWER = f"done {list(range(10))}"


def run(*args: str, cwd: Path, code: str | None = None, **variables: str) -> subprocess.CompletedProcess[str]:
    env = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "ALTO_"))}
    env |= {"PYTHONPATH": str(ROOT), **variables}
    command = [sys.executable, "-c", code] if code else [sys.executable, "-m", "tests.tracing.apps", *args]
    return subprocess.run(command, cwd=cwd, env=env, text=True, capture_output=True, timeout=120)


def traces(directory: Path) -> list[Any]:
    return [span for file in sorted(directory.glob("*.jsonl")) for span in spans(file)]


def checked(done: subprocess.CompletedProcess[str], said: str = "") -> None:
    """The app has answered, and nobody has said anything but `said`, once."""
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-2] == ANSWER
    if said:
        assert done.stderr.count("AltoWarning") + int(done.stdout.split()[-1]) == 1, done.stderr
        assert said in done.stderr or done.stdout.endswith("warnings 1\n")
    else:
        assert (done.stderr, done.stdout.split()[-1]) == ("", "0")


@pytest.mark.parametrize("asked", ["ALTO_TRACE", "configure"])
def test_files_without_an_endpoint(tmp_path, asked):
    checked(run("none", cwd=tmp_path, ALTO_TRACE="1") if asked == "ALTO_TRACE" else run("configure", cwd=tmp_path))
    found = traces(tmp_path / ".alto" / "traces")
    assert len(found) == 2 * SPANS
    assert len({span["traceId"] for span in found}) == 2
    for span in found:
        check(span)


def test_off_unless_asked_for(tmp_path):
    checked(run("none", cwd=tmp_path))
    assert not (tmp_path / ".alto").exists()
    code = "from tests.tracing import apps; apps.main('none'); import sys; assert 'alto_langgraph.tracing' not in sys.modules"
    assert run(cwd=tmp_path, code=code).returncode == 0


def test_nothing_blocks_the_event_loop(tmp_path):
    (tmp_path / "app.py").write_text(SCRIPT)
    done = run(cwd=tmp_path, code="import runpy; runpy.run_path('app.py', run_name='__main__')", ALTO_TRACE="1")
    assert (done.stdout, done.stderr) == ("fine\n", "")
    assert traces(tmp_path / ".alto" / "traces")


@pytest.mark.parametrize(("server", "protocol"), [(over_grpc, "grpc"), (over_http, "http/protobuf")])
def test_otlp(tmp_path, server, protocol):
    with server(Received()) as received:
        checked(run("configure", received.endpoint, cwd=tmp_path, OTEL_EXPORTER_OTLP_PROTOCOL=protocol))
        assert len(received.spans) == 2 * SPANS
    (resource,) = {str(it.resource) for request in received.requests for it in request.resource_spans}
    assert "alto-langgraph" in resource
    assert not (tmp_path / ".alto").exists()


def test_variables(tmp_path):
    with over_http(Received()) as received:
        variables = {"OTEL_EXPORTER_OTLP_ENDPOINT": received.endpoint, "OTEL_SERVICE_NAME": "shop"}
        checked(run("none", cwd=tmp_path, ALTO_TRACE="1", **variables))
        assert len(received.spans) == 2 * SPANS
        assert "shop" in str(received.requests[0].resource_spans[0].resource)
        received.requests.clear()
        checked(run("none", cwd=tmp_path, ALTO_TRACE="1", OTEL_TRACES_SAMPLER="always_off", **variables))
        checked(run("none", cwd=tmp_path, ALTO_TRACE="1", OTEL_SDK_DISABLED="true", **variables))
        checked(run("none", cwd=tmp_path, ALTO_TRACE="1", OTEL_TRACES_EXPORTER="none", **variables))
        assert received.spans == []


@pytest.mark.parametrize("args", [("existing",), ("existing", "http://127.0.0.1:9")])
def test_existing_provider(tmp_path, args):
    done = run(*args, cwd=tmp_path)
    checked(done)
    assert done.stdout.count("span fragment work") == 20
    assert done.stdout.count("span invoke_workflow LangGraph") == 2
    off = run("existing", cwd=tmp_path, ALTO_TRACE="0")
    assert "span" not in off.stdout


@pytest.mark.parametrize(("endpoint", "said"), [("localhost:4318", "isn't a URL"), ("ftp://x", "isn't a URL")])
def test_bad_endpoint(tmp_path, endpoint, said):
    done = run("configure", endpoint, cwd=tmp_path)
    assert "TracingError" in done.stderr
    assert said in done.stderr


def test_without_the_extra(tmp_path):
    hidden = "import sys; sys.modules['opentelemetry.sdk'] = None; from tests.tracing import apps; "
    done = run(cwd=tmp_path, code=hidden + "apps.main('configure')")
    assert "MissingExtraError" in done.stderr
    assert "alto-langgraph[otel]" in done.stderr
    done = run(cwd=tmp_path, code=hidden + "apps.main('none')", ALTO_TRACE="1")
    assert ANSWER in done.stdout, "a run goes on untraced"


def test_metrics(tmp_path):
    with over_http(Received()) as received:
        checked(run("configure", received.endpoint, cwd=tmp_path, OTEL_METRICS_EXPORTER="otlp"))
        metrics = {
            it.name: it for request in received.metrics for r in request.resource_metrics for s in r.scope_metrics for it in s.metrics
        }
    fragments = {"alto.fragment.duration", "alto.fragment.held", "alto.fragment.queued"}
    assert {"gen_ai.invoke_workflow.duration", "alto.queue.depth", "alto.engine.duration", *fragments} <= metrics.keys()
    assert [point.as_int for point in metrics["alto.queue.depth"].sum.data_points] == [0]
    (engine,) = metrics["alto.engine.duration"].histogram.data_points
    (runs,) = metrics["gen_ai.invoke_workflow.duration"].histogram.data_points
    assert 0 < engine.sum * (SPANS - 1) <= runs.sum
    assert engine.explicit_bounds[0] < 0.0001
    assert sum(point.count for point in metrics["alto.fragment.duration"].histogram.data_points) == 2 * (SPANS - 1)
    assert sum(point.count for point in metrics["gen_ai.invoke_workflow.duration"].histogram.data_points) == 2


def test_prometheus(tmp_path):
    port = free_port()
    ask = "import urllib.request; from tests.tracing import apps; apps.main('configure'); "
    ask += f"print(urllib.request.urlopen('http://localhost:{port}/metrics').read().decode())"
    done = run(cwd=tmp_path, code=ask, OTEL_METRICS_EXPORTER="prometheus", OTEL_EXPORTER_PROMETHEUS_PORT=str(port))
    assert done.stderr == ""
    assert 'alto_fragment_duration_seconds_count{alto_issue="in_order",alto_node="work",alto_outcome="committed"' in done.stdout
    assert "gen_ai_invoke_workflow_duration_seconds" in done.stdout
    assert "alto_queue_depth{" in done.stdout
    assert 'alto_engine_duration_seconds_count{alto_graph="LangGraph"' in done.stdout


def test_depth_of_the_queue(tmp_path):
    """Of three tasks, one may run at a time: two wait, then one, then none."""
    code = """
from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
reader = InMemoryMetricReader()
metrics.set_meter_provider(MeterProvider([reader]))
trace.set_tracer_provider(TracerProvider())
def depth(item):
    data = reader.get_metrics_data().resource_metrics[0].scope_metrics[0].metrics
    found = next(it for it in data if it.name == "alto.queue.depth")
    return {"done": [found.data.data_points[0].value]}
from tests.tracing import apps
apps.work = depth
print(apps.app().invoke({"items": [1, 2, 3]}, {"max_concurrency": 1})["done"], depth(0)["done"])
"""
    done = run(cwd=tmp_path, code=code)
    assert (done.stdout, done.stderr) == ("[2, 1, 0] [0]\n", "")


# ---- what goes wrong


@pytest.mark.parametrize("port", ["4317", "1"])
def test_nobody_listens(tmp_path, port):
    began = time.monotonic()
    checked(run("configure", f"http://127.0.0.1:{port}", cwd=tmp_path), "can't be exported")
    assert time.monotonic() - began < 30


@pytest.mark.parametrize(("server", "protocol"), [(over_grpc, "grpc"), (over_http, "http/protobuf")])
def test_refused(tmp_path, server, protocol):
    with server(Received(refuses=True)) as received:
        done = run("configure", received.endpoint, cwd=tmp_path, OTEL_EXPORTER_OTLP_PROTOCOL=protocol)
    checked(done, "can't be exported")


@pytest.mark.parametrize(("server", "protocol"), [(over_grpc, "grpc"), (over_http, "http/protobuf")])
def test_slow(tmp_path, server, protocol):
    with server(Received(delay=1.0)) as received:
        checked(run("configure", received.endpoint, cwd=tmp_path, OTEL_EXPORTER_OTLP_PROTOCOL=protocol))
        assert len(received.spans) == 2 * SPANS


def test_disk_full(tmp_path):
    """The file may not grow beyond what the limit of the process says, which fails as a full disk does."""
    limit = "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
    limit += "resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000)); from tests.tracing import apps; apps.main('configure')"
    checked(run(cwd=tmp_path, code=limit), "can't be exported")
    (file,) = (tmp_path / ".alto" / "traces").glob("*.jsonl")
    assert file.read_bytes() == b"", "a line is there or it isn't"


def test_nowhere_to_write(tmp_path):
    (tmp_path / ".alto").write_text("a file")
    checked(run("configure", cwd=tmp_path), "can't be exported")


def test_processes_that_fork_write_apart(tmp_path):
    code = """
import os
from tests.tracing import apps
from alto_langgraph.tracing import configure
configure()
apps.main("none")
child = os.fork()
apps.main("none")
if child:
    os.waitpid(child, 0)
else:
    configure().shutdown()
    os._exit(0)
"""
    done = run(cwd=tmp_path, code=code)
    assert done.returncode == 0, done.stderr
    files = [*(tmp_path / ".alto" / "traces").glob("*.jsonl")]
    assert len(files) == 2
    found = [span["traceId"] + span["spanId"] for file in files for span in spans(file)]
    assert len(found) == len(set(found)) == 6 * SPANS


def test_lines_are_json(tmp_path):
    checked(run("configure", cwd=tmp_path))
    (file,) = (tmp_path / ".alto" / "traces").glob("*.jsonl")
    assert all(list(json.loads(line)) == ["resourceSpans"] for line in file.read_text().splitlines())
