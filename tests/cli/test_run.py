"""`alto run` runs a script as Python would, with our graphs in place of langgraph's."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ABOUT_ITSELF = """
import json, pickle, sys
class Mine: pass
main = sys.modules["__main__"]
print(json.dumps({
    "argv": sys.argv, "path0": sys.path[0], "name": __name__, "file": __file__, "package": __package__,
    "is_main": main.Mine is Mine, "module": Mine.__module__, "loader": type(__loader__).__name__,
    "names": sorted(set(globals()) - {"__cached__", "__annotations__"}), "pickles": type(pickle.loads(pickle.dumps(Mine()))) is Mine,
    "annotation": str((lambda x: 0).__annotations__), "flags": (lambda x: 0).__code__.co_flags,
}))
import neighbour
"""

WHOSE = """
import json
from typing import TypedDict
import langgraph.graph, langgraph.graph.state
from langgraph.graph import START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.prebuilt import chat_agent_executor

class State(TypedDict):
    n: int

builder = StateGraph(State)
builder.add_node("up", lambda state: {"n": state["n"] + 1})
builder.add_edge(START, "up")
app = builder.compile()
print(json.dumps({
    "classes": [c.__module__.partition(".")[0] for c in
        (StateGraph, langgraph.graph.state.StateGraph, chat_agent_executor.StateGraph)],
    "plan": sorted(app.alto_plan.nodes),
    "is_compiled": isinstance(app, CompiledStateGraph), "is_graph": isinstance(builder, langgraph.graph.StateGraph),
    "answer": app.invoke({"n": 1}),
}))
"""


def run(*words: str, cwd: Path, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *words], cwd=cwd, capture_output=True, text=True, check=False, env={**os.environ, "COLUMNS": "200", **(env or {})}
    )


def alto(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return run("-m", "alto_langgraph", *words, cwd=cwd)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A working folder; the scripts lie one level down, beside a module that they import."""
    inner = tmp_path / "inner"
    inner.mkdir()
    (inner / "neighbour.py").write_text("")
    return tmp_path


def script(folder: Path, text: str) -> str:
    (folder / "inner" / "app.py").write_text(text)
    return os.path.join("inner", "app.py")


def test_a_script_finds_itself_as_under_python(folder: Path) -> None:
    app = script(folder, ABOUT_ITSELF)
    ours, theirs = alto(app, "-x", "--debug", "y", cwd=folder), run(app, "-x", "--debug", "y", cwd=folder)
    assert ours.returncode == theirs.returncode == 0, ours.stderr
    assert json.loads(ours.stdout) == json.loads(theirs.stdout)


def test_a_module_finds_itself_as_under_python(folder: Path) -> None:
    (folder / "package").mkdir()
    (folder / "package" / "__main__.py").write_text(ABOUT_ITSELF.replace("neighbour", "package"))
    ours, theirs = alto("-m", "package", "-x", "y", cwd=folder), run("-m", "package", "-x", "y", cwd=folder)
    assert ours.returncode == theirs.returncode == 0, ours.stderr
    assert json.loads(ours.stdout) == json.loads(theirs.stdout)


def test_every_graph_is_ours(folder: Path) -> None:
    done = alto(script(folder, WHOSE), cwd=folder)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert set(told["classes"]) == {"alto_langgraph"}
    assert told["is_compiled"]
    assert told["is_graph"]
    assert told["plan"] == ["up"]
    assert told["answer"] == {"n": 2}


def test_agents_of_langchain_are_ours(folder: Path) -> None:
    pytest.importorskip("langchain", reason="langchain isn't installed")
    agent = (
        "from langchain.agents import create_agent\n"
        "from langchain_core.language_models import FakeListChatModel\n"
        "print(sorted(create_agent(FakeListChatModel(responses=['hi']), []).alto_plan.nodes))"
    )
    assert alto(script(folder, agent), cwd=folder).stdout == "['model']\n"


@pytest.mark.parametrize("ending", ["raise SystemExit", "import sys; sys.exit(7)", "raise SystemExit('so long')"])
def test_a_script_that_exits_exits_as_under_python(folder: Path, ending: str) -> None:
    app = script(folder, ending)
    ours, theirs = alto(app, cwd=folder), run(app, cwd=folder)
    assert (ours.returncode, ours.stdout, ours.stderr) == (theirs.returncode, theirs.stdout, theirs.stderr)


def test_a_script_that_fails_gives_one_message(folder: Path) -> None:
    done = alto(script(folder, "\ndef deep():\n    raise ValueError('no such city')\ndeep()\n"), cwd=folder)
    assert done.returncode == 2
    assert done.stderr == (
        f"alto: `{os.path.join('inner', 'app.py')}` failed at {os.path.join('inner', 'app.py')}:3: ValueError: no such city. "
        "Run it with `alto run --debug` to see the traceback.\n"
    )


def test_debug_shows_the_script_s_traceback_alone(folder: Path) -> None:
    done = alto("--debug", script(folder, "\ndef deep():\n    raise ValueError('no such city')\ndeep()\n"), cwd=folder)
    assert done.returncode == 2
    first, _, _ = done.stderr.partition("The above exception")
    assert first.count("  File ") == 2
    assert "in deep" in first


def test_a_syntax_error_is_a_failure_of_the_script(folder: Path) -> None:
    done = alto(script(folder, "x = = 1"), cwd=folder)
    assert done.returncode == 2
    assert "SyntaxError: invalid syntax" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("inner/ap.py",), "alto: There is no script `inner/ap.py`. Did you mean `app.py`?\n"),
        (("-m", "zzyzx.at_all"), "alto: There is no module `zzyzx`.\n"),
        (("-m", "inner.ap"), "alto: There is no module `inner.ap`. Did you mean `inner.app`?\n"),
    ],
)
def test_what_is_not_there_is_named(folder: Path, words: tuple[str, ...], message: str) -> None:
    script(folder, "")
    done = alto(*words, cwd=folder)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", message)


def test_no_script_at_all_is_bad_usage(folder: Path) -> None:
    done = alto(cwd=folder)
    assert done.returncode == 2
    assert "Missing argument 'SCRIPT'" in done.stderr
