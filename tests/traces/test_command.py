"""`alto trace`: what each command prints, and one clear message per mistake."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from alto_langgraph import cli
from alto_langgraph.traces.folder import FOLDER
from alto_langgraph.tracing.files import DIRECTORY
from tests.traces.spans import EXAMPLE, Recorded


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "140")


def run(capsys: pytest.CaptureFixture[str], *words: object, code: int = 0) -> str:
    with pytest.raises(SystemExit) as ended:
        cli.main(["trace", *map(str, words)])
    out, err = capsys.readouterr()
    assert ended.value.code == code, err
    return out if code == 0 else err


def test_traces_are_looked_for_where_they_are_written() -> None:
    assert FOLDER == DIRECTORY


def test_list_names_each_trace_the_latest_first(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    for number in (1, 2):
        Recorded(number=number, end=number).write(tmp_path / f"{number}.jsonl")
    (tmp_path / "notes.txt").write_text("no trace")
    found = run(capsys, "list", tmp_path).splitlines()
    assert len(found) == 3 and found[0].split()[0] == "id"
    rows = json.loads(run(capsys, "list", tmp_path, "--json"))
    assert [row["seconds"] for row in rows] in ([1.0, 2.0], [2.0, 1.0])
    (row,) = json.loads(run(capsys, "list", EXAMPLE, "--json"))
    assert (row["graph"], row["fragments"], row["ahead"], row["lost"], row["outcome"]) == ("LangGraph", 9, 4, 1, "completed")


def test_show_draws_tree_and_timeline(capsys: pytest.CaptureFixture[str]) -> None:
    lines = run(capsys, "show", EXAMPLE).splitlines()
    assert "LangGraph: 0.166 s, completed, 9 fragments, 4 ahead, 1 lost" in lines[0]
    shown = {line.split()[0]: line for line in lines[1:10]}
    assert {"polish[3]", "join[3]", "__start__[0]/read[0]", "note[0]"} <= shown.keys()
    assert "░" in shown["polish[3]"] and "squashed" in shown["polish[3]"]
    assert "▓" in shown["note[1]"] and "◆" in shown["note[1]"] and "ahead" in shown["note[1]"]
    starts = [shown[name].index("█") for name in ("__start__[0]/read[0]", "join[3]")]
    assert starts[0] < starts[1]


def test_show_shows_no_more_than_it_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert "and 6 more (--limit)" in run(capsys, "show", EXAMPLE, "--limit", 3)


def test_show_writes_a_page(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert f"The page is in {tmp_path / 'a' / 't.html'}." in run(capsys, "show", EXAMPLE, "--html", tmp_path / "a" / "t.html")
    assert (tmp_path / "a" / "t.html").read_text().startswith("<!doctype html>")


def test_the_critical_path_says_what_was_waited_for(capsys: pytest.CaptureFixture[str]) -> None:
    told = run(capsys, "critical-path", EXAMPLE)
    assert [line.split()[0] for line in told.splitlines()[2:5]] == ["__start__[0]/read[0]", "__start__[0]/read[0]/note[0]", "join[3]"]
    found = json.loads(run(capsys, "critical-path", EXAMPLE, "--json"))
    assert [step["why"] for step in found["steps"]] == ["start", "needs", "needs"]
    total = sum(step["seconds"] + step["waited"] for step in found["steps"]) + found["rest"]
    assert total == pytest.approx(found["seconds"], abs=1e-6)


@pytest.mark.parametrize(("format", "key"), [("jaeger", "data"), ("otlp", "resourceSpans"), ("chrome", "traceEvents")])
def test_export_writes_a_file_or_prints(capsys: pytest.CaptureFixture[str], tmp_path: Path, format: str, key: str) -> None:
    printed = json.loads(run(capsys, "export", EXAMPLE, "--to", format))
    run(capsys, "export", EXAMPLE, "--to", format, "--out", tmp_path / "new" / "t.json")
    assert key in printed and json.loads((tmp_path / "new" / "t.json").read_text()) == printed


def test_a_trace_goes_by_the_beginning_of_its_id_by_its_thread_and_by_its_file(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".alto" / "traces").mkdir(parents=True)
    for number in (0x1A, 0x1B):
        Recorded(number=number << 120, **{"gen_ai.conversation.id": f"thread {number}"}).write(
            tmp_path / ".alto" / "traces" / f"{number}.jsonl"
        )
    assert "1a000000" in run(capsys, "show", "1a")
    assert "1b000000" in run(capsys, "show", "thread 27")
    assert "1a000000" in run(capsys, "show", ".alto/traces/26.jsonl:1a")
    assert "Give more of the id" in run(capsys, "show", "1", code=2)
    assert "No trace begins with `77`" in run(capsys, "show", "77", code=2)
    assert "There is no file `x.jsonl`" in run(capsys, "show", "x.jsonl", code=2)


def test_mistakes_are_one_message(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert "Set ALTO_TRACE=1" in run(capsys, "list", tmp_path / "none", code=2)
    assert "holds no traces" in run(capsys, "show", "--in", tmp_path, code=2)
    (tmp_path / "bad.jsonl").write_text("nonsense\n{}\n")
    told = run(capsys, "list", tmp_path, code=2)
    assert "bad.jsonl`, line 1" in told and "Traceback" not in told
    assert "can't be written" in run(capsys, "export", EXAMPLE, "--out", tmp_path, code=2)


def test_names_cannot_command_the_terminal(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    made = Recorded(**{"alto.graph": "\x1b[2J[red]graph"})
    made.fragment("\x1b]0;title\x07[bold]x[1]", 0, 9, OUTCOME="\x1b[1mfailed")
    file = made.write(tmp_path / "t.jsonl")
    for command in ("list", "show", "critical-path"):
        told = run(capsys, command, file)
        assert "\x1b" not in told and "\x07" not in told
        assert "[red]graph" in told
