"""Follows calls into the app's own functions. What a function touches when called with certain arguments is found out once."""

from __future__ import annotations

import ast
from types import FunctionType
from typing import Any

from alto_langgraph.plan import marks
from alto_langgraph.plan.arguments import Call, defaults_of
from alto_langgraph.plan.bytecode import read_code
from alto_langgraph.plan.declared import member
from alto_langgraph.plan.made import Made
from alto_langgraph.plan.naming import Scope
from alto_langgraph.plan.origin import FRAMEWORKS, is_library, is_user_code, module, package
from alto_langgraph.plan.reading import Reading
from alto_langgraph.plan.report import Report
from alto_langgraph.plan.sharing import Summary, hides, shared, shows, shows_text
from alto_langgraph.plan.source import Tree, tree_of
from alto_langgraph.plan.values import UNKNOWN, Kind, Local, Value, any_of, either, holding

_DEEPEST = 6
"""How often a function inside another may be on the way to itself, each time with other arguments."""


class Following(Reading):
    """Reading of the app's own functions when they are called."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        apart = is_library(self.home) or package(self.home) in FRAMEWORKS
        self._from = module(self.home) if apart else package(self.home)
        self._results: dict[Any, Summary] = {}
        self._stack: list[Any] = []
        self._lowest = 0
        self._open: list[tuple[Tree, Any]] = []
        self.peeked = False

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
        for texts in (False, True) if not self.made.leaked else ():
            like = shared(call, self.made, texts=texts)
            if like is None:
                break
            found = self._find(function, tree, like.call, self.session.summaries, Made())
            if found is None:
                return self.derived(call.values)
            if texts or not found.peeked:
                return self._told(found._replace(value=like.value(found.value), puts=tuple(map(like.put, found.puts))), call)
        found = self._find(function, tree, call, self._results, self.made)
        return self._told(found, call) if found is not None else self.derived(call.values)

    def _told(self, summary: Summary, call: Call) -> Value:
        self.peeked |= summary.peeked and any(map(shows_text, call.values))
        self.report.merge(summary.report)
        for put in summary.puts:
            self.made.again(put)
        return summary.value

    def _find(self, function: FunctionType, tree: Tree, call: Call, kept: dict[Any, Summary], made: Made) -> Summary | None:
        """What a call comes to, as kept or read anew; None if the function is just being read, on its way to itself.

        Args:
            function: What is called.
            tree: Its syntax tree.
            call: The arguments.
            kept: Where to look first.
            made: What was put where before; empty if that doesn't matter to the call.
        """
        marked = (function, self._from, made.version, *call.marks())
        summary = kept.get(marked)
        if summary is not None:
            return summary
        if marked in self._stack:
            self._lowest = min(self._lowest, self._stack.index(marked))
            return None
        place, start = len(self._stack), len(made.log)
        outside = self.report, self.made, self._lowest, self.peeked
        self.report, self.made, self._lowest, self.peeked = Report(), made, place, False
        self._stack.append(marked)
        try:
            value = self.read(tree, Scope(function, {}, tree=tree), call, function)
            puts = tuple(made.log[start:])
            summary = Summary(value, self.report, puts, self.peeked or shows(value, self.report, puts))
            if self._lowest >= place:  # else it is on the way to itself from further out, and what that finds is still missing here
                kept[marked] = summary
            return summary
        finally:
            self._stack.pop()
            lowest = self._lowest
            self.report, self.made, self._lowest, self.peeked = outside
            self._lowest = min(lowest, self._lowest)

    def peek(self, names: frozenset[str] | None) -> frozenset[str] | None:
        """Names whose letters make a difference now."""
        self.peeked |= hides(names)
        return names

    def member_hint(self, base: Value, names: frozenset[str] | None) -> Any:
        """The declared type of what a value has under a name; None if that isn't known."""
        if base.hint is None or base.hint is dict or not names or len(names) > 1:
            return None
        self.peek(names)
        return member(base.hint, next(iter(names)))

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
