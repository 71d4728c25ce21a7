"""Reads one callable from its source: finds its function, reads it, and sums up what was found."""

from __future__ import annotations

import inspect
from functools import partial
from types import FunctionType, MethodType
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from alto_langgraph.plan.access import Describe
from alto_langgraph.plan.arguments import Call
from alto_langgraph.plan.bytecode import read_code
from alto_langgraph.plan.declared import bare, members
from alto_langgraph.plan.model import CallablePlan
from alto_langgraph.plan.origin import is_library
from alto_langgraph.plan.reading import TooLargeError
from alto_langgraph.plan.source import Tree, tree_of
from alto_langgraph.plan.statements import Statements
from alto_langgraph.plan.values import NO_NAMES, OPERAND, Kind, Value


class _Kept(NamedTuple):
    """A plan, with what it was made from, so that a later change of a global is noticed."""

    asked: tuple[Any, bool]
    describe: Describe
    depends: list[tuple[dict[str, Any], str, int]]
    plan: CallablePlan

    def holds(self, asked: tuple[Any, bool], describe: Describe) -> bool:
        return (
            self.asked[0] is asked[0]
            and self.asked[1] == asked[1]
            and self.describe is describe
            and all(name in space and id(space[name]) == known for space, name, known in self.depends)
        )


_kept: WeakKeyDictionary[FunctionType, _Kept] = WeakKeyDictionary()


def inspected(function: Any, state: Any, everything: bool, describe: Describe, budget: int) -> CallablePlan:
    """What `function` touches; see `access.analyse`. A plain function is read again only if a global that it names has changed."""
    kept = _kept.get(function) if isinstance(function, FunctionType) else None
    if kept is not None and kept.holds((state, everything), describe):
        return kept.plan
    home = _home(function)
    if home is None:
        return CallablePlan(evidence=("no Python code",))
    tree = tree_of(home)
    if tree is None:
        return read_code(home, describe)
    reading = Statements(home, describe, budget)
    operand = Value(frozenset({OPERAND}), frozenset({OPERAND}), Kind.STATE, hint=_hint(home, tree, state))
    call = Call(spread=operand) if everything else Call((operand,))
    try:
        result = reading.call(reading.of_object(function, getattr(function, "__name__", "?")), call, home.__name__)
    except (TooLargeError, RecursionError):
        return read_code(home, describe)
    plan = _finished(reading, result, home)
    if isinstance(function, FunctionType):
        _kept[function] = _Kept((state, everything), describe, reading.depends, plan)
    return plan


def _home(function: Any) -> FunctionType | None:
    """The plain function at the heart of a callable."""
    for _ in range(20):
        if isinstance(function, FunctionType):
            if not (is_library(function) and isinstance(wrapped := getattr(function, "__wrapped__", None), FunctionType)):
                return function
            function = wrapped  # a library's decorator, such as a retry
            continue
        if isinstance(function, partial):
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


def _writes(result: Value, home: FunctionType) -> frozenset[str] | None:
    """Keys of the update: as read, else as the return annotation declares."""
    if result.keys is not None:
        return result.keys
    hint = _annotation(home, "return")
    return frozenset(members(hint)) if isinstance(hint, type) and issubclass(hint, dict) and members(hint) else None


def _finished(reading: Statements, result: Value, home: FunctionType) -> CallablePlan:
    """The report as a plan. A result that can't be told may be a Command or a Send to anywhere."""
    report = reading.report
    reading.contain(result)
    result = result._replace(keys=reading.made.keys(result), strings=reading.made.strings(result))
    if result.keys is None and result.hint is None and result.strings is None:
        report.goes = report.sends = report.goes_up = None
    returned = NO_NAMES if result.hint is not None and result.strings is None else result.strings
    return report.plan(_writes(result, home), returned)
