"""Reads one callable from its source: finds its function, reads it, and sums up what was found."""

from __future__ import annotations

import inspect
import operator
from dataclasses import replace
from functools import partial
from types import BuiltinFunctionType, FunctionType, MethodDescriptorType, MethodType, UnionType
from typing import Any, NamedTuple, Union, cast, get_args, get_origin
from weakref import WeakKeyDictionary

from alto_langgraph.plan.access import Describe
from alto_langgraph.plan.arguments import Call
from alto_langgraph.plan.bytecode import read_code
from alto_langgraph.plan.declared import bare, members, update_keys
from alto_langgraph.plan.harmless import is_runnable
from alto_langgraph.plan.model import CallablePlan, Effects, Sources
from alto_langgraph.plan.named import by_keys
from alto_langgraph.plan.origin import is_library
from alto_langgraph.plan.reading import TooLargeError
from alto_langgraph.plan.source import Tree, tree_of
from alto_langgraph.plan.statements import Statements
from alto_langgraph.plan.values import NO_NAMES, STATE, Kind, Value, names_of


class _Kept(NamedTuple):
    """A plan, with what it was made from, so that a later change of what the function names is noticed."""

    asked: tuple[Any, bool]
    describe: Describe
    depends: list[tuple[Any, str | None, Any]]
    plan: CallablePlan

    def holds(self, asked: tuple[Any, bool], describe: Describe) -> bool:
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


def inspected(function: Any, state: Any, everything: bool, describe: Describe, budget: int) -> CallablePlan:
    """What `function` touches; see `access.analyse`. A plain function is read again only if a global that it names has changed."""
    kept = _kept.get(function) if isinstance(function, FunctionType) else None
    if kept is not None and kept.holds((state, everything), describe):
        return kept.plan
    home = _home(function)
    if home is None and isinstance(function, _CODELESS):
        home = cast(FunctionType, _nowhere)
    if home is None:
        return CallablePlan(evidence=("no Python code",))
    tree = tree_of(home)
    if tree is None:
        return read_code(home, describe)
    reading = Statements(home, describe, budget)
    operand = STATE._replace(hint=_hint(home, tree, state))
    call = Call(spread=operand) if everything else Call((operand,))
    try:
        result = reading.call(reading.of_object(function, getattr(function, "__name__", "?")), call, home.__name__)
    except (TooLargeError, RecursionError):
        return read_code(home, describe)
    plan = _finished(reading, result, home, everything)
    if plan.reads is None and not everything and not reading.report.sees_names and by_keys(function):
        plan = replace(plan, named=True)
    if isinstance(function, FunctionType) and function.__closure__ is None:
        _kept[function] = _Kept((state, everything), describe, reading.report.depends, plan)
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


def _finished(reading: Statements, result: Value, home: FunctionType, everything: bool) -> CallablePlan:
    """The report as a plan. A result that can't be told may be a Command or a Send to anywhere."""
    report = reading.report
    reading.contain(result)
    promised = _promised(home)
    if not everything and promised is None and _may_run(reading, result):
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
