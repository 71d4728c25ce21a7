"""What random graphs have shown to differ, as the fuzz has shrunk it, where it takes that graph to show it."""

from __future__ import annotations

import pytest

from alto_langgraph.graph import StateGraph as Alto
from alto_langgraph.testing.fuzz import compare
from alto_langgraph.testing.graph_specs import Case, Choice, Graph, Key, Node, Out

CASES = {
    # Three chains meet at a join, and the last superstep before it takes no time: its checkpoint was changed while it was saved.
    "a checkpoint of a join stays as it was": Case(
        graph=Graph(
            nodes=(
                Node(name="b", reads=(), writes=()),
                Node(name="c", reads=(), writes=(), edges=("d",)),
                Node(name="d", reads=(), writes=(), edges=("e",)),
                Node(name="e", reads=(), writes=()),
                Node(name="f", reads=(), writes=(), edges=("g",)),
                Node(name="g", reads=(), edges=("h",), coroutine=True),
                Node(name="h", reads=("of_h",), writes=("of_h",), edges=("i",), coroutine=True),
                Node(name="i", reads=("seed", "of_e", "of_h"), writes=("of_i", "log"), coroutine=True),
                Node(name="j", reads=("of_l", "of_b", "of_i", "of_j"), writes=("of_j",), coroutine=True),
            ),
            entry=("b", "c", "f"),
            joins=((("b", "e", "i"), "j"),),
            keys=(
                Key(name="of_l", kind="untracked"),
                Key(name="of_a", given=True),
                Key(name="of_b", kind="messages", given=True),
                Key(name="of_c", given=True),
                Key(name="of_d", kind="merge"),
                Key(name="of_e", kind="fold"),
                Key(name="of_f", kind="sum"),
                Key(name="of_g", given=True),
                Key(name="of_h", kind="delta"),
                Key(name="of_i", kind="messages", given=True),
                Key(name="of_j", given=True),
                Key(name="of_k", given=True),
            ),
        ),
        seed=412,
        saver="memory",
        modes=(),
        at="h",
        nth=3,
    ),
    # What a node may change in place was forgotten where the graph has a reducer that changes the state in place: what is sent with
    # the same object ran before the change.
    "a changed object is waited for beside a reducer that changes in place": Case(
        graph=Graph(
            nodes=(
                Node(name="a", writes=(), pause=20, box="change"),
                Node(name="b", reads=(), writes=(), routes=(Choice(options=((Out(to="c", spread=1, box=True),), (), ()), reads=("mix",)),)),
                Node(name="c", reads=(), box="read"),
                Node(name="h", reads=(), writes=()),
                Node(name="i", reads=(), writes=()),
            ),
            entry=("a", "b"),
            keys=(Key(name="of_a_grown", kind="extend"),),
        ),
        modes=("values", "updates", "custom"),
        subgraphs=True,
        at="b",
        nth=2,
        window=5,
    ),
    # A graph inside commands its parent, whose conditional edges then asked for the state on the event loop: the node ran again.
    "what commands its parent runs once": Case(
        graph=Graph(
            nodes=(
                Node(name="c", writes=("turn",), routes=(Choice(options=((Out(to="d", spread=1), Out(to="c", turns=2)),)),)),
                Node(
                    name="d",
                    reads=(),
                    writes=(),
                    routes=(Choice(options=((Out(to="i", least=2, spread=4, box=True),), ()), reads=("seed", "total", "mix")),),
                    child=Graph(
                        nodes=(Node(name="j", reads=("seed", "mix"), writes=("log", "total", "mix"), coroutine=True, pause=3, parent="h"),),
                        entry=("j",),
                    ),
                ),
                Node(name="i", writes=("log", "total")),
            ),
            entry=("c",),
            ordered=True,
        ),
        seed=811,
        modes=("values", "tasks"),
        subgraphs=True,
        at="a",
        nth=3,
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
@pytest.mark.filterwarnings("ignore")
def test_both_sides_show_the_same(case: Case) -> None:
    assert compare(case, Alto)[0] is None
