"""Fragments: what a running task would send on the finished part of its answer."""

from __future__ import annotations

import pytest

from alto_langgraph.engine.events import (
    Adopt,
    Cancel,
    Closed,
    Ended,
    Event,
    Failed,
    Finished,
    Offer,
    Opened,
    Relayed,
    Retreated,
    Run,
    Start,
    Streamed,
    Withdrawn,
)
from alto_langgraph.exceptions import IllegalTransitionError
from alto_langgraph.tags import Tag
from tests.engine.test_engine import finished, offer, opened, start, tag
from tests.engine.validation import Told, node

OTHERWISE = "the complete answer says otherwise"


def told(repeatable: str = "abcd") -> Told:
    return Told(*(node(name) for name in "abcd"), repeatable=frozenset(repeatable))


def streamed(name: str, *sends: str) -> Streamed:
    return Streamed(tag(name), tuple(offer(f"{name}/{send}") for send in sends))


def confirming(name: str, *sends: str, confirmed: tuple[str, ...]) -> Finished:
    return Finished(tag(name), finished(name, *sends).offers, confirmed=frozenset(tag(f"{name}/{it}") for it in confirmed))


def test_a_fragment_starts_while_its_producer_runs() -> None:
    run = told()
    run(opened(1, "a"))
    assert run(streamed("a", "b0")) == [start("a/b0")]
    assert run(streamed("a", "b1")) == [start("a/b1")]
    assert run(confirming("a", "b0", "b1", confirmed=("b0", "b1"))) == []
    run(Closed(1))
    assert run(opened(2, "a/b0", "a/b1")) == [Adopt(tag("a/b0")), Adopt(tag("a/b1"))]


def test_what_the_complete_answer_has_otherwise_is_thrown_away_with_all_that_came_of_it() -> None:
    run = told()
    run(opened(1, "a"))
    run(streamed("a", "b0", "b1"))
    assert run(finished("a/b1", "c0")) == [start("a/b1/c0")]
    assert run(confirming("a", "b0", "b1", confirmed=("b0",))) == [
        Cancel(tag("a/b1"), OTHERWISE),
        Cancel(tag("a/b1/c0"), OTHERWISE),
    ]
    run(Closed(1))
    assert run(opened(2, "a/b0", "a/b1")) == [Adopt(tag("a/b0")), Run(tag("a/b1"))]


@pytest.mark.parametrize("own", [finished("a/b0", "c0"), Failed(tag("a/b0")), Retreated(tag("a/b0"), "it asks")])
def test_what_is_thrown_away_may_have_ended_in_the_same_moment(own: Event) -> None:
    run = told()
    run(opened(1, "a", "d"))
    run(streamed("a", "b0", "b1"))
    assert run(confirming("a", "b0", "b1", confirmed=("b1",)), own) == [Cancel(tag("a/b0"), OTHERWISE), start("a/b0")]
    assert run(finished("a/b0", "c0")) == [start("a/b0/c0")]


def test_fragments_of_fragments_start_too() -> None:
    run = told()
    run(opened(1, "a"))
    run(streamed("a", "b0"))
    assert run(streamed("a/b0", "c0")) == [start("a/b0/c0")]
    assert run(confirming("a/b0", "c0", "c1", confirmed=("c0",))) == [start("a/b0/c1")]


def test_what_cannot_be_thrown_away_waits_until_it_is_certain() -> None:
    run = told(repeatable="b")
    run(opened(1, "a"))
    assert run(streamed("a", "b0", "c1")) == [start("a/b0")]
    assert run(finished("a/b0", "c0")) == []
    assert run(confirming("a", "b0", "c1", confirmed=("b0", "c1"))) == [start("a/b0/c0")]  # the superstep of c1 comes at once


def test_a_certain_one_starts_once_it_is_confirmed_while_another_still_runs() -> None:
    run = told(repeatable="b")
    run(opened(1, "a", "d"))
    run(streamed("a", "c0"))
    assert run(confirming("a", "c0", confirmed=("c0",))) == [Start(tag("a/c0"), "c", 2)]


def test_fragments_go_with_a_producer_that_fails_or_retreats_or_with_the_run() -> None:
    for event, reason in (
        (Failed(tag("a")), "`a` has failed"),
        (Retreated(tag("a"), "it met a fence"), "it met a fence"),
        (Ended(), "the run ended"),
    ):
        run = told()
        run(opened(1, "a", "d"))
        run(streamed("a", "b0"))
        assert Cancel(tag("a/b0"), reason) in run(event)


def test_a_task_that_has_finished_streams_no_more() -> None:
    run = told()
    run(opened(1, "a", "d"))
    run(finished("a", "b0"))
    with pytest.raises(IllegalTransitionError, match="streams no more"):
        run(streamed("a", "b0"))


def test_what_is_withdrawn_is_thrown_away_and_may_be_streamed_anew() -> None:
    run = told()
    run(opened(1, "a"))
    run(streamed("a", "b0"))
    assert run(Withdrawn(tag("a"))) == [Cancel(tag("a/b0"), "more of the answer says otherwise")]
    assert run(streamed("a", "b0")) == [start("a/b0")]


def test_a_part_goes_through_nodes_behind_the_running_task() -> None:
    run = told()
    run(opened(1, "a"))
    assert run(Relayed(tag("a"), ("b", "c"))) == []
    c = Tag((("c", 3),))
    assert run(Streamed(c, (Offer(c.child("d", 0), "d"),))) == [Start(c.child("d", 0), "d", 4)]
    assert run(Relayed(tag("a"), ("b", "c"))) == []
    run(finished("a"))
    run(Closed(1))
    assert run(Opened(2, (Offer(Tag((("b", 2),)), "b"),), 10)) == [Run(Tag((("b", 2),)))]
    run(Finished(Tag((("b", 2),))))
    run(Closed(2))
    assert run(Opened(3, (Offer(c, "c"),), 10)) == [Run(c)]
    assert run(Finished(c, (Offer(c.child("d", 0), "d"),), confirmed=frozenset({c.child("d", 0)}))) == []
    run(Closed(3))
    assert run(Opened(4, (Offer(c.child("d", 0), "d"),), 10)) == [Adopt(c.child("d", 0))]


def test_what_was_sent_behind_goes_if_that_never_comes() -> None:
    run = told()
    run(opened(1, "a"))
    b = Tag((("b", 2),))
    run(Relayed(tag("a"), ("b",)))
    run(Streamed(b, (Offer(b.child("c", 0), "c"),)))
    run(finished("a"))
    run(Closed(1))
    assert run(opened(2, "d")) == [Run(tag("d")), Cancel(b.child("c", 0), "its superstep came without it")]
