"""Which nodes follow for certain, and which joins wait for whom."""

from typing import Any, TypedDict

from langgraph.graph import END, START, StateGraph
from langgraph.types import Command

from alto_langgraph.adapters.langgraph.lowering import lower
from alto_langgraph.plan.model import Join, Plan


class State(TypedDict, total=False):
    x: str


def node(state: State) -> dict[str, Any]:
    return {"x": "1"}


def plan() -> Plan:
    builder = StateGraph(State)
    for name in ("a", "b", "c", "d", "e", "late"):
        builder.add_node(name, node, defer=name == "late")
    builder.add_edge(START, "a")
    builder.add_edge(START, "b")
    builder.add_edge("a", "c")
    builder.add_edge("a", "d")
    builder.add_edge("a", "late")
    builder.add_edge(["a", "b"], "e")
    builder.add_edge(["c", "d"], "e")
    builder.add_edge(["d", "c"], "late")
    builder.add_conditional_edges("b", lambda state: "d", ["d"])
    builder.add_edge("d", END)
    return lower(builder.compile())


def test_plain_edges_are_certain_and_nothing_else_is() -> None:
    found = {name: set(n.certain) for name, n in plan().nodes.items()}
    assert found == {"a": {"c", "d"}, "b": set(), "c": set(), "d": set(), "e": set(), "late": set()}
    assert plan().nodes["b"].targets == {"d", "e"}


def test_edges_from_start_are_certain() -> None:
    assert (plan().entry, plan().entry_certain) == ({"a", "b"}, {"a", "b"})


def test_a_conditional_entry_is_not_certain() -> None:
    builder = StateGraph(State)
    builder.add_node("a", node)
    builder.add_conditional_edges(START, lambda state: "a", ["a"])
    assert (lower(builder.compile()).entry, lower(builder.compile()).entry_certain) == ({"a"}, set())


def test_each_join_tells_its_starts() -> None:
    assert plan().joins == {Join(frozenset({"a", "b"}), "e"), Join(frozenset({"c", "d"}), "e")}, "one to a deferred node isn't only that"


def test_a_command_leaves_plain_edges_certain() -> None:
    builder = StateGraph(State)
    builder.add_node("a", lambda state: Command(goto="c"))
    builder.add_node("b", lambda state: None)
    builder.add_node("c", lambda state: None)
    builder.add_edge(START, "a")
    builder.add_edge("a", "b")
    found = lower(builder.compile()).nodes["a"]
    assert (found.certain, found.targets) == ({"b"}, {"b", "c"})
    ran = [set(update) for update in builder.compile().stream({"x": ""}, stream_mode="updates")]
    assert {"b"} in ran and {"c"} in ran
