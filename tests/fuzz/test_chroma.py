"""Random graphs whose nodes share a real Chroma collection past the state: a reader that comes too early shows."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from langgraph.graph.state import StateGraph as Stock

from alto_langgraph.graph import StateGraph as Alto
from alto_langgraph.testing.chroma import deleted_collections, opened_collection
from alto_langgraph.testing.fuzz import compare, script, steady
from alto_langgraph.testing.graph_runs import play
from alto_langgraph.testing.graph_specs import Case, Graph, Node

pytestmark = [
    pytest.mark.chroma,
    pytest.mark.skipif(find_spec("chromadb") is None, reason="chromadb isn't installed"),
    pytest.mark.filterwarnings("ignore"),
]


def line(coroutine: bool) -> Case:
    """One node fills the collection, slowly, and the next one reads it; then again."""
    fills = Node("a", shared="change", coroutine=coroutine, pause=20, edges=("b",))
    reads = Node("b", shared="read", coroutine=coroutine, edges=("c",))
    nodes = (fills, reads, replace(fills, name="c", edges=("d",)), replace(reads, name="d", edges=()))
    return Case(Graph(nodes, ("a",), hides="chroma"), seed=3, coroutine=coroutine, modes=("values", "debug"))


class Early(Stock[Any, Any, Any, Any]):
    """Leaves out what leads from `a` to `b`, so that `b` starts with it."""

    def add_edge(self, start: Any, end: Any) -> Any:
        return super().add_edge("__start__" if (start, end) == ("a", "b") else start, end)


@pytest.mark.parametrize("coroutine", [False, True])
def test_a_reader_sees_what_was_put_into_the_collection_before(coroutine: bool) -> None:
    case = line(coroutine)
    assert compare(case, Alto)[0] is None
    assert steady(replace(case, modes=()))
    empty = replace(case.graph, nodes=tuple(replace(node, shared=node.shared.replace("change", "")) for node in case.graph.nodes))
    told, untold = (play(replace(case, graph=graph, modes=()), Stock).turns[0].value["log"] for graph in (case.graph, empty))
    assert [one == other for one, other in zip(told, untold, strict=True)] == [True, False, True, False]


def test_a_reader_too_early_is_found_and_the_printed_script_shows_it(tmp_path: Path) -> None:
    case = line(coroutine=True)
    difference, _ = compare(case, Early)
    assert difference is not None
    text = script(case, "early:Early", difference)
    assert "#     from alto_langgraph.testing.chroma import opened_collection" in text.splitlines()
    (tmp_path / "early.py").write_text(
        "from langgraph.graph.state import StateGraph as Stock\n"
        "class Early(Stock):\n"
        "    def add_edge(self, start, end):\n"
        "        return super().add_edge('__start__' if (start, end) == ('a', 'b') else start, end)\n"
    )
    (tmp_path / "shows.py").write_text(text)
    done = subprocess.run([sys.executable, "shows.py"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert str(difference[0]) in done.stdout


def test_collections_are_new_and_gone_when_the_run_is_over() -> None:
    chromadb = import_module("chromadb")
    client = chromadb.EphemeralClient(chromadb.Settings(anonymized_telemetry=False))
    before = client.count_collections()
    with deleted_collections():
        one, other = opened_collection(), opened_collection()
        one.upsert(ids=["1"], embeddings=[[1, 0]])
        assert (one.count(), other.count()) == (1, 0)
        assert client.count_collections() == before + 2
    assert client.count_collections() == before
    play(line(True), Alto)
    assert client.count_collections() == before
