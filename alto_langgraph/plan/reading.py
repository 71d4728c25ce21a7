"""What reading a function rests on: its names, the app's objects behind them, and the state's keys."""

from __future__ import annotations

import ast
import builtins
import inspect
from collections.abc import Iterable
from functools import partial
from types import FunctionType, MethodType, ModuleType
from typing import Any

from alto_langgraph.plan import marks
from alto_langgraph.plan.access import Describe
from alto_langgraph.plan.declared import is_immutable, member
from alto_langgraph.plan.harmless import is_answering, is_client, is_harmless
from alto_langgraph.plan.made import Made
from alto_langgraph.plan.model import CallablePlan
from alto_langgraph.plan.origin import is_user_code, is_users_module
from alto_langgraph.plan.report import Report
from alto_langgraph.plan.source import source_of
from alto_langgraph.plan.values import (
    CONFIGS,
    NOTHING,
    OPERAND,
    PLAIN,
    UNKNOWN,
    Held,
    Kind,
    Local,
    Value,
    either,
)

_INJECTED = {"config": Value(kind=Kind.CONFIG), "runtime": Value(kind=Kind.RUNTIME), "writer": Value(kind=Kind.ANSWERING)}
_MANY = 32


STORES = "=stores"
"""Stands for all attributes of an object that are set by name."""


def key_of(holder: Any, name: str) -> int:
    """Key of one name of an object (or of the object with that id): a number that is no `id()`, but as good as one."""
    return (hash((holder if isinstance(holder, int) else id(holder), name)) & 0x7FFF_FFFF_FFFF_FFFF) + 1


class TooLargeError(Exception):
    """A function reaches more code than the analysis is willing to read."""


class Scope:
    """The names of one function while it is read."""

    def __init__(self, function: FunctionType, env: dict[str, Value], parent: Scope | None = None) -> None:
        self.function, self.env, self.parent = function, env, parent
        self.returns: list[Value] = []
        self.outer: set[str] = set()
        self.cells = dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=False)) if parent is None else {}


