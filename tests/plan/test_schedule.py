"""Critical path, superstep bound and ideal schedule of recorded tasks."""

from dataclasses import replace
from itertools import pairwise, permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alto_langgraph.plan.schedule import Path, Work, critical_path, ideal_schedule, lower_bound, superstep_bound
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


@st.composite
def streamed(draw: st.DrawFn, most: int = 30) -> list[Work]:
    """Recordings in which some tasks need but the heads of what earlier ones answer."""
    tasks = draw(recordings(most))
    for at, task in enumerate(tasks):
        heads = draw(st.dictionaries(st.sampled_from([t.tag for t in tasks[:at]]), st.integers(0, 100), max_size=3)) if at else {}
        tasks[at] = replace(task, heads=tuple((parent, eighths / 8) for parent, eighths in heads.items()))
    return tasks


def held_up(child: Work, parent: Work) -> float | None:
    """Seconds from a parent's start on for which it holds a child up; None where the child doesn't need it."""
    heads = dict(child.heads)
    if parent.tag in child.parents:
        return parent.seconds
    return min(heads[parent.tag], parent.seconds) if parent.tag in heads else None


@given(recordings(most=6) | streamed(most=6))
def test_the_critical_path_is_the_longest_of_all_chains(tasks: list[Work]) -> None:
    named = {t.tag: t for t in tasks}
    longest = 0.0
    for length in range(len(tasks) + 1):
        for chain in permutations(named.values(), length):
            edges = [held_up(after, before) for before, after in pairwise(chain)]
            if chain and None not in edges:
                longest = max(longest, sum(edge or 0.0 for edge in edges) + chain[-1].seconds)
    path = critical_path(tasks)
    assert path.seconds == pytest.approx(longest)
    edges = [held_up(named[after], named[before]) for before, after in pairwise(path.tags)]
    assert None not in edges
    assert sum(edge or 0.0 for edge in edges) + sum(named[t].seconds for t in path.tags[-1:]) == pytest.approx(longest)


@given(recordings() | streamed(), st.none() | st.integers(1, 4))
def test_an_ideal_schedule_is_legal_and_lies_between_its_bounds(tasks: list[Work], slots: int | None) -> None:
    schedule = ideal_schedule(tasks, slots)
    named = {t.tag: t for t in tasks}
    when = {i.tag: i for i in schedule.intervals}
    assert when.keys() == named.keys()
    for interval in schedule.intervals:
        assert interval.end - interval.start == pytest.approx(named[interval.tag].seconds)
        for parent in named.values():
            held = held_up(named[interval.tag], parent)
            assert held is None or when[parent.tag].start + held <= interval.start
    slotted = [i for i in schedule.intervals if i.slot is not None]
    assert all(a.end <= b.start or b.end <= a.start for a in slotted for b in slotted if a is not b and a.slot == b.slot)
    assert schedule.makespan >= lower_bound(tasks, slots) - 1e-9
    if slots is None:
        assert schedule.makespan == pytest.approx(critical_path(tasks).seconds)
        assert any(t.heads for t in tasks) or schedule.makespan <= superstep_bound(tasks) + 1e-9
    else:
        work = sum(t.seconds for t in tasks if t.slotted)
        assert schedule.makespan <= work / slots + critical_path(tasks).seconds + 1e-9  # Graham: true of whatever leaves no slot idle


@given(recordings() | streamed(), st.integers(1, 3))
def test_no_slot_is_idle_while_a_task_waits_for_one(tasks: list[Work], slots: int) -> None:
    schedule = ideal_schedule(tasks, slots)
    when = {i.tag: i for i in schedule.intervals}
    for task in tasks:
        held = {t.tag: held_up(task, t) for t in tasks}
        ready = max((when[t].start + seconds for t, seconds in held.items() if seconds is not None), default=0.0)
        begins = when[task.tag].start
        if not task.slotted:
            assert begins == ready
        elif begins > ready:
            for moment in {ready, *(i.start for i in schedule.intervals if ready <= i.start < begins)}:
                assert sum(i.slot is not None and i.start <= moment < i.end for i in schedule.intervals) == slots


