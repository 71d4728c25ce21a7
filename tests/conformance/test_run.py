"""The conformance run judges as it promises: a test that only stock passes, or too few swapped graphs, fails it."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="module")
def run() -> ModuleType:
    spec = importlib.util.spec_from_file_location("conformance_run", Path(__file__).with_name("run.py"))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def outcomes(**its: str) -> dict[str, str]:
    return dict(its)


def test_a_test_that_only_stock_passes_fails_the_run(run: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    stock = run.Record(outcomes(a="passed", b="passed", c="failed"), {}, {})
    ours = run.Record(outcomes(a="passed", b="failed", c="failed"), {"a": 1}, {"b": "AssertionError: 1 != 2"})
    assert run.report(stock, ours, set(), counting=False) == 1
    printed = capsys.readouterr().out
    assert "1 tests pass under stock and not under the swap" in printed and "1 != 2" in printed


def test_a_test_that_vanished_under_the_swap_fails_the_run(run: ModuleType) -> None:
    assert run.report(run.Record(outcomes(a="passed"), {}, {}), run.Record({}, {}, {}), set(), counting=False) == 1


def test_a_flaky_test_that_passed_when_run_again_is_forgiven(run: ModuleType) -> None:
    stock, ours = run.Record(outcomes(a="passed"), {}, {}), run.Record(outcomes(a="failed"), {}, {})
    assert run.report(stock, ours, {"a"}, counting=False) == 0


@pytest.mark.parametrize(("tests", "code"), [(1_999, 1), (2_000, 0)])
def test_too_few_graphs_of_the_swapped_class_fail_the_run(run: ModuleType, tests: int, code: int) -> None:
    every = {str(i): "passed" for i in range(tests)}
    assert run.report(run.Record(every, {}, {}), run.Record(every, dict.fromkeys(every, 1), {}), set(), counting=True) == code
