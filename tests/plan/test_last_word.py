"""Which reducers keep only what was written last."""

import functools
import operator
from typing import Any

import pytest

from alto_langgraph.plan.last_word import has_last_word


def newest(old, new):
    """The last word wins."""
    return new


def typed(old: Any, new: Any, /) -> Any:
    return new


def oldest(old, new):
    return old


def first_word(old, new):
    return new if old is None else old


def noted(old, new, seen=[]):  # noqa: B006
    seen.append(new)
    return new


def swapped(new, old):
    return new


def rebound(old, new):
    new = old
    return new


def merged(old, new):
    return {**old, **new}


def wrapping(function):
    @functools.wraps(function)
    def inner(old, new):
        return function(new, old)

    return inner


class Reducer:
    def __call__(self, old, new):
        return new


@pytest.mark.parametrize("reducer", [newest, typed, lambda old, new: new, lambda _, y: y])
def test_the_last_word(reducer) -> None:
    assert has_last_word(reducer)
    assert reducer(1, 2) == 2


@pytest.mark.parametrize(
    "reducer",
    [
        oldest, first_word, noted, swapped, rebound, merged, wrapping(newest), Reducer(), operator.add, max,
        functools.partial(newest), lambda old, new: old, lambda old, new: new or old, None, eval("lambda old, new: new"),
    ],
)  # fmt: skip
def test_anything_else_or_unknown(reducer) -> None:
    assert not has_last_word(reducer)
