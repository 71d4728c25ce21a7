"""What was recorded, played again: as it was it takes as long as it took, and a change changes what it says."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alto_langgraph.plan.schedule import Work, critical_path
from alto_langgraph.tags import Tag
from alto_langgraph.traces.chain import critical_chain
from alto_langgraph.traces.model import Run, Trace
from alto_langgraph.traces.playing import Change, Piece, play
from alto_langgraph.traces.replay import Replay
from alto_langgraph.traces.servers import servers
from alto_langgraph.tracing import attributes as names
from tests.traces.spans import ANY, Recorded


def run_of(made: Recorded) -> Run:
    run = made.trace().main
    assert run is not None
    return run


def replay_of(made: Recorded) -> Replay:
    run = run_of(made)
    return Replay(run, servers(run))


@st.composite
def pieces(draw: st.DrawFn) -> list[Piece]:
    count = draw(st.integers(1, 12))
    needs = [draw(st.lists(st.integers(0, number - 1), unique=True, max_size=3)) if number else [] for number in range(count)]
    return [Piece(draw(st.integers(0, 9)), need, server, server) for need in needs for server in [draw(st.sampled_from(["", "a", "b"]))]]


@ANY
@given(pieces=pieces())
def test_without_servers_the_longest_chain_is_all_it_takes(pieces: list[Piece]) -> None:
    tags = [Tag((("piece", number),)) for number in range(len(pieces))]
    work = [Work(tags[i], "", 0, piece.seconds, tuple(tags[need] for need in piece.needs)) for i, piece in enumerate(pieces)]
    assert max(play(pieces, {})) == critical_path(work).seconds


@ANY
@given(pieces=pieces(), places=st.integers(1, 3))
def test_a_server_never_has_more_than_its_places_in_use_and_leaves_none_empty_for_nothing(pieces: list[Piece], places: int) -> None:
    ends = play(pieces, {"a": places, "b": 1})
    for server, most in (("a", places), ("b", 1)):
        served = [(end - piece.seconds, end) for piece, end in zip(pieces, ends, strict=True) if piece.takes == server]
        for moment, _ in served:
            assert sum(start <= moment < end for start, end in served) <= most
    for piece, end in zip(pieces, ends, strict=True):
        assert end - piece.seconds >= max((ends[need] for need in piece.needs), default=0.0)
        if not piece.takes:
            assert end - piece.seconds == max((ends[need] for need in piece.needs), default=0.0)


def two_stages() -> Recorded:
    """Three items through two stages of 1 to 3 s; the second waits for its superstep, and the run ends 0.5 s after it."""
    made = Recorded(end=6.5)
    firsts = [made.fragment(f"__start__[0]/a[{item}]", 0, item + 1) for item in range(3)]
    for item, first in enumerate(firsts):
        tag = f"__start__[0]/a[{item}]/b[0]"
        made.fragment(tag, 3, 6 - item, step=2, parent=first, inputs=[first], KEPT_BACK="`b` is declared external.")
    return made


def test_as_it_was_it_takes_as_long_as_it_took() -> None:
    assert replay_of(two_stages()).as_it_was == pytest.approx(6.5)


def test_a_node_that_is_free_waits_for_what_it_needs_alone() -> None:
    replay = replay_of(two_stages())
    assert replay.after(Change(free=frozenset("b"))) == pytest.approx(4.5), "each item takes 4 s"


def test_a_node_that_is_faster_is_so_everywhere() -> None:
    replay = replay_of(two_stages())
    assert replay.after(Change(faster={("a", "a"): 0.5})) == pytest.approx(5.0)
    assert replay.after(Change(faster={("a", "a"): 0.5, ("b", "b"): 0.5})) == pytest.approx(3.5)


def test_a_node_apart_from_another_needs_what_that_one_needed() -> None:
    made = Recorded(end=6)
    a = made.fragment("a[1]", 0, 1)
    b = made.fragment("b[2]", 1, 5, step=2, inputs=[a])
    made.fragment("c[3]", 5, 6, step=3, inputs=[b])
    replay = replay_of(made)
    assert replay.as_it_was == pytest.approx(6)
    assert replay.after(Change(apart=frozenset({("c", "b")}))) == pytest.approx(5), "c with b, after a"


def test_what_is_between_stays_between() -> None:
    made = Recorded(end=6)
    a = made.fragment("a[1]", 1, 2)
    made.fragment("b[2]", 3, 5, step=2, inputs=[a])
    assert replay_of(made).after(Change(faster={("a", "a"): 0.5})) == pytest.approx(5.5)


def test_calls_side_by_side_and_one_after_the_other_take_what_they_took() -> None:
    made = Recorded(end=10)
    one = made.fragment("a[1]", 0, 9)
    for start, end in ((1, 3), (1.5, 4), (5, 8)):
        made.chat(one, start, end)
    replay = replay_of(made)
    assert replay.as_it_was == pytest.approx(10)
    assert replay.after(Change(faster={("a", "chat m"): 0.5})) == pytest.approx(10 - 1.25 - 1.5)


def test_a_graph_inside_is_played_too() -> None:
    made = Recorded(end=7)
    outer = made.fragment("agent[1]", 0, 6)
    inner = made.span("invoke_workflow sub", outer, 1, 5, {names.GRAPH: "sub"})
    first = made.fragment("x[1]", 1, 3, parent=inner)
    made.fragment("y[2]", 3, 5, parent=inner, step=2, inputs=[first])
    made.fragment("last[2]", 6, 7, step=2, inputs=[outer])
    replay = replay_of(made)
    assert replay.as_it_was == pytest.approx(7)
    assert replay.after(Change(faster={("x", "x"): 0.5})) == pytest.approx(6)


def test_places_of_a_run_are_held_while_a_node_is_at_work() -> None:
    made = Recorded(end=4, CONCURRENCY=1, **{names.CONCURRENCY: 1})
    for item in range(4):
        made.fragment(f"__start__[0]/a[{item}]", item, item + 1, QUEUED=float(item))
    replay = replay_of(made)
    assert replay.as_it_was == pytest.approx(4)
    assert replay.after(Change(places={replay.places.label: 2})) == pytest.approx(2)


def test_what_began_on_a_part_of_an_answer_moves_with_it() -> None:
    made = Recorded(end=6)
    first = made.fragment("a[1]", 0, 1)
    plan = made.fragment("plan[2]", 1, 5, step=2, inputs=[first])
    made.fragment("plan[2]/do[0]", 2, 6, step=3, parent=plan, inputs=[plan], issue="ahead")
    assert replay_of(made).after(Change(faster={("a", "a"): 0.5})) == pytest.approx(5.5)


def test_what_was_thrown_away_takes_places_but_nobody_waits_for_it() -> None:
    made = Recorded(end=4)
    made.fragment("a[1]", 0, 4)
    made.fragment("b[2]", 0, 9, step=2, issue="speculative", outcome="squashed")
    assert replay_of(made).as_it_was == pytest.approx(4)


def whys(trace: Trace) -> list[tuple[str, str]]:
    assert trace.main is not None
    return [(step.fragment.tag, step.release.why) for step in critical_chain(trace.main).steps]


def test_the_critical_path_says_what_each_waited_for() -> None:
    steps = [("__start__[0]/a[2]", "start"), ("__start__[0]/a[0]/b[0]", "superstep")]
    assert whys(two_stages().trace()) == steps
    made = Recorded(end=9)
    a = made.fragment("a[1]", 0, 2)
    made.fragment("writer[1]", 0, 5)
    made.fragment("b[2]", 5.001, 9, step=2, issue="ahead", inputs=[a])
    assert whys(made.trace()) == [("writer[1]", "start"), ("b[2]", "held")]


@ANY
@given(st.lists(st.tuples(st.floats(0, 9), st.floats(0, 9), st.integers(1, 4)), min_size=1, max_size=12))
def test_the_critical_path_is_in_order_and_ends_with_the_run(those: list[tuple[float, float, int]]) -> None:
    made = Recorded(end=20)
    ids: list[str] = []
    for number, (start, seconds, step) in enumerate(sorted(those)):
        ids.append(made.fragment(f"__start__[0]/n[{number}]", start, start + seconds, step=step, inputs=ids[-2:]))
    run = run_of(made)
    chain = critical_chain(run)
    assert all(a.fragment.start <= b.fragment.start for a, b in pairwise(chain.steps))
    assert chain.steps[-1].fragment.end + chain.rest == pytest.approx(run.end)
