"""Finds out what a function iterates over where it makes its Sends, so that a fragment goes by the app's own word for it."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterable, Iterator
from functools import partial
from types import FunctionType
from typing import Any

from alto_langgraph.plan.source import tree_of

ANY = ""
"""Stands for the node of a Send that names it only as it runs."""

_ALIKE = {"enumerate", "sorted", "reversed", "list", "tuple", "set", "iter", "zip", "range", "len", "islice", "batched", "chain"}
"""Functions whose result goes by the name of what they are given."""
_SECOND = {"map", "filter"}
"""Functions that are given it second."""
_OF_ITSELF = {"values", "items", "keys", "copy"}
"""Methods whose result goes by the name of the object."""

Loop = tuple[ast.expr, ast.AST]
"""What is iterated over, and what stands for one of it."""


def iterated(functions: Iterable[Any]) -> tuple[tuple[str, str], ...]:
    """Nodes that the functions send to, each with the name of what there is one Send for. Never raises.

    Args:
        functions: Callables of one node or edge; those whose source can't be had tell nothing.

    Returns:
        Pairs without doubles, only of Sends in loops and comprehensions; `ANY` where the code doesn't tell the node.
    """
    try:
        return tuple(dict.fromkeys(pair for function in functions for pair in _of(function)))
    except Exception:
        return ()


def _of(function: Any) -> list[tuple[str, str]]:
    plain = _plain(function)
    tree = tree_of(plain) if plain is not None else None
    if plain is None or tree is None:
        return []
    reading = _Reading({**plain.__globals__, **inspect.getclosurevars(plain).nonlocals})
    for statement in tree.body if isinstance(tree.body, list) else [tree.body]:
        reading.visit(statement)
    return reading.found


def _plain(function: Any) -> FunctionType | None:
    while isinstance(function, partial):
        function = function.func
    function = inspect.unwrap(function)
    for it in (function, getattr(function, "__func__", None), getattr(type(function), "__call__", None)):
        if isinstance(it, FunctionType):
            return it
    return None


class _Reading(ast.NodeVisitor):
    """Collects the Sends of a function.

    Args:
        names: What the function finds outside itself.
    """

    def __init__(self, names: dict[str, Any]) -> None:
        self.found: list[tuple[str, str]] = []
        self._names = names
        self._loop: Loop | None = None

    def _within(self, loop: Loop | None, parts: Iterable[ast.AST]) -> None:
        outer, self._loop = self._loop, loop
        for part in parts:
            self.visit(part)
        self._loop = outer

    def visit_For(self, node: ast.For | ast.AsyncFor) -> None:
        self.visit(node.iter)
        self._within((node.iter, node.target), node.body)
        self._within(self._loop, node.orelse)

    def visit_ListComp(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp) -> None:
        for generator in node.generators:
            self.visit(generator.iter)
        innermost = node.generators[-1]
        self._within((innermost.iter, innermost.target), [node.elt])

    visit_AsyncFor = visit_For
    visit_SetComp = visit_GeneratorExp = visit_ListComp

    def visit_Call(self, node: ast.Call) -> None:
        if self._is_send(node.func) and self._loop is not None:
            for goal in self._goals(node):
                if name := _name(self._loop[0]) or _variable(self._loop[1]) or goal:
                    self.found.append((goal, name))
        match node:
            case ast.Call(func=ast.Name(id="map"), args=[ast.Lambda(args=ast.arguments(args=[one, *_]), body=body), things, *_]):
                self._within((things, one), [body])
            case _:
                self.generic_visit(node)

    def _is_send(self, function: ast.expr) -> bool:
        if isinstance(function, ast.Name):
            return getattr(self._names.get(function.id), "__qualname__", function.id) == "Send"
        return isinstance(function, ast.Attribute) and function.attr == "Send"

    def _goals(self, send: ast.Call) -> list[str]:
        given = [*send.args[:1], *(word.value for word in send.keywords if word.arg == "node")]
        return [*self._texts(given[0])] if given else [ANY]

    def _texts(self, expression: ast.expr) -> Iterator[str]:
        match expression:
            case ast.Constant(value=str(text)):
                yield text
            case ast.Name(id=name) if isinstance(known := self._names.get(name), str):
                yield known
            case ast.IfExp(body=first, orelse=second):
                yield from self._texts(first)
                yield from self._texts(second)
            case _:
                yield ANY


def _name(things: ast.expr) -> str | None:
    """The app's word for what is iterated over."""
    match things:
        case ast.Name(id=name) | ast.Attribute(attr=name) | ast.Subscript(slice=ast.Constant(value=str(name))):
            return name
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=given) if name in _ALIKE:
            return _first(given)
        case ast.Call(func=ast.Name(id=name), args=given) if name in _SECOND:
            return _first(given[1:])
        case ast.Call(func=ast.Attribute(attr="get"), args=[ast.Constant(value=str(name)), *_]):
            return name
        case ast.Call(func=ast.Attribute(value=inner, attr=name)) if name in _OF_ITSELF:
            return _name(inner)
        case ast.BoolOp(values=[*inners]):
            return _first(inners)
        case ast.BinOp(left=left, right=right):
            return _first([left, right])
        case ast.ListComp(generators=[first, *_]) | ast.GeneratorExp(generators=[first, *_]):
            return _name(first.iter)
        case ast.IfExp(body=inner) | ast.Subscript(value=inner) | ast.NamedExpr(value=inner):
            return _name(inner)
        case ast.Await(value=inner) | ast.Starred(value=inner):
            return _name(inner)
    return None


def _first(things: Iterable[ast.expr]) -> str | None:
    return next((name for thing in things if (name := _name(thing))), None)


def _variable(target: ast.AST) -> str | None:
    """What one of the things is called; a letter is no word."""
    match target:
        case ast.Name(id=name) | ast.arg(arg=name) | ast.Tuple(elts=[*_, ast.Name(id=name)]) if len(name.strip("_")) > 1:
            return name
    return None
