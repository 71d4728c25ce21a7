"""Which nodes use the state by its keys alone, so that watching these shows all that they read."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import pytest
from langchain_core.runnables import RunnableLambda
from pydantic import BaseModel
from typing_extensions import TypedDict

from alto_langgraph.adapters.langgraph.combining import together
from alto_langgraph.adapters.langgraph.lowering import lower
from alto_langgraph.graph import START, StateGraph
from alto_langgraph.plan.access import analyse
from alto_langgraph.plan.model import NodePlan
from tests.plan.naming_styles import NAMED, OTHERWISE, by_another_key, by_constants, counted, with_get, with_salt


class State(TypedDict, total=False):
    which: str
    a: int
    out: int


class Model(BaseModel):
    which: str = ""


def name(function: Any) -> str:
    return getattr(function, "__name__", type(function).__name__)


@pytest.mark.parametrize("function", NAMED, ids=name)
def test_by_keys_alone(function: Callable[..., Any]) -> None:
    plan = analyse(function, state=State)
    assert plan.named and plan.reads is None and not plan.mutates


@pytest.mark.parametrize("function", OTHERWISE, ids=name)
def test_otherwise_too(function: Callable[..., Any]) -> None:
    assert not analyse(function, state=State).named


def test_the_state_taken_by_what_is_bound_already() -> None:
    assert not analyse(functools.partial(with_salt, state={}, salt="")).named
    assert not analyse(functools.partial(with_salt, {})).named


def test_without_source() -> None:
    space: dict[str, Any] = {}
    exec("def hidden(state): return {'out': state[state['which']]}", space)
    assert not analyse(space["hidden"]).named


def test_of_several_callables_each() -> None:
    named, other, whole = map(analyse, (by_another_key, by_constants, counted))
    assert together([named, analyse(with_get)]).named
    assert not together([named, other]).named and not together([named, whole]).named and not together([]).named


def node(action: Any, schema: Any = State, **how: Any) -> NodePlan:
    builder = StateGraph(schema).add_node("node", action, **how).add_edge(START, "node")
    return lower(builder.compile()).nodes["node"]


class TestWhatMayBeObserved:
    def test_a_function_of_a_dict(self) -> None:
        assert node(by_another_key).observed

    def test_of_an_input_schema(self) -> None:
        assert node(by_another_key, Model, input_schema=State).observed

    def test_not_of_a_model(self) -> None:
        assert not node(by_another_key, Model).observed

    def test_not_what_langchain_runs(self) -> None:
        assert not node(RunnableLambda(by_another_key)).observed

    def test_not_what_names_its_keys_in_a_hint(self) -> None:
        assert not node(by_another_key, metadata={"reads": ["a"]}).observed

    @pytest.mark.parametrize(("effects", "observed"), [("pure", True), ("idempotent", True), ("unknown", False), ("external", False)])
    def test_only_what_may_be_repeated(self, effects: str, observed: bool) -> None:
        assert node(by_another_key, metadata={"effects": effects}).observed is observed

    def test_not_what_changes_values_in_place(self) -> None:
        def changing(state):
            state[state["which"]].append(1)
            return {}

        assert not node(changing).observed
