"""Import time of the graph module in a fresh interpreter, and that nothing heavy comes with it."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.declare import Target
from benchmarks.probes import ProbeBenchmark

MODULES = {"alto": "alto_langgraph.graph"}
UNWANTED = ("chromadb", "vllm", "opentelemetry.sdk")
LIMIT = 0.050
"""Seconds that alto's import may take above stock's."""

PROBE = """
import json, sys, time
began = time.perf_counter()
import {module}
took = time.perf_counter() - began
loaded = [name for name in {unwanted!r} if name in sys.modules]
if loaded:
    sys.exit("{module} imports " + ", ".join(loaded))
print(json.dumps({{"import": took}}))
"""


def arguments(side: str) -> list[str]:
    """The interpreter's arguments that time one import."""
    return ["-c", PROBE.format(module=MODULES.get(side, "langgraph.graph"), unwanted=UNWANTED)]


def benchmarks() -> Iterator[ProbeBenchmark]:
    """One."""
    yield ProbeBenchmark(
        name="import_time",
        group="import_time",
        what=f"`import alto_langgraph.graph` beside `import langgraph.graph`; neither loads {', '.join(UNWANTED)}",
        arguments=arguments,
        targets=(Target(LIMIT, kind="difference"),),
        unit="s",
        budget=40.0,
    )
