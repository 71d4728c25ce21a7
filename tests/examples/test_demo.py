"""`alto demo` on a double that takes next to no time."""

import os
import re
import subprocess
import sys
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from langchain_core.language_models import BaseChatModel

from alto_langgraph.cli import main
from alto_langgraph.examples.fact_check import rules
from alto_langgraph.testing import PacedChatModel

ALTO = [sys.executable, "-c", "from alto_langgraph.cli import main; main()"]
QUICK = ["demo", "--scale", "0.01", "--runs", "1", "--sentences", "12"]


@pytest.fixture(autouse=True)
def _untraced(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tracing is set up for a whole process."""
    monkeypatch.setattr("alto_langgraph.cli.demo.traced", lambda graph, given: "")


def run(args: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """Exit code, and what was printed with line breaks and frames taken out."""
    with pytest.raises(SystemExit) as left:
        main(args)
    told = capsys.readouterr()
    return int(left.value.code or 0), re.sub(r"[\s│┃]+", " ", told.out + told.err)


def test_shows_the_answer_and_writes_the_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "new" / "demo.html"
    code, told = run([*QUICK, "--out", str(out)], capsys)
    assert code == 0
    assert "12 sentences checked against 25 documents: 7 supported, 3 contradicted, 2 no claim" in told
    assert "Both sides show the same: state, events and checkpoints." in told
    assert re.search(r"stock \d\.\d+ s \d+\.\d\d × bound, median of 1", told)
    assert re.search(r"alto / stock \d\.\d+ below 1 is faster bound 0\.\d+ s the double's own times in the best order on 64 slots", told)
    assert "Mercury has two moons." in told
    assert "Mercury has no moons." in told
    assert str(out) in told
    assert "<html" in out.read_text("utf-8").lower()


def test_writes_a_trace_that_can_be_shown(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("ALTO_", "OTEL_"))}
    alto: Any = partial(subprocess.run, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120, check=True)
    told = alto([*ALTO, *QUICK]).stdout
    assert "A trace of one more run is in .alto/traces" in told
    assert len([*(tmp_path / ".alto" / "traces").glob("*.jsonl")]) == 1
    assert "fragment" in alto([*ALTO, "trace", "show"]).stdout.lower()


def test_answers_that_differ_exit_with_1(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    calls = count()
    monkeypatch.setattr(rules, "correct", lambda claim, evidence: f"correction {next(calls)}")
    out = tmp_path / "demo.html"
    code, told = run([*QUICK, "--out", str(out)], capsys)
    assert code == 1
    assert "The sides differ." in told
    assert out.stat().st_size > 0


def test_a_double_that_takes_no_time(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, told = run(["demo", "--scale", "0", "--runs", "1", "--sentences", "3", "--out", str(tmp_path / "demo.html")], capsys)
    assert code == 0
    assert "bound 0.000 s" in told


def test_a_model_of_the_users(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def init_chat_model(name: str, **fields: Any) -> BaseChatModel:
        asked.append(name)
        return PacedChatModel(answers=rules.answer, scale=0)

    monkeypatch.setattr("langchain.chat_models.init_chat_model", init_chat_model)
    code, told = run(["demo", "--model", "some:model", "--sentences", "4", "--out", str(tmp_path / "demo.html")], capsys)
    assert (code, asked) == (0, ["some:model"])
    assert "1 contradicted" in told


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--scale", "inf"], "--scale is inf, but times need a finite factor"),
        (["--scale", "-1"], "should be greater than or equal to 0"),
        (["--model", "no-such-thing:x"], "--model no-such-thing:x"),
        (["--slots", "0"], "should be greater than or equal to 1"),
        (["--runs", "0"], "should be greater than or equal to 1"),
        (["--sentences", "0"], "should be greater than or equal to 1"),
        (["--out", "{tmp}"], "The report can't be written to"),
        (["--out", "{tmp}/file/demo.html"], "The report can't be written to"),
    ],
)
def test_a_mistake_gets_one_message(args: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    place = ["--out", str(tmp_path / "demo.html")]
    code, told = run([*QUICK, *place, *(arg.format(tmp=tmp_path) for arg in args)], capsys)
    assert code == 2
    assert message in told
    assert "Traceback" not in told
