"""Facts become timelines and schedulable work."""

import pytest

from alto_langgraph.comparison import timeline, timeline_svg, work
from alto_langgraph.comparison.timeline import Timeline
from alto_langgraph.plan.schedule import critical_path
from alto_langgraph.protocols import Fact, Outcome, StepOpened, TaskFinished, TaskSquashed, TaskStarted
from alto_langgraph.tags import Tag

SPLIT = Tag((("split", 1),))
A, B = SPLIT.child("a", 0), SPLIT.child("a", 1)


def ran(
    tag: Tag, start: float, end: float, *parents: Tag, step: int = 2, ahead: bool = False, outcome: Outcome = "completed"
) -> list[Fact]:
    return [TaskStarted((), tag, tag.path[-1][0], step, ahead, parents, start), TaskFinished((), tag, outcome, end)]


def test_times_count_from_the_start_of_the_run_and_subgraphs_are_left_to_their_task() -> None:
    inner: Fact = TaskStarted(("a",), A, "a", 1, False, (), 10.3)
    line = timeline([([StepOpened((), 2, (A,), 10.1), inner, *ran(A, 10.25, 10.75, SPLIT)], 10.0, 11.0)])
    (bar,) = line.bars
    assert (bar.tag, bar.start, bar.end, bar.seconds) == (A, 0.25, 0.75, 0.5)
    assert line.barriers == pytest.approx((0.1,))
    assert line.seconds == 1.0


def test_what_was_squashed_or_cancelled_is_lost_and_no_work() -> None:
    facts = [
        *ran(A, 1, 2, SPLIT, ahead=True),
        TaskSquashed((), A, "read too early", 2.5),
        *ran(A, 3, 6, SPLIT),
        *ran(B, 1, 2, outcome="cancelled"),
    ]
    line = timeline([(facts, 0.0, 7.0)])
    assert [(bar.tag, bar.lost) for bar in line.bars] == [(A, True), (B, True), (A, False)]
    assert [(task.tag, task.seconds) for task in work(line)] == [(A, 3.0)]


def test_a_task_that_never_ended_ends_with_the_run() -> None:
    line = timeline([([TaskStarted((), A, "a", 2, True, (), 1.0)], 0.0, 4.0)])
    assert [(bar.end, bar.lost) for bar in line.bars] == [(4.0, True)]


def test_turns_stand_behind_each_other_and_depend_on_each_other() -> None:
    line = timeline([(ran(A, 1, 2), 0.0, 3.0), (ran(A, 101, 104), 100.0, 105.0)])
    assert [(bar.start, bar.end) for bar in line.bars] == [(1.0, 2.0), (4.0, 7.0)]
    assert line.seconds == 8.0
    assert len({bar.tag for bar in line.bars}) == 2
    assert critical_path(work(line)).seconds == 4.0


def test_only_named_nodes_need_a_slot() -> None:
    line = timeline([([*ran(SPLIT, 0, 1, step=1), *ran(A, 1, 2, SPLIT)], 0.0, 2.0)])
    assert {task.node: task.slotted for task in work(line)} == {"split": True, "a": True}
    assert {task.node: task.slotted for task in work(line, ["a"])} == {"split": False, "a": True}


def test_tasks_get_the_names_they_have_in_another_run() -> None:
    one = timeline([([StepOpened((), 2, (A, B), 0.0), *ran(A, 0, 1), *ran(B, 0, 1)], 0.0, 1.0)])
    others = (Tag((("a", 2), ("send", 0))), Tag((("a", 2), ("send", 1))))
    other = timeline([([*ran(others[1], 0, 1), StepOpened((), 2, others, 0.0), *ran(others[0], 0.5, 1)], 0.0, 1.0)])
    assert [bar.tag for bar in other.named_like(one).bars] == [B, A]
    assert other.named_like(Timeline((), (), 0.0)) == other


def test_a_picture_of_nothing_is_a_picture() -> None:
    nothing = timeline([([], 0.0, 0.0)])
    assert timeline_svg(nothing, nothing).startswith("<svg")


def test_a_thousand_fragments_fit_into_the_picture() -> None:
    facts = [fact for n in range(1000) for fact in ran(SPLIT.child("a", n), 0, 1)]
    line = timeline([(facts, 0.0, 1.0)])
    picture = timeline_svg(line, line)
    assert picture.count("<title>") == 2000
    assert 'viewBox="0 0 960 7' in picture or 'viewBox="0 0 960 8' in picture
