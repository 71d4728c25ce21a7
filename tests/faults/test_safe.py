"""Names, state, answers and files of others can't execute anything, leave their place, or tell what nobody asked to be told."""

from __future__ import annotations

import ast
import asyncio
import json
import operator
import re
from pathlib import Path
from typing import Annotated, Any

import pytest
from langgraph.types import Send
from typing_extensions import TypedDict

import alto_langgraph
from alto_langgraph.adapters.langgraph.graph import optimize
from alto_langgraph.cli import main
from alto_langgraph.comparison import compare
from alto_langgraph.exceptions import AltoError, OptionsError, TraceError
from alto_langgraph.graph import START, StateGraph
from alto_langgraph.options import AltoOptions
from alto_langgraph.testing.traces import recorded
from alto_langgraph.traces import find, load
from alto_langgraph.tracing.files import FileExporter

ROOT = Path(alto_langgraph.__file__).parents[1]
HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>{{ 7*7 }}"
ESCAPES = "\x1b]0;title\x07\x1b[31mred\x1b[2J"
SECRET = "sk-5ecret-0123456789"


class State(TypedDict, total=False):
    key: str
    out: Annotated[list[str], operator.add]


def app(node: str, fails: bool = False) -> Any:
    """START -> a node of this name, twice -> `join`; all of it holds the secret."""

    async def work(item: Any) -> State:
        if fails:
            raise ValueError(f"the key {item['key']} was refused")
        return {"out": [item["key"]]}

    async def join(state: State) -> State:
        return {"out": [state["key"]]}

    builder = StateGraph(State).add_node(node, work).add_node("join", join).add_edge(node, "join")
    return builder.add_conditional_edges(START, lambda state: [Send(node, {"key": state["key"]})] * 2, [node])


# ---- pages and terminals


def test_a_comparison_s_page_escapes_what_comes_from_the_app(tmp_path: Path) -> None:
    found = compare(app(HOSTILE), {"key": HOSTILE}, runs=1)
    found.to_html(tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text()
    assert HOSTILE not in text and "<script" not in text and "<img" not in text
    assert "49" not in re.findall(r"alert\(2\)&gt;\s*(\S+)", text), "no template in a template"


def test_a_drawing_escapes_names() -> None:
    drawn = app(HOSTILE).compile().explain().mermaid()
    assert "<script" not in drawn and "&lt;script&gt;" in drawn


def test_a_terminal_obeys_no_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "shown.py").write_text("from tests.faults.test_safe import app, ESCAPES\ngraph = app(ESCAPES)\n", encoding="utf-8")
    (tmp_path / "in.json").write_text(json.dumps({"key": ESCAPES}))
    for words in (
        ["explain", "shown.py:graph"],
        ["explain", "shown.py:graph", "--mermaid"],
        ["compare", "shown.py:graph", "--input", "in.json", "--runs", "1"],
    ):
        with pytest.raises(SystemExit) as ended:
            main(words)
        assert not ended.value.code
        said = capsys.readouterr()
        assert "\x1b" not in said.out + said.err and "\x07" not in said.out + said.err, words


# ---- files


def imported(node: ast.AST) -> set[str]:
    if isinstance(node, ast.Import):
        return {alias.name.split(".")[0] for alias in node.names}
    return {(node.module or "").split(".")[0]} if isinstance(node, ast.ImportFrom) else set()


def test_nothing_from_disk_is_executed_or_unpickled() -> None:
    """But for the script that `alto run` is given, and what random graphs of tests are written as."""
    allowed = {("cli/run.py", "exec"), ("testing/graph_session.py", "exec"), ("testing/graph_session.py", "eval")}
    found, modules = set(), {"pickle", "cPickle", "dill", "cloudpickle", "marshal", "shelve", "joblib", "jsonpickle"}
    for room in ("alto_langgraph", "adapters", "tracing", "examples"):
        for file in (ROOT / room).rglob("*.py"):
            name = str(file.relative_to(ROOT / room))
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if modules & imported(node):
                    found.add((name, "import"))
                elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("eval", "exec", "__import__"):
                    found.add((name, node.func.id))
                elif isinstance(node, ast.keyword) and node.arg == "shell":
                    found.add((name, "shell"))
    assert found - allowed == set()


@pytest.mark.parametrize("which", ["../../x", "../../x.jsonl", "..%2f..%2fx", "/etc/passwd:0", "a/../../x", "\x00", "x" * 5000, "*", "~/x"])
def test_a_trace_s_name_leads_nowhere_else(which: str, tmp_path: Path) -> None:
    """A name is looked up among the ids in the folder; a file has to be there, and to be one of traces."""
    inside = tmp_path / "a" / "b"
    inside.mkdir(parents=True)
    spans = (ROOT / "tests/tracing/example.jsonl").read_text()
    (inside / "one.jsonl").write_text(spans)
    (tmp_path / "x").write_text(spans)
    with pytest.raises(TraceError) as refused:
        find(which, inside)
    assert "root:" not in str(refused.value)
    assert len(load(inside)) == 1, "nothing of the folder above"


def test_a_trace_s_file_has_nothing_of_the_app_in_its_name(tmp_path: Path) -> None:
    with recorded() as spans:
        asyncio.run(app("../../work").compile().ainvoke({"key": "x"}, {"configurable": {"thread_id": "../../thread"}}))
    exporter = FileExporter(tmp_path / "traces")
    exporter.export(spans)
    exporter.shutdown()
    (file,) = (path for path in tmp_path.rglob("*") if path.is_file())
    assert re.fullmatch(r"[\dT-]+\.jsonl", file.name) and file.parent == tmp_path / "traces"


# ---- secrets


@pytest.mark.parametrize("fails", [False, True], ids=["a run", "a run that fails"])
def test_a_trace_keeps_state_config_and_errors_to_itself(fails: bool, tmp_path: Path) -> None:
    config = {"configurable": {"thread_id": "t", "api_key": SECRET}, "metadata": {"key": SECRET}, "tags": [SECRET]}
    with recorded() as spans:
        try:
            asyncio.run(app("work", fails).compile().ainvoke({"key": SECRET}, config))
        except ValueError:
            assert fails
    exporter = FileExporter(tmp_path)
    exporter.export(spans)
    exporter.shutdown()
    (file,) = tmp_path.iterdir()
    assert spans and SECRET not in file.read_text()


def test_options_and_explanations_hold_no_values(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALTO_WINDOW", SECRET)
    with pytest.raises(AltoError) as refused:
        AltoOptions.of(None)
    assert isinstance(refused.value, OptionsError)
    monkeypatch.setenv("ALTO_WINDOW", "4")
    graph = app("work").compile()
    asyncio.run(graph.ainvoke({"key": SECRET}))
    assert SECRET not in str(graph.explain()) + json.dumps(graph.explain().to_dict()) + repr(graph.alto_plan)


@pytest.mark.parametrize("given", [{"window": "__import__('os').system('x')"}, {"issue": "{send}"}, {"__class__": 1}, {"window": -1}])
def test_options_are_values_and_nothing_else(given: dict[str, Any]) -> None:
    with pytest.raises(OptionsError):
        optimize(app("work").compile(), given)
