"""Describes what runs other parts of the app inside one node: tools, and graphs."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.constants import START

from alto_langgraph.adapters.langgraph.combining import NOTHING, UNKNOWN_LIBRARY, returning, together
from alto_langgraph.adapters.langgraph.hints import declared_tool
from alto_langgraph.adapters.langgraph.middleware import around_calls, cells_of
from alto_langgraph.adapters.langgraph.read_only import only_reads
from alto_langgraph.adapters.langgraph.seam_graph import Pregel, class_of, injected_into, wrappers_of
from alto_langgraph.plan.access import Describe, Injected, analyse
from alto_langgraph.plan.model import NOBODY, CallablePlan, Effects, SharedUse
from alto_langgraph.plan.operands import ARGUMENTS
from alto_langgraph.plan.values import names_of

Described = Callable[[object], CallablePlan]

_TEXTS = (str, int, float, bool, bytes, dict, list, tuple)
"""What a tool's result isn't a command if it is annotated as."""


_HANDLERS = ("handle_tool_error", "handle_validation_error")
"""A tool's own functions that turn errors into results."""


def tool_plan(tool: Any, describe: Describe) -> CallablePlan:
    """A tool that is invoked: it looks at what it is given. Of its results only commands are updates."""
    return returning(call_plan(tool, describe), None, reads=None)


def call_plan(tool: Any, describe: Describe) -> CallablePlan:
    """A tool that a ToolNode calls: it looks at what the model says, and in the state at what is injected and used."""
    functions = [f for f in (getattr(tool, "func", None), getattr(tool, "coroutine", None)) if f is not None]
    if not functions:
        base = class_of("BaseTool")
        functions = [getattr(tool, n) for n in ("_run", "_arun") if getattr(type(tool), n, None) is not getattr(base, n, None)]
    handlers = [h for h in (getattr(tool, name, None) for name in _HANDLERS) if callable(h)]
    told = (describe(handler) or analyse(handler, describe=describe) for handler in handlers)
    injected = injected_into(tool)
    plans = [_READING] if only_reads(tool) else [_tool_function(function, injected, describe) for function in functions]
    handled = (returning(plan, NOBODY, reads=NOBODY, returns=None, goes=NOBODY, sends=NOBODY) for plan in told)
    return declared_tool(together([*plans, *handled]), getattr(tool, "metadata", None))


def _tool_function(function: Any, injected: Injected | None, describe: Describe) -> CallablePlan:
    if _is_remote(function):
        return _REMOTE
    plan = describe(function) or analyse(function, everything=injected is None, injected=injected, describe=describe)
    hints: Mapping[str, Any] = getattr(function, "__annotations__", {})
    says = hints.get("return")
    plain = says in _TEXTS or (isinstance(says, str) and says in [cls.__name__ for cls in _TEXTS])
    only_told = injected is not None and plan.changes is not None and plan.changes <= {ARGUMENTS}
    return returning(
        plan,
        NOBODY if plain else plan.updates,
        reads=plan.reads if injected is not None else None,
        changes=NOBODY if only_told or not plan.mutates else None,  # it may get any part of the state
        returns=None,
        uses_store=plan.uses_store or any("InjectedStore" in str(hint) for hint in hints.values()),
        sources=dataclasses.replace(plan.sources, writes="annotation" if plain else plan.sources.writes),
    )


_REMOTE = dataclasses.replace(NOTHING, effects=Effects.UNKNOWN, evidence=("calls a tool of a server",))


_READING = dataclasses.replace(NOTHING, effects=Effects.IDEMPOTENT, evidence=("known",))


def _is_remote(function: Any) -> bool:
    """Whether it calls a tool of an MCP server, of langchain-mcp-adapters, and shows nothing of the app the runtime that it gets."""
    if getattr(function, "__module__", None) != "langchain_mcp_adapters.tools":
        return False
    cells = cells_of(function)
    return {"tool_interceptors", "callbacks"} <= cells.keys() and not cells["tool_interceptors"] and cells["callbacks"] is None


def tools_plan(node: Any, describe: Describe) -> CallablePlan:
    """A ToolNode: any of its tools, and the wrappers around them."""
    plan, messages = _of_tools(node, node.tools_by_name, describe), getattr(node, "_messages_key", None)
    reads = None if messages is None else names_of(plan.reads, frozenset({messages}))
    return returning(plan, plan.updates, reads=reads, changes=None if plan.mutates else NOBODY)  # what tools are told is in the messages


