"""Functions and methods behind a library's decorators that only run what they decorate."""

from __future__ import annotations

from typing import Any, TypedDict

import pytest
from langsmith import traceable

from alto_langgraph.plan.access import analyse
from alto_langgraph.plan.made import Made
from alto_langgraph.plan.model import Effects
from alto_langgraph.plan.values import PLAIN


class State(TypedDict):
    a: int
    b: int


@traceable
def function(state: State) -> dict[str, Any]:
    return {"b": state["a"]}


class Helper:
    @traceable
    def decorated(self, state: State) -> dict[str, Any]:
        return {"b": state["a"]}

    def plain(self, state: State) -> dict[str, Any]:
        return {"b": state["a"]}

    def calls(self, state: State) -> dict[str, Any]:
        return self.decorated(state)


HELPER = Helper()
BOUND = traceable(HELPER.plain)


def calls_bound(state: State) -> dict[str, Any]:
    return BOUND(state)


@pytest.mark.parametrize("node", [function, HELPER.decorated, HELPER.calls, BOUND, calls_bound])
def test_what_is_decorated_is_read(node: Any) -> None:
    plan = analyse(node)
    assert (plan.reads, plan.updates, plan.effects) == ({"a"}, {"b"}, Effects.PURE)
    assert not (plan.mutates or plan.shares)


def test_what_is_known_already_is_not_noted_again() -> None:
    """Else what functions put into objects would be told over and over by those that call them, and double with each."""
    made = Made()
    made.put(frozenset({-1}), PLAIN)
    version = made.version
    made.put(frozenset({-1}), PLAIN)
    assert len(made.log) <= 1 and made.version == version
    made.put(frozenset({3}), PLAIN)
    assert made.leaked and made.version != version


def test_what_two_have_noted_has_two_versions() -> None:
    one, other = Made(), Made()
    assert one.version == other.version, "nothing is known to either"
    one.put(frozenset({3}), PLAIN)
    other.put(frozenset({4}), PLAIN)
    assert one.version != other.version
