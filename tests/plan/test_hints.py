"""Hints in LangGraph's own `metadata=`: they stand above what was found out, and stock LangGraph doesn't mind them."""

from dataclasses import dataclass
from typing import Any, TypedDict

import pytest
from langgraph.graph import START, StateGraph
from langgraph.managed import RemainingSteps
from pydantic import BaseModel

from alto_langgraph.adapters.langgraph.lowering import lower
from alto_langgraph.plan.model import CallablePlan, Effects


class State(TypedDict, total=False):
    a: list[str]
    b: str
    steps: RemainingSteps


class Model(BaseModel):
    a: str = ""
    b: str = ""


@dataclass
class Data:
    a: str
    b: str = ""


def murky(state):
    state["a"].append("x")
    return eval("f")(state)


def planned(metadata: Any, schema: Any = State, node: Any = murky) -> CallablePlan:
    builder: StateGraph[Any] = StateGraph(schema)
    builder.add_node("n", node, metadata=metadata)
    builder.add_edge(START, "n")
    return lower(builder.compile()).nodes["n"].function


def test_without_hints_nothing_is_certain() -> None:
    plan = planned(None)
    assert (plan.reads, plan.writes, plan.effects, plan.mutates) == ({"a", "b"}, None, Effects.UNKNOWN, True)
    assert (plan.sources.reads, plan.sources.writes, plan.sources.effects) == ("schema", "unknown", "unknown")


@pytest.mark.parametrize("names", [["b"], ("b",), {"b"}, frozenset({"b"})])
def test_reads_and_writes_are_taken_at_their_word(names: Any) -> None:
    plan = planned({"reads": names, "writes": names})
    assert (plan.reads, plan.writes) == ({"b"}, {"b"})
    assert (plan.sources.reads, plan.sources.writes, plan.sources.effects) == ("declared", "declared", "unknown")
    assert plan.evidence[0] == "declared"


def test_nothing_may_be_declared() -> None:
    assert (planned({"reads": [], "writes": []}).reads, planned({"reads": [], "writes": []}).writes) == (set(), set())


def test_a_managed_value_may_be_declared() -> None:
    plan = planned({"reads": ["b", "steps"]})
    assert (plan.reads, plan.managed) == ({"b"}, {"steps"})


def test_what_making_the_state_looks_at_is_read_whatever_is_declared() -> None:
    assert planned({"reads": ["b"]}, Model).reads == {"a", "b"}
    assert planned({"reads": ["b"]}, Data).reads == {"a", "b"}
    assert planned({"reads": []}, Data).reads == {"a"}


def grows(state):
    state["a"].append("x")
    print("x")
    return {"b": "x"}


@pytest.mark.parametrize(
    ("word", "writes", "mutates"), [("pure", {"b"}, False), ("idempotent", {"b"}, False), ("unknown", {"a", "b"}, True)]
)
def test_effects_up_to_idempotent_say_that_nothing_is_changed_in_place(word: str, writes: set[str], mutates: bool) -> None:
    plan = planned({"effects": word}, node=grows)
    assert (plan.writes, plan.mutates, plan.effects.name.lower()) == (writes, mutates, word)
    assert plan.sources.effects == "declared"


@pytest.mark.parametrize("metadata", [{"reads": "b"}, {"reads": [1]}, {"writes": 3}, {"effects": "quick"}, {"effects": None}, {}])
def test_odd_hints_are_none(metadata: Any) -> None:
    assert planned(metadata) == planned(None)


def test_stock_runs_the_same() -> None:
    def run(metadata: Any) -> Any:
        builder = StateGraph(State)
        builder.add_node("n", lambda state: {"b": "x"}, metadata=metadata)
        builder.add_edge(START, "n")
        return builder.compile().invoke({"a": []})

    assert run(None) == run({"reads": ["a"], "writes": ["b"], "effects": "pure"}) == {"a": [], "b": "x"}


def test_streams_is_taken_at_its_word_and_nothing_but_a_bool() -> None:
    assert [planned({"streams": value}).streams for value in (True, False, None, "yes", 1)] == [True, False, None, None, None]
    assert planned({"streams": True}).evidence[0] == "declared"
