"""Keeps what reading one callable brought to light for the others that are read with it, so that a shared function is read once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from types import MethodType
from typing import Any

from alto_langgraph.plan.access import Describe
from alto_langgraph.plan.model import CallablePlan
from alto_langgraph.plan.report import Report
from alto_langgraph.plan.sharing import Summary
from alto_langgraph.plan.values import Value


class Session:
    """Callables that are read together. The app's objects are taken to stay as they are meanwhile."""

    def __init__(self, describe: Describe | None = None) -> None:
        self.describe = describe
        self.objects: dict[int, tuple[Any, Value, Report | None]] = {}
        self.plans: dict[int, tuple[Any, CallablePlan | None]] = {}
        self.methods: dict[tuple[Any, int], MethodType] = {}
        self.summaries: dict[Any, Summary] = {}
        self.callables: dict[Any, tuple[Any, CallablePlan]] = {}


_current: ContextVar[Session | None] = ContextVar("alto_reading", default=None)


def session_of(describe: Describe) -> Session:
    """The session that is open, else one for this callable alone."""
    current = _current.get()
    if current is not None and current.describe in (None, describe):
        current.describe = describe
        return current
    return Session(describe)


@contextmanager
def together() -> Iterator[None]:
    """All callables that are analysed inside are read together."""
    if _current.get() is not None:
        yield
        return
    token = _current.set(Session())
    try:
        yield
    finally:
        _current.reset(token)
