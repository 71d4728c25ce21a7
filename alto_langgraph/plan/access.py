"""Finds out what a callable touches: the state, things outside it, its own ids, the store."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from types import FunctionType, MethodType
from typing import Any

from alto_langgraph.plan.bytecode import Describe, read_code
from alto_langgraph.plan.model import CallablePlan


def _nothing(_: object) -> CallablePlan | None:
    return None


def analyse(function: Callable[..., Any], *, state: type | None = None, describe: Describe = _nothing) -> CallablePlan:
    """What `function` touches, read from its code. Never raises.

    Args:
        function: A node's function, a path function, or anything callable.
        state: Type of its first parameter, if known from elsewhere.
        describe: Tells what an object that isn't a plain function would do when called or invoked.
    """
    try:
        return _analyse(function, state, describe)
    except Exception as error:
        return CallablePlan(evidence=(f"analysis failed: {type(error).__name__}",))


def _analyse(function: Callable[..., Any], state: type | None, describe: Describe) -> CallablePlan:
    while isinstance(function, partial):
        function = function.func
    if isinstance(function, MethodType):
        function = function.__func__
    if not isinstance(function, FunctionType):
        function = getattr(type(function), "__call__", function)
    if not isinstance(function, FunctionType):
        return CallablePlan(evidence=("no code",))
    return read_code(function, describe)
