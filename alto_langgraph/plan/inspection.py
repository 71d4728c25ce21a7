"""Reads one callable from its source: finds its function, reads it, and sums up what was found."""

from __future__ import annotations

import inspect
import operator
from dataclasses import replace
from functools import partial
from types import BuiltinFunctionType, CodeType, FunctionType, MethodDescriptorType, MethodType, UnionType
from typing import Any, Literal, NamedTuple, Union, cast, get_args, get_origin
from weakref import WeakKeyDictionary, WeakSet

from alto_langgraph.plan.access import Describe, Injected
from alto_langgraph.plan.arguments import Call
from alto_langgraph.plan.bytecode import read_code
from alto_langgraph.plan.declared import bare, members, update_keys
from alto_langgraph.plan.harmless import is_runnable
from alto_langgraph.plan.model import CallablePlan, Effects, Sources
from alto_langgraph.plan.named import by_keys
from alto_langgraph.plan.origin import is_library
from alto_langgraph.plan.reading import TooLargeError
from alto_langgraph.plan.session import session_of
from alto_langgraph.plan.source import Tree, tree_of
from alto_langgraph.plan.statements import Statements
from alto_langgraph.plan.values import NO_NAMES, REQUEST, STATE, TOLD, TOOL_RUNTIME, Kind, Value, names_of


class Given(NamedTuple):
    """What a callable is given.

    Args:
        what: The state as its first argument, or as any of them; a model's call; or a tool's arguments. For "model" it gets the state, and
            returns a model that somebody asks.
        injected: Of a tool, what the model doesn't give.
    """

    what: Literal["first", "all", "call", "tool", "model"]
    injected: Injected | None = None

    def call(self, operand: Value, reading: Statements) -> Call:
        """The arguments."""
        if self.what == "call":
            return Call((REQUEST, Value(kind=Kind.ANSWERING)))
        if self.what == "model":
            return Call((operand, Value(kind=Kind.RUNTIME)))
        if self.injected is None:
            return Call(spread=operand) if self.what == "all" else Call((operand,))
        named = {name: STATE if key is None else reading.state_key(STATE, key) for name, key in self.injected.state}
        if self.injected.runtime is not None:
            named[self.injected.runtime] = TOOL_RUNTIME
        return Call(keywords=named, spread=TOLD)


class _Kept(NamedTuple):
    """A plan, with what it was made from, so that a later change of what the function names is noticed."""

    asked: tuple[Any, Given]
    describe: Describe
    depends: list[tuple[Any, str | None, Any]]
    plan: CallablePlan

    def holds(self, asked: tuple[Any, Given], describe: Describe) -> bool:
        return (
            self.asked[0] is asked[0]
            and self.asked[1] == asked[1]
            and self.describe is describe
            and all(_still(holder, name, known) for holder, name, known in self.depends)
        )


def _still(holder: Any, name: str | None, known: Any) -> bool:
    """Whether a name, an attribute or a collection's items are what they were."""
    if name is None:
        items = list(holder.values() if isinstance(holder, dict) else holder)
        return len(items) == len(known) and all(map(operator.is_, items, known))
    if type(holder) is dict:
        return name in holder and holder[name] is known
    return inspect.getattr_static(holder, name, None) is known


_kept: WeakKeyDictionary[FunctionType, _Kept] = WeakKeyDictionary()

LIBRARY_BUDGET = 2_000
"""Most syntax nodes read for a callable of a library, such as an agent's middleware: apps make agents anew for each request."""

_too_large: WeakSet[CodeType] = WeakSet()
"""Code of libraries that reaches further: not tried again for the next agent."""


def inspected(function: Any, state: Any, given: Given, describe: Describe, budget: int) -> CallablePlan:
    """What `function` touches; see `access.analyse`. Of what is read together, each callable is read once."""
    known = session_of(describe).callables
    marked = (*_identity(function), id(state), given, budget)
    if marked not in known:
        known[marked] = (function, state), _inspected(function, state, given, describe, budget)
    return known[marked][1]


def _identity(function: Any) -> tuple[int, ...]:
    """The same for two bound methods of one object, which are made anew each time they are named."""
    return (id(function.__func__), id(function.__self__)) if isinstance(function, MethodType) else (id(function),)


