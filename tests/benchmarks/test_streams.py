"""The streamed loads: their bounds are those of the apps that run, and stock takes what the bounds say of it, on a jumping clock."""

import asyncio
import time
from dataclasses import replace
from typing import Any

import pytest

from alto_langgraph.plan.schedule import Work, ideal_schedule
from alto_langgraph.testing import CountingClock, PacedChatModel, jumping_clock
from benchmarks import accounts, streams, streams_agent, streams_plan, streams_verify
from benchmarks.foretold import BARRIERS, IDEAL, bounds, written
from benchmarks.graphs import EXPERT, GraphBenchmark
from benchmarks.sides import side
from benchmarks.watch import Watch

LOADS = {benchmark.name: benchmark for benchmark in streams.benchmarks()}


def seconds(benchmark: GraphBenchmark, size: Any = None, lane: str = "stock") -> float:
    """What one run of a lane takes where nothing but models and tools takes time."""
    size = size or benchmark.size
    (build,) = (found.build for found in benchmark.lanes if found.name == lane)

    async def timed() -> float:
        app, loop = build(side("stock"), size)(checkpointer=None), asyncio.get_running_loop()
        began = loop.time()
        await app.ainvoke(benchmark.input(size))
        return loop.time() - began

    return jumping_clock.run(timed())


def test_a_plan_of_ten_lines_takes_stock_nearly_a_third_longer_than_the_ideal_schedule() -> None:
    benchmark = LOADS["streams_plan_10"]
    # A plan of 70 tokens, 60 for each line, at 7 ms. Ideal: three slots while the plan is written, from line to line, then four.
    assert benchmark.bounds == {IDEAL: pytest.approx(194 * 0.007), BARRIERS: pytest.approx((70 + 3 * 60) * 0.007)}
    assert seconds(benchmark) == pytest.approx(benchmark.bounds[BARRIERS])
    assert seconds(benchmark) / benchmark.bounds[IDEAL] == pytest.approx(1.289, abs=0.001)


def test_with_slots_for_all_the_last_line_leaves_nothing_to_gain() -> None:
    benchmark = LOADS["streams_uniform"]
    assert benchmark.bounds == {IDEAL: pytest.approx(130 * 0.007), BARRIERS: pytest.approx(130 * 0.007)}
    assert seconds(benchmark) == pytest.approx(benchmark.bounds[IDEAL])


def test_an_agents_slowest_tool_need_not_wait_for_the_calls_behind_it() -> None:
    benchmark = LOADS["streams_agent_tools"]
    # Calls of 25 tokens at 4 ms; the third one is there at 0.3 s and takes 0.5 s, the first one at 0.1 s takes 0.6 s.
    assert benchmark.bounds == {IDEAL: pytest.approx(0.3 + 0.5), BARRIERS: pytest.approx(0.4 + 0.6)}
    answer = streams_agent.model(streams_agent.Load()).seconds("which is it?")
    assert seconds(benchmark) == pytest.approx(benchmark.bounds[BARRIERS] + answer)


@pytest.mark.parametrize("lane", ["stock", EXPERT])
def test_the_calls_foretold_of_an_answer_checked_are_those_the_app_makes(lane: str) -> None:
    one_slot = streams_verify.Load(slots=1)
    calls = streams_verify.foretold(one_slot)
    assert seconds(LOADS["streams_verify"], one_slot, lane) == pytest.approx(sum(call.seconds for call in calls))
    assert [len(call.heads) for call in calls] == [call.node in ("extract", "check") for call in calls]


def test_an_answer_checked_flows_through_sooner_than_stock_or_an_expert_can_have_it() -> None:
    benchmark = LOADS["streams_verify"]
    stock, expert = seconds(benchmark), seconds(benchmark, lane=EXPERT)
    assert benchmark.bounds[IDEAL] < expert < stock
    assert stock == pytest.approx(benchmark.bounds[BARRIERS], rel=0.1)  # its slots go first come, first served


@pytest.mark.parametrize("name", ["streams_plan_10", "streams_verify", "streams_agent_tools"])
def test_what_is_within_the_target_beside_the_ideal_schedule_is_within_those_beside_other_lanes(name: str) -> None:
    benchmark = LOADS[name]
    whole = {
        target.against: target.at_most or 0.0
        for target in benchmark.targets
        if target.of == "alto" and target.metric != "first verdict" and not target.base
    }
    slowest = whole.pop(IDEAL) * benchmark.bounds[IDEAL]
    assert all(slowest <= at_most * seconds(benchmark, lane=lane) for lane, at_most in whole.items())


