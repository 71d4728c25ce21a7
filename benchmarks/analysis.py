"""How long a big graph takes until it is ready to run: stock compiles it, alto also reads its nodes' code."""

from __future__ import annotations

import importlib.util
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from benchmarks import steps
from benchmarks.declare import Target
from benchmarks.probes import ProbeBenchmark
from benchmarks.sides import side

SECTIONS = 20
KINDS = ("ask", "search", "rank", "extract", "outline", "write", "review", "count", "tabulate", "finish")
"""The nodes of a section; `outline` and `review` say themselves where they lead."""
EDGES = (
    ("ask", "search"),
    ("search", "rank"),
    ("rank", "extract"),
    ("extract", "outline"),
    ("write", "review"),
    ("count", "tabulate"),
    ("tabulate", "finish"),
)
LIMIT = 0.5
"""Seconds that alto may take above stock."""


def source(sections: int) -> str:
    """The app as a module's text: every node is a function of its own, so that nothing is read once for many."""
    folder = FileSystemLoader(Path(__file__).parent)
    environment = Environment(loader=folder, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True)
    return environment.get_template("analysis_app.py.j2").render(sections=sections, kinds=KINDS, edges=EDGES)


def app(file: Path, sections: int) -> Any:
    """The app, imported from a file that is written first: code is read from where it was loaded."""
    file.write_text(source(sections))
    spec = importlib.util.spec_from_file_location("analysis_app", file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # its annotations are looked up there
    spec.loader.exec_module(module)
    return module


def ready(side_name: str, sections: int) -> float:
    """Seconds that compiling takes; under alto, until it is known what may start early.

    Raises:
        SystemExit: alto reads a graph twice.
    """
    with TemporaryDirectory() as folder:
        chosen = side(side_name)
        asked(steps.chain(steps.step, chosen, 1)())  # what is imported late is imported now
        builder = app(Path(folder, "analysis_app.py"), sections).build(chosen.StateGraph)
        began = time.perf_counter()
        graph = builder.compile()
        plan = asked(graph)
        took = time.perf_counter() - began
        if asked(graph) is not plan:
            sys.exit("alto reads a compiled graph again")
        return took


def asked(graph: Any) -> Any:
    """What a run asks of the graph before it starts anything early; None on stock."""
    if not hasattr(graph, "alto_plan"):
        return None
    graph.alto_staging.issuing(graph.alto_options, saves=False, limited=False)
    return graph.alto_plan


def benchmarks() -> Iterator[ProbeBenchmark]:
    """One."""
    size = SECTIONS * len(KINDS)
    yield ProbeBenchmark(
        name=f"analysis_{size}",
        group="analysis",
        what=f"compiling a graph of {size} nodes with bodies as in apps; under alto with all reading of their code, once a graph",
        arguments=lambda name: ["-m", "benchmarks.analysis", name, str(SECTIONS)],
        targets=(Target(LIMIT, kind="difference"),),
        unit="s",
        budget=40.0,
    )


def main(side_name: str, sections: str) -> None:
    """Prints the seconds."""
    print(json.dumps({"ready": ready(side_name, int(sections))}))


if __name__ == "__main__":
    main(*sys.argv[1:])
