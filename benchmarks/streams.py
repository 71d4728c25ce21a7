"""Answers of models whose finished parts are work already: what waiting for the whole answer costs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from benchmarks import streams_agent, streams_plan, streams_verify
from benchmarks.accounts import TARGETS
from benchmarks.declare import Target
from benchmarks.foretold import IDEAL
from benchmarks.graphs import EXPERT, GraphBenchmark, Lane
from benchmarks.watch import Watch

GROUP = "streams"


def benchmarks() -> Iterator[GraphBenchmark]:
    """A plan of lines, an answer checked claim by claim, an agent with several tool calls, and a plan in which nothing is to be gained."""
    yield plan("streams_plan_10", "on a server of 4 slots", streams_plan.Load(), (Target(1.05, against=IDEAL), *TARGETS), accounts=True)
    yield verify(streams_verify.Load())
    yield agent(streams_agent.Load())
    free = "with slots for all at a time: the last line comes at the plan's end, so there is nothing to gain"
    yield plan("streams_uniform", free, streams_plan.Load(slots=None), (Target(1.02),))


def plan(name: str, how: str, load: streams_plan.Load, targets: tuple[Target, ...], accounts: bool = False) -> GraphBenchmark:
    """A plan of lines, then a call for each."""
    return GraphBenchmark(
        name=name,
        group=GROUP,
        what=f"a model's plan of {load.lines} lines, then a model call for each line, {how}",
        build=streams_plan.as_written,
        input=streams_plan.given,
        size=load,
        tiny=replace(load, lines=3, pace=0.02),
        budget=30.0,
        targets=(*targets, Target(None, of="stock", against=IDEAL)),
        compute_bounds=streams_plan.least,
        accounts=accounts,
    )


def verify(load: streams_verify.Load) -> GraphBenchmark:
    """An answer taken apart twice and put together twice."""
    watch = Watch("first verdict", "end")
    return GraphBenchmark(
        name="streams_verify",
        group=GROUP,
        what=(
            f"an answer of {load.sentences} sentences, the claims of each, a check of every claim, a verdict on each sentence "
            f"and one on the whole: log-normal times, a server of {load.slots} slots"
        ),
        build=partial(streams_verify.as_written, watch),
        input=streams_verify.given,
        size=load,
        tiny=replace(load, sentences=3, pace=0.02),
        budget=45.0,
        apart=frozenset({"groups"}),
        more_lanes=(Lane(EXPERT, "stock", partial(streams_verify.by_hand, watch)),),
        targets=(
            Target(1.08, against=IDEAL),
            Target(0.80),
            Target(0.88, against=EXPERT),
            Target(0.40, metric=watch.metric),
            Target(None, of="stock", against=IDEAL),
            Target(None, of=EXPERT, against=IDEAL),
            *TARGETS,
        ),
        compute_bounds=streams_verify.least,
        accounts=True,
        watch=watch,
    )


def agent(load: streams_agent.Load) -> GraphBenchmark:
    """An agent's several tool calls in one answer."""
    watch = Watch("final answer starts", "start", nth=1)
    return GraphBenchmark(
        name="streams_agent_tools",
        group=GROUP,
        what=f"LangChain's agent, whose model asks for {load.calls} read-only tool calls in one answer; until its final answer starts",
        build=partial(streams_agent.agent, watch),
        input=streams_agent.given,
        size=load,
        tiny=replace(load, pace=0.02),
        budget=20.0,
        targets=(
            Target(1.05, against=IDEAL, metric=watch.metric),
            Target(0.85, metric=watch.metric),
            Target(None, of="stock", against=IDEAL, metric=watch.metric),
            *TARGETS,
        ),
        compute_bounds=streams_agent.least,
        accounts=True,
        watch=watch,
    )
