"""Follows calls into the app's own functions. What a function touches when called with certain arguments is found out once."""

from __future__ import annotations

import ast
from types import FunctionType
from typing import Any

from alto_langgraph.plan import marks
from alto_langgraph.plan.arguments import Call, defaults_of
from alto_langgraph.plan.bytecode import read_code
from alto_langgraph.plan.naming import Scope
from alto_langgraph.plan.origin import FRAMEWORKS, is_library, is_user_code, package
from alto_langgraph.plan.reading import Reading
from alto_langgraph.plan.report import Report
from alto_langgraph.plan.session import Summary
from alto_langgraph.plan.source import Tree, tree_of
from alto_langgraph.plan.values import UNKNOWN, Bound, Kind, Local, Value, any_of, either, holding

_DEEPEST = 6
"""How often a function inside another may be on the way to itself, each time with other arguments."""


class Following(Reading):
    """Reading of the app's own functions when they are called."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        apart = is_library(self.home) or package(self.home) in FRAMEWORKS
        self._from = self.home.__module__ if apart else package(self.home)
        self._results: dict[Any, Summary] = {}
        self._stack: list[Any] = []
        self._lowest = 0
        self._open: list[tuple[Tree, Any]] = []

    def call_library(self, function: FunctionType, call: Call, name: str) -> Value:
        """A call of a library's function."""
        raise NotImplementedError

    def unknown(self, call: Call, name: str, target: Value | None = None) -> Value:
        """A call of something that can't be read."""
        raise NotImplementedError

    def call_function(self, function: FunctionType, call: Call, name: str) -> Value:
        """A call of a plain function."""
        if marks.pauses(function) or marks.gives_store(function):
            self.show(*call.values)
            return UNKNOWN
        if not is_user_code(function, self.home, function.__code__):
            return self.call_library(function, call, name)
        tree = tree_of(function)
        if tree is None:
            self.report.absorb(read_code(function, self.describe), name, self.derived(call.values).own)
            return self.unknown(call, name)
        marked = (function, self._from, *call.marks())
        alone = not self.made.leaked and all(map(_is_portable, call.values))
        summary = self.session.summaries.get(marked) if alone else None
        summary = summary or self._results.get((marked, self.made.version))
        if summary is not None:
            self.report.merge(summary.report)
            for put in summary.puts:
                self.made.again(put)
            return summary.value
        if marked in self._stack:
            self._lowest = min(self._lowest, self._stack.index(marked))
            return self.derived(call.values)
        return self._call_anew(function, tree, call, marked, alone)

    def _call_anew(self, function: FunctionType, tree: Tree, call: Call, marked: Any, alone: bool) -> Value:
        place, start, version = len(self._stack), len(self.made.log), self.made.version
        outer, self.report = self.report, Report()
        lowest, self._lowest = self._lowest, place
        self._stack.append(marked)
        try:
            value = self.read(tree, Scope(function, {}, tree=tree), call, function)
        finally:
            self._stack.pop()
            found, self.report = self.report, outer
            outer.merge(found)
        if self._lowest >= place:  # else it is on the way to itself from further out, and what that finds is still missing here
            summary = Summary(value, found, tuple(self.made.log[start:]))
            self._results[marked, version] = summary
            if alone and not _has_locals(value):
                self.session.summaries[marked] = summary
        self._lowest = min(lowest, self._lowest)
        return value

    def local(self, tree: Tree) -> Local:
        """A function defined in the current scope."""
        known = self.scope.locals.get(tree)
        if known is None:
            self.scope.locals[tree] = known = Local(tree, self.scope, {})
        arguments = tree.args
        positional = [*arguments.posonlyargs, *arguments.args]
        last = zip(positional[len(positional) - len(arguments.defaults) :], arguments.defaults, strict=True)
        named = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
        for parameter, default in (*last, *named):
            if default is not None:
                value, before = self.evaluate(default), known.defaults.get(parameter.arg)
                known.defaults[parameter.arg] = value if before is None else either(before, value)
        return known

    def call_local(self, local: Local, call: Call) -> Value:
        """A call of a function defined inside the one that is read."""
        marked = (local.tree, (id(local.scope), *call.marks()))
        if marked in self._open:
            return self.derived(call.values)
        if sum(tree is local.tree for tree, _ in self._open) >= _DEEPEST:
            self.escape(call.values, "a function that calls itself")
            return self.derived(call.values)
        self._open.append(marked)
        try:
            return self.read(local.tree, Scope(local.scope.function, {}, local.scope, local.tree), call, None, local.defaults)
        finally:
            self._open.pop()

    def read(self, tree: Tree, scope: Scope, call: Call, function: FunctionType | None, defaults: dict[str, Value] | None = None) -> Value:
        """Reads a function's body with its arguments bound, and tells what it may return."""
        outside, self.scope = self.scope, scope
        quiet, self.quiet = self.quiet, False
        try:
            self._bind(tree.args, call, defaults if defaults is not None else defaults_of(tree.args, function))
            if isinstance(tree, ast.Lambda):
                return self.evaluate(tree.body)
            self.run(tree.body)
            return any_of(scope.returns)
        finally:
            self.scope, self.quiet = outside, quiet

    def _bind(self, arguments: ast.arguments, call: Call, defaults: dict[str, Any]) -> None:
        env, given, named = self.scope.env, list(call.args), dict(call.keywords)
        positional = [*arguments.posonlyargs, *arguments.args]
        for number, parameter in enumerate((*positional, *arguments.kwonlyargs)):
            name = parameter.arg
            if given and number < len(positional):
                env[name] = given.pop(0)
            elif name in named:
                env[name] = named.pop(name)
            else:
                env[name] = self._unbound(name, defaults, call)
        if arguments.vararg is not None:
            rest = [*given, *([call.spread] if call.spread is not None else [])]
            bound = holding(rest)
            env[arguments.vararg.arg] = bound if call.spread is not None else bound._replace(items=tuple(given))
        if arguments.kwarg is not None:
            rest = [*named.values(), *([call.spread] if call.spread is not None else [])]
            env[arguments.kwarg.arg] = holding(rest)._replace(hint=dict, keys=frozenset(named) if call.spread is None else None)

    def _unbound(self, name: str, defaults: dict[str, Any], call: Call) -> Value:
        value = self.injected(name)
        if value is None and name in defaults:
            default = defaults[name]
            value = default if isinstance(default, Value) else self.of_object(default, name)
        if value is None:
            value = call.spread if call.spread is not None else UNKNOWN
        return value if call.spread is None else either(value, call.spread)

    def run_callbacks(self, values: tuple[Value, ...], *more: Value) -> None:
        """Reads functions that are handed to someone who may call them, with whatever else was handed over."""
        functions = self.callbacks(values)
        if functions:
            given = any_of((*values, *more))
            item = self.derived([given])._replace(kind=given.kind if given.kind is Kind.STATE else Kind.ANY)
            for function in functions:
                self.call(function, Call(spread=item), "callback")

    def call(self, target: Value, call: Call, name: str) -> Value:
        """What calling `target` may return; reports what it touches."""
        raise NotImplementedError


def _is_portable(value: Value) -> bool:
    """Whether what a function does with a value doesn't depend on what was read before."""
    return not _has_locals(value) and all(key >= 0 for key in value.own) and all(key >= 0 for key in value.inner)


def _has_locals(value: Value) -> bool:
    return bool(value.functions) or any(isinstance(part, Local | Bound) for part in value.parts)