@given(recordings(), st.none() | st.integers(1, 4))
def test_a_head_that_is_there_only_at_the_end_is_as_good_as_the_whole(tasks: list[Work], slots: int | None) -> None:
    named = {t.tag: t for t in tasks}
    by_heads = [replace(t, parents=(), heads=tuple((p, named[p].seconds) for p in t.parents)) for t in tasks]
    assert ideal_schedule(by_heads, slots) == ideal_schedule(tasks, slots)
    assert critical_path(by_heads) == critical_path(tasks)


def plan_of_four(slots: int | None) -> list[tuple[float, float]]:
    """A plan of 4 s, a line each second, and 2 s of writing for each line: when they run, and their makespan as the last pair."""
    plan = Work(tag(0), "plan", 0, 4.0)
    writes = [Work(tag(line), "write", 1, 2.0, heads=((tag(0), float(line)),)) for line in (1, 2, 3, 4)]
    schedule = ideal_schedule([plan, *writes], slots)
    return [*((i.start, i.end) for i in sorted(schedule.intervals, key=lambda i: i.tag)), (0.0, schedule.makespan)]


def test_what_needs_a_head_starts_when_it_is_there() -> None:
    assert plan_of_four(None) == [(0, 4), (1, 3), (2, 4), (3, 5), (4, 6), (0, 6)]


def test_who_writes_heads_keeps_its_slot_until_it_has_written_all() -> None:
    assert plan_of_four(3) == [(0, 4), (1, 3), (2, 4), (3, 5), (4, 6), (0, 6)]
    assert plan_of_four(2) == [(0, 4), (1, 3), (3, 5), (4, 6), (5, 7), (0, 7)]
    assert plan_of_four(1) == [(0, 4), (4, 6), (6, 8), (8, 10), (10, 12), (0, 12)]


def test_heads_of_heads_flow_on_until_something_needs_a_whole() -> None:
    answer, (first, second), (a, b, c), (of_first, of_second), end = tag(0), map(tag, (1, 2)), map(tag, (3, 4, 5)), map(tag, (6, 7)), tag(8)
    tasks = [
        Work(answer, "answer", 0, 3.0),
        Work(first, "extract", 1, 2.0, heads=((answer, 1.0),)),
        Work(second, "extract", 1, 1.0, heads=((answer, 3.0),)),
        Work(a, "check", 2, 3.0, heads=((first, 1.0),)),
        Work(b, "check", 2, 1.0, heads=((first, 2.0),)),
        Work(c, "check", 2, 0.5, heads=((second, 1.0),)),
        Work(of_first, "judge", 3, 1.0, (a, b)),
        Work(of_second, "judge", 3, 1.0, (c,)),
        Work(end, "conclude", 4, 1.0, (of_first, of_second)),
    ]
    schedule = ideal_schedule(tasks)
    when = {i.tag: (i.start, i.end) for i in schedule.intervals}
    assert when == {
        answer: (0, 3),
        first: (1, 3),
        second: (3, 4),
        a: (2, 5),
        b: (3, 4),
        c: (4, 4.5),
        of_first: (5, 6),
        of_second: (4.5, 5.5),
        end: (6, 7),
    }
    assert critical_path(tasks).tags == (answer, first, a, of_first, end)
    assert superstep_bound(tasks) == 3 + 2 + 3 + 1 + 1


def test_a_chain_may_end_with_one_whose_heads_are_of_use_but_not_its_end() -> None:
    path = critical_path([Work(tag(0), "plan", 0, 4.0), Work(tag(1), "write", 1, 1.0, heads=((tag(0), 1.0),))])
    assert path == Path(4.0, (tag(0),))


def test_a_head_after_the_end_counts_as_the_end_and_one_of_an_unknown_is_ignored() -> None:
    tasks = [Work(tag(0), "a", 0, 2.0), Work(tag(1), "b", 1, 1.0, heads=((tag(0), 9.0), (tag(9), 9.0)))]
    assert ideal_schedule(tasks).makespan == 3.0
    whole = replace(tasks[1], parents=(tag(0),), heads=((tag(0), 0.5),))
    assert ideal_schedule([tasks[0], whole]).makespan == 3.0


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
