"""Import time of the graph module in a fresh interpreter, and that nothing heavy comes with it that LangGraph doesn't bring."""

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
if loaded:  # LangGraph's own packages load opentelemetry.sdk where it is installed, and chromadb brings it
    import subprocess
    asked = f"import sys, langgraph.graph; print(*[name for name in {{loaded}} if name not in sys.modules], sep=', ')"
    if ours := subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True).stdout.strip():
        sys.exit(f"{module} imports {{ours}}")
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
        what=f"`import alto_langgraph.graph` beside `import langgraph.graph`; of its own the first loads neither {' nor '.join(UNWANTED)}",
        arguments=arguments,
        targets=(Target(LIMIT, kind="difference"),),
        unit="s",
        budget=40.0,
    )
