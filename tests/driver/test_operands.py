"""Which mutable objects a value holds."""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import enum
import functools
import re
import uuid
from collections import OrderedDict, deque, namedtuple
from typing import Any

import pytest
from langchain_core.documents import Document
from langchain_core.messages import HumanMessage
from pydantic import BaseModel

from alto_langgraph.driver.operands import operands


class Colour(enum.Enum):
    RED = 1


Point = namedtuple("Point", "x y")


@dataclasses.dataclass
class Plain:
    inner: Any = None


@dataclasses.dataclass(frozen=True, slots=True)
class Slots:
    inner: Any = None


class OneSlot:
    __slots__ = "inner"

    def __init__(self, inner: Any) -> None:
        self.inner = inner


class Mangled:
    __slots__ = ("__inner",)

    def __init__(self, inner: Any) -> None:
        self.__inner = inner


class Heir(OneSlot):
    __slots__ = ("more", "never_set")

    def __init__(self, inner: Any, more: Any) -> None:
        super().__init__(inner)
        self.more = more


class Model(BaseModel):
    inner: Any = None


class Loose(BaseModel, extra="allow"):
    _private: Any = None


def holds(value: Any, thing: Any) -> bool:
    found = operands(value)
    assert found is not None
    return id(thing) in found


NO_OBJECTS = [
    None, 1, 1.5, 1j, "text", b"bytes", True, (), (1, ("a", None)), frozenset({1, (2, 3)}), range(3), int, len, print, re, Colour.RED,
    datetime.datetime(2020, 1, 1), datetime.timedelta(1), datetime.UTC, decimal.Decimal(1), uuid.UUID(int=1), re.compile("x"),
    lambda: None, Point(1, 2),
]  # fmt: skip


@pytest.mark.parametrize("value", NO_OBJECTS, ids=lambda value: type(value).__name__)
def test_what_cannot_change_holds_none(value: Any) -> None:
    assert operands(value) == frozenset()


@pytest.mark.parametrize(
    "wrap",
    [
        lambda x: x,
        lambda x: [x],
        lambda x: (1, (2, x)),
        lambda x: {"k": x},
        lambda x: {"k": [{"l": (x,)}]},
        Plain,
        Slots,
        OneSlot,
        lambda x: Heir(1, x),
        lambda x: Heir(x, 1),
        lambda x: Model(inner=x),
        lambda x: Loose(**{"extra": x}),
        lambda x: Model(inner=Plain([Slots(x)])),
        lambda x: Point(1, x),
        lambda x: OrderedDict(k=x),
        lambda x: Document("text", metadata={"k": x}),
        lambda x: HumanMessage("text", additional_kwargs={"k": x}),
    ],
)
@pytest.mark.parametrize("thing", [[], {}, set(), Plain(), Model(), bytearray(), object()], ids=lambda t: type(t).__name__)
def test_what_is_inside_is_found(wrap: Any, thing: Any) -> None:
    assert holds(wrap(thing), thing)
    assert not holds(wrap(thing), [])


def test_two_values_share_what_both_reach() -> None:
    shared = {"list": [1]}
    one, two = {"a": shared}, [(shared["list"],)]
    found = operands(one), operands(two)
    assert found[0] is not None and found[1] is not None
    assert found[0] & found[1] == {id(shared["list"])}


def test_equal_values_share_nothing() -> None:
    assert not (operands([1, [2]]) or frozenset()) & (operands([1, [2]]) or frozenset())


def test_a_circle_ends() -> None:
    one: list[Any] = [1]
    two = {"one": one}
    one.append(two)
    assert operands(one) == operands(two) == {id(one), id(two)}


def test_an_object_that_holds_itself() -> None:
    it = Plain()
    it.inner = it
    assert operands(it) >= {id(it)}


@pytest.mark.parametrize(("size", "budget", "told"), [(9, 10, True), (10, 10, False), (10_000, 1000, False), (998, 1000, True)])
def test_beyond_the_budget_nothing_is_told(size: int, budget: int, told: bool) -> None:
    assert (operands([[] for _ in range(size)], budget=budget) is not None) == told


def test_what_cannot_change_costs_no_budget() -> None:
    assert operands(list(range(100_000)), budget=1) is not None


def test_one_object_seen_often_counts_once() -> None:
    assert operands([[1]] * 100 + [[2]] * 100) is not None
    inner: list[int] = []
    assert operands([inner] * 5000, budget=2) is not None


@pytest.mark.parametrize(
    "wrap",
    [
        lambda x: deque([x]),
        lambda x: functools.partial(print, x),
        lambda x: ValueError(x),
        lambda x: lambda: x,
        lambda x: x.append,
        lambda x: iter(x),
        lambda x: {"k": 1, "l": x}.values(),
        Mangled,
    ],
    ids=["deque", "partial", "exception", "closure", "method", "iterator", "view", "private slot"],
)
def test_what_hides_in_builtin_objects_is_found(wrap: Any) -> None:
    thing: list[int] = [1]
    found = operands(wrap(thing))
    assert found is None or id(thing) in found
