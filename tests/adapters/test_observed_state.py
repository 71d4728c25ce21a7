"""The dict that notes what a node asks its state for."""

from __future__ import annotations

import copy
import json
import operator
import pickle
import reprlib
from collections.abc import Callable
from typing import Any

import pytest

from alto_langgraph.adapters.langgraph.observing import WHOLE, ObservedState
from alto_langgraph.driver.early import Early, Retreat
from alto_langgraph.driver.readings import Readings
from alto_langgraph.tags import Tag

GIVEN = {"a": 1, "b": [2]}
WATCHED = frozenset({"a", "b", "c"})


def state() -> ObservedState:
    return ObservedState(GIVEN, WATCHED)


def early(*reads: str) -> Early:
    made = Early(Tag((("node", 0),)), "node", 2, outer=None, live=False, on_route=lambda early: None)
    made.reads = frozenset(reads)
    return made


@pytest.mark.parametrize(
    ("look", "seen"),
    [
        (lambda s: s["a"], {"a"}),
        (lambda s: s.get("b"), {"b"}),
        (lambda s: s.get("c", 5), {"c"}),
        (lambda s: "a" in s, {"a"}),
        (lambda s: "c" not in s, {"c"}),
        (lambda s: (s["a"], s.get("b"), "c" in s), {"a", "b", "c"}),
        (lambda s: s.get("other", 3), set()),
        (lambda s: "other" in s, set()),
        (lambda s: isinstance(s, dict), set()),
    ],
)
def test_keys(look: Callable[[Any], Any], seen: set[str]) -> None:
    watched = state()
    assert look(watched) == look(GIVEN)
    assert watched.seen == seen


@pytest.mark.parametrize("key", ["c", "other"])
def test_a_key_that_is_missing(key: str) -> None:
    watched = state()
    with pytest.raises(KeyError) as raised:
        watched[key]
    assert raised.value.args == (key,)
    assert watched.seen == {"c"} & {key}


class Odd(str):
    """Says itself what it is equal to."""

    __slots__ = ()
    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        return other == "a"


@pytest.mark.parametrize("key", [Odd("a"), 1, None])
def test_a_key_that_is_no_plain_string(key: Any) -> None:
    watched = state()
    assert watched.get(key) == GIVEN.get(key)
    assert watched.seen is None


WHOLE_USES: dict[str, Callable[[Any], Any]] = {
    "__iter__": list,
    "__len__": len,
    "__eq__": lambda s: s == GIVEN,
    "__ne__": lambda s: s != GIVEN,
    "__repr__": repr,
    "__str__": str,
    "__format__": lambda s: f"{s}",
    "__reversed__": lambda s: list(reversed(s)),
    "__or__": lambda s: s | {"d": 1},
    "__ror__": lambda s: {"d": 1} | s,
    "__ior__": lambda s: operator.ior(s, {"d": 1}),
    "__setitem__": lambda s: operator.setitem(s, "d", 1),
    "__delitem__": lambda s: operator.delitem(s, "a"),
    "clear": lambda s: s.clear(),
    "copy": lambda s: s.copy(),
    "items": lambda s: list(s.items()),
    "keys": lambda s: list(s.keys()),
    "values": lambda s: list(s.values()),
    "pop": lambda s: s.pop("a"),
    "popitem": lambda s: s.popitem(),
    "setdefault": lambda s: s.setdefault("d", 1),
    "update": lambda s: s.update(d=1),
    "bool": bool,
    "deepcopy": copy.deepcopy,
    "copy.copy": copy.copy,
    "pickle": lambda s: pickle.loads(pickle.dumps(s)),
    "**": lambda s: dict(**s),
    "dict": dict,
    "for": lambda s: [key for key in s],  # noqa: C416
    "*": lambda s: [*s],
    "reprlib": reprlib.repr,
    "sorted": sorted,
    "getstate": lambda s: s.__getstate__() or GIVEN,
}


@pytest.mark.parametrize("name", WHOLE_USES)
def test_looks_at_all_of_it(name: str) -> None:
    watched, plain = state(), dict(GIVEN)
    assert WHOLE_USES[name](watched) == WHOLE_USES[name](plain)
    assert watched.seen is None
    assert dict.__eq__(watched, plain)


@pytest.mark.parametrize("name", ["__lt__", "__le__", "__gt__", "__ge__"])
def test_is_compared(name: str) -> None:
    watched = state()
    assert getattr(watched, name)(GIVEN) is NotImplemented
    assert watched.seen is None


def test_says_how_large_it_is() -> None:
    watched = state()
    assert watched.__sizeof__() > 0
    assert watched.seen is None


def test_every_method_of_a_dict_is_noted_or_tells_nothing() -> None:
    by_key = {"__getitem__", "get", "__contains__"}
    pickled = {"__reduce__", "__reduce_ex__", "__getstate__"}
    of_any_object = {
        "__class__", "__class_getitem__", "__delattr__", "__dir__", "__doc__", "__getattribute__", "__hash__", "__init__",
        "__init_subclass__", "__new__", "__setattr__", "__subclasshook__", "fromkeys",
    }  # fmt: skip
    assert set(dir(dict)) - by_key - pickled - set(WHOLE) <= of_any_object
    assert all(name in vars(ObservedState) for name in by_key | pickled | set(WHOLE))


def test_what_becomes_of_it_is_a_plain_dict() -> None:
    made = [state().copy(), copy.copy(state()), copy.deepcopy(state()), pickle.loads(pickle.dumps(state())), state() | {}]
    assert [type(it) for it in made] == [dict] * len(made)
    assert json.loads(json.dumps(state())) == GIVEN


class TestAhead:
    @pytest.mark.parametrize("look", [lambda s: s["b"], lambda s: s.get("b"), lambda s: "b" in s])
    def test_gives_up_at_a_key_that_it_does_not_rest_on(self, look: Callable[[Any], Any]) -> None:
        run = early("a")
        watched = ObservedState(GIVEN, WATCHED, run)
        assert watched["a"] == 1
        with pytest.raises(Retreat):
            look(watched)
        assert watched.seen == {"a", "b"}
        assert run.fence == "it reads `b`, which no run of it had read"

    def test_goes_on_at_a_key_that_no_state_has(self) -> None:
        assert ObservedState(GIVEN, WATCHED, early("a")).get("other", 3) == 3

    @pytest.mark.parametrize("name", WHOLE_USES)
    def test_gives_up_where_it_looks_at_all(self, name: str) -> None:
        watched = ObservedState(GIVEN, WATCHED, early("a", "b"))
        with pytest.raises(Retreat):
            WHOLE_USES[name](watched)
        assert watched.seen is None

    def test_may_look_at_all_if_it_rests_on_all(self) -> None:
        watched = ObservedState(GIVEN, WATCHED, early(*WATCHED))
        assert len(watched) == 2 and watched.seen is None


class TestReadings:
    def test_are_known_after_as_many_runs(self) -> None:
        readings = Readings()
        for keys in ({"a"}, {"b"}, set[str]()):
            assert readings.known("node", 3) is None
            readings.note("node", keys)
        assert readings.known("node", 3) == {"a", "b"}
        assert readings.known("node", 4) is None and readings.known("other", 1) is None

    def test_are_never_known_once_a_run_has_looked_otherwise(self) -> None:
        readings = Readings()
        readings.note("node", None)
        for _ in range(9):
            readings.note("node", {"a"})
        assert readings.known("node", 8) is None

    def test_of_more_runs_than_are_counted(self) -> None:
        readings = Readings()
        for _ in range(70):
            readings.note("node", {"a"})
        assert readings.known("node", 1000) == {"a"}
