"""Nothing that may stand in a trace stops a command: parents in a circle, links to nowhere, ends before starts, odd values."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from alto_langgraph.traces import advise, critical_chain, to_chrome, traces
from alto_langgraph.traces.page import page
from alto_langgraph.traces.span import Span
from alto_langgraph.traces.terminal import chain_dict, chain_table, findings_text, summary, timeline, trace_list
from alto_langgraph.tracing import attributes as names
from tests.traces.spans import ANY, SPANS, VALUES

TIMES = st.sampled_from([names.QUEUED, names.HELD, names.FIRST_CHUNK_AFTER, "gen_ai.latency.time_in_queue"])
COUNTS = st.sampled_from([names.STEP, names.CONCURRENCY, names.WINDOW, names.ATTEMPT, names.OUTPUT_TOKENS])


@st.composite
def alike(draw: st.DrawFn) -> list[Span]:
    """Spans most of which look as if alto had recorded them, at times that are near each other."""
    found = []
    for number, span in enumerate(draw(SPANS), 1):
        graph, node = {names.GRAPH: "g"}, {names.NODE: draw(st.sampled_from(["a", "b"]))}
        kind = graph if number == 1 else draw(st.sampled_from([node, node, node, graph, {names.OPERATION: "chat"}, {}]))
        parent = draw(st.integers(0, 3)) if number > 1 else 0
        odd: dict[str, Any] = draw(st.dictionaries(TIMES, st.floats(-9, 9), max_size=2)) | draw(
            st.dictionaries(COUNTS, st.integers(-9, 9), max_size=2)
        )
        odd |= draw(st.dictionaries(st.sampled_from(sorted(names.TABLE)), VALUES, max_size=1))
        odd[names.ISSUE] = draw(st.sampled_from(["in_order", "ahead", "speculative", "odd"]))
        odd[names.OUTCOME] = draw(st.sampled_from(["committed", "squashed", "failed", "odd"]))
        odd[names.TAG] = draw(st.sampled_from(["a[1]", "b[2]", "__start__[0]/a[0]", "__start__[0]/a[0]/b[1]", "/", ""]))
        start = draw(st.integers(0, 20)) * 10**8
        end = start + draw(st.integers(0, 20)) * 10**8
        about = {key: value for key, value in odd.items() if key not in (names.GRAPH, names.NODE, names.OPERATION)} | kind
        ids: dict[str, Any] = {"trace": "a" * 32, "id": f"{number:016x}", "parent": f"{parent:016x}" if parent else ""}
        found.append(replace(span, **ids, start=start, end=end, attributes=about))
    return found


@ANY
@given(spans=alike())
def test_any_spans_are_drawn_and_analysed(spans: list[Span]) -> None:
    console = Console(file=None, quiet=True)
    for trace in traces(spans):
        console.print(trace_list([trace]))
        json.dumps([summary(trace), to_chrome(trace)], allow_nan=False)
        if (run := trace.main) is None:
            continue
        chain = critical_chain(run)
        console.print(timeline(run, (step.fragment for step in chain.steps)), chain_table(chain))
        found = advise(run)
        console.print(findings_text(found))
        json.dumps([chain_dict(chain.steps), found.to_dict()], allow_nan=False)
        assert 0 <= found.efficiency <= 1
        assert page(trace, found.lines())
