"""The harness's statistics on made-up samples."""

from collections.abc import Callable

import numpy as np
import pytest

from benchmarks.declare import Sample
from benchmarks.measure import Estimate, alternate, estimate, spread


def recorder(order: list[str], name: str) -> Callable[[], Sample]:
    def take() -> Sample:
        order.append(name)
        return {"wall": float(len(order))}

    return take


def test_every_round_runs_each_lane_once_and_turns_the_order_round() -> None:
    order: list[str] = []
    samples = alternate({name: recorder(order, name) for name in ("stock", "alto")}, budget=0.0, least=3, most=9)
    assert order == ["stock", "alto", *("stock", "alto"), *("alto", "stock"), *("stock", "alto")]
    assert {name: len(taken) for name, taken in samples.items()} == {"stock": 3, "alto": 3}


def test_stops_at_most_rounds_though_budget_is_left() -> None:
    rounds: list[int] = []
    alternate({"stock": lambda: {"wall": 0.0}}, budget=60.0, least=1, most=4, warm=False, heard=rounds.append)
    assert rounds == [1, 2, 3, 4]


def test_spread_gives_median_and_quartiles() -> None:
    found = spread([1.0, 2.0, 3.0, 4.0, 100.0])
    assert (found.low, found.median, found.high, found.count) == (2.0, 3.0, 4.0, 5)


def test_ratio_finds_a_known_factor_and_its_interval_holds_it() -> None:
    rng = np.random.default_rng(3)
    stock = rng.normal(1.0, 0.05, 30)
    found = estimate(list(rng.normal(0.8, 0.05, 30)), list(stock))
    assert found.low < 0.8 < found.high
    assert found.high - found.low < 0.15


def test_a_slow_spell_that_hits_both_lanes_of_a_round_cancels_when_paired() -> None:
    drift = np.linspace(1.0, 3.0, 20)
    paired = estimate(list(0.9 * drift), list(drift), paired=True)
    unpaired = estimate(list(0.9 * drift), list(drift), paired=False)
    assert (paired.low, paired.value, paired.high) == pytest.approx((0.9, 0.9, 0.9))
    assert unpaired.high - unpaired.low > 0.2


def test_a_single_figure_is_taken_as_exact() -> None:
    found = estimate([2.0, 2.0, 2.0], [1.6])
    assert found == Estimate(1.25, 1.25, 1.25)


def test_difference_is_in_the_samples_unit() -> None:
    assert estimate([1.5, 1.5], [1.25, 1.25], kind="difference").value == 0.25


@pytest.mark.parametrize(
    ("found", "verdict"), [(Estimate(0.98, 0.9, 1.1), "met"), (Estimate(1.02, 0.99, 1.1), "unclear"), (Estimate(1.2, 1.1, 1.3), "missed")]
)
def test_verdict_calls_a_target_missed_only_beyond_the_noise(found: Estimate, verdict: str) -> None:
    assert found.verdict(1.0) == verdict