def test_the_first_verdict_can_be_there_long_before_stocks() -> None:
    load = streams_verify.Load()
    calls = streams_verify.foretold(load)
    first = min(i.end for i in ideal_schedule(calls, load.slots).intervals if i.tag.path[-1][0] == "check")
    before = bounds([call for call in calls if call.step < 2], load.slots)[BARRIERS]
    assert before / first > 1 / 0.40


@pytest.mark.parametrize(
    ("model", "prompt", "parts"),
    [
        (
            streams_plan.model(streams_plan.Load()),
            streams_plan.PLAN.format(topic="letters"),
            ["number 0 about alpha in some detail", "number 1 about beta in some detail"],
        ),
        (
            streams_verify.model(streams_verify.Load()),
            streams_verify.RESPOND.format(question="What?"),
            list(streams_verify.text(14)),
        ),
    ],
)
async def test_a_part_is_written_when_the_stream_has_brought_its_last_letter(model: PacedChatModel, prompt: str, parts: list[str]) -> None:
    clock, seen, there = CountingClock(), "", []
    async for chunk in model.model_copy(update={"clock": clock}).astream(prompt):
        seen += chunk.text
        while len(there) < len(parts) and parts[len(there)] in seen:
            there.append(clock.slept)
    assert written(model, prompt, parts) == pytest.approx(there)


def test_a_tool_call_is_written_when_the_stream_has_brought_its_last_letter() -> None:
    heads = [dict(call.heads) for call in streams_agent.foretold(streams_agent.Load()) if call.node == "tools"]
    assert [list(head.values()) for head in heads] == [[pytest.approx(25 * n * 0.004)] for n in (1, 2, 3, 4)]


def test_a_part_that_is_not_in_the_answer_is_refused() -> None:
    with pytest.raises(ValueError, match="substring not found"):
        written(streams_plan.model(streams_plan.Load()), "Plan: letters", ["a line of another plan"])


def test_barriers_add_up_the_schedules_of_their_supersteps() -> None:
    calls = [replace(call, step=0) for call in streams_plan.foretold(streams_plan.Load())]
    apart = [Work(call.tag, call.node, 0, call.seconds) for call in calls]
    assert bounds(apart, 4)[BARRIERS] == ideal_schedule(apart, 4).makespan


async def test_a_watch_tells_when_its_models_calls_start_and_end() -> None:
    watches = [Watch("first end", "end"), Watch("second start", "start", nth=1)]
    model = PacedChatModel(scale=0.0, callbacks=watches)
    began = time.perf_counter()
    await model.ainvoke("one")
    between = time.perf_counter() - began
    await model.ainvoke("two")
    first_end, second_start = (watch.seconds(began) for watch in watches)
    assert 0 < first_end <= between <= second_start
    watches[0].reset()
    with pytest.raises(IndexError):
        watches[0].seconds(began)


def test_a_watched_benchmarks_samples_hold_the_moment_beside_the_whole() -> None:
    benchmark = replace(LOADS["streams_agent_tools"], size=LOADS["streams_agent_tools"].tiny)
    with benchmark.open("null") as takes:
        for take in takes.values():
            sample = take()
            assert 0 < sample["final answer starts"] < sample["wall"]


@pytest.mark.parametrize("name", ["streams_plan_10", "streams_verify", "streams_agent_tools"])
def test_samples_hold_what_running_ahead_came_to(name: str) -> None:
    size: Any = LOADS[name].tiny
    benchmark = replace(LOADS[name], size=replace(size, pace=0.2))  # a line takes long beside what running code again does
    with benchmark.open("alto") as takes:
        stock, alto = takes["stock"](), takes["alto"]()
    assert (stock[accounts.STARTED], stock[accounts.ASKED], stock[accounts.REPLAYS]) == (1, 1, 0.0)
    assert alto[accounts.THROWN_AWAY] <= alto[accounts.STARTED]
    assert alto[accounts.IN_VAIN] <= alto[accounts.ASKED]
    if name == "streams_plan_10":
        assert (alto[accounts.STARTED], alto[accounts.THROWN_AWAY], alto[accounts.IN_VAIN]) == (2, 0, 0)  # of three lines
        assert alto[accounts.ASKED] >= 2 * streams_plan.WORDS
        assert alto[accounts.REPLAYS] > 0
