"""The steps of a node, whose functions are counted, on threads too."""

from __future__ import annotations

import copy
from functools import partial
from inspect import iscoroutinefunction
from typing import Any
from weakref import WeakKeyDictionary

from alto_langgraph.adapters.langgraph.seam_graph import RunnableCallable, rerouted, run_in_executor
from alto_langgraph.driver.budget import counted

_STEPS: WeakKeyDictionary[Any, list[Any]] = WeakKeyDictionary()


def counted_steps(sequence: Any) -> list[Any]:
    """Those of a node with its writers and edges; what can't be counted stays as it is."""
    if sequence not in _STEPS:
        _STEPS[sequence] = [_counted(step) for step in sequence.steps]
    return _STEPS[sequence]


def _counted(step: Any) -> Any:
    return rerouted(step, _counted_function) or _counted_function(step)


def _counted_function(step: Any) -> Any:
    """A function, which LangGraph runs in an async run on a thread, if it is a sync one, or in a task of its own."""
    if type(step) is not RunnableCallable:
        return step
    twin = copy.copy(step)
    if type(step.afunc) is partial and step.afunc.func is run_in_executor:
        executor, function = step.afunc.args
        twin.afunc = partial(run_in_executor, executor, counted(function), **step.afunc.keywords)
    elif iscoroutinefunction(step.afunc):
        twin.afunc = counted(step.afunc)
    return twin
