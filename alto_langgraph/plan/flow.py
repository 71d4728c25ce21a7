"""Reads statements that steer: branches and loops are joined, so that a name stands for whatever it may have been set to."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from alto_langgraph.plan.expressions import Expressions
from alto_langgraph.plan.reading import TooLargeError
from alto_langgraph.plan.values import UNKNOWN, Kind, Value, either

_MOST_ROUNDS = 12
"""How often the body of a loop is read, until its names stand for nothing new."""


class Flow(Expressions):
    """Reading of statements that hold statements."""

    def flow(self, statement: ast.stmt) -> None:
        """Reads one such statement; any other tells nothing."""
        reader = _READERS.get(type(statement))
        if reader is not None:
            reader(self, statement)

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
        outside, self.scope.jumps = self.scope.jumps, []
        last: dict[str, Value] | None = None  # what names stood for at the end of the round before
        for _ in range(_MOST_ROUNDS):
            before = self.scope.env
            if isinstance(node, ast.While):
                self.touch(self.evaluate(node.test))
            else:
                self.bind(node.target, self.items_of(self.evaluate(node.iter)))
            before = {name: before.get(name, value) for name, value in self.scope.env.items()}
            version = self.made.version
            self._branches(node.body, ())
            self.scope.env = _joined([self.scope.env, *self.scope.jumps])
            if self.scope.env in (before, last) and self.made.version == version:
                break
            last = dict(self.scope.env)
        else:
            raise TooLargeError
        self.scope.jumps = outside
        self.run(node.orelse)

    def _jump(self, node: ast.Break | ast.Continue) -> None:
        self.scope.jumps.append(dict(self.scope.env))

    def _breakable(self, body: Iterable[ast.stmt]) -> None:
        """Reads statements after any of which what follows them may go on."""
        before, seen = dict(self.scope.env), dict[str, Value]()
        self.scope.tried.append(seen)
        self.run(body)
        self.scope.tried.pop()
        self.scope.env = _joined([before, seen, self.scope.env])

    def _try(self, node: ast.Try) -> None:
        self._breakable(node.body)
        before = self.scope.env
        envs = []
        for handler in node.handlers:
            self.scope.env = dict(before)
            if handler.name is not None:
                self.scope.env[handler.name] = UNKNOWN
            if handler.type is not None:
                self.evaluate(handler.type)
            self._breakable(handler.body)
            envs.append(self.scope.env)
        self.scope.env = before
        self._breakable(node.orelse)
        self.scope.env = _joined([self.scope.env, *envs])
        self.run(node.finalbody)

    def _with(self, node: ast.With | ast.AsyncWith) -> None:
        for item in node.items:
            value = self.evaluate(item.context_expr)
            self.touch(*() if value.kind is Kind.STATE else (value,))
            if item.optional_vars is not None:
                known = value.kind in (Kind.CLIENT, Kind.ANSWERING, Kind.RUNNABLE)
                self.bind(item.optional_vars, value if known else self._entered(value))
        self._breakable(node.body)  # what is entered may swallow an exception

    def _entered(self, value: Value) -> Value:
        """What `with` binds: what it is given, or anything in that."""
        whole = value.kind is Kind.STATE
        return value._replace(own=value.own if whole else self.made.reach(value), keys=None, strings=None, held=None, items=None)

    def _match(self, node: ast.Match) -> None:
        subject = self.evaluate(node.subject)
        before = dict(self.scope.env)
        envs = [before]
        for case in node.cases:
            self.scope.env = dict(before)
            self._pattern(case.pattern, subject)
            if case.guard is not None:
                self.touch(self.evaluate(case.guard))
                before = _joined([before, self.scope.env])
            self.run(case.body)
            envs.append(self.scope.env)
        self.scope.env = _joined(envs)

    def _pattern(self, pattern: ast.pattern, subject: Value) -> None:
        if isinstance(pattern, ast.MatchMapping):
            for key, inner in zip(pattern.keys, pattern.patterns, strict=True):
                self._pattern(inner, self.item(subject, self.evaluate(key)))
            if pattern.rest is not None:
                self.bind(ast.Name(pattern.rest), self.element(subject))
        elif isinstance(pattern, ast.MatchClass):
            for name, inner in zip(pattern.kwd_attrs, pattern.kwd_patterns, strict=True):
                self._pattern(inner, self.attribute(subject, name))
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
        else:
            self.touch(subject)


def _joined(envs: list[dict[str, Value]]) -> dict[str, Value]:
    out = dict(envs[0])
    for env in envs[1:]:
        for name, value in env.items():
            known = out.get(name)
            out[name] = value if known is None else either(known, value)
    return out


_READERS: Mapping[type, Callable[[Any, Any], None]] = {
    ast.If: Flow._if,
    ast.For: Flow._repeat,
    ast.AsyncFor: Flow._repeat,
    ast.While: Flow._repeat,
    ast.Break: Flow._jump,
    ast.Continue: Flow._jump,
    ast.Try: Flow._try,
    ast.TryStar: Flow._try,
    ast.With: Flow._with,
    ast.AsyncWith: Flow._with,
    ast.Match: Flow._match,
}
