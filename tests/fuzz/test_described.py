"""A described graph does the same however its nodes are written down, and its runs can be cut off at a settled point."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, get_args

import pytest
from langgraph.graph.state import StateGraph as Stock

from alto_langgraph.testing.graph_runs import Played, play
from alto_langgraph.testing.graph_source import source
from alto_langgraph.testing.graph_specs import Case, Choice, Form, Graph, Key, Kind, Look, Node, Out, Returns, StateClass, Style, TurnKind
from alto_langgraph.testing.node_source import metadata
from alto_langgraph.testing.state_source import State
from alto_langgraph.testing.supersteps import apart, supersteps

pytestmark = pytest.mark.filterwarnings("ignore")

KEYS = (Key("x", given=True), Key("y", "list"), Key("w", "messages"))
LINE = Graph(
    (
        Node("a", writes=("x", "y", "w"), edges=("b",)),
        Node("b", ("x", "y", "w", "seed"), ("x", "y", "log"), maybe=("log",), routes=(Choice(((Out("c"),), (Out("END"),)), ("x",)),)),
        Node("c", ("y",), ("x",)),
    ),
    ("a",),
    keys=KEYS,
)


def played(graph: Graph, **how: Any) -> Played:
    return play(Case(graph, **{"coroutine": True, "modes": (), **how}), Stock)


def answer(graph: Graph, **how: Any) -> Any:
    run = played(graph, **how)
    assert run.turns[0].error is None, run.turns[0].error
    return run.turns[0].value


def written(**its: Any) -> Graph:
    return replace(LINE, nodes=(LINE.nodes[0], replace(LINE.nodes[1], **its), LINE.nodes[2]))


@pytest.mark.parametrize("state", get_args(StateClass))
@pytest.mark.parametrize("style", [style for style in get_args(Style) if style != "whole"])
def test_however_a_node_reads_its_answer_is_the_same(style: Style, state: StateClass) -> None:
    routes = (replace(LINE.nodes[1].routes[0], style=style),)
    assert answer(replace(written(style=style, routes=routes), state=state)) == answer(LINE)


@pytest.mark.parametrize("returns", [returns for returns in get_args(Returns) if returns != "object"])
def test_however_a_node_returns_its_update_is_the_same(returns: Returns) -> None:
    assert answer(written(returns=returns)) == answer(LINE)
    assert answer(written(returns=returns, maybe=())) == answer(written(maybe=()))


@pytest.mark.parametrize("coroutine", [False, True])
@pytest.mark.parametrize("form", [form for form in get_args(Form) if form != "partial"])
def test_whatever_is_given_to_add_node_its_answer_is_the_same(form: Form, coroutine: bool) -> None:
    assert answer(written(form=form, coroutine=coroutine), coroutine=coroutine) == answer(LINE)


@pytest.mark.parametrize("kind", get_args(Kind))
def test_what_is_written_to_a_key_can_be_read(kind: Kind) -> None:
    graph = Graph((Node("a", writes=("x",), edges=("b",)), Node("b", ("x",))), ("a",), keys=(Key("x", kind),))
    silent = replace(graph, nodes=(replace(graph.nodes[0], writes=()), graph.nodes[1]))
    assert answer(graph, seed=5)["log"] != answer(silent, seed=5)["log"]


@pytest.mark.parametrize("asking", ["runtime", "parameter", "call"])
@pytest.mark.parametrize("look", get_args(Look))
def test_what_a_node_looks_at_is_there(look: Any, asking: Any) -> None:
    graph = Graph((Node("a", reads=(), looks=(look,), asking=asking, store="change", says=True, coroutine=True),), ("a",))
    assert answer(graph) != answer(replace(graph, nodes=(replace(graph.nodes[0], looks=()),)))
    assert played(graph).notes


def test_a_private_key_reaches_its_reader_and_nobody_else() -> None:
    graph = Graph((Node("a", writes=("x",), edges=("b",)), Node("b", ("x",))), ("a",), keys=(Key("x", private=True),))
    assert "x" not in answer(graph)
    assert answer(graph)["log"] != answer(replace(graph, keys=()))["log"]
    unread = replace(graph, nodes=(graph.nodes[0], Node("b")))
    assert "'x'" not in source(unread).split("def build")[-1]


def test_metadata_says_only_what_is_true() -> None:
    state = State(LINE)
    declared = replace(LINE.nodes[1], declared="idempotent")
    assert metadata(declared, state) == "metadata={'reads': ['seed', 'w', 'x', 'y'], 'writes': ['log', 'x', 'y'], 'effects': 'idempotent'}"
    assert "effects" not in metadata(replace(declared, shared="change"), state)
    assert "effects" not in metadata(replace(declared, store="read"), state)
    assert metadata(Node("a", declared="effects"), state) == "metadata={'effects': 'idempotent'}"
    loop = replace(declared, command=Choice(((Out("a", turns=2),),)))
    assert "'turn'" in metadata(loop, state)


def test_supersteps_in_which_nodes_may_run() -> None:
    line = supersteps(Graph((Node("a", edges=("b", "c")), Node("b", edges=("c",)), Node("c")), ("a",)))
    assert line == {"a": {0}, "b": {1}, "c": {1, 2}}
    assert not apart(line["b"], line["c"])
    loop = supersteps(Graph((Node("a", edges=("b",)), Node("b", edges=("a",))), ("a",)))
    assert apart(loop["a"], loop["b"])
    late = supersteps(Graph((Node("a", edges=("b",)), Node("b", defer=True)), ("a",)))
    assert min(late["b"]) == 1
    assert len(late["b"]) > 9


FORK = Graph(
    (
        Node("a", edges=("b", "c"), coroutine=True, pause=3),
        Node("b", coroutine=True, pause=3, edges=("d",)),
        Node("c", coroutine=True, pause=3, edges=("d",)),
        Node("d", ("log",), coroutine=True, pause=3),
    ),
    ("a",),
)


def errors(run: Played) -> list[str]:
    return [turn.error[0] if turn.error else "" for turn in run.turns]


def test_a_run_is_cancelled_where_a_node_hangs_and_goes_on() -> None:
    run = played(FORK, saver="memory", turns=("cancel", "on"), at="b", durability="sync")
    assert errors(run) == ["CancelledError", ""]
    assert run.left_running == []
    assert run.turns[1].runs["c"] == 0, "what c had written was kept"
    assert run.turns[1].runs["b"] == 1
    assert run.turns[1].value == answer(FORK)


@pytest.mark.parametrize(("kind", "its"), [("crash", {"nth": 3}), ("loses", {"at": "b"})])
def test_a_run_whose_checkpointer_fails_goes_on_with_a_fresh_graph(kind: TurnKind, its: dict[str, Any]) -> None:
    run = played(FORK, saver="memory", turns=(kind, "fresh"), durability="sync", **its)
    assert errors(run) == ["CrashError", ""]
    assert run.turns[1].value == answer(FORK)


@pytest.mark.parametrize("coroutine", [False, True])
def test_a_stream_is_left_after_some_supersteps(coroutine: bool) -> None:
    graph = replace(FORK, nodes=tuple(replace(node, coroutine=coroutine) for node in FORK.nodes))
    run = played(graph, saver="memory", turns=("leave", "on"), nth=2, modes=("values",), coroutine=coroutine)
    assert [len(turn.arrived) for turn in run.turns] == [2, 3]
    assert run.turns[0].runs["d"] == 0
    assert run.turns[1].runs["d"] == 1


def test_two_runs_at_a_time_have_threads_of_their_own() -> None:
    run = played(FORK, saver="memory", turns=("batch", "input"))
    assert [len(value["log"]) for value in run.turns[0].value] == [4, 4]
    assert len(run.turns[1].value["log"]) == 4


@pytest.mark.parametrize("kind", ["rewind", "fork", "edit", "update"])
def test_a_thread_goes_on_from_an_old_checkpoint(kind: TurnKind) -> None:
    run = played(FORK, saver="memory", turns=("input", kind))
    assert errors(run) == ["", ""]
    assert len(run.history) > len(played(FORK, saver="memory").history)
