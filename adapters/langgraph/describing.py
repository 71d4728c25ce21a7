"""Describes LangChain's and LangGraph's objects to the analysis: what running one may touch."""

from __future__ import annotations

import dataclasses
import operator
from collections.abc import Iterable, Sequence
from contextvars import ContextVar
from functools import partial
from types import FunctionType
from typing import Any

from langchain_core.messages import BaseMessage
from langchain_core.runnables import Runnable, RunnableGenerator, RunnableLambda, RunnableParallel, RunnableSequence
from langchain_core.runnables.base import RunnableBindingBase
from langgraph.graph.message import add_messages

from alto_langgraph.adapters.langgraph.agents import agent_plan, is_agents
from alto_langgraph.adapters.langgraph.combining import ALL, ASKING, NOTHING, UNKNOWN_LIBRARY, returning, together
from alto_langgraph.adapters.langgraph.containing import graph_plan, tool_plan, tools_plan
from alto_langgraph.adapters.langgraph.seam_graph import PregelProtocol, RunnableCallable, RunnableSeq, class_of, functions_of, is_a
from alto_langgraph.plan.access import analyse
from alto_langgraph.plan.harmless import is_answering
from alto_langgraph.plan.marks import ASKS
from alto_langgraph.plan.model import CallablePlan, Effects, SharedUse
from alto_langgraph.plan.values import names_of

_DEEPEST = 20

_open: ContextVar[frozenset[int]] = ContextVar("alto_describing", default=frozenset())
"""What is being described right now, so that what holds itself doesn't go on for ever."""


def describe(thing: object) -> CallablePlan | None:
    """What invoking `thing` may touch; None if it is nothing that LangChain or LangGraph runs. Never raises."""
    if not isinstance(thing, Runnable | PregelProtocol) and not is_a(thing, "_TaskFunction") and not is_agents(thing):
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


def described(part: object, *, around: bool = False, chooses: bool = False) -> CallablePlan:
    """What a part of something touches, whether it is a runnable or a function.

    Args:
        part: The part.
        around: It stands around a model's call, as an agent's middleware does.
        chooses: It returns a model for somebody to ask.
    """
    return describe(part) or (analyse(part, around=around, chooses=chooses, describe=describe) if callable(part) else UNKNOWN_LIBRARY)


def _of_kind(thing: Any) -> CallablePlan | None:
    if isinstance(thing, FunctionType):
        return agent_plan(thing, described)
    if is_a(thing, "PromptTemplate", "ChatPromptTemplate"):
        return _prompt(thing)
    if is_answering(type(thing)):
        return ASKING
    if is_a(thing, "_TaskFunction"):
        return dataclasses.replace(described(thing.func), sees_identity=True)
    if isinstance(thing, PregelProtocol):
        return graph_plan(thing, described)
    if is_a(thing, "ToolNode"):
        return tools_plan(thing, describe)
    if is_a(thing, "BaseTool"):
        return tool_plan(thing, describe)
    if is_a(thing, "BaseRetriever"):
        return _retriever(thing)
    if isinstance(thing, RunnableCallable | RunnableLambda):
        return together(described(partial(f, **kwargs) if (kwargs := getattr(thing, "kwargs", None)) else f) for f in functions_of(thing))
    return _composed(thing)


def _composed(thing: Any) -> CallablePlan:
    if isinstance(thing, RunnableSequence | RunnableSeq):
        return _in_a_row(thing.steps)
    if isinstance(thing, RunnableGenerator):
        generators = [getattr(thing, name) for name in ("_transform", "_atransform") if hasattr(thing, name)]
        plan = together(map(described, generators))
        return returning(plan, plan.updates, reads=None)  # it gets an iterator of what it is given
    if isinstance(thing, RunnableParallel):
        return returning(together(map(described, thing.steps__.values())), frozenset(thing.steps__), returns=frozenset())
    if is_a(thing, "RunnableAssign"):
        return returning(described(thing.mapper), None, reads=None)
    if is_a(thing, "RunnablePick"):
        keys = frozenset({thing.keys} if isinstance(thing.keys, str) else thing.keys)
        return returning(ALL, None if isinstance(thing.keys, str) else keys, reads=keys)
    if is_a(thing, "RunnablePassthrough"):
        return returning(together(map(described, functions_of(thing))), None, reads=None, returns=None)
    if is_a(thing, "RunnableBranch"):
        return together(described(part) for pair in (*thing.branches, (thing.default,)) for part in pair)
    if isinstance(thing, RunnableBindingBase):
        return _binding(thing)
    parts = [described(getattr(thing, name)) for name in ("runnable", "default") if isinstance(getattr(thing, name, None), Runnable)]
    parts += [described(part) for part in getattr(thing, "fallbacks", ()) or ()]
    if parts and type(thing).__module__.startswith("langchain"):
        return together(parts)
    return _foreign(thing)


