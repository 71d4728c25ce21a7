"""`alto explain` on a file."""

import json
from pathlib import Path

import pytest

from alto_langgraph.cli import main

APP = """
from typing import TypedDict
from langgraph.graph import START, StateGraph

class State(TypedDict):
    x: int

def node(state):
    return {"x": 1}

builder = StateGraph(State)
builder.add_node(node)
builder.add_edge(START, "node")
graph = builder.compile()
number = 3

def make():
    return builder

def needs(x):
    return builder
"""


@pytest.fixture
def app(tmp_path: Path) -> Path:
    path = tmp_path / "an_app.py"
    path.write_text(APP)
    return path


def run(*words: str) -> int:
    with pytest.raises(SystemExit) as done:
        main(["explain", *words])
    return int(done.value.code or 0)


@pytest.mark.parametrize("name", ["graph", "builder", "make"])
def test_it_explains_graphs_builders_and_factories(app: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(f"{app}:{name}") == 0
    assert "is triggered by START" in " ".join(capsys.readouterr().out.split())


def test_it_prints_json(app: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(f"{app}:graph", "--json") == 0
    assert [node["name"] for node in json.loads(capsys.readouterr().out)["nodes"]] == ["node"]


def test_it_prints_mermaid(app: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(f"{app}:graph", "--mermaid") == 0
    assert capsys.readouterr().out.startswith("graph TD;")


@pytest.mark.parametrize(("name", "message"), [("number", "a value of type int"), ("needs", "can't be called without arguments")])
def test_anything_else_is_one_message(app: Path, name: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(f"{app}:{name}") == 2
    told = " ".join(capsys.readouterr().err.split())
    assert message in told and "Traceback" not in told
