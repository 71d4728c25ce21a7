"""Every declared benchmark gives the same answer in all its lanes, and the suite and the command line run it."""

import asyncio
import json
import subprocess
import sys
from dataclasses import replace
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage

from benchmarks import analysis, branches, hidden, independent, rounds, send_chain
from benchmarks.__main__ import main
from benchmarks.answers import Answers, DifferentAnswersError, plain
from benchmarks.catalog import catalog, chosen
from benchmarks.graphs import EXPERT, EXPERT_ON_ALTO, HINTED, App, GraphBenchmark, Lane
from benchmarks.import_time import PROBE, arguments
from benchmarks.judge import judgements
from benchmarks.probes import ROOT, ProbeBenchmark
from benchmarks.savers import Checkpointer
from benchmarks.sides import side
from benchmarks.suite import measured

GRAPHS = {benchmark.name: benchmark for benchmark in catalog() if isinstance(benchmark, GraphBenchmark)}


VARIANTS = {(b.build, b.sync, b.checkpointer): b for b in reversed(GRAPHS.values())}


@pytest.mark.parametrize("benchmark", VARIANTS.values(), ids=lambda benchmark: benchmark.name)
def test_all_lanes_answer_alike(benchmark: GraphBenchmark) -> None:
    with replace(benchmark, size=benchmark.tiny).open("alto") as takes:
        assert list(takes) == [lane.name for lane in benchmark.lanes]
        assert all(take()["wall"] > 0 for take in takes.values())


def test_a_lane_that_answers_otherwise_stops_the_benchmark() -> None:
    benchmark = GRAPHS["steps_500"]
    longer = Lane("longer", "stock", lambda side, size: benchmark.build(side, size + 1))
    with pytest.raises(DifferentAnswersError, match=r"steps_500: the final state of longer is \{'count': 5\}, of stock \{'count': 4\}\."):
        replace(benchmark, size=4, more_lanes=(longer,)).open("alto").__enter__()


def test_a_sample_that_answers_otherwise_than_the_first_stops_the_benchmark() -> None:
    class Growing:
        """Every run finds a longer input than the run before."""

        count = 0

        def stream(self, given: Any, config: Any, **kwargs: Any) -> list[Any]:
            self.count += 1
            return [{"count": self.count}]

    answers = Answers("growing")
    with asyncio.Runner() as runner:
        take = App(Growing(), {}, runner, sync=True).timed(partial(answers.check, "last update", "alto"))
        take()
        with pytest.raises(DifferentAnswersError, match=r"growing: the last update of alto is \{'count': 2\}"):
            take()


def test_answers_leave_out_random_ids_and_what_lanes_may_differ_in() -> None:
    answers = Answers("chat", frozenset({"current"}))
    answers.check("state", "stock", {"messages": [AIMessage("yes", id="1")], "current": 1})
    answers.check("state", "alto", {"messages": [AIMessage("yes", id="2")], "current": 2})
    with pytest.raises(DifferentAnswersError):
        answers.check("state", "alto", {"messages": [AIMessage("no", id="1")], "current": 1})


@pytest.mark.parametrize("name", ["send_chain_command", "agent_10"])
def test_altos_lanes_are_optimized_and_stocks_are_not(name: str) -> None:
    benchmark = replace(GRAPHS[name], size=GRAPHS[name].tiny)
    optimized = {}
    with asyncio.Runner() as runner:
        for lane in benchmark.lanes:
            with benchmark.app(lane, runner) as app:
                optimized[lane.name] = hasattr(app.graph, "alto_plan")
    assert optimized == {lane.name: lane.side == "alto" for lane in benchmark.lanes}


def test_names_are_unique_and_every_target_points_at_something() -> None:
    everything = catalog()
    lanes = {"stock", "alto", EXPERT, EXPERT_ON_ALTO, HINTED}
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


def test_bounds_of_unequal_branches_are_the_longer_branch_and_the_sum_of_the_slower_stages() -> None:
    found = branches.bounds(1.0)
    assert found == {"critical path": pytest.approx(0.59), "superstep bound": pytest.approx(1.0)}
    assert branches.bounds(0.5) == {name: pytest.approx(seconds / 2) for name, seconds in found.items()}


def test_bounds_of_rounds_add_up_over_the_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rounds, "TIMES", ((1.0, 2.0, 3.0, 4.0, 1.0, 0.5), (0.5, 0.5, 0.5, 1.0, 1.0, 1.0), (9.0,) * 6))
    assert rounds.bounds(rounds.Load(rounds=2)) == {"critical path": 6.0 + 3.0, "superstep bound": (4.0 + 2.0 + 3.0) + 3.0}