def _binding(thing: Any) -> CallablePlan:
    """A runnable with arguments, or with something around it."""
    if thing.kwargs and isinstance(thing.bound, RunnableCallable | RunnableLambda):
        return together(described(partial(f, **thing.kwargs)) for f in functions_of(thing.bound))
    plan = described(thing.bound)
    history = getattr(thing, "get_session_history", None)
    if history is None:
        return plan
    return returning(together([plan, described(history)]), None, reads=None, effects=Effects.UNKNOWN)


def _in_a_row(steps: Sequence[Any]) -> CallablePlan:
    """What a chain touches: what its first links take from the operands; its last one makes the update."""
    plans = [described(step) for step in steps]
    if not plans:
        return NOTHING
    return returning(together(plans), _made(steps, plans), reads=_taken(steps, plans), returns=plans[-1].returns)


def _taken(steps: Sequence[Any], plans: Iterable[CallablePlan]) -> frozenset[str] | None:
    """Keys of its operand that a chain looks at. Links that hand it on, with more keys, are followed by who takes from that."""
    taken: frozenset[str] | None = frozenset()
    added: frozenset[str] = frozenset()
    for step, plan in zip(steps, plans, strict=True):
        assigns = is_a(step, "RunnableAssign")
        reads = described(step.mapper).reads if assigns else plan.reads
        if is_a(step, "RunnablePassthrough") and not functions_of(step):
            continue
        taken = names_of(taken, reads and reads - added)
        if not assigns:
            return taken
        added |= frozenset(step.mapper.steps__)
    return None  # it comes out at the end


def _made(steps: Sequence[Any], plans: Iterable[CallablePlan]) -> frozenset[str] | None:
    """Keys of the update that a chain makes."""
    made: frozenset[str] | None = None
    for step, plan in zip(steps, plans, strict=True):
        if is_a(step, "RunnableAssign"):
            made = names_of(made, frozenset(step.mapper.steps__))
        elif not is_a(step, "RunnablePassthrough"):
            made = plan.updates
    return made


def _prompt(prompt: Any) -> CallablePlan:
    """A prompt looks at its variables, also at those that it has a value for already: a state's value goes before that."""
    partials = dict(prompt.partial_variables)
    whole = together([ASKING, *(described(value) for value in partials.values() if callable(value))])
    parts = getattr(prompt, "messages", ())
    if all(isinstance(part, BaseMessage) or is_a(part, *_MESSAGES) for part in parts):
        reads = frozenset((*prompt.input_variables, *getattr(prompt, "optional_variables", ()), *partials))
        sources = dataclasses.replace(whole.sources, reads="known")
        return dataclasses.replace(whole, reads=reads, sources=sources)
    return whole


_MESSAGES = ("MessagesPlaceholder", "BaseStringMessagePromptTemplate", "_StringImageMessagePromptTemplate")


def own(thing: object, base: type, *names: str) -> list[Any]:
    """Methods that the class of `thing` defines itself, in place of `base`'s."""
    return [getattr(thing, name) for name in names if getattr(type(thing), name, None) is not getattr(base, name, None)]


def _foreign(thing: Any) -> CallablePlan:
    """A Runnable class that someone wrote: its own invoke and ainvoke."""
    methods = own(thing, Runnable, "invoke", "ainvoke")
    return together(map(described, methods)) if methods else UNKNOWN_LIBRARY


def _retriever(retriever: Any) -> CallablePlan:
    """A retriever looks at its vector store, which another node may be filling; one of the app's own may do anything."""
    store = getattr(retriever, "vectorstore", None)
    if store is not None:
        places = [store, getattr(store, "_collection", None), getattr(store, "store", None)]
        shares = tuple(SharedUse(id(place), type(store).__name__, reads=True, writes=False) for place in places if place is not None)
        return dataclasses.replace(ASKING, shares=shares)
    methods = own(retriever, class_of("BaseRetriever"), "_get_relevant_documents", "_aget_relevant_documents")
    plan = returning(together(map(described, methods)), None, reads=None, returns=None)
    return dataclasses.replace(plan, evidence=tuple(text for text in plan.evidence if not text.startswith(ASKS)))  # its answer is heard


_QUIET_REDUCERS = (operator.add, operator.or_, operator.and_, operator.concat, operator.mul, max, min, add_messages)


def is_quiet(reducer: Any) -> bool:
    """Whether running a reducer ahead of its superstep shows nowhere: it changes nothing and uses nothing but its arguments."""
    if any(reducer is known for known in _QUIET_REDUCERS):
        return True
    plan = analyse(reducer, everything=True, describe=describe)
    return plan.effects is Effects.PURE and not (plan.mutates or plan.shares or plan.uses_store or plan.sees_identity or plan.may_interrupt)
