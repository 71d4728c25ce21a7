"""The issue stage, event by event: what starts, what is adopted, what is thrown away, and what can't happen."""

from __future__ import annotations

import pytest

from alto_langgraph.engine.events import (
    Adopt,
    Cancel,
    Closed,
    Ended,
    Failed,
    Finished,
    Instruction,
    Offer,
    Opened,
    Pass,
    Retreated,
    RouteReached,
    Run,
    Start,
)
from alto_langgraph.engine.task import MOVES, Phase, Task
from alto_langgraph.exceptions import IllegalTransitionError
from alto_langgraph.tags import Tag
from tests.engine.validation import Told, node, validate

FAR = 100


def tag(name: str, step: int = 1) -> Tag:
    """`a`: a task of the first superstep; `a/b`: its Send to b; `a/b/c2`: that one's third Send to c."""
    first, *rest = name.split("/")
    made = Tag(((first, step),))
    for part in rest:
        made = made.child(part[0], int(part[1:] or 0))
    return made


def offer(name: str, *operands: int, step: int = 1, unknown: bool = False) -> Offer:
    it = tag(name, step)
    return Offer(it, it.path[-1][0], None if unknown else frozenset(operands))


def opened(step: int, *names: str, limit: int = FAR) -> Opened:
    return Opened(step, tuple(offer(name) for name in names), limit)


def finished(name: str, *sends: str) -> Finished:
    return Finished(tag(name), tuple(offer(f"{name}/{send}") for send in sends))


def start(name: str) -> Start:
    it = tag(name)
    return Start(it, it.path[-1][0], it.depth)


def told(*nodes: str, **options: object) -> Told:
    return Told(*(node(n) for n in nodes or "abcd"), **options)


class TestIssue:
    def test_tasks_that_the_loop_brings_run_in_order(self) -> None:
        tell = told()
        assert tell(opened(1, "a", "b")) == [Run(tag("a")), Run(tag("b"))]

    def test_a_send_of_a_finished_task_starts_while_a_sibling_runs(self) -> None:
        tell = told()
        tell(opened(1, "a", "b"))
        assert tell(finished("a", "c", "c1")) == [start("a/c"), start("a/c1")]
        assert tell.engine.occupancy == 2

    def test_chains_go_on_from_early_runs(self) -> None:
        tell = told()
        tell(opened(1, "a", "b"))
        tell(finished("a", "c"))
        assert tell(finished("a/c", "d")) == [start("a/c/d")]
        assert tell(finished("a/c/d", "c")) == [start("a/c/d/c")]

    def test_the_last_task_of_a_superstep_starts_nothing(self) -> None:
        """The loop comes for its Sends at once."""
        tell = told()
        tell(opened(1, "a", "b"))
        tell(finished("a"))
        assert tell(finished("b", "c")) == []
        assert tell(Closed(1)) == []
        assert tell(opened(2, "b/c")) == [Run(tag("b/c"))]

    def test_a_node_that_may_not_run_ahead_waits_for_its_superstep(self) -> None:
        tell = told(fenced="c")
        tell(opened(1, "a", "b"))
        assert tell(finished("a", "c", "d")) == [start("a/d")]
        tell(finished("b"))
        tell(Closed(1))
        assert tell(opened(2, "a/c", "a/d")) == [Run(tag("a/c")), Adopt(tag("a/d"))]

    def test_a_node_that_the_plan_does_not_know_is_judged_by_what_may_run_ahead(self) -> None:
        tell = told()
        tell(opened(1, "a", "b"))
        assert tell(finished("a", "z")) == []

    def test_a_send_that_shares_its_input_with_a_sibling_waits_for_its_superstep(self) -> None:
        tell = told()
        tell(opened(1, "a", "b"))
        child = Offer(tag("a/c"), "c", frozenset(), alone=False)
        assert tell(Finished(tag("a"), (child, offer("a/d")))) == [start("a/d")]
        tell(finished("b"))
        tell(Closed(1))
        assert tell(opened(2, "a/c", "a/d")) == [Run(tag("a/c")), Adopt(tag("a/d"))]

    def test_what_is_known_together_is_judged_together(self) -> None:
        """`a/c` would start if `b`'s Send, which must not be passed by what follows, came a moment later."""
        nodes = [node("a", sends="c"), node("b", sends="d"), node("c", sends="e"), node("d", changes="k"), node("e", uses="k"), node("f")]
        engine = Told(*nodes).engine
        engine.handle(opened(1, "a", "b", "f"))
        answer = engine.handle(finished("a", "c"), finished("b", "d"))
        assert answer == [start("a/c"), start("b/d")]
        assert engine.handle(finished("a/c", "e"), finished("b/d")) == [start("a/c/e")]
        validate(engine)


