"""Reads type annotations: what a state's keys hold, and which of those can't change in place."""

from __future__ import annotations

import datetime
import decimal
import types
import uuid
from collections.abc import Mapping
from enum import Enum
from pathlib import PurePath
from typing import Annotated, Any, Literal, NewType, Union, get_args, get_origin, get_type_hints
from weakref import WeakKeyDictionary

_IMMUTABLE = (
    str,
    int,
    float,
    complex,
    bytes,
    type(None),
    Enum,
    datetime.date,
    datetime.time,
    datetime.timedelta,
    decimal.Decimal,
    uuid.UUID,
    PurePath,
)
_WRAPPERS = frozenset({"Required", "NotRequired", "ReadOnly", "Final", "ClassVar"})

_hints: WeakKeyDictionary[type, dict[str, Any]] = WeakKeyDictionary()


def members(cls: Any) -> dict[str, Any]:
    """Annotated names of a TypedDict, dataclass, pydantic model or NamedTuple; empty if it can't be read."""
    if not isinstance(cls, type):
        return {}
    known = _hints.get(cls)
    if known is None:
        try:
            known = get_type_hints(cls)
        except Exception:  # annotations are code of the app's, and may name what isn't there at run time
            known = {}
        _hints[cls] = known
    return known


def update_keys(cls: type) -> frozenset[str] | None:
    """Keys that LangGraph may write when a node returns an instance of `cls`: its annotated names; None if that can't be told."""
    if issubclass(cls, dict | list | tuple):
        return None
    if any(base.__module__.startswith(("langgraph.types", "langchain_core.runnables")) for base in cls.__mro__):
        return None
    return frozenset(name for base in cls.__mro__ for name in getattr(base, "__annotations__", None) or ()) or None


def validators(cls: type) -> list[Any]:
    """The app's functions that a pydantic model calls when it is made."""
    decorators = getattr(cls, "__pydantic_decorators__", None)
    groups = ("validators", "field_validators", "root_validators", "model_validators")
    found = [info for group in groups for info in getattr(decorators, group, {}).values()]
    return [getattr(info.func, "__func__", info.func) for info in found]


def bare(hint: Any) -> Any:
    """A hint without Annotated, Required and the like, and without `| None`."""
    while True:
        origin = get_origin(hint)
        if origin is Annotated or getattr(origin, "__name__", getattr(origin, "_name", None)) in _WRAPPERS:
            hint = get_args(hint)[0]
        elif origin in (Union, types.UnionType):
            left = [a for a in get_args(hint) if a is not type(None)]
            if len(left) != 1:
                return hint
            hint = left[0]
        elif isinstance(hint, NewType):
            hint = hint.__supertype__
        else:
            return hint


def is_immutable(hint: Any) -> bool:
    """Whether values of a hinted type can't be changed in place, as far down as they reach."""
    hint = bare(hint)
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Literal:
        return True
    if origin in (Union, types.UnionType):
        return all(map(is_immutable, arguments))
    if origin in (tuple, frozenset):
        return all(a is ... or is_immutable(a) for a in arguments)
    return hint is None or (isinstance(hint, type) and issubclass(hint, _IMMUTABLE))


def member(hint: Any, key: str) -> Any:
    """The hint of one key or attribute; None if not known."""
    hint = bare(hint)
    if get_origin(hint) is not None:
        arguments = get_args(hint)
        return (
            arguments[1] if isinstance(get_origin(hint), type) and issubclass(get_origin(hint), Mapping) and len(arguments) == 2 else None
        )
    return members(hint).get(key)


def element(hint: Any, *, iterating: bool = False) -> Any:
    """The hint of an item of a collection; of a mapping its values, or its keys where it is iterated over."""
    hint = bare(hint)
    origin, arguments = get_origin(hint), [a for a in get_args(hint) if a is not ...]
    if not isinstance(origin, type) or not arguments:
        return None
    if issubclass(origin, Mapping):
        return arguments[0] if iterating else arguments[-1]
    return arguments[0] if len(arguments) == 1 else None