def _inspected(function: Any, state: Any, given: Given, describe: Describe, budget: int) -> CallablePlan:
    """A plain function is read again only if a global that it names has changed."""
    kept = _kept.get(function) if isinstance(function, FunctionType) else None
    if kept is not None and kept.holds((state, given), describe):
        return kept.plan
    home = _home(function)
    if home is None and isinstance(function, _CODELESS):
        home = cast(FunctionType, _nowhere)
    if home is None:
        return CallablePlan(evidence=("no Python code",))
    library, tree = is_library(home), tree_of(home)
    if tree is None or (library and home.__code__ in _too_large):
        return read_code(home, describe)
    reading = Statements(home, describe, min(budget, LIBRARY_BUDGET) if library else budget)
    operand = STATE._replace(hint=_hint(home, tree, state))
    try:
        result = reading.call(reading.of_object(function, getattr(function, "__name__", "?")), given.call(operand, reading), home.__name__)
    except (TooLargeError, RecursionError):
        if library:
            _too_large.add(home.__code__)
        return read_code(home, describe)
    plan = _finished(reading, result, home, given)
    if plan.reads is None and given.what == "first" and not reading.report.sees_names and by_keys(function):
        plan = replace(plan, named=True)
    if isinstance(function, FunctionType) and function.__closure__ is None:
        _kept[function] = _Kept((state, given), describe, reading.report.depends, plan)
    return plan


_CODELESS = (operator.itemgetter, MethodDescriptorType, BuiltinFunctionType)
"""Callables without Python code of which the tables may know."""


def _nowhere(operand: Any) -> None:
    """Stands for the home of callables without Python code."""


def _home(function: Any) -> FunctionType | None:
    """The plain function at the heart of a callable."""
    for _ in range(20):
        if isinstance(function, FunctionType):
            if not (is_library(function) and callable(wrapped := getattr(function, "__wrapped__", None))):
                return function
            function = wrapped  # a library's decorator, such as a retry
        elif isinstance(function, partial):
            function = function.func
        elif isinstance(function, MethodType):
            function = function.__func__
        elif callable(wrapped := getattr(function, "__wrapped__", None)):
            function = wrapped
        elif isinstance(function, type):
            function = inspect.getattr_static(function, "__init__", None)
        else:
            function = inspect.getattr_static(type(function), "__call__", None)
    return None


def _hint(home: FunctionType, tree: Tree, state: Any) -> Any:
    """The type of a callable's operand: as annotated, where that can be told without running code, else as the graph says."""
    arguments = [*tree.args.posonlyargs, *tree.args.args]
    names = [a.arg for a in arguments if a.arg not in ("self", "cls")]
    hint = _annotation(home, names[0]) if names else None
    return hint if isinstance(bare(hint), type) and members(bare(hint)) else state


def _annotation(home: FunctionType, name: str) -> Any:
    """An annotation, if it can be had without running code: a plain name, if it is a string."""
    try:
        hint = home.__annotations__.get(name)
    except Exception:  # where annotations are evaluated late they may name what isn't there at run time
        return None
    return home.__globals__.get(hint.strip("'\"")) if isinstance(hint, str) else hint


def _promised(home: FunctionType) -> frozenset[str] | None:
    """Keys of the update that the return annotation declares; None if it declares none."""
    hint = bare(_annotation(home, "return"))
    hints = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
    keys: frozenset[str] | None = NO_NAMES
    for one in hints:
        if one is not type(None):
            keys = names_of(keys, frozenset(members(one)) if isinstance(one, type) and members(one) else None)
    return keys if hint is not None else None


def _finished(reading: Statements, result: Value, home: FunctionType, given: Given) -> CallablePlan:
    """The report as a plan. A result that can't be told may be a Command or a Send to anywhere."""
    report = reading.report
    reading.contain(result)
    if given.what == "model" and result.kind is not Kind.ANSWERING:  # somebody asks it, whatever it is
        reading.unknown(Call((STATE,)), f"{home.__name__}()")
        report.identity = True
    promised = _promised(home)
    if given.what == "first" and promised is None and _may_run(reading, result):
        report.read_all()
    keys, texts = reading.made.keys(result), names_of(result.strings, reading.made.held(result))
    certain = result.hint is dict or (isinstance(bare(result.hint), type) and update_keys(bare(result.hint)) is not None)
    if keys is None and texts is None and not certain:
        report.goes = report.sends = report.goes_up = report.writes_up = None
    returned = NO_NAMES if certain and texts is None else texts
    plan = report.plan(keys if keys is not None else promised, returned)
    sources = Sources(
        reads="code" if plan.reads is not None else "unknown",
        writes="unknown" if plan.writes is None else "code" if keys is not None else "annotation",
        goes="unknown" if None in (plan.goes, plan.sends) else "code",
        effects="code" if plan.effects is not Effects.UNKNOWN else "unknown",
    )
    return replace(plan, sources=sources)


def _may_run(reading: Statements, result: Value) -> bool:
    """Whether a node's result may be something that LangGraph would then invoke with the same state."""
    if result.kind in (Kind.FOREIGN, Kind.RUNNABLE, Kind.ANSWERING):
        return True
    hint = bare(result.hint)
    return any(reading.plan_of(held.it) is not None for held in result.known) or (isinstance(hint, type) and is_runnable(hint))
