"""Tells an app's code which task it runs in; the rest is loaded only when somebody asks inside a run."""

from __future__ import annotations

from langchain_core.runnables import RunnableConfig
from langchain_core.runnables.config import var_child_runnable_config

from alto_langgraph.protocols import Caller
from alto_langgraph.tags import Tag


def current_tag() -> Tag | None:
    """The tag of the task whose code is running: the same whether it was started early or in its superstep.

    It can be asked in nodes, path functions, tools, callbacks of models, and in threads that run in a copy of the task's context.
    A task of a graph that a node runs is below that node's task: `outer[1]/inner[2]`. So is a tool's call below the task of its
    `ToolNode`, by its place among the calls of the message: `tools[1]/search[0]`; a task that was sent one call, as agents do, is that
    call. Code of a graph that isn't alto's, but is run by a task that is, counts as that task's. What a run finds unfinished when it
    resumes a thread, a pending `Send` say, is named by the superstep that it resumes in.

    Returns:
        None outside of a run, and under stock LangGraph, so also with `ALTO_ENABLED=0`.
    """
    config = _config()
    if config is None:
        return None
    from alto_langgraph.adapters.langgraph.whose import early_in, tag_in

    tag = tag_in(config)
    if tag is None or tag.is_placed:
        return tag
    if (early := early_in(config)) is not None:
        early.show()
    return tag_in(config)  # it has just become known


def current_caller() -> Caller | None:
    """The task whose code is running, with what those want to know whom it asks; None where `current_tag` is None."""
    config = _config()
    if config is None:
        return None
    from alto_langgraph.adapters.langgraph.whose import caller_in

    return caller_in(config)


def _config() -> RunnableConfig | None:
    """The config that the running code is under, where LangGraph is one that alto knows."""
    config = var_child_runnable_config.get()
    if config is None:
        return None
    from alto_langgraph.adapters.langgraph.seam import UNAVAILABLE

    return None if UNAVAILABLE is not None else config
