"""Reads statements, in order, with branches and loops joined."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterable
from typing import Any, cast

from alto_langgraph.plan.arguments import Call
from alto_langgraph.plan.expressions import Expressions, base_name
from alto_langgraph.plan.values import NO_NAMES, NOTHING, UNKNOWN, Kind, Local, Value, either, holding, names_of

_MOST_ROUNDS = 3


class Statements(Expressions):
    """The whole reading of a function."""

    def run(self, body: Iterable[ast.stmt]) -> None:
        """Reads statements in the current scope."""
        for statement in body:
            self.spend()
            reader = _READERS.get(type(statement))
            if reader is not None:
                reader(self, statement)

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
            places, keys = self._change(target)
            self.contain(*([value] if value.kind is Kind.STATE else []))
            self.made.put(places, holding([value]), keys)
            self._grow_by_key(target, value)

    def _bind_name(self, name: str, value: Value) -> None:
        if name in self.scope.outer:
            scope = self.scope
            while scope.parent is not None and name not in scope.parent.env:
                scope = scope.parent
            if scope.parent is not None:
                scope.parent.env[name] = either(scope.parent.env[name], value)
            else:
                self.rebind_key(scope.cells.get(name, scope.function.__globals__), name, writes=True)
        else:
            self.scope.env[name] = value

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
        self.grow(target.value, [value])
        name = base_name(target)
        if isinstance(target, ast.Subscript) and isinstance(target.value, ast.Name) and name in self.scope.env:
            before = self.scope.env[name]
            self.scope.env[name] = before._replace(keys=names_of(before.keys, self.evaluate(target.slice).strings))

    def _change(self, target: ast.Attribute | ast.Subscript) -> tuple[frozenset[int], frozenset[str] | None]:
        """Something is set, or deleted, inside an object: which it may be, and under which keys."""
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
            return base.own, keys
        self.report.mutate(base.own, f"line {target.lineno}")
        return base.own, keys

    def _augmented(self, node: ast.AugAssign) -> None:
        value = self.evaluate(node.value)
        if isinstance(node.target, ast.Name):
            before = self._unread(node.target.id)
            if before.kind is not Kind.PLAIN:
                self.report.mutate(before.own, f"`{node.target.id}` {_sign(node.op)}=")
            self.contain(*(v for v in (value,) if v.own != before.own))
            self.made.put(
                before.own, holding([self.made.inside(value)]), self.made.keys(value) if isinstance(node.op, ast.BitOr) else NO_NAMES
            )
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
            return Value(kind=Kind.PLAIN, strings=names_of(before.strings, value.strings))
        return either(before, holding([self.made.inside(value)]))._replace(keys=names_of(before.keys, value.keys))

    def _delete(self, node: ast.Delete) -> None:
        for target in node.targets:
            if isinstance(target, ast.Attribute | ast.Subscript):
                self._change(target)

    def _outer(self, node: ast.Global | ast.Nonlocal) -> None:
        self.scope.outer.update(node.names)

    # flow

    def _branches(self, *bodies: Iterable[ast.stmt]) -> None:
        before, after = self.scope.env, []
        for body in bodies:
            self.scope.env = dict(before)
            self.run(body)
            after.append(self.scope.env)
        self.scope.env = _joined(after)

    def _if(self, node: ast.If) -> None:
        self.touch(self.evaluate(node.test))
        self._branches(node.body, node.orelse)

    def _repeat(self, node: ast.For | ast.AsyncFor | ast.While) -> None:
        for _ in range(_MOST_ROUNDS):
            before = self.scope.env
            if isinstance(node, ast.While):
                self.touch(self.evaluate(node.test))
            else:
                self.bind(node.target, self.items_of(self.evaluate(node.iter)))
            before = {name: before.get(name, value) for name, value in self.scope.env.items()}
            self._branches(node.body, ())
            if self.scope.env == before:
                break
        self.run(node.orelse)

    def _try(self, node: ast.Try) -> None:
        before = dict(self.scope.env)
        self.run(node.body)
        self.scope.env = _joined([before, self.scope.env])
        for handler in node.handlers:
            if handler.name is not None:
                self.scope.env[handler.name] = UNKNOWN
        self._branches(node.orelse, *(handler.body for handler in node.handlers))
        self.run(node.finalbody)

    def _with(self, node: ast.With | ast.AsyncWith) -> None:
        for item in node.items:
            value = self.evaluate(item.context_expr)
            if item.optional_vars is not None:
                entered = value if value.kind in (Kind.CLIENT, Kind.ANSWERING, Kind.RUNNABLE) else value._replace(keys=None, strings=None)
                self.bind(item.optional_vars, entered)
        self.run(node.body)

    def _match(self, node: ast.Match) -> None:
        subject = self.evaluate(node.subject)
        self.touch(subject)
        for case in node.cases:
            self._pattern(case.pattern, subject)
            if case.guard is not None:
                self.touch(self.evaluate(case.guard))
        self._branches((), *(case.body for case in node.cases))

    def _pattern(self, pattern: ast.pattern, subject: Value) -> None:
        if isinstance(pattern, ast.MatchMapping):
            for key, inner in zip(pattern.keys, pattern.patterns, strict=True):
                names = self.evaluate(key).strings
                whole = subject.kind is not Kind.STATE or not names
                self._pattern(inner, self.element(subject) if whole else self.state_key(subject, next(iter(names or ("",)))))
            if pattern.rest is not None:
                self.bind(ast.Name(pattern.rest), self.element(subject))
        elif isinstance(pattern, ast.MatchClass):
            for name, inner in zip(pattern.kwd_attrs, pattern.kwd_patterns, strict=True):
                self._pattern(inner, self.state_key(subject, name) if subject.kind is Kind.STATE else self.element(subject))
            for inner in pattern.patterns:
                self._pattern(inner, self.element(subject))
        elif isinstance(pattern, ast.MatchAs | ast.MatchStar):
            if isinstance(pattern, ast.MatchAs) and pattern.pattern is not None:
                self._pattern(pattern.pattern, subject)
            if pattern.name is not None:
                self.bind(ast.Name(pattern.name), subject)
        elif isinstance(pattern, ast.MatchSequence | ast.MatchOr):
            for inner in pattern.patterns:
                self._pattern(inner, self.element(subject) if isinstance(pattern, ast.MatchSequence) else subject)

    # definitions

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        local = Value(kind=Kind.PLAIN, functions=(Local(node, self.scope),))
        self.scope.env[node.name] = local
        for decorator in node.decorator_list:
            self.run_callbacks([self.evaluate(decorator)], NOTHING)
            self.call_local(local.functions[0], Call(spread=UNKNOWN))

    def _class(self, node: ast.ClassDef) -> None:
        self.scope.env[node.name] = UNKNOWN
        for item in node.body:
            if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef):
                self.call_local(Local(item, self.scope), Call(spread=UNKNOWN))

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


def _joined(envs: list[dict[str, Value]]) -> dict[str, Value]:
    out = dict(envs[0])
    for env in envs[1:]:
        for name, value in env.items():
            known = out.get(name)
            out[name] = value if known is None else either(known, value)
    return out


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
    ast.If: Statements._if,
    ast.For: Statements._repeat,
    ast.AsyncFor: Statements._repeat,
    ast.While: Statements._repeat,
    ast.Try: Statements._try,
    ast.With: Statements._with,
    ast.AsyncWith: Statements._with,
    ast.Match: Statements._match,
    ast.FunctionDef: Statements._function,
    ast.AsyncFunctionDef: Statements._function,
    ast.ClassDef: Statements._class,
    ast.Import: Statements._import,
    ast.ImportFrom: Statements._import,
}
if hasattr(ast, "TryStar"):  # Python 3.11
    _READERS[ast.TryStar] = Statements._try
