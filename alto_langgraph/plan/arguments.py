"""The arguments of a call, and how they meet a function's parameters."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from functools import cached_property
from types import FunctionType
from typing import Any

from alto_langgraph.plan.values import Value, either


@dataclass(frozen=True)
class Call:
    """The arguments of a call.

    Args:
        args: Positional ones.
        keywords: Those given by name.
        spread: What `*` and `**` arguments of unknown length hold, if there are any.
        discarded: Nobody looks at the result.
        node: Where it is written.
    """

    args: tuple[Value, ...] = ()
    keywords: dict[str, Value] = field(default_factory=dict)
    spread: Value | None = None
    discarded: bool = False
    node: ast.AST | None = None

    @cached_property
    def values(self) -> tuple[Value, ...]:
        """Every argument."""
        return (*self.args, *self.keywords.values(), *((self.spread,) if self.spread is not None else ()))

    def marks(self) -> tuple[Any, ...]:
        """A hashable likeness of all arguments."""
        spread = None if self.spread is None else mark(self.spread)
        return (*map(mark, self.args), *((name, mark(value)) for name, value in self.keywords.items()), spread)

    def behind(self, *first: Value) -> Call:
        """The same call with more arguments in front."""
        return Call((*first, *self.args), self.keywords, self.spread, self.discarded, self.node)

    def over(self, bound: Call) -> Call:
        """The same call of a function that has some arguments already."""
        spread = either(self.spread, bound.spread) if self.spread and bound.spread else self.spread or bound.spread
        return Call((*bound.args, *self.args), bound.keywords | self.keywords, spread, self.discarded, self.node)

    def rest(self) -> Call:
        """The same call without its first argument."""
        return Call(self.args[1:], self.keywords, self.spread, self.discarded, self.node)


def owner(name: str) -> str:
    """What a method's name hangs on, as written."""
    return name.rpartition(".")[0] or "self"


def mark(value: Value) -> tuple[Any, ...]:
    """A hashable likeness of a value."""
    items = None if value.items is None else tuple(map(mark, value.items))
    return (*value[:5], id(value.hint), value.strings, value.keys, items, value.parts, value.held)


def defaults_of(arguments: ast.arguments, function: FunctionType | None) -> dict[str, Any]:
    """A function's defaults by parameter name: objects of the app."""
    positional = [*arguments.posonlyargs, *arguments.args]
    values = (function.__defaults__ or ()) if function is not None else ()
    named = {a.arg: v for a, v in zip(positional[len(positional) - len(values) :], values, strict=True)}
    return named | ((function.__kwdefaults__ or {}) if function is not None else {})
