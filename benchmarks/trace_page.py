"""How long `alto trace show --html` takes for a trace of many fragments, how large the page is, and how soon Chromium has it ready.

python -m benchmarks.trace_page [--fragments 10000]
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

from alto_langgraph.traces.request import request
from alto_langgraph.traces.span import Event, Link, Span
from alto_langgraph.tracing import attributes as names
from benchmarks.browser import chromium

STAGES = ("read", "note", "judge", "write")
ALTO = "from alto_langgraph.cli import main; main()"
BATCH = 512
"""Spans in a line of the file, as the exporter writes them."""


class Made:
    """The spans of one run: items through four stages, each with a model call, and a report of all."""

    def __init__(self, fragments: int) -> None:
        self.spans: list[Span] = []
        draw = random.Random(0)
        run = self._span("invoke_workflow big", "", 0.0, 40.0, {names.GRAPH: "big", names.OUTCOME: "completed"})
        last: list[str] = []
        for item in range(fragments // len(STAGES)):
            parent, tag, at = run, "__start__[0]", draw.random() * 10
            for step, node in enumerate(STAGES, 1):
                tag += f"/{node}[{0 if step > 1 else item}]"
                took, lost = draw.random() * 4, draw.random() < 0.05
                parent = self._fragment(tag, node, step, parent, at, at + took, [parent] if step > 1 else [], lost)
                at += took
            last.append(parent)
        self._fragment("report[5]", "report", len(STAGES) + 1, run, 38.0, 39.5, last, False)

    def _fragment(self, tag: str, node: str, step: int, parent: str, start: float, end: float, inputs: list[str], lost: bool) -> str:
        about = {
            names.TAG: tag,
            names.TAG_DEPTH: tag.count("/") + 1,
            names.NODE: node,
            names.STEP: step,
            names.ISSUE: "ahead" if step > 1 else "in_order",
            names.OUTCOME: "squashed" if lost else "committed",
            names.EFFECTS: "idempotent",
            names.KIND: "CHAIN",
            names.LANGFUSE_NODE: node,
            names.LANGFUSE_STEP: step,
            names.LANGSMITH_NODE: node,
            names.LANGSMITH_STEP: step,
            names.CHECKPOINT: "1efb0001-0000-6000-8000-000000000000",
            names.RAN: end - start,
        }
        id = self._span(f"fragment {node}", parent, start, end, about, inputs, None if lost else end + 0.1)
        chat = {names.OPERATION: "chat", names.MODEL: "small", names.PROVIDER: "vllm", names.INPUT_TOKENS: 900, names.OUTPUT_TOKENS: 80}
        self._span("chat small", id, start + 0.001, end, chat)
        return id

    def _span(
        self,
        name: str,
        parent: str,
        start: float,
        end: float,
        about: dict[str, object],
        links: list[str] | None = None,
        at: float | None = None,
    ) -> str:
        trace, id, origin = "a" * 32, f"{len(self.spans) + 1:016x}", 1_764_600_000 * 10**9
        linked = tuple(Link(trace, link, {names.LINK: "input"}) for link in links or ())
        events = (Event(names.COMMITTED, origin + int(at * 1e9)),) if at is not None else ()
        times = origin + int(start * 1e9), origin + int(end * 1e9)
        self.spans.append(Span(trace, id, parent, name, *times, attributes=about, events=events, links=linked, scope=names.SCOPE))
        return id

    def write(self, file: Path) -> None:
        """Writes them as the exporter does."""
        with file.open("w") as out:
            for first in range(0, len(self.spans), BATCH):
                out.write(json.dumps(request(self.spans[first : first + BATCH])) + "\n")


def usable(page: Path) -> tuple[float, float]:
    """Seconds from the start of loading until the page is drawn and can be used, and that one more drawing takes."""
    with chromium() as browser:
        opened = browser.new_page(viewport={"width": 1600, "height": 900})
        began = perf_counter()
        opened.goto(page.as_uri())
        opened.wait_for_function("document.documentElement.dataset.ready")
        ready = perf_counter() - began
        drawn = float(opened.evaluate("alto.drawn()")) / 1000
    return ready, drawn


def main() -> None:
    """Prints the figures; ends with 1 if one is above what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fragments", type=int, default=10_000)
    fragments = parser.parse_args().fragments
    with tempfile.TemporaryDirectory() as folder:
        file, page = Path(folder) / "t.jsonl", Path(folder) / "t.html"
        Made(fragments).write(file)
        began = perf_counter()
        subprocess.run([sys.executable, "-c", ALTO, "trace", "show", str(file), "--html", str(page)], check=True)
        took, size = perf_counter() - began, page.stat().st_size / 1e6
        worked = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
        ready, drawn = usable(page)
    print(f"{fragments} fragments, each with a call: {took:.1f} s to write (10), {worked:.1f} s of a processor's time, {size:.1f} MB (15)")
    print(f"in Chromium: ready after {ready:.2f} s (3), drawn anew in {drawn * 1000:.0f} ms")
    raise SystemExit(took > 10 or size > 15 or ready > 3)


if __name__ == "__main__":
    main()
