"""Counts, from the facts of observed runs, what running ahead came to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from alto_langgraph.protocols import AskedInVain, Fact, RanAhead, TaskSquashed, TaskStarted


def ran_ahead(facts: Iterable[Fact]) -> RanAhead:
    """What running ahead came to, subgraphs included; what nobody threw away was used."""
    early: Counter[object] = Counter()
    squashed: Counter[str] = Counter()
    started = calls = tokens = 0
    for fact in facts:
        match fact:
            case TaskStarted(ahead=True):
                started += 1
                early[fact.namespace, fact.tag] += 1
            case TaskSquashed() if early[fact.namespace, fact.tag]:  # else it hadn't begun yet
                early[fact.namespace, fact.tag] -= 1
                squashed[fact.reason] += 1
            case AskedInVain():
                calls += fact.calls
                tokens += fact.tokens
    return RanAhead(started, started - squashed.total(), dict(squashed), calls, tokens)