class TestWindow:
    def test_no_more_early_runs_than_the_window_holds(self) -> None:
        tell = told(window=2)
        tell(opened(1, "a", "b"))
        assert tell(finished("a", "c", "c1", "c2")) == [start("a/c"), start("a/c1")]

    def test_a_finished_early_run_keeps_its_place_until_adoption(self) -> None:
        tell = told(window=1)
        tell(opened(1, "a", "b"))
        tell(finished("a", "c", "c1"))
        assert tell(finished("a/c", "d")) == []
        tell(finished("b"))
        tell(Closed(1))
        assert tell(opened(2, "a/c", "a/c1")) == [Adopt(tag("a/c")), Run(tag("a/c1")), start("a/c/d")]

    def test_a_retreat_makes_room(self) -> None:
        tell = told(window=1)
        tell(opened(1, "a", "b"))
        tell(finished("a", "c", "c1"))
        assert tell(Retreated(tag("a/c"), "why")) == [Cancel(tag("a/c"), "why"), start("a/c1")]

    def test_what_became_blocked_while_the_window_was_full_goes_back_to_waiting(self) -> None:
        tell = Told(node("a"), node("b"), node("c", uses="k"), node("d", changes="k"), node("e"), window=1)
        tell(opened(1, "a", "b", "e"))
        tell(finished("a", "b", "c"))  # a/b runs ahead, a/c is ready for step 2
        tell(finished("a/b", "c"))  # a/b/c is ready for step 3
        tell(finished("b", "d"))  # changes k in step 2: before a/b/c
        tell(finished("e"))
        tell(Closed(1))
        answer = tell(opened(2, "a/b", "a/c", "b/d"))
        assert answer == [Adopt(tag("a/b")), Run(tag("a/c")), Run(tag("b/d"))]
        assert tell(finished("b/d")) == [start("a/b/c")]

    @pytest.mark.parametrize("window", [0, 1, 7, 100])
    def test_any_size(self, window: int) -> None:
        tell = told(window=window)
        tell(opened(1, "a", "b"))
        assert len(tell(finished("a", *(f"c{i}" for i in range(50))))) == min(window, 50)


class TestLimit:
    def test_nothing_starts_beyond_it(self) -> None:
        tell = told()
        tell(opened(1, "a", "b", limit=2))
        assert tell(finished("a", "c")) == [start("a/c")]
        assert tell(finished("a/c", "d")) == []

    def test_what_it_held_back_starts_when_it_moves(self) -> None:
        tell = told()
        tell(opened(1, "a", "b", limit=2))
        tell(finished("a", "c"))
        tell(finished("a/c", "d"))
        tell(finished("b", "c"))
        tell(Closed(1))
        assert tell(opened(2, "a/c", "b/c", limit=3)) == [Adopt(tag("a/c")), Run(tag("b/c")), start("a/c/d")]

    def test_it_may_shrink_while_the_window_is_full(self) -> None:
        """`a/c/d` is ready, and only the window holds it back, when a drain brings the limit down to the superstep before it."""
        tell = told(window=1)
        tell(opened(1, "a", "b"))
        assert tell(finished("a", "c")) == [start("a/c")]
        assert tell(finished("a/c", "d")) == [], "the window is full"
        tell(finished("b", "c"))
        tell(Closed(1))
        assert tell(opened(2, "a/c", "b/c", limit=2)) == [Adopt(tag("a/c")), Run(tag("b/c"))], "there is room now, and d is too far"
        tell(finished("b/c"))
        tell(Closed(2))
        assert tell(opened(3, "a/c/d")) == [Run(tag("a/c/d"))]

    def test_it_may_stay_where_it_is(self) -> None:
        tell = told()
        tell(opened(1, "a", "b", limit=1))
        assert tell(finished("a", "c")) == []
        tell(finished("b"))
        tell(Closed(1))
        assert tell(opened(2, "a/c", limit=2)) == [Run(tag("a/c"))]


