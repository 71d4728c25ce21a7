"""One early run: what it says is held, what it may not do yet waits, and what waits is woken."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from alto_langgraph.driver.early import CURRENT, Early, Retreat
from alto_langgraph.tags import Tag

TAG = Tag((("node", 1),))
PATIENCE = 5.0


class Stream:
    """A sink that passes events on outwards, as the stream queues do."""

    def __init__(self) -> None:
        self.got: list[Any] = []

    def deliver(self, item: Any, outer: Early | None) -> None:
        while outer is not None:
            if outer.hold(self, item):
                return
            if outer.rename is not None:
                item = outer.rename(item)
            outer = outer.outer
        self.got.append(item)


def early(outer: Early | None = None, *, live: bool = False, on_route: Any = None) -> Early:
    return Early(TAG, "node", 2, outer=outer, live=live, on_route=on_route or (lambda early: None))


def adopt(run: Early, rename: Any) -> None:
    run.adopt(rename)
    run.release()


class TestEvents:
    def test_are_held_until_adoption_and_let_out_in_order(self) -> None:
        run, stream = early(), Stream()
        for item in (1, 2, 3):
            stream.deliver(item, run)
        assert stream.got == []
        adopt(run, None)
        assert stream.got == [1, 2, 3]

    def test_go_straight_out_after_adoption(self) -> None:
        run, stream = early(), Stream()
        stream.deliver("before", run)
        adopt(run, None)
        stream.deliver("after", run)
        assert stream.got == ["before", "after"]

    def test_said_between_adoption_and_release_come_behind_what_is_held(self) -> None:
        run, stream = early(), Stream()
        stream.deliver("before", run)
        run.adopt(None)
        stream.deliver("between", run)
        assert stream.got == []
        run.release()
        assert stream.got == ["before", "between"]

    def test_keep_their_order_over_several_streams(self) -> None:
        run, heard = early(), []

        class Noting:
            def __init__(self, name: str) -> None:
                self.name = name

            def deliver(self, item: Any, outer: Early | None) -> None:
                heard.append((self.name, item))

        one, two = Noting("one"), Noting("two")
        for sink, item in ((one, 1), (two, 2), (one, 3)):
            assert run.hold(sink, item)
        adopt(run, None)
        assert heard == [("one", 1), ("two", 2), ("one", 3)]

    def test_carry_the_names_that_adoption_gives(self) -> None:
        run, stream = early(), Stream()
        stream.deliver("early", run)
        adopt(run, str.upper)
        stream.deliver("late", run)
        assert stream.got == ["EARLY", "LATE"]

    def test_are_not_held_where_they_are_live(self) -> None:
        run, stream = early(live=True), Stream()
        stream.deliver("now", run)
        assert stream.got == ["now"]

    def test_of_an_abandoned_run_are_never_heard(self) -> None:
        run, stream = early(), Stream()
        stream.deliver("early", run)
        run.close("over")
        assert stream.got == [] and run.abandoned

    @pytest.mark.parametrize("inner_first", [True, False])
    def test_of_a_run_inside_a_run_wait_for_both(self, inner_first: bool) -> None:
        outer = early()
        inner, stream = early(outer), Stream()
        stream.deliver("deep", inner)
        first, second = (inner, outer) if inner_first else (outer, inner)
        adopt(first, lambda item: f"{item} {'inner' if inner_first else 'outer'}")
        assert stream.got == []
        adopt(second, lambda item: f"{item} {'outer' if inner_first else 'inner'}")
        assert stream.got == ["deep inner outer"]

    def test_of_a_run_inside_a_live_run(self) -> None:
        inner, stream = early(early(live=True)), Stream()
        stream.deliver("deep", inner)
        assert stream.got == []
        adopt(inner, None)
        assert stream.got == ["deep"]

    def test_from_many_threads_are_all_heard_once(self) -> None:
        """Adoption comes in the middle of them."""
        run, stream = early(), Stream()
        barrier = threading.Barrier(5)

        def speak(thread: int) -> None:
            barrier.wait(PATIENCE)
            for place in range(200):
                stream.deliver((thread, place), run)

        with ThreadPoolExecutor(4) as pool:
            done = [pool.submit(speak, thread) for thread in range(4)]
            barrier.wait(PATIENCE)
            adopt(run, None)
            for future in done:
                future.result(PATIENCE)
        assert sorted(stream.got) == [(thread, place) for thread in range(4) for place in range(200)]
        for thread in range(4):
            assert [place for by, place in stream.got if by == thread] == [*range(200)]


class TestPassage:
    def test_is_asked_for_once_the_node_has_returned(self) -> None:
        asked: list[Early] = []
        run = early(on_route=asked.append)
        run.reach_route()
        assert asked == [run]

    def test_is_not_asked_for_once_open(self) -> None:
        asked: list[Early] = []
        run = early(on_route=asked.append)
        run.let_pass()
        run.reach_route()
        assert asked == []
        run.wait()

    @pytest.mark.parametrize("opens", [Early.let_pass, lambda run: run.adopt(None)], ids=["leave", "adoption"])
    def test_a_thread_waits_for_it(self, opens: Any) -> None:
        run, reached, passed = early(), threading.Event(), threading.Event()

        def node() -> None:
            reached.set()
            run.wait()
            passed.set()

        with ThreadPoolExecutor(1) as pool:
            future = pool.submit(node)
            assert reached.wait(PATIENCE)
            assert not passed.is_set()
            opens(run)
            future.result(PATIENCE)
        assert passed.is_set()

    @pytest.mark.parametrize("opens", [Early.let_pass, lambda run: run.adopt(None)], ids=["leave", "adoption"])
    async def test_a_coroutine_waits_for_it(self, opens: Any) -> None:
        run = early()
        waiting = [asyncio.create_task(run.passage()) for _ in range(3)]
        await asyncio.sleep(0)
        assert not any(task.done() for task in waiting)
        opens(run)
        await asyncio.wait_for(asyncio.gather(*waiting), PATIENCE)
        await run.passage()

    async def test_a_coroutine_is_woken_from_another_thread(self) -> None:
        run = early()
        waiting = asyncio.create_task(run.passage())
        await asyncio.sleep(0)
        await asyncio.to_thread(run.let_pass)
        await asyncio.wait_for(waiting, PATIENCE)

    async def test_a_cancelled_coroutine_leaves_it_to_the_others(self) -> None:
        run = early()
        one, other = asyncio.create_task(run.passage()), asyncio.create_task(run.passage())
        await asyncio.sleep(0)
        one.cancel()
        with pytest.raises(asyncio.CancelledError):
            await one
        run.let_pass()
        await asyncio.wait_for(other, PATIENCE)

    async def test_an_event_loops_own_thread_never_blocks(self) -> None:
        with pytest.raises(Retreat, match="it would block the event loop"):
            early().wait()

    async def test_an_event_loops_own_thread_passes_where_it_is_open(self) -> None:
        run = early()
        run.let_pass()
        run.wait()

    def test_closing_wakes_a_thread(self) -> None:
        run, reached = early(), threading.Event()

        def node() -> None:
            reached.set()
            run.wait()

        with ThreadPoolExecutor(1) as pool:
            future = pool.submit(node)
            assert reached.wait(PATIENCE)
            run.close("the run ended")
            with pytest.raises(Retreat, match="the run ended"):
                future.result(PATIENCE)

    async def test_closing_wakes_a_coroutine(self) -> None:
        run = early()
        waiting = asyncio.create_task(run.passage())
        await asyncio.sleep(0)
        run.close("the run ended")
        with pytest.raises(Retreat, match="the run ended"):
            await asyncio.wait_for(waiting, PATIENCE)

    def test_closing_an_open_one_changes_nothing(self) -> None:
        run = early()
        run.let_pass()
        run.close("over")
        run.let_pass()
        run.wait()
        assert run.abandoned


class TestRetreat:
    def test_handlers_of_nodes_do_not_catch_it(self) -> None:
        assert not issubclass(Retreat, Exception)

    def test_it_says_why(self) -> None:
        assert Retreat("a fence").reason == str(Retreat("a fence")) == "a fence"


def test_code_in_order_has_no_early_run() -> None:
    assert CURRENT.get() is None


def test_it_shows_itself_to_who_debugs() -> None:
    run = early()
    assert repr(run) == "<Early node[1] for superstep 2, ahead>"
    run.adopt(None)
    assert repr(run) == "<Early node[1] for superstep 2, adopted>"
