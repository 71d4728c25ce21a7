"""Describes LangChain's and LangGraph's objects to the analysis: what running one may touch."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from functools import reduce
from typing import Any

from langchain_core.runnables import Runnable, RunnableBranch, RunnableLambda, RunnableParallel, RunnablePassthrough, RunnableSequence
from langchain_core.runnables.base import RunnableBindingBase
from langchain_core.runnables.passthrough import RunnableAssign, RunnablePick
from langchain_core.tools import BaseTool

from alto_langgraph.adapters.langgraph.seam_graph import (
    Pregel,
    PregelProtocol,
    RunnableCallable,
    RunnableSeq,
    TaskFunction,
    ToolNode,
    functions_of,
)
from alto_langgraph.plan.access import analyse
from alto_langgraph.plan.harmless import is_answering
from alto_langgraph.plan.model import CallablePlan, Effects

_NOTHING = CallablePlan(
    reads=frozenset(),
    writes=frozenset(),
    effects=Effects.PURE,
    may_interrupt=False,
    sees_identity=False,
    uses_store=False,
    mutates=False,
    goes=frozenset(),
    sends=frozenset(),
    subgraph=False,
    returns=frozenset(),
    goes_up=frozenset(),
)
_ASKING = dataclasses.replace(_NOTHING, reads=None, writes=None, effects=Effects.IDEMPOTENT, returns=None, evidence=("known",))
_UNKNOWN_LIBRARY = CallablePlan(
    may_interrupt=False,
    sees_identity=False,
    uses_store=False,
    evidence=("library",),
    subgraph=False,
)


def _both(one: CallablePlan, other: CallablePlan) -> CallablePlan:
    def union(a: frozenset[str] | None, b: frozenset[str] | None) -> frozenset[str] | None:
        return None if a is None or b is None else a | b

    return CallablePlan(
        reads=union(one.reads, other.reads),
        writes=union(one.writes, other.writes),
        effects=max(one.effects, other.effects),
        may_interrupt=one.may_interrupt or other.may_interrupt,
        sees_identity=one.sees_identity or other.sees_identity,
        uses_store=one.uses_store or other.uses_store,
        mutates=one.mutates or other.mutates,
        shares=tuple(dict.fromkeys(one.shares + other.shares)),
        evidence=tuple(dict.fromkeys(one.evidence + other.evidence)),
        goes=union(one.goes, other.goes),
        sends=union(one.sends, other.sends),
        subgraph=one.subgraph or other.subgraph,
        returns=union(one.returns, other.returns),
        goes_up=union(one.goes_up, other.goes_up),
    )


def together(plans: Iterable[CallablePlan]) -> CallablePlan:
    """What several callables touch that all get the same input, or of which any may run."""
    return reduce(_both, plans, _NOTHING)


def in_a_row(plans: Sequence[CallablePlan]) -> CallablePlan:
    """What a chain touches: its first link sees the operands, its last one makes the update."""
    if not plans:
        return _NOTHING
    return dataclasses.replace(together(plans), reads=plans[0].reads, writes=plans[-1].writes, returns=plans[-1].returns)


def describe(thing: object) -> CallablePlan | None:
    """What invoking `thing` may touch; None if it is nothing that LangChain or LangGraph runs. Never raises."""
    return _describe(thing, frozenset())


def _describe(thing: Any, within: frozenset[int]) -> CallablePlan | None:
    if not isinstance(thing, Runnable | PregelProtocol | TaskFunction):
        return None
    if id(thing) in within or len(within) > 20:
        return CallablePlan(evidence=("nested in itself",))
    within |= {id(thing)}

    def again(inner: object) -> CallablePlan | None:
        return _describe(inner, within)

    try:
        return _of_kind(thing, again)
    except Exception as error:
        return CallablePlan(evidence=(f"analysis failed: {type(error).__name__}",))


def _of_kind(thing: Any, again: Callable[[object], CallablePlan | None]) -> CallablePlan:
    def inner(part: object) -> CallablePlan:
        return again(part) or (analyse(part, describe=again) if callable(part) else _UNKNOWN_LIBRARY)

    if is_answering(type(thing)):
        return _ASKING
    if isinstance(thing, TaskFunction):
        return dataclasses.replace(inner(thing.func), sees_identity=True)
    if isinstance(thing, PregelProtocol):
        return _graph(thing, inner)
    if isinstance(thing, ToolNode):
        return _tools(thing, inner)
    if isinstance(thing, RunnableCallable | RunnableLambda):
        return together(map(inner, functions_of(thing)))
    if isinstance(thing, RunnableSequence | RunnableSeq):
        return in_a_row([inner(step) for step in thing.steps])
    if isinstance(thing, RunnableParallel):
        return dataclasses.replace(together(map(inner, thing.steps__.values())), writes=frozenset(thing.steps__), returns=frozenset())
    if isinstance(thing, RunnableAssign):
        return dataclasses.replace(inner(thing.mapper), reads=None, writes=None)
    if isinstance(thing, RunnablePick | RunnablePassthrough):
        return dataclasses.replace(_NOTHING, reads=None, writes=None, returns=None)
    if isinstance(thing, RunnableBranch):
        return together(inner(part) for pair in (*thing.branches, (thing.default,)) for part in pair)
    if isinstance(thing, BaseTool):
        return _tool(thing, inner)
    if isinstance(thing, RunnableBindingBase):
        return inner(thing.bound)
    parts = [inner(getattr(thing, name)) for name in ("runnable", "default") if isinstance(getattr(thing, name, None), Runnable)]
    parts += [inner(part) for part in getattr(thing, "fallbacks", ()) or ()]
    if parts and type(thing).__module__.startswith("langchain"):
        return together(parts)
    return _foreign(thing, inner)


def _foreign(thing: Any, inner: Callable[[object], CallablePlan]) -> CallablePlan:
    """A Runnable class that someone wrote: its own invoke and ainvoke."""
    own = [getattr(thing, name) for name in ("invoke", "ainvoke") if getattr(type(thing), name, None) is not getattr(Runnable, name)]
    return together(map(inner, own)) if own else _UNKNOWN_LIBRARY


def _tool(tool: Any, inner: Callable[[object], CallablePlan]) -> CallablePlan:
    functions = [f for f in (getattr(tool, "func", None), getattr(tool, "coroutine", None)) if f is not None]
    if not functions:
        functions = [
            getattr(tool, name) for name in ("_run", "_arun") if getattr(type(tool), name, None) is not getattr(BaseTool, name, None)
        ]
    return dataclasses.replace(together(map(inner, functions)), reads=None, writes=None)


def _tools(node: Any, inner: Callable[[object], CallablePlan]) -> CallablePlan:
    """A ToolNode: any of its tools, and the wrappers around them."""
    wrappers = [w for w in (getattr(node, "_wrap_tool_call", None), getattr(node, "_awrap_tool_call", None)) if w is not None]
    return dataclasses.replace(together(map(inner, (*node.tools_by_name.values(), *wrappers))), reads=None, writes=None, returns=None)


def _graph(graph: Any, inner: Callable[[object], CallablePlan]) -> CallablePlan:
    """A graph run inside a node: anything that one of its nodes may do, but for where it goes."""
    if not isinstance(graph, Pregel):
        return dataclasses.replace(_UNKNOWN_LIBRARY, may_interrupt=True, subgraph=True)
    parts = [inner(node.bound) for node in graph.nodes.values() if functions_of(node.bound) or isinstance(node.bound, Runnable)]
    branches = getattr(getattr(graph, "builder", None), "branches", {})
    parts += [inner(branch.path) for paths in branches.values() for branch in paths.values()]
    whole = together(parts)
    pauses = whole.may_interrupt or bool(graph.interrupt_before_nodes) or bool(graph.interrupt_after_nodes)
    nothing: frozenset[str] = frozenset()
    return dataclasses.replace(
        whole,
        reads=None,
        writes=None,
        may_interrupt=pauses,
        subgraph=True,
        goes=whole.goes_up,
        sends=nothing if whole.goes_up == nothing else None,  # a Command(graph=PARENT) may carry Sends
        goes_up=nothing if whole.goes_up == nothing else None,
    )
