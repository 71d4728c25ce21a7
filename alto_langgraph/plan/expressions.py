"""Reads expressions."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from typing import Any, cast

from alto_langgraph.plan.arguments import Call
from alto_langgraph.plan.attributes import Attributes
from alto_langgraph.plan.known import MUTATING_METHODS, WRITE_ONLY_METHODS
from alto_langgraph.plan.values import (
    CONFIGS,
    NO_NAMES,
    NO_TEXT,
    NOTHING,
    PLAIN,
    UNKNOWN,
    Kind,
    Value,
    any_of,
    either,
    holding,
    names_of,
    text,
)

_COMPOSED = frozenset({Kind.ANSWERING, Kind.RUNNABLE})


def _text(node: ast.expr) -> str:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{_text(node.value)}.{node.attr}"
    return "..."


def base_name(node: ast.expr) -> str | None:
    """The local at the bottom of `name.a[b].c`."""
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Await | ast.Call):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else None


def _walruses(node: ast.expr) -> frozenset[str]:
    """Names that `:=` sets inside a comprehension, for outside."""
    known: frozenset[str] | None = getattr(node, "alto_walruses", None)
    if known is None:
        known = frozenset(n.target.id for n in ast.walk(node) if isinstance(n, ast.NamedExpr) and isinstance(n.target, ast.Name))
        node.alto_walruses = known  # type: ignore[attr-defined]
    return known


class Expressions(Attributes):
    """Reading of expressions; statements come on top."""

    def evaluate(self, node: ast.expr) -> Value:
        """What an expression may be; reports what evaluating it touches."""
        self.spend()
        return _READERS[type(node)](self, node) if type(node) in _READERS else self._other(node)

    def _other(self, node: ast.expr) -> Value:
        values = [self.evaluate(child) for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr)]
        self.show(*values)
        return self.derived(values)

    def _constant(self, node: ast.Constant) -> Value:
        if isinstance(node.value, str):
            self.word(node.value)
            return text(node.value)
        return NOTHING if node.value is None else NO_TEXT

    def _name(self, node: ast.Name) -> Value:
        return self.load(node.id)

    def _await(self, node: ast.Await | ast.Starred) -> Value:
        return self.evaluate(node.value)

    def _yield(self, node: ast.Yield) -> Value:
        if node.value is not None:
            self.give_back(self.evaluate(node.value))
        return UNKNOWN

    def _yield_from(self, node: ast.YieldFrom) -> Value:
        whole = self.evaluate(node.value)
        self.give_back(either(whole, self.items_of(whole)))  # of a generator that is read the value is what it yields
        return UNKNOWN

    def give_back(self, value: Value) -> None:
        """The function returns a value."""
        self.scope.returns.append(value)

    # attributes and items

    def _attribute(self, node: ast.Attribute) -> Value:
        return self.attribute(self.evaluate(node.value), node.attr)

    def _subscript(self, node: ast.Subscript) -> Value:
        base, key = self.evaluate(node.value), self.evaluate(node.slice)
        self.show(key)
        if isinstance(node.slice, ast.Slice) and base.kind is not Kind.STATE:
            self.touch(base)
            part = None if base.strings != NO_NAMES else NO_NAMES
            return base._replace(own=frozenset(), inner=self.made.reach(base), known=(), items=None, strings=part)
        if base.items is not None and isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, int):
            return cast(Value, base.items[node.slice.value]) if -len(base.items) <= node.slice.value < len(base.items) else UNKNOWN
        return self.item(base, key)

    def _slice(self, node: ast.Slice) -> Value:
        self.show(*(self.evaluate(part) for part in (node.lower, node.upper, node.step) if part is not None))
        return PLAIN

    # displays

    def _display(self, node: ast.List | ast.Tuple | ast.Set) -> Value:
        values = [self._spread_item(item) for item in node.elts]
        out = holding(values)
        keys: frozenset[str] | None = NO_NAMES
        for value in values:
            keys = names_of(keys, self.made.keys(value))
        starred = any(isinstance(item, ast.Starred) for item in node.elts)
        own = self.made.new(node).union(*(v.own for v in values if v.keys is not None and v.hint in (None, dict)))
        items = tuple(values) if isinstance(node, ast.Tuple) and not starred else None
        return out._replace(own=frozenset(k for k in own if k < 0), keys=keys, items=items)

    def _spread_item(self, item: ast.expr) -> Value:
        if not isinstance(item, ast.Starred):
            return self.evaluate(item)
        whole = self.evaluate(item.value)
        return self.items_of(whole)._replace(keys=self.made.keys(whole))

    def _dict(self, node: ast.Dict) -> Value:
        keys: frozenset[str] | None = NO_NAMES
        values = []
        for key, item in zip(node.keys, node.values, strict=True):
            value = self.evaluate(item)
            if key is None:
                self.touch(value)
                keys = names_of(keys, self.made.keys(value))
            else:
                keys = names_of(keys, self.evaluate(key).strings)
            values.append(value)
        return holding(values)._replace(own=self.made.new(node, mapping=True), keys=keys, hint=dict)

    def _comprehension(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp) -> Value:
        before = self.scope.env
        self.scope.env = env = dict(before)
        for generator in node.generators:
            self.bind(generator.target, self.items_of(self.evaluate(generator.iter)))
            for condition in generator.ifs:
                self.touch(self.evaluate(condition))
        parts = (node.key, node.value) if isinstance(node, ast.DictComp) else (node.elt,)
        values = [self.evaluate(part) for part in parts]
        self.scope.env = before
        for name in _walruses(node):
            if name in env:
                self.scope.env[name] = either(before[name], env[name]) if name in before else env[name]
        keys = values[0].strings if isinstance(node, ast.DictComp) else any_of(values).keys
        mapping = isinstance(node, ast.DictComp)
        return holding(values)._replace(own=self.made.new(node, mapping=mapping), keys=keys, hint=dict if mapping else None)

    # operators

    def _binary(self, node: ast.BinOp) -> Value:
        left, right = self.evaluate(node.left), self.evaluate(node.right)
        if isinstance(node.op, ast.BitOr) and {left.kind, right.kind} & _COMPOSED:
            whole = holding([left, right])
            return whole._replace(kind=Kind.RUNNABLE, own=frozenset(), inner=frozenset(), strings=None)
        self.contain(left, right)
        if isinstance(node.op, ast.Mod) or (left.kind is Kind.PLAIN and right.kind is Kind.PLAIN):
            return PLAIN
        return self.sum_of(left, right)._replace(hint=left.hint if left.hint == right.hint else None)

    def _compare(self, node: ast.Compare) -> Value:
        left, rights = self.evaluate(node.left), [self.evaluate(c) for c in node.comparators]
        if len(rights) == 1 and isinstance(node.ops[0], ast.In | ast.NotIn):
            if (method := self.own_method(rights[0], "__contains__")) is not None:
                self.call_function(method, Call((rights[0], left)), "__contains__")
                return PLAIN
            if rights[0].kind is Kind.STATE and left.strings:
                for name in left.strings:
                    self.report.read_key(name)
                return PLAIN
        if not all(isinstance(op, ast.Is | ast.IsNot) for op in node.ops):
            self.contain(left, *rights)
        return PLAIN

    def _boolean(self, node: ast.BoolOp) -> Value:
        values = [self.evaluate(v) for v in node.values]
        self.touch(*values[:-1])
        return any_of(values)

    def _unary(self, node: ast.UnaryOp) -> Value:
        self.contain(self.evaluate(node.operand))
        return PLAIN

    def _conditional(self, node: ast.IfExp) -> Value:
        self.touch(self.evaluate(node.test))
        return either(self.evaluate(node.body), self.evaluate(node.orelse))

    def _formatted(self, node: ast.JoinedStr) -> Value:
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                self.show(self.evaluate(part.value))
                if part.format_spec is not None:
                    self.evaluate(part.format_spec)
            elif isinstance(part, ast.Constant):
                self._constant(part)
        return PLAIN

    def _walrus(self, node: ast.NamedExpr) -> Value:
        value = self.evaluate(node.value)
        self.bind(node.target, value)
        return value

    def _lambda(self, node: ast.Lambda) -> Value:
        return Value(kind=Kind.PLAIN, functions=(self.local(node),))

    # calls

    def read_call(self, node: ast.Call, *, discarded: bool = False) -> Value:
        """A call. `discarded`: it is a statement of its own."""
        self.spend()
        name = _text(node.func)
        if not isinstance(node.func, ast.Attribute):
            target = self.evaluate(node.func)
            return self.call(target, self._arguments(node, discarded), name)
        if isinstance(node.func.value, ast.Call) and isinstance(node.func.value.func, ast.Name) and node.func.value.func.id == "super":
            return self.call_super(node.func.attr, self._arguments(node, discarded), name)
        method = node.func.attr
        before, self.quiet = self.quiet, discarded and method in WRITE_ONLY_METHODS
        base = self.evaluate(node.func.value)
        self.quiet = before
        call = self._arguments(node, discarded)
        out = self.call_method(base, method, call, name)
        if method in MUTATING_METHODS:
            self.grow(node.func.value, call.values, self.new_keys(method, call))
        return out

    def _arguments(self, node: ast.Call, discarded: bool) -> Call:
        args: list[Value] = []
        spread: list[Value] = []
        for item in node.args:
            value = self.evaluate(item)
            if not isinstance(item, ast.Starred):
                args.append(value)
            elif value.items is not None and not spread:
                args.extend(cast(Iterable[Value], value.items))
            else:
                spread.append(self.element(value))
        keywords: dict[str, Value] = {}
        for keyword in node.keywords:
            value = self.evaluate(keyword.value)
            if keyword.arg is not None:
                keywords[keyword.arg] = value
            else:
                spread.append(self.element(value))
        return Call(tuple(args), keywords, any_of(spread) if spread else None, discarded, node)

    def grow(self, place: ast.expr, values: Iterable[Value], keys: frozenset[str] | None = NO_NAMES) -> None:
        """Something is put into the local that `place` starts at, which from now on may hold it; under `keys`, if it is the local."""
        name = base_name(place)
        if name is None or name not in self.scope.env:
            return
        before, added = self.scope.env[name], holding(values)
        if before.kind in CONFIGS or before.kind is Kind.STATE:
            return
        after = before._replace(
            inner=before.inner | added.inner,
            held=names_of(before.held, added.held),
            parts=tuple(dict.fromkeys(before.parts + added.parts)),
            items=None,
            keys=names_of(before.keys, keys) if isinstance(place, ast.Name) else before.keys,
            kind=max(before.kind, Kind.ANY) if added.inner else before.kind,
        )
        self.set_name(self.scope, name, after)

    def bind(self, target: ast.expr, value: Value) -> None:
        """A value is assigned to a target."""
        raise NotImplementedError


_READERS: dict[type, Callable[[Any, Any], Value]] = {
    ast.Constant: Expressions._constant,
    ast.Name: Expressions._name,
    ast.Await: Expressions._await,
    ast.Starred: Expressions._await,
    ast.Yield: Expressions._yield,
    ast.YieldFrom: Expressions._yield_from,
    ast.Attribute: Expressions._attribute,
    ast.Subscript: Expressions._subscript,
    ast.Slice: Expressions._slice,
    ast.List: Expressions._display,
    ast.Tuple: Expressions._display,
    ast.Set: Expressions._display,
    ast.Dict: Expressions._dict,
    ast.ListComp: Expressions._comprehension,
    ast.SetComp: Expressions._comprehension,
    ast.GeneratorExp: Expressions._comprehension,
    ast.DictComp: Expressions._comprehension,
    ast.BinOp: Expressions._binary,
    ast.Compare: Expressions._compare,
    ast.BoolOp: Expressions._boolean,
    ast.UnaryOp: Expressions._unary,
    ast.IfExp: Expressions._conditional,
    ast.JoinedStr: Expressions._formatted,
    ast.NamedExpr: Expressions._walrus,
    ast.Lambda: Expressions._lambda,
    ast.Call: Expressions.read_call,
}