class Reading:
    """One callable being read, with everything it calls. Subclasses add calls, expressions and statements.

    Args:
        home: The callable's own function, which tells the app's code from libraries'.
        describe: Tells what invoking an object that isn't a function would touch.
        budget: Most syntax nodes to look at, loops and callees counted each time.
    """

    def __init__(self, home: FunctionType, describe: Describe, budget: int) -> None:
        self.home, self.describe, self.left = home, describe, budget
        self.report = Report()
        self.scope = Scope(home, {})
        self.objects: dict[int, tuple[Any, Value]] = {}
        self.plans: dict[int, CallablePlan | None] = {}
        self.instances: set[int] = set()
        self.depends: list[tuple[dict[str, Any], str, int]] = []
        self.quiet = False
        self.made = Made()

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

    # names

    def load(self, name: str) -> Value:
        """What a name stands for: a local, a closure's cell, a global, a builtin."""
        scope: Scope | None = self.scope
        while scope is not None:
            if name in scope.env and name not in scope.outer:
                return scope.env[name]
            if name in scope.cells:
                return self._cell(name, scope.cells[name])
            last, scope = scope, scope.parent
        space = last.function.__globals__
        if name in space:
            self.depends.append((space, name, id(space[name])))
            return self._settable(space, name, space[name], last.function)
        if hasattr(builtins, name):
            return self.of_object(getattr(builtins, name), name)
        if name == "interrupt":
            self.report.pauses = True
        return UNKNOWN

    def _cell(self, name: str, cell: Any) -> Value:
        try:
            return self._settable(cell, name, cell.cell_contents, self.scope.function)
        except ValueError:
            return UNKNOWN

    def _settable(self, holder: Any, name: str, it: Any, function: FunctionType) -> Value:
        """A global or a cell, which may be something else by the time the code runs if anybody sets it anew."""
        value = self.of_object(it, name)
        if it is not None and not self._is_rebound(function, name):
            return value
        key = frozenset({self.rebind_key(holder, name, reads=not self.quiet)})
        return either(value, Value(key, key))

    def _is_rebound(self, function: FunctionType, name: str) -> bool:
        source = source_of(function)
        return source is not None and name in source.rebound

    def rebind_key(self, holder: Any, name: str, *, reads: bool = False, writes: bool = False) -> int:
        """A global, a closure's cell or an attribute is looked at, or set to something else. Returns its key."""
        key = key_of(holder, name)
        self.report.names.setdefault(key, name)
        self.report.use(key, reads=reads, writes=writes)
        return key

    def injected(self, name: str) -> Value | None:
        """What LangGraph passes for a parameter of that name, if it passes anything."""
        if name == "store":
            self.report.store = True
        return _INJECTED.get(name)

    # objects

    def of_object(self, it: Any, name: str) -> Value:
        """What an object of the running app is to the analysis."""
        known = self.objects.get(id(it))
        if known is None or known[0] is not it:
            self.objects[id(it)] = known = (it, self._of_object(it, name))
        return known[1]

    def _of_object(self, it: Any, name: str) -> Value:
        held = (Held(it, name),)
        if it is None:
            return NOTHING
        if isinstance(it, str):
            self.word(it)
            return Value(kind=Kind.PLAIN, known=held, strings=frozenset({it}))
        if marks.pauses(it):
            self.report.pauses = True
            self.report.note(f"refers to `{name}`")
        if marks.gives_store(it):
            self.report.store = True
        if isinstance(it, tuple | frozenset) and len(it) <= _MANY and is_harmless(it):
            strings = frozenset(i for i in it if isinstance(i, str))
            items = tuple(self.of_object(i, name) for i in it)
            parts = tuple(Held(i, name) for i in it)
            return Value(kind=Kind.PLAIN, known=held, strings=strings, items=items if isinstance(it, tuple) else None, parts=parts)
        cls = type(it)
        if is_answering(cls):
            return Value(kind=Kind.ANSWERING, known=held)
        if is_client(cls):
            return Value(kind=Kind.CLIENT, known=held)
        if isinstance(it, FunctionType | MethodType | ModuleType | type | partial) or hasattr(it, "__wrapped__") or is_harmless(it):
            return Value(kind=Kind.PLAIN, known=held)
        if self.plan_of(it) is not None:
            return Value(kind=Kind.RUNNABLE, known=held)
        key = frozenset({id(it)})
        self.report.names.setdefault(id(it), name)
        if hasattr(it, "__dict__"):
            self.instances.add(id(it))
        return Value(key, key, known=held)

    def plan_of(self, it: Any) -> CallablePlan | None:
        """What invoking an object touches, asked once."""
        if id(it) not in self.plans:
            self.plans[id(it)] = self.describe(it)
        return self.plans[id(it)]

    def attribute_of(self, held: Held, name: str) -> Value | None:
        """An attribute of an object of the app; None if only running code could tell."""
        it = held.it
        if isinstance(it, ModuleType):
            if is_users_module(it):
                self.rebind_key(it, name, reads=True)
            return self.of_object(vars(it)[name], name) if name in vars(it) else None
        if isinstance(it, type):
            if is_user_code(it, self.home):
                self.rebind_key(it, name, reads=True)
            found = inspect.getattr_static(it, name, None)
            found = getattr(found, "__func__", found)
            return None if found is None else self.of_object(found, f"{held.name}.{name}")
        full = f"{held.name}.{name}"
        if not is_harmless(it) and self.plan_of(it) is None:
            self.attribute_key(it, full, name, reads=True)
        try:
            if name in vars(it):
                if vars(it)[name] is None and not is_harmless(it):  # likely to be set later
                    key = frozenset({key_of(it, name)})
                    return Value(key, key)
                return self.of_object(vars(it)[name], full)
        except TypeError:
            pass
        found = inspect.getattr_static(it, name, None)
        if isinstance(found, FunctionType):
            return self.of_object(MethodType(found, it), full)
        if isinstance(found, staticmethod | classmethod):
            return self.of_object(found.__func__ if isinstance(found, staticmethod) else MethodType(found.__func__, type(it)), full)
        if inspect.ismemberdescriptor(found):
            try:
                return self.of_object(found.__get__(it), full)
            except AttributeError:
                return None
        return None if found is None or hasattr(type(found), "__get__") else self.of_object(found, full)

    def attribute_key(self, it: Any, full: str, name: str, *, reads: bool = False, writes: bool = False) -> None:
        """An attribute of a shared object is looked at or set. Its unknown methods may do either to any attribute."""
        key, stores = key_of(it, name), key_of(it, STORES)
        self.report.names.setdefault(key, full)
        self.report.use(key, reads=reads, writes=writes)
        if reads:
            self.report.use(id(it), reads=True)
        if writes:
            self.report.names.setdefault(stores, full)
            self.report.use(stores, writes=True)

    # the state

    def state_key(self, state: Value, key: str) -> Value:
        """The state's value under `key`."""
        self.report.read_key(key)
        return self.part(Value(frozenset({OPERAND}), frozenset({OPERAND}), hint=member(state.hint, key)))

    def part(self, value: Value) -> Value:
        """The value, less what its declared type rules out."""
        return PLAIN if value.hint is not None and is_immutable(value.hint) else value

    def word(self, text: str) -> None:
        """A string or an attribute's name occurs in the code."""
        if marks.names_identity(text):
            self.report.identity = True
            self.report.note(f"mentions `{text}`")

    # what happens to values

    def touch(self, *values: Value) -> None:
        """Values are looked at, not kept and not changed."""
        for value in values:
            if value.own and not self.quiet:
                self.report.touch(value.own)

    def contain(self, *values: Value) -> None:
        """Values go where the analysis doesn't tell keys apart."""
        for value in values:
            if value.kind is Kind.STATE:
                self.report.read_all()
            self.report.touch(self.made.reach(value))

    def show(self, *values: Value) -> None:
        """Values are turned into text, or handed to something known that only looks at them."""
        self.contain(*values)
        if any(v.kind in CONFIGS for v in values):
            self.report.identity = True
            self.report.note("shows the run's config whole")

    def escape(self, values: Iterable[Value], why: str, *, runs: bool = False) -> None:
        """Values are handed to unknown code, which may do anything to what can be changed in place.

        Args:
            values: What is handed over.
            why: Name of what they are handed to.
            runs: It is a LangChain-like `invoke`, which takes the run's config as a matter of course.
        """
        values = list(values)
        everything = frozenset[int]().union(*map(self.made.reach, values))
        for value in values:
            self.contain(value)
            if value.kind is not Kind.PLAIN:
                reach = self.made.reach(value)
                self.report.mutate(reach, f"passed to {why}")
                self.made.put(reach, Value(everything, everything), None)
                for key in reach & self.instances:
                    self.report.use(key_of(key, STORES), reads=True)
            if value.kind is Kind.RUNTIME:
                self.report.identity = self.report.store = True
            if value.kind in CONFIGS and not (runs and value.kind is Kind.CONFIG):
                self.report.identity = True
                self.report.note(f"passes the run's config to {why}")

    def element(self, value: Value, hint: Any = None) -> Value:
        """Any one item of `value`."""
        self.touch(value)
        if value.kind is Kind.STATE:
            self.report.read_all()
        if value.kind is Kind.PLAIN and not value.own and not value.inner and not value.parts:
            return Value(kind=Kind.PLAIN, strings=value.strings)
        out = self.made.inside(value, hint)
        for held in value.known:
            out = self._items_of(held, out)
        if value.kind is Kind.PLAIN:
            out = out._replace(kind=Kind.PLAIN)
        return self.part(out)

    def _items_of(self, held: Held, out: Value) -> Value:
        """Adds the items of a collection of the app, so that tables of functions can be followed."""
        items = list(held.it.values()) if type(held.it) is dict else held.it if type(held.it) in (list, tuple, set) else []
        if len(items) > _MANY:
            return out
        known = tuple(Held(i, held.name) for i in items if callable(i) or self.plan_of(i) is not None)
        return out._replace(known=tuple(dict.fromkeys(out.known + known)))

    def callbacks(self, values: Iterable[Value]) -> list[Value]:
        """Functions among, and inside, values that are handed to someone who may call them."""
        found: list[Value] = []
        for value in values:
            held = [p for p in (*value.known, *value.parts) if isinstance(p, Held) and isinstance(p.it, FunctionType | MethodType)]
            found += [self.of_object(h.it, h.name) for h in held]
            found += [Value(functions=(f,)) for f in (*value.functions, *value.parts) if isinstance(f, Local)]
        return found
