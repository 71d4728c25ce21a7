"""Numbers what a callable is given, so that what becomes of it can be followed: the operand itself, and what it holds under each key."""

from __future__ import annotations

from collections.abc import Iterable

OPERAND = 0
"""Stands for the callable's first argument itself, among the keys of objects outside it."""

ANYWHERE = 1 << 70
"""Stands for something that the operand holds, whatever the key; greater than any `id()`."""

ARGUMENTS = "its arguments"
"""Stands for a key of what a tool gets from the model, which isn't the state."""

_numbers: dict[str, int] = {}
_names: dict[int, str] = {}


def under(key: str) -> int:
    """The number of what the operand holds under `key`."""
    number = _numbers.get(key)
    if number is None:
        _numbers[key] = number = ANYWHERE + 1 + len(_numbers)
        _names[number] = key
    return number


def key_under(number: int) -> str | None:
    """The key that a number stands for; None for `ANYWHERE`."""
    return _names.get(number)


def of_operand(numbers: Iterable[int]) -> frozenset[int]:
    """Those of `numbers` that stand for the operand or for something it holds."""
    return frozenset(number for number in numbers if number == OPERAND or number >= ANYWHERE)
