"""A fragment as long as its run goes on: one time that a node runs."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

from opentelemetry import context as otel
from opentelemetry.trace import Link, Span

from alto_langgraph.protocols import TaskCached, TaskFinished, TaskStarted


class Running:
    """A fragment: one time that a node runs."""

    __slots__ = (
        "before",
        "context",
        "depth",
        "ended",
        "fact",
        "finish",
        "held",
        "issue",
        "link",
        "links",
        "outcome",
        "parent",
        "queued",
        "sent",
        "span",
        "text",
    )

    def __init__(self, fact: TaskStarted | TaskCached, parent: Running | None, sent: bool = False) -> None:
        self.fact, self.parent, self.sent = fact, parent, sent
        self.depth: int = 0 if parent is None else parent.depth + 1
        self.text = ""
        self.issue = "in_order"
        if isinstance(fact, TaskStarted) and fact.ahead:
            self.issue = "speculative" if fact.speculative else "ahead"
        self.span: Span
        self.context: otel.Context
        self.before: tuple[otel.Context, Running | None, Any]
        self.finish: TaskFinished | None = None
        self.queued: float | None = None
        self.held: float | None = None
        self.outcome: str | None = None
        self.link: Link | None = None
        self.links: set[int] | None = None
        self.ended = False


RUNNING: ContextVar[Running | None] = ContextVar("alto_running", default=None)
"""The fragment whose node is running: it may end after the same task has begun anew, so its tag doesn't tell."""


def above(inputs: list[Running]) -> Running | None:
    """The innermost fragment that all of these are below; None for the run."""
    if not inputs:
        return None
    common = inputs[0].parent
    for it in inputs:
        above = it.parent
        while above is not common:
            if above is None or common is None:
                return None
            if above.depth >= common.depth:
                above = above.parent
            else:
                common = common.parent
    return common