class TestConflicts:
    def test_nothing_starts_behind_a_task_that_may_interrupt(self) -> None:
        tell = Told(node("a"), node("b", interrupts=True), node("c"))
        tell(opened(1, "a", "b"))
        assert tell(finished("a", "c")) == []

    def test_it_starts_when_the_last_such_task_has_finished(self) -> None:
        tell = Told(node("a"), node("b", interrupts=True), node("c"))
        tell(Opened(1, (offer("a"), offer("b"), offer("b", step=9), offer("c")), FAR))
        tell(finished("a", "c"))
        assert tell(finished("b")) == []
        assert tell(Finished(tag("b", 9))) == [start("a/c")]

    @pytest.mark.parametrize(
        ("mine", "theirs", "conflict"),
        [
            ({"uses": "k"}, {"changes": "k"}, True),
            ({"changes": "k"}, {"uses": "k"}, True),
            ({"changes": "k", "uses": "k"}, {"changes": "k", "uses": "k"}, True),
            ({"uses": "k"}, {"uses": "k"}, False),
            ({"uses": "k"}, {"changes": "l"}, False),
        ],
    )
    def test_shared_objects(self, mine: dict[str, str], theirs: dict[str, str], conflict: bool) -> None:
        tell = Told(node("a"), node("b", **theirs), node("c", **mine))
        tell(opened(1, "a", "b", "d"))
        assert tell(finished("a", "c")) == ([] if conflict else [start("a/c")])
        assert tell(finished("b")) == ([start("a/c")] if conflict else [])

    def test_early_runs_forbid_what_commits_after_them(self) -> None:
        tell = Told(node("a"), node("b"), node("c", changes="k"), node("d", uses="k"))
        tell(opened(1, "a", "b"))
        tell(finished("a", "c", "c1"))
        assert tell(finished("a/c", "d")) == [], "a/c1 may still change what d uses"
        assert tell(finished("a/c1")) == [start("a/c/d")]

    def test_tasks_of_one_superstep_do_not_wait_for_each_other(self) -> None:
        """Under stock they run side by side too."""
        tell = Told(node("a"), node("b"), node("c", uses="k", changes="k"))
        tell(opened(1, "a", "b"))
        assert tell(finished("a", "c", "c1")) == [start("a/c"), start("a/c1")]

    def test_one_blocker_after_another(self) -> None:
        tell = Told(node("a"), node("b", interrupts=True), node("c"), node("d", changes="k"), node("e", uses="k"))
        tell(opened(1, "a", "b", "c", "d"))
        assert tell(finished("a", "e")) == []
        assert tell(finished("b")) == []
        assert tell(finished("d")) == [start("a/e")]

    @pytest.mark.parametrize("steps_between", [0, 1])
    def test_a_task_that_is_not_known_yet_but_will_come_before(self, steps_between: int) -> None:
        """`b` is followed by `i`, which may interrupt: what commits after `i` must not start before it."""
        tell = Told(node("a", sends="c"), node("b", follow="i"), node("c", sends="c"), node("i", interrupts=True))
        tell(opened(1, "a", "b"))
        assert tell(finished("a", "c")) == [start("a/c")], "i runs beside it"
        if steps_between:
            assert tell(finished("a/c", "c")) == [], "i runs before it"