OTHERS = ""
"""The kind of calls of tools that a ToolNode doesn't have: it answers them with an error."""


def tool_kinds(node: Any, describe: Describe) -> Mapping[str, CallablePlan]:
    """What a ToolNode does with calls of each of its tools, and with those of `OTHERS`."""
    return {name: _of_tools(node, [name] if name else [], describe) for name in (*node.tools_by_name, OTHERS)}


def _of_tools(node: Any, names: Iterable[str], describe: Describe) -> CallablePlan:
    def described(part: Any, *, around: bool = False) -> CallablePlan:
        return describe(part) or analyse(part, around=around, describe=describe)

    tools = together(call_plan(node.tools_by_name[name], describe) for name in names)
    wrappers = [around_calls(wrapper, described) for wrapper in wrappers_of(node)]
    handler = getattr(node, "_handle_tool_errors", None)
    if callable(handler) and not isinstance(handler, type) and not str(getattr(handler, "__module__", "")).startswith("langgraph."):
        wrappers.append(returning(described(handler), NOBODY, reads=NOBODY))
    whole, messages = together([tools, *wrappers]), getattr(node, "_messages_key", None)
    if messages is None:
        return returning(whole, None, reads=None, returns=None)
    updates = None if wrappers else names_of(tools.updates, frozenset({messages}))
    changes = NOBODY if whole.changes is not None and whole.changes <= {ARGUMENTS} else None
    return returning(whole, updates, reads=whole.reads, returns=None, changes=changes)


def graph_plan(graph: Any, described: Described) -> CallablePlan:
    """A graph run inside a node: it takes its input's keys and gives its output's; else anything that one of its nodes may do."""
    if not isinstance(graph, Pregel):
        return dataclasses.replace(UNKNOWN_LIBRARY, may_interrupt=True, subgraph=True, pushes=None)
    parts = [described(node.bound) for name, node in graph.nodes.items() if name != START]
    branches = getattr(getattr(graph, "builder", None), "branches", {})
    parts += [described(branch.path) for paths in branches.values() for branch in paths.values()]
    whole = together(parts)
    stays = whole.goes_up == NOBODY
    reads, gives = _takes(graph), _gives(graph)
    return returning(
        NOTHING,
        gives,
        reads=reads,
        changes=reads if whole.mutates else NOBODY,
        pushes=whole.writes_up,
        effects=whole.effects,
        may_interrupt=whole.may_interrupt or bool(graph.interrupt_before_nodes) or bool(graph.interrupt_after_nodes),
        sees_identity=whole.sees_identity,
        uses_store=whole.uses_store,
        mutates=whole.mutates,
        shares=whole.shares + _own_saver(graph),
        evidence=whole.evidence,
        subgraph=True,
        goes=whole.goes_up,
        sends=NOBODY if stays else None,  # a Command(graph=PARENT) may carry Sends
        goes_up=NOBODY if stays else None,
        writes_up=NOBODY if stays else None,
        sources=dataclasses.replace(
            whole.sources, reads="schema" if reads is not None else "unknown", writes="schema" if gives is not None else "unknown"
        ),
    )


def _own_saver(graph: Any) -> tuple[SharedUse, ...]:
    """A graph that is called with a thread of its own goes on where its last run there has stopped."""
    saver = vars(graph).get("checkpointer")
    return (SharedUse(id(saver), type(saver).__name__, reads=True, writes=True),) if isinstance(saver, BaseCheckpointSaver) else ()


def _takes(graph: Any) -> frozenset[str] | None:
    """Keys that a graph takes from its input; None if it takes the input whole."""
    builder = getattr(graph, "builder", None)
    if builder is not None:
        return _keys(builder.schemas[builder.input_schema])
    return None if isinstance(graph.input_channels, str) else frozenset(graph.input_channels)


def _gives(graph: Any) -> frozenset[str] | None:
    """Keys of a graph's result; None if that can't be told."""
    return None if isinstance(graph.output_channels, str) else _keys(graph.output_channels)


def _keys(channels: Any) -> frozenset[str] | None:
    return None if "__root__" in channels else frozenset(channels)
