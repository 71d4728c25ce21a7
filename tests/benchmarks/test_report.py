"""Judgements, tables, pictures and the report from made-up results."""

import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from benchmarks.judge import judgements
from benchmarks.report import markdown, noise, write
from benchmarks.suite import merged, to_json
from benchmarks.tables import amount, missed, table

MACHINE = {
    "taken": "2026-01-01T00:00:00+00:00",
    "processor": "Abacus",
    "cores": 2,
    "memory": "1 kB",
    "load": 0.1,
    "system": "Linux",
    "python": "CPython 3.11",
    "packages": {"langgraph": "1.2.22", "pydantic": "2.0"},
}


def result(name: str, group: str, stock: float, alto: float, *targets: dict[str, Any], **more: Any) -> dict[str, Any]:
    lanes = {lane: {"wall": [x, x * 1.01, x * 0.99], "cpu": [x, x, x]} for lane, x in (("stock", stock), ("alto", alto))}
    plain = {"name": name, "group": group, "what": f"what {name} is", "unit": "s", "per": 1, "bounds": {}, "targets": list(targets)}
    return {**plain, "lanes": lanes, **more}


def target(at_most: float, against: str = "stock", kind: str = "ratio") -> dict[str, Any]:
    return {"at_most": at_most, "of": "alto", "against": against, "kind": kind}


RESULTS = [
    result("chain", "send_chain", 1.7, 1.02, target(1.05, "critical path"), bounds={"critical path": 1.0}),
    result("shown", "send_chain", 1.5, 1.02, {**target(1.0, "ideal"), "of": "stock", "at_most": None}, bounds={"ideal": 1.0}),
    result("fan_out_100", "fan_out", 0.01, 0.01, target(1.0), per=100),
    result("fan_out_10000", "fan_out", 5.0, 2.0, target(0.3), target(1.3, "fan_out_100/alto"), per=10_000),
    result("import_time", "import_time", 1.0, 1.02, target(0.05, kind="difference")),
]
KEPT: dict[str, Any] = {
    "left_out": {"graph_on_mars": "no rocket"},
    "machine": MACHINE,
    "quick": False,
    "alto": "alto",
    "benchmarks": RESULTS,
}


def test_judges_by_lane_bound_and_other_benchmark_per_task() -> None:
    found = {(j.benchmark, j.against): (round(j.estimate.value, 6), j.verdict) for j in judgements(RESULTS)}
    assert found == {
        ("chain", "critical path"): (1.02, "met"),
        ("shown", "ideal"): (1.5, "shown"),
        ("fan_out_100", "stock"): (1.0, "met"),
        ("fan_out_10000", "stock"): (0.4, "missed"),
        ("fan_out_10000", "fan_out_100/alto"): (2.0, "missed"),
        ("import_time", "stock"): (0.02, "met"),
    }


def test_judges_the_metric_that_a_target_names_and_shows_what_has_no_limit() -> None:
    lanes = {lane: {"wall": [x], "first": [y]} for lane, x, y in (("stock", 2.0, 1.5), ("alto", 1.8, 0.5))}
    targets = [
        {**target(0.4), "metric": "first"},
        {**target(1.1, "ideal"), "metric": "first"},
        {**target(0.5, "ideal"), "of": "stock", "at_most": None},
    ]
    found = list(judgements([result("early", "streams", 1.0, 1.0, *targets, bounds={"ideal": 0.5}, lanes=lanes)]))
    assert [(j.reference, round(j.estimate.value, 6), j.verdict) for j in found] == [
        ("stock (first)", 0.333333, "met"),
        ("ideal (first)", 1.0, "met"),
        ("ideal", 4.0, "shown"),
    ]
    assert list(found[0].by_metric) == ["first", "wall"]


