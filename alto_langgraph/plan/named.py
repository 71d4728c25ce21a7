"""Tells functions that use the state by its keys alone, so that watching which keys they name shows all that they read of it.

A dict can be looked at past its own methods by whatever is written in C, so one use that isn't written out here rules a function out.
"""

from __future__ import annotations

import ast
import builtins
from functools import partial
from types import FunctionType, MethodType
from typing import Any

from alto_langgraph.plan.origin import is_user_code
from alto_langgraph.plan.source import Tree, source_of, tree_of

_DEEPEST = 8
"""How many functions deep the state is followed."""

_EAGER = frozenset({"all", "any", "dict", "frozenset", "list", "max", "min", "set", "sorted", "sum", "tuple"})
"""Builtins that are done with the generator they are given when they return."""
_SORTING = frozenset({"max", "min", "sorted"})
"""Those that take a `key`."""

_TELLING = frozenset({
    "__builtins__", "__closure__", "_getframe", "ag_frame", "breakpoint", "cell_contents", "cr_frame", "dir", "eval", "exc_info", "exec",
    "f_back", "f_locals", "gc", "gi_frame", "inspect", "locals", "setprofile", "settrace", "tb_frame", "vars",
})  # fmt: skip
"""Words by which code gets at local names, or at what closures hold, without writing their names."""


def by_keys(function: Any) -> bool:
    """Whether all that a callable does with its first argument is `state[x]`, `state.get(x)` and `x in state`, and some `x` isn't constant.

    It may hand the state on to functions of the app that do no more. What it does is done when it returns.

    Args:
        function: A plain function, a method of an object, or one of these with keyword arguments bound.
    """
    taken: frozenset[str] = frozenset()
    if isinstance(function, partial):
        if function.args:
            return False
        function, taken = function.func, frozenset(function.keywords)
    place = int(isinstance(function, MethodType))
    plain: Any = function.__func__ if isinstance(function, MethodType) else function
    uses = _uses(plain, place, plain, ())
    return uses is not None and True in uses and plain.__code__.co_varnames[place] not in taken


def _uses(function: Any, place: int, home: Any, open_: tuple[Any, ...]) -> list[bool] | None:
    """For each use of the parameter at `place` whether its key is made by running code; None if one is of another kind."""
    if not isinstance(function, FunctionType) or hasattr(function, "__wrapped__") or len(open_) > _DEEPEST:
        return None
    if (function, place) in open_:  # on the way to itself
        return []
    if not is_user_code(function, home, function.__code__):
        return None
    tree = tree_of(function)
    if tree is None or place >= len(tree.args.posonlyargs) + len(tree.args.args):
        return None
    return _Uses(function, tree, home, (*open_, (function, place))).of([*tree.args.posonlyargs, *tree.args.args][place])


