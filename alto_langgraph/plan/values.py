"""What the analysis knows of a value while it reads a function: where it comes from and what it may hold."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from functools import reduce
from typing import Any, NamedTuple

from alto_langgraph.plan.operands import ANYWHERE, ARGUMENTS, OPERAND, under

NONE: frozenset[int] = frozenset()
NO_NAMES: frozenset[str] = frozenset()


class Kind(IntEnum):
    """What sort of thing a value is; of two sorts the greater one is the more delicate.

    FOREIGN: unknown code made it. REQUEST: what an agent's middleware is given of a call.
    """

    PLAIN = 0
    ANSWERING = 1
    CLIENT = 2
    RUNNABLE = 3
    ANY = 4
    FOREIGN = 5
    REQUEST = 6
    RUNTIME = 7
    METADATA = 8
    CONFIGURABLE = 9
    CONFIG = 10
    STATE = 11


CONFIGS = frozenset({Kind.METADATA, Kind.CONFIGURABLE, Kind.CONFIG})


class Held:
    """An object of the running app, compared by identity."""

    __slots__ = ("it", "name")

    def __init__(self, it: Any, name: str) -> None:
        self.it, self.name = it, name

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Held) and other.it is self.it

    def __hash__(self) -> int:
        return id(self.it)


@dataclass(frozen=True, eq=False)
class Local:
    """A function defined inside the one that is read, with the names it can see and its defaults."""

    tree: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
    scope: Any
    defaults: dict[str, Value]


@dataclass(frozen=True, eq=False)
class Bound:
    """A function with some of its arguments, as `functools.partial` makes it."""

    target: Value
    call: Any


class Value(NamedTuple):
    """One value, or any of several.

    Args:
        own: Keys of the objects that it may itself be, or be a part of.
        inner: Keys of the objects that things inside it may be parts of.
        kind: What sort of thing it is.
        known: The app's objects that it is one of; empty if not known.
        functions: Functions made inside the function that is read that it is one of.
        hint: Type annotation it was declared with.
        strings: Every string it may be; None if not known.
        held: Every string it may hold, however deep inside; None if not known.
        keys: Keys of the state update that it is; None if not known.
        items: Its items in order, if it is a tuple of known length.
        parts: The app's objects and local functions that it holds inside.
    """

    own: frozenset[int] = NONE
    inner: frozenset[int] = NONE
    kind: Kind = Kind.ANY
    known: tuple[Held, ...] = ()
    functions: tuple[Local | Bound, ...] = ()
    hint: Any = None
    strings: frozenset[str] | None = None
    keys: frozenset[str] | None = None
    items: tuple[Any, ...] | None = None
    parts: tuple[Held | Local | Bound, ...] = ()
    held: frozenset[str] | None = None

    @property
    def reach(self) -> frozenset[int]:
        """Keys of everything that can be got at through it."""
        return self.own | self.inner

    @property
    def texts(self) -> frozenset[str] | None:
        """Every string it may be or hold; None if not known."""
        return names_of(self.strings, self.held)


UNKNOWN = Value()
STATE = Value(frozenset({OPERAND}), frozenset({OPERAND, ANYWHERE}), Kind.STATE)
_CALL = -1
"""Stands for the request of a call among the keys of what the code itself makes; no place in it has that one."""
REQUEST = Value(frozenset({_CALL}), frozenset({OPERAND, ANYWHERE}), Kind.REQUEST)
TOLD = Value(frozenset({under(ARGUMENTS)}), frozenset({under(ARGUMENTS)}))
"""What the model gives a tool."""
TOOL_RUNTIME = Value(NONE, frozenset({OPERAND, ANYWHERE}), Kind.RUNTIME)
"""What a tool gets of the run: the state is in it."""
PLAIN = Value(kind=Kind.PLAIN)
NO_TEXT = Value(kind=Kind.PLAIN, strings=frozenset(), held=frozenset())
NOTHING = Value(kind=Kind.PLAIN, strings=NO_NAMES, keys=NO_NAMES, held=NO_NAMES)


def either(one: Value, other: Value) -> Value:
    """A value that may be one or the other."""
    if one is other:
        return one
    return Value(
        one.own | other.own,
        one.inner | other.inner,
        max(one.kind, other.kind),
        _merged(one.known, other.known),
        _merged(one.functions, other.functions),
        one.hint if one.hint == other.hint else None,
        names_of(one.strings, other.strings),
        names_of(one.keys, other.keys),
        None,
        _merged(one.parts, other.parts),
        names_of(one.held, other.held),
    )


def _merged(one: tuple[Any, ...], other: tuple[Any, ...]) -> tuple[Any, ...]:
    if not other or one == other:
        return one
    return tuple(dict.fromkeys(one + other)) if one else other


def names_of(one: frozenset[str] | None, other: frozenset[str] | None) -> frozenset[str] | None:
    """Both sets together; None ("all") if either is."""
    return None if one is None or other is None else one | other


def any_of(values: Iterable[Value]) -> Value:
    """A value that may be any of several."""
    values = list(values)
    if len(values) == 1:
        return values[0]
    return reduce(either, values) if values else NOTHING


def holding(values: Iterable[Value]) -> Value:
    """A new container made of `values`."""
    whole = any_of(values)
    parts = _merged(_merged(whole.known, whole.functions), whole.parts)
    return Value(NONE, whole.reach, Kind.ANY, strings=NO_NAMES, parts=parts, held=whole.texts)


def text(*strings: str) -> Value:
    """A string that is one of `strings`."""
    return Value(kind=Kind.PLAIN, strings=frozenset(strings), held=NO_NAMES)