class TestOperands:
    def tell(self, changes: str, *held: int) -> tuple[Told, list[Instruction]]:
        """`b`, unfinished, holds objects 1 and 2; a Send to `c` holds `held`."""
        tell = Told(*(node(n, mutates=n in changes) for n in "abcd"))
        tell(Opened(1, (offer("a"), offer("b", 1, 2), offer("d")), FAR))
        return tell, tell(Finished(tag("a"), (offer("a/c", *held),)))

    @pytest.mark.parametrize("changes", ["b", "c", "bc"])
    def test_an_object_that_both_hold_and_one_may_change(self, changes: str) -> None:
        tell, answer = self.tell(changes, 2, 3)
        assert answer == []
        assert tell(finished("b")) == [start("a/c")]

    @pytest.mark.parametrize("changes", ["", "ad"])
    def test_an_object_that_both_hold_and_neither_changes(self, changes: str) -> None:
        assert self.tell(changes, 1, 2)[1] == [start("a/c")]

    def test_objects_of_their_own(self) -> None:
        assert self.tell("bc", 3)[1] == [start("a/c")]

    def test_no_objects(self) -> None:
        assert self.tell("bc")[1] == [start("a/c")]

    def test_a_holder_whose_objects_cannot_be_told(self) -> None:
        tell = Told(*(node(n, mutates=True) for n in "abc"))
        tell(Opened(1, (offer("a"), offer("b", unknown=True)), FAR))
        assert tell(Finished(tag("a"), (offer("a/c", 7), offer("a/c1")))) == [start("a/c1")], "only a/c holds anything"

    def test_a_candidate_whose_objects_cannot_be_told(self) -> None:
        tell = Told(*(node(n, mutates=True) for n in "abcd"))
        tell(Opened(1, (offer("a"), offer("b", 7), offer("d")), FAR))
        assert tell(Finished(tag("a"), (offer("a/c", unknown=True),))) == []
        assert tell(finished("b")) == [start("a/c")]

    @pytest.mark.parametrize("reads", ["x", "*", ""])
    def test_a_holder_whose_edge_may_change_what_the_state_holds(self, reads: str) -> None:
        """Its input has nothing of `a/c`'s, but the state, which its edge reads, may have."""
        tell = Told(node("a"), node("b", reads=reads, steers=True), node("c"), node("d"))
        tell(Opened(1, (offer("a"), offer("b", 1), offer("d")), FAR))
        at_once = tell(Finished(tag("a"), (offer("a/c", 7), offer("a/c1"))))
        assert at_once == ([start("a/c1")] if reads else [start("a/c"), start("a/c1")])
        assert tell(finished("b")) == ([start("a/c")] if reads else [])

    def test_what_a_parent_hands_to_its_child_is_no_obstacle(self) -> None:
        tell = Told(*(node(n, mutates=True) for n in "abc"))
        tell(Opened(1, (offer("a", 1), offer("b", 2)), FAR))
        assert tell(Finished(tag("a"), (offer("a/c", 1),))) == [start("a/c")]

    def test_an_object_handed_to_two_siblings_and_from_one_of_them_on(self) -> None:
        tell = Told(*(node(n, mutates=True) for n in "abc"))
        tell(Opened(1, (offer("a"), offer("b")), FAR))
        assert tell(Finished(tag("a"), (offer("a/c", 1), offer("a/c1", 1)))) == [start("a/c"), start("a/c1")]
        assert tell(Finished(tag("a/c"), (offer("a/c/b", 1),))) == []
        assert tell(finished("a/c1")) == [start("a/c/b")]


