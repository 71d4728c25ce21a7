"""Traced runs of random graphs answer as untraced ones do, and their traces are well-formed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from alto_langgraph.graph import StateGraph as Alto
from alto_langgraph.testing import verdicts
from alto_langgraph.testing.graph_runs import play
from alto_langgraph.testing.graph_specs import Case, Graph, Node
from alto_langgraph.testing.random_graphs import draw
from alto_langgraph.testing.traces import counted, faults
from alto_langgraph.tracing import attributes as names

pytestmark = pytest.mark.filterwarnings("ignore")

CHAIN = Graph(nodes=(Node(name="a", edges=("b",)), Node(name="b")), entry=("a",))


def test_random_graphs():
    ahead = 0
    for seed in range(60):
        verdict = verdicts.judge(seed, asking=seed % 4 == 0, traced=True)
        assert verdict.difference is None, seed
        ahead += verdict.ahead
    assert ahead


def test_what_is_wrong_with_a_trace_is_seen():
    spans = play(Case(CHAIN, traced=True), Alto).spans
    assert faults(spans) == []
    assert counted(spans)["", "a"] == 1
    assert "root" in faults(spans[:-1])[0]
    lost = [span for span in spans if span.name != "fragment a"]
    assert any("linked to what isn't there" in fault for fault in faults(lost))
    first = next(span for span in spans if span.name == "fragment a")
    first.own[names.OUTCOME] = "lost"
    first.start_time = spans[-1].start_time - 10**9
    wrong = faults(spans)
    assert any("ended as lost" in fault for fault in wrong)
    assert any("neither within" in fault for fault in wrong)


def test_the_fuzz_fails_on_a_fragment_too_many(monkeypatch):
    case = Case(CHAIN, traced=True, modes=("tasks",))
    assert verdicts.compare(case, Alto)[0] is None
    monkeypatch.setattr(verdicts, "counted", lambda spans, outcomes: counted(spans, outcomes) + counted(play(case, Alto).spans))
    difference, _ = verdicts.compare(case, Alto)
    assert difference is not None
    assert difference[0].startswith("fragments that count")


def test_untraced_cases_leave_no_spans():
    assert play(replace(draw(3), traced=False), Alto).spans == []


@pytest.mark.parametrize("seed", [2967, 90084, 90308])
def test_found_by_fuzz(seed):
    """What is cancelled and ends later; handlers of two tasks of a node; cached tasks, of which LangGraph tells nothing."""
    assert verdicts.compare(replace(draw(seed), traced=True), Alto)[0] is None
