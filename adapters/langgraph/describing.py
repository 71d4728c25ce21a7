"""Describes LangChain's and LangGraph's objects to the analysis: what running one may touch."""

from __future__ import annotations

import dataclasses
import operator
from collections.abc import Iterable, Sequence
from contextvars import ContextVar
from functools import reduce
from typing import Any

from langchain_core.runnables import Runnable, RunnableLambda, RunnableParallel, RunnableSequence
from langchain_core.runnables.base import RunnableBindingBase
from langgraph.constants import START
from langgraph.graph.message import add_messages

from alto_langgraph.adapters.langgraph.seam_graph import (
    Pregel,
    PregelProtocol,
    RunnableCallable,
    RunnableSeq,
    class_of,
    functions_of,
    is_a,
)
from alto_langgraph.plan.access import analyse
from alto_langgraph.plan.harmless import is_answering
from alto_langgraph.plan.model import CallablePlan, Effects, SharedUse

_DEEPEST = 20

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


_open: ContextVar[frozenset[int]] = ContextVar("alto_describing", default=frozenset())
"""What is being described right now, so that what holds itself doesn't go on for ever."""


def describe(thing: object) -> CallablePlan | None:
    """What invoking `thing` may touch; None if it is nothing that LangChain or LangGraph runs. Never raises."""
    if not isinstance(thing, Runnable | PregelProtocol) and not is_a(thing, "_TaskFunction"):
        return None
    within = _open.get()
    if id(thing) in within or len(within) > _DEEPEST:
        return CallablePlan(evidence=("nested in itself",))
    token = _open.set(within | {id(thing)})
    try:
        return _of_kind(thing)
    except Exception as error:
        return CallablePlan(evidence=(f"analysis failed: {type(error).__name__}",))
    finally:
        _open.reset(token)


def _inner(part: object) -> CallablePlan:
    """What a part of something touches."""
    return describe(part) or (analyse(part, describe=describe) if callable(part) else _UNKNOWN_LIBRARY)


def _of_kind(thing: Any) -> CallablePlan:
    if is_answering(type(thing)):
        return _ASKING
    if is_a(thing, "_TaskFunction"):
        return dataclasses.replace(_inner(thing.func), sees_identity=True)
    if isinstance(thing, PregelProtocol):
        return _graph(thing)
    if is_a(thing, "ToolNode"):
        return _tools(thing)
    if is_a(thing, "BaseTool"):
        return _tool(thing)
    if is_a(thing, "BaseRetriever"):
        return _retriever(thing)
    if isinstance(thing, RunnableCallable | RunnableLambda):
        return together(map(_inner, functions_of(thing)))
    if isinstance(thing, RunnableSequence | RunnableSeq):
        return in_a_row([_inner(step) for step in thing.steps])
    if isinstance(thing, RunnableParallel):
        return dataclasses.replace(together(map(_inner, thing.steps__.values())), writes=frozenset(thing.steps__), returns=frozenset())
    if is_a(thing, "RunnableAssign"):
        return dataclasses.replace(_inner(thing.mapper), reads=None, writes=None)
    if is_a(thing, "RunnablePick", "RunnablePassthrough"):
        return dataclasses.replace(_NOTHING, reads=None, writes=None, returns=None)
    if is_a(thing, "RunnableBranch"):
        return together(_inner(part) for pair in (*thing.branches, (thing.default,)) for part in pair)
    if isinstance(thing, RunnableBindingBase):
        return _inner(thing.bound)
    parts = [_inner(getattr(thing, name)) for name in ("runnable", "default") if isinstance(getattr(thing, name, None), Runnable)]
    parts += [_inner(part) for part in getattr(thing, "fallbacks", ()) or ()]
    if parts and type(thing).__module__.startswith("langchain"):
        return together(parts)
    return _foreign(thing)


def _own(thing: object, base: type, *names: str) -> list[Any]:
    """Methods that the class of `thing` defines itself, in place of `base`'s."""
    return [getattr(thing, name) for name in names if getattr(type(thing), name, None) is not getattr(base, name, None)]


def _foreign(thing: Any) -> CallablePlan:
    """A Runnable class that someone wrote: its own invoke and ainvoke."""
    own = _own(thing, Runnable, "invoke", "ainvoke")
    return together(map(_inner, own)) if own else _UNKNOWN_LIBRARY


def _retriever(retriever: Any) -> CallablePlan:
    """A retriever looks at its vector store, which another node may be filling; one of the app's own may do anything."""
    store = getattr(retriever, "vectorstore", None)
    if store is not None:
        places = [store, getattr(store, "_collection", None), getattr(store, "store", None)]
        shares = tuple(SharedUse(id(place), type(store).__name__, reads=True, writes=False) for place in places if place is not None)
        return dataclasses.replace(_ASKING, shares=shares)
    own = _own(retriever, class_of("BaseRetriever"), "_get_relevant_documents", "_aget_relevant_documents")
    return dataclasses.replace(together(map(_inner, own)), reads=None, writes=None, returns=None)


def _tool(tool: Any) -> CallablePlan:
    functions = [f for f in (getattr(tool, "func", None), getattr(tool, "coroutine", None)) if f is not None]
    if not functions:
        functions = _own(tool, class_of("BaseTool"), "_run", "_arun")
    plan = together(describe(f) or analyse(f, everything=True, describe=describe) for f in functions)
    stores = any("InjectedStore" in str(hint) for f in functions for hint in getattr(f, "__annotations__", {}).values())
    return dataclasses.replace(plan, reads=None, writes=None, returns=None, uses_store=plan.uses_store or stores)


def _tools(node: Any) -> CallablePlan:
    """A ToolNode: any of its tools, and the wrappers around them."""
    wrappers = [w for w in (getattr(node, "_wrap_tool_call", None), getattr(node, "_awrap_tool_call", None)) if w is not None]
    return dataclasses.replace(together(map(_inner, (*node.tools_by_name.values(), *wrappers))), reads=None, writes=None, returns=None)


def _graph(graph: Any) -> CallablePlan:
    """A graph run inside a node: anything that one of its nodes may do, but for where it goes."""
    if not isinstance(graph, Pregel):
        return dataclasses.replace(_UNKNOWN_LIBRARY, may_interrupt=True, subgraph=True)
    parts = [_inner(node.bound) for name, node in graph.nodes.items() if name != START]
    branches = getattr(getattr(graph, "builder", None), "branches", {})
    parts += [_inner(branch.path) for paths in branches.values() for branch in paths.values()]
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


_QUIET_REDUCERS = (operator.add, operator.or_, operator.and_, operator.concat, operator.mul, max, min, add_messages)


def is_quiet(reducer: Any) -> bool:
    """Whether running a reducer ahead of its superstep shows nowhere: it changes nothing and uses nothing but its arguments."""
    if any(reducer is known for known in _QUIET_REDUCERS):
        return True
    plan = analyse(reducer, everything=True, describe=describe)
    return plan.effects is Effects.PURE and not (plan.mutates or plan.shares or plan.uses_store or plan.sees_identity or plan.may_interrupt)