class _Uses:
    """The uses of one parameter in the body of one function."""

    def __init__(self, function: FunctionType, tree: Tree, home: Any, open_: tuple[Any, ...]) -> None:
        self.function, self.tree, self.home, self.open = function, tree, home, open_
        self.nodes = [node for part in _body(tree) for node in ast.walk(part)]
        self.above = {child: node for node in (tree, *self.nodes) for child in ast.iter_child_nodes(node)}

    def of(self, parameter: ast.arg) -> list[bool] | None:
        """For each use of `parameter` whether its key is made by running code; None if one is of another kind."""
        others = [a for a in ast.walk(self.tree.args) if isinstance(a, ast.arg) and a is not parameter]
        if any(a.arg == parameter.arg for a in others) or any(self._forbidden(node, parameter.arg) for node in self.nodes):
            return None
        found: list[bool] = []
        for node in self.nodes:
            if isinstance(node, ast.Name) and node.id == parameter.arg:
                uses = self._use(node)
                if uses is None or not self._in_time(node):
                    return None
                found += uses
        return found

    def _forbidden(self, node: ast.AST, name: str) -> bool:
        """Whether it binds the name anew, gives up control with work left to do, or gets at names without writing them."""
        if isinstance(node, ast.Yield | ast.YieldFrom):
            return True
        if isinstance(node, ast.Name):
            return (node.id == name and not isinstance(node.ctx, ast.Load)) or node.id in _TELLING
        if isinstance(node, ast.Attribute):
            return node.attr in _TELLING
        if isinstance(node, ast.Constant):
            return isinstance(node.value, str) and node.value in _TELLING
        words = [word for _, value in ast.iter_fields(node) for word in (value if isinstance(value, list) else [value])]
        texts = [word for word in words if isinstance(word, str)]
        return not isinstance(node, ast.keyword) and any(text == name or text.partition(".")[0] in _TELLING for text in texts)

    def _use(self, name: ast.Name) -> list[bool] | None:
        above = self.above[name]
        match above:
            case ast.Subscript(value=value, slice=key, ctx=ast.Load()) if value is name:
                return None if isinstance(key, ast.Slice | ast.Tuple) else [not isinstance(key, ast.Constant)]
            case ast.Compare(left=left, ops=[ast.In() | ast.NotIn()], comparators=[_]) if left is not name:
                return [not isinstance(left, ast.Constant)]
            case ast.Attribute(attr="get"):
                return self._got(above)
            case ast.Call() | ast.keyword():
                return self._handed_on(name, above)
        return None

    def _got(self, method: ast.Attribute) -> list[bool] | None:
        match self.above[method]:
            case ast.Call(func=func, args=[key, *rest], keywords=[]) if func is method and len(rest) < 2:
                starred = any(isinstance(item, ast.Starred) for item in (key, *rest))
                return None if starred else [not isinstance(key, ast.Constant)]
        return None

    def _handed_on(self, name: ast.Name, above: ast.Call | ast.keyword) -> list[bool] | None:
        """What a function of the app that is called with the state by its own name does with it."""
        call = self.above[above] if isinstance(above, ast.keyword) else above
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
            return None
        function = self._global(call.func.id)
        if not isinstance(function, FunctionType) or any(isinstance(item, ast.Starred) for item in call.args):
            return None
        if function.__code__.co_flags & _COROUTINE and not isinstance(self.above[call], ast.Await):
            return None  # it would run later
        parameters = function.__code__.co_varnames[: function.__code__.co_argcount]
        given = above.arg if isinstance(above, ast.keyword) else None
        if isinstance(above, ast.keyword):
            return _uses(function, parameters.index(given), self.home, self.open) if given in parameters else None
        place = next(i for i, item in enumerate(call.args) if item is name)
        return _uses(function, place, self.home, self.open) if place < len(parameters) else None

    def _global(self, name: str) -> Any:
        """What a name that no code rebinds stands for; None if it is a local, or rebound somewhere."""
        code, source = self.function.__code__, source_of(self.function)
        if name in (*code.co_varnames, *code.co_cellvars) or source is None or name in source.rebound:
            return None
        if any(isinstance(node, ast.Name) and node.id == name and not isinstance(node.ctx, ast.Load) for node in self.nodes):
            return None
        if name in code.co_freevars:
            cell = (self.function.__closure__ or ())[code.co_freevars.index(name)]
            return next(iter(_content(cell)), None)
        return self.function.__globals__.get(name, getattr(builtins, name, None))

    def _in_time(self, node: ast.AST) -> bool:
        """Whether all code that a use stands in has run when the function returns: no part of it is left for later."""
        while node is not self.tree:
            inner, node = node, self.above[node]
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef) and node is not self.tree:
                if not (isinstance(node, ast.Lambda) and inner is node.body and self._sorts(node)):
                    return False
            elif isinstance(node, ast.GeneratorExp) and not self._used_up(node):
                return False
        return True

    def _sorts(self, function: ast.Lambda) -> bool:
        keyword = self.above[function]
        return isinstance(keyword, ast.keyword) and keyword.arg == "key" and self._calls(self.above[keyword], _SORTING)

    def _used_up(self, generator: ast.GeneratorExp) -> bool:
        above = self.above[generator]
        if isinstance(above, ast.Starred):
            return True
        return isinstance(above, ast.Call) and above.args[:1] == [generator] and (self._calls(above, _EAGER) or _joins(above))

    def _calls(self, call: ast.AST, names: frozenset[str]) -> bool:
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name) or call.func.id not in names:
            return False
        return self._global(call.func.id) is getattr(builtins, call.func.id)


_COROUTINE = 0x80
"""The flag of code that only makes a coroutine when it is called (`inspect.CO_COROUTINE`)."""


def _joins(call: ast.Call) -> bool:
    """Whether it is `"...".join(...)`."""
    func = call.func
    return (
        isinstance(func, ast.Attribute) and func.attr == "join" and isinstance(func.value, ast.Constant) and type(func.value.value) is str
    )


def _content(cell: Any) -> list[Any]:
    try:
        return [cell.cell_contents]
    except ValueError:
        return []


def _body(tree: Tree) -> list[ast.AST]:
    return [tree.body] if isinstance(tree, ast.Lambda) else [*tree.body]
