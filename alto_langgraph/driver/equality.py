"""Tells whether two values are equal in everything that an app could notice but identity."""

from __future__ import annotations

import datetime
import decimal
import fractions
import pathlib
import uuid
from typing import Any

_EXACT = (
    str, bytes, bool, int, range, type(None), datetime.date, datetime.datetime, datetime.time, datetime.timedelta, decimal.Decimal,
    fractions.Fraction, uuid.UUID, pathlib.PurePath,
)  # fmt: skip
"""Classes whose equal instances can't be told apart."""


def same(one: Any, other: Any) -> bool:
    """Whether nobody could tell two values apart, unless by identity. Of what it doesn't know, only an object and itself are the same."""
    try:
        return _same(one, other)
    except Exception:  # nested too deeply, or a class whose instances don't compare
        return False


def _same(one: Any, other: Any) -> bool:
    if one is other:
        return True
    cls = type(one)
    if cls is not type(other):
        return False
    if isinstance(one, float | complex | decimal.Decimal):
        return repr(one) == repr(other) if cls.__module__ in ("builtins", "decimal") else False  # -0.0 isn't 0.0
    if cls in _EXACT or isinstance(one, pathlib.PurePath):
        return bool(one == other)
    if isinstance(one, dict):
        return _same_items([*one.items()], [*other.items()]) and _same_attributes(one, other)
    if isinstance(one, list | tuple):
        return _same_items(one, other) and _same_attributes(one, other)
    if cls in (set, frozenset):
        return {(type(item), item) for item in one} == {(type(item), item) for item in other} and all(type(i) in _EXACT for i in one)
    return _same_objects(one, other)


def _same_items(one: Any, other: Any) -> bool:
    return len(one) == len(other) and all(_same(a, b) for a, b in zip(one, other, strict=True))


def _same_attributes(one: Any, other: Any) -> bool:
    return _same(getattr(one, "__dict__", None), getattr(other, "__dict__", None))


def _same_objects(one: Any, other: Any) -> bool:
    """Dataclasses and pydantic's models: by what they hold."""
    fields = getattr(type(one), "__dataclass_fields__", None)
    if fields is not None:
        return all(_same(getattr(one, name), getattr(other, name)) for name in fields) and _same_attributes(one, other)
    if hasattr(type(one), "__pydantic_fields__"):
        hidden = ("__pydantic_fields_set__", "__pydantic_extra__", "__pydantic_private__")
        return _same_attributes(one, other) and all(_same(getattr(one, name), getattr(other, name)) for name in hidden)
    return False
