"""The arguments of a call, and how they meet a function's parameters."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from types import FunctionType
from typing import Any

from alto_langgraph.plan.values import UNKNOWN, Value


@dataclass(frozen=True)
class Call:
    """The arguments of a call.

    Args:
        args: Positional ones.
        keywords: Those given by name.
        spread: What `*` and `**` arguments of unknown length hold, if there are any.
        discarded: Nobody looks at the result.
    """

    args: tuple[Value, ...] = ()
    keywords: dict[str, Value] = field(default_factory=dict)
    spread: Value | None = None
    discarded: bool = False

    @property
    def values(self) -> tuple[Value, ...]:
        """Every argument."""
        return (*self.args, *self.keywords.values(), *((self.spread,) if self.spread is not None else ()))

    def behind(self, *first: Value) -> Call:
        """The same call with more arguments in front."""
        return Call((*first, *self.args), self.keywords, self.spread, self.discarded)


def owner(name: str) -> str:
    """What a method's name hangs on, as written."""
    return name.rpartition(".")[0] or "self"


def mark(value: Value) -> tuple[Any, ...]:
    """A hashable likeness of a value."""
    items = None if value.items is None else tuple(map(mark, value.items))
    return (*value[:5], id(value.hint), value.strings, value.keys, items, value.parts)


def defaults_of(positional: list[ast.arg], arguments: ast.arguments, function: FunctionType | None) -> dict[str, Any]:
    """Defaults by parameter name: objects of the app, or for a function inside another unknown values."""
    if function is None:
        without = [a.arg for a, d in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if d is not None]
        last = positional[len(positional) - len(arguments.defaults) :]
        return dict.fromkeys([a.arg for a in last] + without, UNKNOWN)
    values = function.__defaults__ or ()
    named = {a.arg: v for a, v in zip(positional[len(positional) - len(values) :], values, strict=True)}
    return named | (function.__kwdefaults__ or {})
