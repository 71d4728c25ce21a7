"""Which request goes first: by the policy alone, and with loads of many runs on a simulated engine."""

from __future__ import annotations

import statistics

import pytest

from alto_langgraph.adapters.vllm.policy import ByAncestry, Policy, Untold, kinds
from alto_langgraph.protocols import Caller
from alto_langgraph.tags import Tag
from benchmarks.serving_simulation import Arrival, Engine, Ran, mixed, simulate, verification

ENGINE = Engine()


def caller(run: str, began: float, *, speculative: bool = False, remaining: int = 0, index: int = 0) -> Caller:
    return Caller(run, began, Tag((("node", index),)), ahead=False, speculative=speculative, remaining=remaining)


def taught() -> ByAncestry:
    """A policy that has seen short runs of 100 tokens and long ones of 2,000."""
    policy = ByAncestry()
    for number in range(20):
        run = caller(f"seen {number}", 0.0)
        policy.priority(run, 0.0)
        policy.served(run, 0, 2_000 if number % 4 == 0 else 100)
        policy.ended(run.run)
    return policy


def test_of_alike_runs_the_oldest_goes_first() -> None:
    policy = taught()
    old, young = caller("old", 1.0), caller("young", 2.0)
    assert policy.priority(old, 5.0) < policy.priority(young, 5.0)


def test_a_run_that_turns_out_long_lets_younger_ones_pass_but_not_for_ever() -> None:
    policy = taught()
    long = caller("long", 1.0)
    policy.priority(long, 1.0)
    policy.served(long, 0, 500)
    place = policy.priority(long, 5.0)
    assert policy.priority(caller("young", 2.0), 5.0) < place
    assert place < policy.priority(caller("much later", 1.0 + 2 * policy.patience), 200.0)


def test_speculative_work_is_behind_everything_that_is_wanted() -> None:
    policy = taught()
    guess = policy.priority(caller("old", 1.0, speculative=True), 5.0)
    assert policy.priority(caller("young", 100_000.0), 100_000.0) < guess
    assert policy.priority(None, 100_000.0) < guess < 2**63


def test_in_a_run_what_is_closest_to_closing_goes_first() -> None:
    policy = taught()
    assert policy.priority(caller("run", 1.0, remaining=1), 5.0) < policy.priority(caller("run", 1.0, remaining=7), 5.0)


def test_runs_that_never_end_are_forgotten() -> None:
    policy = ByAncestry(remembered=10)
    for number in range(100):
        policy.priority(caller(f"run {number}", 0.0), 0.0)
    assert len(policy) == 10


@pytest.mark.parametrize(
    ("totals", "found"), [([100.0] * 20, []), ([100.0, 110.0, 120.0, 2_000.0, 2_100.0], [120.0]), ([1.0, 10.0, 100.0], [1.0, 10.0])]
)
def test_kinds_are_told_apart_by_what_they_come_to(totals: list[float], found: list[float]) -> None:
    assert kinds(totals) == found


def p95(rans: list[Ran], kind: str) -> float:
    return statistics.quantiles([ran.took for ran in rans if ran.kind == kind], n=20)[-1]


def slowdown(arrivals: list[Arrival], rans: list[Ran]) -> float:
    alone = {arrival.kind: ENGINE.unloaded(arrival) for arrival in arrivals}
    return statistics.mean(ran.took / alone[ran.kind] for ran in rans)


def both(arrivals: list[Arrival], policy: Policy) -> tuple[list[Ran], list[Ran]]:
    return simulate(arrivals, Untold(), ENGINE), simulate(arrivals, policy, ENGINE)


@pytest.mark.parametrize("seed", range(3))
def test_short_runs_gain_and_long_ones_keep_theirs_under_a_mixed_load(seed: int) -> None:
    arrivals = mixed(1.5, 2_000, ENGINE, seed=seed)
    stock, ours = both(arrivals, ByAncestry())
    assert p95(ours, "short") < p95(stock, "short") / 2
    assert slowdown(arrivals, ours) < slowdown(arrivals, stock) / 1.5
    assert p95(ours, "long") < 1.3 * p95(stock, "long")


def test_alike_runs_are_no_worse_off() -> None:
    stock, ours = both(verification(5.5, 400), ByAncestry())
    assert statistics.mean(ran.took for ran in ours) <= statistics.mean(ran.took for ran in stock)
