"""Reads expressions."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Iterable
from typing import Any, cast

from alto_langgraph.plan.arguments import Call
from alto_langgraph.plan.declared import bare, element, member
from alto_langgraph.plan.harmless import is_client
from alto_langgraph.plan.known import DOING_RESOURCES, MUTATING_METHODS, WRITE_ONLY_METHODS
from alto_langgraph.plan.methods import Methods
from alto_langgraph.plan.origin import is_user_code
from alto_langgraph.plan.values import (
    CONFIGS,
    NO_NAMES,
    NOTHING,
    PLAIN,
    UNKNOWN,
    Kind,
    Local,
    Value,
    any_of,
    either,
    holding,
    names_of,
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


class Expressions(Methods):
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
            return Value(kind=Kind.PLAIN, strings=frozenset({node.value}))
        return NOTHING if node.value is None else Value(kind=Kind.PLAIN, strings=NO_NAMES)

    def _name(self, node: ast.Name) -> Value:
        return self.load(node.id)

    def _await(self, node: ast.Await | ast.Starred) -> Value:
        return self.evaluate(node.value)

    def _yield(self, node: ast.Yield) -> Value:
        if node.value is not None:
            self.give_back(self.evaluate(node.value))
        return UNKNOWN

    def give_back(self, value: Value) -> None:
        """The function returns a value."""
        self.scope.returns.append(value)

    # attributes and items

    def _attribute(self, node: ast.Attribute) -> Value:
        self.word(node.attr)
        base = self.evaluate(node.value)
        if base.kind is Kind.STATE:
            return self._state_attribute(base, node.attr)
        if base.kind is Kind.RUNTIME:
            return self.runtime_attribute(node.attr)
        if base.kind is Kind.CLIENT or any(is_client(type(h.it)) for h in base.known):
            return UNKNOWN if node.attr in DOING_RESOURCES else Value(kind=Kind.CLIENT)
        if base.known:
            return any_of([self.attribute_of(h, node.attr) or self._part(base, node.attr) for h in base.known])
        if base.kind in CONFIGS:
            return UNKNOWN
        return self._part(base, node.attr)

    def _state_attribute(self, base: Value, name: str) -> Value:
        cls = bare(base.hint)
        found = inspect.getattr_static(cls, name, None) if isinstance(cls, type) else None
        if isinstance(found, property) and found.fget is not None and is_user_code(cls, self.home):
            return self._call_function(cast(Any, found.fget), Call((base,)), name)
        if callable(found) or isinstance(found, property):
            self.report.read_all()
            return UNKNOWN._replace(own=base.own, inner=base.inner)
        return self.state_key(base, name)

    def _part(self, base: Value, name: str) -> Value:
        if base.kind in (Kind.PLAIN, Kind.ANSWERING) and not base.own and not base.inner:
            return Value(kind=base.kind if base.kind is Kind.ANSWERING else Kind.ANY)
        cls = bare(base.hint)
        found = inspect.getattr_static(cls, name, None) if isinstance(cls, type) else None
        if isinstance(found, property) and found.fget is not None and is_user_code(cls, self.home):
            return self._call_function(cast(Any, found.fget), Call((base,)), name)
        return self.element(base, member(base.hint, name))

    def _subscript(self, node: ast.Subscript) -> Value:
        base, key = self.evaluate(node.value), self.evaluate(node.slice)
        self.show(key)
        if base.kind is Kind.STATE:
            if key.strings:
                return any_of([self.state_key(base, name) for name in key.strings])
            self.report.read_all()
        if base.kind in CONFIGS:
            return self.config_key(base, key)
        if base.items is not None and isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, int):
            return cast(Value, base.items[node.slice.value]) if -len(base.items) <= node.slice.value < len(base.items) else UNKNOWN
        if isinstance(node.slice, ast.Slice):
            self.touch(base)
            return base._replace(own=frozenset(), inner=self.made.reach(base), known=(), items=None, parts=base.parts)
        hint = member(base.hint, next(iter(key.strings))) if key.strings and len(key.strings) == 1 else None
        return self.element(base, hint or element(base.hint))

    def _slice(self, node: ast.Slice) -> Value:
        self.show(*(self.evaluate(part) for part in (node.lower, node.upper, node.step) if part is not None))
        return PLAIN

    # displays

    def _display(self, node: ast.List | ast.Tuple | ast.Set) -> Value:
        values = [self._spread_item(item) for item in node.elts]
        for value in values:
            if value.kind is Kind.STATE:
                self.report.read_all()
        out = holding(values)
        keys: frozenset[str] | None = NO_NAMES
        for value in values:
            keys = names_of(keys, value.keys)
        starred = any(isinstance(item, ast.Starred) for item in node.elts)
        own = self.made.new(node).union(*(v.own for v in values if v.keys is not None and v.hint is None))
        items = tuple(values) if isinstance(node, ast.Tuple) and not starred else None
        return out._replace(own=frozenset(k for k in own if k < 0), keys=keys, items=items)

    def _spread_item(self, item: ast.expr) -> Value:
        if not isinstance(item, ast.Starred):
            return self.evaluate(item)
        whole = self.evaluate(item.value)
        return self.element(whole)._replace(keys=self.made.keys(whole))

    def _dict(self, node: ast.Dict) -> Value:
        keys: frozenset[str] | None = NO_NAMES
        values = []
        for key, item in zip(node.keys, node.values, strict=True):
            value = self.evaluate(item)
            self.contain(*([value] if value.kind is Kind.STATE else []))
            if key is None:
                self.touch(value)
                keys = names_of(keys, self.made.keys(value))
            else:
                keys = names_of(keys, self.evaluate(key).strings)
            values.append(value)
        return holding(values)._replace(own=self.made.new(node), keys=keys, hint=dict)

    def _comprehension(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp) -> Value:
        before = self.scope.env
        self.scope.env = dict(before)
        for generator in node.generators:
            self.bind(generator.target, self.items_of(self.evaluate(generator.iter)))
            for condition in generator.ifs:
                self.touch(self.evaluate(condition))
        parts = (node.key, node.value) if isinstance(node, ast.DictComp) else (node.elt,)
        values = [self.evaluate(part) for part in parts]
        self.contain(*(v for v in values if v.kind is Kind.STATE))
        self.scope.env = before
        keys = values[0].strings if isinstance(node, ast.DictComp) else any_of(values).keys
        return holding(values)._replace(own=self.made.new(node), keys=keys, hint=dict if isinstance(node, ast.DictComp) else None)

    def items_of(self, value: Value) -> Value:
        """What iterating over a value gives."""
        if value.items is not None:
            return any_of(cast(Iterable[Value], value.items))
        return self.element(value, element(value.hint, iterating=True))

    # operators

    def _binary(self, node: ast.BinOp) -> Value:
        left, right = self.evaluate(node.left), self.evaluate(node.right)
        if isinstance(node.op, ast.BitOr) and {left.kind, right.kind} & _COMPOSED:
            whole = holding([left, right])
            return whole._replace(kind=Kind.RUNNABLE, own=frozenset(), inner=frozenset(), strings=None)
        self.contain(left, right)
        if isinstance(node.op, ast.Mod) or (left.kind is Kind.PLAIN and right.kind is Kind.PLAIN):
            return PLAIN
        out = holding([left, right])
        keys = names_of(self.made.keys(left), self.made.keys(right)) if isinstance(node.op, ast.BitOr) else None
        return out._replace(keys=keys, hint=left.hint if left.hint == right.hint else None)

    def _compare(self, node: ast.Compare) -> Value:
        left, rights = self.evaluate(node.left), [self.evaluate(c) for c in node.comparators]
        if len(rights) == 1 and rights[0].kind is Kind.STATE and isinstance(node.ops[0], ast.In | ast.NotIn) and left.strings:
            for name in left.strings:
                self.report.read_key(name)
            return PLAIN
        if not all(isinstance(op, ast.Is | ast.IsNot) for op in node.ops):
            self.contain(left, *rights)
        return PLAIN

    def _boolean(self, node: ast.BoolOp) -> Value:
        values = [self.evaluate(v) for v in node.values]
        self.touch(*values)
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
        return Value(kind=Kind.PLAIN, functions=(Local(node, self.scope),))

    # calls

    def read_call(self, node: ast.Call, *, discarded: bool = False) -> Value:
        """A call. `discarded`: it is a statement of its own."""
        self.spend()
        name = _text(node.func)
        if not isinstance(node.func, ast.Attribute):
            target = self.evaluate(node.func)
            return self.call(target, self._arguments(node, discarded), name)
        if isinstance(node.func.value, ast.Call) and isinstance(node.func.value.func, ast.Name) and node.func.value.func.id == "super":
            return self._super(node.func.attr, self._arguments(node, discarded), name)
        method = node.func.attr
        before, self.quiet = self.quiet, discarded and method in WRITE_ONLY_METHODS
        base = self.evaluate(node.func.value)
        self.quiet = before
        call = self._arguments(node, discarded)
        out = self.call_method(base, method, call, name)
        if method in MUTATING_METHODS:
            self.grow(node.func.value, call.values, method)
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
        return Call(tuple(args), keywords, any_of(spread) if spread else None, discarded)

    def _super(self, attribute: str, call: Call, name: str) -> Value:
        this = next(iter(self.scope.env.values()), UNKNOWN)
        for held in this.known:
            for cls in type(held.it).__mro__[1:]:
                found = vars(cls).get(attribute)
                if found is not None:
                    return self.call(self.of_object(found, name), call.behind(this), name)
        return self.unknown(call, name, this)

    def grow(self, place: ast.expr, values: Iterable[Value], method: str = "") -> None:
        """Something is put into the local that `place` starts at, which from now on may hold it."""
        name = base_name(place)
        if name is None or name not in self.scope.env:
            return
        before, added = self.scope.env[name], holding(values)
        if before.kind in CONFIGS or before.kind is Kind.STATE:
            return
        keys = before.keys
        if method == "update" and isinstance(place, ast.Name):
            for value in values:
                keys = names_of(keys, value.keys)
        elif method:
            keys = keys if keys == NO_NAMES or not isinstance(place, ast.Name) else None
        self.scope.env[name] = before._replace(
            inner=before.inner | added.inner,
            strings=names_of(before.strings, added.strings),
            parts=tuple(dict.fromkeys(before.parts + added.parts)),
            items=None,
            keys=keys,
            kind=max(before.kind, Kind.ANY) if added.inner else before.kind,
        )

    def bind(self, target: ast.expr, value: Value) -> None:
        """A value is assigned to a target."""
        raise NotImplementedError


_READERS: dict[type, Callable[[Any, Any], Value]] = {
    ast.Constant: Expressions._constant,
    ast.Name: Expressions._name,
    ast.Await: Expressions._await,
    ast.Starred: Expressions._await,
    ast.Yield: Expressions._yield,
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
