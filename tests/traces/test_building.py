"""Spans become runs, fragments and calls, whatever state they are in."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given

from alto_langgraph.traces.building import traces
from alto_langgraph.traces.folder import load
from alto_langgraph.traces.lanes import lanes
from alto_langgraph.traces.model import Fragment
from alto_langgraph.traces.span import Span
from alto_langgraph.tracing import attributes as names
from tests.traces.spans import ANY, EXAMPLE, SPANS, Recorded


def tags(fragments: list[Fragment]) -> list[str]:
    return [fragment.tag for fragment in fragments]


def test_the_example_of_the_recorder_is_read_in_full() -> None:
    (trace,) = load(EXAMPLE)
    run = trace.main
    assert run is not None
    assert (run.graph, run.outcome, run.thread, run.window, len(run.fragments)) == ("LangGraph", "completed", "thread-7", 256, 9)
    by_tag = {fragment.tag: fragment for fragment in run.fragments}
    note, join, polish = by_tag["__start__[0]/read[1]/note[0]"], by_tag["join[3]"], by_tag["polish[3]"]
    assert (note.issue, note.ahead, note.outcome, note.parent) == ("ahead", True, "committed", by_tag["__start__[0]/read[1]"])
    assert tags(note.inputs) == ["__start__[0]/read[1]"]
    assert note.committed is not None and note.committed > note.end
    assert [(call.label, call.output_tokens) for call in note.calls] == [("chat gpt-4o-mini", 40)]
    assert len(join.inputs) == 4 and join.parent is None
    assert "reads `notes`" in join.kept_back
    assert (polish.issue, polish.lost, polish.reason) == ("speculative", True, "its router has decided otherwise")


def test_what_was_needed_is_known_without_links_too() -> None:
    made = Recorded()
    a = made.fragment("a[1]", 0, 1)
    b = made.fragment("b[1]", 0, 2)
    made.fragment("c[2]", 2, 3, step=2, INPUTS=["a[1]", "b[1]", "nobody[1]"])
    made.fragment("d[2]", 2, 3, step=2, inputs=[a, b, "00000000000000ff"])
    _, _, by_tags, by_links = made.trace().runs[0].fragments
    assert tags(by_tags.inputs) == tags(by_links.inputs) == ["a[1]", "b[1]"]


def test_runs_inside_belong_to_their_fragment_and_calls_to_the_nearest() -> None:
    made = Recorded()
    outer = made.fragment("agent[1]", 0, 5)
    inner = made.span("invoke_workflow sub", made.span("somebody else's", outer, 0, 5, {}), 1, 4, {names.GRAPH: "sub"})
    work = made.fragment("work[1]", 1, 3, parent=inner)
    tool = made.span("execute_tool t", work, 1, 3, {names.OPERATION: "execute_tool", names.TOOL: "t"})
    made.chat(tool, 1, 2)
    made.chat(made.root, 8, 9)
    run = made.trace().main
    assert run is not None
    (agent,) = run.fragments
    (sub,) = agent.runs
    assert (sub.graph, tags(sub.fragments), agent.calls) == ("sub", ["work[1]"], [])
    assert [(call.label, call.inner) for call in sub.fragments[0].calls] == [("execute_tool t", False), ("chat m", True)]
    assert [call.label for call in run.calls] == ["chat m"]
    assert [(depth, fragment.tag) for depth, fragment in run.walk()] == [(0, "agent[1]"), (1, "work[1]")]


def test_the_server_says_how_long_a_call_has_waited() -> None:
    made = Recorded()
    chat = made.chat(made.fragment("a[1]", 0, 5), 0, 5)
    made.span("llm_request", chat, 1, 5, {"gen_ai.latency.time_in_queue": 0.75})
    (call,) = made.trace().runs[0].fragments[0].calls
    assert call.queued == 0.75


def test_a_run_that_is_not_over_is_shown_as_far_as_it_is_known() -> None:
    made = Recorded()
    made.fragment("a[1]", 1, 2)
    made.fragment("b[2]", 2, 4)
    (run,) = traces(made.spans[1:])[0].runs
    assert (run.outcome, run.start, run.end, tags(run.fragments)) == ("unfinished", 0.0, 3.0, ["a[1]", "b[2]"])


def test_a_span_that_was_sent_twice_counts_once() -> None:
    made = Recorded()
    made.fragment("a[1]", 1, 2)
    assert len(traces([*made.spans, *made.spans])[0].fragments) == 1


def test_long_chains_are_read_in_a_row() -> None:
    made = Recorded(end=30.0)
    parent = made.root
    for number in range(3000):
        parent = made.fragment(f"x[0]/{'y[0]/' * number}z[0]"[-200:], number / 100, (number + 1) / 100, parent=parent)
    run = made.trace().main
    assert run is not None and len(run.fragments) == 3000
    assert max(lanes(run).values()) == 0


def free_of_overlaps(rows: dict[Fragment, int]) -> bool:
    ordered = sorted(rows, key=lambda f: (rows[f], f.start, f.end))
    return all(rows[a] != rows[b] or a.end <= b.start or a.start == b.start == a.end for a, b in pairwise(ordered))


@ANY
@given(spans=SPANS)
def test_any_spans_at_all_make_traces_whose_lanes_hold_every_fragment(spans: list[Span]) -> None:
    for trace in traces(spans):
        assert {span.id for span in trace.spans} == {span.id for span in spans if span.trace == trace.id}
        for run in trace.runs:
            assert set(lanes(run)) == {fragment for _, fragment in run.walk()}


def test_lanes_follow_ancestry_and_never_overlap() -> None:
    made = Recorded()
    made.fragment("trunk[1]", 0, 1)
    made.fragment("beside[1]", 0.5, 2)
    for item in (10, 2):
        read = made.fragment(f"__start__[0]/read[{item}]", 0, 1)
        note = made.fragment(f"__start__[0]/read[{item}]/note[0]", 1, 2, parent=read, inputs=[read])
        made.fragment(f"__start__[0]/read[{item}]/note[1]", 1.5, 3, parent=read, inputs=[read])
        made.fragment(f"__start__[0]/read[{item}]/note[0]/sum[0]", 2, 3, parent=note, inputs=[note])
    run = made.trace().runs[0]
    rows = lanes(run)
    assert free_of_overlaps(rows)
    assert {fragment.tag.rpartition("__start__[0]/")[2]: row for fragment, row in rows.items()} == {
        "trunk[1]": 0,
        "beside[1]": 1,
        "read[2]": 2,
        "read[2]/note[0]": 2,
        "read[2]/note[0]/sum[0]": 2,
        "read[2]/note[1]": 3,
        "read[10]": 4,
        "read[10]/note[0]": 4,
        "read[10]/note[0]/sum[0]": 4,
        "read[10]/note[1]": 5,
    }
