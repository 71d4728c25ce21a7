"""Knows the functions that the prebuilt agents' model nodes are made of: what running one may touch.

They are library code, which isn't read. What they do follows from what their closures hold, in versions whose layout is known.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from types import FunctionType
from typing import Any

from langchain_core.runnables import Runnable
from langgraph.constants import END
from packaging.version import Version

from alto_langgraph.adapters.langgraph.combining import ASKING, NOTHING, returning, together
from alto_langgraph.adapters.langgraph.middleware import around_calls, cells_of
from alto_langgraph.adapters.langgraph.seam_graph import class_of
from alto_langgraph.plan.harmless import is_model
from alto_langgraph.plan.model import NOBODY, CallablePlan, Effects, Sources

Described = Callable[..., CallablePlan]
Cells = Mapping[str, Any]

_TOOLS = "langgraph.prebuilt.tool_node"

TESTED = {
    _TOOLS: ("langgraph-prebuilt", Version("1.1"), Version("1.2")),
    "langgraph.prebuilt.chat_agent_executor": ("langgraph-prebuilt", Version("1.1"), Version("1.2")),
    "langchain.agents.factory": ("langchain", Version("1.3"), Version("1.6")),
}
"""Modules, with the package each is from and its versions from the first (included) to the second (excluded) that are tested."""


def is_agents(thing: object) -> bool:
    """Whether it is a known function of a prebuilt agent, in a tested version."""
    known = isinstance(thing, FunctionType) and thing.__module__ in TESTED and thing.__qualname__ in _READERS
    return known and _is_tested(thing.__module__)


def runs_tools(thing: object) -> bool:
    """Whether it is a ToolNode, in a tested version, and nobody's own kind of one."""
    return type(thing) is class_of("ToolNode") and _is_tested(_TOOLS)


def agent_plan(function: FunctionType, described: Described) -> CallablePlan | None:
    """What a known function of a prebuilt agent touches; None if it is laid out otherwise."""
    return _READERS[function.__qualname__](cells_of(function), described)


@cache
def _is_tested(module: str) -> bool:
    package, first, beyond = TESTED[module]
    try:
        return first <= Version(version(package)) < beyond
    except PackageNotFoundError:
        return False


def _asking(plan: CallablePlan, updates: frozenset[str], reads: frozenset[str] | None) -> CallablePlan:
    """The plan of a model node: what it asks with is as planned, and what it returns is an update."""
    return returning(
        plan,
        updates,
        reads=reads,
        goes=NOBODY,
        sends=NOBODY,
        returns=NOBODY,
        goes_up=NOBODY,
        writes_up=NOBODY,
        effects=max(plan.effects, Effects.IDEMPOTENT),
        evidence=tuple(dict.fromkeys(("known", *plan.evidence))),
        sources=Sources("known", "known", "known", "known" if plan.sources.effects != "declared" else "declared"),
    )


# ---- langgraph.prebuilt.create_react_agent

_MESSAGES = frozenset({"messages"})


def _reacting(resolving: str) -> Callable[[Cells, Described], CallablePlan | None]:
    def reader(cells: Cells, described: Described) -> CallablePlan | None:
        if not {"is_dynamic_model", "static_model", "_get_model_input_state", resolving} <= cells.keys():
            return None
        inputs = cells_of(cells["_get_model_input_state"])
        if "pre_model_hook" not in inputs:
            return None
        reads = _MESSAGES | {"remaining_steps"} | ({"llm_input_messages"} if inputs["pre_model_hook"] is not None else NOBODY)
        plan = _chosen(cells_of(cells[resolving]), described) if cells["is_dynamic_model"] else _fixed(cells["static_model"], described)
        if plan is None:
            return None
        return _asking(plan, _MESSAGES, None if plan.reads is None else plan.reads | reads)

    return reader


def _fixed(chain: Any, described: Described) -> CallablePlan | None:
    """What a prompt and a model behind it touch; None if something else is behind it."""
    steps = getattr(chain, "steps", None) or ()
    return described(chain) if steps and is_model(steps[-1]) else None


def _chosen(cells: Cells, described: Described) -> CallablePlan | None:
    """The same of a model that a function of the app's chooses."""
    if not {"model", "prompt"} <= cells.keys():
        return None
    prompt = cells["prompt"]
    prompts = [described(prompt)] if callable(prompt) or isinstance(prompt, Runnable) else []
    return together([dataclasses.replace(ASKING, reads=_MESSAGES), described(cells["model"], chooses=True), *prompts])


def _continuing(cells: Cells, described: Described) -> CallablePlan | None:
    """The path function behind the agent: with a hook behind the model it is that one's which sends."""
    if not {"post_model_hook", "response_format", "version"} <= cells.keys():
        return None
    hook, last = cells["post_model_hook"] is not None, "generate_structured_response" if cells["response_format"] is not None else END
    if hook or cells["version"] != "v2":
        return returning(NOTHING, NOBODY, reads=_MESSAGES, returns=frozenset({"post_model_hook"} if hook else {"tools", last}))
    return returning(NOTHING, NOBODY, reads=None, sends=frozenset({"tools"}), returns=frozenset({last}))


# ---- langchain.agents.create_agent


def _modelling(executing: str, wrapping: str) -> Callable[[Cells, Described], CallablePlan | None]:
    def reader(cells: Cells, described: Described) -> CallablePlan | None:
        if not {"model", "initial_response_format", executing, wrapping} <= cells.keys() or not is_model(cells["model"]):
            return None
        if not {"_get_bound_model", "_handle_model_output"} <= cells_of(cells[executing]).keys():
            return None
        form = cells["initial_response_format"]
        updates = _MESSAGES if form is None else _MESSAGES | {"structured_response"}
        handler = getattr(form, "handle_errors", None)
        users = [handler] if callable(handler) and not isinstance(handler, type) else []
        plan = together([described(cells["model"]), *map(described, users)])
        if cells[wrapping] is None:
            return _asking(plan, updates, _MESSAGES)
        return _asking(together([plan, around_calls(cells[wrapping], described)]), updates | {"structured_response"}, None)

    return reader


_READERS: Mapping[str, Callable[[Cells, Described], CallablePlan | None]] = {
    "create_react_agent.<locals>.call_model": _reacting("_resolve_model"),
    "create_react_agent.<locals>.acall_model": _reacting("_aresolve_model"),
    "create_react_agent.<locals>.should_continue": _continuing,
    "create_agent.<locals>.model_node": _modelling("_execute_model_sync", "wrap_model_call_handler"),
    "create_agent.<locals>.amodel_node": _modelling("_execute_model_async", "awrap_model_call_handler"),
}
