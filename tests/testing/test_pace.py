"""The laws of the times, against the figures they were fitted to."""

import math
from statistics import fmean, median, pstdev

import pytest

from alto_langgraph.testing import ALONE_PACE, MEASURED_CURVE, MEASURED_PACE, BatchCurve, LogNormal
from alto_langgraph.testing.pace import FIRST_TOKEN_SECONDS, seconds_per_token


def test_a_law_fitted_to_its_own_draws_is_the_law() -> None:
    law = LogNormal(median=0.2, sigma=0.8)
    again = LogNormal.fitted(law.at(str(key)) for key in range(4000))
    assert again.median == pytest.approx(law.median, rel=0.05)
    assert again.sigma == pytest.approx(law.sigma, rel=0.05)


def test_draws_are_the_same_on_every_machine() -> None:
    assert LogNormal(1.0, 1.0).at("a key") == pytest.approx(1.516454575821)
    assert LogNormal(3.0, 0.0).at("any key") == 3.0


def test_the_measured_pace_lies_within_what_was_measured() -> None:
    assert min(FIRST_TOKEN_SECONDS.values()) < MEASURED_PACE.first_token.median < max(FIRST_TOKEN_SECONDS.values())
    assert 1 / 370 < MEASURED_PACE.token.median < 32 / 2100
    assert MEASURED_PACE.first_token.sigma == pytest.approx(pstdev(map(math.log, FIRST_TOKEN_SECONDS.values())))
    assert math.log(MEASURED_PACE.first_token.median) == pytest.approx(fmean(map(math.log, FIRST_TOKEN_SECONDS.values())))


def test_alone_is_faster_and_steadier() -> None:
    assert ALONE_PACE.token.median < MEASURED_PACE.token.median
    assert ALONE_PACE.first_token.sigma < MEASURED_PACE.first_token.sigma


def test_seconds_per_token_of_one_stream() -> None:
    assert seconds_per_token({1: 100, 8: 400}) == [0.01, 0.02]


@pytest.mark.parametrize(("streams", "slowdown"), [(1, 1.0), (2, 2 / 1.5), (3, 1.5), (6, 3.0)])
def test_a_batch_curve_is_linear_between_its_points_and_flat_beyond(streams: int, slowdown: float) -> None:
    assert BatchCurve({1: 100, 3: 200}).slowdown(streams) == pytest.approx(slowdown)


def test_the_measured_curve_slows_from_about_32_streams_on() -> None:
    slowdowns = [MEASURED_CURVE.slowdown(streams) for streams in (1, 8, 32, 64, 128, 256)]
    assert slowdowns[:2] == [1.0, 1.0]
    assert slowdowns == sorted(slowdowns)
    assert slowdowns[-1] == pytest.approx(256 / 6600 * 370)


def test_the_first_token_and_the_others_are_drawn_apart() -> None:
    firsts, others = zip(*(MEASURED_PACE.drawn(str(key)) for key in range(500)), strict=True)
    above = [(first > median(firsts)) == (other > median(others)) for first, other in zip(firsts, others, strict=True)]
    assert 0.4 < fmean(above) < 0.6
