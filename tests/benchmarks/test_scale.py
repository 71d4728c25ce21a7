"""The fits and verdicts of the scale benchmark and of the soak, and that both run."""

from __future__ import annotations

import asyncio
import warnings
from dataclasses import replace

import pytest

from benchmarks.scale import MEGABYTE, SHAPES, Point, each_byte, exponent, plot, table
from benchmarks.sides import side
from benchmarks.soak import Kinds, Sample, faults, stretch


def points(power: float) -> list[Point]:
    return [Point("width", "alto", size, 1e-5 * size**power, 100.0 * size + MEGABYTE) for size in (100, 1_000, 10_000)]


@pytest.mark.parametrize("power", [1.0, 1.5, 2.0])
def test_how_it_grows_is_found(power: float) -> None:
    assert exponent(points(power), lambda point: point.cpu) == pytest.approx(power, abs=0.01)
    assert each_byte(points(power)) == pytest.approx(100)


def test_what_grows_faster_than_it_should_is_marked(tmp_path) -> None:
    shown = [list(table(points(power)).columns[3].cells) for power in (1.0, 1.5)]
    assert shown == [["1.00"], ["1.50 !"]]
    plot(points(1.0), tmp_path / "plot.svg")
    assert (tmp_path / "plot.svg").read_text().count("<svg")


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", ["stock", "alto"])
def test_every_shape_runs(shape: str, name: str) -> None:
    run, _ = SHAPES[shape]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert asyncio.run(run(side(name), 12)) == 12


WELL = Sample(runs=100, p50=5.0, p99=10.0, memory=100 * MEGABYTE, tasks=0, threads=0, files=9)


def test_a_soak_that_is_well() -> None:
    assert faults([WELL] * 6) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"memory": 110 * MEGABYTE}, "memory grew"),
        ({"tasks": 1}, "tasks were left"),
        ({"threads": 1}, "threads were left"),
        ({"files": 10}, "files were left"),
        ({"p99": 16.0}, "p99"),
    ],
)
def test_what_a_soak_finds(change, said: str) -> None:
    worse = replace(WELL, **change)
    assert [said in fault for fault in faults([WELL] * 4 + [worse] * 2)] == [True]


def test_a_soak_runs_all_kinds() -> None:
    async def run() -> Sample:
        return await stretch(Kinds(), 0.01)

    sample = asyncio.run(run())
    assert sample.runs == 8
    assert (sample.tasks, sample.threads) == (0, 0)