class TestAdoption:
    def ahead(self) -> Told:
        tell = told()
        tell(opened(1, "a", "b"))
        assert tell(finished("a", "c")) == [start("a/c")]
        return tell

    def close(self, tell: Told) -> None:
        tell(finished("b"))
        tell(Closed(1))

    def test_of_a_running_task(self) -> None:
        tell = self.ahead()
        self.close(tell)
        assert tell(opened(2, "a/c")) == [Adopt(tag("a/c"))]
        assert tell.engine.occupancy == 0
        assert tell(finished("a/c", "d")) == []

    def test_of_a_completed_task(self) -> None:
        tell = self.ahead()
        tell(finished("a/c", "d"))
        self.close(tell)
        assert tell(opened(2, "a/c")) == [Adopt(tag("a/c"))]
        tell(Closed(2))
        assert tell(opened(3, "a/c/d")) == [Adopt(tag("a/c/d"))]

    def test_of_a_failed_task(self) -> None:
        tell = self.ahead()
        tell(Failed(tag("a/c")))
        self.close(tell)
        assert tell(opened(2, "a/c")) == [Adopt(tag("a/c"))]
        tell(Closed(2))
        assert tell.engine.tasks == {}

    def test_of_a_task_that_waits_at_its_edges(self) -> None:
        tell = Told(node("a"), node("b", writes="x"), node("c", reads="x"))
        tell(opened(1, "a", "b"))
        tell(finished("a", "c"))
        assert tell(RouteReached(tag("a/c"))) == []
        self.close(tell)
        assert tell(opened(2, "a/c")) == [Adopt(tag("a/c"))], "adoption itself lets it pass"

    def test_a_task_that_only_waited_runs_in_order(self) -> None:
        tell = told(window=0)
        tell(opened(1, "a", "b"))
        tell(finished("a", "c"))
        self.close(tell)
        assert tell(opened(2, "a/c")) == [Run(tag("a/c"))]

    def test_tasks_are_adopted_in_the_loops_order(self) -> None:
        tell = told()
        tell(opened(1, "a", "b"))
        tell(finished("a", "c", "d", "c1"))
        self.close(tell)
        names = ["a/d", "a/c1", "a/c"]
        assert tell(Opened(2, (*map(offer, names), offer("b", step=2)), FAR)) == [*(Adopt(tag(n)) for n in names), Run(tag("b", 2))]

    def test_a_superstep_that_opens_later_leaves_no_trace_of_earlier_ones(self) -> None:
        tell = self.ahead()
        for step, name in enumerate(["a/c", "a/c/c", "a/c/c/c"], 2):
            tell(finished(name, "c"))
            if step == 2:
                tell(finished("b"))
            tell(Closed(step - 1))
            tell(opened(step, name))
        assert [task.step for task in tell.engine.tasks.values()] == [4, 5]


class TestRetreat:
    def test_before_adoption_it_runs_again_in_order(self) -> None:
        tell = told()
        tell(opened(1, "a", "b"))
        tell(finished("a", "c"))
        assert tell(Retreated(tag("a/c"), "why")) == [Cancel(tag("a/c"), "why")]
        assert tell.engine.occupancy == 0
        tell(finished("b"))
        tell(Closed(1))
        assert tell(opened(2, "a/c")) == [Run(tag("a/c"))]
        assert tell(finished("a/c", "d")) == []

    def test_after_adoption_it_runs_again_at_once(self) -> None:
        tell = told()
        tell(opened(1, "a", "b"))
        tell(finished("a", "c"))
        tell(finished("b"))
        tell(Closed(1))
        tell(opened(2, "a/c"))
        assert tell(Retreated(tag("a/c"), "why")) == [Run(tag("a/c"))]
        tell(finished("a/c"))

    def test_it_still_counts_as_unfinished(self) -> None:
        tell = Told(node("a"), node("b"), node("c", changes="k"), node("d", uses="k"))
        tell(opened(1, "a", "b"))
        tell(finished("a", "c", "c1"))
        tell(Retreated(tag("a/c"), ""))
        assert tell(finished("a/c1", "d")) == []

    def test_it_is_never_started_ahead_again(self) -> None:
        tell = told()
        tell(opened(1, "a", "b"))
        tell(finished("a", "c"))
        tell(Retreated(tag("a/c"), ""))
        assert tell(finished("b", "d")) == []

    def test_at_its_edges(self) -> None:
        tell = Told(node("a"), node("b", writes="x"), node("c", reads="x"))
        tell(opened(1, "a", "b"))
        tell(finished("a", "c"))
        tell(RouteReached(tag("a/c")))
        tell(Retreated(tag("a/c"), ""))
        assert tell(finished("b")) == []


class TestFailure:
    def test_a_failed_task_stays_unfinished_for_those_behind_it(self) -> None:
        """An error handler may run in its place."""
        tell = Told(node("a"), node("b", interrupts=True), node("c"))
        tell(opened(1, "a", "b"))
        tell(finished("a", "c"))
        assert tell(Failed(tag("b"))) == []

    def test_closing_its_superstep_settles_it(self) -> None:
        tell = Told(node("a"), node("b", interrupts=True), node("c"), node("d"))
        tell(opened(1, "a", "b"))
        tell(finished("a", "c"))
        tell(Failed(tag("b")))
        tell(Closed(1))
        assert tell(opened(2, "a/c")) == [Run(tag("a/c"))]

    def test_a_failed_early_run_keeps_its_place(self) -> None:
        tell = told(window=1)
        tell(opened(1, "a", "b"))
        tell(finished("a", "c", "c1"))
        assert tell(Failed(tag("a/c"))) == []
        assert tell.engine.occupancy == 1


