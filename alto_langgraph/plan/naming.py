"""Tells what names stand for: a local, a closure's cell, a global, an attribute of one of the app's objects."""

from __future__ import annotations

import ast
import builtins
import inspect
from enum import Enum
from functools import cached_property, partial
from types import FunctionType, MethodType, ModuleType
from typing import Any

from alto_langgraph.plan import marks
from alto_langgraph.plan.access import Describe
from alto_langgraph.plan.harmless import is_client, is_harmless, is_model, keeps_runs
from alto_langgraph.plan.made import Made
from alto_langgraph.plan.model import CallablePlan
from alto_langgraph.plan.origin import is_user_code, is_users_module
from alto_langgraph.plan.report import Report
from alto_langgraph.plan.session import session_of
from alto_langgraph.plan.source import Tree, captured, source_of
from alto_langgraph.plan.values import NO_NAMES, NO_TEXT, NOTHING, UNKNOWN, Held, Kind, Local, Value, either, text

_INJECTED = {"config": Value(kind=Kind.CONFIG), "runtime": Value(kind=Kind.RUNTIME), "writer": Value(kind=Kind.ANSWERING)}
MANY = 32
"""Most items of one of the app's collections that are looked at."""

STORES = "=stores"
"""Stands for all attributes of an object that are set by name."""


def key_of(holder: Any, name: str) -> int:
    """Key of one name of an object (or of the object with that id): a number that is no `id()`, but as good as one."""
    if isinstance(holder, ModuleType):
        holder = vars(holder)  # where its functions find it
    return (hash((holder if isinstance(holder, int) else id(holder), name)) & 0x7FFF_FFFF_FFFF_FFFF) + 1


class Scope:
    """The names of one function while it is read."""

    def __init__(self, function: FunctionType, env: dict[str, Value], parent: Scope | None = None, tree: Tree | None = None) -> None:
        self.function, self.env, self.parent, self.tree = function, env, parent, tree
        self.returns: list[Value] = []
        self.outer: set[str] = set()
        self.jumps: list[dict[str, Value]] = []
        self.tried: list[dict[str, Value]] = []
        self.locals: dict[ast.AST, Local] = {}
        self.cells = dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=False)) if parent is None else {}

    @cached_property
    def captured(self) -> frozenset[str]:
        """Names that code inside this function may look up later than where it stands."""
        return captured(self.tree) if self.tree is not None else frozenset()


