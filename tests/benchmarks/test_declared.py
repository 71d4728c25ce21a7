"""Every declared benchmark gives the same answer in all its lanes, and the suite and the command line run it."""

import asyncio
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import BaseMessage

from benchmarks import send_chain
from benchmarks.__main__ import main
from benchmarks.catalog import catalog, chosen
from benchmarks.graphs import GraphBenchmark
from benchmarks.import_time import arguments
from benchmarks.judge import judgements
from benchmarks.probes import ROOT, ProbeBenchmark
from benchmarks.suite import measured

GRAPHS = {benchmark.name: benchmark for benchmark in catalog() if isinstance(benchmark, GraphBenchmark)}


def answers(benchmark: GraphBenchmark) -> dict[str, Any]:
    with asyncio.Runner() as runner:
        apps = {lane.name: benchmark.app(lane, size=benchmark.tiny) for lane in benchmark.lanes}
        return {name: plain(app.run(runner, "thread", stream_mode="values")[-1]) for name, app in apps.items()}


def plain(answer: Any) -> Any:
    """An answer without the random ids of messages, and without what only stages tied by edges leave in the state."""
    if not isinstance(answer, dict):
        return answer
    return {
        key: [m.model_dump(exclude={"id"}) if isinstance(m, BaseMessage) else m for m in value] if isinstance(value, list) else value
        for key, value in answer.items()
        if key != "current"
    }


VARIANTS = {(b.build, b.sync, b.checkpointer): b for b in reversed(GRAPHS.values())}


@pytest.mark.parametrize("benchmark", VARIANTS.values(), ids=lambda benchmark: benchmark.name)
def test_all_lanes_answer_alike(benchmark: GraphBenchmark) -> None:
    found = answers(benchmark)
    assert found["stock"]
    assert found == dict.fromkeys(found, found["stock"])


@pytest.mark.parametrize("name", ["send_chain_command", "agent_10"])
def test_altos_lanes_are_optimized_and_stocks_are_not(name: str) -> None:
    benchmark = GRAPHS[name]
    optimized = {lane.name: hasattr(benchmark.app(lane, size=benchmark.tiny).graph, "alto_plan") for lane in benchmark.lanes}
    assert optimized == {lane.name: lane.side == "alto" for lane in benchmark.lanes}


def test_names_are_unique_and_every_target_points_at_something() -> None:
    everything = catalog()
    lanes = {"stock", "alto", "expert", "expert on alto"}
    names = {benchmark.name for benchmark in everything}
    assert len(names) == len(everything)
    for benchmark in everything:
        for target in benchmark.targets:
            assert {target.against, target.against.split("/")[0]} & (lanes | set(benchmark.bounds) | names)


def test_bounds_of_a_chain_are_the_longest_item_and_the_sum_of_the_slowest() -> None:
    load = send_chain.Load(items=4, stages=2)
    times = [[load.seconds(item, stage) for stage in range(2)] for item in range(4)]
    found = send_chain.bounds(load)
    assert found["critical path"] == max(a + b for a, b in times)
    assert found["superstep bound"] == max(a for a, _ in times) + max(b for _, b in times)


def test_chosen_knows_names_groups_and_patterns() -> None:
    assert [b.name for b in chosen(["fan_out_1000"])] == ["fan_out_1000"]
    assert {b.group for b in chosen(["steps", "memory"])} == {"steps", "memory"}
    assert [b.name for b in chosen(["fan_out_sync_1*"], quick=True)] == ["fan_out_sync_100", "fan_out_sync_1000"]
    assert [b.name for b in chosen(["fan_out_sync_10000"], quick=True)] == ["fan_out_sync_10000"]
    with pytest.raises(LookupError, match="No benchmark is called 'nothing'"):
        chosen(["nothing"])


def test_the_suite_keeps_every_lanes_samples_in_both_metrics() -> None:
    benchmark = replace(GRAPHS["fan_out_100"], size=5, per=5, least=2, budget=0.0)
    kept = measured(benchmark, quick=False, alto="null")
    assert {lane: {metric: len(values) for metric, values in taken.items()} for lane, taken in kept["lanes"].items()} == {
        "stock": {"wall": 2, "cpu": 2},
        "alto": {"wall": 2, "cpu": 2},
    }
    (judged,) = judgements([kept])
    assert set(judged.by_metric) == {"wall", "cpu"}


def test_runs_leave_nothing_in_the_checkpointer() -> None:
    benchmark = GRAPHS["steps_500_checkpoint"]
    app = benchmark.app(benchmark.lanes[0], size=benchmark.tiny)
    with asyncio.Runner() as runner:
        take = app.timed(runner)
        take()
    assert app.saver is not None
    assert not app.saver.storage


def test_importing_alto_loads_nothing_heavy_and_gives_a_time() -> None:
    ended = subprocess.run([sys.executable, *arguments("alto")], cwd=ROOT, capture_output=True, text=True)
    assert ended.stderr == ""
    assert json.loads(ended.stdout)["import"] > 0


def test_a_probe_that_fails_says_so_in_its_own_words() -> None:
    probe = ProbeBenchmark("broken", "broken", "", lambda side: ["-c", "import sys; sys.exit('out of ink')"], (), "s", 0.0)
    with pytest.raises(RuntimeError, match="broken, stock: out of ink"):
        probe.probe("stock")


def test_memory_probe_measures_what_the_run_allocates() -> None:
    ended = subprocess.run([sys.executable, "-m", "benchmarks.memory", "stock", "50", "traced"], cwd=ROOT, capture_output=True, text=True)
    assert 50 * 1000 < float(ended.stdout) < 50 * 100_000


def test_the_module_runs_and_keeps_json(tmp_path: Path) -> None:
    kept = tmp_path / "kept.json"
    command = [sys.executable, "-m", "benchmarks", "sequential_10", "--quick", "--null", "--json", str(kept)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert (ended.returncode, ended.stderr, "sequential_10" in ended.stdout) == (0, "", True)
    assert json.loads(kept.read_text())["benchmarks"][0]["name"] == "sequential_10"


def exit_code(*arguments: str) -> int | str | None:
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    return ended.value.code


def test_command_line_profiles_a_lane(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code("profile", "sequential_10", "--side", "stock", "--runs", "1") == 0
    assert "Ordered by: internal time" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nothing"], "No benchmark is called 'nothing'"),
        (["profile", "sequential_10", "--side", "left"], "sequential_10 has no lane 'left', but stock, alto."),
        (["profile", "import_time"], "nothing to profile"),
        (["report", "nowhere.json"], "nowhere.json isn't there"),
    ],
)
def test_command_line_refuses_in_one_line_with_2(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code(*arguments) == 2
    said = capsys.readouterr().err
    assert (message in said, said.count("\n")) == (True, 1)
