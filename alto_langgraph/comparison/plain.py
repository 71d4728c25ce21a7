"""Turns what a run shows into plain values that stay as they were seen, however the app changes its objects later."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable, Mapping, Set
from dataclasses import dataclass, field, fields, is_dataclass
from enum import Enum
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import Any

from pydantic import BaseModel

from alto_langgraph.protocols import OPTIONS_KEY

VERSION = re.compile(r"\b(\d{32})\.\d+(\.\d+)?(e-\d+)?\b")
"""A channel version: a count, and random digits that tell forks apart."""


@dataclass(frozen=True, slots=True)
class Thing:
    """An object: the name of its type and what it holds."""

    kind: str
    parts: dict[Any, Any] = field(hash=False)


@dataclass(frozen=True, slots=True)
class Bag:
    """Values whose order says nothing, such as what siblings of one superstep did."""

    items: tuple[Any, ...]


def plain(value: Any) -> Any:
    """A copy of `value` in scalars, lists, tuples, dicts, `Thing`s and `Bag`s; types and identity of text are kept."""
    return _plain(value, ())


def bag(values: Iterable[Any]) -> Bag:
    """The `Bag` of these values, each made plain."""
    return Bag(tuple(plain(value) for value in values))


def _plain(value: Any, above: tuple[int, ...]) -> Any:
    kind = type(value)
    if kind is str:
        return VERSION.sub(r"\1", value)
    if value is None or kind in (bool, int, float, bytes, complex):
        return value
    if id(value) in above:
        return Thing("cycle", {})
    inside = functools.partial(_plain, above=(*above, id(value)))
    if kind is list or kind is tuple:
        return kind(map(inside, value))
    if kind is dict:
        shown = _configurable(value) if "thread_id" in value else value
        return {_key(key, inside): inside(held) for key, held in shown.items()}
    if isinstance(value, Thing | Bag):
        return value
    return _object(value, inside)


def _configurable(value: dict[Any, Any]) -> dict[Any, Any]:
    """What a run's config says, without alto's own options and the objects that LangGraph hands to its subgraphs."""
    return {key: held for key, held in value.items() if key != OPTIONS_KEY and not str(key).startswith("__pregel_")}


def _key(key: Any, inside: Callable[[Any], Any]) -> Any:
    made = inside(key)
    try:
        hash(made)
    except TypeError:
        return repr(made)
    return made


def _object(value: Any, inside: Callable[[Any], Any]) -> Any:
    kind = _name(type(value))
    if isinstance(value, Enum | type | FunctionType | BuiltinFunctionType | MethodType):
        return Thing(kind, {"name": value.name if isinstance(value, Enum) else value.__qualname__})
    if isinstance(value, BaseException):
        return exception(value)
    if isinstance(value, Set):
        return Thing(kind, {"items": Bag(tuple(map(inside, value)))})
    if isinstance(value, str | bytes | int | float):
        return Thing(kind, {"value": inside(value.__class__.__mro__[-2](value))})
    return Thing(kind, {_key(key, inside): inside(held) for key, held in _parts(value).items()})


def _parts(value: Any) -> Mapping[Any, Any]:
    """What an object holds: by fields, names or places, else its `repr`."""
    if isinstance(value, BaseModel):
        return {**value.__dict__, **(value.__pydantic_extra__ or {})}
    if is_dataclass(value):
        return {f.name: getattr(value, f.name) for f in fields(value) if hasattr(value, f.name)}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return dict(zip(value._fields, value, strict=True))
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, list | tuple) or type(value).__name__ == "deque":
        return {"items": list(value)}
    if hasattr(value, "tolist") and hasattr(value, "dtype"):
        return {"dtype": str(value.dtype), "items": value.tolist()}
    slots = [name for cls in type(value).__mro__ for name in _slots(cls)]
    held = {name: getattr(value, name) for name in slots if not name.startswith("__") and hasattr(value, name)}
    held |= getattr(value, "__dict__", {})
    return held or {"repr": repr(value)}


def _slots(cls: type) -> tuple[str, ...]:
    slots = cls.__dict__.get("__slots__", ())
    return (slots,) if isinstance(slots, str) else tuple(slots)


def exception(error: BaseException) -> Thing:
    """An exception as an app sees it: type, text, notes, stated cause and, of a group, its members."""
    members = getattr(error, "exceptions", ())
    parts = {"text": str(error), "notes": list(getattr(error, "__notes__", ())), "cause": plain(error.__cause__)}
    return Thing(_name(type(error)), {**parts, **({"exceptions": [plain(e) for e in members]} if members else {})})


def _name(cls: type) -> str:
    return cls.__qualname__ if cls.__module__ == "builtins" else f"{cls.__module__}.{cls.__qualname__}"
