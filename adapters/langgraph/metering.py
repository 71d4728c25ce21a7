"""The steps of a node, with what sync functions take on threads told to whom the context names."""

from __future__ import annotations

import copy
from functools import partial
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
    """A function that LangGraph runs on a thread in an async run."""
    if type(step) is not RunnableCallable or type(step.afunc) is not partial or step.afunc.func is not run_in_executor:
        return step
    twin = copy.copy(step)
    executor, function = step.afunc.args
    twin.afunc = partial(run_in_executor, executor, counted(function), **step.afunc.keywords)
    return twin
