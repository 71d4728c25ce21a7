"""A quick and a slow task of one superstep; the slow one ends when all that the quick one's Sends may start early has had its turn."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

from langgraph.graph.state import StateGraph as Stock

from alto_langgraph.comparison import Observation, arecord, record
from alto_langgraph.graph import StateGraph as Alto
from tests.adapters.signals import Signals, aheard, heard, say, signals

SIDES: tuple[Any, ...] = (Stock, Alto)
_AHEAD: ContextVar[bool] = ContextVar("ahead")
"""Whether `mark` comes before its superstep; under stock the slow task would wait for it for ever."""


def running_ahead() -> bool:
    """Whether this is alto; stock must not wait for what runs ahead."""
    return _AHEAD.get()


async def ahold_back(item: str) -> None:
    """Where the producer called `slow` waits."""
    if item == "slow" and _AHEAD.get():
        await aheard("mark quick")


def hold_back(item: str) -> None:
    """`ahold_back` on a thread."""
    if item == "slow" and _AHEAD.get():
        heard("mark quick")


async def mark(item: str) -> dict[str, Any]:
    """A node that runs ahead. Its Send comes last, so what starts ahead with it has begun before."""
    say(f"mark {item}")
    return {}


def mark_on_a_thread(item: str) -> dict[str, Any]:
    """`mark` for sync runs."""
    say(f"mark {item}")
    return {}


async def aseen(graph: Any, side: Any, given: Any, **how: Any) -> tuple[Observation, Signals]:
    """All that an app sees of an async run, and what ran ahead."""
    token = _AHEAD.set(side is Alto)
    try:
        with signals() as told:
            return await arecord(graph, given, **how), told
    finally:
        _AHEAD.reset(token)


def seen(graph: Any, side: Any, given: Any, **how: Any) -> tuple[Observation, Signals]:
    """`aseen` of a sync run."""
    token = _AHEAD.set(side is Alto)
    try:
        with signals() as told:
            return record(graph, given, sync=True, **how), told
    finally:
        _AHEAD.reset(token)
