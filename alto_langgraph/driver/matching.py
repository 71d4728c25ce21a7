"""Finds what was seen before in what is seen now, where more may have come in between."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

Seen = TypeVar("Seen")
Agree = Callable[[Seen, Seen], bool]


def found(before: Sequence[Seen], now: Sequence[Seen], agree: Agree[Seen]) -> Iterator[tuple[int, int]]:
    """Places of what was before, and of what it is now, both in order; each is used at most once.

    As long as all of it is there it costs as many comparisons as there are things now.
    """
    at = 0
    for place, one in enumerate(before):
        last = len(now) - (len(before) - place - 1)  # behind it there must be room for the others
        for other in range(at, min(max(at + 1, last), len(now))):
            if agree(one, now[other]):
                yield place, other
                at = other + 1
                break


def places(before: Sequence[Seen], now: Sequence[Seen], agree: Agree[Seen]) -> list[int] | None:
    """Where all of what was before is now, in the same order; None if something of it isn't there any more."""
    if len(before) > len(now):
        return None
    pairs = [*found(before, now, agree)]
    return [other for _, other in pairs] if len(pairs) == len(before) else None
