"""Plays stretches of work: what they need, how long they take, and whose places they hold meanwhile; and what may be changed of that."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush


@dataclass(frozen=True)
class Change:
    """What is otherwise than it was.

    Args:
        free: Nodes that needn't wait for their superstep, nor for what they may not pass.
        apart: (node, other): the node doesn't need what the other comes to.
        places: How many each server takes at a time, by label; 0 for any number.
        faster: Factors on the time of what a node asks, by (node, label); on its own work with its own name as label.
    """

    free: frozenset[str] = frozenset()
    apart: frozenset[tuple[str, str]] = frozenset()
    places: Mapping[str, int] = field(default_factory=dict)
    faster: Mapping[tuple[str, str], float] = field(default_factory=dict)

    def __or__(self, other: Change) -> Change:
        """Both."""
        return Change(self.free | other.free, self.apart | other.apart, {**self.places, **other.places}, {**self.faster, **other.faster})


@dataclass(slots=True)
class Piece:
    """A stretch of work.

    Args:
        seconds: How long it takes.
        needs: Numbers of the pieces that must be over before.
        takes: The server of which it takes a place when it begins, or "".
        gives: The server of which a place is free when it is over, or "".
    """

    seconds: float
    needs: Sequence[int]
    takes: str = ""
    gives: str = ""


def play(pieces: Sequence[Piece], places: Mapping[str, int]) -> list[float]:
    """When each piece is over, in seconds from the beginning.

    Each begins as soon as it can; places are given first come, first served. Servers that aren't named have any number of places.
    """
    missing = [len(piece.needs) for piece in pieces]
    followers: list[list[int]] = [[] for _ in pieces]
    for number, piece in enumerate(pieces):
        for need in piece.needs:
            followers[need].append(number)
    free = dict(places)
    lines: dict[str, deque[int]] = {server: deque() for server in places}
    ends = [0.0] * len(pieces)
    running: list[tuple[float, int]] = []

    def begin(number: int, now: float) -> None:
        heappush(running, (now + pieces[number].seconds, number))

    def ready(number: int, now: float) -> None:
        server = pieces[number].takes
        if server not in free:
            begin(number, now)
        elif free[server]:
            free[server] -= 1
            begin(number, now)
        else:
            lines[server].append(number)

    for number, lacking in enumerate(missing):
        if not lacking:
            ready(number, 0.0)
    while running:
        now, number = heappop(running)
        ends[number] = now
        server = pieces[number].gives
        if server in free:
            if lines[server]:
                begin(lines[server].popleft(), now)
            else:
                free[server] += 1
        for follower in followers[number]:
            missing[follower] -= 1
            if not missing[follower]:
                ready(follower, now)
    return ends
