"""Every application answers alike in all its lanes, and its bound knows every call and its time."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from alto_langgraph.plan.schedule import critical_path
from alto_langgraph.testing import CountingClock
from benchmarks.answers import DifferentAnswersError
from benchmarks.apps import APPLICATIONS, document_qa, left_out
from benchmarks.apps.declare import Application
from benchmarks.apps.measured import ABOVE, AHEAD, FIRST, TOKENS, AppBenchmark
from benchmarks.apps.metered import metered
from benchmarks.apps.runs import Running
from benchmarks.foretold import BARRIERS, IDEAL
from benchmarks.graphs import EXPERT

RUNNABLE = [app for app in APPLICATIONS if not app.lacking()]
each = pytest.mark.parametrize("app", RUNNABLE, ids=lambda app: app.name)


@each
def test_all_lanes_answer_alike(app: Application) -> None:
    benchmark = AppBenchmark(app, scale=0.02, tiny=True)
    with benchmark.open("alto") as takes:
        samples = {lane: take() for lane, take in takes.items()}
    assert list(samples) == ["stock", EXPERT, "alto", *([AHEAD] if app.first else [])]
    assert all(sample["wall"] > 0 and sample[TOKENS] > 0 for sample in samples.values())
    assert all((FIRST in sample) == bool(app.first) for sample in samples.values())
    assert samples["stock"][TOKENS] == samples[EXPERT][TOKENS], "the expert asks the same"
    assert samples["stock"][ABOVE] == pytest.approx(samples["stock"]["wall"] - benchmark.bounds[IDEAL])


@each
async def test_the_bound_knows_every_call_and_its_time(app: Application) -> None:
    model = metered(app.double(), app.slots, 1.0).model_copy(update={"clock": CountingClock()})
    state = await final(app.as_written(model), app.turns)
    calls = [work for work in app.foretold(model, state) if work.slotted]
    assert len(calls) == model.slots.served
    assert sum(call.seconds for call in calls) == pytest.approx(model.clock.now())
    assert critical_path(calls).seconds <= model.clock.now() + 1e-9


async def final(graph: Any, turns: Any) -> Any:
    state = None
    for turn in turns:
        state = await graph.ainvoke(turn, {"configurable": {"thread_id": "1"}, "recursion_limit": 10_000})
    return state


@each
def test_bounds_are_in_order(app: Application) -> None:
    for scarce in (False, True):
        bounds = AppBenchmark(app, scarce).bounds
        assert 0 < bounds[IDEAL] <= bounds[BARRIERS]


@each
def test_every_target_points_at_something(app: Application) -> None:
    benchmark = AppBenchmark(app, scale=0.0, tiny=True)
    with benchmark.open("null") as takes:
        lanes = {lane: take() for lane, take in takes.items()}
    for target in benchmark.targets:
        assert target.against in lanes or target.against in benchmark.bounds
        assert (target.metric or "wall") in lanes[target.of]


def test_a_lane_that_answers_otherwise_stops_the_benchmark() -> None:
    def other(model: Any) -> Any:
        answers = model.answers
        return app.as_written(model.model_copy(update={"answers": lambda prompt: "No." if "Summaries" in prompt else answers(prompt)}))

    app = document_qa.APPLICATION
    with pytest.raises(DifferentAnswersError, match=r"app_document_qa: the answer of expert is .*'No.'"):
        AppBenchmark(replace(app, expert=other), scale=0.0, tiny=True).open("alto").__enter__()


def test_what_a_call_that_is_broken_off_has_said_counts() -> None:
    model = metered(RUNNABLE[0].double(), 1, 1.0)

    async def broken_off() -> None:
        async for _ in model.astream("Question: What is known of gold?\nSentences:\n"):
            break

    asyncio.run(broken_off())
    assert model.meter.read > 5
    assert model.meter.written == 1


async def test_the_first_fragment_is_the_first_that_says_something() -> None:
    class Graph:
        checkpointer = None

        async def astream(self, *given: Any, **how: Any) -> Any:
            for name, update in (("find", {}), ("find", {"found": []}), ("other", {"found": [1]})):
                yield (), {name: update}
            await asyncio.sleep(0.02)
            yield ("inner:1",), {"find": {"found": [1]}}

    told = await Running(Graph(), ["turn"], frozenset({"find"})).once()
    assert told.first is not None and told.first > 0.02
    assert told.updates == [{"find": {}}, {"find": {"found": []}}, {"other": {"found": [1]}}]


def test_what_cannot_run_here_is_left_out_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.apps.declare.find_spec", lambda name: None)
    assert left_out() == {f"app_{app.name}": f"{app.extras[0]} isn't installed" for app in APPLICATIONS if app.extras}