class TestSquash:
    def test_what_the_loop_does_not_ask_for(self) -> None:
        tell = told()
        tell(opened(1, "a", "b"))
        tell(finished("a", "c", "c1", "d"))
        tell(finished("a/c1"))
        tell(Failed(tag("a/d")))
        tell(finished("b"))
        tell(Closed(1))
        answer = tell(opened(2, "b"))
        assert answer[0] == Run(tag("b"))
        assert {i.tag for i in answer[1:] if isinstance(i, Cancel)} == {tag("a/c"), tag("a/c1"), tag("a/d")}
        assert tell.engine.occupancy == 0

    def test_what_was_not_started_goes_silently(self) -> None:
        tell = told(window=0)
        tell(opened(1, "a", "b"))
        tell(finished("a", "c"))
        tell(finished("b"))
        tell(Closed(1))
        assert tell(opened(2, "b")) == [Run(tag("b"))]
        assert set(tell.engine.tasks) == {tag("b")}

    def test_it_lifts_what_it_forbade(self) -> None:
        tell = Told(node("a"), node("b"), node("c", changes="k"), node("d", uses="k"))
        tell(opened(1, "a", "b"))
        tell(finished("a", "b", "c"))
        tell(finished("a/b", "d"))
        tell(finished("b"))
        tell(Closed(1))
        answer = tell(Opened(2, (offer("a/b"), offer("a", step=2)), FAR))
        assert answer == [Adopt(tag("a/b")), Run(tag("a", 2)), Cancel(tag("a/c"), "its superstep came without it"), start("a/b/d")]