class Naming:
    """What reading a callable rests on. Subclasses add what happens to values, calls, expressions and statements.

    Args:
        home: The callable's own function, which tells the app's code from libraries'.
        describe: Tells what invoking an object that isn't a function would touch.
        budget: Most syntax nodes to look at, loops and callees counted each time.
    """

    def __init__(self, home: FunctionType, describe: Describe, budget: int) -> None:
        self.home, self.describe, self.left = home, describe, budget
        self.report = Report()
        self.scope = Scope(home, {})
        self.session = session_of(describe)
        self.quiet = False
        self.made = Made()

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
            self.report.depends.append((space, name, space[name]))
            return self._settable(space, name, space[name], last.function)
        if hasattr(builtins, name):
            return self.of_object(getattr(builtins, name), name)
        if name == "interrupt":
            self.report.pauses = True
        return self.made.named(key_of(space, name)) or UNKNOWN

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
        number = self.rebind_key(holder, name, reads=not self.quiet)
        key = frozenset({number})
        value = either(value, Value(key, key))
        named = self.made.named(number)
        return value if named is None else either(value, named)

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

    def word(self, text: str) -> None:
        """A string or an attribute's name occurs in the code."""
        if marks.names_identity(text):
            self.report.identity = True
            self.report.note(f"mentions `{text}`")

    def see_checkpoints(self, name: str) -> None:
        """Checkpoints are looked at, which tell the number of the superstep and what it has not seen yet."""
        self.report.identity = True
        self.report.note(f"looks at checkpoints (`{name}`)")

    # objects

    def of_object(self, it: Any, name: str) -> Value:
        """What an object of the running app is to the analysis."""
        known = self.session.objects.get(id(it))
        if known is None or known[0] is not it:
            outer, self.report = self.report, Report()
            try:
                value = self._of_object(it, name)
            finally:
                found, self.report = self.report, outer
            self.session.objects[id(it)] = known = (it, value, found if found.says_anything() else None)
        if known[2] is not None:
            self.report.notice(known[2])
        return known[1]

    def _of_object(self, it: Any, name: str) -> Value:
        held = (Held(it, name),)
        if it is None:
            return NOTHING
        if isinstance(it, str):
            self.word(it)
            return text(str.__str__(it))._replace(known=held)
        if marks.pauses(it):
            self.report.pauses = True
            self.report.note(f"refers to `{name}`")
        if marks.gives_store(it):
            self.report.store = True
        if marks.draws(it):
            self.report.note(marks.DRAWS)
        if isinstance(it, tuple | frozenset) and len(it) <= MANY and is_harmless(it):
            deep = any(isinstance(i, tuple | frozenset) for i in it)
            strings = None if deep else frozenset(str.__str__(i) for i in it if isinstance(i, str))
            items = tuple(self.of_object(i, name) for i in it)
            parts = tuple(Held(i, name) for i in it)
            return NO_TEXT._replace(known=held, held=strings, items=items if isinstance(it, tuple) else None, parts=parts)
        cls = type(it)
        if is_model(it):
            return Value(kind=Kind.ANSWERING, known=held)
        if is_client(cls):
            return Value(kind=Kind.CLIENT, known=held)
        if isinstance(it, FunctionType | MethodType | ModuleType | type | partial) or hasattr(it, "__wrapped__") or is_harmless(it):
            return Value(kind=Kind.PLAIN, known=held, strings=NO_NAMES)
        if self.plan_of(it) is not None:
            return Value(kind=Kind.RUNNABLE, known=held)
        saver, store = keeps_runs(cls)
        if saver:
            self.see_checkpoints(name)
        self.report.store |= store
        key = frozenset({id(it)})
        self.report.names.setdefault(id(it), name)
        if hasattr(it, "__dict__"):
            self.report.instances.add(id(it))
        return Value(key, key, known=held, strings=NO_NAMES)

    def plan_of(self, it: Any) -> CallablePlan | None:
        """What invoking an object touches, asked once."""
        known = self.session.plans.get(id(it))
        if known is None or known[0] is not it:
            self.session.plans[id(it)] = known = (it, self.describe(it))
        return known[1]

    def attribute_of(self, held: Held, name: str) -> Value | None:
        """An attribute of an object of the app; None if only running code could tell."""
        found = self._attribute_of(held, name)
        named = self.made.named(key_of(held.it, name))
        return found if named is None else named if found is None else either(found, named)

    def _attribute_of(self, held: Held, name: str) -> Value | None:
        it = held.it
        if isinstance(it, ModuleType):
            if is_users_module(it):
                self.rebind_key(it, name, reads=True)
                self.report.depends.append((vars(it), name, vars(it).get(name)))
            return self.of_object(vars(it)[name], name) if name in vars(it) else None
        full = f"{held.name}.{name}"
        if isinstance(it, type):
            if is_user_code(it, self.home):
                self.rebind_key(it, name, reads=True)
            found = self.static(it, name)
            found = getattr(found, "__func__", found)
            return None if found is None else self.of_object(found, full)
        if isinstance(it, Enum) and name in ("value", "name"):
            return self.of_object(it._value_ if name == "value" else it._name_, full)
        if not is_harmless(it) and self.plan_of(it) is None:
            self.attribute_key(it, full, name, reads=True)
        try:
            if name in vars(it):
                self.report.depends.append((vars(it), name, vars(it)[name]))
                if vars(it)[name] is None and not is_harmless(it):  # likely to be set later
                    key = frozenset({key_of(it, name)})
                    return Value(key, key)
                return self.of_object(vars(it)[name], full)
        except TypeError:
            pass
        found = self.static(it, name)
        if isinstance(found, FunctionType):
            return self.of_object(self._method(found, it), full)
        if isinstance(found, staticmethod | classmethod):
            function = found.__func__
            return self.of_object(function if isinstance(found, staticmethod) else self._method(function, type(it)), full)
        if inspect.ismemberdescriptor(found):
            try:
                return self.of_object(found.__get__(it), full)
            except AttributeError:
                return None
        return None if found is None or hasattr(type(found), "__get__") else self.of_object(found, full)

    def _method(self, function: Any, it: Any) -> MethodType:
        """A bound method, the same each time, so that it counts as one thing."""
        key = (function, id(it))
        known = self.session.methods.get(key)
        if known is None or known.__self__ is not it:
            self.session.methods[key] = known = MethodType(function, it)
        return known

    def static(self, it: Any, name: str) -> Any:
        """An attribute of an object or a class as it is kept, without running code to get it; None if there is none."""
        found = inspect.getattr_static(it, name, None)
        self.report.depends.append((it, name, found))
        return found

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
