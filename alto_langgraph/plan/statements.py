"""Reads statements, in order, with branches and loops joined."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterable
from typing import Any, cast

from alto_langgraph.plan.arguments import Call
from alto_langgraph.plan.flow import Flow
from alto_langgraph.plan.made import lists
from alto_langgraph.plan.naming import Scope, key_of
from alto_langgraph.plan.values import NO_NAMES, NOTHING, PLAIN, UNKNOWN, Kind, Value, either, holding


class Statements(Flow):
    """The whole reading of a function."""

    def run(self, body: Iterable[ast.stmt]) -> None:
        """Reads statements in the current scope."""
        for statement in body:
            self.spend()
            reader = _READERS.get(type(statement))
            if reader is not None:
                reader(self, statement)
            else:
                self.flow(statement)

    def _expression(self, node: ast.Expr) -> None:
        if isinstance(node.value, ast.Call):
            self.read_call(node.value, discarded=True)
        elif isinstance(node.value, ast.Await) and isinstance(node.value.value, ast.Call):
            self.read_call(node.value.value, discarded=True)
        else:
            self.evaluate(node.value)

    def _return(self, node: ast.Return) -> None:
        self.give_back(self.evaluate(node.value) if node.value is not None else NOTHING)

    def _raise(self, node: ast.Raise) -> None:
        for part in (node.exc, node.cause):
            if part is not None:
                self.evaluate(part)

    def _assert(self, node: ast.Assert) -> None:
        self.touch(self.evaluate(node.test))
        if node.msg is not None:
            self.evaluate(node.msg)

    # assignments

    def _assign(self, node: ast.Assign) -> None:
        value = self.evaluate(node.value)
        for target in node.targets:
            self.bind(target, value)

    def _annotated(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.bind(node.target, self.evaluate(node.value))

    def bind(self, target: ast.expr, value: Value) -> None:
        """A value is assigned to a target."""
        if isinstance(target, ast.Name):
            self._bind_name(target.id, value)
        elif isinstance(target, ast.Starred):
            self.bind(target.value, holding([self.made.inside(value)]))
        elif isinstance(target, ast.Tuple | ast.List):
            self._bind_many(target.elts, value)
        elif isinstance(target, ast.Attribute | ast.Subscript):
            places, keys, names = self._change(target)
            if isinstance(target, ast.Attribute) and target.attr in ("model", "tool") and self.evaluate(target.value).kind is Kind.REQUEST:
                self.replace_by(target.attr, value)
            if names or any(place >= 0 for place in places):
                self.contain(value)  # others may look at it later
            for name in names:
                self.made.name(name, value)
            self.made.put(places, holding([value]), keys)
            self._grow_by_key(target, value)

    def _bind_name(self, name: str, value: Value) -> None:
        scope = self.scope
        if name in scope.outer:
            while scope.parent is not None and name not in scope.parent.env:
                scope = scope.parent
            if scope.parent is not None:
                self.set_name(scope.parent, name, either(scope.parent.env[name], value))
            else:
                self.contain(value)
                self.made.name(self.rebind_key(scope.cells.get(name, scope.function.__globals__), name, writes=True), value)
        else:
            self.set_name(scope, name, value)

    def _bind_many(self, targets: list[ast.expr], value: Value) -> None:
        starred = any(isinstance(t, ast.Starred) for t in targets)
        if value.items is not None and len(value.items) == len(targets) and not starred:
            for target, item in zip(targets, cast(Iterable[Value], value.items), strict=True):
                self.bind(target, item)
        else:
            item = self.items_of(value)
            for target in targets:
                self.bind(target, item)

    def _grow_by_key(self, target: ast.Attribute | ast.Subscript, value: Value) -> None:
        self.grow(target.value, [value], self.evaluate(target.slice).strings if isinstance(target, ast.Subscript) else NO_NAMES)

    def _change(self, target: ast.Attribute | ast.Subscript) -> tuple[frozenset[int], frozenset[str] | None, list[int]]:
        """Something is set, or deleted, inside an object: which it may be, under which keys, and which attributes of the app's objects."""
        keys: frozenset[str] | None = NO_NAMES
        before, self.quiet = self.quiet, True
        base = self.evaluate(target.value)
        self.quiet = before
        if isinstance(target, ast.Subscript):
            key = self.evaluate(target.slice)
            self.show(key)
            keys = key.strings
        elif base.known and base.kind is not Kind.STATE:
            for held in base.known:
                self.attribute_key(held.it, f"{held.name}.{target.attr}", target.attr, writes=True)
            return base.own, keys, [key_of(held.it, target.attr) for held in base.known]
        self.report.mutate(base.own, f"line {target.lineno}")
        return base.own, keys, []

    def _augmented(self, node: ast.AugAssign) -> None:
        value = self.evaluate(node.value)
        if isinstance(node.target, ast.Name):
            before = self._unread(node.target.id)
            if before.kind is not Kind.PLAIN:
                self.report.mutate(before.own, f"`{node.target.id}` {_sign(node.op)}=")
            self.contain(*(v for v in (value,) if v.own != before.own))
            keys = self.made.keys(value)
            self.made.put(lists(before.own), holding([self.made.inside(value)]), keys)
            self.made.put(before.own - lists(before.own), holding([self.made.inside(value)]), keys)
            self._bind_name(node.target.id, before if before.own else self._sum(before, value))
            return
        self._change(cast(Any, node.target))
        quiet, self.quiet = self.quiet, True
        item = self.evaluate(node.target)
        self.quiet = quiet
        if item.kind is not Kind.PLAIN:
            self.report.mutate(item.own, f"line {node.lineno}")
        self.contain(value)
        self.made.put(item.own, holding([self.made.inside(value)]), None)
        self.grow(node.target, [value])

    def _unread(self, name: str) -> Value:
        """What a name stands for, without counting that as looking at it: `n += 1` only adds to `n`."""
        if name not in self.scope.outer:
            return self.load(name)
        scope = self.scope.parent
        while scope is not None:
            if name in scope.env:
                return scope.env[name]
            scope = scope.parent
        return self.load(name)

    def _sum(self, before: Value, value: Value) -> Value:
        if before.kind is Kind.PLAIN and value.kind is Kind.PLAIN:
            return PLAIN
        return either(before, self.sum_of(before, value))

    def _delete(self, node: ast.Delete) -> None:
        for target in node.targets:
            if isinstance(target, ast.Attribute | ast.Subscript):
                self.evaluate(target)  # what isn't there can't be deleted
                self._change(target)

    def _outer(self, node: ast.Global | ast.Nonlocal) -> None:
        self.scope.outer.update(node.names)

    # definitions

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        value = Value(kind=Kind.PLAIN, functions=(self.local(node),))
        for decorator in reversed(node.decorator_list):
            value = either(value, self.call(self.evaluate(decorator), Call((value,)), "decorator"))
        self._bind_name(node.name, value)

    def _class(self, node: ast.ClassDef) -> None:
        for part in (*node.decorator_list, *node.bases, *(keyword.value for keyword in node.keywords)):
            self.contain(self.evaluate(part))
        outside, self.scope = self.scope, Scope(self.scope.function, {}, self.scope)
        try:
            self.run(node.body)
            inside = list(self.scope.env.values())
        finally:
            self.scope = outside
        for value in inside:
            for function in value.functions:
                self.call(Value(functions=(function,)), Call(spread=UNKNOWN), node.name)
        whole = holding(inside)
        self._bind_name(node.name, whole._replace(own=whole.inner))

    def _import(self, node: ast.Import | ast.ImportFrom) -> None:
        for alias in node.names:
            name = alias.asname or alias.name.partition(".")[0]
            found: Any = None
            if isinstance(node, ast.Import):
                found = sys.modules.get(alias.name if alias.asname else name)
            elif (module := sys.modules.get(self._module(node))) is not None:
                found = vars(module).get(alias.name) or sys.modules.get(f"{module.__name__}.{alias.name}")
            if found is None and alias.name == "interrupt":
                self.report.pauses = True
            self._bind_name(name, self.of_object(found, name) if found is not None else UNKNOWN)

    def _module(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        package = str(self.scope.function.__globals__.get("__package__") or "").split(".")
        return ".".join([*package[: len(package) - node.level + 1], *([node.module] if node.module else [])])


def _sign(operator: ast.operator) -> str:
    return {ast.Add: "+", ast.BitOr: "|", ast.Sub: "-"}.get(type(operator), "…")


_READERS: dict[type, Callable[[Any, Any], None]] = {
    ast.Expr: Statements._expression,
    ast.Return: Statements._return,
    ast.Raise: Statements._raise,
    ast.Assert: Statements._assert,
    ast.Assign: Statements._assign,
    ast.AnnAssign: Statements._annotated,
    ast.AugAssign: Statements._augmented,
    ast.Delete: Statements._delete,
    ast.Global: Statements._outer,
    ast.Nonlocal: Statements._outer,
    ast.FunctionDef: Statements._function,
    ast.AsyncFunctionDef: Statements._function,
    ast.ClassDef: Statements._class,
    ast.Import: Statements._import,
    ast.ImportFrom: Statements._import,
}