def test_bounds_of_independent_stages_are_one_and_all_of_them_before_the_join() -> None:
    assert independent.bounds(1.0) == {"critical path": pytest.approx(0.25), "superstep bound": pytest.approx(0.85)}


@pytest.mark.parametrize("benchmark", list(hidden.benchmarks()), ids=lambda benchmark: benchmark.name)
def test_something_hidden_that_is_read_too_soon_stops_the_benchmark(benchmark: GraphBenchmark) -> None:
    given = {"hidden_list": hidden.by_list, hidden.CHROMA: hidden.by_chroma}[benchmark.name]
    beside = Lane("beside", "stock", partial(independent.by_hand, given))
    with pytest.raises(DifferentAnswersError, match=f"{benchmark.name}: the final state of beside"):
        replace(benchmark, size=benchmark.tiny, more_lanes=(beside,)).open("alto").__enter__()


def test_what_cannot_run_here_is_left_out_and_said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(hidden, "find_spec", lambda name: None)
    assert "hidden_chroma" not in {benchmark.name for benchmark in catalog()}
    assert exit_code("list") == 0
    assert "hidden_chroma is left out: chromadb isn't installed." in capsys.readouterr().out


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


@pytest.mark.parametrize(("sync", "kind"), list(product((False, True), ("memory", "sqlite"))))
def test_runs_leave_nothing_in_the_checkpointer(sync: bool, kind: Checkpointer) -> None:
    benchmark = replace(GRAPHS["steps_500_sync" if sync else "steps_500"], size=4, checkpointer=kind)
    with asyncio.Runner() as runner, benchmark.app(benchmark.lanes[0], runner) as app:
        app.run("updates", "kept")
        app.timed()()
        threads = {found.config["configurable"]["thread_id"] for found in saved(app)}
    assert threads == {"kept"}


def saved(app: App) -> list[Any]:
    if app.sync:
        return list(app.saver.list(None))

    async def listed() -> list[Any]:
        return [found async for found in app.saver.alist(None)]

    return app.runner.run(listed())


def test_importing_alto_loads_nothing_heavy_and_gives_a_time() -> None:
    ended = subprocess.run([sys.executable, *arguments("alto")], cwd=ROOT, capture_output=True, text=True)
    assert ended.stderr == ""
    assert json.loads(ended.stdout)["import"] > 0


def test_of_what_is_loaded_only_what_langgraph_does_not_load_is_told() -> None:
    own = "alto_langgraph.testing.slots"
    probe = PROBE.format(module=own, unwanted=("typing", own))
    ended = subprocess.run([sys.executable, "-c", probe], cwd=ROOT, capture_output=True, text=True)
    assert ended.stderr == f"{own} imports {own}\n"


def test_a_probe_that_fails_says_so_in_its_own_words() -> None:
    probe = ProbeBenchmark("broken", "broken", "", lambda side: ["-c", "import sys; sys.exit('out of ink')"], (), "s", 0.0)
    with pytest.raises(RuntimeError, match="broken, stock: out of ink"):
        probe.probe("stock")


async def test_the_app_that_is_analysed_runs_and_its_code_is_read_in_full(tmp_path: Path) -> None:
    module = analysis.app(tmp_path / "analysis_app.py", sections=2)
    graphs = [module.build(side(name).StateGraph).compile() for name in ("stock", "alto")]
    stock, alto = [plain(await graph.ainvoke({"topic": "rivers", "messages": []})) for graph in graphs]
    assert {key for key in stock if key.endswith("_1")} == {key for key in module.State.__annotations__ if key.endswith("_1")}
    assert stock == alto
    nodes = graphs[1].alto_plan.nodes
    assert {name: node.function.evidence[0] for name, node in nodes.items()} == dict.fromkeys(nodes, "source")
    assert len(nodes) == 2 * len(analysis.KINDS)


@pytest.mark.parametrize("name", ["stock", "alto"])
def test_the_analysis_probe_gives_a_time(name: str) -> None:
    ended = subprocess.run([sys.executable, "-m", "benchmarks.analysis", name, "1"], cwd=ROOT, capture_output=True, text=True)
    assert ended.stderr == ""
    assert json.loads(ended.stdout)["ready"] > 0


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