class TestRoutes:
    def at_route(self, reads: str, *others: str, writes: str | None = "", steady: str = "xy") -> tuple[Told, list[Instruction]]:
        """A Send to `c`, whose conditional edge reads `reads`, has returned; `b`, which writes `writes`, still runs."""
        tell = Told(node("a"), node("b", writes=writes), node("c", reads=reads), node("d"), steady=steady)
        tell(opened(1, "a", "b", *others))
        tell(finished("a", "c"))
        return tell, tell(RouteReached(tag("a/c")))

    def test_reading_what_nobody_writes(self) -> None:
        assert self.at_route("x", writes="y")[1] == [Pass(tag("a/c"))]

    def test_reading_nothing(self) -> None:
        assert self.at_route("", writes=None)[1] == [Pass(tag("a/c"))]

    def test_reading_no_state_key(self) -> None:
        assert self.at_route("z", writes=None)[1] == [Pass(tag("a/c"))]

    @pytest.mark.parametrize(("reads", "writes"), [("x", "x"), ("xy", "y"), ("x", None), ("*", "x")])
    def test_reading_what_somebody_may_write(self, reads: str, writes: str | None) -> None:
        tell, answer = self.at_route(reads, writes=writes)
        assert answer == []
        assert tell.engine.occupancy == 1

    def test_reading_what_it_has_written_itself(self) -> None:
        tell = Told(node("a"), node("b", writes="xy"), node("c", reads="x"), node("d", reads="xy"), steady="xy")
        tell(opened(1, "a", "b"))
        tell(finished("a", "c", "d", "d1"))
        assert tell(RouteReached(tag("a/c"), frozenset("x"))) == [Pass(tag("a/c"))]
        assert tell(RouteReached(tag("a/d"), frozenset("x"))) == []
        assert tell(RouteReached(tag("a/d1"), frozenset("xy"))) == [Pass(tag("a/d1"))]

    def test_one_of_two_knows_what_both_read(self) -> None:
        tell = Told(node("a", sends="c"), node("b", writes="x"), node("c", reads="x"), steady="xy")
        tell(opened(1, "a", "b"))
        tell(finished("a", "c", "c1"))
        assert tell(RouteReached(tag("a/c"))) == []
        assert tell(RouteReached(tag("a/c1"), frozenset("x"))) == [Pass(tag("a/c1"))]

    def test_reading_a_value_that_changes_by_itself(self) -> None:
        assert self.at_route("x", writes="", steady="y")[1] == []

    @pytest.mark.parametrize(("reads", "passes"), [("x", False), ("*", False), ("", True), ("z", True)])
    def test_an_edge_that_may_change_what_it_reads(self, reads: str, passes: bool) -> None:
        """Nobody writes it, and still the edge waits for its superstep: others look at it until then."""
        tell = Told(node("a"), node("b"), node("c", reads=reads, steers=True))
        tell(opened(1, "a", "b"))
        assert tell(finished("a", "c")) == [start("a/c")]
        assert tell(RouteReached(tag("a/c"))) == ([Pass(tag("a/c"))] if passes else [])
        tell(finished("b"))
        tell(Closed(1))
        assert tell(opened(2, "a/c")) == [Adopt(tag("a/c"))]

    def far(self) -> Told:
        """`a/c/e`, of superstep 3, waits at an edge that reads x; `b` and `d` of superstep 1 run, and `b` writes x."""
        tell = Told(node("a", sends="c"), node("b", writes="x"), node("c", sends="e"), node("d"), node("e", reads="x"))
        tell(opened(1, "a", "b", "d"))
        tell(finished("a", "c", "c1"))
        assert tell(finished("a/c", "e")) == [start("a/c/e")]
        assert tell(RouteReached(tag("a/c/e"))) == []
        return tell

    def test_the_last_writer_has_finished(self) -> None:
        """What it has written isn't in the state yet, but is known."""
        tell = self.far()
        assert tell(finished("d")) == []
        assert tell(finished("b")) == [Pass(tag("a/c/e"))]

    def test_a_passed_run_is_told_only_once(self) -> None:
        tell = self.far()
        tell(finished("b"))
        tell(finished("d"))
        tell(Closed(1))
        tell(opened(2, "a/c", "a/c1"))
        tell(finished("a/c1"))
        tell(Closed(2))
        assert tell(opened(3, "a/c/e")) == [Adopt(tag("a/c/e"))]

    def test_between_two_supersteps_nobody_passes(self) -> None:
        """The next one's tasks aren't known yet."""
        tell = Told(node("a", sends="c"), node("b", follow="w"), node("c", sends="e"), node("e", reads="x"), node("w", writes="x"))
        tell(opened(1, "a", "b"))
        tell(finished("a", "c"))
        assert tell(finished("a/c", "e")) == [start("a/c/e")]
        tell(Finished(tag("b"), (), frozenset("w")))
        tell(Closed(1))
        assert tell(RouteReached(tag("a/c/e"))) == []
        assert tell(Opened(2, (offer("a/c"), offer("w", step=2)), FAR)) == [Adopt(tag("a/c")), Run(tag("w", 2))]

    def test_a_task_in_order_passes_at_once(self) -> None:
        tell = Told(node("a"), node("b", writes=None), node("c", reads="*"))
        tell(opened(1, "b", "c"))
        assert tell(RouteReached(tag("c"))) == [Pass(tag("c"))]

    def test_a_node_that_an_edge_has_triggered_is_still_to_come(self) -> None:
        """Here `w` isn't among those that may follow `b`, but `b` has led to it all the same."""
        tell = Told(node("a", sends="c"), node("b"), node("c", sends="e"), node("e", reads="x"), node("f"), node("w", writes="x"))
        tell(opened(1, "a", "b", "f"))
        tell(Finished(tag("b"), (), frozenset("w")))
        tell(finished("a", "c"))
        tell(finished("a/c", "e"))
        assert tell(RouteReached(tag("a/c/e"))) == []

    def test_a_writer_that_is_not_known_yet_but_will_come_before(self) -> None:
        """`b` is followed by `w`, which writes x and commits before `a/c/e` reads it."""
        nodes = [node("a", sends="c"), node("b", follow="w"), node("c", sends="e"), node("e", reads="x"), node("w", writes="x")]
        tell = Told(*nodes)
        tell(opened(1, "a", "b"))
        tell(finished("a", "c"))
        assert tell(finished("a/c", "e")) == [start("a/c/e")]
        assert tell(RouteReached(tag("a/c/e"))) == []


