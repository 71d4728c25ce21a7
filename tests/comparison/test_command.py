"""`alto compare`: exit code 0 for equal sides, 1 with a readable difference, 2 with one clear message for bad input."""

import json
from pathlib import Path
from typing import Any

import pytest

from alto_langgraph.cli import main

APP = """
from itertools import count
from typing import TypedDict
from langgraph.graph import START, StateGraph

class State(TypedDict, total=False):
    topic: str
    words: list[str]

def app(node):
    graph = StateGraph(State)
    graph.add_node("write", node)
    graph.add_edge(START, "write")
    return graph

numbers = count()
good = app(lambda state: {"words": state["topic"].split()})
compiled = good.compile()
uneven = app(lambda state: {"words": [f"number {next(numbers)}"]})

async def only_async(state):
    return {}

coroutine = app(only_async)
"""


@pytest.fixture
def alto(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs `alto compare` in a folder with an app; returns exit code, output and errors."""
    (tmp_path / "app.py").write_text(APP)
    monkeypatch.chdir(tmp_path)

    def run(target: str, given: Any, *more: str) -> tuple[int, str, str]:
        Path("in.json").write_text(given if isinstance(given, str) else json.dumps(given))
        with pytest.raises(SystemExit) as ended:
            main(["compare", f"app.py:{target}", "--input", "in.json", "--runs", "1", *more])
        out, err = capsys.readouterr()
        return ended.value.code or 0, out, err  # type: ignore[return-value]

    return run


@pytest.mark.parametrize("target", ["good", "compiled"])
@pytest.mark.parametrize("how", ["--sync", "--async"])
def test_equal_sides_exit_with_0_and_show_the_figures(alto: Any, target: str, how: str) -> None:
    code, out, err = alto(target, {"topic": "a b"}, how)
    assert (code, err) == (0, "")
    assert "Both sides show the same" in out
    assert "critical path" in out


def test_a_difference_exits_with_1_and_is_readable(alto: Any) -> None:
    code, out, err = alto("uneven", {"topic": "a b"}, "--html", "out/report.html")
    assert (code, err) == (1, "")
    assert '- "number 0"' in out
    assert '+ "number 1"' in out
    assert "number 1" in Path("out/report.html").read_text()


def test_json_is_all_that_is_printed(alto: Any) -> None:
    code, out, err = alto("good", {"topic": "a b"}, "--json", "--slots", "2", "--stream-mode", "values", "--stream-mode", "debug")
    assert (code, err) == (0, "")
    found = json.loads(out)
    assert found["equal"] is True
    assert found["ideal"]["slots"] == 2
    assert len(found["alto"]["runs"]) == 1


@pytest.mark.parametrize(
    ("target", "given", "more", "message"),
    [
        ("missing", {}, (), "has no attribute `missing`"),
        ("numbers", {}, (), "A count can't be compared"),
        ("good", "{", (), "`in.json` isn't JSON"),
        ("good", {"topik": "a"}, (), "Did you mean `topic`?"),
        ("good", {"topic": 3}, (), "has text as `topic`, not a whole number"),
        ("good", {}, (), "[write] The app itself fails on this input"),
        ("coroutine", {"topic": "a"}, ("--sync",), "Leave out --sync."),
        ("good", {"topic": "a"}, ("--config", "in.json", "--html", "in.json/report.html"), "can't be written"),
        ("good", {"topic": "a"}, ("--config", "nowhere.json"), "There is no file `nowhere.json`"),
    ],
)
def test_bad_input_exits_with_2_and_one_message(alto: Any, target: str, given: Any, more: tuple[str, ...], message: str) -> None:
    code, out, err = alto(target, given, *more)
    assert code == 2
    assert out == ""
    assert message in " ".join(err.split())
    assert "Traceback" not in err
