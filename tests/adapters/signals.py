"""Lets nodes of a test wait for each other, so that a test deadlocks (and times out) where work doesn't run ahead.

Nodes reach the signals through a context variable: an object in a closure would be one that they share past the state, and
nothing would run ahead.
"""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from alto_langgraph.adapters.langgraph.runner import NO_THREAD
from alto_langgraph.protocols import Fact, TaskSquashed, TaskStarted, observed_by

PATIENCE = 30.0
"""Seconds after which something that should have come is said not to come."""


class Signals:
    """What nodes have said, in order, and what ran ahead."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.now = self.most = 0
        self.ahead: Counter[str] = Counter()
        self.ran: Counter[str] = Counter()
        self.squashed: list[tuple[str, str]] = []
        self._news = threading.Condition()

    def say(self, what: str) -> None:
        with self._news:
            self.said.append(what)
            self._news.notify_all()

    def observe(self, fact: Fact) -> None:
        if isinstance(fact, TaskStarted):
            self.ran[fact.node] += 1
            self.ahead[fact.node] += fact.ahead
        elif isinstance(fact, TaskSquashed):
            self.squashed.append((str(fact.tag), fact.reason))

    @property
    def in_vain(self) -> list[tuple[str, str]]:
        """What was thrown away after it had begun."""
        return [(tag, reason) for tag, reason in self.squashed if reason != NO_THREAD]

    async def aheard(self, *what: str) -> None:
        async with asyncio.timeout(PATIENCE):
            while not set(what) <= set(self.said):
                await asyncio.sleep(0.001)

    def heard(self, *what: str) -> None:
        with self._news:
            if not self._news.wait_for(lambda: set(what) <= set(self.said), PATIENCE):
                raise TimeoutError(f"never heard {what}, only {self.said}")

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Counts how many are inside at a time."""
        with self._news:
            self.now += 1
            self.most = max(self.most, self.now)
        try:
            yield
        finally:
            with self._news:
                self.now -= 1


SIGNALS: ContextVar[Signals] = ContextVar("signals")


def say(what: str) -> None:
    SIGNALS.get().say(what)


async def aheard(*what: str) -> None:
    await SIGNALS.get().aheard(*what)


def heard(*what: str) -> None:
    SIGNALS.get().heard(*what)


@contextmanager
def signals() -> Iterator[Signals]:
    """Signals for the runs started inside the block."""
    made = Signals()
    token = SIGNALS.set(made)
    try:
        with observed_by(made):
            yield made
    finally:
        SIGNALS.reset(token)