class TestEnded:
    def test_in_every_phase(self) -> None:
        tell = Told(*(node(n) for n in "abcg"), node("d", reads="x"), node("e", uses="k"), node("f", changes="k"), fenced="g", window=5)
        tell(opened(1, "a", "b", "f"))
        tell(finished("a", "c", "c1", "c2", "d", "c3", "e", "g", "c5"))
        tell(finished("a/c", "c"))
        tell(Failed(tag("a/c1")))
        tell(Retreated(tag("a/c2"), ""))
        tell(RouteReached(tag("a/d")))
        phases = {task.phase for task in tell.engine.tasks.values()}
        assert phases == {Phase.WAITING, Phase.READY, Phase.RUNNING, Phase.COMPLETED, Phase.FAILED, Phase.SQUASHED}
        early = {task.tag for task in tell.engine.tasks.values() if task.ahead}
        answer = tell.engine.handle(Ended())
        assert {i.tag for i in answer if isinstance(i, Cancel)} == early == {i.tag for i in answer}
        validate(tell.engine)
        assert tell.engine.occupancy == 0 and tell.engine.idle

    def test_with_nothing_ahead(self) -> None:
        tell = told()
        tell(opened(1, "a"))
        assert tell(Ended()) == []

    def test_between_supersteps(self) -> None:
        tell = told()
        tell(opened(1, "a", "b"))
        tell(finished("a", "c"))
        tell(finished("b"))
        tell(Closed(1))
        assert tell(Ended()) == [Cancel(tag("a/c"), "the run ended")]


class TestIllegalEvents:
    @pytest.mark.parametrize("event", [finished("z"), Failed(tag("z")), Retreated(tag("z"), ""), RouteReached(tag("z"))])
    def test_about_a_task_that_is_not_known(self, event: Finished) -> None:
        tell = told()
        tell(opened(1, "a"))
        with pytest.raises(IllegalTransitionError, match=r"z\[1\] isn't known"):
            tell(event)
        validate(tell.engine)

    @pytest.mark.parametrize("again", [finished("a"), Failed(tag("a"))])
    def test_a_task_finishes_once(self, again: Finished) -> None:
        tell = told()
        tell(opened(1, "a", "b"))
        tell(finished("a"))
        with pytest.raises(IllegalTransitionError, match=r"\[a\] Task a\[1\] is completed and can't become .*, only committed, squashed"):
            tell(again)
        validate(tell.engine)

    def test_a_task_that_was_not_started_does_not_finish(self) -> None:
        tell = told(window=0)
        tell(opened(1, "a", "b"))
        tell(finished("a", "c"))
        with pytest.raises(IllegalTransitionError, match=r"a\[1\]/c\[0\] is ready and can't become completed"):
            tell(finished("a/c"))
        validate(tell.engine)

    @pytest.mark.parametrize("step", [1, 2])
    def test_a_superstep_opens_once_and_in_order(self, step: int) -> None:
        tell = told()
        tell(opened(2, "a"))
        with pytest.raises(IllegalTransitionError, match=f"Superstep {step} opened after superstep 2"):
            tell(opened(step, "b"))
        validate(tell.engine)

    def test_nothing_follows_a_commit(self) -> None:
        tell = told()
        tell(opened(1, "a"))
        tell(finished("a"))
        tell(Closed(1))
        with pytest.raises(IllegalTransitionError, match="isn't known"):
            tell(finished("a"))

    @pytest.mark.parametrize("phase", Phase)
    def test_the_table_of_moves_is_the_only_way(self, phase: Phase) -> None:
        for other in Phase:
            task = Task(tag("a"), "a", 1, frozenset(), phase)
            if other in MOVES[phase]:
                task.move(other)
                assert task.phase is other
            else:
                with pytest.raises(IllegalTransitionError, match=f"is {phase.value} and can't become {other.value}"):
                    task.move(other)
                assert task.phase is phase
