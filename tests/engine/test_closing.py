"""What of a reduction is closed: ancestors of which nothing is unfinished, up to the first of which something is."""

from __future__ import annotations

from alto_langgraph.ancestry import Ancestry
from alto_langgraph.engine.closing import closed
from alto_langgraph.engine.task import Phase, Task
from tests.engine.test_engine import tag


def task(name: str, *, done: bool = True, step: int = 1, children: int = 0) -> Task:
    path = tag(name)
    made = Task(path, path.path[-1][0], step, frozenset(), Phase.COMPLETED if done else Phase.RUNNING, unfinished=not done)
    made.children = [task(f"{name}/x{index}") for index in range(children)]
    return made


def ancestry(*tasks: Task) -> Ancestry:
    made = Ancestry()
    for one in tasks:
        if one.unfinished:
            made.begin(one.tag)
    return made


def names(*tasks: Task, writers: str = "") -> list[str]:
    part = closed(tasks, ancestry(*tasks), lambda node: node in writers, holes=False)
    assert part.first
    return [str(found.tag) for found in part.tasks]


def with_holes(*tasks: Task) -> tuple[list[str], bool]:
    part = closed(tasks, ancestry(*tasks), lambda node: False)
    return [str(found.tag) for found in part.tasks], part.first


def test_an_ancestor_is_closed_once_nothing_below_it_is_unfinished() -> None:
    first = [task("a/b0"), task("a/b0/c0", step=2), task("a/b0/c1", step=2)]
    second = [task("a/b1"), task("a/b1/c0", step=2), task("a/b1/c1", step=2, done=False)]
    assert names(*first, *second) == ["a[1]/b[0]", "a[1]/b[0]/c[0]", "a[1]/b[0]/c[1]"]


def test_none_behind_an_open_one_is_closed_for_what_it_comes_to_would_be_in_another_place() -> None:
    assert names(task("a/b0"), task("a/b1", done=False), task("a/b2")) == ["a[1]/b[0]"]


def test_those_behind_an_open_one_are_a_part_with_a_hole() -> None:
    tasks = [task("a/b0"), task("a/b1"), task("a/b1/c0", step=2, done=False), task("a/b2"), task("a/b2/c0", step=2)]
    assert with_holes(*tasks) == (["a[1]/b[0]", "a[1]/b[2]", "a[1]/b[2]/c[0]"], False)
    tasks[2].unfinished = False
    assert with_holes(*tasks) == ([str(one.tag) for one in tasks], True)


def test_one_whose_place_nobody_knows_may_stand_behind_an_open_one() -> None:
    unplaced = task("a/b3")
    unplaced.tag = unplaced.tag.parent.child("b", -3) if unplaced.tag.parent else unplaced.tag
    assert with_holes(task("a/b0"), unplaced) == (["a[1]/b[?3]", "a[1]/b[0]"], True), "nothing is to come"
    assert with_holes(task("a/b0", done=False), unplaced) == (["a[1]/b[?3]"], False)


def test_one_that_is_known_and_has_not_begun_is_open() -> None:
    waiting = task("a/b0/c0", done=False)
    waiting.phase = Phase.WAITING
    assert names(task("a/b0"), waiting) == []


def test_what_a_running_task_may_still_split_off_comes_behind_what_it_has() -> None:
    producer = task("a", done=False, step=0, children=2)
    assert names(producer, task("a/b0"), task("a/b1"), task("a/b1/c0", step=2)) == ["a[1]/b[0]", "a[1]/b[1]", "a[1]/b[1]/c[0]"]


def test_nothing_is_closed_while_one_that_was_not_split_off_may_write_what_is_reduced() -> None:
    beside = task("w", done=False)
    assert names(beside, task("a/b0"), writers="w") == []
    assert names(beside, task("a/b0")) == ["a[1]/b[0]"]


def test_what_was_not_split_off_and_is_finished_counts_wherever_it_stands() -> None:
    assert names(task("z"), task("a/b0", done=False)) == ["z[1]"]


def test_ancestors_of_an_inner_split_are_closed_while_their_outer_one_is_open() -> None:
    first = [task("a/b0"), task("a/b0/c0", step=2), task("a/b0/c0/d0", step=3)]
    second = [task("a/b0/c1", step=2), task("a/b0/c1/d0", step=3, done=False)]
    third = [task("a/b0/c2", step=2), task("a/b0/c2/d0", step=3)]
    tasks = [*first, *second, *third]
    assert with_holes(*tasks) == ([], True)
    part = closed(tasks, ancestry(*tasks), lambda node: False, level=3)
    assert [str(found.tag) for found in part.tasks] == [str(one.tag) for one in [*first, *third]]
    assert not part.first
    without = closed(tasks, ancestry(*tasks), lambda node: False, level=3, holes=False)
    assert [str(found.tag) for found in without.tasks] == [str(one.tag) for one in first]


def test_a_task_between_that_may_still_split_is_a_hole() -> None:
    tasks = [task("a/b0", done=False, children=1), task("a/b0/c0", step=2), task("a/b1"), task("a/b1/c0", step=2)]
    part = closed(tasks, ancestry(*tasks), lambda node: True, level=3)
    assert [str(found.tag) for found in part.tasks] == ["a[1]/b[0]/c[0]", "a[1]/b[1]", "a[1]/b[1]/c[0]"]
    assert not part.first