def test_judges_a_metric_as_a_share_of_another() -> None:
    lanes = {"stock": {"wall": [2.0], "lost": [0.0]}, "alto": {"wall": [1.0, 1.0], "started": [40, 20], "lost": [1, 1]}}
    share = {**target(0.05, "alto"), "metric": "lost", "base": "started"}
    (found,) = judgements([result("early", "streams", 1.0, 1.0, share, lanes=lanes)])
    assert (found.reference, round(found.estimate.value, 6), found.verdict) == ("alto (lost of started)", 0.033333, "met")
    assert list(found.by_metric) == ["lost"]


def test_a_target_on_a_benchmark_that_was_not_run_is_left_out() -> None:
    assert [j.against for j in judgements([RESULTS[3]])] == ["stock"]


def test_missed_names_what_check_fails_on() -> None:
    assert [(j.benchmark, j.at_most) for j in missed(RESULTS)] == [("fan_out_10000", 0.3), ("fan_out_10000", 1.3)]


def test_noise_is_the_distance_from_one() -> None:
    null = [result("a", "steps", 1.0, 1.02, target(1.0)), result("b", "steps", 1.0, 0.97, target(1.0))]
    (row,) = noise(null)
    assert (row["group"], row["count"], row["name"]) == ("steps", 2, "b")
    assert row["farthest"] == pytest.approx(0.03)


def test_json_reads_back_the_same_with_a_line_per_benchmark() -> None:
    text = to_json(KEPT)
    assert json.loads(text) == KEPT
    assert sum(line.startswith('{"name"') for line in text.splitlines()) == len(RESULTS)


def test_newer_samples_take_their_places_and_say_where_they_are_from() -> None:
    later = {**MACHINE, "processor": "another", "taken": "later"}
    fresh = [result("fan_out_100", "fan_out", 1.0, 0.5, target(1.0)), result("new", "steps", 1.0, 0.9, target(1.0))]
    found = merged(KEPT, {**KEPT, "machine": later, "benchmarks": fresh})
    names = [benchmark["name"] for benchmark in KEPT["benchmarks"]]
    assert [benchmark["name"] for benchmark in found["benchmarks"]] == [*names, "new"]
    assert {benchmark["name"]: benchmark["machine"] for benchmark in found["benchmarks"] if "machine" in benchmark} == {
        "fan_out_100": later,
        "new": later,
    }
    text = markdown(found, None, {"fan_out": "f.svg", "steps": "s.svg"} | {benchmark["group"]: "p.svg" for benchmark in KEPT["benchmarks"]})
    assert "Measured later, on another" in text
    assert "fan_out_100, new." in text


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [(1.5, "s", "1.5 s"), (0.0123, "s", "12.3 ms"), (4.2e-5, "s", "42 µs"), (-0.02, "s", "-20 ms"), (3 * 2**20, "B", "3 MiB")],
)
def test_amount_picks_a_fitting_prefix(value: float, unit: str, text: str) -> None:
    assert amount(value, unit) == text


def test_table_shows_every_lane_and_bound() -> None:
    console = Console(width=200, record=True, file=None, quiet=True)
    with console.capture() as captured:
        console.quiet = False
        console.print(table(RESULTS))
    shown = captured.get()
    assert all(word in shown for word in ("chain", "critical path", "fan_out_100/alto", "0.400", "missed", "≤ + 50 ms"))


def test_report_holds_every_target_and_is_the_same_each_time(tmp_path: Path) -> None:
    kept, out = tmp_path / "results.json", tmp_path / "RESULTS.md"
    kept.write_text(to_json(KEPT))
    write(kept, kept, out)
    first = {path.name: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    write(kept, kept, out)
    assert {path.name: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == first
    text = out.read_text()
    assert "Targets: 3 met, 0 unclear, 2 missed." in text
    assert "| chain | alto / critical path | 1.020 [1.010, 1.030] |  | ≤ 1.05 | met |" in text
    assert "| shown | stock / ideal | 1.500 [1.485, 1.515] |  |  | shown |" in text
    assert "| import_time | alto − stock |" in text
    assert "`graph_on_mars` is left out: no rocket." in text
    assert {"send_chain.svg", "fan_out.svg", "import_time.svg"} <= set(first)
    assert all(f"plots/{name}" in text for name in first if name.endswith(".svg"))
