"""Objects of a payload that nobody could miss: those whose counterparts only the other payload holds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from langgraph.types import Send

from alto_langgraph.driver.holding import replaceable

STATE: dict[str, Any] = {"piece": {"text": ["a"]}}


def told(mine: Any, make: Callable[[], Any]) -> list[Any]:
    """The containers of `mine` that are told, outermost first. pytest would hold a payload that is made in an `assert`."""
    packet = Send("node", make())
    found, containers = replaceable(mine, packet), [mine]
    for container in containers:
        inner = container.values() if isinstance(container, dict) else container
        containers += [value for value in inner if isinstance(value, dict | list | tuple)]
    return [container for container in containers if id(container) in found]


def test_a_payload_made_for_the_packet_is_nobody_elses() -> None:
    mine = {"at": 1, "text": "a"}
    assert told(mine, lambda: {"at": 1, "text": "a"}) == [mine]


def test_what_is_inside_is_too() -> None:
    mine = {"item": {"words": ["a", "b"]}, "pair": ([1], 2)}
    assert told(mine, lambda: {"item": {"words": ["a", "b"]}, "pair": ([1], 2)}) == [
        mine,
        {"words": ["a", "b"]},
        ([1], 2),
        ["a", "b"],
        [1],
    ]


def test_what_the_state_holds_is_not_nor_what_that_holds() -> None:
    mine = {"piece": {"text": ["a"]}, "own": [1]}
    assert told(mine, lambda: {"piece": STATE["piece"], "own": [1]}) == [mine, [1]]


def test_a_payload_that_somebody_keeps_is_not() -> None:
    kept = {"at": 1}
    assert told({"at": 1}, lambda: kept) == []


def test_what_is_held_twice_within_the_payload_is_not() -> None:
    def make() -> Any:
        twice: list[int] = [1]
        return {"one": twice, "other": twice}

    mine = {"one": [1], "other": [1]}
    assert told(mine, make) == [mine]


def test_of_other_objects_nothing_is_told() -> None:
    assert told([], lambda: [])[1:] == []
    assert replaceable("text", Send("node", "text")) == frozenset()
