"""Functions and methods behind a library's decorators that only run what they decorate."""

from __future__ import annotations

from typing import Any, TypedDict
from weakref import WeakSet

import pytest
from langsmith import traceable

from alto_langgraph.plan import inspection
from alto_langgraph.plan.access import analyse
from alto_langgraph.plan.made import Made
from alto_langgraph.plan.model import CallablePlan, Effects
from alto_langgraph.plan.reading import Reading, TooLargeError
from alto_langgraph.plan.session import together
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


def test_what_is_read_together_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tool of an agent is looked at for its node, for its kind of calls, and for each way of calling it."""
    made: list[Any] = []

    def noting(function: Any, *_: Any) -> CallablePlan:
        made.append(function)
        return CallablePlan()

    monkeypatch.setattr(inspection, "_inspected", noting)
    with together():
        for _ in range(3):
            analyse(HELPER.plain)
            analyse(function)
        analyse(Helper().plain)
    assert len(made) == 3, "two bound methods of one object are one"


def test_what_is_too_large_of_a_library_is_not_tried_for_the_next_agent(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[Any] = []

    def too_large(reading: Any) -> None:
        tried.append(reading.home)
        raise TooLargeError

    monkeypatch.setattr(inspection, "is_library", lambda home: True)
    monkeypatch.setattr(inspection, "_too_large", WeakSet())
    monkeypatch.setattr(Reading, "spend", too_large)
    plans = [analyse(plain_node()) for _ in range(2)]
    assert len(tried) == 1 and plans[0] == plans[1]


def plain_node() -> Any:
    def node(state: State) -> dict[str, Any]:
        return {"b": state["a"]}

    return node
