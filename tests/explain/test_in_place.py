"""What is said of nodes that may change their operands in place, and of those beside and behind them, to the letter."""

from __future__ import annotations

import operator
from typing import Annotated, Any

from langgraph.graph import START, StateGraph
from langgraph.types import Send
from typing_extensions import TypedDict

from alto_langgraph.adapters.langgraph.lowering import lower
from alto_langgraph.plan.explain import Explanation, explain


class State(TypedDict, total=False):
    docs: list[list[int]]
    out: Annotated[list[Any], operator.add]


def to_draft(state: State) -> list[Send]:
    return [Send("draft", doc) for doc in state["docs"]]


def to_both(state: State) -> list[Send]:
    return [Send(name, doc) for doc in state["docs"] for name in ("check", "paint")]


def looks(doc):
    return {"out": [len(doc)]}


def changes(doc):
    doc.append(1)
    return {"out": [len(doc)]}


def changes_the_state(state: State) -> list[Send]:
    state["docs"].append([])
    return to_both(state)


def staged(draft: Any = looks, check: Any = looks, paint: Any = looks) -> StateGraph[State]:
    """draft for each document, then check and paint."""
    builder = StateGraph(State).add_node("draft", draft).add_node("check", check).add_node("paint", paint)
    return builder.add_conditional_edges(START, to_draft, ["draft"]).add_conditional_edges("draft", to_both, ["check", "paint"])


def explained(builder: StateGraph[State]) -> Explanation:
    return explain(lower(builder.compile()))


def waits(found: Explanation, name: str) -> list[tuple[str, str, str]]:
    node = found.node(name)
    assert node.ahead
    return [(wait.code, wait.subject, wait.sentence) for wait in node.waits]


def test_where_nothing_is_changed_nothing_waits() -> None:
    assert waits(explained(staged()), "check") == []


def test_a_node_that_changes_its_operands() -> None:
    assert waits(explained(staged(check=changes)), "check") == [
        ("mutates", "check", "`check` may change its operands in place, so it starts early only if they can't be changed.")
    ]


def test_a_node_beside_one_that_changes_its_operands() -> None:
    sentence = "`paint`, beside `check`, may change operands in place, so `check` starts early only if they can't be changed."
    assert waits(explained(staged(paint=changes)), "check") == [("mutates", "paint", sentence)]


def test_a_node_behind_one_that_changes_its_operands() -> None:
    sentence = "`draft` may change its operands in place, so `check` passes no task of it that holds the same objects."
    assert waits(explained(staged(draft=changes)), "check") == [("mutates", "draft", sentence)]


def test_a_node_whose_edge_changes_the_state() -> None:
    builder = staged().add_conditional_edges("check", changes_the_state, ["paint"])
    sentence = "A conditional edge of `check` may change the state in place, so it waits for its superstep."
    assert waits(explained(builder), "check")[-1] == ("mutates", "check", sentence)
