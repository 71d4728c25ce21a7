"""What happens to values while a function is read: they are looked at, kept, shown, handed to unknown code."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from types import FunctionType, MethodType
from typing import Any

from alto_langgraph.plan.declared import is_immutable, member
from alto_langgraph.plan.harmless import is_model
from alto_langgraph.plan.naming import MANY, STORES, Naming, Scope, key_of
from alto_langgraph.plan.operands import ANYWHERE, OPERAND, under
from alto_langgraph.plan.values import CONFIGS, NONE, PLAIN, Bound, Held, Kind, Local, Value, any_of, either, holding


class TooLargeError(Exception):
    """A function reaches more code than the analysis is willing to read."""


class Reading(Naming):
    """One callable being read, with everything it calls. Subclasses add calls, expressions and statements."""

    def evaluate(self, node: ast.expr) -> Value:
        """What an expression may be; reports what evaluating it touches."""
        raise NotImplementedError

    def run(self, body: Iterable[ast.stmt]) -> None:
        """Reads statements in the current scope."""
        raise NotImplementedError

    def spend(self) -> None:
        """Counts one syntax node."""
        self.left -= 1
        if self.left < 0:
            raise TooLargeError

    # the state

    def state_key(self, state: Value, key: str) -> Value:
        """The state's value under `key`."""
        self.report.read_key(key)
        number = frozenset({under(key)})
        found = self.part(Value(number, number, hint=member(state.hint, key)))
        return any_of([found, *self.besides(state)]) if self.made.leaked or len(state.own) > 1 else found

    def besides(self, state: Value) -> list[Value]:
        """Items of what a value may be besides the state, and what this code has put into the state itself."""
        own = state.own - {OPERAND}
        found = [self.element(state._replace(own=own, inner=state.inner - {OPERAND, ANYWHERE}, kind=Kind.ANY, hint=None))] if own else []
        kept = self.made.inside(Value(frozenset({OPERAND})))
        if not kept.own > {OPERAND}:
            return found
        return [*found, kept._replace(own=kept.own - {OPERAND}, inner=kept.inner - {OPERAND})]

    def part(self, value: Value) -> Value:
        """The value, less what its declared type rules out."""
        return PLAIN if value.hint is not None and is_immutable(value.hint) else value

    # what happens to values

    def touch(self, *values: Value) -> None:
        """Values are looked at, not kept and not changed."""
        for value in values:
            if value.own and not self.quiet:
                self.report.touch(value.own)

    def contain(self, *values: Value) -> None:
        """Values go where the analysis doesn't tell keys apart."""
        for value in values:
            if value.own or value.inner:
                self.report.touch(self.made.reach(value))

    def show(self, *values: Value) -> None:
        """Values are turned into text, or handed to something known that only looks at them."""
        self.contain(*values)
        if any(v.kind in CONFIGS or v.kind is Kind.RUNTIME for v in values):
            self.report.identity = True
            self.report.note("shows the run's config, or its runtime, whole")

    def escape(self, values: Iterable[Value], why: str, *, runs: bool = False) -> None:
        """Values are handed to unknown code, which may do anything to what can be changed in place.

        Args:
            values: What is handed over.
            why: Name of what they are handed to.
            runs: It is a LangChain-like `invoke`, which takes the run's config as a matter of course.
        """
        values = list(values)
        everything = NONE.union(*map(self.made.reach, values))
        for value in values:
            self.contain(value)
            if value.kind is not Kind.PLAIN:
                reach = self.made.reach(value)
                self.report.mutate(reach, f"passed to {why}")
                self.made.put(reach, Value(everything, everything), None)
                for key in reach & self.report.instances:
                    self.report.use(key_of(key, STORES), reads=True)
            if value.kind is Kind.RUNTIME:
                self.report.identity = self.report.store = True
            if value.kind in CONFIGS and not (runs and value.kind is Kind.CONFIG):
                self.report.identity = True
                self.report.note(f"passes the run's config to {why}")

    def derived(self, values: Iterable[Value]) -> Value:
        """Something unknown that may be, or hold, any part of `values`."""
        reach = NONE.union(*map(self.made.reach, values))
        return Value(reach, reach)

    def element(self, value: Value, hint: Any = None) -> Value:
        """Any one item of `value`."""
        self.touch(value)
        if value.kind is Kind.PLAIN and not value.own and not value.inner and not value.parts:
            return PLAIN
        out = self.made.inside(value, hint)
        for held in value.known:
            out = self._items_of(held, out)
        if value.kind is Kind.PLAIN:
            out = out._replace(kind=Kind.PLAIN)
        return self.part(out)

    def _items_of(self, held: Held, out: Value) -> Value:
        """Adds the items of a collection of the app, so that tables of functions can be followed."""
        kind = type(held.it)
        items = list(held.it.values()) if kind is dict else list(held.it) if kind in (list, tuple, set) else []
        if not items or len(items) > MANY:
            return out
        if kind is not tuple:
            self.report.depends.append((held.it, None, items))
        known = tuple(Held(i, held.name) for i in items if callable(i) or self.plan_of(i) is not None)
        if out.kind is Kind.ANY and not out.known and all(map(is_model, items)):
            out = out._replace(kind=Kind.ANSWERING)
        return out._replace(known=tuple(dict.fromkeys(out.known + known)))

    def callbacks(self, values: Iterable[Value]) -> list[Value]:
        """Functions among, and inside, values that are handed to someone who may call them."""
        found: list[Value] = []
        for value in values:
            if value.known or value.parts:
                held = [p for p in (*value.known, *value.parts) if isinstance(p, Held) and isinstance(p.it, FunctionType | MethodType)]
                found += [self.of_object(h.it, h.name) for h in held]
            if value.functions or value.parts:
                found += [Value(functions=(f,)) for f in (*value.functions, *value.parts) if isinstance(f, Local | Bound)]
        return found

    def set_name(self, scope: Scope, name: str, value: Value) -> None:
        """A name stands for something from now on."""
        before = scope.env.get(name)
        if before is not None and OPERAND in value.own and name in scope.captured and before != value:
            self.report.read_all()  # a function that was read with the name's earlier value may be called from now on
        scope.env[name] = value
        for seen in scope.tried:
            seen[name] = value if name not in seen else either(seen[name], value)

    # everything in sight

    def in_sight(self) -> Value:
        """Whatever the names of the current function, and of those around it, stand for."""
        values: list[Value] = []
        self.report.sees_names = True
        scope: Scope | None = self.scope
        while scope is not None:
            values += scope.env.values()
            scope = scope.parent
        return holding(values)

    def look_anywhere(self, name: str) -> None:
        """Something is called that can look at, and change, any function's locals."""
        self.report.sees_names = True
        self.report.mutate((OPERAND, ANYWHERE), f"`{name}`")
        self.report.read_all()
