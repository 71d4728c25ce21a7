"""Critical path, superstep bound and ideal schedule of recorded tasks."""

from itertools import pairwise, permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alto_langgraph.plan.schedule import Work, critical_path, ideal_schedule, lower_bound, superstep_bound
from alto_langgraph.tags import Tag


def tag(number: int) -> Tag:
    return Tag((("task", number),))


@st.composite
def recordings(draw: st.DrawFn, most: int = 30) -> list[Work]:
    """Tasks whose parents committed in earlier supersteps, as in any real run."""
    tasks: list[Work] = []
    step = 0
    for number in range(draw(st.integers(0, most))):
        step += draw(st.integers(0, 1))
        earlier = [t.tag for t in tasks if t.step < step]
        parents = tuple(draw(st.lists(st.sampled_from(earlier), unique=True, max_size=3))) if earlier else ()
        seconds = draw(st.integers(0, 100)) / 8
        tasks.append(Work(tag(number), f"n{number % 3}", step, seconds, parents, slotted=draw(st.booleans())))
    return tasks


@given(recordings(most=6))
def test_the_critical_path_is_the_longest_of_all_chains(tasks: list[Work]) -> None:
    named = {t.tag: t for t in tasks}
    longest = 0.0
    for length in range(len(tasks) + 1):
        for chain in permutations(named.values(), length):
            if all(before.tag in after.parents for before, after in pairwise(chain)):
                longest = max(longest, sum(t.seconds for t in chain))
    path = critical_path(tasks)
    assert path.seconds == pytest.approx(longest)
    assert sum(named[t].seconds for t in path.tags) == pytest.approx(longest)
    assert all(before in named[after].parents for before, after in pairwise(path.tags))


@given(recordings(), st.none() | st.integers(1, 4))
def test_an_ideal_schedule_is_legal_and_lies_between_its_bounds(tasks: list[Work], slots: int | None) -> None:
    schedule = ideal_schedule(tasks, slots)
    named = {t.tag: t for t in tasks}
    when = {i.tag: i for i in schedule.intervals}
    assert when.keys() == named.keys()
    for interval in schedule.intervals:
        assert interval.end - interval.start == pytest.approx(named[interval.tag].seconds)
        assert all(when[parent].end <= interval.start for parent in named[interval.tag].parents)
    slotted = [i for i in schedule.intervals if i.slot is not None]
    assert all(a.end <= b.start or b.end <= a.start for a in slotted for b in slotted if a is not b and a.slot == b.slot)
    assert schedule.makespan >= lower_bound(tasks, slots) - 1e-9
    if slots is None:
        assert schedule.makespan == pytest.approx(critical_path(tasks).seconds)
        assert schedule.makespan <= superstep_bound(tasks) + 1e-9
    else:
        work = sum(t.seconds for t in tasks if t.slotted)
        assert schedule.makespan <= work / slots + critical_path(tasks).seconds + 1e-9  # Graham: true of whatever leaves no slot idle


@given(recordings(), st.integers(1, 3))
def test_no_slot_is_idle_while_a_task_waits_for_one(tasks: list[Work], slots: int) -> None:
    schedule = ideal_schedule(tasks, slots)
    when = {i.tag: i for i in schedule.intervals}
    for task in tasks:
        ready = max((when[p].end for p in task.parents), default=0.0)
        begins = when[task.tag].start
        if not task.slotted:
            assert begins == ready
        elif begins > ready:
            for moment in {ready, *(i.start for i in schedule.intervals if ready <= i.start < begins)}:
                assert sum(i.slot is not None and i.start <= moment < i.end for i in schedule.intervals) == slots


def test_the_longest_remaining_path_goes_first() -> None:
    tasks = [
        Work(tag(0), "short", 0, 1.0),
        Work(tag(1), "long", 0, 1.0),
        Work(tag(2), "after", 1, 5.0, (tag(1),)),
    ]
    schedule = ideal_schedule(tasks, slots=1)
    assert [i.tag for i in schedule.intervals] == [tag(1), tag(2), tag(0)]
    assert schedule.makespan == 7.0 == lower_bound(tasks, 1)


def test_parents_that_were_not_recorded_are_ignored() -> None:
    assert critical_path([Work(tag(0), "n", 0, 2.0, (tag(9),))]).seconds == 2.0


def test_nothing_recorded_takes_no_time() -> None:
    assert critical_path([]).tags == ()
    assert ideal_schedule([], 2).makespan == superstep_bound([]) == lower_bound([], 2) == 0.0


def test_impossible_recordings_are_refused() -> None:
    circle = [Work(tag(0), "a", 0, 1.0, (tag(1),)), Work(tag(1), "b", 0, 1.0, (tag(0),))]
    with pytest.raises(ValueError, match="circle"):
        critical_path(circle)
    with pytest.raises(ValueError, match="Two tasks are called"):
        critical_path([Work(tag(0), "a", 0, 1.0), Work(tag(0), "b", 0, 2.0)])
    with pytest.raises(ValueError, match="at least one slot"):
        ideal_schedule([], 0)


def test_a_chain_of_ten_thousand_tasks_is_scheduled() -> None:
    chain = [Work(tag(n), "n", n, 1.0, (tag(n - 1),)) for n in range(10_000)]
    assert ideal_schedule(chain, 16).makespan == critical_path(chain).seconds == superstep_bound(chain) == 10_000.0
