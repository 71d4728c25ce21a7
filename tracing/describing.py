"""What is said of runs, nodes and errors."""

from __future__ import annotations

from typing import Any

from opentelemetry.trace import Span, Status, StatusCode

from alto_langgraph.protocols import Run
from alto_langgraph.tracing import attributes as names
from alto_langgraph.tracing.content import captures, type_of


def of_run(run: Run) -> dict[str, Any]:
    """A run's attributes."""
    about: dict[str, Any] = {
        names.OPERATION: names.RUN_SPAN,
        names.WORKFLOW: run.graph,
        names.AGENT: run.graph,
        names.GRAPH: run.graph,
        names.KIND: "CHAIN",
        names.LANGSMITH_KIND: "chain",
        names.WINDOW: run.window,
    }
    if run.thread is not None:
        about |= {names.THREAD: run.thread, names.SESSION: run.thread}
    if run.namespace:
        about[names.NAMESPACE] = "/".join(run.namespace)
    if run.most is not None:
        about[names.CONCURRENCY] = run.most
    return about


def of_node(run: Run, node: str, step: int, issue: str) -> dict[str, Any]:
    """A fragment's attributes, as far as they are those of all of the node, the superstep and the issue class."""
    told = run.node(node)
    about = {
        names.NODE: node,
        names.STEP: step,
        names.ISSUE: issue,
        names.EFFECTS: told.effects,
        names.KIND: "CHAIN",
        names.LANGSMITH_KIND: "chain",
        names.LANGFUSE_NODE: node,
        names.LANGFUSE_STEP: step,
        names.LANGSMITH_NODE: node,
        names.LANGSMITH_STEP: step,
    }
    if run.namespace:
        about[names.NAMESPACE] = "/".join(run.namespace)
    if issue == "in_order" and told.kept_back:
        about[names.KEPT_BACK] = told.kept_back
    return about


def told(error: BaseException) -> dict[str, Any]:
    """What a trace says of an exception: its text may hold what nobody should see, so that is content."""
    about = {names.EXCEPTION_TYPE: type_of(error)}
    return {**about, names.EXCEPTION_MESSAGE: str(error)} if captures() else about


def failed(span: Span, error: BaseException, at: int, *, is_error: bool = True) -> None:
    """Notes what a span ended by."""
    span.set_attribute(names.ERROR_TYPE, type_of(error))
    if is_error:
        span.add_event(names.EXCEPTION, told(error), at)
        span.set_status(Status(StatusCode.ERROR, type_of(error)))
