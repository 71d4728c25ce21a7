"""What a command line names is loaded, or its mistake is named."""

import io
import pickle
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from alto_langgraph.cli.target import load_json, load_target
from alto_langgraph.exceptions import TargetError

FLOWS = """
from langchain_core.runnables import RunnableLambda
from langgraph.graph import StateGraph

draft = StateGraph(dict).add_node("step", print).set_entry_point("step")
final = draft.compile()
text, chain = "no graph", RunnableLambda(str)
"""
APP = "import beside_target\nclass Graph: nodes = ['a']\ngraph = Graph()\n"


@pytest.fixture(autouse=True)
def imports_undone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    before = set(sys.modules)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield
    for name in set(sys.modules) - before:
        del sys.modules[name]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "sub").mkdir()
    for file, text in {
        "app_target.py": APP,
        "beside_target.py": "",
        "sub/beside_target.py": "",
        "sub/other_target.py": APP,
        "broken_target.py": "1 / 0",
        "needs_target.py": "import not_installed_at_all",
    }.items():
        (tmp_path / file).write_text(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("target", ["app_target:graph", "app_target.py:graph", "sub/other_target.py:graph"])
def test_a_module_s_or_a_file_s_attribute_is_loaded(folder: Path, target: str) -> None:
    graph = load_target(target)
    assert graph.nodes == ["a"]
    assert type(pickle.loads(pickle.dumps(graph))) is type(graph)


def test_attributes_may_be_dotted(folder: Path) -> None:
    assert load_target("app_target:graph.nodes") == ["a"]


def test_one_file_is_one_module(folder: Path) -> None:
    assert load_target("app_target.py:graph") is load_target(f"{folder}/app_target.py:graph") is load_target("app_target:graph")


def test_a_file_may_be_called_like_a_loaded_module(folder: Path) -> None:
    (folder / "json.py").write_text("graph = 1")
    assert load_target("json.py:graph") == 1
    assert load_target("json:dumps")([]) == "[]"


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("app_target", "`app_target` doesn't name an object. Write `module:attribute` or `file.py:attribute`."),
        (":graph", "`:graph` doesn't name an object. Write `module:attribute` or `file.py:attribute`."),
        ("app_target:grpah", "`app_target` has no attribute `grpah`. Did you mean `graph`?"),
        ("app_target:graph.noods", "`app_target:graph` has no attribute `noods`. Did you mean `nodes`?"),
        ("app_targe:graph", "There is no module `app_targe`. Did you mean `app_target`?"),
        ("email.mim.text:x", "There is no module `email.mim`. Did you mean `email.mime`?"),
        ("app_targe.py:graph", "There is no file `app_targe.py`. Did you mean `app_target.py`?"),
        ("nowhere/at/all.py:graph", "There is no file `nowhere/at/all.py`."),
        ("broken_target:x", "Importing `broken_target` failed: ZeroDivisionError: division by zero."),
        ("broken_target.py:x", "Importing `broken_target.py` failed: ZeroDivisionError: division by zero."),
        ("needs_target:x", "Importing `needs_target` failed: ModuleNotFoundError: No module named 'not_installed_at_all'."),
    ],
)
def test_a_mistake_is_named(folder: Path, target: str, message: str) -> None:
    with pytest.raises(TargetError) as caught:
        load_target(target)
    assert str(caught.value).removesuffix(" Run again with --debug to see where.") == message


def test_graphs_that_could_be_meant_are_named(folder: Path) -> None:
    (folder / "flows.py").write_text(FLOWS)
    for target, message in {
        "flows.py": "`flows.py` doesn't name an object. Write `flows.py:draft` or `flows.py:final`.",
        "flows.py:nothing_like_it": "`flows.py` has no attribute `nothing_like_it`. Its graphs: `draft`, `final`.",
        "flows:nothing_like_it": "`flows` has no attribute `nothing_like_it`. Its graphs: `draft`, `final`.",
    }.items():
        with pytest.raises(TargetError) as caught:
            load_target(target)
        assert str(caught.value) == message


def test_json_is_read_from_a_file_or_standard_input(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "in.json").write_text('{"text": "été"}', encoding="utf-8")
    assert load_json("in.json") == load_json(folder / "in.json") == {"text": "été"}
    monkeypatch.setattr(sys, "stdin", io.StringIO("[1]"))
    assert load_json("-") == [1]


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("inn.json", "There is no file `inn.json`. Did you mean `in.json`?"),
        ("in.json", "`in.json` isn't JSON: Expecting value at line 2, column 3."),
        ("latin.json", "`latin.json` isn't UTF-8 text."),
        ("sub", "`sub` can't be read: Is a directory."),
    ],
)
def test_json_that_is_not_there_or_not_json_is_named(folder: Path, path: str, message: str) -> None:
    (folder / "in.json").write_text("[\n  oops]")
    (folder / "latin.json").write_bytes('"é"'.encode("latin-1"))
    with pytest.raises(TargetError, match="^" + message.replace("?", r"\?") + "$"):
        load_json(path)
